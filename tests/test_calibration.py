"""Tests of how sure predictions are."""

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import softmax
from sklearn.metrics import log_loss
from sklearn.preprocessing import normalize

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._network._net import ContextMemoryNet
from sk_ctxmem._rows._row_set import RowSet
from sk_ctxmem._training import _fit
from sk_ctxmem._training._calibration import as_new_rows, choose_calibration_rows, fit_temperature
from sk_ctxmem._training._callbacks import measure_temperature
from sk_ctxmem._training._penalties import NO_PENALTIES
from sk_ctxmem.datasets import make_conversations

COLUMNS = {"text_column": "text", "group_column": "group"}


def _draw(probabilities, random):
    """Draw a class for each row by its probabilities."""
    lots = random.random_sample((len(probabilities), 1))
    return (probabilities.cumsum(axis=1) < lots).sum(axis=1)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_temperature_is_that_of_the_logits(factor):
    """Check that logits too large by a factor get this factor as temperature."""
    random = np.random.RandomState(0)
    logits = 2 * random.normal(size=(5000, 4))
    targets = _draw(softmax(logits, axis=1), random)
    temperature = fit_temperature(factor * logits, targets, np.ones(5000))
    assert temperature == pytest.approx(factor, rel=0.06)


def test_temperature_reads_weights():
    """Check that rows of weight 0 say nothing, and that few rows say little."""
    random = np.random.RandomState(0)
    logits = 2 * random.normal(size=(1000, 3))
    targets = _draw(softmax(logits, axis=1), random)
    targets[500:] = random.randint(3, size=500)  # these say that nothing is sure
    weights = np.repeat([1.0, 0.0], 500)
    assert fit_temperature(logits, targets, weights) == pytest.approx(
        fit_temperature(logits[:500], targets[:500], weights[:500])
    )
    assert fit_temperature(logits, targets, 1 - weights) > 2
    assert fit_temperature(logits[500:503], targets[500:503], np.ones(3)) < 1.5


def _choose(units, *, targets=None, weights=None, seed=0):
    """Choose late rows, of one class and of equal weight if not said otherwise."""
    targets = np.zeros(len(units), dtype=np.int64) if targets is None else targets
    weights = np.ones(len(units)) if weights is None else weights
    return choose_calibration_rows(units, targets, weights, np.random.RandomState(seed))


def test_late_rows_are_whole_groups():
    """Check the share of the late rows, that no group is cut, and that few rows have none."""
    units = np.repeat(np.arange(400), np.random.RandomState(0).randint(1, 20, size=400))
    late = _choose(units)
    assert 0.05 <= late.mean() < 0.06
    shares = np.bincount(units, late) / np.bincount(units)
    assert set(shares) == {0.0, 1.0}
    assert not _choose(np.arange(1900)).any()
    assert _choose(np.arange(100_000)).sum() == 2000
    assert _choose(np.repeat(np.arange(19), 1000)).sum() == 1000


@pytest.mark.parametrize("seed", range(20))
def test_late_rows_spare_classes_and_weights(seed):
    """Check that every class stays among the others, and that weight alone counts."""
    units = np.repeat(np.arange(125), 20)
    targets = (units == 7).astype(np.int64)
    assert not _choose(units, targets=targets, seed=seed)[units == 7].any()
    weights = (units % 2).astype(float)
    assert _choose(np.arange(2500), weights=weights, seed=seed).sum() == 0  # too few that count
    weights = np.where(units == 7, 1.0, 0.0)
    assert not _choose(units, weights=weights, seed=seed).any()


def test_rows_kept_out_are_read_like_new_ones():
    """Check that a row loses what it alone has, and gets the norm that it would have had."""
    counts = sparse.random_array((200, 500), density=0.02, random_state=0).tocsr()
    X = sparse.csr_array(normalize(counts))
    kept_out = np.arange(200) % 4 == 0
    read = as_new_rows(X, kept_out).toarray()
    known = counts[kept_out].toarray()
    known[:, counts[~kept_out].sum(axis=0) == 0] = 0
    assert (known != 0).sum() < counts[kept_out].nnz
    np.testing.assert_allclose(read[kept_out], normalize(known), atol=1e-6)
    assert not read[~kept_out].any()


def test_norms_that_differ_are_left_alone():
    """Check that rows that are not normalised, such as counts, are not made so."""
    X = sparse.random_array((100, 30), density=0.3, random_state=0).tocsr()
    kept_out = np.arange(100) < 10
    np.testing.assert_array_equal(as_new_rows(X, kept_out).toarray()[:10], X[:10].toarray())
    dense = X.toarray()
    assert as_new_rows(dense, kept_out) is dense


def test_rows_kept_out_without_anything_known_are_empty():
    """Check that a row of unknown columns has no features, as a new one would."""
    X = sparse.csr_array(np.eye(4, dtype=np.float32))
    assert not as_new_rows(X, np.array([True, False, False, True])).toarray().any()


