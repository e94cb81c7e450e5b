"""Tests of fits that are killed, interrupted, or run out of memory."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV

from benchmarks.reliability.mutations import read_members, write_members
from sk_ctxmem import (
    ContextMemoryClassifier,
    ModelFileError,
    TrainingDivergedError,
    TrainingInterruptedWarning,
)
from sk_ctxmem._files import _archive
from sk_ctxmem._training import _trainer

SMALL = {
    "text_column": "text",
    "group_column": "group",
    "hidden_size": 16,
    "max_epochs": 4,
    "random_state": 0,
    "device": "cpu",
}


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def kill_after(monkeypatch):
    """Return what ends a fit after some of its checkpoints."""

    def arrange(n_checkpoints):
        written = []

        def replace(old, new):
            os.rename(old, new)
            written.append(new)
            if len(written) == n_checkpoints:
                raise KilledError

        monkeypatch.setattr(_archive.os, "replace", replace)

    return arrange


@pytest.fixture
def X(talks):
    """Return conversations, of which late rows are held back."""
    return talks[["text", "group"]]


@pytest.fixture
def y(talks):
    """Return their classes."""
    return talks["target"]


SETTINGS = {
    "memory": {},
    "alone": {"group_column": None, "text_column": "text"},
    "stopping": {"n_iter_no_change": 3, "max_epochs": 6},
    "words": {"word_memory": True, "context": "both", "memory": "lstm"},
    "convolution": {"word_memory": "convolution"},
    "random state": {"random_state": np.random.RandomState(5)},
}


@pytest.mark.parametrize("n_checkpoints", [1, 3])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_fit_that_was_killed_ends_in_the_same_weights(
    X, y, settings, n_checkpoints, kill_after, tmp_path, monkeypatch
):
    """Check weights, history and temperature, to the last bit, after any of the epochs."""
    params = SMALL | settings
    if "random_state" in settings:
        params["random_state"] = np.random.RandomState(5)
    expected = ContextMemoryClassifier(**params).fit(X, y)
    if "random_state" in settings:
        params["random_state"] = np.random.RandomState(5)
    classifier = ContextMemoryClassifier(checkpoint=tmp_path / "new", **params)
    kill_after(n_checkpoints)
    with pytest.raises(KilledError):
        classifier.fit(X, y)
    monkeypatch.undo()
    assert len(os.listdir(tmp_path / "new")) == 1
    if "random_state" in settings:
        classifier.set_params(random_state=np.random.RandomState(5))
    epochs_run = []
    measured = _trainer.EpochMeans.on_epoch_begin
    monkeypatch.setattr(
        _trainer.EpochMeans,
        "on_epoch_begin",
        lambda self, net, **kwargs: (epochs_run.append(1), measured(self, net))[1],
    )
    classifier.fit(X, y)
    assert len(epochs_run) == expected.n_iter_ - n_checkpoints
    assert classifier.temperature_ == expected.temperature_
    told = [column for column in expected.history_ if column != "seconds"]
    assert classifier.history_[told].equals(expected.history_[told])
    for name, weight in expected._model.network.state_dict().items():
        assert_array_equal(classifier._model.network.state_dict()[name], weight, err_msg=name)
    assert os.listdir(tmp_path / "new") == []


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_process_goes_on_in_another(talks, tmp_path):
    """Check SIGKILL itself, twice, and that a copy of the checkpoint leads to the same end."""
    code = (
        "import os, signal, sys\n"
        "from sk_ctxmem import ContextMemoryClassifier\n"
        "from sk_ctxmem._files import _archive\n"
        "from sk_ctxmem.datasets import make_conversations\n"
        "talks = make_conversations(60, random_state=0)\n"
        "replace, left = os.replace, [int(sys.argv[2])]\n"
        "def count(old, new):\n"
        "    replace(old, new)\n"
        "    left[0] -= 1\n"
        "    if left[0] == 0:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "_archive.os.replace = count\n"
        "clf = ContextMemoryClassifier(checkpoint=sys.argv[1], hidden_size=8, max_epochs=5,"
        " random_state=0)\n"
        "clf.fit(talks.frame['text'].tolist(), talks.target)\n"
        "print(len(clf.history_), clf.decision_function(['a b']).tolist())\n"
    )

    def run(n_checkpoints):
        command = [sys.executable, "-c", code, str(tmp_path), str(n_checkpoints)]
        return subprocess.run(command, capture_output=True, text=True)

    assert run(2).returncode == -signal.SIGKILL
    assert run(1).returncode == -signal.SIGKILL  # one epoch further
    (name,) = os.listdir(tmp_path)
    copy = (tmp_path / name).read_bytes()
    ended = run(99)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("5 ")
    (tmp_path / name).write_bytes(copy)
    assert run(99).stdout == ended.stdout


@pytest.mark.slow
def test_other_rows_or_parameters_start_anew(X, y, kill_after, tmp_path, monkeypatch):
    """Check that a checkpoint is not taken for that of another fit."""
    kill_after(1)
    for params in ({}, {"learning_rate": 0.002}, {"hidden_size": 8}, {"random_state": 1}):
        classifier = ContextMemoryClassifier(checkpoint=str(tmp_path), **(SMALL | params))
        kill_after(1)
        with pytest.raises(KilledError):
            classifier.fit(X, y)
    kill_after(1)
    with pytest.raises(KilledError):
        ContextMemoryClassifier(checkpoint=str(tmp_path), **SMALL).fit(X[10:], y[10:])
    assert len(os.listdir(tmp_path)) == 5
    monkeypatch.undo()
    expected = ContextMemoryClassifier(**SMALL).fit(X, y)
    got = ContextMemoryClassifier(checkpoint=str(tmp_path), **SMALL).fit(X, y)
    assert_array_equal(got.predict_proba(X), expected.predict_proba(X))
    assert len(os.listdir(tmp_path)) == 4


@pytest.mark.slow
def test_the_fits_of_a_search_share_a_folder(X, y, tmp_path):
    """Check that a search with checkpoints finds what one without finds, in two processes too."""
    grid = {"learning_rate": [0.001, 0.006]}
    plain = GridSearchCV(ContextMemoryClassifier(**SMALL), grid, cv=2).fit(X, y)
    estimator = ContextMemoryClassifier(checkpoint=tmp_path, **SMALL)
    kept = GridSearchCV(estimator, grid, cv=2, n_jobs=2).fit(X, y)
    assert_array_equal(kept.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"])
    assert os.listdir(tmp_path) == []


def test_a_warm_start_can_be_killed_too(X, y, kill_after, tmp_path, monkeypatch):
    """Check that a fit which goes on from weights goes on from its checkpoint."""
    first = ContextMemoryClassifier(warm_start=True, **SMALL).fit(X, y)
    first.save(tmp_path / "model")
    expected = first.fit(X, y)
    classifier = ContextMemoryClassifier.load(tmp_path / "model")
    classifier.set_params(checkpoint=tmp_path / "folder")
    kill_after(2)
    with pytest.raises(KilledError):
        classifier.fit(X, y)
    monkeypatch.undo()
    assert_array_equal(classifier.fit(X, y).predict_proba(X), expected.predict_proba(X))
    assert classifier.n_iter_ == 4
    assert len(classifier.history_) == 8


def test_a_damaged_checkpoint_is_named(X, y, kill_after, tmp_path, monkeypatch):
    """Check that a checkpoint which cannot be read says what to do, and nothing is lost."""
    classifier = ContextMemoryClassifier(checkpoint=tmp_path, **SMALL)
    kill_after(1)
    with pytest.raises(KilledError):
        classifier.fit(X, y)
    monkeypatch.undo()
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    path.write_bytes(content[:-1000])
    with pytest.raises(ModelFileError, match="cannot be read as a checkpoint.*delete it to start"):
        classifier.fit(X, y)
    assert path.read_bytes() == content[:-1000]
    path.unlink()
    assert classifier.fit(X, y).n_iter_ == 4


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (3, TypeError, "checkpoint=3 must be the path of a folder, or None"),
        (True, TypeError, "checkpoint=True must be the path of a folder, or None"),
        (__file__, ValueError, "is a file; give the path of a folder, or None"),
    ],
)
def test_a_checkpoint_must_be_a_folder(value, error, message):
    """Check that other values are refused before anything is read."""
    with pytest.raises(error, match=message):
        ContextMemoryClassifier(checkpoint=value).fit(["a", "b"], [0, 1])


@pytest.mark.parametrize("random_state", [None, np.random])
def test_a_checkpoint_needs_a_seed(random_state, tmp_path):
    """Check that fits which cannot be told from one another have no checkpoints."""
    classifier = ContextMemoryClassifier(checkpoint=tmp_path, random_state=random_state)
    with pytest.raises(ValueError, match="needs a random_state, which identifies the fit"):
        classifier.fit(["a b", "c d"] * 20, [0, 1] * 20)


def test_a_random_state_further_on_is_another_fit(X, y, kill_after, tmp_path, monkeypatch):
    """Check that a generator which has drawn since does not go on from a fit before."""
    kill_after(1)
    first, other = np.random.RandomState(5), np.random.RandomState(5)
    killed = ContextMemoryClassifier(checkpoint=tmp_path, **(SMALL | {"random_state": first}))
    with pytest.raises(KilledError):
        killed.fit(X, y)
    monkeypatch.undo()
    other.randint(10, size=7)
    before = os.listdir(tmp_path)
    ContextMemoryClassifier(checkpoint=tmp_path, **(SMALL | {"random_state": other})).fit(X, y)
    assert os.listdir(tmp_path) == before  # left for the fit that it belongs to


@pytest.mark.parametrize("content", [{"is": "tuple", "of": []}, 3, {"is": "dict", "of": []}])
def test_a_checkpoint_with_other_content_is_named(X, y, content, kill_after, tmp_path, monkeypatch):
    """Check that right checksums do not make a checkpoint."""
    classifier = ContextMemoryClassifier(checkpoint=tmp_path, **SMALL)
    kill_after(1)
    with pytest.raises(KilledError):
        classifier.fit(X, y)
    monkeypatch.undo()
    (path,) = tmp_path.iterdir()
    members = read_members(path.read_bytes())
    members["state.json"] = json.dumps(content).encode()
    path.write_bytes(write_members(members, forged=True))
    with pytest.raises(ModelFileError, match="is not a checkpoint .*delete it to start"):
        classifier.fit(X, y)


# --- Ctrl-C


@pytest.fixture
def interrupt_in(monkeypatch):
    """Return what sends SIGINT in some batch of a training, in a process that can hear it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # not in the background

    def arrange(epoch, batch, times=1):
        seen = []
        begin = _trainer.LinearDecay.on_batch_begin

        def on_batch_begin(self, net, **kwargs):
            begin(self, net, **kwargs)
            seen.append(1)
            here = (len(net.history), len(net.history[-1]["batches"])) == (epoch, batch)
            if here and kwargs["training"]:
                for _ in range(times):
                    signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(_trainer.LinearDecay, "on_batch_begin", on_batch_begin)
        return seen

    yield arrange
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_stops_after_the_batch_and_keeps_the_weights(X, y, interrupt_in):
    """Check that Ctrl-C leaves a fitted classifier, says so, and leaves no handler behind."""
    seen = interrupt_in(epoch=3, batch=5)
    classifier = ContextMemoryClassifier(**SMALL)
    message = "interrupted after 2 of 4 epochs.*set checkpoint= to a folder"
    with pytest.warns(TrainingInterruptedWarning, match=message):
        classifier.fit(X, y)
    assert len(seen) == 2 * 52 + 5
    assert classifier.n_iter_ == len(classifier.history_) == 2
    assert classifier.score(X, y) > 0.9
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_keeps_the_best_epoch(X, y, interrupt_in, monkeypatch):
    """Check that with early stopping the weights are those of the best epoch until then."""
    params = SMALL | {"n_iter_no_change": 9, "max_epochs": 9, "learning_rate": 0.05}
    interrupt_in(epoch=4, batch=1)
    classifier = ContextMemoryClassifier(**params)
    with pytest.warns(TrainingInterruptedWarning, match="after 3 of 9 epochs"):
        classifier.fit(X, y)
    monkeypatch.undo()
    best = classifier.history_["valid_score"].to_numpy().argmax() + 1
    interrupt_in(epoch=best + 1, batch=1)
    with pytest.warns(TrainingInterruptedWarning, match=f"after {best} of 9 epochs"):
        expected = ContextMemoryClassifier(**params).fit(X, y)
    assert_array_equal(classifier.predict(X), expected.predict(X))


