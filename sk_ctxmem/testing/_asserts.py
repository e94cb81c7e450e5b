"""How a check says what was promised, what was seen, and how to see it again."""

import inspect
from functools import wraps
from unittest import SkipTest

import numpy as np


def context_check(function):
    """Make a check of a function whose summary is "Check that <promise>".

    Whatever goes wrong in it, an error of the classifier included, is an AssertionError.
    """

    @wraps(function)
    def check(estimator, promises):
        try:
            function(estimator, promises)
        except SkipTest:
            raise
        except Exception as error:
            raise AssertionError(_explain(function, estimator, promises, error)) from error

    return check


def _explain(function, estimator, promises, error):
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
    """Raise unless two arrays of probabilities are the same, row by row."""
    assert expected.shape == seen.shape, (
        f"{situation}, the probabilities have shape {seen.shape} in place of {expected.shape}."
    )
    difference = np.abs(expected - seen).max(axis=1)
    row = int(np.argmax(np.where(np.isnan(difference), np.inf, difference)))
    assert difference[row] <= promises.tolerance, (
        f"{situation}, the largest difference is {difference[row]:.2g}, above the tolerance "
        f"{promises.tolerance:g}, in row {row}: {expected[row]} became {seen[row]}."
    )


def assert_valid(values, n_rows, classifier, situation):
    """Raise unless values are probabilities of the classes for a number of rows."""
    shape = (n_rows, len(classifier.classes_))
    assert values.shape == shape, (
        f"{situation}, the probabilities have shape {values.shape} in place of {shape}."
    )
    beyond = np.flatnonzero(~((values >= 0) & (values <= 1)).all(axis=1))
    assert not len(beyond), (
        f"{situation}, probabilities are beyond [0, 1] in row {beyond[0]}: {values[beyond[0]]}."
    )
    excess = np.abs(values.sum(axis=1) - 1)
    row = int(np.argmax(excess))
    assert excess[row] <= 1e-5, (
        f"{situation}, the probabilities of row {row} sum to {values[row].sum()}: {values[row]}."
    )


def error_of(action, kind, situation):
    """Return the error of a kind that an action raises; raise if it is another, or none."""
    try:
        action()
    except kind as error:
        return error
    except Exception as error:
        raise AssertionError(
            f"{situation}, {type(error).__name__} was raised in place of {kind.__name__}: {error}"
        ) from error
    raise AssertionError(f"{situation}, no {kind.__name__} was raised.")
