"""Tests of one fit in several real processes."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from _fits import BEGINNING, ROOT, finish, run, start

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._splitting import hold_out_groups
from sk_ctxmem.datasets import make_conversations


def test_every_process_ends_with_the_same_ordinary_classifier(tmp_path):
    """Check that weights, history and predictions are one and the same, and that it is good."""
    script = """
    clf = fit_distributed(make(max_epochs=8), X, y)
    clf.save(os.environ["FOLDER"] + f"/{RANK}.ctxmem")
    new = make_conversations(40, random_state=1).frame
    say(digest=digest(clf), score=clf.score(new[["text", "group"]], new["target"]),
        history=clf.history_.to_dict("list"), temperature=clf.temperature_,
        reason=clf.stop_reason_, is_open=dist.is_initialized())
    """
    first, second = run(script, tmp_path, FOLDER=str(tmp_path))
    assert first == second
    assert first["score"] > 0.9  # chance is 0.4
    assert first["reason"] == "all 8 epochs done"
    assert not first["is_open"]
    new = make_conversations(40, random_state=1).frame
    loaded = ContextMemoryClassifier.load(tmp_path / "1.ctxmem")
    assert loaded.score(new[["text", "group"]], new["target"]) == first["score"]


def test_a_step_is_that_of_one_process_that_has_all_rows(tmp_path):
    """Check sums of gradients against one process, with shares of very unequal length."""
    script = """
    from sk_ctxmem._processes import OneProcess
    from sk_ctxmem.distributed._many_processes import ManyProcesses
    dist.init_process_group("gloo")
    random = np.random.RandomState(0)
    table, rest, rare = (torch.nn.Parameter(torch.zeros(*shape)) for shape in ((50, 3), (3,), (2,)))
    rows = [(random.choice(50, 4), random.rand(4).astype(np.float32)) for _ in range(11)]

    class Weights:
        dense, tables = [rest, rare], [table]

    def loss_of(part):
        total = torch.zeros(())
        for ids, values in part:
            found = torch.nn.functional.embedding(torch.tensor(ids), table, sparse=True)
            total = total + (torch.tensor(values) @ (found + rest)).sum() / 11
        return total

    def gradients():
        return [table.grad.to_dense().tolist(), rest.grad.tolist(), rare.grad]

    loss = loss_of(rows[:9] if RANK else rows[9:])
    loss.backward()
    total = ManyProcesses(dist.group.WORLD).sum_gradients(Weights, loss)
    together = gradients()
    for weight in (table, rest):
        weight.grad = None
    whole = loss_of(rows)
    whole.backward()
    alone = gradients()
    say(loss=abs(total.item() - whole.item()), rare=together[2] is None,
        table=float(np.abs(np.subtract(together[0], alone[0])).max()),
        rest=float(np.abs(np.subtract(together[1], alone[1])).max()))
    dist.destroy_process_group()
    """
    for said in run(script, tmp_path):
        assert said["rare"]
        assert max(said["loss"], said["table"], said["rest"]) < 1e-6


def test_validation_and_temperature_are_those_of_all_rows(tmp_path):
    """Check that scores of the rows held out do not depend on the process that predicts them."""
    script = """
    clf = fit_distributed(make(max_epochs=6, n_iter_no_change=2), X, y)
    say(history=clf.history_.to_dict("list"), temperature=clf.temperature_, n_iter=clf.n_iter_)
    """
    talks = make_conversations(80, random_state=0).frame
    units, targets = (talks[name].factorize()[0] for name in ("group", "target"))
    weights, random = np.ones(len(talks)), np.random.RandomState(0)
    held_out = hold_out_groups(units, targets, weights, 0.1, random, grouped=True)
    for n_processes in (2, 3):
        first, *others = run(script, tmp_path, n_processes)
        assert all(other == first for other in others)
        scores = np.array(first["history"]["valid_score"])
        hits = scores * held_out.sum()
        assert np.allclose(hits, np.round(hits), atol=1e-6)
        assert scores.max() > 0.8


def test_the_same_seed_gives_the_same_weights_in_two_runs(tmp_path):
    """Check that nothing is drawn that random_state does not decide."""
    script = "say(digest=digest(fit_distributed(make(), X, y)))"
    assert run(script, tmp_path) == run(script, tmp_path)


def test_processes_without_a_seed_agree_on_one(tmp_path):
    """Check that random_state=None takes the state of the first process."""
    script = "say(digest=digest(fit_distributed(make(random_state=None), X, y)))"
    first, second = run(script, tmp_path)
    assert first == second


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
    assert second["message"].startswith("Process 1 of the 2 that fit together lost another one")
    assert not second["learned"]
    assert not second["is_open"]


def test_an_error_in_one_process_ends_the_others(tmp_path):
    """Check that an error that only one process has is no endless wait in the others."""
    script = """
    from skorch.callbacks import Callback

    class Break(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise OSError("no space left")

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

    dies = os.environ["DIES"] == "yes"
    clf = make(max_epochs=4, checkpoint=os.environ["FOLDER"], callbacks=[Die()] if dies else None)
    try:
        say(digest=digest(fit_distributed(clf, X, y)), n_files=len(os.listdir(clf.checkpoint)))
    except ProcessLostError:
        say(lost=True, n_files=len(os.listdir(clf.checkpoint)))
    """
    whole = run(script, tmp_path, FOLDER=str(tmp_path / "a"), DIES="no")
    _, second = run(script, tmp_path, FOLDER=str(tmp_path / "b"), DIES="yes")
    assert second == {"lost": True, "n_files": 1}
    assert run(script, tmp_path, FOLDER=str(tmp_path / "b"), DIES="no") == whole
    assert whole[0]["n_files"] == 0


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
    (out, bar), (other_out, no_bar) = (process.communicate(timeout=120) for process in processes)
    assert out.splitlines()[:2] == ["epoch"] * 2
    assert out.splitlines()[2:] == other_out.splitlines()
    assert '"n_iter": 2' in other_out
    assert "stopped by the callback StopAfterTwo in epoch 2" in other_out
    assert "epoch 2/5" in bar
    assert no_bar == ""


def test_other_rows_in_one_process_are_an_error_in_all(tmp_path):
    """Check that rows in another order, or other classes, are seen before training."""
    script = """
    rows = np.arange(len(X))[:: 1 if RANK == 0 else -1]
    try:
        fit_distributed(make(), X.iloc[rows], y.iloc[rows])
    except ValueError as error:
        say(message=str(error))
    """
    for said in run(script, tmp_path):
        assert said["message"].startswith("The rows, classes or parameters of process 1 are not")


def test_more_processes_than_groups_are_an_error_in_all(tmp_path):
    """Check that a process without rows is no endless wait."""
    script = """
    few = talks[talks["group"].isin(talks["group"].unique()[:2])]
    try:
        fit_distributed(make(), few[["text", "group"]], few["target"])
    except ValueError as error:
        say(message=str(error))
    """
    for said in run(script, tmp_path, 3):
        assert "take fewer processes or a larger batch_size" in said["message"]


def test_a_group_that_the_user_opened_stays_open(tmp_path):
    """Check that only what the fit began is ended by it."""
    script = """
    dist.init_process_group("gloo")
    fit_distributed(make(max_epochs=1), X, y)
    total = torch.ones(())
    dist.all_reduce(total)
    say(total=float(total))
    dist.destroy_process_group()
    """
    assert run(script, tmp_path) == [{"total": 2.0}] * 2


def test_torchrun_starts_it(tmp_path):
    """Check the command of the documentation, in two processes and in one."""
    path = tmp_path / "script.py"
    path.write_text(BEGINNING + "say(n=fit_distributed(make(), X, y).n_iter_)", encoding="utf-8")
    for n_processes in (1, 2):
        command = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n_processes}"]
        done = subprocess.run(
            [sys.executable, *command, str(path)],
            capture_output=True,
            cwd=ROOT,
            text=True,
            timeout=120,
            check=True,
        )
        assert done.stdout.split("\n")[:-1] == ['{"n": 2}'] * n_processes


@pytest.mark.parametrize("context", ["both", "none"])
def test_other_kinds_of_rows_are_shared_out_too(context, tmp_path):
    """Check rows that see both ways, and rows that stand alone, with dense features."""
    script = f"""
    numbers = np.random.RandomState(0).randn(len(X), 5)
    clf = make(context="{context}", group_column=None, text_column=None)
    fit_distributed(clf, numbers, numbers[:, 0] > 0, groups=talks["group"])
    say(score=clf.score(numbers, numbers[:, 0] > 0, groups=talks["group"]))
    """
    first, second = run(script, tmp_path)
    assert first == second
    assert first["score"] > 0.8