def test_an_interrupted_fit_goes_on_from_its_checkpoint(X, y, interrupt_in, tmp_path, monkeypatch):
    """Check that what Ctrl-C cut short comes to the same end when it is started again."""
    expected = ContextMemoryClassifier(**SMALL).fit(X, y)
    interrupt_in(epoch=3, batch=5)
    classifier = ContextMemoryClassifier(checkpoint=tmp_path, **SMALL)
    with pytest.warns(TrainingInterruptedWarning, match="resumes from its checkpoint in"):
        classifier.fit(X, y)
    monkeypatch.undo()
    assert_array_equal(classifier.fit(X, y).predict_proba(X), expected.predict_proba(X))


def test_an_interrupt_in_the_first_epoch_ends_the_fit(X, y, interrupt_in):
    """Check that where no epoch is done there is nothing to keep."""
    interrupt_in(epoch=1, batch=3)
    classifier = ContextMemoryClassifier(**SMALL)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    assert not classifier.__sklearn_is_fitted__()


def test_a_second_interrupt_leaves_the_classifier_as_it_was(X, y, interrupt_in):
    """Check that two of them are a KeyboardInterrupt, and change nothing."""
    classifier = ContextMemoryClassifier(**SMALL).fit(X, y)
    expected = classifier.predict_proba(X)
    interrupt_in(epoch=2, batch=1, times=2)
    with pytest.raises(KeyboardInterrupt):
        classifier.set_params(hidden_size=8).fit(X, y)
    assert_array_equal(classifier.predict_proba(X), expected)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_program_is_left_alone(X, y, interrupt_in):
    """Check that a program which handles SIGINT itself goes on doing so."""
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        interrupt_in(epoch=2, batch=1)
        assert ContextMemoryClassifier(**SMALL).fit(X, y).n_iter_ == 4
        assert heard == [1]
    finally:
        signal.signal(signal.SIGINT, before)


