"""Checks of the scikit-learn contract: parameters, repeated fits, errors, seeds, global state."""

import inspect
import random
import sys
from contextlib import contextmanager
from functools import partial

import joblib
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_info

from ._asserts import assert_same, context_check, error_of
from ._rows import (
    as_input,
    fit,
    fitted,
    fitted_with_predictions,
    make_rows,
    predictions,
    probabilities,
    with_seed,
)


@context_check
def check_constructor(estimator, promises):
    """Check that the constructor sets its parameters as attributes, and nothing else."""
    cls = type(estimator)
    parameters = estimator.get_params(deep=False)
    attributes = vars(cls(**parameters))
    for name, value in parameters.items():
        assert name in attributes, f"{name}={value!r} was not set as an attribute."
        assert attributes[name] is value, f"{name}={value!r} became {attributes[name]!r}."
    constructors = [base.__dict__["__init__"] for base in cls.__mro__ if "__init__" in vars(base)]
    inherited = {name for each in constructors for name in inspect.signature(each).parameters}
    others = attributes.keys() - parameters.keys() - inherited
    assert not others, f"The constructor sets {sorted(others)}, which are not parameters."


@context_check
def check_clone(estimator, promises):
    """Check that a clone has the same parameters."""
    _assert_same_parameters(_plain_parameters(estimator), clone(estimator), "After clone")


@context_check
def check_fit_keeps_parameters(estimator, promises):
    """Check that fit does not change the parameters."""
    classifier = with_seed(estimator)
    before = _plain_parameters(classifier)
    _assert_same_parameters(before, fit(classifier, make_rows(), promises), "After fit")


def _plain_parameters(estimator):
    """Return all parameters but nested estimators, whose parameters are listed separately."""
    return {
        name: (joblib.hash(value), repr(value))
        for name, value in estimator.get_params().items()
        if not _holds_estimator(value)
    }


def _holds_estimator(value):
    if isinstance(value, list | tuple):
        return any(_holds_estimator(item) for item in value)
    return hasattr(value, "get_params")


def _assert_same_parameters(before, estimator, situation):
    after = _plain_parameters(estimator)
    assert before.keys() == after.keys(), (
        f"{situation}, the parameters are {sorted(after)} instead of {sorted(before)}."
    )
    for name, (digest, shown) in before.items():
        assert after[name][0] == digest, f"{situation}, {name}={shown} became {after[name][1]}."


@context_check
def check_input_is_not_changed(estimator, promises):
    """Check that neither fit nor a prediction changes its arguments."""
    classifier = with_seed(estimator)
    rows = make_rows()
    X, keywords = as_input(rows, promises)
    y = rows["target"].to_numpy()
    arguments = {"X": X, "y": y, **keywords}
    before = joblib.hash(arguments)
    calls = {
        "fit": partial(classifier.fit, X, y),
        "predict": partial(classifier.predict, X),
        "predict_proba": partial(classifier.predict_proba, X),
    }
    for name, call in calls.items():
        call(**keywords)
        assert joblib.hash(arguments) == before, f"{name} has changed one of {list(arguments)}."


@context_check
def check_unfitted(estimator, promises):
    """Check that a prediction before fit raises NotFittedError."""
    X, keywords = as_input(make_rows(3), promises)
    for name in ("predict", "predict_proba"):
        call = partial(getattr(clone(estimator), name), X, **keywords)
        error_of(call, NotFittedError, f"In {name}")


@context_check
def check_refit(estimator, promises):
    """Check that a second fit forgets the first, including its classes and words."""
    first = make_rows(random_state=1)
    first["target"] = "the " + first["target"]
    first["text"] = first["text"] + " indeed"
    rows = make_rows()
    again = fit(fitted(estimator, promises, first), rows, promises)
    once = fitted(estimator, promises, rows)
    assert np.array_equal(again.classes_, once.classes_), (
        f"After a second fit, classes_ is {again.classes_} instead of {once.classes_}."
    )
    expected = probabilities(once, rows, promises)
    seen = probabilities(again, rows, promises)
    assert_same(expected, seen, "After a second fit instead of a single one", promises)


@context_check
def check_failed_fit(estimator, promises):
    """Check that a failed fit does not change the classifier."""
    classifier, rows, expected = fitted_with_predictions(estimator, promises)
    X, keywords = as_input(rows.assign(text=rows["text"] + " indeed"), promises)
    y = rows["target"].to_numpy()[:-1]
    call = partial(classifier.fit, X, y, **keywords)
    error_of(call, ValueError, "In a fit with one label fewer than rows")
    seen = probabilities(classifier, rows, promises)
    assert_same(expected, seen, "After a failed fit", promises)


@context_check
def check_failed_prediction(estimator, promises):
    """Check that a failed prediction does not change the classifier."""
    classifier, rows, expected = fitted_with_predictions(estimator, promises)
    missing = rows.assign(text=pd.Series([None] * len(rows), dtype=object))
    call = partial(probabilities, classifier, missing, promises)
    error_of(call, Exception, "In a prediction with all texts None")
    seen = probabilities(classifier, rows, promises)
    assert_same(expected, seen, "After a failed prediction", promises)


@context_check
def check_same_seed(estimator, promises):
    """Check that the same random_state and rows give the same probabilities."""
    _, rows, first = fitted_with_predictions(estimator, promises)
    second = probabilities(fitted(estimator, promises), rows, promises)
    assert_same(first, second, "After another fit with the same random_state", promises)


@context_check
def check_global_state(estimator, promises):
    """Check that global random states and numbers of threads do not change."""
    rows = make_rows()
    classifier = fitted(estimator, promises)  # the first call may load libraries
    with _restored_random_states():
        before = _global_state()
        predictions(classifier, rows, promises)
        probabilities(fit(classifier, rows, promises), rows, promises)
        after = _global_state()
    changed = [name for name, value in before.items() if after[name] != value]
    assert not changed, f"A fit or a prediction changed {', '.join(changed)}."


@contextmanager
def _restored_random_states():
    """Restore the global random states at the end.

    One number is drawn from each generator at the start. Otherwise a generator that had just been
    seeded would not change if it was seeded again.
    """
    torch = sys.modules.get("torch")
    states = np.random.get_state(), random.getstate(), torch and torch.get_rng_state()
    np.random.random()
    random.random()
    if torch is not None:
        torch.rand(1)
    try:
        yield
    finally:
        np.random.set_state(states[0])
        random.setstate(states[1])
        if torch is not None:
            torch.set_rng_state(states[2])


def _global_state():
    """Return the global state that a call must not change; that of torch only if it is loaded."""
    state = {
        f"the number of threads of {pool['filepath']}": pool["num_threads"]
        for pool in threadpool_info()
    }
    state["the random state of numpy"] = joblib.hash(np.random.get_state())
    state["the random state of random"] = random.getstate()
    torch = sys.modules.get("torch")
    if torch is not None:
        state["the random state of torch"] = torch.get_rng_state().tolist()
        state["the number of threads of torch"] = torch.get_num_threads()
    return state
