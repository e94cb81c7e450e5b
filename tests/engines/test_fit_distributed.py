"""Tests of one fit in several real processes."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from _fits import BEGINNING, ROOT, finish, run, start

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._rows._held_out import hold_out_groups
from sk_ctxmem.datasets import make_conversations

# Many fits in processes that are started once: each test looks at one of them.
SEVERAL_FITS = """
def fit(name, clf, X=X, y=y, new=make_conversations(40, random_state=1).frame, **options):
    fit_distributed(clf, X, y, **options)
    said = {"digest": digest(clf), "history": clf.history_.to_dict("list")}
    said |= {"temperature": clf.temperature_, "reason": clf.stop_reason_}
    say(name=name, **said)
    return clf

clf = fit("whole", make(max_epochs=8))
clf.save(os.environ["FOLDER"] + f"/{RANK}.ctxmem")
fit("once", make())
fit("again", make())
fit("without a seed", make(random_state=None))
fit("held out", make(max_epochs=6, n_iter_no_change=2))
fit("words", make(word_memory=True, max_epochs=1))
fit("convolution", make(word_memory="convolution", max_epochs=1))

numbers = np.random.RandomState(0).randn(len(X), 5)
for context in ("both", "none"):
    dense = make(context=context, group_column=None, text_column=None)
    groups = talks["group"]
    fit(context, dense, numbers, numbers[:, 0] > 0, groups=groups)
    say(name=f"score {context}", score=dense.score(numbers, numbers[:, 0] > 0, groups=groups))

def say_error(name, X, y, sample_weight=None, **params):
    clf = make(**params)
    try:
        fit_distributed(clf, X, y, sample_weight)
    except ValueError as error:
        say(name=name, message=str(error), learned=hasattr(clf, "classes_"))