def _noisy_rows():
    """Return rows of rare features whose labels are noisy, easily learned by heart, and others."""
    random = np.random.RandomState(0)
    counts = sparse.random_array((6000, 3000), density=0.01, random_state=random)
    X = sparse.csr_array(normalize(counts))
    wanted = X @ random.normal(size=(3000, 2)) + random.gumbel(size=(6000, 2))
    y = np.array(["no", "yes"])[wanted.argmax(axis=1)]
    return (X[:4000], y[:4000]), (X[4000:], y[4000:])


@pytest.mark.parametrize("n_iter_no_change", [None, 4])
def test_noisy_labels_make_the_model_less_sure(n_iter_no_change, monkeypatch):
    """Check that the temperature makes probabilities of new rows better, whatever rows told it."""
    # a penalty would keep the model from being too sure
    monkeypatch.setattr(_fit, "choose_penalties", lambda *args: NO_PENALTIES)
    train, test = _noisy_rows()
    clf = ContextMemoryClassifier(random_state=0, n_iter_no_change=n_iter_no_change).fit(*train)
    assert clf.temperature_ > 1.2
    probabilities = clf.predict_proba(test[0])
    hot = np.log(probabilities) * clf.temperature_  # but for a constant in each row
    assert log_loss(test[1], probabilities) < log_loss(test[1], softmax(hot, axis=1)) - 0.02
    np.testing.assert_array_equal(clf.classes_[hot.argmax(axis=1)], clf.predict(test[0]))


def test_late_rows_are_in_the_last_epoch_alone(monkeypatch):
    """Check how many rows each epoch goes through."""
    talks = make_conversations(300, random_state=0)
    seen, batches = [], RowSet.batches

    def count(self, n_rows, random=None, *others, **more):
        if random is not None:  # in training
            seen.append(len(self))
        return batches(self, n_rows, random, *others, **more)

    monkeypatch.setattr(RowSet, "batches", count)
    clf = ContextMemoryClassifier(**COLUMNS, random_state=0, max_epochs=3, hidden_size=8)
    clf.fit(talks.data, talks.target)
    n_rows = len(talks.target)
    assert seen[0] == seen[1]
    assert 0.94 * n_rows < seen[0] < n_rows
    assert seen[2] == n_rows


def test_one_epoch_and_few_rows_have_no_temperature():
    """Check that all rows are trained on from the start where nothing could be told."""
    talks = make_conversations(300, random_state=0)
    clf = ContextMemoryClassifier(**COLUMNS, random_state=0, max_epochs=1, hidden_size=8)
    assert clf.fit(talks.data, talks.target).temperature_ == 1.0
    clf.set_params(max_epochs=3).fit(talks.data[:500], talks.target[:500])
    assert clf.temperature_ == 1.0


def test_warm_start_keeps_the_temperature():
    """Check that rows that were trained on before do not tell how sure to be."""
    train, _ = _noisy_rows()
    clf = ContextMemoryClassifier(random_state=0, max_epochs=3, warm_start=True).fit(*train)
    temperature = clf.temperature_
    assert temperature > 1.2
    assert clf.set_params(random_state=1).fit(*train).temperature_ == temperature
    assert clf.set_params(max_epochs=1).fit(*train).temperature_ == temperature


@pytest.mark.slow
def test_rows_of_one_labelled_group_are_enough():
    """Check that a fit goes well in which most rows have weight 0 and are context only."""
    random = np.random.RandomState(0)
    X, groups = random.normal(size=(2400, 5)), np.repeat(np.arange(120), 20)
    for features in (X, sparse.csr_array(X)):
        clf = ContextMemoryClassifier(random_state=0, hidden_size=8)
        clf.fit(features, X[:, 0] > 0, sample_weight=groups == 5, groups=groups)
        assert clf.temperature_ == 1.0


def test_temperature_is_measured_on_one_thread(monkeypatch):
    """Check that the rows of early stopping are judged on one thread, as all of a fit."""
    threads, forward = [], ContextMemoryNet.forward

    def count(self, batch):
        threads.append(torch.get_num_threads())
        return forward(self, batch)

    monkeypatch.setattr(ContextMemoryNet, "forward", count)
    before = torch.get_num_threads()
    X = np.random.RandomState(0).normal(size=(300, 4))
    torch.set_num_threads(2)
    try:
        ContextMemoryClassifier(n_iter_no_change=1, max_epochs=2).fit(X, X[:, 0] > 0)
    finally:
        torch.set_num_threads(before)
    assert set(threads) == {1}


def test_rows_of_all_processes_tell_the_temperature():
    """Check that what the processes gather is what counts."""
    random = np.random.RandomState(0)
    of_all = (random.randn(50, 3) * 4, random.randint(3, size=50), np.ones(50))

    class Processes:
        def gather(self, own):
            assert [part.shape for part in own] == [(0, 3), (0,), (0,)]  # this one has no row
            return of_all

    class Net:
        module_ = torch.nn.ModuleDict({"decoder": torch.nn.Linear(2, 3)})
        module_.window = 64
        module_.multilabel = False
        processes = Processes()
        device = "cpu"

    class NoRows:
        def batches(self, n_rows, window, every_row):
            assert (window, every_row) == (64, False)
            return iter(())

        rows = property(lambda self: self)

    assert measure_temperature(Net, NoRows()) == fit_temperature(*of_all)
