"""Tests of the wide path of dense features, which is fitted before the first epoch."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, log_loss

from benchmarks.battery.tasks import list_tasks
from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._rows._row_set import RowSet
from sk_ctxmem._training._dataset import TrainingRows
from sk_ctxmem._training._linear_start import (
    RotatedRows,
    choose_inverse_penalty,
    find_linear_start,
)
from sk_ctxmem._training._optimizer import FixedWidePath


def make_rows(n_rows, n_columns=20, n_classes=3, noise=1.0, seed=0):
    """Return standardized correlated columns, class numbers, and weights."""
    random = np.random.RandomState(seed)
    X = random.standard_normal((n_rows, n_columns)) + 3 * random.standard_normal((n_rows, 1))
    X = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
    scores = X @ np.random.RandomState(99).standard_normal((n_columns, n_classes))
    y = (scores + noise * random.gumbel(size=scores.shape)).argmax(axis=1)
    return X, y, random.uniform(0.5, 2, n_rows).astype(np.float32)


def rows_alone(X):
    """Return a RowSet of dense rows without context."""
    n_rows = len(X)
    return RowSet(
        features=X,
        extras=None,
        speakers=np.zeros(n_rows, dtype=np.int64),
        rows=np.arange(n_rows),
        lengths=np.ones(n_rows, dtype=np.int64),
        words=None,
        word_offsets=None,
        context="none",
    )


def wide_path(clf):
    """Return the weights of the wide path of a classifier."""
    table = clf.net_.module_.table
    return table.weight.detach().numpy()[:, table.widths[0] :]


@pytest.mark.parametrize(("n_rows", "n_columns"), [(500, 20), (30, 40)])
def test_the_axes_lead_to_the_weights_of_logistic_regression(n_rows, n_columns):
    """Check the probabilities, with more rows than columns and with fewer."""
    X, y, weights = make_rows(n_rows, n_columns)
    rotated = RotatedRows(X, y, weights)
    found = rotated.fit(1 / (0.1 * weights.sum()), rotated.zeros(3), 100)
    logits = torch.from_numpy(rotated.X @ found[:-1] + found[-1])
    expected = LogisticRegression(C=0.1, tol=1e-8, max_iter=1000).fit(X, y, weights)
    np.testing.assert_allclose(logits.softmax(dim=1), expected.predict_proba(X), atol=0.01)


def test_noise_chooses_a_larger_penalty():
    """Check the inverse penalty of columns that tell the class, and of many that tell nothing."""
    X, y, weights = make_rows(900, noise=0.01)
    noise = np.random.RandomState(1).standard_normal((900, 300)).astype(np.float32)
    y_noisy = np.where(noise[:, 299] > 0, y, noise.argmax(axis=1) % 3)
    assert choose_inverse_penalty(X, y, weights, 3) == 100
    assert choose_inverse_penalty(np.hstack([X, noise]), y_noisy, weights, 3) <= 0.01


def test_few_rows_of_equal_weight_take_the_usual_penalty():
    """Check ten heavy rows of 1,000, whose held-out rows would decide by chance."""
    X, y, weights = make_rows(1000)
    weights[:10] = 1000
    assert choose_inverse_penalty(X, y, weights, 3) == 1.0


@pytest.mark.parametrize("context", ["past", "both"])
def test_rows_in_context_have_no_linear_start(context):
    """Check that the wide path of rows in groups is trained as before."""
    X, y, _ = make_rows(60)
    groups = np.repeat(np.arange(20), 3)
    clf = ContextMemoryClassifier(context=context, random_state=0, max_epochs=1)
    clf.fit(X, y, groups=groups)
    assert not clf.net_.criterion_.residual


def test_wide_columns_have_no_linear_start():
    """Check more columns than the axes of which can be found in the time of a fit."""
    X, y, _ = make_rows(60, n_columns=1001)
    clf = ContextMemoryClassifier(random_state=0, max_epochs=1).fit(X, y)
    assert not clf.net_.criterion_.residual


def test_the_wide_path_stays_a_logistic_regression():
    """Check that training leaves the wide path alone, and that a warm start trains it on."""
    X, y, _ = make_rows(60)
    clf = ContextMemoryClassifier(random_state=0, warm_start=True).fit(X, y)
    wide = wide_path(clf)
    other = ContextMemoryClassifier(random_state=1, max_epochs=1).fit(X, y)
    np.testing.assert_array_equal(wide, wide_path(other))
    clf.fit(X, y)
    assert not clf.net_.criterion_.residual
    assert 0 < np.abs(wide_path(clf) - wide).max() < 0.5


def test_rows_that_are_held_back_do_not_reach_the_wide_path():
    """Check that the rows which fit the temperature are new to the logistic regression."""
    X, y, weights = make_rows(300)
    late = np.arange(300) < 100
    found = []
    for targets in (y, np.where(late, 0, y)):
        data = TrainingRows(rows_alone(X), targets, weights, np.random.RandomState(0))
        data.hold_back(late)
        found.append(find_linear_start(data, 3))
    np.testing.assert_array_equal(found[0].weights, found[1].weights)


def test_a_penalty_shrinks_what_learns_the_rest():
    """Check the gradients: zero for the wide path, and those of the penalty for all others."""
    network = ContextMemoryClassifier(random_state=0, max_epochs=1).fit(*make_rows(60)[:2]).net_
    network = network.module_
    for weight in (network.table.weight, network.decoder.weight):
        weight.grad = torch.ones_like(weight)
    FixedWidePath(network, 0.5).change_gradients()
    read, wide = network.table.weight.grad.split(network.table.widths, dim=1)
    expected = 1 + 0.5 * network.table.weight[:, : read.shape[1]]
    torch.testing.assert_close(read, expected)
    torch.testing.assert_close(network.decoder.weight.grad, 1 + 0.5 * network.decoder.weight)
    assert not wide.any()


def test_a_rare_class_of_dense_columns_is_found():
    """Check F1 of 100 positive rows in 10,000: it was .824, and is .862."""
    task = list_tasks()["dense, 100 of 10,000 positive"](0)
    clf = ContextMemoryClassifier(class_weight="balanced", random_state=0).fit(task.X, task.y)
    assert f1_score(task.y_test, clf.predict(task.X_test)) > 0.84


def test_few_rows_of_many_noisy_columns_are_not_learned_by_heart():
    """Check the loss of new rows of 400 columns, most of which tell nothing: it was 1.25."""
    random = np.random.RandomState(0)
    X = random.standard_normal((2500, 400))
    y = (X[:, :10].sum(axis=1) + 3 * random.standard_normal(2500) > 0).astype(int)
    clf = ContextMemoryClassifier(random_state=0).fit(X[:500], y[:500])
    regression = LogisticRegression(C=0.003).fit(X[:500], y[:500])
    losses = [log_loss(y[500:], each.predict_proba(X[500:])) for each in (clf, regression)]
    assert losses[0] < losses[1] + 0.03
