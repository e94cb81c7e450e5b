"""Tests of how sure predictions are."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import softmax
from sklearn.metrics import log_loss
from sklearn.preprocessing import normalize

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._batches import RowSet
from sk_ctxmem._calibration import choose_late_rows, fit_temperature
from sk_ctxmem._preparation import RowNormScaler
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


def test_late_rows_are_whole_groups():
    """Check the share of the late rows, that no group is cut, and that few rows have none."""
    units = np.repeat(np.arange(400), np.random.RandomState(0).randint(1, 20, size=400))
    late = choose_late_rows(units, np.random.RandomState(1))
    assert 0.03 < late.mean() <= 0.05
    shares = np.bincount(units, late) / np.bincount(units)
    assert set(shares) == {0.0, 1.0}
    assert not choose_late_rows(np.arange(1900), np.random.RandomState(0)).any()
    assert choose_late_rows(np.arange(100_000), np.random.RandomState(0)).sum() == 2000


def test_rows_kept_out_are_read_like_new_ones():
    """Check that a row loses what it alone has, and gets the norm that it would have had."""
    counts = sparse.random_array((200, 500), density=0.05, random_state=0).tocsr()
    X = sparse.csr_array(normalize(counts))
    kept_out = np.arange(200) % 4 == 0
    scaler = RowNormScaler().fit(X[~kept_out])
    without = counts[kept_out].toarray()
    without[:, counts[~kept_out].sum(axis=0) == 0] = 0
    as_new = scaler.transform(sparse.csr_array(normalize(without)))
    read = scaler.transform(X, kept_out)
    np.testing.assert_allclose(read[kept_out].toarray(), as_new.toarray(), atol=1e-6)
    others = scaler.transform(X[~kept_out]).toarray()
    np.testing.assert_array_equal(read[~kept_out].toarray(), others)


def test_norms_that_differ_are_left_alone():
    """Check that rows that are not normalised, such as counts, are not made so."""
    X = sparse.random_array((100, 30), density=0.3, random_state=0).tocsr()
    kept_out = np.arange(100) < 10
    scaler = RowNormScaler().fit(X[~kept_out])
    np.testing.assert_array_equal(
        scaler.transform(X, kept_out).toarray(), scaler.transform(X).toarray()
    )


def _noisy_rows():
    """Return rows of rare features whose labels are noisy, easily learned by heart, and others."""
    random = np.random.RandomState(0)
    counts = sparse.random_array((6000, 3000), density=0.01, random_state=random)
    X = sparse.csr_array(normalize(counts))
    wanted = X @ random.normal(size=(3000, 2)) + random.gumbel(size=(6000, 2))
    y = np.array(["no", "yes"])[wanted.argmax(axis=1)]
    return (X[:4000], y[:4000]), (X[4000:], y[4000:])


@pytest.mark.parametrize("n_iter_no_change", [None, 4])
def test_noisy_labels_make_the_model_less_sure(n_iter_no_change):
    """Check that the temperature makes probabilities of new rows better, whatever rows told it."""
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

    def count(self, n_rows, random=None):
        if random is not None:  # in training
            seen.append(len(self))
        return batches(self, n_rows, random)

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
    clf.set_params(max_epochs=2).fit(talks.data[:500], talks.target[:500])
    assert clf.temperature_ == 1.0
