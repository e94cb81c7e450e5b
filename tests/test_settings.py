"""Tests that settings of torch, numpy and scikit-learn change no result, and stay."""

import pickle
import sys
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np
import pytest
import sklearn
import torch
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, TransformerMixin
from torch.overrides import TorchFunctionMode

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations

TALKS = make_conversations(10, random_state=0).frame
TARGET = TALKS.pop("target")
COLUMNS = np.random.RandomState(0).normal(size=(len(TALKS), 3)).astype(np.float32)
SMALL = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}
ROLES = {"text_column": "text", "group_column": "group"}


class PassOn(TorchFunctionMode):
    """A mode of the user, which sees every call of torch and changes none."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Call the function."""
        return func(*args, **(kwargs or {}))


@contextmanager
def switched(set_to, value, before):
    """Call a function of torch that sets a value, and set the value before at the end."""
    set_to(value)
    try:
        yield
    finally:
        set_to(before)


def default_type(dtype):
    """Return a context in which torch has another default dtype."""
    return switched(torch.set_default_dtype, dtype, torch.float32)


SETTINGS = {
    "inference mode": torch.inference_mode,
    "no gradients": partial(torch.set_grad_enabled, False),
    "autocast": partial(torch.autocast, "cpu", dtype=torch.bfloat16),
    "autocast to halves": partial(torch.autocast, "cpu", dtype=torch.float16),
    "meta": partial(torch.device, "meta"),
    "default meta": partial(switched, torch.set_default_device, "meta", None),
    "default cpu": partial(switched, torch.set_default_device, "cpu", None),
    "doubles": partial(default_type, torch.float64),
    "halves": partial(default_type, torch.float16),
    "deterministic": partial(switched, torch.use_deterministic_algorithms, True, False),
    "flushed denormals": partial(switched, torch.set_flush_denormal, True, False),
    "function mode": PassOn,
    "saved on CPU": torch.autograd.graph.save_on_cpu,
    "no hooks": partial(torch.autograd.graph.disable_saved_tensors_hooks, "none"),
    "numeric errors": partial(np.errstate, all="raise"),
    "pandas outputs": partial(sklearn.config_context, transform_output="pandas"),
    "assume finite": partial(sklearn.config_context, assume_finite=True),
    "routing": partial(sklearn.config_context, enable_metadata_routing=True),
}


def read_settings():
    """Return everything that a call must leave as it is."""
    return (
        torch.is_inference_mode_enabled(),
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_default_dtype(),
        str(torch.get_default_device()),
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        sys.float_info.min / 2,
        np.geterr(),
        sklearn.get_config(),
    )


@contextmanager
def settings(*names):
    """Change settings, and check that the code inside leaves all of them alone."""
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(SETTINGS[name]())
        before = read_settings()
        yield
        assert read_settings() == before


def call_all(path):
    """Return the results of all entry points for texts."""
    classifier = ContextMemoryClassifier(**ROLES, **SMALL, word_memory=True).fit(TALKS, TARGET)
    results = [classifier.predict_proba(TALKS), classifier.predict_log_proba(TALKS)]
    classifier.save(path)
    results.append(ContextMemoryClassifier.load(path).predict_proba(TALKS))
    copied = pickle.loads(pickle.dumps(classifier))
    results.append(copied.decision_function(TALKS))
    results.append(copied.explain(TALKS[:4], rows=[0, 3])["contribution"].to_numpy())
    live = copied.session()
    results.append(live.predict_proba_one("red"))
    results.append(copied.session(live.state()).predict_proba_one("what"))
    results.append(copied.sessions(2).predict_proba(["red", "blue"]))
    results.append(copied.partial_fit(TALKS, TARGET).predict_proba(TALKS))
    return results


def call_all_for_columns():
    """Return the results of the entry points that scale dense columns."""
    classifier = ContextMemoryClassifier(**SMALL, n_iter_no_change=1)
    groups = TALKS["group"].to_numpy()
    classifier.fit(COLUMNS, TARGET, groups=groups)
    probabilities = classifier.predict_proba(COLUMNS, groups=groups)
    contributions = classifier.explain(COLUMNS[:3], groups=groups[:3])["contribution"].to_numpy()
    return [probabilities, contributions, classifier.session().predict_proba_one(COLUMNS[0])]


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """Return the results with the default settings."""
    path = tmp_path_factory.mktemp("settings") / "model.ctxmem"
    return [*call_all(path), *call_all_for_columns()]


MANY = ("inference mode", "autocast", "default meta", "doubles", "numeric errors", "pandas outputs")


@pytest.mark.parametrize(
    "names", [MANY, *(pytest.param([n], marks=pytest.mark.slow) for n in SETTINGS)]
)
def test_settings_change_no_bit_and_stay(names, expected, tmp_path):
    """Check all entry points inside settings of the user, many at once and each by itself."""
    with settings(*names):
        found = [*call_all(tmp_path / "model.ctxmem"), *call_all_for_columns()]
    for one, other in zip(found, expected, strict=True):
        assert_array_equal(one, other)


def test_a_network_of_inference_mode_trains_outside_of_it(tmp_path):
    """Check that a classifier that was loaded in inference mode can go on to train."""
    path = tmp_path / "model.ctxmem"
    classifier = ContextMemoryClassifier(**ROLES, **SMALL).fit(TALKS, TARGET)
    classifier.save(path)
    with torch.inference_mode():
        loaded = ContextMemoryClassifier.load(path)
    trained = loaded.partial_fit(TALKS, TARGET).predict_proba(TALKS)
    again = ContextMemoryClassifier.load(path).partial_fit(TALKS, TARGET)
    assert_array_equal(trained, again.predict_proba(TALKS))


class KeepSettings(TransformerMixin, BaseEstimator):
    """A vectorizer of the user, which notes the settings of torch that it is called with."""

    def fit(self, X, y=None):
        """Learn nothing."""
        self.seen_ = []
        return self

    def transform(self, X):
        """Return the lengths of the texts."""
        self.seen_.append((torch.is_grad_enabled(), str(torch.get_default_device())))
        return np.array([[len(text), 1.0] for text in X])


def test_a_vectorizer_runs_with_the_settings_of_the_user():
    """Check that only code of this package runs with the defaults of torch."""
    vectorizer = KeepSettings()
    classifier = ContextMemoryClassifier(vectorizer, **ROLES, **SMALL)
    with torch.no_grad(), torch.device("meta"):
        classifier.fit(TALKS, TARGET).predict(TALKS)
    assert set(classifier.vectorizer_.seen_) == {(False, "meta")}
