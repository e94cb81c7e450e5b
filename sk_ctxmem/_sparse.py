"""What sparse features need often, in less time than scipy's own takes on few rows."""

import numpy as np


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
    filled = np.flatnonzero(np.diff(ends))
    if len(filled):
        squares = np.square(values, dtype=np.float64)  # integers would overflow
        sums[filled] = np.add.reduceat(squares, ends[filled])
    return sums
