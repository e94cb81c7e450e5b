"""How sure predictions should be: the rows that tell it, and the temperature."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

SHARE_OF_LATE_ROWS = 0.05
FEWEST_LATE_ROWS, MOST_LATE_ROWS = 100, 2000
LARGEST_TEMPERATURE = 5.0  # and its inverse is the smallest
TRUST_IN_ONE = 5.0  # what a temperature far from 1 costs, as much as the losses of so many rows


def choose_late_rows(unit_codes, random):
    """Choose the rows, in whole groups, that training sees only at its very end.

    Parameters
    ----------
    unit_codes : ndarray of shape (n_rows,), int64
        Number of the group of each row, from 0; of the row itself if there are no groups.
    random : RandomState
        Chooses.

    Returns
    -------
    late : ndarray of shape (n_rows,), bool
        Which rows are late; none of them where they would be too few to tell anything.
    """
    sizes = np.bincount(unit_codes)
    order = random.permutation(len(sizes))
    wanted = min(SHARE_OF_LATE_ROWS * len(unit_codes), MOST_LATE_ROWS)
    late = np.zeros(len(sizes), dtype=bool)
    late[order[np.cumsum(sizes[order]) <= wanted]] = True
    return late[unit_codes] & (sizes[late].sum() >= FEWEST_LATE_ROWS)


def fit_temperature(logits, targets, weights):
    """Return the number to divide logits by, so that their softmax fits rows never trained on.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_classes)
        Logits of rows that the network was not trained on.
    targets : ndarray of shape (n_rows,), int64
        Their class numbers.
    weights : ndarray of shape (n_rows,)
        Their weights.

    Returns
    -------
    temperature : float
        What makes the weighted log loss smallest; near 1 where rows are few.

    References
    ----------
    Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). On calibration of modern neural
    networks. ICML 2017, section 4.2.
    """
    rows = np.arange(len(targets))

    def loss(logarithm):
        scores = log_softmax(logits / np.exp(logarithm), axis=1)[rows, targets]
        return TRUST_IN_ONE * logarithm**2 - weights @ scores

    limit = np.log(LARGEST_TEMPERATURE)
    return float(np.exp(minimize_scalar(loss, bounds=(-limit, limit), method="bounded").x))
