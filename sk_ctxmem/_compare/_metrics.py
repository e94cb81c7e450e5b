"""Calibration error, and the interval of a paired difference."""

from __future__ import annotations

import numpy as np
from scipy.stats import bootstrap

N_RESAMPLES = 2000
MOST_INDICES = 2_000_000  # in an array, which is then 16 MB


def expected_calibration_error(
    is_correct: np.ndarray, confidence: np.ndarray, n_bins: int = 15
) -> float:
    """Compute the mean difference between confidence and accuracy, over bins of equal width.

    Parameters
    ----------
    is_correct : ndarray of shape (n_rows,)
        Whether the most probable class is the true one.

    confidence : ndarray of shape (n_rows,)
        Probability of the most probable class. A bin includes its upper bound.

    n_bins : int, default=15
        Number of bins between 0 and 1.

    Returns
    -------
    error : float
        The mean, weighted by the number of rows of each bin.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On Calibration of Modern Neural
       Networks", ICML 2017, equation 3.
    """
    confidence = confidence.astype(float)
    bins = np.clip(np.ceil(confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    surplus = np.bincount(bins, weights=is_correct - confidence, minlength=n_bins)
    return float(np.abs(surplus).sum() / len(confidence))


def paired_interval(difference: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Compute the 95 % confidence interval of a mean difference by a paired bootstrap.

    The bootstrap resamples whole groups, since the rows of a conversation are not independent:
    McNemar's test assumes that they are, and would be overconfident. Without groups, each row is
    its own group and both agree. The interval covers other test groups of the same kind, not other
    seeds or training rows.

    Parameters
    ----------
    difference : ndarray of shape (n_rows,)
        Correctness of one model minus that of the other.

    groups : ndarray of shape (n_rows,)
        Group of each row.

    Returns
    -------
    low, high : float
        Percentiles 2.5 and 97.5 of the mean; NaN for a single group.
    """
    numbers = np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(numbers)
    if len(sizes) < 2:
        return np.nan, np.nan
    found = bootstrap(
        (np.bincount(numbers, weights=difference), sizes),
        lambda sums, sizes, axis: sums.sum(axis=axis) / sizes.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=N_RESAMPLES,
        batch=max(1, MOST_INDICES // len(sizes)),
        method="percentile",
        random_state=np.random.default_rng(0),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
