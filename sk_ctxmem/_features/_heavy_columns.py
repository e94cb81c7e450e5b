"""Sparse features with columns that outweigh all others, such as a price beside TF-IDF."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.preprocessing import StandardScaler

from ._csr import squared_norms
from ._scaler import SMALLEST_NORM, RowNormScaler, in_canonical_format, take_columns

# A column is heavy if it has this fraction or more of the squared norm that all clearly lighter
# columns have together. On twenty corpora, the heaviest word of TfidfVectorizer has at most 0.16.
HEAVY_SHARE = 0.2
CLEARLY_LIGHTER = 0.25  # squared norm of a clearly lighter column, relative to that of a column
# In a matrix that is filled to this share, all columns are heavy. One of 300 half filled columns
# has the accuracy of dense columns then, 5 points more; texts fill less than a hundredth.
FILLED_SHARE = 0.25
MAX_HEAVY = 1000  # heavy columns are stored densely
SAMPLE_SIZE = 1000  # rows in which norms are compared
SAME_NORM = 1e-3  # relative differences between rows of the same norm


class HeavyColumnScaler(BaseEstimator):
    """Standardize the heavy columns of sparse features, and scale all others by one factor.

    One factor for all columns, and one learning rate for their weights, suit the n-grams of texts.
    A heavy column has most of the norm of each row: after scaling, almost nothing is left of the
    texts, and the rate that is stable for this column is far too low for theirs. Hence heavy
    columns are features of their own, with weights of their own.

    Parameters
    ----------
    merge_singles : bool, default=True
        As in RowNormScaler.

    Attributes
    ----------
    dense_columns_ : ndarray of shape (n_dense,), int32
        Heavy columns, sorted.
    dense_scaler_ : StandardScaler
        Fitted scaler of the heavy columns.
    sparse_scaler_ : RowNormScaler
        Fitted scaler of all other columns.
    """

    def __init__(self, merge_singles=True):
        self.merge_singles = merge_singles

    def fit(self, X, heavy, sample_weight=None):
        """Learn the norm and the columns of both parts from training rows.

        Parameters
        ----------
        X : csr_array of shape (n_rows, n_columns)
            Training rows.
        heavy : ndarray of shape (n_dense,), int
            Heavy columns, which are not constant.
        sample_weight : ndarray of shape (n_rows,) or None, default=None
            Weights of the rows.
        """
        self.fit_dense(X, heavy, sample_weight)
        self.sparse_scaler_ = RowNormScaler(merge_singles=self.merge_singles)
        self.sparse_scaler_.fit(without_columns(X, heavy), sample_weight=sample_weight)
        return self

    def fit_dense(self, X, heavy, sample_weight=None):
        """Learn the heavy columns only, see `fit`."""
        self.dense_columns_ = np.sort(heavy).astype(np.int32)
        self.dense_scaler_ = StandardScaler()
        self.dense_scaler_.fit(self._take_dense(X), sample_weight=sample_weight)
        return self

    def transform(self, X):
        """Return the scaled features of all other columns as CSR."""
        return self.sparse_scaler_.transform(X)  # which drops columns that it has not seen

    def transform_dense(self, X):
        """Return the standardized heavy columns as an array of shape (n_rows, n_dense)."""
        with np.errstate(over="ignore"):  # predictions that are not finite raise an error
            values = self.dense_scaler_.transform(self._take_dense(X))
            return np.ascontiguousarray(values, dtype=np.float32)

    def _take_dense(self, X):
        return _to_dense(X, self.dense_columns_)

    def _check_learned(self):
        """Raise ValueError unless `fit` can have learned these attributes."""
        columns, means, scales = (
            self.dense_columns_,
            self.dense_scaler_.mean_,
            self.dense_scaler_.scale_,
        )
        are_right = (
            columns.dtype == np.int32
            and columns.shape == means.shape == scales.shape == (len(columns),)
            and len(columns) > 0
            and columns[0] >= 0
            and bool((columns[1:] > columns[:-1]).all())
            and np.isfinite(means).all()
            and np.isfinite(scales).all()
            and bool((scales > 0).all())
        )
        if not are_right:
            raise ValueError("the heavy columns cannot have been learned by fit")


def find_heavy_columns(X, sample_weight):
    """Return the columns of sparse features that are no n-grams: they outweigh all others.

    Frequent words are in most rows too, so that a column is not heavy because many rows have it.
    Columns that are zero in no row are heavy. From the column with the largest squared norm on,
    others are heavy as well

    - until all rows have the same norm without them, because a vectorizer has normalized the rest;
    - or else all columns, if these are filled to FILLED_SHARE on average;
    - or else, as long as a column has at least HEAVY_SHARE of the squared norm of all columns that
      are clearly lighter.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_columns)
        Rows in canonical format.
    sample_weight : ndarray of shape (n_rows,)
        Weights of the rows.

    Returns
    -------
    heavy : ndarray of shape (n_heavy,), int64
        Heavy columns; none if all rows have a norm of 1, as TfidfVectorizer returns them.
    """
    norms = squared_norms(X.data, X.indptr)
    if norms.max(initial=0) < SMALLEST_NORM**2:  # which RowNormScaler refuses
        return np.zeros(0, dtype=np.int64)
    if _are_same(norms) and abs(norms.max() - 1) < SAME_NORM:
        return np.zeros(0, dtype=np.int64)
    n_filled = np.bincount(X.indices, minlength=X.shape[1])
    full = np.flatnonzero(n_filled == X.shape[0])
    rest = without_columns(X, full)
    shares = _squared_column_norms(rest, sample_weight)
    order = np.argsort(-shares, kind="stable")[: min(MAX_HEAVY, np.count_nonzero(shares))]
    n_heavy = _count_beside_normalized(rest, order, at_least=0 if len(full) else 1)
    if n_heavy is None:
        any_filled = np.flatnonzero(n_filled)
        if len(any_filled) <= MAX_HEAVY and X.nnz >= FILLED_SHARE * X.shape[0] * len(any_filled):
            return any_filled
        n_heavy = _count_outweighing(np.sort(shares)[::-1])
    return np.concatenate([full, order[:n_heavy]])


def _squared_column_norms(X, sample_weight):
    """Return the weighted sum of the squared values of each column."""
    weights = np.repeat(sample_weight, np.diff(X.indptr))
    squares = weights * np.square(X.data, dtype=np.float64)
    return np.bincount(X.indices, weights=squares, minlength=X.shape[1])


def _count_outweighing(shares):
    """Return how many of the first columns outweigh the rest, given squared norms, descending."""
    sums = np.append(np.cumsum(shares[::-1])[::-1], 0)  # of each column and all lighter ones
    lighter = sums[np.searchsorted(-shares, -CLEARLY_LIGHTER * shares)]
    is_heavy = (lighter > 0) & (shares >= HEAVY_SHARE * lighter)
    return np.append(is_heavy[:MAX_HEAVY], False).argmin()


def _count_beside_normalized(X, columns, at_least):
    """Return the least number of first columns without which all rows have the same norm.

    Returns None if there is no such number.
    """
    some = X[:: -(-X.shape[0] // SAMPLE_SIZE)]
    squares = np.square(_to_dense(some, columns))
    left = without_columns(some, columns)
    # summed from light to heavy, since the squares of heavy columns have few digits left
    norms = squared_norms(left.data, left.indptr)[:, np.newaxis]
    norms = np.cumsum(np.hstack([norms, squares[:, ::-1]]), axis=1)[:, ::-1]
    for n_first in range(at_least, len(columns) + 1):
        if _are_same(norms[:, n_first]):
            return n_first
    return None


def _are_same(norms):
    """Return whether most rows have a norm, and these have the same."""
    filled = norms[norms > 0]
    return 2 * len(filled) > len(norms) and np.ptp(filled) <= SAME_NORM * filled.max()


def leave_out_constant(X, columns):
    """Return X without those columns that have the same value in all rows, and the other columns.

    Such columns do not distinguish rows, and the network has biases.
    """
    values = _to_dense(X, columns)
    is_constant = values.min(axis=0) == values.max(axis=0)
    if is_constant.any():
        X = without_columns(X, columns[is_constant])
    return X, columns[~is_constant]


def without_columns(X, columns):
    """Return CSR of the same shape without the values of some columns."""
    is_kept = np.ones(X.shape[1], dtype=bool)
    is_kept[columns] = False
    columns = np.where(is_kept[X.indices], X.indices, -1)
    return take_columns(X.data, X.indptr, columns, X.shape[1])


def _to_dense(X, columns):
    """Return some columns as an array in double precision."""
    return in_canonical_format(X)[:, columns].toarray().astype(np.float64)