rows = np.arange(len(X))[:: 1 if RANK == 0 else -1]
say_error("other rows", X.iloc[rows], y.iloc[rows])
few = talks[talks["group"] == talks["group"][0]]
say_error("one group", few[["text", "group"]], few["target"])
say_error("other weights", X, y, sample_weight=1 + RANK * np.arange(len(X)))
say_error("other sizes", X, y, hidden_size=(16, 8)[RANK])
say_error("other checkpoints", X, y, checkpoint=(None, os.environ["FOLDER"])[RANK])
say(name="end", is_open=dist.is_initialized())
"""


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    """Return what two processes have said of several fits, by their names, and the folder."""
    folder = tmp_path_factory.mktemp("fits")
    first, second = run(SEVERAL_FITS, folder, FOLDER=str(folder), every=True)
    assert first == second
    return {said.pop("name"): said for said in first} | {"folder": folder}


def test_every_process_ends_with_the_same_ordinary_classifier(fits):
    """Check that it is as good as that of one process, and that files of all processes agree."""
    talks, new = (make_conversations(n, random_state=seed).frame for n, seed in ((80, 0), (40, 1)))
    names = {"text_column": "text", "group_column": "group"}
    params = {"hidden_size": 16, "max_epochs": 8, "random_state": 0, "device": "cpu"}
    alone = ContextMemoryClassifier(**names, **params).fit(
        talks[["text", "group"]], talks["target"]
    )
    X = new[["text", "group"]]
    loaded = [ContextMemoryClassifier.load(fits["folder"] / f"{rank}.ctxmem") for rank in (0, 1)]
    assert np.array_equal(loaded[0].predict_proba(X), loaded[1].predict_proba(X))
    assert loaded[0].score(X, new["target"]) > alone.score(X, new["target"]) - 0.05
    assert alone.score(X, new["target"]) > 0.8  # chance is 0.4
    assert fits["whole"]["reason"] == "all 8 epochs done"
    assert not fits["end"]["is_open"]


def test_random_state_decides_everything(fits):
    """Check two fits of one seed; without a seed, processes agreed on one: see the fixture."""
    assert fits["once"]["digest"] == fits["again"]["digest"]
    assert fits["once"]["digest"] != fits["without a seed"]["digest"]


def test_validation_scores_are_those_of_all_rows_held_out(fits):
    """Check that a score is a number of hits over that of all rows that are held out."""
    talks = make_conversations(80, random_state=0).frame
    units, targets = (talks[name].factorize()[0] for name in ("group", "target"))
    weights, random = np.ones(len(talks)), np.random.RandomState(0)
    held_out = hold_out_groups(units, targets, weights, 0.1, random, grouped=True)
    hits = np.array(fits["held out"]["history"]["valid_score"]) * held_out.sum()
    assert np.allclose(hits, np.round(hits), atol=1e-6)
    assert hits.max() > 0.8 * held_out.sum()


@pytest.mark.parametrize("context", ["both", "none"])
def test_dense_features_and_other_contexts_are_fitted_too(context, fits):
    """Check rows that see both ways, and rows that stand alone."""
    assert fits[f"score {context}"]["score"] > 0.8


@pytest.mark.parametrize("name", ["words", "convolution"])
def test_words_are_read_too(name, fits):
    """Check that the table of words, whose gradients are sent by row, learns."""
    (loss,) = fits[name]["history"]["train_loss"]
    assert loss < 1.6  # the logarithm of five classes


def test_other_rows_in_one_process_are_an_error_in_all(fits):
    """Check that rows in another order are seen before training."""
    message = fits["other rows"]["message"]
    assert message.startswith("The rows, classes, groups or weights of process 1 differ from")
    assert not fits["other rows"]["learned"]


def test_other_weights_in_one_process_are_an_error_in_all(fits):
    """Check that weights are compared like rows."""
    assert "groups or weights of process 1 differ" in fits["other weights"]["message"]


def test_other_parameters_in_one_process_are_an_error_in_all(fits):
    """Check that networks of unlike sizes, which would end the interpreter, are not trained."""
    message = fits["other sizes"]["message"]
    assert message.startswith("hidden_size is 16 in process 0, but 8 in process 1; pass")
    assert not fits["other sizes"]["learned"]
    message = fits["other checkpoints"]["message"]
    assert message.startswith("checkpoint is None in process 0, but 'a folder' in process 1")


@pytest.mark.parametrize("is_open", ["yes", ""])
def test_a_process_that_never_comes_is_an_error_after_the_timeout(is_open, tmp_path):
    """Check that the timeout holds for the meeting too, also in a group of the user's."""
    script = """
    if os.environ["IS_OPEN"]:
        dist.init_process_group("gloo")
    if RANK == 0:
        began = time.monotonic()
        try:
            fit_distributed(make(), X, y, timeout=2)
        except ProcessLostError as error:
            say(message=str(error), waited=time.monotonic() - began)
    else:
        time.sleep(5)
    os._exit(0)
    """
    first, _ = run(script, tmp_path, IS_OPEN=is_open)
    assert first["message"].startswith("Not all processes called fit_distributed within 2 seconds")
    assert first["waited"] < 20


def test_more_processes_than_groups_are_an_error_in_all(fits):
    """Check that a process without rows is no endless wait."""
    assert "use fewer processes or a larger batch_size" in fits["one group"]["message"]


def test_a_step_is_that_of_one_process_that_has_all_rows(tmp_path):
    """Check sums of gradients against one process, with shares of very unequal length."""
    script = """
    from scipy import sparse
    from sk_ctxmem._rows._row_set import ColumnSorter, take_features
    from sk_ctxmem._network._kernels import table_product
    from sk_ctxmem.distributed._many_processes import ManyProcesses
    from sk_ctxmem.distributed._shared_features import SharedSorter
    dist.init_process_group("gloo")
    random = np.random.RandomState(0)
    shapes = ((40, 3), (50, 3), (5, 3), (3,), (2,))
    features, words, embedded, rest, rare = (
        torch.nn.Parameter(torch.ones(*shape)) for shape in shapes
    )
    rows = sparse.random_array((11, 40), density=0.2, format="csr", rng=0, dtype=np.float32)
    slopes = torch.from_numpy(random.randn(11, 3).astype(np.float32))
    ids = torch.from_numpy(random.randint(50, size=(11, 4)))
    processes = ManyProcesses(dist.group.WORLD)
    vectors = torch.from_numpy(random.randn(11, 5).astype(np.float32))
    processes.complete, processes.with_dense = [features], [embedded]

    class Optimizer:
        dense, tables = [rest, rare], [features, words, embedded]

    def loss_of(own, sorter):
        read = table_product(features, take_features(rows, own, sorter))
        read = read + torch.nn.functional.embedding(ids[own], words, sparse=True).sum(dim=1)
        read = read + vectors[own] @ embedded
        return ((read + rest) * slopes[own]).sum() / 11

    def gradients(loss):
        of_tables = [features.grad.to_dense(), words.grad.to_dense(), embedded.grad]
        return [*of_tables, rest.grad, loss.detach()]

    own = np.arange(9, 11) if RANK else np.arange(9)
    loss = loss_of(own, SharedSorter(processes, 40))
    loss.backward()
    together = gradients(processes.sum_gradients(Optimizer, loss))
    features.grad = words.grad = embedded.grad = rest.grad = None
    loss = loss_of(np.arange(11), ColumnSorter(40))
    loss.backward()
    alone = gradients(loss)
    say(rare=rare.grad is None,
        unlike=[float((one - other).abs().max()) for one, other in zip(together, alone)])
    dist.destroy_process_group()
    """
    for said in run(script, tmp_path):
        assert said["rare"]
        assert max(said["unlike"]) < 1e-6


