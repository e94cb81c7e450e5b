"""Tests of rows whose weights are many times those of others."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.utils.class_weight import compute_sample_weight

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._rows._row_set import RowSet
from sk_ctxmem._training._calibration import fit_temperature
from sk_ctxmem._training._dataset import TrainingRows
from sk_ctxmem._training._draws import MOST_WEIGHT, count_passes, plan_draws
from sk_ctxmem._training._trainer import choose_rates
from sk_ctxmem.distributed._shares import SharedRows, find_owners


def make_rare(n_rows, n_positive, seed):
    """Return rows of eight random words; nine in ten of the positive rows have two of their own."""
    random = np.random.RandomState(seed)
    words = random.randint(2000, size=(n_rows, 8)).astype(str).astype(object)
    y = np.zeros(n_rows, dtype=int)
    y[random.permutation(n_rows)[:n_positive]] = 1
    words[np.flatnonzero(y & (random.random_sample(n_rows) < 0.9)), :2] = "alarm", "urgent"
    return [" ".join(row) for row in words], y


def f1_of_logistic_regression(train, test):
    """Return the F1 score of a balanced logistic regression on TF-IDF."""
    vectorizer = TfidfVectorizer(token_pattern=r"\S+").fit(train[0])
    linear = LogisticRegression(class_weight="balanced")
    linear.fit(vectorizer.transform(train[0]), train[1])
    return f1_score(test[1], linear.predict(vectorizer.transform(test[0])))


def f1_of_ours(train, test, group_size, weighted_by):
    """Return the F1 score of our classifier on groups of `group_size` rows; 0 is no groups."""
    groups = [np.arange(len(y)) // group_size if group_size else None for _, y in (train, test)]
    by_class = weighted_by == "class_weight"
    weights = None if by_class else compute_sample_weight("balanced", train[1])
    clf = ContextMemoryClassifier(random_state=0, class_weight="balanced" if by_class else None)
    clf.fit(*train, sample_weight=weights, groups=groups[0])
    return f1_score(test[1], clf.predict(test[0], groups=groups[1]))


@pytest.mark.parametrize(
    ("n_positive", "group_size", "weighted_by"),
    [
        (10, 0, "class_weight"),
        pytest.param(10, 0, "sample_weight", marks=pytest.mark.slow),
        pytest.param(20, 0, "class_weight", marks=pytest.mark.slow),
        pytest.param(100, 0, "sample_weight", marks=pytest.mark.slow),
        pytest.param(10, 20, "class_weight", marks=pytest.mark.slow),
        pytest.param(100, 100, "sample_weight", marks=pytest.mark.slow),
    ],
)
def test_a_rare_class_is_found_as_by_logistic_regression(n_positive, group_size, weighted_by):
    """Check balanced weights of up to 500 times the mean."""
    train, test = make_rare(10_000, n_positive, 0), make_rare(30_000, 3 * n_positive, 1000)
    expected = f1_of_logistic_regression(train, test)
    assert expected > 0.85
    assert f1_of_ours(train, test, group_size, weighted_by) > expected - 0.01


@pytest.mark.slow
def test_chunks_with_a_rare_class_find_it():
    """Check partial_fit with the weights of balanced classes as a dict."""
    (X, y), test = make_rare(10_000, 20, 0), make_rare(30_000, 60, 1000)
    clf = ContextMemoryClassifier(random_state=0, class_weight={0: 0.5, 1: 250})
    for _ in range(3):
        for start in range(0, 10_000, 2500):
            chunk = slice(start, start + 2500)
            clf.partial_fit(X[chunk], y[chunk], classes=[0, 1])
    assert f1_score(test[1], clf.predict(test[0])) > f1_of_logistic_regression((X, y), test) - 0.01


@pytest.fixture
def small_problem():
    """Return texts of two words and two classes."""
    random = np.random.RandomState(0)
    y = random.randint(2, size=200)
    return [f"w{label}{random.randint(3)} x{random.randint(9)}" for label in y], y


def _probabilities(problem, weights, seed=0):
    clf = ContextMemoryClassifier(random_state=seed, max_epochs=1, hidden_size=8)
    return clf.fit(*problem, sample_weight=weights).predict_proba(problem[0])


@pytest.mark.parametrize("factor", [1e-8, 3.0, 1e8])
def test_only_the_relation_of_weights_counts(small_problem, factor):
    """Check unequal weights times a constant, and that equal weights change no bit."""
    weights = np.ones(200)
    weights[:3], weights[3:9] = 40, 0
    found = _probabilities(small_problem, factor * weights)
    np.testing.assert_allclose(found, _probabilities(small_problem, weights), atol=1e-5)
    equal = _probabilities(small_problem, np.full(200, factor))
    np.testing.assert_array_equal(equal, _probabilities(small_problem, None))


def test_one_giant_weight_does_not_spoil_its_row(small_problem):
    """Check that a row with almost all of the weight gets its class."""
    weights = np.ones(200)
    weights[7] = 1e8
    found = _probabilities(small_problem, weights)
    assert found[7, small_problem[1][7]] > 0.8


def _rows(lengths, features=None):
    n_rows = sum(lengths)
    return RowSet(
        features=np.zeros((n_rows, 1), np.float32) if features is None else features,
        extras=None,
        speakers=np.zeros(n_rows, dtype=np.int64),
        rows=np.arange(n_rows)[::-1],  # groups are not in the order of X
        lengths=np.asarray(lengths),
        words=None,
        word_offsets=None,
        context="past",
    )


def test_heavy_pieces_are_drawn_several_times_with_shared_weights():
    """Check the copies, and that the sum of the weights of each row over an epoch is its weight."""
    rows = _rows([4, 1, 5])
    weights = np.ones(10, dtype=np.float32)
    weights[9] = 18.5 * MOST_WEIGHT  # the first row of the first group
    weights /= weights.mean()
    draws = plan_draws(rows, weights, 32)
    n_times = int(np.ceil(weights[9] / MOST_WEIGHT))
    assert n_times == 2
    assert draws.lengths.tolist() == [4, 4, 1, 5]
    assert len(draws) == 14
    drawn = draws.row_numbers()
    np.testing.assert_allclose(np.bincount(drawn, draws.weights[drawn]), weights, rtol=1e-6)
    assert draws.weights.max() <= MOST_WEIGHT


def test_weights_that_are_not_heavy_are_left_as_they_are():
    """Check up to eight times the mean, in single precision, and that nothing is copied."""
    weights = np.repeat(np.float32([8.000001, 0]), [10, 70])
    draws = plan_draws(_rows([40, 40]), weights, 25)
    assert draws.weights is weights
    assert draws.lengths.tolist() == [20] * 4
    assert draws.row_numbers().tolist() == list(range(80))[::-1]


def test_an_epoch_without_context_grows_by_at_most_an_eighth():
    """Check weights of a heavy tail."""
    weights = np.random.RandomState(0).pareto(0.8, size=5000).astype(np.float32)
    draws = plan_draws(_rows([1] * 5000), weights / weights.mean(), 32)
    assert 5000 < len(draws) <= 5000 * (1 + 1 / MOST_WEIGHT)


@pytest.mark.parametrize("n_processes", [2, 3])
@pytest.mark.parametrize("batch_size", [16, 50])
def test_all_processes_draw_the_same_number_of_batches(n_processes, batch_size):
    """Check heavy rows that only one process has."""
    lengths = [30, 20, 3, 1, 1, 40, 25, 5, 5, 8, 30]
    weights = np.full(sum(lengths), 0.5, dtype=np.float32)
    weights[-10:] = 60
    rows = TrainingRows(
        _rows(lengths), np.zeros(len(weights), int), weights, np.random.RandomState(0)
    )
    owners = find_owners(rows.rows, n_processes)
    parts = [SharedRows(rows, owners, rank, n_processes, None) for rank in range(n_processes)]
    batches = [[sum(w.tolist()) for _, (_, w) in part.batches(batch_size)] for part in parts]
    n_drawn = rows.count_draws(batch_size)[0]
    n_steps = -(-n_drawn // batch_size)
    assert n_drawn > len(rows)
    assert {len(part) for part in batches} == {n_steps}
    assert sum(map(sum, batches)) == pytest.approx(weights.sum())


def test_table_rate_does_not_depend_on_which_rows_are_heavy():
    """Check the rate where the eigenvalue is computed from one row in five."""
    X = sparse.csr_array(np.repeat(np.eye(2, dtype=np.float32), [9990, 10], axis=0))
    X = sparse.hstack([X, sparse.eye_array(10_000)], format="csr").astype(np.float32)
    rates = []
    for shift in (0, 5000):
        rows = np.roll(np.arange(10_000), shift)
        weights = np.where(rows >= 9990, 500, 0.5).astype(np.float32)
        data = TrainingRows(_rows([1] * 10_000, X[rows]), np.zeros(10_000, int), weights, None)
        rates.append(choose_rates(data, 200, 2)[0])
    assert rates[0] == pytest.approx(rates[1], rel=0.05)


def test_one_heavy_row_does_not_decide_the_temperature():
    """Check that a wrong row of half of the weight counts as few rows."""
    logits = np.tile([4.0, -4.0], (500, 1))
    targets, weights = np.zeros(500, dtype=int), np.full(500, 0.5)
    targets[3], weights[3] = 1, 250
    assert fit_temperature(logits, targets, weights) < 3  # 10, the largest, if it counts as 250
    assert fit_temperature(logits, np.zeros(500, int), weights) == pytest.approx(1, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("n_positive", [10, 20, 100])
def test_rare_class_of_single_words_is_found(n_positive):
    """Check features of single words, for which the rate of the tables is 30 times lower."""
    train, test = make_rare(10_000, n_positive, 0), make_rare(40_000, 4 * n_positive, 50)
    vectorizer = TfidfVectorizer(token_pattern=r"\S+").fit(train[0])
    X, X_test = vectorizer.transform(train[0]), vectorizer.transform(test[0])
    clf = ContextMemoryClassifier(class_weight="balanced", random_state=0).fit(X, train[1])
    ours = f1_score(test[1], clf.predict(X_test))
    assert ours > f1_of_logistic_regression(train, test) - 0.03


@pytest.mark.parametrize(
    ("n_rows", "n_heavy", "context", "expected"),
    [(90, 0, "none", 4), (8000, 0, "none", 2), (20_000, 0, "none", 1), (90, 0, "past", 1)]
    + [(8000, 10, "none", 4)],
)
def test_few_dense_rows_are_drawn_several_times(n_rows, n_heavy, context, expected):
    """Check the passes of an epoch; rows of unequal weights count as fewer."""
    rows = replace(_rows([1] * n_rows), context=context)
    weights = np.full(n_rows, 0.5, dtype=np.float32)
    weights[:n_heavy] = 100
    assert count_passes(rows, weights) == expected
    draws = plan_draws(rows, weights, 32, expected)
    n_times = np.bincount(draws.row_numbers())
    assert n_times.min() == expected
    np.testing.assert_allclose(n_times * draws.weights, expected * weights, rtol=1e-6)


def test_sparse_rows_are_drawn_once():
    """Check few rows of sparse features, which keep their number of steps."""
    rows = replace(_rows([1] * 30, sparse.csr_array(np.eye(30))), context="none")
    assert count_passes(rows, np.ones(30, dtype=np.float32)) == 1


def test_processes_share_all_passes():
    """Check that two processes draw each of few dense rows as often as one does."""
    weights = np.ones(120, dtype=np.float32)
    rows = TrainingRows(_rows([1] * 120), np.zeros(120, int), weights, np.random.RandomState(0))
    rows.n_passes = 4
    owners = find_owners(rows.rows, 2)
    parts = [SharedRows(rows, owners, rank, 2, None) for rank in range(2)]
    drawn = [sum(len(w) for _, (_, w) in part.batches(4)) for part in parts]
    assert drawn == [240, 240]
