"""Assertions of the checks, and the message of a failed check."""

import inspect
from functools import wraps
from unittest import SkipTest

import numpy as np


def context_check(function):
    """Decorate a check, a function whose docstring starts with "Check that <promise>".

    All exceptions but SkipTest, including those of the classifier, become an AssertionError with
    the promise, the error and the code that reproduces it.
    """

    @wraps(function)
    def check(estimator, promises):
        try:
            function(estimator, promises)
        except SkipTest:
            raise
        except Exception as error:
            raise AssertionError(_failure(function, estimator, promises, error)) from error

    return check


def _failure(function, estimator, promises, error):
    """Return the message of a failed check."""
    seen = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    promise = (inspect.getdoc(function) or "").partition("\n")[0].removeprefix("Check that ")
    return (
        f"{type(estimator).__name__} fails {function.__name__}.\n"
        f"Promised: {promise}\n"
        f"Seen: {seen}\n"
        "To reproduce: from sk_ctxmem.testing import CONTEXT_CHECKS, ContextPromises; "
        f"CONTEXT_CHECKS[{function.__name__!r}](estimator, {promises!r}), "
        f"where estimator is {estimator!r}"
    )


def assert_same(expected, seen, situation, promises):
    """Raise an error unless two arrays of probabilities are equal up to the tolerance."""
    assert expected.shape == seen.shape, (
        f"{situation}, the probabilities have shape {seen.shape} instead of {expected.shape}."
    )
    difference = np.abs(expected - seen).max(axis=1)
    row = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
    assert difference[row] <= promises.tolerance, (
        f"{situation}, the largest difference is {difference[row]:.2g}, above the tolerance "
        f"{promises.tolerance:g}, in row {row}: {expected[row]} became {seen[row]}."
    )


def assert_valid(values, n_rows, classifier, situation):
    """Raise an error unless the values are probabilities of each class for each row."""
    shape = (n_rows, len(classifier.classes_))
    assert values.shape == shape, (
        f"{situation}, the probabilities have shape {values.shape} instead of {shape}."
    )
    outside = np.flatnonzero(~((values >= 0) & (values <= 1)).all(axis=1))
    assert not len(outside), (
        f"{situation}, row {outside[0]} has probabilities outside [0, 1]: {values[outside[0]]}."
    )
    excess = np.abs(values.sum(axis=1) - 1)
    row = int(np.argmax(excess))
    assert excess[row] <= 1e-5, (
        f"{situation}, the probabilities of row {row} sum to {values[row].sum()}: {values[row]}."
    )


def error_of(action, kind, situation):
    """Return the error of a kind that an action raises; fail on another error, or none."""
    try:
        action()
    except kind as error:
        return error
    except Exception as error:
        raise AssertionError(
            f"{situation}, {type(error).__name__} was raised instead of {kind.__name__}: {error}"
        ) from error
    raise AssertionError(f"{situation}, no {kind.__name__} was raised.")
