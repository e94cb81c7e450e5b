"""Tests of the training loop: optimiser, rates, early stopping, global state."""

import copy
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import sparse
from skorch import NeuralNet

from sk_ctxmem import ContextMemoryClassifier, TrainingDivergedError
from sk_ctxmem._network._label_transitions import NO_LABEL
from sk_ctxmem._rows._held_out import hold_out_groups
from sk_ctxmem._rows._row_set import RowSet
from sk_ctxmem._runtime import choose_device, one_thread
from sk_ctxmem._training._callbacks import LinearDecay
from sk_ctxmem._training._dataset import find_labels_before
from sk_ctxmem._training._optimizer import TwoRateOptimizer, _largest_eigenvalue, stable_rate
from sk_ctxmem._training._trainer import EpochMeans, Trainer
from sk_ctxmem.datasets import make_conversations


@pytest.fixture
def numeric_problem():
    """Two noisy classes of 200 rows."""
    random = np.random.RandomState(0)
    X = random.normal(size=(200, 4))
    return X, X[:, 0] + random.normal(size=200) > 0


def test_the_class_before_is_that_of_the_group():
    """Check which class each row follows, in any order of rows, and that weight 0 hides it."""
    rows = RowSet(
        features=np.zeros((5, 1), dtype=np.float32),
        extras=np.zeros((5, 2), dtype=np.float32),
        speakers=np.zeros(5, dtype=np.int64),
        rows=np.array([3, 0, 4, 2, 1]),
        lengths=np.array([3, 2]),
        words=None,
        word_offsets=None,
        context="past",
    )
    targets, weights = np.array([0, 1, 2, 3, 4]), np.array([1.0, 1, 1, 1, 0])
    before = find_labels_before(rows, targets, weights)
    assert before.tolist() == [3 + 1, 2 + 1, NO_LABEL, NO_LABEL, 0 + 1]
    hidden = find_labels_before(rows, targets, weights[::-1])  # row 0 has no weight
    assert hidden.tolist() == [3 + 1, 2 + 1, NO_LABEL, NO_LABEL, NO_LABEL]


def test_sparse_step_equals_the_dense_one():
    """Check that plain SGD on a sparse gradient moves the table as the dense gradient would."""
    start = torch.arange(12.0).reshape(6, 2)
    tables = [torch.nn.Parameter(start.clone()) for _ in range(2)]
    ids = torch.tensor([1, 4, 1])
    for table, is_sparse in zip(tables, (True, False), strict=True):
        rest = torch.nn.Parameter(torch.ones(1))
        optimizer = TwoRateOptimizer([{"params": [table, rest]}], 0.01, [table], 0.5)
        torch.nn.functional.embedding(ids, table, sparse=is_sparse).square().sum().backward()
        optimizer.step()
    torch.testing.assert_close(tables[0], tables[1])
    assert (tables[0] != start).any(dim=1).tolist() == [False, True, False, False, True, False]


def test_steps_read_the_rates_of_both_groups():
    """Check that the rates in param_groups reach the tables and the rest."""
    table, rest = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    optimizer = TwoRateOptimizer([{"params": [table, rest]}], 0.01, [table], 8.0)
    assert [group["name"] for group in optimizer.param_groups] == ["dense", "tables"]
    for group in optimizer.param_groups:
        group["lr"] *= 0.25
    (table.sum() + rest.sum()).backward()
    optimizer.step()
    torch.testing.assert_close(table.detach(), torch.full((2,), 1 - 2.0))
    decayed = 1 - 0.0025 * 0.01  # by the weight decay; then Adam's first step is the rate
    torch.testing.assert_close(rest.detach(), torch.full((2,), decayed - 0.0025))


def test_decay_lowers_both_rates_to_a_fiftieth():
    """Check the rates in the first, a middle and the last step, from the initial rates."""
    weights = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    optimizer = TwoRateOptimizer([{"params": weights}], 0.5, weights[:1], 8.0)
    net, decay, rates = SimpleNamespace(optimizer_=optimizer), LinearDecay(100), []
    decay.on_train_begin(net)
    for _ in range(100):
        decay.on_batch_begin(net, training=True)
        decay.on_batch_begin(net, training=False)
        rates.append([group["lr"] for group in optimizer.param_groups])
    assert rates[0] == [0.5, 8.0]
    assert rates[50] == [0.25, 4.0]
    assert rates[-1] == [0.01, 0.16]


