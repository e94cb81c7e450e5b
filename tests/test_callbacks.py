"""Tests of the callbacks of skorch that a user passes."""

import pickle
import signal

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback, EarlyStopping, TensorBoard
from skorch.history import History

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._training._callbacks import _record
from sk_ctxmem.datasets import make_conversations

ROLES = {"text_column": "text", "group_column": "group"}
SMALL = {"hidden_size": 8, "random_state": 0, **ROLES}


@pytest.fixture(scope="module")
def few_talks():
    """Conversations that a small network learns in an epoch or two."""
    return make_conversations(60, random_state=0)


class Records(Callback):
    """Keeps what it is told in a list that its copies share."""

    def __init__(self, calls=None):
        self.calls = [] if calls is None else calls

    def initialize(self):
        self.n_epochs_ = 0
        return self

    def on_train_begin(self, net, **kwargs):
        self.calls.append("begin")

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs_ += 1
        row = net.history[-1]
        names = ("epoch", "train_loss", "valid_loss", "valid_score", "train_loss_best")
        self.calls.append({name: row[name] for name in names if name in row})

    def on_batch_end(self, net, training=False, **kwargs):
        self.calls.append("step" if training else "validation")

    def on_train_end(self, net, **kwargs):
        self.calls.append("end")

    def epochs(self):
        """Return what was seen at the ends of epochs."""
        return [call for call in self.calls if isinstance(call, dict)]


class Stops(Callback):
    """Raises KeyboardInterrupt, skorch's way to stop, in a hook of an epoch."""

    def __init__(self, hook, epoch, error=KeyboardInterrupt):
        self.hook = hook
        self.epoch = epoch
        self.error = error

    def on_epoch_begin(self, net, **kwargs):
        self._stop("on_epoch_begin", net)

    def on_batch_end(self, net, **kwargs):
        self._stop("on_batch_end", net)

    def on_epoch_end(self, net, **kwargs):
        self._stop("on_epoch_end", net)

    def _stop(self, hook, net):
        if hook == self.hook and len(net.history) == self.epoch:
            raise self.error("pruned")


def read(talks):
    """Return X and y."""
    return talks.data, talks.target


def fit(talks, **parameters):
    """Fit a small classifier."""
    return ContextMemoryClassifier(**SMALL | parameters).fit(talks.data, talks.target)


def test_callbacks_see_what_the_history_tells(few_talks):
    """Check the names and values in net.history, and that batches are seen."""
    records = Records()
    history = fit(few_talks, callbacks=[records], n_iter_no_change=4).history_
    seen = records.epochs()
    for name in ("epoch", "train_loss", "valid_loss", "valid_score"):
        assert [row[name] for row in seen] == history[name].tolist()
    smaller = history["train_loss"] < history["train_loss"].shift(fill_value=np.inf).cummin()
    assert [row["train_loss_best"] for row in seen] == smaller.tolist()
    assert records.calls[0] == "begin"
    assert records.calls[-1] == "end"
    assert records.calls.count("step") >= 4 * 50
    assert records.calls.count("validation") == 4


@pytest.mark.parametrize(
    ("best", "expected"), [(min, [True, True, False, False]), (max, [True, False, False, True])]
)
def test_the_best_epoch_is_better_than_all_before(best, expected):
    """Check what is recorded beside a value: a tie is no better."""
    history = History()
    for value in (3, 1, 1, 4) if best is max else (3, 1, 2, 1):
        history.new_epoch()
        _record(history, "loss", value, best)
    assert history[:, "loss_best"] == expected


def test_callbacks_change_nothing_that_is_learned(few_talks):
    """Check that probabilities are those of a fit without callbacks, to the last bit."""
    watched = fit(few_talks, callbacks=[Records()])
    alone = fit(few_talks)
    np.testing.assert_array_equal(
        watched.predict_proba(few_talks.data), alone.predict_proba(few_talks.data)
    )


def test_valid_names_are_missing_where_nothing_is_held_out(few_talks):
    """Check that no NaN stands for a score that there is not."""
    records = Records()
    fit(few_talks, callbacks=[records], max_epochs=1)
    assert records.epochs()[0].keys() == {"epoch", "train_loss", "train_loss_best"}


def test_fit_leaves_the_parameter_as_it_was(few_talks):
    """Check that what a fit sets in a callback is set in a copy, and each fit has its own."""
    records = Records()
    records.n_epochs_ = 100
    classifier = fit(few_talks, callbacks=[records], max_epochs=1)
    assert classifier.callbacks == [records]
    assert records.n_epochs_ == 100
    classifier.fit(few_talks.data, few_talks.target)
    assert records.calls.count("begin") == 2


