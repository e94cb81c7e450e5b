"""Checks of classes and probabilities, and of unusual or missing values."""

import re
import warnings
from functools import partial
from typing import Any
from unittest import SkipTest

import numpy as np
import pandas as pd

from ._asserts import assert_valid, context_check, error_of
from ._rows import fitted, make_rows, predictions, probabilities

LABELS: dict[str, dict[str, Any]] = {
    "strings": {"red": "no", "blue": "yes", "green": "maybe"},
    "integers": {"red": 7, "blue": -1, "green": 3},
    "bools": {"red": True, "blue": False, "green": False},
}
MISSING_ROW = 17


@context_check
def check_probabilities(estimator, promises):
    """Check that probabilities are in [0, 1], sum to 1, and predict takes the largest."""
    rows = make_rows(random_state=1)
    classifier = fitted(estimator, promises)
    values = probabilities(classifier, rows, promises)
    assert_valid(values, len(rows), classifier, "For new rows")
    expected = np.asarray(classifier.classes_)[values.argmax(axis=1)]
    wrong = np.flatnonzero(predictions(classifier, rows, promises) != expected)
    assert not len(wrong), (
        f"In row {wrong[0]}, predict differs from the class with the largest probability: "
        f"classes_ is {classifier.classes_}, and the probabilities are {values[wrong[0]]}."
    )


@context_check
def check_labels(estimator, promises):
    """Check that labels may be strings, integers or bools, and that classes_ is sorted."""
    rows = make_rows()
    for name, labels in LABELS.items():
        labelled = rows.assign(target=[labels[target] for target in rows["target"]])
        classifier = fitted(estimator, promises, labelled)
        expected = np.unique(labelled["target"].to_numpy())
        seen = np.asarray(classifier.classes_)
        assert seen.tolist() == expected.tolist(), (
            f"With {name} as labels, classes_ is {seen!r} instead of {expected!r}."
        )
        predicted = predictions(classifier, rows, promises)
        unknown = set(predicted.tolist()) - set(expected.tolist())
        assert not unknown, f"With {name} as labels, predict returned {sorted(unknown)}."


def _odd_rows():
    """Map the names of unusual values to rows that have them."""
    rows = make_rows(3, random_state=1)
    lone = rows["group"].where(rows.index != 1, -1)
    return {
        "an empty text": rows.assign(text=rows["text"].where(rows.index != 1, "")),
        "only empty texts": rows.assign(text=""),
        "words unknown to fit": rows.assign(text="qwertz uiop"),
        "a group of one row": rows.assign(group=lone),
        "one row": rows.iloc[[0]],
        "speakers unknown to fit": rows.assign(speaker="the third man"),
    }


@context_check
def check_odd_rows(estimator, promises):
    """Check that predictions accept empty texts, unknown words or speakers, and single rows."""
    classifier = fitted(estimator, promises)
    for name, rows in _odd_rows().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a classifier may name unknown speakers
            values = probabilities(classifier, rows, promises)
        assert_valid(values, len(rows), classifier, f"In a prediction with {name}")


@context_check
def check_odd_training_rows(estimator, promises):
    """Check that fit accepts empty texts and groups of one row."""
    rows = make_rows()
    lone = np.where(rows.index % 4 == 0, -1 - rows.index, rows["group"])
    empty = rows["text"].where(rows.index % 5 != 0, "")
    odd_rows = {
        "empty texts": rows.assign(text=empty),
        "groups of one row": rows.assign(group=lone),
    }
    for name, odd in odd_rows.items():
        classifier = fitted(estimator, promises, odd)
        values = probabilities(classifier, rows, promises)
        assert_valid(values, len(rows), classifier, f"After a fit with {name}")


@context_check
def check_missing_texts(estimator, promises):
    """Check that a missing text raises a ValueError that mentions the row or the column."""
    _check_missing(estimator, promises, "text", promises.text_column)


@context_check
def check_missing_groups(estimator, promises):
    """Check that a missing group id raises a ValueError that mentions the row or the column."""
    if promises.sees == "none":
        raise SkipTest("a classifier that sees no other row may ignore the groups")
    _check_missing(estimator, promises, "group", promises.group_column or "groups")


def _check_missing(estimator, promises, role, column):
    """Check the errors of fit and predict if one value of a column is missing."""
    rows = make_rows()
    classifier = fitted(estimator, promises)
    for missing in (None, np.nan, pd.NA):
        incomplete = rows.astype({role: object})
        incomplete.at[MISSING_ROW, role] = missing
        for name, call in {
            "fit": partial(fitted, estimator, promises, incomplete),
            "predict": partial(predictions, classifier, incomplete, promises),
        }.items():
            situation = f"In {name} with {role} {missing!r} in row {MISSING_ROW}"
            message = str(error_of(call, ValueError, situation))
            assert _mentions(message, column), (
                f"{situation}, the message has neither column {column!r} nor the row: {message}"
            )


def _mentions(message, column):
    """Return whether a message has the number of the row, or the column in quotes."""
    return re.search(rf"\b{MISSING_ROW}\b|['\"`]{re.escape(column)}['\"`]", message) is not None
