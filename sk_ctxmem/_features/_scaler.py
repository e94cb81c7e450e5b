"""RowNormScaler, which scales sparse features by one factor."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from ._csr import find_firsts, squared_norms

SEARCH_COST = 20  # cost of finding a column by search, relative to writing one entry of a table
LARGEST_NORM = 2.0  # largest norm of a scaled row; the root mean square of training rows is 1
SMALLEST_NORM = 1e-30  # of the longest row; single precision cannot represent smaller inverses


class RowNormScaler(BaseEstimator):
    """Divide sparse features by the root mean square norm of rows, and cap the norms of rows.

    One factor for all columns preserves the ratios of TF-IDF weights. Columns that are empty in
    training are dropped, and the others are sorted by descending number of rows, so that the
    columns that batches read most are close together in memory.

    The columns that occur in one training row only are merged, for each such row, into a single
    column: the projection of a row onto the values of the training row in these columns. If the
    weights start at zero, gradient descent moves them in this direction only, so nothing is
    lost; in texts, more than half of all columns are of this kind.

    Parameters
    ----------
    merge_singles : bool, default=True
        Whether to merge columns that occur in one row. Use False if more training rows follow.

    Attributes
    ----------
    norm_ : float
        Root mean square of the norms of the training rows.
    columns_ : ndarray of shape (n_columns,), int32
        The columns that are not empty in training, sorted.
    column_map_ : ndarray of shape (n_columns,), int32
        The column of the scaled features to which each of `columns_` is added.
    merge_weights_ : ndarray of shape (n_columns,), float32
        The factor of each of `columns_` in this sum: 1 unless the column was merged.
    n_columns_ : int
        Number of columns of the scaled features.
    """

    _names_in_files = {"column_map_": "places_", "merge_weights_": "shares_"}

    def __init__(self, merge_singles=True):
        self.merge_singles = merge_singles

    def fit(self, X, y=None, sample_weight=None):
        """Learn the norm and the columns from training rows."""
        X = in_canonical_format(X)
        norms = squared_norms(X.data, X.indptr)
        if X.nnz and norms.max() < SMALLEST_NORM**2:
            raise ValueError(
                f"X has {abs(X.data).max():.3g} as its largest absolute value, which is too small "
                "for single precision; multiply X by a constant."
            )
        self.norm_ = float(np.sqrt(np.average(norms, weights=sample_weight))) or 1.0
        order, n_repeated = self._order(np.bincount(X.indices, minlength=X.shape[1]))
        self.n_columns_ = n_repeated + self._merge_singles(X, order[n_repeated:])
        return self

    def fit_counts(self, norm, n_rows):
        """Learn what `fit` learns without merging, from statistics of the training rows.

        Parameters
        ----------
        norm : float
            Root mean square of the norms of the rows.
        n_rows : ndarray of shape (n_columns,)
            Number of rows in which each column is not zero.
        """
        self.norm_ = norm or 1.0
        self._order(n_rows)
        self.n_columns_ = len(self.columns_)
        return self

    def _order(self, n_rows):
        """Map the columns that are not empty to new columns, by descending number of rows.

        Returns
        -------
        order : ndarray of shape (n_columns,)
            Indices into `columns_`, sorted by their new columns.
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
        """Map the columns that occur in one row to a new column for each such row.

        Returns
        -------
        n_merged : int
            Number of these new columns.
        """
        number = np.full(X.shape[1], -1, dtype=np.int32)
        number[self.columns_[singles]] = np.arange(len(singles))
        columns = number[X.indices]  # each column of `singles` has one value
        X = take_columns(X.data, X.indptr, columns, len(singles))
        counts = np.diff(X.indptr)
        is_filled = counts > 0
        new_columns = len(self.columns_) - len(singles) + np.cumsum(is_filled) - 1
        merged = singles[X.indices]
        self.column_map_[merged] = np.repeat(new_columns, counts)
        norms = np.sqrt(squared_norms(X.data, X.indptr))
        self.merge_weights_[merged] = X.data / np.repeat(norms, counts)
        return int(is_filled.sum())

    def transform(self, X):
        """Scale rows, and map their columns to the columns of the scaled features."""
        X = in_canonical_format(X)
        columns, values = self.scale_values(X)
        X = take_columns(values, X.indptr, columns, self.n_columns_)
        X.sum_duplicates()
        return X

    def scale_values(self, X):
        """Return the new column and the scaled value of each stored value of canonical CSR.

        Returns
        -------
        columns : ndarray of shape (n_stored,), int32 or int64
            The column of the scaled features; -1 if the column was empty in training.
        values : ndarray of shape (n_stored,), float32
            The value to add to this column of the row.
        """
        return self._scale(X.indices, X.data, X.indptr, X.shape[1])

    def scale_one(self, columns, values, n_columns):
        """Return the row that `transform` returns for one row, without a matrix.

        Parameters
        ----------
        columns, values : ndarray of shape (n_stored,)
            The row in canonical format.
        n_columns : int
            Number of columns before scaling.

        Returns
        -------
        columns : ndarray of shape (n_found,), int32
            Columns of the scaled features, sorted.
        values : ndarray of shape (n_found,), float32
            Their values.
        """
        columns, values = self._scale(columns, values, np.array([0, len(columns)]), n_columns)
        order = columns.argsort(kind="stable")
        order = order[np.count_nonzero(columns < 0) :]
        columns, values = columns[order].astype(np.int32), values[order]
        if not len(columns):
            return columns, values
        firsts = find_firsts(columns)
        return columns[firsts], np.add.reduceat(values, firsts)

    def _scale(self, columns, values, indptr, n_columns):
        """Return the new column and the scaled value of each stored value of CSR."""
        found, values = self._find(columns, n_columns), values.astype(np.float32)
        is_known = found >= 0
        values[~is_known] = 0
        norms = np.sqrt(squared_norms(values, indptr)) / self.norm_
        factors = LARGEST_NORM / np.maximum(norms, LARGEST_NORM) / self.norm_
        values *= np.repeat(factors.astype(np.float32), indptr[1:] - indptr[:-1])
        known = found[is_known]
        values[is_known] *= self.merge_weights_[known]
        found[is_known] = self.column_map_[known]
        return found, values

    def _check_learned(self):
        """Raise ValueError unless `fit` can have learned these attributes."""
        columns, new_columns, weights = self.columns_, self.column_map_, self.merge_weights_
        are_right = (
            columns.dtype == new_columns.dtype == np.int32
            and columns.shape == new_columns.shape == weights.shape == (len(columns),)
            and (len(columns) == 0 or (columns[0] >= 0 and 0 <= new_columns.min()))
            and bool((columns[1:] > columns[:-1]).all())
            and new_columns.max(initial=-1) < self.n_columns_
            and weights.dtype == np.float32
            and np.isfinite(weights).all()
            and 0 < self.norm_ < np.inf
        )
        if not are_right:
            raise ValueError("the columns of the scaler cannot have been learned by fit")

    def _find(self, columns, n_columns):
        """Return the index of each column in `columns_`, or -1 for empty ones, as a new array."""
        if len(columns) * SEARCH_COST > n_columns:
            numbers = np.full(n_columns, -1, dtype=np.int32)
            numbers[self.columns_] = np.arange(len(self.columns_))
            return numbers[columns]
        found = self.columns_.searchsorted(columns)
        if not len(self.columns_):
            return np.full(len(columns), -1)
        is_known = self.columns_.take(found, mode="clip") == columns
        return np.where(is_known, found, -1)


def take_columns(values, indptr, columns, n_columns):
    """Return CSR with other columns, without the values whose column is -1."""
    taken = columns >= 0
    new_indptr = np.concatenate([[0], np.cumsum(taken)])[indptr].astype(indptr.dtype)
    arrays = (values[taken], columns[taken].astype(np.int32), new_indptr)
    return sparse.csr_array(arrays, shape=(len(indptr) - 1, n_columns))


def in_canonical_format(X):
    """Return CSR with sorted entries, no duplicates and no zeros: storage must not matter."""
    X = X.tocsr()
    has_zeros = not X.data.all()
    if has_zeros or not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
        X.eliminate_zeros()
    return X