@pytest.mark.parametrize(
    ("hook", "epoch", "n_whole"),
    [("on_epoch_end", 2, 2), ("on_batch_end", 3, 2), ("on_epoch_begin", 3, 2)],
)
def test_a_callback_ends_training(few_talks, hook, epoch, n_whole):
    """Check the epochs that count, the reason, and that a refit is not stopped by the last one."""
    classifier = fit(few_talks, callbacks=[Stops(hook, epoch)])
    assert classifier.n_iter_ == n_whole
    assert classifier.stop_reason_ == f"stopped by the callback Stops in epoch {epoch}"
    assert classifier.score(few_talks.data, few_talks.target) > 0.5
    classifier.set_params(callbacks=None).fit(few_talks.data, few_talks.target)
    assert classifier.stop_reason_ == "all 4 epochs done"


def test_a_stop_in_the_first_epoch_waits_for_its_end(few_talks):
    """Check that there is something to predict with."""
    classifier = fit(few_talks, callbacks=[Stops("on_batch_end", 1)])
    assert classifier.n_iter_ == 1
    assert classifier.stop_reason_ == "stopped by the callback Stops in epoch 1"


def test_other_callbacks_see_the_end_of_the_epoch_that_one_stops_in(few_talks):
    """Check a callback after the one that stops, and the one of early stopping."""
    records = Records()
    fit(few_talks, callbacks=[Stops("on_epoch_end", 2), records])
    assert [row["epoch"] for row in records.epochs()] == [1, 2]
    records = Records()
    fitted = fit(few_talks, callbacks=[records], max_epochs=30, n_iter_no_change=1)
    assert len(records.epochs()) == fitted.n_iter_ < 30
    assert records.calls[-1] == "end"


def test_early_stopping_of_skorch_works_by_name(few_talks):
    """Check a pair of a name and a callback that reads the history."""
    stopping = EarlyStopping(monitor="train_loss", patience=1, threshold=0.99)
    classifier = fit(few_talks, callbacks=[("train_loss", stopping)], max_epochs=9)
    assert classifier.stop_reason_ == "stopped by the callback EarlyStopping in epoch 2"
    assert classifier.n_iter_ == 2


def test_errors_of_callbacks_reach_the_user(few_talks):
    """Check the error itself, such as Optuna's TrialPruned, and that nothing was learned."""
    classifier = fit(few_talks, max_epochs=1)
    before = classifier.predict_proba(few_talks.data)
    classifier.set_params(callbacks=[Stops("on_epoch_end", 2, LookupError)], max_epochs=3)
    with pytest.raises(LookupError, match="pruned"):
        classifier.fit(few_talks.data, few_talks.target)
    np.testing.assert_array_equal(classifier.predict_proba(few_talks.data), before)
    assert classifier.stop_reason_ == "the only epoch done"


