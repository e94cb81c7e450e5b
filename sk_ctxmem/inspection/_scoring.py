"""Scores of stored predictions by scikit-learn's scorers, and their standard errors."""

import numpy as np
import pandas as pd
from scipy.special import log_softmax, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score

from .._model._outputs import outputs_of

MAX_BLOCKS = 30  # blocks of groups for the jackknife


class KnownPredictions(ClassifierMixin, BaseEstimator):
    """Classifier that looks stored probabilities up by row number, for scikit-learn scorers.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        Classes, or names of labels.
    probabilities : ndarray of shape (n_rows, n_classes)
        Probabilities of all rows.
    multilabel : bool, default=False
        Whether a row has any number of labels.
    """

    def __init__(self, classes=None, probabilities=None, multilabel=False):
        self.classes = classes
        self.probabilities = probabilities
        self.multilabel = multilabel

    @property
    def classes_(self):
        """The classes, sorted; for several labels a matrix, by which scikit-learn knows them."""
        return np.eye(len(self.classes), dtype=int) if self.multilabel else self.classes

    def predict_proba(self, X):
        """Return the probabilities of the rows whose numbers are in X."""
        return self.probabilities[X[:, 0]]

    def predict(self, X):
        """Return the classes, or indicators of labels, of the rows whose numbers are in X."""
        outputs = outputs_of(self.multilabel)
        return outputs.name(outputs.decide(self.predict_proba(X)), self.classes)

    def decision_function(self, X):
        """Return log-odds of two classes and of labels, log-probabilities of more classes."""
        probabilities = self.predict_proba(X)
        if self.multilabel:
            return logit(probabilities)
        logs = log_softmax(np.log(np.maximum(probabilities, 1e-300)), axis=1)
        return logs[:, 1] - logs[:, 0] if len(self.classes) == 2 else logs


def score_by(scorer, predictions, y):
    """Return a function that scores an array of row numbers."""
    return lambda rows: scorer(predictions, rows[:, np.newaxis], y[rows])


def rows_without_each_block(groups):
    """Return, for each block of groups, the row numbers outside it."""
    codes, unique_groups = pd.factorize(groups)
    n_blocks = min(MAX_BLOCKS, len(unique_groups))
    if n_blocks < 2:
        return []
    return [np.flatnonzero(codes % n_blocks != block) for block in range(n_blocks)]


def standard_error(score, blocks):
    """Return the jackknife standard error of a score, NaN for fewer than two blocks."""
    if not blocks:
        return np.nan
    scores = np.array([score(rows) for rows in blocks])
    return float(np.sqrt((len(blocks) - 1) / len(blocks) * ((scores - scores.mean()) ** 2).sum()))


def name_score(scoring):
    """Return the name of a score for the y axis."""
    if scoring is None or scoring is accuracy_score:
        return "accuracy"
    name = scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score")
    return name.replace("_", " ")
