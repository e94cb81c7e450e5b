"""Scaling of sparse features by one factor."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from ._csr import find_firsts, squared_norms

SEARCH_COST = 20  # of looking one column up, against writing one entry of a table of them all


LARGEST_NORM = 2.0  # of a row of sparse features, in units of the usual norm


SMALLEST_NORM = 1e-30  # of the longest row: single precision has no room for its inverse below


class RowNormScaler(BaseEstimator):
    """Divide sparse features by the usual norm of a row, and cap rows that exceed it by far.

    One factor for all columns keeps rare features small, as TF-IDF means them to be. Columns
    that are empty in training are left out, and the others are put into the order of the number
    of their rows, so that what batches read most lies together in memory.

    All columns that only one row has, the same one, become a single column: the part of a row
    along what that training row has in them. From weights of zero, gradient descent would move
    along it alone, and on texts these columns are more than half of all.

    Parameters
    ----------
    merge_singles : bool, default=True
        Whether to do that; not where other rows with these columns are still to come.
    """

    _names_in_files = {"column_map_": "places_", "merge_weights_": "shares_"}

    def __init__(self, merge_singles=True):
        self.merge_singles = merge_singles

    def fit(self, X, y=None, sample_weight=None):
        """Learn the root mean square of the norms of the rows, and the columns."""
        X = in_canonical_format(X)
        norms = squared_norms(X.data, X.indptr)
        if X.nnz and norms.max() < SMALLEST_NORM**2:
            raise ValueError(
                f"X has {abs(X.data).max():.3g} as its largest number in size, which is too small "
                "for single precision; multiply X by a constant."
            )
        self.norm_ = float(np.sqrt(np.average(norms, weights=sample_weight))) or 1.0
        order, n_repeated = self._order(np.bincount(X.indices, minlength=X.shape[1]))
        self.n_columns_ = n_repeated + self._merge_singles(X, order[n_repeated:])
        return self

    def fit_counts(self, norm, n_rows):
        """Learn what `fit` does without merging, from numbers about rows that are elsewhere.

        Parameters
        ----------
        norm : float
            Root mean square of the norms of the rows.
        n_rows : ndarray of shape (n_columns,)
            Number of rows that have each column.
        """
        self.norm_ = norm or 1.0
        self._order(n_rows)
        self.n_columns_ = len(self.columns_)
        return self

    def _order(self, n_rows):
        """Give the columns that any row has their places, those of most rows first.

        Returns
        -------
        order : ndarray of shape (n_columns,)
            The columns in the order of their places.
        n_repeated : int
            Number of columns that are not to be merged.
        """
        self.columns_ = np.flatnonzero(n_rows).astype(np.int32)
        n_rows = n_rows[self.columns_]
        order = np.argsort(-n_rows, kind="stable")
        self.column_map_ = np.empty(len(order), dtype=np.int32)
        self.column_map_[order] = np.arange(len(order))
        self.merge_weights_ = np.ones(len(order), dtype=np.float32)
        return order, int(np.count_nonzero(n_rows > self.merge_singles))

    def _merge_singles(self, X, singles):
        """Give the columns of one row the place after the others that is their row's.

        Returns
        -------
        n_places : int
            Number of rows with such columns.
        """
        number = np.full(X.shape[1], -1, dtype=np.int32)
        number[self.columns_[singles]] = np.arange(len(singles))
        columns = number[X.indices]  # each has one value
        X = _take_columns(X.data, X.indptr, columns, len(singles))
        counts = np.diff(X.indptr)
        is_filled = counts > 0
        places = len(self.columns_) - len(singles) + np.cumsum(is_filled) - 1
        chosen = singles[X.indices]
        self.column_map_[chosen] = np.repeat(places, counts)
        lengths = np.sqrt(squared_norms(X.data, X.indptr))
        self.merge_weights_[chosen] = X.data / np.repeat(lengths, counts)
        return int(is_filled.sum())

    def transform(self, X):
        """Scale rows, and bring their values to the places of their columns."""
        X = in_canonical_format(X)
        places, values = self.scale_values(X)
        X = _take_columns(values, X.indptr, places, self.n_columns_)
        X.sum_duplicates()
        return X

    def scale_values(self, X):
        """Return the place and the scaled value of each stored value of canonical CSR.

        Returns
        -------
        places : ndarray of shape (n_stored,), int32 or int64
            Column of the scaled features, -1 for columns that were empty in training.
        values : ndarray of shape (n_stored,), float32
            What the value adds to that column of its row.
        """
        return self._scale(X.indices, X.data, X.indptr, X.shape[1])

    def scale_one(self, columns, values, n_columns):
        """Return places and values that `transform` gives one row, without a matrix.

        Parameters
        ----------
        columns, values : ndarray of shape (n_stored,)
            The row in canonical format.
        n_columns : int
            Number of columns that it could have.

        Returns
        -------
        places : ndarray of shape (n_found,), int32
            Columns of the scaled features, sorted.
        values : ndarray of shape (n_found,), float32
            Their values.
        """
        places, values = self._scale(columns, values, np.array([0, len(columns)]), n_columns)
        order = places.argsort(kind="stable")
        order = order[np.count_nonzero(places < 0) :]
        places, values = places[order].astype(np.int32), values[order]
        if not len(places):
            return places, values
        firsts = find_firsts(places)
        return places[firsts], np.add.reduceat(values, firsts)

    def _scale(self, columns, values, ends, n_columns):
        found, values = self._find(columns, n_columns), values.astype(np.float32)
        is_known = found >= 0
        values[~is_known] = 0
        norms = np.sqrt(squared_norms(values, ends)) / self.norm_
        factors = LARGEST_NORM / np.maximum(norms, LARGEST_NORM) / self.norm_
        values *= np.repeat(factors.astype(np.float32), ends[1:] - ends[:-1])
        known = found[is_known]
        values[is_known] *= self.merge_weights_[known]
        places = found.copy()
        places[is_known] = self.column_map_[known]
        return places, values

    def _check_learned(self):
        """Raise ValueError unless this is what `fit` can have learned."""
        columns, places, shares = self.columns_, self.column_map_, self.merge_weights_
        are_right = (
            columns.dtype == places.dtype == np.int32
            and columns.shape == places.shape == shares.shape == (len(columns),)
            and (len(columns) == 0 or (columns[0] >= 0 and 0 <= places.min()))
            and bool((columns[1:] > columns[:-1]).all())
            and places.max(initial=-1) < self.n_columns_
            and shares.dtype == np.float32
            and np.isfinite(shares).all()
            and 0 < self.norm_ < np.inf
        )
        if not are_right:
            raise ValueError("the columns of the features are none that a fit can have found")

    def _find(self, columns, n_columns):
        """Return the number of each of these columns, or -1 for one never seen."""
        if len(columns) * SEARCH_COST > n_columns:
            numbers = np.full(n_columns, -1, dtype=np.int32)
            numbers[self.columns_] = np.arange(len(self.columns_))
            return numbers[columns]
        found = self.columns_.searchsorted(columns)
        if not len(self.columns_):
            return np.full(len(columns), -1)
        is_known = self.columns_.take(found, mode="clip") == columns
        return np.where(is_known, found, -1)


def _take_columns(values, ends, columns, n_columns):
    """Return the values of CSR in other columns, without those whose column is -1."""
    taken = columns >= 0
    new_ends = np.concatenate([[0], np.cumsum(taken)])[ends].astype(ends.dtype)
    parts = (values[taken], columns[taken].astype(np.int32), new_ends)
    return sparse.csr_array(parts, shape=(len(ends) - 1, n_columns))


def in_canonical_format(X):
    """Return CSR with sorted entries, no duplicates and no zeros: storage must not matter."""
    X = X.tocsr()
    has_zeros = not X.data.all()
    if has_zeros or not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
        X.eliminate_zeros()
    return X
