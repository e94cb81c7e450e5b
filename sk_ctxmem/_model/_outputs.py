"""What logits mean: one class for each row, or several labels.

Shape letters: N rows, C classes or labels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse
from scipy.special import expit, log_expit, log_softmax, logit, softmax
from torch import Tensor

TINY, EPSILON = 1e-300, 1e-16  # so that logarithms of probabilities of 0 and 1 are finite


class OneClass:
    """Each row has one class: its probabilities are the softmax of its logits."""

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return probabilities, (N, C)."""
        return softmax(logits, axis=1)

    def logits(self, probabilities: np.ndarray) -> np.ndarray:
        """Return logits of these probabilities, (N, C)."""
        return np.log(np.maximum(probabilities, TINY))

    def log_probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return logarithms of probabilities, (N, C)."""
        return log_softmax(logits, axis=1)

    def decision(self, logits: np.ndarray) -> np.ndarray:
        """Return the result of `decision_function`, (N,) for two classes, else (N, C)."""
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    def predict(self, logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Return the most probable class of each row, (N,)."""
        return classes[logits.argmax(axis=1)]

    def log_likelihoods(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the logarithm of the probability of the targets of each row, (N,)."""
        return log_softmax(logits, axis=1)[np.arange(len(targets)), targets]

    def nonlinearity(self, logits: Tensor) -> Tensor:
        """Return probabilities of tensors, (N, C)."""
        return logits.softmax(dim=1)

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the number of the most probable class of each row, (N,)."""
        return probabilities.argmax(axis=1)

    def name(self, decided: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Return the classes of these numbers, (N,)."""
        return classes[decided]

    def hits(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return whether the prediction of each row is right, (N,)."""
        return logits.argmax(dim=1) == targets

    def log_odds(self, logits: Tensor, columns: Tensor) -> Tensor:
        """Return ln(p / (1 - p)) of the probability p of a class of each row, (N,)."""
        column = columns.unsqueeze(1)
        others = logits.scatter(1, column, -torch.inf)
        return logits.gather(1, column).squeeze(1) - others.logsumexp(dim=1)


class SeveralLabels:
    """Each row has any number of labels: a logit is the log-odds of a label.

    A row has the labels whose probability is above one half, as in MLPClassifier.

    Parameters
    ----------
    as_sparse : bool, default=False
        Whether predictions are sparse, as the target was.
    label_weights : ndarray of shape (2, n_labels) or None, default=None
        Weights of the rows without and with each label, in likelihoods.
    """

    def __init__(self, *, as_sparse: bool = False, label_weights: np.ndarray | None = None) -> None:
        self.as_sparse = as_sparse
        self.label_weights = label_weights

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return the probability of each label, (N, C)."""
        return expit(logits)

    def logits(self, probabilities: np.ndarray) -> np.ndarray:
        """Return logits of these probabilities, (N, C)."""
        return logit(np.clip(probabilities, TINY, 1 - EPSILON))

    def log_probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Return the logarithm of the probability of each label, (N, C)."""
        return log_expit(logits)

    def decision(self, logits: np.ndarray) -> np.ndarray:
        """Return the result of `decision_function`, (N, C)."""
        return logits

    def predict(self, logits: np.ndarray, classes: np.ndarray) -> np.ndarray | sparse.csr_matrix:
        """Return the indicators of labels, (N, C)."""
        indicators = (logits > 0).astype(np.int64)
        return sparse.csr_matrix(indicators) if self.as_sparse else indicators

    def log_likelihoods(self, logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the logarithm of the probability of the targets of each row, (N,)."""
        each = log_expit(np.where(targets > 0, logits, -logits))
        if self.label_weights is not None:
            each *= np.where(targets > 0, self.label_weights[1], self.label_weights[0])
        return each.sum(axis=1)

    def nonlinearity(self, logits: Tensor) -> Tensor:
        """Return probabilities of tensors, (N, C)."""
        return logits.sigmoid()

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the indicators of labels, (N, C)."""
        return (probabilities > 0.5).astype(np.int64)

    def name(self, decided: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Return indicators as they are: their columns have names, not they."""
        return decided

    def hits(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return whether all labels of each row are right, (N,)."""
        return ((logits > 0) == (targets > 0)).all(dim=1)

    def log_odds(self, logits: Tensor, columns: Tensor) -> Tensor:
        """Return ln(p / (1 - p)) of the probability p of a label of each row, (N,)."""
        return logits.gather(1, columns.unsqueeze(1)).squeeze(1)


Outputs = OneClass | SeveralLabels


def outputs_of(multilabel: bool, **options: Any) -> Outputs:
    """Return what the logits of a network mean; options are those of SeveralLabels."""
    return SeveralLabels(**options) if multilabel else OneClass()
