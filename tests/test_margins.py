"""Tests of the margins of the wide path: their loss, and when they are learned."""

import numpy as np
import pytest
import torch
from _networks import make_network
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import log_softmax

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._network._loss import ContextMemoryLoss
from sk_ctxmem._training import _trainer
from sk_ctxmem._training._penalties import NO_PENALTIES, Penalties
from sk_ctxmem._training._trainer import learns_margins

ALONE = {"sparse": True, "context": "none", "n_words": 0, "n_extras": 0, "n_speakers": 1}


def test_loss_with_margins_is_the_formula():
    """Check the loss of a batch in NumPy, and that the other parts alone do not count."""
    random = np.random.RandomState(0)
    logits, targets = random.normal(size=(3, 4, 5)), np.array([0, 4, 2, 2])
    weights = np.array([1.0, 2.0, 0.5, 1.0])
    loss = ContextMemoryLoss(8, smoothing=0.1, margins=True)
    truth = torch.from_numpy(targets), torch.from_numpy(weights)
    found = loss(tuple(torch.from_numpy(logits)), truth)
    wanted = np.full((4, 5), 0.1 / 4)
    wanted[np.arange(4), targets] = 0.9
    whole, wide = (-(wanted * log_softmax(each, axis=1)).sum(axis=1) for each in logits[:2])
    signs = np.where(np.arange(5) == targets[:, np.newaxis], 1, -1)
    hinges = np.square(np.maximum(0, 1 - signs * logits[1])).sum(axis=1)
    assert_allclose(found.item(), weights @ (whole + 0.3 * wide + 0.1 * hinges) / 8)
    assert_allclose(loss.last_sum.item(), weights @ whole)


@pytest.mark.parametrize(
    ("sizes", "penalty", "n_rows", "expected"),
    [
        ({}, 0.0, 300, True),
        ({}, 0.0, 299, False),  # too few rows of each class
        ({}, 0.1, 300, False),  # noisy labels
        ({"n_classes": 2}, 0.0, 300, False),
        ({"context": "past"}, 0.0, 300, False),
        ({"n_words": 6}, 0.0, 300, False),
        ({"n_dense": 2}, 0.0, 300, False),
        ({"multilabel": True}, 0.0, 300, False),
        ({"sparse": False}, 0.0, 300, False),
    ],
)
def test_margins_are_for_clean_rows_that_stand_alone(sizes, penalty, n_rows, expected):
    """Check each condition of the rule."""
    network = make_network(**ALONE | sizes)
    assert learns_margins(network, Penalties(penalty), n_rows) is expected


def fit_and_predict(texts, labels):
    """Return the probabilities of a fit."""
    clf = ContextMemoryClassifier(random_state=0, max_epochs=2, hidden_size=8, device="cpu")
    return clf.fit(texts, labels).predict_proba(texts)


@pytest.mark.parametrize(("n_rows", "learns"), [(330, True), (270, False)])
def test_fits_of_few_rows_keep_their_bits(n_rows, learns, monkeypatch):
    """Check that the rule changes a fit of enough rows, and no other."""
    random = np.random.RandomState(0)
    labels = random.randint(3, size=n_rows)
    labels[:3] = range(3)
    texts = [f"word{random.randint(50)} class{label}" for label in labels]
    found = fit_and_predict(texts, labels)
    monkeypatch.setattr(_trainer, "learns_margins", lambda *args: False)
    without = fit_and_predict(texts, labels)
    if learns:
        assert np.abs(found - without).max() > 1e-3
    else:
        assert_array_equal(found, without)


def test_no_penalties_have_no_table_penalty():
    """Check that rows of which nothing is known count as clean."""
    assert learns_margins(make_network(**ALONE), NO_PENALTIES, 10_000)
