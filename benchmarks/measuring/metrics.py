"""Metrics of predictions: accuracy, F1, recall, calibration error and log loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score, log_loss, recall_score, roc_auc_score

from sk_ctxmem.comparison import expected_calibration_error


def scores(y_true: pd.Series, y_predicted: np.ndarray) -> dict[str, float]:
    """Accuracy, F1 and recall; averages are over the classes in `y_true`."""
    # Without `labels`, a class that only one model predicts would be part of its average.
    return _averages(y_true, y_predicted, np.unique(y_true))


def _averages(y_true: Any, y_predicted: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    options = {"labels": labels, "zero_division": 0}
    return {
        "accuracy": accuracy_score(y_true, y_predicted),
        "macro_f1": f1_score(y_true, y_predicted, average="macro", **options),
        "weighted_f1": f1_score(y_true, y_predicted, average="weighted", **options),
        "macro_recall": recall_score(y_true, y_predicted, average="macro", **options),
    }


def label_scores(y_true: np.ndarray, y_predicted: np.ndarray) -> dict[str, float]:
    """Subset accuracy, F1 and recall of several labels; averages are over those in `y_true`."""
    micro = f1_score(y_true, y_predicted, average="micro", zero_division=0)
    averages = _averages(y_true, y_predicted, np.flatnonzero(y_true.any(axis=0)))
    return averages | {"micro_f1": micro}


def probability_scores(
    y_true: pd.Series, probabilities: np.ndarray | None, classes: np.ndarray
) -> dict[str, float]:
    """Compute calibration error, log loss and area under the curve; NaN without probabilities.

    Parameters
    ----------
    y_true : Series of shape (n_rows,)
        Labels of the rows. A row whose label is not in `classes` counts as an error in the
        calibration error and is left out of the log loss, which would be infinite.

    probabilities : ndarray of shape (n_rows, n_classes) or None
        Probability of each class for each row.

    classes : ndarray of shape (n_classes,)
        Labels of the columns of `probabilities`.

    Returns
    -------
    dict
        The values of "ece", "log_loss" and "roc_auc", which is NaN unless there are two classes.
    """
    if probabilities is None:
        return {"ece": np.nan, "log_loss": np.nan, "roc_auc": np.nan}
    numbers = pd.Index(classes).get_indexer(y_true)
    is_correct = probabilities.argmax(axis=1) == numbers
    is_known = numbers >= 0
    # In double precision, since scikit-learn warns if rows of single precision do not sum to one.
    known = probabilities[is_known].astype(float)
    known /= known.sum(axis=1, keepdims=True)
    return {
        "ece": expected_calibration_error(is_correct, probabilities.max(axis=1)),
        "log_loss": log_loss(numbers[is_known], known, labels=np.arange(len(classes))),
        "roc_auc": _roc_auc(numbers[is_known], known),
    }


def _roc_auc(numbers: np.ndarray, probabilities: np.ndarray) -> float:
    """Area under the receiver operating characteristic of two classes, else NaN."""
    if probabilities.shape[1] != 2 or len(np.unique(numbers)) < 2:
        return np.nan
    return float(roc_auc_score(numbers, probabilities[:, 1]))


def recalls(y_true: np.ndarray, y_predicted: np.ndarray) -> pd.DataFrame:
    """Recall and number of rows of each class in `y_true`, or of each label that occurs there."""
    if y_true.ndim == 2:
        classes, support = np.unique(np.nonzero(y_true)[1], return_counts=True)
    else:
        classes, support = np.unique(y_true, return_counts=True)
    recall = recall_score(y_true, y_predicted, labels=classes, average=None, zero_division=0)
    return pd.DataFrame({"class": classes, "support": support, "recall": recall})
