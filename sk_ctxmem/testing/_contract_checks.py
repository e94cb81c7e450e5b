"""Checks of parameters, fits, seeds and errors: what scikit-learn expects of any classifier."""

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
from ._rows import as_input, fit, fitted, make_rows, predictions, probabilities, with_seed


@context_check
def check_constructor(estimator, promises):
    """Check that the constructor assigns its parameters, and nothing else."""
    cls = type(estimator)
    parameters = estimator.get_params(deep=False)
    made = vars(cls(**parameters))
    for name, value in parameters.items():
        assert name in made, f"{name}={value!r} was not kept as an attribute."
        assert made[name] is value, f"{name}={value!r} became {made[name]!r}."
    constructors = [base.__dict__["__init__"] for base in cls.__mro__ if "__init__" in vars(base)]
    inherited = {name for each in constructors for name in inspect.signature(each).parameters}
    more = made.keys() - parameters.keys() - inherited
    assert not more, f"the constructor sets {sorted(more)}, which are no parameters."


@context_check
def check_clone(estimator, promises):
    """Check that a clone has the same parameters."""
    _assert_same_parameters(_plain_parameters(estimator), clone(estimator), "After clone")


@context_check
def check_fit_keeps_parameters(estimator, promises):
    """Check that the parameters are the same after fit."""
    classifier = with_seed(estimator)
    before = _plain_parameters(classifier)
    _assert_same_parameters(before, fit(classifier, make_rows(), promises), "After fit")


def _plain_parameters(estimator):
    """Return all parameters but those that hold estimators, whose own are listed beside them."""
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
        f"{situation}, the parameters {sorted(before)} are {sorted(after)}."
    )
    for name, (digest, shown) in before.items():
        assert after[name][0] == digest, f"{situation}, {name}={shown} is {after[name][1]}."


@context_check
def check_input_is_not_changed(estimator, promises):
    """Check that neither fit nor a prediction changes what was passed."""
    classifier = with_seed(estimator)
    rows = make_rows()
    X, keywords = as_input(rows, promises)
    passed = {"X": X, "y": rows["target"].to_numpy(), **keywords}
    before = joblib.hash(passed)
    classifier.fit(passed["X"], passed["y"], **keywords)
    assert joblib.hash(passed) == before, f"After fit, one of {list(passed)} has changed."
    for name in ("predict", "predict_proba"):
        getattr(classifier, name)(X, **keywords)
        assert joblib.hash(passed) == before, f"After {name}, one of {list(passed)} has changed."


@context_check
def check_unfitted(estimator, promises):
    """Check that a prediction before fit raises NotFittedError."""
    X, keywords = as_input(make_rows(3), promises)
    for name in ("predict", "predict_proba"):
        call = partial(getattr(clone(estimator), name), X, **keywords)
        error_of(call, NotFittedError, f"In {name}")


@context_check
def check_refit(estimator, promises):
    """Check that a second fit forgets the first, its classes and words included."""
    first = make_rows(random_state=1)
    first["target"] = "the " + first["target"]
    first["text"] = first["text"] + " indeed"
    rows = make_rows()
    again = fit(fitted(estimator, promises, first), rows, promises)
    once = fitted(estimator, promises, rows)
    assert np.array_equal(again.classes_, once.classes_), (
        f"after the second fit, classes_ is {again.classes_} in place of {once.classes_}."
    )
    expected = probabilities(once, rows, promises)
    situation = "After a second fit, as compared with one fit"
    assert_same(expected, probabilities(again, rows, promises), situation, promises)


@context_check
def check_failed_fit(estimator, promises):
    """Check that a fit that fails leaves the classifier as it was."""
    rows = make_rows(random_state=1)
    classifier = fitted(estimator, promises)
    expected = probabilities(classifier, rows, promises)
    other = rows.assign(text=rows["text"] + " indeed")
    X, keywords = as_input(other, promises)
    situation = "In a fit with one label less than rows"
    y = other["target"].to_numpy()[:-1]
    error_of(partial(classifier.fit, X, y, **keywords), ValueError, situation)
    seen = probabilities(classifier, rows, promises)
    assert_same(expected, seen, "After a fit that failed", promises)


@context_check
def check_failed_prediction(estimator, promises):
    """Check that a prediction that fails leaves the classifier as it was."""
    rows = make_rows(random_state=1)
    classifier = fitted(estimator, promises)
    expected = probabilities(classifier, rows, promises)
    missing = rows.assign(text=pd.Series([None] * len(rows), dtype=object))
    situation = "In a prediction for texts that are all None"
    error_of(partial(probabilities, classifier, missing, promises), Exception, situation)
    seen = probabilities(classifier, rows, promises)
    assert_same(expected, seen, "After a prediction that failed", promises)


@context_check
def check_same_seed(estimator, promises):
    """Check that the same random_state and rows give the same probabilities."""
    rows = make_rows(random_state=1)
    first = probabilities(fitted(estimator, promises), rows, promises)
    second = probabilities(fitted(estimator, promises), rows, promises)
    assert_same(first, second, "In a second fit with the same random_state", promises)


@context_check
def check_global_state(estimator, promises):
    """Check that random states and numbers of threads of the process stay as they are."""
    rows = make_rows()
    classifier = fitted(estimator, promises)  # a first call may load libraries
    with _restored_random_states():
        before = _global_state()
        predictions(classifier, rows, promises)
        probabilities(fit(classifier, rows, promises), rows, promises)
        after = _global_state()
    changed = [name for name, value in before.items() if after[name] != value]
    assert not changed, f"what has changed is {', '.join(changed)}."


@contextmanager
def _restored_random_states():
    """Draw from the generators of the process, so that a seed set within shows; restore them."""
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
    """Return what a call must leave as it is; of torch only where it is in use already."""
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
