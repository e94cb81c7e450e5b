"""Tests of what a fit shows while it runs, and of what it says at its end."""

import copy
import pickle
import signal
import subprocess
import sys
import warnings

import pytest
from skorch.callbacks import Callback
from tqdm import tqdm

from sk_ctxmem import ContextMemoryClassifier, TrainingInterruptedWarning
from sk_ctxmem._training import _progress
from sk_ctxmem.datasets import make_conversations

ROLES = {"text_column": "text", "group_column": "group"}
SMALL = {"hidden_size": 8, "random_state": 0, **ROLES}


@pytest.fixture(scope="module")
def few_talks():
    """Conversations that a small network learns in an epoch or two."""
    return make_conversations(60, random_state=0)


@pytest.fixture(autouse=True)
def ctrl_c_is_heard():
    """Have SIGINT raise KeyboardInterrupt, which it does not in a process in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class SendsCtrlC(Callback):
    """Sends SIGINT in a batch of an epoch."""

    def __init__(self, epoch, times=1):
        self.epoch = epoch
        self.times = times

    def on_batch_begin(self, net, **kwargs):
        if len(net.history) == self.epoch and not net.history[-1]["batches"][:-1]:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)


class Fails(Callback):
    """Raises an error at the end of the second epoch."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            raise RuntimeError("the disk is full")


def fit(talks, **parameters):
    """Fit a small classifier."""
    return ContextMemoryClassifier(**SMALL | parameters).fit(talks.data, talks.target)


def last_line(capsys):
    """Return what the bar looks like at its end, which has to be the end of a line."""
    shown = capsys.readouterr().err
    assert shown.endswith("\n")
    return shown.rstrip("\n").split("\n")[-1].split("\r")[-1]


def test_all_epochs_done_is_the_reason_and_the_end_of_the_bar(few_talks, capsys):
    """Check that a whole fit says so, in the attribute and in the bar, which is full."""
    classifier = fit(few_talks, verbose=1)
    assert classifier.stop_reason_ == "all 4 epochs done"
    end = last_line(capsys)
    assert end.startswith("all 4 epochs done: 100%")
    assert f"train_loss={classifier.history_['train_loss'].iloc[-1]:.3f}" in end
    assert "rows/s" in end


def test_one_epoch_is_not_called_all():
    """Check the reason after max_epochs=1."""
    talks = make_conversations(20, random_state=0)
    assert fit(talks, max_epochs=1).stop_reason_ == "the only epoch done"


def test_early_stopping_says_which_score_was_not_reached_again(few_talks, capsys):
    """Check the score, its epoch and the patience in the reason, and that the bar is full."""
    classifier = fit(few_talks, max_epochs=30, n_iter_no_change=2, verbose=1)
    scores = classifier.history_["valid_score"]
    best = scores.idxmax()
    reason = f"no better valid_score than {scores[best]:.3f} (epoch {best + 1}) for 2 epochs"
    assert classifier.stop_reason_ == reason
    assert classifier.n_iter_ == best + 3 < 30
    end = last_line(capsys)
    assert end.startswith(f"{reason}: 100%")
    assert f"valid_score={scores.iloc[-1]:.3f}" in end


def test_patience_of_one_epoch_is_in_the_singular(few_talks):
    """Check the grammar of the reason."""
    reason = fit(few_talks, max_epochs=30, n_iter_no_change=1).stop_reason_
    assert reason.endswith(" for 1 epoch")


def test_the_bar_tells_what_is_done_before_it_moves(few_talks, capsys):
    """Check that reading is named first, and that the loss is shown within the first epoch."""
    fit(few_talks, verbose=1)
    frames = capsys.readouterr().err.split("\r")
    shown = [frame for frame in frames if frame.strip()]
    assert shown[0].startswith("reading texts: ")
    within = [frame for frame in shown if frame.startswith("epoch 1/4") and "100%" not in frame]
    assert any("train_loss=" in frame for frame in within)


def test_features_are_not_called_texts(capsys):
    """Check the word for input that is not text."""
    ContextMemoryClassifier(max_epochs=1, verbose=1).fit([[0.0], [1.0]] * 10, [0, 1] * 10)
    assert "reading features: " in capsys.readouterr().err


