"""Tests of the callbacks of scikit-learn 1.9: on the classifier, in a pipeline, in a search."""

import pickle
import subprocess
import sys
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations

callback = pytest.importorskip("sklearn.callback", reason="in scikit-learn since 1.9")

ROLES = {"text_column": "text", "group_column": "group"}
SMALL = {"hidden_size": 8, "random_state": 0, **ROLES}


@pytest.fixture(scope="module")
def few_talks():
    """Conversations that a small network learns in an epoch or two."""
    return make_conversations(60, random_state=0)


class Watches:
    """Keeps what it is told, and may stop a fit after an epoch."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.told = []

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None, metadata=None):
        self.told.append(("begin", context.task_name, context.task_id))
        self.data = X, y, metadata

    def on_fit_task_end(self, estimator, context):
        self.told.append(("end", context.task_name, context.task_id))
        return context.task_name == "epoch" and context.task_id + 1 == self.stop_after


class KeepsFitted(Watches):
    """Keeps the classifiers that it is offered."""

    def __init__(self):
        super().__init__()
        self.fitted = {}

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.fitted[context.task_name, context.task_id] = fitted_estimator


def fit(talks, watcher, **parameters):
    """Fit a small classifier with a callback of scikit-learn."""
    classifier = ContextMemoryClassifier(**SMALL | parameters).set_callbacks(watcher)
    return classifier.fit(talks.data, talks.target)


def test_a_fit_and_its_epochs_are_tasks(few_talks):
    """Check the order of what a callback is told, and the data that it sees."""
    watcher = Watches()
    fit(few_talks, watcher, max_epochs=2)
    epochs = [(end, "epoch", number) for number in range(2) for end in ("begin", "end")]
    tasks = [("begin", "fit", 0), *epochs, ("end", "fit", 0)]
    assert watcher.told == ["setup", *tasks, "teardown"]
    assert watcher.data[0] is few_talks.data
    assert watcher.data[1] is few_talks.target
    assert watcher.data[2] is None


def test_weights_of_rows_are_metadata(few_talks):
    """Check that scorers would get the weights."""
    watcher = Watches()
    weights = np.ones(len(few_talks.target))
    classifier = ContextMemoryClassifier(max_epochs=1, **SMALL).set_callbacks(watcher)
    classifier.fit(few_talks.data, few_talks.target, sample_weight=weights)
    assert watcher.data[2] == {"sample_weight": weights}


@pytest.mark.parametrize(
    "parameters", [{}, {"n_iter_no_change": 1}, {"context": "none"}, {"warm_start": True}]
)
def test_the_fitted_classifier_is_what_training_would_end_in(few_talks, parameters):
    """Check that it predicts as a fit that a callback has stopped there, and that nothing changes.

    That fit goes through the same steps, but stops: means of weights, best epoch, temperature.
    """
    talks, parameters = few_talks, {"max_epochs": 4} | parameters
    watcher = KeepsFitted()
    asked = fit(talks, watcher, **parameters)
    n_early = asked.n_iter_ - 1
    stopped = fit(talks, Watches(stop_after=n_early), **parameters)
    copied = watcher.fitted["epoch", n_early - 1]
    assert copied is not asked
    probabilities = copied.predict_proba(talks.data)
    np.testing.assert_array_equal(probabilities, stopped.predict_proba(talks.data))
    assert copied.n_iter_ == n_early
    last = watcher.fitted["fit", 0].predict_proba(talks.data)
    np.testing.assert_array_equal(last, asked.predict_proba(talks.data))
    alone = ContextMemoryClassifier(**SMALL | parameters).fit(talks.data, talks.target)
    np.testing.assert_array_equal(last, alone.predict_proba(talks.data))


def test_a_refit_of_other_sizes_offers_the_new_classifier(few_talks):
    """Check that the network of the fit before is not in the way."""
    watcher = KeepsFitted()
    classifier = fit(few_talks, watcher, max_epochs=1)
    classifier.set_params(hidden_size=16).fit(few_talks.data, few_talks.target)
    copied = watcher.fitted["epoch", 0]
    expected = classifier.predict_proba(few_talks.data)
    np.testing.assert_array_equal(copied.predict_proba(few_talks.data), expected)


def test_nothing_is_copied_unless_it_is_asked_for(few_talks, monkeypatch):
    """Check that a bar costs no copies of weights."""
    from sk_ctxmem._training import _result

    monkeypatch.setattr(_result, "copy", SimpleNamespace(deepcopy=None))
    fit(few_talks, Watches(), max_epochs=1)
    with pytest.raises(TypeError, match="not callable"):
        fit(few_talks, KeepsFitted(), max_epochs=1)


def test_a_callback_that_returns_true_ends_training(few_talks):
    """Check the epochs, the reason, and that callbacks are torn down."""
    watcher = Watches(stop_after=2)
    classifier = fit(few_talks, watcher)
    assert classifier.n_iter_ == 2
    assert classifier.stop_reason_ == "stopped by a callback of scikit-learn after epoch 2"
    assert watcher.told[-2:] == [("end", "fit", 0), "teardown"]


class Fails(Watches):
    """Raises an error in the second epoch."""

    def on_fit_task_begin(self, estimator, context):
        if context.task_id == 1:
            raise RuntimeError("the disk is full")


def test_errors_tear_down_and_leave_the_classifier_as_it_was(few_talks):
    """Check an error in a callback, and that the next fit works."""
    watcher = Fails()
    classifier = ContextMemoryClassifier(max_epochs=2, **SMALL).set_callbacks(watcher)
    before = vars(classifier).copy()
    with pytest.raises(RuntimeError, match="the disk is full"):
        classifier.fit(few_talks.data, few_talks.target)
    assert watcher.told[-1] == "teardown"
    assert vars(classifier) == before
    classifier.set_callbacks().fit(few_talks.data, few_talks.target)


def test_scores_of_epochs_are_logged(few_talks):
    """Check that the last score of ScoringMonitor is that of the fitted classifier."""
    monitor = callback.ScoringMonitor(scoring="neg_log_loss")
    classifier = fit(few_talks, monitor)
    log = monitor.get_logs().data_as_pandas
    assert log["task_name"].tolist() == ["fit"] + ["epoch"] * 4
    loss = log_loss(few_talks.target, classifier.predict_proba(few_talks.data))
    assert log["neg_log_loss"].iloc[[0, -1]].tolist() == pytest.approx([-loss, -loss])
    assert log["neg_log_loss"].iloc[1] < -loss


def test_bar_and_scores_in_a_pipeline(few_talks, capsys):
    """Check that the bar reaches the classifier inside, with a line for it."""
    monitor = callback.ScoringMonitor(scoring="accuracy")
    classifier = ContextMemoryClassifier(max_epochs=2, **SMALL).set_callbacks(monitor)
    pipeline = Pipeline([("classify", classifier)])
    pipeline.set_callbacks(callback.ProgressBar(max_propagation_depth=None))
    pipeline.fit(few_talks.data, few_talks.target)
    assert "ContextMemory" in capsys.readouterr().out
    log = monitor.get_logs().data_as_pandas
    assert log["task_name"].tolist() == ["fit", "epoch", "epoch"]
    assert log["accuracy"].iloc[-1] == pipeline.score(few_talks.data, few_talks.target)


@pytest.mark.slow
def test_bar_and_scores_in_a_search_in_two_processes(few_talks):
    """Check that the scores of all fits come back, and that callbacks survive clone."""
    monitor = callback.ScoringMonitor(scoring="accuracy")
    classifier = ContextMemoryClassifier(max_epochs=2, **SMALL).set_callbacks(monitor)
    assert clone(classifier)._skl_callbacks == [monitor]
    search = GridSearchCV(classifier, {"dropout": [0.1, 0.2]}, cv=2, n_jobs=2, error_score="raise")
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None))
    search.fit(few_talks.data, few_talks.target)
    log = monitor.get_logs().data_as_pandas
    assert (log["task_name"] == "epoch").sum() == 2 * (2 * 2 + 1)
    assert log.loc[log["task_id_path"] == (0, 1), "accuracy"].item() == search.score(
        few_talks.data, few_talks.target
    )


def test_pickles_keep_callbacks_and_files_do_not(few_talks, tmp_path):
    """Check that a file of save has no code of callbacks in it."""
    monitor = callback.ScoringMonitor(scoring="accuracy")
    classifier = fit(few_talks, monitor, max_epochs=1)
    copied = pickle.loads(pickle.dumps(classifier))
    assert isinstance(copied._skl_callbacks[0], callback.ScoringMonitor)
    classifier.save(tmp_path / "model.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    assert not hasattr(loaded, "_skl_callbacks")


def test_a_fit_without_callbacks_warns_of_nothing(few_talks):
    """Check that callbacks of scikit-learn, which are new there, are no news to others."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classifier = ContextMemoryClassifier(max_epochs=1, **SMALL)
        classifier.fit(few_talks.data, few_talks.target)
    assert [name for name in vars(classifier) if "callback" in name] == ["callbacks"]


BEFORE_1_9 = """
import sys
import sklearn.compose, sklearn.linear_model, sklearn.model_selection, sklearn.pipeline
sys.modules["sklearn.callback"] = None
from sk_ctxmem import ContextMemoryClassifier
classifier = ContextMemoryClassifier(max_epochs=1).fit([[0.0], [1.0]] * 10, [0, 1] * 10)
assert classifier.stop_reason_ == "the only epoch done"
assert not hasattr(classifier, "set_callbacks")
"""


def test_older_scikit_learn_changes_nothing():
    """Check the import where there is no sklearn.callback."""
    code = BEFORE_1_9
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
