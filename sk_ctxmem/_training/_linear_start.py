"""The wide path of dense features: a logistic regression whose penalty is chosen from the rows.

Shape letters: N rows, F features, A axes, C classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit

from .._model._outputs import SeveralLabels, outputs_of
from .._network._net import ContextMemoryNet
from ._dataset import TrainingRows
from ._draws import count_effective_rows

# Inverse penalties, as C of LogisticRegression for standardized columns. 384 columns of sentence
# embeddings want 0.01 to 0.1, twenty correlated columns 10 or more.
GRID = 10.0 ** np.arange(-3, 3)
USUAL = 1.0  # the default of LogisticRegression, where too few rows tell which is best
FEWEST_ROWS = 200  # of equal weight: 10 rare rows of 10,000 chose 0.002, where 1 to 10 are best
TRAINING_ROWS, VALIDATION_ROWS = 2000, 1000
MOST_COLUMNS = 1000  # the axes of more take longer than a fit
TRIAL_ROUNDS, ROUNDS = 15, 30  # of L-BFGS
# Draws of each row in an epoch, at most, see `count_passes`. What the wide path leaves takes fewer:
# two take half the time of four, and lose a point on 100 rows of 10,000 alone.
PASSES_FOR_THE_REST = 2
SCALES = np.exp(np.linspace(-1.5, 1.5, 13))  # of the logits, which the temperature can undo


@dataclass
class LinearStart:
    """A logistic regression.

    Parameters
    ----------
    weights : ndarray of shape (F, C), float32
        Weights of the features.
    biases : ndarray of shape (C,), float32
        Biases of the classes.
    penalty : float
        L2 penalty of the weights in the mean loss of a row.
    """

    weights: np.ndarray
    biases: np.ndarray
    penalty: float

    def write(self, network: ContextMemoryNet) -> None:
        """Make a network predict as the logistic regression: its decoder starts at zero."""
        table = network.lone_table
        with torch.no_grad():
            table.weight[:, table.widths[0] :] = torch.from_numpy(self.weights)
            network.decoder.weight.zero_()
            network.decoder.bias.copy_(torch.from_numpy(self.biases))


def find_linear_start(
    data: TrainingRows, n_classes: int, label_weights: np.ndarray | None = None
) -> LinearStart | None:
    """Fit a logistic regression to rows of dense features alone, or one for each label.

    Parameters
    ----------
    data : TrainingRows
        Rows, of which those that are held back are not used.
    n_classes : int
        Number of classes.
    label_weights : ndarray of shape (2, C) or None, default=None
        Of several labels, the weights of the rows without and with each label.

    Returns
    -------
    start : LinearStart or None
        None for other rows, for columns beside dense features of texts, and for more than
        MOST_COLUMNS features.
    """
    rows, features = data.current, data.rows.features
    is_one_block = not isinstance(features, np.ndarray) or rows.dense is None
    if not rows.all_dense or not is_one_block:
        return None
    features = features if isinstance(features, np.ndarray) else rows.dense
    if features is None or not 0 < features.shape[1] <= MOST_COLUMNS:
        return None
    weights = data.weights.numpy()
    seen = rows.rows[weights[rows.rows] > 0]
    X, targets, weights = features[seen], data.targets.numpy()[seen], weights[seen]
    penalty = 1 / (choose_inverse_penalty(X, targets, weights, n_classes) * len(X))
    rotated = RotatedRows(X, targets, weights, label_weights)
    found = rotated.fit(penalty, rotated.zeros(n_classes), ROUNDS)
    coefficients = rotated.axes @ found[:-1]
    return LinearStart(coefficients, found[-1] - rotated.mean @ coefficients, penalty)


def choose_inverse_penalty(
    X: np.ndarray, targets: np.ndarray, weights: np.ndarray, n_classes: int
) -> float:
    """Choose an inverse penalty of GRID by the loss of rows that are held out.

    Parameters
    ----------
    X : ndarray of shape (N, F), float32
        Standardized features.
    targets : ndarray of shape (N,), int64
        Class numbers, or indicators of labels, (N, C).
    weights : ndarray of shape (N,), float32
        Weights above 0.
    n_classes : int
        Number of classes.

    Returns
    -------
    inverse_penalty : float
        The smallest whose loss is not larger than the least by more than a standard error.
    """
    if count_effective_rows(weights) < FEWEST_ROWS:
        return USUAL
    random = np.random.RandomState(0)  # the same choice for every seed of a fit
    chosen = random.permutation(len(X))[: TRAINING_ROWS + VALIDATION_ROWS]
    train, new = np.split(chosen, [len(chosen) * 2 // 3])
    rotated = RotatedRows(X[train], targets[train], weights[train])
    X_new = (X[new] - rotated.mean) @ rotated.axes
    found, losses = rotated.zeros(n_classes), []
    for inverse_penalty in GRID:
        found = rotated.fit(1 / (inverse_penalty * len(train)), found, TRIAL_ROUNDS)
        losses.append(_measure(X_new @ found[:-1] + found[-1], targets[new], weights[new]))
    return float(GRID[_first_of_least(np.stack(losses), weights[new])])


class RotatedRows:
    """Rows in the basis of their principal axes, with the loss of logistic regression.

    L-BFGS takes hundreds of rounds for correlated columns. Here the curvature of each axis is
    known, up to what the classes do, and it takes ten to forty.

    Parameters
    ----------
    X : ndarray of shape (N, F), float32
        Features.
    targets : ndarray of shape (N,), int64
        Class numbers, or indicators of labels, (N, C).
    weights : ndarray of shape (N,), float32
        Weights above 0.
    label_weights : ndarray of shape (2, C) or None, default=None
        Of several labels, the weights of the rows without and with each label.

    Attributes
    ----------
    mean : ndarray of shape (F,)
        The weighted mean of the rows.
    axes : ndarray of shape (F, A)
        The principal axes. With fewer rows than features, only those of a variance above 0.
    variances : ndarray of shape (A,)
        Weighted variance of the rows along each axis.
    """

    def __init__(
        self,
        X: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray,
        label_weights: np.ndarray | None = None,
    ) -> None:
        self.targets = targets
        self.measure: Callable[..., tuple[np.ndarray, np.ndarray]] = _measure_class
        if targets.ndim == 2:
            self.measure = partial(_measure_labels, label_weights=label_weights)
        self.shares = (weights / weights.sum()).astype(np.float32)
        self.mean = self.shares @ X
        centred = X - self.mean
        scaled = centred * np.sqrt(self.shares)[:, np.newaxis]
        if len(X) < X.shape[1]:
            _, lengths, axes = np.linalg.svd(scaled, full_matrices=False)
            self.variances, self.axes = np.square(lengths), axes.T
        else:
            variances, self.axes = np.linalg.eigh(scaled.T @ scaled)
            self.variances = np.maximum(variances, 0)
        self.X = centred @ self.axes  # (N, A)

    def zeros(self, n_classes: int) -> np.ndarray:
        """Return weights to start from."""
        return np.zeros((len(self.variances) + 1, n_classes), dtype=np.float32)

    def fit(self, penalty: float, start: np.ndarray, n_rounds: int) -> np.ndarray:
        """Return the weights of the axes and, in the last row, the biases, (A + 1, C)."""
        n_classes = 2 if self.targets.ndim == 2 else start.shape[1]
        curvature = (n_classes - 1) / n_classes**2  # of the loss, where all classes are as likely
        curvatures = np.append(curvature * self.variances + penalty, curvature)
        scale = (1 / np.sqrt(curvatures)).astype(np.float32)[:, np.newaxis]
        found = minimize(
            self._make_loss(scale, penalty),
            (start / scale).astype(np.float64).ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": n_rounds, "ftol": 1e-6},
        )
        return found.x.reshape(start.shape).astype(np.float32) * scale

    def _make_loss(self, scale: np.ndarray, penalty: float) -> Callable[[np.ndarray], Any]:
        """Return the function from weights before scaling to the loss and its gradient."""
        X = self.X * scale[:-1].T
        penalties = penalty * np.square(scale)
        penalties[-1] = 0

        def compute_loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
            weights = flat.reshape(len(scale), -1).astype(np.float32)  # (A + 1, C)
            logits = X @ weights[:-1] + scale[-1] * weights[-1]  # (N, C)
            losses, errors = self.measure(logits, self.targets)
            loss = self.shares @ losses
            errors *= self.shares[:, np.newaxis]
            gradient = np.vstack([X.T @ errors, scale[-1] * errors.sum(axis=0)])
            gradient += penalties * weights
            loss += 0.5 * (penalties * np.square(weights)).sum()
            return float(loss), gradient.ravel().astype(np.float64)

        return compute_loss


def _measure_class(logits: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each row, (N,), and its derivatives, (N, C); logits are changed."""
    each = np.arange(len(logits))
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    sums = powers.sum(axis=1, keepdims=True)
    losses = np.log(sums[:, 0]) - logits[each, targets]
    errors = powers / sums
    errors[each, targets] -= 1
    return losses, errors


def _measure_labels(
    logits: np.ndarray, targets: np.ndarray, label_weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the losses of all labels of each row, (N,), and derivatives, (N, C)."""
    losses = -SeveralLabels(label_weights=label_weights).log_likelihoods(logits, targets)
    errors = expit(logits) - targets.astype(logits.dtype)
    if label_weights is not None:
        errors *= np.where(targets > 0, label_weights[1], label_weights[0])
    return losses, errors


def _measure(logits: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the loss of each row at the best scale of the logits."""
    outputs = outputs_of(targets.ndim == 2)
    losses = (-outputs.log_likelihoods(logits * scale, targets) for scale in SCALES)
    return min(losses, key=lambda of_scale: weights @ of_scale)


def _first_of_least(losses: np.ndarray, weights: np.ndarray) -> int:
    """Return the first candidate that is within a standard error of the best.

    Where the classes of few rows are told without an error, the least loss is that of the smallest
    penalty by chance.
    """
    shares = weights / weights.sum()
    excess = losses - losses[(losses @ shares).argmin()]  # (n_candidates, N)
    means = excess @ shares
    errors = np.sqrt(np.square(excess - means[:, np.newaxis]) @ np.square(shares))
    return int(np.argmax(means <= errors))
