"""Runners of the checks: one function call, or one pytest test per check."""

from __future__ import annotations

import re
import warnings
from functools import partial
from typing import Any
from unittest import SkipTest

from sklearn import config_context
from sklearn.exceptions import EstimatorCheckFailedWarning, SkipTestWarning

from .._input._parameters import Choice
from . import _context_checks, _contract_checks, _input_checks, _persistence_checks
from ._promises import ContextPromises

# In the order of execution.
CONTEXT_CHECKS = {
    name: check
    for module in (_contract_checks, _input_checks, _context_checks, _persistence_checks)
    for name, check in vars(module).items()
    if name.startswith("check_")
}


def check_context_classifier(
    estimator: Any,
    *,
    sees: Any = "past",
    learns_context: Any = True,
    tolerance: Any = 1e-5,
    text_column: Any = "text",
    group_column: Any = "group",
    order_column: Any = None,
    speaker_column: Any = None,
    expected_failed_checks: Any = None,
    on_skip: Any = None,
    on_fail: Any = "raise",
    callback: Any = None,
) -> list[dict[str, Any]]:
    """Check that a classifier of texts in context keeps its promises.

    It is the counterpart of :func:`~sklearn.utils.estimator_checks.check_estimator` for such
    classifiers, and is used in the same way. The classifier takes a DataFrame with a column of
    texts and a column of group ids, or texts and ``groups``. Clones of it are fitted about thirty
    times on a few hundred short synthetic texts: choose parameters that make it fast.

    Parameters
    ----------
    estimator : estimator object
        The instance to check. Each parameter named random_state is set in its clones.

    sees : {"past", "both", "none"}, default="past"
        Which other rows of its group the probabilities of a row may depend on.

    learns_context : bool, default=True
        Whether to check that it learns a label that depends only on the row before.

    tolerance : float, default=1e-05
        Largest difference between two probabilities that counts as equal.

    text_column : str, default="text"
        Column of the texts.

    group_column : str or None, default="group"
        Column of the group ids. None if the classifier takes texts and ``groups``.

    order_column : str or None, default=None
        Column of integers that sorts the rows of a group. None if the rows of X are sorted.

    speaker_column : str or None, default=None
        Column of the speakers.

    expected_failed_checks : dict or None, default=None
        Maps the names of checks that are expected to fail to the reasons.

    on_skip : "warn" or None, default=None
        Whether to warn about checks that do not apply, such as the one of the order column if
        there is none.

    on_fail : {"raise", "warn"} or None, default="raise"
        Whether to raise the first error, to warn about each, or only to return them.

    callback : callable or None, default=None
        Called after each check with the fields of its result as keyword arguments. Not allowed
        with ``on_fail="raise"``.

    Returns
    -------
    results : list of dict
        For each check: estimator, check_name, exception, status ("passed", "failed", "skipped"
        or "xfail"), expected_to_fail and expected_to_fail_reason.

    Raises
    ------
    AssertionError
        If a check fails that is not expected to. The message has the promise, the result and
        the code that reproduces it.

    See Also
    --------
    parametrize_with_context_checks : One pytest test per check.
    ContextPromises : The same promises in detail, and for a single check: each function of
        ``CONTEXT_CHECKS`` takes an estimator and an instance of it.

    Examples
    --------
    A scikit-learn pipeline that uses no context passes all but two checks:

    >>> from sklearn.compose import make_column_transformer
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sk_ctxmem.testing import check_context_classifier
    >>> pipeline = make_pipeline(
    ...     make_column_transformer((TfidfVectorizer(), "text")), LogisticRegression()
    ... )
    >>> results = check_context_classifier(pipeline, sees="none", on_fail=None)
    >>> [result["check_name"] for result in results if result["status"] == "failed"]
    ['check_failed_fit', 'check_missing_texts']
    """
    _check_instance(estimator)
    Choice("warn", or_none=True).check("on_skip", on_skip)
    Choice("raise", "warn", or_none=True).check("on_fail", on_fail)
    if on_fail == "raise" and callback is not None:
        raise ValueError("callback is not called with on_fail='raise'; use on_fail='warn' or None.")
    promises = ContextPromises(
        sees=sees,
        learns_context=learns_context,
        tolerance=tolerance,
        text_column=text_column,
        group_column=group_column,
        order_column=order_column,
        speaker_column=speaker_column,
    )
    reasons = _check_names(expected_failed_checks)
    results = []
    for name, check in CONTEXT_CHECKS.items():
        result = _run(check, estimator, promises, reasons.get(name))
        if result["status"] == "failed" and on_fail == "raise":
            raise result["exception"]
        _warn(result, on_skip, on_fail)
        results.append(result)
        if callback is not None:
            callback(**result)
    return results


