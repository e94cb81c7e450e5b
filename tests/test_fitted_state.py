"""Tests of what a classifier keeps of its fits: all of a fit that ends well, nothing of another."""

import copy
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from skorch.callbacks import Callback

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._messages import warn_caller
from sk_ctxmem.datasets import make_conversations

SMALL = {"text_column": "text", "group_column": "group", "hidden_size": 8, "random_state": 0}


@pytest.fixture(scope="module")
def few_talks():
    """Return a few conversations, and their labels."""
    talks = make_conversations(20, random_state=0)
    return talks.data, talks.target


@pytest.fixture
def fitted(few_talks):
    """Return a fitted classifier."""
    return ContextMemoryClassifier(**SMALL, max_epochs=1).fit(*few_talks)


class Fails(Callback):
    """Raises an error in an epoch."""

    def on_epoch_end(self, net, **kwargs):
        raise OSError("the disk is full")


@pytest.mark.parametrize(
    ("parameters", "change", "error"),
    [
        ({"callbacks": [Fails()]}, lambda X, y: (X, y), OSError),
        ({"learning_rate": 1e30}, lambda X, y: (X, y), RuntimeError),
        ({}, lambda X, y: (X, y[:-1]), ValueError),
        ({}, lambda X, y: (X.drop(columns="group"), y), ValueError),
        ({"hidden_size": -1}, lambda X, y: (X, y), ValueError),
        ({"warm_start": True, "hidden_size": 16}, lambda X, y: (X, y), ValueError),
    ],
)
def test_a_fit_that_fails_changes_nothing(few_talks, fitted, parameters, change, error):
    """Check the attributes of a fitted and of an unfitted classifier, one by one."""
    for classifier in (fitted, ContextMemoryClassifier(**SMALL)):
        classifier.set_params(**parameters)
        if parameters.get("warm_start") and classifier is not fitted:
            continue  # there is nothing to go on from
        before = vars(classifier).copy()
        with pytest.raises(error, match=r"."):
            classifier.fit(*change(*few_talks))
        assert vars(classifier) == before


@pytest.mark.parametrize("hook", ["on_fit_task_end", "teardown"])
def test_a_callback_of_scikit_learn_that_fails_at_the_end_changes_nothing(few_talks, hook):
    """Check that what a fit has learned is kept after all hooks were called."""
    pytest.importorskip("sklearn.callback", reason="in scikit-learn since 1.9")

    class Watches:
        def setup(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            if hook == "on_fit_task_end" and context.task_name == "fit":
                raise RuntimeError("no connection")

        def teardown(self, estimator, context):
            if hook == "teardown":
                raise RuntimeError("no connection")

    classifier = ContextMemoryClassifier(**SMALL, max_epochs=1).set_callbacks(Watches())
    before = vars(classifier).copy()
    with pytest.raises(RuntimeError, match="no connection"):
        classifier.fit(*few_talks)
    assert vars(classifier) == before


def test_a_refit_on_other_input_leaves_nothing_behind(few_talks):
    """Check the attributes that only some kinds of input have."""
    X, y = few_talks
    classifier = ContextMemoryClassifier(**SMALL, max_epochs=1).fit(X, y)
    assert classifier.feature_names_in_.tolist() == X.columns.tolist()
    classifier.set_params(text_column=None, group_column=None).fit(list(X["text"]), y)
    assert not hasattr(classifier, "n_features_in_")
    assert not hasattr(classifier, "feature_names_in_")
    classifier.fit(np.eye(len(y))[:, :3], y)
    assert classifier.n_features_in_ == 3
    assert classifier.vectorizer_ is None


def test_predictions_go_by_the_fit_not_by_the_parameters(few_talks, fitted):
    """Check that set_params changes no prediction, explanation or session."""
    X, _ = few_talks
    expected, lines = fitted.predict_proba(X), fitted.explain(X[:8], rows=[7])
    fitted.set_params(
        text_column="words",
        group_column="call",
        order_column="place",
        speaker_column="who",
        context="none",
        word_memory=True,
        hidden_size=3,
        vectorizer=None,
    )
    assert_array_equal(fitted.predict_proba(X), expected)
    pd.testing.assert_frame_equal(fitted.explain(X[:8], rows=[7]), lines)
    assert fitted.session().predict_proba_one("red").shape == (3,)


def test_classes_are_those_of_the_model(few_talks, fitted):
    """Check that a prediction mixes no two fits, whatever is written on the classifier."""
    expected = fitted.predict(few_talks[0])
    fitted.classes_ = np.array(["a", "b", "c"])
    assert_array_equal(fitted.predict(few_talks[0]), expected)


class Noted(ContextMemoryClassifier):
    """A subclass with fewer parameters, one more, and an attribute of its own."""

    def __init__(self, *, hidden_size=8, note="none"):
        super().__init__(
            text_column="text", group_column="group", hidden_size=hidden_size, max_epochs=1
        )
        self.note = note

    def fit(self, X, y, **more):
        """Fit, and count the rows."""
        self.n_rows_ = len(X)
        return super().fit(X, y, **more)


def test_a_subclass_with_other_parameters(few_talks, tmp_path):
    """Check fit, partial_fit, save, load and pickle of a subclass, own attributes included."""
    X, y = few_talks
    classifier = Noted(note="mine").fit(X, y)
    classifier.partial_fit(X, y)
    classifier.save(tmp_path / "model")
    for again in (Noted.load(tmp_path / "model"), pickle.loads(pickle.dumps(classifier))):
        assert (again.note, again.n_rows_, again.hidden_size) == ("mine", len(X), 8)
        assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))
    plain = ContextMemoryClassifier.load(tmp_path / "model")
    assert_array_equal(plain.predict_proba(X), classifier.predict_proba(X))


