"""Operations on the arrays of CSR matrices; on few rows they are faster than scipy's own."""

import numpy as np
from scipy import sparse


def squared_norms(values, indptr):
    """Return the sum of squared values of each row, in double precision.

    Parameters
    ----------
    values : ndarray of shape (n_stored,)
        The stored values.
    indptr : ndarray of shape (n_rows + 1,)
        The start of each row in `values`, and the end of the last row.
    """
    sums = np.zeros(len(indptr) - 1)
    filled = (indptr[1:] > indptr[:-1]).nonzero()[0]
    if len(filled):
        squares = np.square(values, dtype=np.float64)  # integers would overflow
        sums[filled] = np.add.reduceat(squares, indptr[filled])
    return sums


def find_firsts(numbers):
    """Return the index of the first of each run of equal numbers; faster than np.unique on few."""
    is_first = np.ones(len(numbers), dtype=bool)
    np.not_equal(numbers[1:], numbers[:-1], out=is_first[1:])
    return is_first.nonzero()[0]


def count_pairs(rows, columns, shape):
    """Return the count of each pair of a row and a column; negative columns are not counted."""
    known = columns >= 0
    if not known.all():
        rows, columns = rows[known], columns[known]
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.coo_array((ones, (rows, columns)), shape=shape).tocsr()