def test_the_closure_runs_with_gradients_and_gives_the_loss():
    """Check a step as skorch takes it, where the caller has switched gradients off."""
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = TwoRateOptimizer([{"params": [weight]}], 0.01, [], 1.0)

    def closure():
        optimizer.zero_grad()
        loss = weight.sum()
        loss.backward()
        return loss

    with torch.no_grad():
        assert optimizer.step(closure) == 2.0
    assert (weight < 1).all()


def test_gradients_are_removed_or_set_to_zero():
    """Check both ways of zero_grad, for dense and sparse gradients."""
    table, rest = torch.nn.Parameter(torch.ones(3, 2)), torch.nn.Parameter(torch.ones(2))
    optimizer = TwoRateOptimizer([{"params": [table, rest]}], 0.01, [table], 8.0)
    read = torch.nn.functional.embedding(torch.tensor([1]), table, sparse=True)
    (read.sum() + rest.sum()).backward()
    optimizer.zero_grad(set_to_none=False)
    assert table.grad.to_dense().tolist() == [[0.0, 0.0]] * 3
    assert rest.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert table.grad is None
    assert rest.grad is None


@pytest.mark.parametrize("through_pickle", [False, True])
def test_an_optimizer_goes_on_from_the_state_of_another(through_pickle):
    """Check that steps after load_state_dict are those of the optimizer that was never stored."""
    states, weights = [], []
    for is_restored in (False, True):
        weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        optimizer = TwoRateOptimizer([{"params": [weight]}], 0.01, [], 1.0)
        for number in range(6):
            if is_restored and number == 3:
                state = copy.deepcopy(optimizer.state_dict())
                optimizer = TwoRateOptimizer([{"params": [weight]}], 0.5, [], 1.0)
                optimizer.load_state_dict(state)
                if through_pickle:
                    weight, optimizer = pickle.loads(pickle.dumps((weight, optimizer)))
            optimizer.zero_grad()
            weight.square().sum().backward()
            optimizer.step()
        weights.append(weight.detach())
        states.append(optimizer.moments())
    assert torch.equal(*weights)
    torch.testing.assert_close(*states, rtol=0, atol=0)
    assert states[0]["steps"] == [6]


def test_cyclic_schedulers_of_torch_take_both_groups():
    """Check a scheduler that writes the momentum too, and that it changes both rates."""
    table, rest = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    optimizer = TwoRateOptimizer([{"params": [table, rest]}], 0.01, [table], 8.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, [0.1, 1.0], total_steps=4)
    rest.sum().backward()
    optimizer.step()
    scheduler.step()
    assert [group["lr"] for group in optimizer.param_groups] == scheduler.get_last_lr()
    assert optimizer.param_groups[0]["betas"] != (0.9, 0.999)


def test_the_training_step_is_that_of_skorch():
    """Check that callbacks are told of gradients, as skorch does it and nobody else."""
    assert Trainer.train_step is NeuralNet.train_step
    assert isinstance(TwoRateOptimizer([{"params": []}], 0.1, [], 1.0), torch.optim.Optimizer)


NO_COMPILER = """
import sys
from sk_ctxmem import ContextMemoryClassifier
from skorch.callbacks import EarlyStopping, GradientNormClipping

callbacks = [GradientNormClipping(1.0), EarlyStopping(monitor="train_loss")]
clf = ContextMemoryClassifier(max_epochs=1, callbacks=callbacks)
clf.fit(["a b", "c"] * 20, [0, 1] * 20).partial_fit(["a b", "c"] * 20, [0, 1] * 20)
assert "torch._dynamo" not in sys.modules
"""


def test_a_fit_does_not_import_the_compiler_of_torch():
    """Check in a new process, as the import takes longer than a small fit."""
    subprocess.run([sys.executable, "-c", NO_COMPILER], check=True)