def _check_instance(estimator):
    if isinstance(estimator, type):
        raise TypeError(
            f"estimator={estimator.__name__} is a class; pass an instance, {estimator.__name__}()."
        )


def _check_names(expected_failed_checks):
    """Return the reasons by name of the check; raise an error for unknown names."""
    reasons = expected_failed_checks or {}
    unknown = sorted(set(reasons) - set(CONTEXT_CHECKS))
    if unknown:
        raise ValueError(
            f"expected_failed_checks names {unknown}, but the checks are {list(CONTEXT_CHECKS)}."
        )
    return reasons


def _run(check, estimator, promises, reason):
    """Run a check and return its result."""
    exception: Exception | None = None
    status = "passed"
    try:
        check(estimator, promises)
    except SkipTest as error:
        exception, status = error, "skipped"
    except AssertionError as error:
        exception, status = error, "failed" if reason is None else "xfail"
    return {
        "estimator": estimator,
        "check_name": check.__name__,
        "exception": exception,
        "status": status,
        "expected_to_fail": reason is not None,
        "expected_to_fail_reason": "Check is not expected to fail" if reason is None else reason,
    }


def _warn(result, on_skip, on_fail):
    """Warn about a check that was skipped or failed, if requested."""
    if result["status"] == "skipped" and on_skip == "warn":
        message = f"Skipping {result['check_name']}: {result['exception']}."
        warnings.warn(message, SkipTestWarning, stacklevel=3)
    if result["status"] in ("failed", "xfail") and on_fail == "warn":
        warnings.warn(EstimatorCheckFailedWarning(**result), stacklevel=3)


def parametrize_with_context_checks(
    estimators: Any,
    *,
    sees: Any = "past",
    learns_context: Any = True,
    tolerance: Any = 1e-5,
    text_column: Any = "text",
    group_column: Any = "group",
    order_column: Any = None,
    speaker_column: Any = None,
    expected_failed_checks: Any = None,
    xfail_strict: Any = None,
) -> Any:
    """Parametrize a pytest test with each classifier and check.

    It is the counterpart of :func:`~sklearn.utils.estimator_checks.parametrize_with_checks` for
    classifiers of texts in context. Checks that do not apply are skipped with a reason.

    Parameters
    ----------
    estimators : list of estimator objects
        The instances to check, which have the same promises and columns.

    sees : {"past", "both", "none"}, default="past"
        Which other rows of its group the probabilities of a row may depend on.

    learns_context : bool, default=True
        Whether to check that they learn a label that depends only on the row before.

    tolerance : float, default=1e-05
        Largest difference between two probabilities that counts as equal.

    text_column : str, default="text"
        Column of the texts.

    group_column : str or None, default="group"
        Column of the group ids. None if the classifiers take texts and ``groups``.

    order_column : str or None, default=None
        Column of integers that sorts the rows of a group. None if the rows of X are sorted.

    speaker_column : str or None, default=None
        Column of the speakers.

    expected_failed_checks : callable or None, default=None
        Takes a classifier and returns a dict, which maps the names of checks that are expected to
        fail to the reasons.

    xfail_strict : bool or None, default=None
        Whether a test fails if its check is expected to fail, but passes. None for the setting of
        pytest.

    Returns
    -------
    decorator : pytest.mark.parametrize
        The mark for a function that takes an estimator and a check.

    See Also
    --------
    check_context_classifier : All checks in one call, without pytest.
    ContextPromises : The same promises in detail.

    Examples
    --------
    >>> from sk_ctxmem import ContextMemoryClassifier
    >>> from sk_ctxmem.testing import parametrize_with_context_checks
    >>> @parametrize_with_context_checks(
    ...     [ContextMemoryClassifier(text_column="text", group_column="group", hidden_size=16)]
    ... )
    ... def test_promises(estimator, check):
    ...     check(estimator)
    """
    import pytest

    promises = ContextPromises(
        sees=sees,
        learns_context=learns_context,
        tolerance=tolerance,
        text_column=text_column,
        group_column=group_column,
        order_column=order_column,
        speaker_column=speaker_column,
    )
    parameters = []
    for estimator in estimators:
        _check_instance(estimator)
        reasons = _check_names(expected_failed_checks and expected_failed_checks(estimator))
        for name, check in CONTEXT_CHECKS.items():
            strict = {} if xfail_strict is None else {"strict": xfail_strict}
            marks = [pytest.mark.xfail(reason=reasons[name], **strict)] if name in reasons else []
            bound = partial(check, promises=promises)
            identity = f"{_shorten(estimator)}-{name}"
            parameters.append(pytest.param(estimator, bound, id=identity, marks=marks))
    return pytest.mark.parametrize(("estimator", "check"), parameters)


def _shorten(estimator):
    """Return the repr without spaces and defaults, for the ids of tests."""
    with config_context(print_changed_only=True):
        return re.sub(r"\s", "", repr(estimator))