def test_a_process_that_dies_is_an_error_in_the_others_within_30_seconds(tmp_path):
    """Check that nobody waits for the dead, and that the classifier stays as it was."""
    script = """
    from skorch.callbacks import Callback
    import signal

    class Die(Callback):
        def on_batch_end(self, net, **kwargs):
            if len(net.history) == 2:
                print("dying", flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

    clf = make(max_epochs=50, callbacks=[Die()])
    try:
        fit_distributed(clf, X, y)
    except ProcessLostError as error:
        say(message=str(error), learned=hasattr(clf, "classes_"), is_open=dist.is_initialized())
    """
    processes = start(script, tmp_path)
    processes[0].stdout.readline()
    died = time.monotonic()
    _, second = finish(processes, timeout=60)
    assert time.monotonic() - died < 30
    assert processes[0].returncode == -signal.SIGKILL
    assert second["message"].startswith("Process 1 of 2 lost another process")
    assert not second["learned"]
    assert not second["is_open"]


def test_a_process_that_hangs_is_an_error_after_the_timeout(tmp_path):
    """Check that a process which is alive, but does not answer, is not waited for for ever."""
    script = """
    from skorch.callbacks import Callback

    class Hang(Callback):
        def on_epoch_end(self, net, **kwargs):
            time.sleep(20)

    try:
        fit_distributed(make(callbacks=[Hang()]), X, y, timeout=2)
    except ProcessLostError as error:
        say(message=str(error))
        os._exit(0)  # the first one sleeps on
    """
    *_, second = run(script, tmp_path)
    assert second["message"].startswith("Process 1 of 2 lost another process")


def test_an_error_in_one_process_ends_the_others(tmp_path):
    """Check that an error that only one process has is no endless wait in the others."""
    script = """
    from skorch.callbacks import Callback

    class Break(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise OSError("no space left")

    dist.init_process_group("gloo")  # which stays open
    try:
        fit_distributed(make(callbacks=[Break()]), X, y)
    except (OSError, ProcessLostError) as error:
        say(kind=type(error).__name__)
        time.sleep(5 * (1 - RANK))  # the first process lives on
    """
    assert run(script, tmp_path) == [{"kind": "OSError"}, {"kind": "ProcessLostError"}]


def test_a_fit_goes_on_from_the_checkpoint_of_the_first_process(tmp_path):
    """Check that a fit that was killed ends in the weights of one that was not."""
    script = """
    from skorch.callbacks import Callback
    import signal

    class Die(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 3:
                os.kill(os.getpid(), signal.SIGKILL)

    folder, dies = os.environ["FOLDER"], os.environ["DIES"] == "yes"
    if not dies:
        say(whole=digest(fit_distributed(make(max_epochs=4), X, y)))
    clf = make(max_epochs=4, checkpoint=folder, callbacks=[Die()] if dies else None)
    try:
        say(again=digest(fit_distributed(clf, X, y)), n_files=len(os.listdir(folder)))
    except ProcessLostError:
        say(lost=True, n_files=len(os.listdir(folder)))
    """
    folder = {"FOLDER": str(tmp_path / "kept")}
    assert run(script, tmp_path, DIES="yes", **folder)[1] == {"lost": True, "n_files": 1}
    first, second = run(script, tmp_path, DIES="no", every=True, **folder)
    assert first == second
    assert first[0]["whole"] == first[1]["again"]
    assert first[1]["n_files"] == 0