def test_ctrl_c_is_the_reason_and_closes_the_bar(few_talks, capsys):
    """Check that the first Ctrl-C is told with its epoch, and that the warning points here."""
    message = "after 2 of 4 epochs"
    with pytest.warns(TrainingInterruptedWarning, match=message) as caught:
        classifier = fit(few_talks, verbose=1, callbacks=[SendsCtrlC(3)])
    assert classifier.stop_reason_ == "interrupted by Ctrl-C after epoch 2"
    assert last_line(capsys).startswith("interrupted by Ctrl-C after epoch 2: 100%")
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("callback", "error", "message"),
    [
        (Fails(), RuntimeError, "the disk is full"),
        (SendsCtrlC(2, times=2), KeyboardInterrupt, "^$"),
    ],
)
def test_no_half_line_is_left_by_errors(few_talks, capsys, monkeypatch, callback, error, message):
    """Check that the bar is closed where a fit ends in an error, and nothing is learned."""
    bars = []  # kept, as tqdm closes a bar that nobody holds any more

    class Kept(tqdm):
        def __init__(self, **options):
            super().__init__(**options)
            bars.append(self)

    monkeypatch.setattr(_progress, "_bar_class", lambda: Kept)
    classifier = ContextMemoryClassifier(verbose=1, callbacks=[callback], **SMALL)
    with pytest.raises(error, match=message):
        classifier.fit(few_talks.data, few_talks.target)
    assert last_line(capsys).startswith("epoch 2/4: ")
    assert bars[0].disable
    assert not hasattr(classifier, "stop_reason_")


def test_reason_is_kept_by_copies_and_files(few_talks, tmp_path):
    """Check pickle, copies and save."""
    classifier = fit(few_talks, max_epochs=30, n_iter_no_change=1)
    classifier.save(tmp_path / "model.ctxmem")
    copies = [pickle.loads(pickle.dumps(classifier)), copy.copy(classifier)]
    copies += [copy.deepcopy(classifier), ContextMemoryClassifier.load(tmp_path / "model.ctxmem")]
    assert {other.stop_reason_ for other in copies} == {classifier.stop_reason_}


def test_states_of_before_have_no_reason(few_talks):
    """Check that pickles of a version without the attribute are read."""
    classifier = fit(few_talks, max_epochs=1)
    del classifier.stop_reason_
    assert pickle.loads(pickle.dumps(classifier)).stop_reason_ == ""


def test_every_way_of_fitting_sets_the_reason(few_talks):
    """Check that refits, warm starts and chunks leave no reason of the fit before."""
    classifier = fit(few_talks, max_epochs=30, n_iter_no_change=1, warm_start=True)
    classifier.set_params(max_epochs=2, n_iter_no_change=None).fit(few_talks.data, few_talks.target)
    assert classifier.stop_reason_ == "all 2 epochs done"
    classifier.partial_fit(few_talks.data, few_talks.target)
    assert classifier.stop_reason_ == "the chunk done"


def test_a_fit_that_goes_on_begins_its_bar_there(few_talks, tmp_path, capsys):
    """Check that the bar counts the rows of epochs that a fit before has done."""
    options = {"checkpoint": tmp_path, "verbose": 1}
    with pytest.raises(RuntimeError, match="disk is full"):
        fit(few_talks, callbacks=[Fails()], **options)
    capsys.readouterr()
    fit(few_talks, **options)
    frames = capsys.readouterr().err.split("\r")
    first = next(frame for frame in frames if frame.startswith("epoch "))
    assert first.startswith("epoch 3/4:  50%")


IN_A_NOTEBOOK_WITHOUT_WIDGETS = """
import sys, types, warnings
shell = types.SimpleNamespace(config={"IPKernelApp": {}})
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
sys.modules["ipykernel.zmqshell"] = types.ModuleType("zmqshell")
sys.modules["ipywidgets"] = None
from sk_ctxmem import ContextMemoryClassifier
warnings.simplefilter("error")
ContextMemoryClassifier(max_epochs=1, verbose=1).fit([[0.0], [1.0]] * 10, [0, 1] * 10)
"""


@pytest.mark.slow
def test_notebooks_without_widgets_have_a_bar_and_no_warning():
    """Check that tqdm's warning of missing ipywidgets is not heard."""
    ran = subprocess.run(
        [sys.executable, "-c", IN_A_NOTEBOOK_WITHOUT_WIDGETS], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert "Warning" not in ran.stderr
    assert "the only epoch done: 100%" in ran.stderr


def test_filters_of_warnings_are_as_before(few_talks):
    """Check that showing a bar leaves the filters of warnings alone."""
    before = warnings.filters.copy()
    fit(few_talks, max_epochs=1, verbose=1)
    assert warnings.filters == before


def test_a_program_without_standard_error_can_fit_with_a_bar(monkeypatch):
    """Check that verbose is no reason to fail where there is no console."""
    monkeypatch.setattr("sys.stderr", None)
    clf = ContextMemoryClassifier(max_epochs=1, verbose=1, random_state=0)
    assert clf.fit(["a", "b"] * 10, [0, 1] * 10).n_iter_ == 1