def test_dense_steps_are_those_of_adamw():
    """Check some steps, the first with a gradient that is clipped, against torch's AdamW."""
    ours, theirs = (torch.nn.Parameter(torch.tensor([1.0, -2.0])) for _ in range(2))
    optimizer = TwoRateOptimizer([{"params": [ours]}], 0.01, [], 1.0)
    reference = torch.optim.AdamW([theirs], lr=0.01, weight_decay=0.01)
    for scale in (100.0, 1.0, 0.1):
        for weight, each in ((ours, optimizer), (theirs, reference)):
            each.zero_grad()
            (scale * weight.square().sum()).backward()
            if weight is theirs:
                torch.nn.utils.clip_grad_norm_([weight], 5.0)
            each.step()
    torch.testing.assert_close(ours, theirs)


def test_weights_without_a_gradient_stay():
    """Check that a weight that a loss does not reach is not moved, nor decayed."""
    used, unused = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    optimizer = TwoRateOptimizer([{"params": [used, unused]}], 0.01, [], 1.0)
    used.sum().backward()
    optimizer.step()
    assert (used < 1).all()
    assert (unused == 1).all()


def test_largest_eigenvalue_is_that_of_numpy():
    """Check the power iteration against a full decomposition."""
    X = sparse.random_array((50, 8), density=0.5, format="csr", random_state=0)
    expected = np.linalg.eigvalsh((X.T @ X).toarray() / 50).max()
    assert _largest_eigenvalue(X) == pytest.approx(expected, rel=1e-3)


def _rate(X, weights):
    """Return the rate on all rows, in batches of 10."""
    each = np.arange(X.shape[0])
    rows = RowSet(X, None, each, each, np.ones_like(each), None, None, "none")
    return stable_rate(rows, np.arange(X.shape[0]), weights, 10)


def test_table_rate_follows_curvature_and_largest_row():
    """Check the rate where each of its two bounds holds."""
    ones = np.ones(100, dtype=np.float32)
    alike = sparse.csr_array(ones[:, np.newaxis])
    assert _rate(alike, ones) == pytest.approx(4.0)
    apart = sparse.csr_array(np.eye(100, dtype=np.float32))
    assert _rate(apart, ones) == pytest.approx(40.0)
    heavy = np.r_[50.0, ones[1:] / 2]  # a heavy row counts in the mean, not in the second bound
    assert _rate(apart, heavy) == pytest.approx(4.0 / 0.5)
    assert _rate(sparse.csr_array((100, 4), dtype=np.float32), ones) == 1.0


def test_global_state_is_as_before():
    """Check that fit and predict leave random generators and thread count alone."""
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    threads = torch.get_num_threads()
    clf = ContextMemoryClassifier(max_epochs=1, random_state=0)
    clf.fit(["a b", "c"] * 20, [0, 1] * 20).predict(["a"])
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(
    "surroundings",
    [torch.no_grad, lambda: default_type(torch.float64)],
    ids=["no_grad", "doubles"],
)
def test_settings_of_the_caller_do_not_matter(numeric_problem, surroundings):
    """Check that fit and predict are the same where gradients are off or doubles the default."""
    X, y = numeric_problem
    clf = ContextMemoryClassifier(max_epochs=1, random_state=0, hidden_size=8)
    groups = np.arange(200) // 5
    expected = clf.fit(X, y, groups=groups).predict_proba(X, groups=groups)
    with surroundings():
        found = clf.fit(X, y, groups=groups).predict_proba(X, groups=groups)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@contextmanager