def test_files_keep_what_users_write_on_a_classifier(few_talks, fitted, tmp_path):
    """Check that plain attributes are kept, and that others are refused by name."""
    fitted.note, fitted._private = "of May", [1]
    fitted.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    assert (loaded.note, loaded._private) == ("of May", [1])
    fitted.note = print
    with pytest.raises(TypeError, match=r"ContextMemoryClassifier\.note=<built-in function print>"):
        fitted.save(tmp_path / "model")


def test_names_of_features_are_kept_in_files_and_pickles(tmp_path):
    """Check that other columns are refused after load as they are after fit."""
    X = pd.DataFrame({"price": np.arange(40.0), "weight": np.arange(40.0)[::-1]})
    classifier = ContextMemoryClassifier(max_epochs=1).fit(X, [0, 1] * 20)
    classifier.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    for again in (classifier, loaded, pickle.loads(pickle.dumps(classifier))):
        assert again.feature_names_in_.tolist() == ["price", "weight"]
        with pytest.raises(ValueError, match="feature names should match those that were passed"):
            again.predict(X[["weight", "price"]])


def test_a_shallow_copy_shares_the_model(few_talks, fitted):
    """Check that copy.copy copies no weights, and that a refit of either changes the other not."""
    fitted.set_params(device="cuda:9")  # which a copy that is rebuilt would look for
    copied = copy.copy(fitted)
    assert copied._model is fitted._model
    assert copied.history_ is fitted.history_
    before = fitted._model
    copied.set_params(hidden_size=4, device="cpu").fit(*few_talks)
    assert fitted._model is before


WITHOUT_SKORCH = """
import sys
from sk_ctxmem import ContextMemoryClassifier
import sk_ctxmem.inspection
classifier = ContextMemoryClassifier.load(sys.argv[1])
classifier.predict(classifier.rows)
classifier.explain(classifier.rows, rows=[2])
classifier.session().predict_one("red")
assert "skorch" not in sys.modules, "skorch was imported"
"""


def test_predictions_import_no_skorch(few_talks, fitted, tmp_path):
    """Check load, predict, explain and a session in a fresh process."""
    fitted.rows = few_talks[0][:5]
    fitted.save(tmp_path / "model")
    command = [sys.executable, "-c", WITHOUT_SKORCH, str(tmp_path / "model")]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def test_warnings_point_to_the_caller():
    """Check that a module whose name begins like ours is not taken for ours."""
    names = {"__name__": "sk_ctxmem_app", "warn_caller": warn_caller}
    code = compile("\n\nwarn_caller('careful', UserWarning)", "app.py", "exec")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(code, names)
    assert [(warning.filename, warning.lineno) for warning in caught] == [("app.py", 3)]
