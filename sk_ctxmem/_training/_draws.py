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
# An epoch of dense features draws each row up to MOST_PASSES times, until that makes ENOUGH_ROWS.
# Iris, correlated columns and 50 classes gain 8, 17 and 1 points; noisy labels lose with 8 passes.
MOST_PASSES, ENOUGH_ROWS = 4, 20_000
# The same for sequences of dense features: with 1,005 images of digits, four passes gain a point;
# with 216 recordings of vowels, 1.5.
ENOUGH_SEQUENCES, ENOUGH_STEPS = 4_000, 40_000  # few long ones have many steps to learn from
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


def count_passes(rows: RowSet, weights: np.ndarray) -> int:
    """Return how often an epoch draws each row, before heavy rows are counted.

    AdamW moves a weight by at most its rate in a step. With few rows, an epoch has few steps, and
    the weights of standardized columns end before they are as large as those of a logistic
    regression. The weights of sparse features do not need it: their rate suits their curvature.

    Parameters
    ----------
    rows : RowSet
        All training rows.
    weights : ndarray of shape (n_all_rows,), float32
        Weights of all rows of X.

    Returns
    -------
    n_passes : int
        1 for sparse features, for many rows, and in context, where more passes learn noisy labels
        by heart. Rows of unequal weights count as (Σw)² / Σw² rows.
    """
    if rows.pools:
        n_passes = min(round(ENOUGH_SEQUENCES / len(rows.lengths)), ENOUGH_STEPS // len(rows))
        return int(np.clip(n_passes, 1, MOST_PASSES)) if rows.are_dense else 1
    if not rows.all_dense:
        return 1
    weights = weights[rows.rows].astype(np.float64)
    n_rows = count_effective_rows(weights)
    return int(np.clip(ENOUGH_ROWS // max(n_rows, 1.0), 1, MOST_PASSES))


def count_effective_rows(weights: np.ndarray) -> float:
    """Return the number of rows of equal weight that tell as much: (Σw)² / Σw² (Kish, 1965)."""
    return float(weights.sum() ** 2 / (np.square(weights).sum() or 1.0))


def plan_draws(rows: RowSet, weights: np.ndarray, longest: float, n_passes: int = 1) -> Draws:
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
    n_passes : int, default=1
        Number of times that all pieces are drawn.

    Returns
    -------
    draws : Draws
        Without heavy rows, each piece `n_passes` times and the weights as they are.
    """
    starts, lengths = rows.cut(longest)
    most = MOST_WEIGHT * float(weights.mean())
    n_times = np.ceil(np.maximum.reduceat(weights[rows.rows], starts) / (most or 1.0) - ROUNDING)
    n_times = np.maximum(n_times, 1).astype(np.int64)
    shared = weights
    if (n_times > 1).any():
        shared = weights.copy()
        shared[rows.rows] /= np.repeat(n_times, lengths)
    elif n_passes == 1:
        return Draws(rows, starts, lengths, weights)
    n_times *= n_passes
    return Draws(rows, np.repeat(starts, n_times), np.repeat(lengths, n_times), shared)