def default_type(dtype):
    """Change torch's default type of numbers for a while."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def test_threads_come_back_after_an_error():
    """Check that an error inside does not keep torch on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyError, match="inside"), one_thread():
            raise KeyError("inside")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_fits_in_threads_are_those_of_one(numeric_problem):
    """Check that fits side by side in threads draw the numbers of their own seeds."""
    X, y = numeric_problem

    def fit(seed):
        clf = ContextMemoryClassifier(random_state=seed, max_epochs=2, hidden_size=8)
        return clf.fit(X, y).predict_proba(X)

    expected = [fit(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(fit, range(4)))
    np.testing.assert_array_equal(found, expected)


def test_interrupt_ends_the_fit_and_changes_nothing(numeric_problem, monkeypatch):
    """Check that Ctrl-C in training reaches the caller, and that early stopping does not."""
    X, y = numeric_problem
    clf = ContextMemoryClassifier(random_state=0, max_epochs=3, n_iter_no_change=1).fit(X, y)
    before = clf.predict_proba(X)

    record = EpochMeans.on_epoch_end

    def interrupt(self, net, **kwargs):
        if len(net.history) == 2:
            raise KeyboardInterrupt
        record(self, net, **kwargs)

    monkeypatch.setattr(EpochMeans, "on_epoch_end", interrupt)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, ~y)
    assert (clf.predict_proba(X) == before).all()


def test_weights_that_the_last_step_ruins_are_an_error(numeric_problem):
    """Check that a fit does not end with weights that its last step made infinite."""
    X, y = numeric_problem
    clf = ContextMemoryClassifier(learning_rate=1e38, n_iter_no_change=None, max_epochs=1)
    clf.set_params(random_state=0, hidden_size=8)
    with pytest.raises(TrainingDivergedError, match=r"not finite.* lower learning_rate=1e\+38"):
        clf.fit(X[:4], y[:4], groups=[0, 1, 2, 3])  # a single step


def test_the_weights_of_the_best_epoch_are_kept(numeric_problem, monkeypatch):
    """Check that the network has the weights that it had after its best epoch, not its last."""
    X, y = numeric_problem
    scores = [0.5, 0.6, 0.9, 0.8, 0.7, 0.9]  # no better after the third
    after_epochs, record_means = [], EpochMeans.on_epoch_end

    def on_epoch_end(self, net, **kwargs):
        record_means(self, net, **kwargs)
        net.history.record("valid_score", scores[len(after_epochs)])
        after_epochs.append(copy.deepcopy(net.module_.state_dict()))

    monkeypatch.setattr(EpochMeans, "on_epoch_end", on_epoch_end)
    clf = ContextMemoryClassifier(random_state=0, max_epochs=12, n_iter_no_change=3, dropout=0.0)
    clf.set_params(learning_rate=0.1).fit(X, y)
    best = int(clf.history_["valid_score"].idxmax())
    assert (best, clf.n_iter_) == (2, 6)  # so that the copy was made anew, and restored
    for name, weight in clf._model.network.state_dict().items():
        torch.testing.assert_close(weight, after_epochs[best][name].to(weight.dtype))
        assert not torch.equal(weight, after_epochs[-1][name].to(weight.dtype))


def test_weights_with_a_memory_are_means_over_epochs(monkeypatch):
    """Check that a fit with groups ends in the mean of the epochs from the second on."""
    talks = make_conversations(20, random_state=0)
    X, y = talks.data, talks.target
    after_epochs, record_means = [], EpochMeans.on_epoch_end

    def on_epoch_end(self, net, **kwargs):
        record_means(self, net, **kwargs)
        after_epochs.append(copy.deepcopy(net.module_.state_dict()))

    monkeypatch.setattr(EpochMeans, "on_epoch_end", on_epoch_end)
    clf = ContextMemoryClassifier(text_column="text", group_column="group", max_epochs=4)
    clf.set_params(random_state=0).fit(X, y)
    for name, weight in clf._model.network.state_dict().items():
        seen = torch.stack([weights[name] for weights in after_epochs[1:]])
        assert not torch.equal(seen[0], seen[2])
        torch.testing.assert_close(weight, seen.mean(dim=0))
    clf.set_params(n_iter_no_change=4).fit(X, y)  # then the weights are those of the best epoch
    best = 4 + int(clf.history_["valid_score"].idxmax())
    torch.testing.assert_close(clf._model.network.state_dict(), after_epochs[best])


def test_rare_class_of_great_weight_does_not_stop_the_others():
    """Check that class_weight="balanced" with three rows of one class keeps the rest accurate."""
    random = np.random.RandomState(0)
    y = random.randint(0, 4, 4000)
    words = np.array([f"w{number}" for number in range(400)])
    texts = [" ".join(words[100 * label + random.randint(0, 100, 6)]) for label in y]
    y[[10, 2001, 3002]] = 9
    clf = ContextMemoryClassifier(random_state=0, class_weight="balanced")
    assert clf.fit(texts, y).score(texts, y) > 0.95


