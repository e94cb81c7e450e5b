"""What sparse features need often, in less time than scipy's own take on few rows."""

import numpy as np


def squared_norms(X):
    """Return the sum of the squared values of each row of CSR, in double precision."""
    sums = np.zeros(X.shape[0])
    filled = np.flatnonzero(np.diff(X.indptr))
    if len(filled):
        squares = np.square(X.data, dtype=np.float64)  # integers would overflow
        sums[filled] = np.add.reduceat(squares, X.indptr[filled])
    return sums