def test_only_the_first_process_writes(tmp_path):
    """Check that callbacks and the bar are of the first process, and that a stop is of all."""
    script = """
    from skorch.callbacks import Callback

    class StopAfterTwo(Callback):
        def on_epoch_end(self, net, **kwargs):
            print("epoch", flush=True)
            if len(net.history) == 2:
                raise KeyboardInterrupt

    clf = fit_distributed(make(max_epochs=5, verbose=1, callbacks=[StopAfterTwo()]), X, y)
    say(n_iter=clf.n_iter_, reason=clf.stop_reason_)
    """
    processes = start(script, tmp_path)
    (out, bar), (other_out, no_bar) = (process.communicate(timeout=300) for process in processes)
    assert out.splitlines()[:2] == ["epoch"] * 2
    assert out.splitlines()[2:] == other_out.splitlines()
    assert '"n_iter": 2' in other_out
    assert "stopped by the callback StopAfterTwo in epoch 2" in other_out
    assert "epoch 2/5" in bar
    assert no_bar == ""


def test_callbacks_that_change_training_are_called_in_all_processes(tmp_path):
    """Check that all have the same weights, before they take those of the first process."""
    script = """
    from skorch.callbacks import Freezer, GradientNormClipping, LRScheduler
    from sk_ctxmem.distributed._many_processes import ManyProcesses
    digests, broadcast_weights = [], ManyProcesses.broadcast_weights

    def spy(self, network):
        weights = [weight.numpy().tobytes() for weight in network.state_dict().values()]
        digests.append(sha256(b"".join(weights)).hexdigest())
        broadcast_weights(self, network)

    ManyProcesses.broadcast_weights = spy
    clipping, freezer = GradientNormClipping(0.01), Freezer("decoder.*", at=2)
    scheduler = LRScheduler("StepLR", step_size=1, gamma=0.5)
    for callbacks in ([], [clipping], [clipping, scheduler], [clipping, freezer]):
        fit_distributed(make(callbacks=callbacks, word_memory=True), X, y)
    say(digests=digests[1::2])  # at the end of each fit
    """
    first, second = run(script, tmp_path)
    assert first == second
    assert len(set(first["digests"])) == 4


def test_ctrl_c_in_one_process_ends_all_after_the_epoch(tmp_path):
    """Check that all keep the same epochs, and warn."""
    script = """
    from skorch.callbacks import Callback
    import signal
    from sk_ctxmem import TrainingInterruptedWarning

    class Interrupt(Callback):
        def on_batch_end(self, net, **kwargs):
            if len(net.history) == 2 and not self.sent:
                self.sent = True
                os.kill(os.getpid(), signal.SIGINT)
    Interrupt.sent = False
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by jobs in the background
    warnings.simplefilter("ignore", TrainingInterruptedWarning)
    clf = fit_distributed(make(max_epochs=5, callbacks=[Interrupt()]), X, y)
    say(n_iter=clf.n_iter_, reason=clf.stop_reason_, digest=digest(clf))
    """
    first, second = run(script, tmp_path)
    assert first == second
    assert first["reason"] == "interrupted by Ctrl-C after epoch 2"


def test_torchrun_starts_it_and_a_group_that_was_open_stays_so(tmp_path):
    """Check the command of the documentation, and that only what the fit began is ended by it."""
    script = """
dist.init_process_group("gloo")
fit_distributed(make(max_epochs=1), X, y)
total = torch.ones(())
dist.all_reduce(total)
say(total=float(total))
dist.destroy_process_group()
"""
    path = tmp_path / "script.py"
    path.write_text(BEGINNING + script, encoding="utf-8")
    for n_processes in (1, 2):
        command = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n_processes}"]
        done = subprocess.run(
            [sys.executable, *command, str(path)],
            capture_output=True,
            cwd=ROOT,
            text=True,
            timeout=300,
            check=True,
        )
        said = f'{{"total": {n_processes}.0}}'  # in lines that may run into one another
        assert done.stdout.replace("\n", "") == said * n_processes
