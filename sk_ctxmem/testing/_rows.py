"""Rows for the checks, and classifiers that are fitted on them."""

import numpy as np
from sklearn.base import clone

from ..datasets import make_conversations


def make_rows(n_conversations=40, *, n_turns=(3, 6), random_state=0):
    """Make rows with the columns text, group, order, speaker and target, sorted by group."""
    return make_conversations(
        n_conversations, n_turns=n_turns, random_state=random_state
    ).frame.astype({"text": object, "speaker": object, "target": object})


def as_input(rows, promises):
    """Return X in the form that the classifier takes, and the keyword arguments for groups."""
    if promises.group_column is None:
        return rows["text"].copy(), {"groups": rows["group"].copy()}
    names = promises.columns
    return rows[list(names)].rename(columns=names), {}


def with_seed(estimator, seed=0):
    """Clone an estimator and set each random_state, including those of nested estimators."""
    seeded = clone(estimator)
    names = [name for name in seeded.get_params() if name.split("__")[-1] == "random_state"]
    return seeded.set_params(**dict.fromkeys(names, seed))


def fit(classifier, rows, promises):
    """Fit a classifier in place and return it."""
    X, keywords = as_input(rows, promises)
    classifier.fit(X, rows["target"].to_numpy(), **keywords)
    return classifier


def fitted(estimator, promises, rows=None):
    """Return a seeded clone that is fitted on rows."""
    return fit(with_seed(estimator), make_rows() if rows is None else rows, promises)


def probabilities(classifier, rows, promises):
    """Predict the probabilities of rows."""
    X, keywords = as_input(rows, promises)
    return np.asarray(classifier.predict_proba(X, **keywords))


def predictions(classifier, rows, promises):
    """Predict the classes of rows."""
    X, keywords = as_input(rows, promises)
    return np.asarray(classifier.predict(X, **keywords))


def fitted_with_predictions(estimator, promises, n_conversations=40):
    """Return a fitted classifier, rows that it was not fitted on, and their probabilities."""
    classifier = fitted(estimator, promises)
    rows = make_rows(n_conversations, random_state=1)
    return classifier, rows, probabilities(classifier, rows, promises)
