"""Calibration of the softmax temperature on rows that were not trained on."""

import numpy as np
from scipy import sparse
from scipy.optimize import minimize_scalar

from .._features._csr import squared_norms
from .._model._outputs import outputs_of
from .._rows._held_out import hold_out_groups

CALIBRATION_FRACTION = 0.05
MIN_EPOCHS_WITH_CALIBRATION = 3  # with fewer, the last epoch changes the logits too much
MIN_CALIBRATION_ROWS, MAX_CALIBRATION_ROWS = 100, 2000
LARGEST_TEMPERATURE = 10.0  # its inverse is the smallest
TRUST_IN_ONE = 5.0  # weight of the prior that the temperature is 1, in rows


def choose_calibration_rows(group_codes, targets, weights, random):
    """Choose the rows, in whole groups, that are trained on only in the last epoch.

    Parameters
    ----------
    group_codes : ndarray of shape (n_rows,), int64
        Number of the group of each row, from 0. Without groups, each row has its own number.
    targets : ndarray of shape (n_rows,), int64, or (n_rows, n_labels)
        Class numbers, or indicators of labels; every class stays among the other rows.
    weights : ndarray of shape (n_rows,)
        Weights of the rows. Rows of weight 0 do not count.
    random : RandomState
        Random state for the choice.

    Returns
    -------
    late : ndarray of shape (n_rows,), bool
        Which rows are chosen; none if they would be too few to calibrate on.
    """
    n_counted = np.count_nonzero(weights)
    share = min(CALIBRATION_FRACTION, MAX_CALIBRATION_ROWS / n_counted)
    if share * n_counted < MIN_CALIBRATION_ROWS:
        return np.zeros(len(group_codes), dtype=bool)
    late = hold_out_groups(group_codes, targets, weights, share, random, grouped=False)
    return late & (np.count_nonzero(weights[late]) >= MIN_CALIBRATION_ROWS)


def as_new_rows(features, kept_out):
    """Return the features of rows kept from training as a later `predict` would see them.

    Columns that only these rows have are left out. If all rows have the same norm, because the
    vectorizer leaves unknown words out and then divides by the norm, they are scaled to it again.

    Parameters
    ----------
    features : csr_array or ndarray of shape (n_rows, n_features)
        The features of all rows of a fit.
    kept_out : ndarray of shape (n_rows,), bool
        Which rows are kept from training.

    Returns
    -------
    features : csr_array or ndarray of shape (n_rows, n_features)
        Sparse features have only the rows that are kept out; all others are empty.
    """
    if not sparse.issparse(features):
        return features
    rows = np.flatnonzero(kept_out)
    taken = features[rows]
    n_rows = np.bincount(features.indices, minlength=features.shape[1])
    n_rows -= np.bincount(taken.indices, minlength=features.shape[1])
    values = np.where(n_rows[taken.indices] > 0, taken.data, np.float32(0))
    norms = squared_norms(features.data, features.indptr)
    usual = norms.max(initial=0)  # 0 if all columns are heavy ones, which are kept apart
    if usual > 0 and np.allclose(norms[norms > 0], usual, rtol=1e-3):
        left = np.sqrt(squared_norms(values, taken.indptr) / usual)
        left[left == 0] = 1
        values /= np.repeat(left, np.diff(taken.indptr)).astype(np.float32)
    lengths = np.where(kept_out, np.diff(features.indptr), 0)
    ends = np.concatenate([[0], np.cumsum(lengths)]).astype(taken.indptr.dtype)
    return sparse.csr_array((values, taken.indices, ends), shape=features.shape)


def fit_temperature(logits, targets, weights, label_weights=None):
    """Return the temperature that fits rows which were not trained on.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_classes)
        Logits of rows that the network was not trained on.
    targets : ndarray of shape (n_rows,), int64, or (n_rows, n_labels)
        Their class numbers, or indicators of their labels.
    weights : ndarray of shape (n_rows,)
        Their weights.
    label_weights : ndarray of shape (2, n_labels) or None, default=None
        Of several labels, the weights of the rows without and with each label.

    Returns
    -------
    temperature : float
        The divisor of the logits that minimizes the weighted log loss; near 1 with few rows.
        Rows of unequal weights count as (Σw)² / Σw² rows of equal weight.

    References
    ----------
    Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). On calibration of modern neural
    networks. ICML 2017, section 4.2.
    Kish, L. (1965). Survey sampling. Wiley, section 11.7: the effective number of rows.
    """
    squares = np.square(weights, dtype=np.float64).sum()
    weights = weights * (weights.sum() / squares if squares else 1.0)  # sum: the effective rows

    outputs = outputs_of(targets.ndim == 2, label_weights=label_weights)

    def loss(logarithm):
        scores = outputs.log_likelihoods(logits / np.exp(logarithm), targets)
        return TRUST_IN_ONE * logarithm**2 - weights @ scores

    limit = np.log(LARGEST_TEMPERATURE)
    return float(np.exp(minimize_scalar(loss, bounds=(-limit, limit), method="bounded").x))