class OfScikitLearn:
    """Looks like a callback of scikit-learn."""

    def on_fit_task_end(self, estimator, context):
        pass


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        (Records(), r"must be a list of callbacks of skorch, or None; pass callbacks=\[...\]"),
        ([Records], r"callbacks\[0\]=.*pass an instance of it, such as Records\(\)"),
        ([Records(), print], r"callbacks\[1\]=.*inherits from skorch.callbacks.Callback"),
        ([OfScikitLearn()], "pass callbacks of scikit-learn to set_callbacks"),
        ([("name", 3)], "is not a callback of skorch, nor a pair of a name and a callback"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_other_things_are_refused(few_talks, callbacks, message, method):
    """Check that the message says what to pass, before anything is learned."""
    classifier = ContextMemoryClassifier(callbacks=callbacks, **SMALL)
    options = {"classes": few_talks.target_names} if method == "partial_fit" else {}
    with pytest.raises(TypeError, match=message):
        getattr(classifier, method)(few_talks.data, few_talks.target, **options)
    assert not hasattr(classifier, "vectorizer_")


@pytest.mark.slow
def test_clones_and_searches_take_callbacks_along(few_talks):
    """Check clone, get_params, and a search in two processes."""
    classifier = ContextMemoryClassifier(callbacks=[("records", Records())], max_epochs=1, **SMALL)
    name, copied = clone(classifier).get_params()["callbacks"][0]
    assert name == "records"
    assert isinstance(copied, Records)
    stopping = EarlyStopping(monitor="train_loss", patience=1, threshold=0.99)
    classifier.set_params(callbacks=[stopping], max_epochs=5)
    search = GridSearchCV(classifier, {"dropout": [0.1, 0.2]}, cv=2, n_jobs=2, error_score="raise")
    search.fit(few_talks.data, few_talks.target)
    assert search.best_estimator_.stop_reason_ == "stopped by the callback EarlyStopping in epoch 2"


def test_pickles_have_callbacks_and_files_have_not(few_talks, tmp_path):
    """Check that a file of save has no code, and that loading gives None."""
    classifier = fit(few_talks, callbacks=[Records()], max_epochs=1)
    assert isinstance(pickle.loads(pickle.dumps(classifier)).callbacks[0], Records)
    classifier.save(tmp_path / "model.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    assert loaded.callbacks is None
    np.testing.assert_array_equal(
        loaded.predict_proba(few_talks.data), classifier.predict_proba(few_talks.data)
    )


class RecordsAnObject(Callback):
    """Writes what is no plain data into the history, then fails."""

    def on_epoch_end(self, net, **kwargs):
        net.history.record("thing", object())
        if len(net.history) == 3:
            raise RuntimeError("killed")


def test_checkpoints_keep_nothing_of_callbacks(few_talks, tmp_path):
    """Check that a fit which was killed goes on, whatever its callbacks had recorded."""
    options = {"checkpoint": tmp_path}
    with pytest.raises(RuntimeError, match="killed"):
        fit(few_talks, callbacks=[RecordsAnObject()], **options)
    records = Records()
    classifier = fit(few_talks, callbacks=[records], **options)
    assert [row["epoch"] for row in records.epochs()] == [4]
    assert records.epochs()[0]["train_loss_best"]
    np.testing.assert_array_equal(
        classifier.predict_proba(few_talks.data), fit(few_talks).predict_proba(few_talks.data)
    )


def test_chunks_are_epochs_that_go_on(few_talks):
    """Check that callbacks see partial_fit as epochs after those before."""
    records = Records()
    classifier = ContextMemoryClassifier(callbacks=[records], **SMALL)
    for _ in range(3):
        classifier.partial_fit(few_talks.data, few_talks.target, classes=few_talks.target_names)
    assert [row["epoch"] for row in records.epochs()] == [1, 2, 3]
    losses = [row["train_loss"] for row in records.epochs()]
    assert losses == classifier.history_["train_loss"].tolist()
    classifier.set_params(callbacks=[Stops("on_batch_end", 4)])
    classifier.partial_fit(few_talks.data, few_talks.target)
    assert classifier.stop_reason_ == "stopped by the callback Stops in epoch 4"
    assert classifier.n_iter_ == 4


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_in_a_chunk_is_not_taken_for_a_callback(few_talks, times):
    """Check that SIGINT inside of a callback ends partial_fit, and leaves the classifier."""

    class SendsCtrlC(Callback):
        def on_batch_begin(self, net, **kwargs):
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    classifier = fit(few_talks, max_epochs=1)
    before = classifier.predict_proba(few_talks.data)
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt, match="^$"):
            classifier.set_params(callbacks=[SendsCtrlC()]).partial_fit(*read(few_talks))
    finally:
        signal.signal(signal.SIGINT, handler)
    np.testing.assert_array_equal(classifier.predict_proba(few_talks.data), before)
    assert classifier.stop_reason_ == "the only epoch done"


def test_an_open_writer_is_taken_by_fit_alone(few_talks, tmp_path):
    """Check that only clone and pickle fail on it, as the guide says, and pickle works later."""
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    callbacks = [TensorBoard(SummaryWriter(tmp_path))]
    classifier = ContextMemoryClassifier(callbacks=callbacks, max_epochs=1, **SMALL)
    with pytest.raises(TypeError, match="cannot pickle"):
        clone(classifier)
    classifier.fit(few_talks.data, few_talks.target)
    assert clone(pickle.loads(pickle.dumps(classifier))).callbacks[0] is not callbacks[0]


def test_tensorboard_has_the_losses(few_talks, tmp_path):
    """Check that skorch's callback writes what the history tells, read back from its file."""
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    from torch.utils.tensorboard import SummaryWriter

    callbacks = [TensorBoard(SummaryWriter(tmp_path))]
    history = fit(few_talks, callbacks=callbacks, n_iter_no_change=4).history_
    written = events.EventAccumulator(str(tmp_path)).Reload()
    for name in ("train_loss", "valid_loss", "valid_score"):
        points = written.Scalars(f"Loss/{name}")
        assert [point.step for point in points] == [1, 2, 3, 4]
        np.testing.assert_allclose([point.value for point in points], history[name], rtol=1e-6)
