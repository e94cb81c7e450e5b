"""The pieces that an epoch draws: those with heavy rows several times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._rows._packing import concatenated_ranges
from .._rows._row_set import RowSet

# Times the mean weight. With 10 to 100 rows of a rare class among 10,000, balanced, 8 is level
# with a logistic regression, 16 loses up to 1.2 points, and no limit up to 95. Without context,
# an epoch has at most 1/8 more rows; with context, at most 4 times more, and usually 1 more.
MOST_WEIGHT = 8.0
ROUNDING = 1e-4  # weights have single precision: 8.000001 is not more than 8


@dataclass
class Draws:
    """The pieces of groups that an epoch draws, in the order of the rows.

    Parameters
    ----------
    rows : RowSet
        The rows.
    starts, lengths : ndarray of shape (n_pieces,), int64
        Start of each piece in ``rows.rows``, and its length. A piece may occur several times.
    weights : ndarray of shape (n_all_rows,), float32
        Weight of each row each time that it is drawn.
    """

    rows: RowSet
    starts: np.ndarray
    lengths: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return int(self.lengths.sum())

    def row_numbers(self) -> np.ndarray:
        """Return the number of each drawn row in X."""
        return self.rows.rows[concatenated_ranges(self.starts, self.lengths)]


def plan_draws(rows: RowSet, weights: np.ndarray, longest: float) -> Draws:
    """Split groups into pieces, and repeat those with heavy rows.

    A batch in which one row has most of the weight makes a step that fits this row only, with all
    its words. Therefore a row of more than MOST_WEIGHT times the mean weight is drawn in several
    batches of an epoch, and its weight is divided by their number. So are the weights of the other
    rows of its piece.

    Parameters
    ----------
    rows : RowSet
        The rows.
    weights : ndarray of shape (n_all_rows,), float32
        Weights of all rows of X.
    longest : float
        Largest number of rows of a piece, at most TRAINING_PIECE.

    Returns
    -------
    draws : Draws
        Without heavy rows, each piece once and the weights as they are.
    """
    starts, lengths = rows.cut(longest)
    most = MOST_WEIGHT * float(weights.mean())
    n_times = np.ceil(np.maximum.reduceat(weights[rows.rows], starts) / (most or 1.0) - ROUNDING)
    n_times = np.maximum(n_times, 1).astype(np.int64)
    if (n_times == 1).all():
        return Draws(rows, starts, lengths, weights)
    shared = weights.copy()
    shared[rows.rows] /= np.repeat(n_times, lengths)
    return Draws(rows, np.repeat(starts, n_times), np.repeat(lengths, n_times), shared)