def test_fits_in_threads_leave_signals_alone(X, y):
    """Check that a fit in another thread than the main one works, and handles nothing."""
    classifier = ContextMemoryClassifier(**SMALL)
    thread = threading.Thread(target=classifier.fit, args=(X, y))
    thread.start()
    thread.join()
    assert classifier.n_iter_ == 4


# --- errors in training


def test_running_out_of_memory_says_what_to_make_smaller(X, y, monkeypatch):
    """Check the message where numpy or torch find no memory, and that nothing changes."""
    errors = [MemoryError("none"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
    for error in errors:
        classifier = ContextMemoryClassifier(**SMALL).fit(X, y)
        expected = classifier.predict_proba(X)

        def fail(*_, error=error, **__):
            raise error

        monkeypatch.setattr(_trainer.Trainer, "train_step", fail)
        with pytest.raises(MemoryError, match="Memory ran out; pass a batch_size below 384, such"):
            classifier.fit(X, y)
        monkeypatch.undo()
        assert_array_equal(classifier.predict_proba(X), expected)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs the pages of Linux")
def test_a_real_lack_of_memory_is_explained():
    """Check a network that is too large for a process with little memory."""
    code = (
        "import resource, torch\n"
        "from sk_ctxmem import ContextMemoryClassifier\n"
        "texts, y = ['a b', 'c d'] * 20, [0, 1] * 20\n"
        "ContextMemoryClassifier(max_epochs=1).fit(texts, y)\n"
        "pages = int(open('/proc/self/statm').read().split()[0])\n"
        "limit = pages * resource.getpagesize() + 500_000_000\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "ContextMemoryClassifier(max_epochs=1, hidden_size=200_000_000).fit(texts, y)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 1
    assert "MemoryError: Memory ran out; pass a batch_size below 384, such as 96" in ended.stderr
    assert "hidden_size below 200000000" in ended.stderr


def test_other_errors_are_not_explained_away(X, y, monkeypatch):
    """Check that a RuntimeError about something else stays what it is."""

    def fail(*_, **__):
        raise RuntimeError("something else")

    monkeypatch.setattr(_trainer.Trainer, "train_step", fail)
    with pytest.raises(RuntimeError, match="something else"):
        ContextMemoryClassifier(**SMALL).fit(X, y)


def test_a_loss_that_diverges_says_where(X, y):
    """Check that epoch, batch and what to try are named, and the classifier stays unfitted."""
    classifier = ContextMemoryClassifier(**(SMALL | {"learning_rate": 1e30}))
    with pytest.raises(TrainingDivergedError, match="in epoch 1, batch .*lower learning_rate"):
        classifier.fit(X, y)
    assert not classifier.__sklearn_is_fitted__()