def test_small_batches_are_of_short_pieces():
    """Check that few rows in long groups are learned in steps of the nominal size."""
    talks = make_conversations(8, n_turns=(50, 50), random_state=0)
    clf = ContextMemoryClassifier(
        text_column="text", group_column="group", n_iter_no_change=None, random_state=0
    )
    losses = clf.fit(talks.data, talks.target).history_["train_loss"]
    assert losses.iloc[-1] < 1.1  # what guessing evenly costs


def test_unknown_device_is_refused():
    """Check the message for a device that torch does not know."""
    with pytest.raises(ValueError, match="device='cpuu' cannot be used here.*device='auto'"):
        choose_device("cpuu")


def test_loss_that_is_not_finite_stops_the_fit():
    """Check that training on a rate that is far too high ends in an error that says where."""
    X = np.random.RandomState(0).normal(size=(60, 3))
    clf = ContextMemoryClassifier(learning_rate=1e38, random_state=0)
    with pytest.raises(TrainingDivergedError, match="epoch 1, batch .* lower learning_rate"):
        clf.fit(X, X[:, 0] > 0)


def test_best_epoch_is_restored(numeric_problem):
    """Check that early stopping ends with the weights of the epoch with the best score."""
    X, y = numeric_problem
    common = {"random_state": 0, "learning_rate": 0.05, "validation_fraction": 0.4}
    stopped = ContextMemoryClassifier(max_epochs=30, n_iter_no_change=2, **common).fit(X, y)
    scores = stopped.history_["valid_score"].to_numpy()
    assert stopped.n_iter_ == len(scores) < 30
    assert stopped.n_iter_ == scores.argmax() + 1 + 2
    held_out = _held_out_score(stopped, X, y)
    assert held_out == pytest.approx(scores.max())


def _held_out_score(clf, X, y):
    """Score on the rows that fit held out: the first draw of its random state."""
    random = np.random.RandomState(clf.random_state)
    targets = np.unique(y, return_inverse=True)[1]
    held_out = hold_out_groups(
        np.arange(len(y)),
        targets,
        np.ones(len(y)),
        clf.validation_fraction,
        random,
        grouped=False,
    )
    return clf.score(X[held_out], y[held_out])


def test_history_tells_each_epoch(numeric_problem):
    """Check the columns of the history, and that the loss falls."""
    history = ContextMemoryClassifier(random_state=0).fit(*numeric_problem).history_
    columns = ["epoch", "train_loss", "valid_loss", "valid_score", "seconds"]
    assert history.columns.tolist() == columns
    assert history["epoch"].tolist() == list(range(1, len(history) + 1))
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    assert (history["seconds"] > 0).all()


def test_small_data_are_trained_whole():
    """Check that nothing is held out where that would be fewer than 10 rows."""
    clf = ContextMemoryClassifier(random_state=0, max_epochs=3, n_iter_no_change=2)
    clf.fit(["a", "b"] * 20, [0, 1] * 20)
    assert clf.history_["valid_score"].isna().all()
    assert clf.n_iter_ == 3


def test_progress_bar_goes_to_standard_error(capsys, numeric_problem):
    """Check that verbose=1 shows epochs and scores, and verbose=0 shows nothing."""
    ContextMemoryClassifier(max_epochs=2, n_iter_no_change=2, verbose=1).fit(*numeric_problem)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "epoch 2" in shown.err
    assert "valid_score" in shown.err
    ContextMemoryClassifier(max_epochs=2).fit(*numeric_problem)
    assert capsys.readouterr() == ("", "")


def test_progress_bar_shows_no_score_where_nothing_is_held_out(capsys, numeric_problem):
    """Check that the bar of a fit on all rows has the training loss alone."""
    ContextMemoryClassifier(max_epochs=2, verbose=1).fit(*numeric_problem)
    shown = capsys.readouterr().err
    assert "train_loss" in shown
    assert "valid" not in shown
