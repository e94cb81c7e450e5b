"""What sparse features need often, in less time than scipy's own takes on few rows."""

import numpy as np
from scipy import sparse


def squared_norms(values, ends):
    """Return the sum of the squared values of each row of CSR, in double precision.

    Parameters
    ----------
    values : ndarray of shape (n_stored,)
        The stored values.
    ends : ndarray of shape (n_rows + 1,)
        Where each row starts, and the last one ends.
    """
    sums = np.zeros(len(ends) - 1)
    filled = (ends[1:] > ends[:-1]).nonzero()[0]
    if len(filled):
        squares = np.square(values, dtype=np.float64)  # integers would overflow
        sums[filled] = np.add.reduceat(squares, ends[filled])
    return sums


def find_firsts(numbers):
    """Return where each of these sorted numbers stands first: on few, faster than np.unique."""
    is_first = np.ones(len(numbers), dtype=bool)
    np.not_equal(numbers[1:], numbers[:-1], out=is_first[1:])
    return is_first.nonzero()[0]


def count_pairs(rows, columns, shape):
    """Count pairs of a row and a column; a column UNKNOWN does not count."""
    known = columns >= 0
    if not known.all():
        rows, columns = rows[known], columns[known]
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.coo_array((ones, (rows, columns)), shape=shape).tocsr()
