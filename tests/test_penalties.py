"""Tests of the L2 penalty of the feature table, and of its choice."""

import tracemalloc
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.linear_model import Ridge
from sklearn.preprocessing import normalize
from skorch.callbacks import Callback

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._dense._reader import _choose_norm
from sk_ctxmem._network._encoder import FeatureTable
from sk_ctxmem._rows._row_set import RowSet
from sk_ctxmem._training import _fit, _penalties
from sk_ctxmem._training._dataset import TrainingRows
from sk_ctxmem._training._optimizer import ShrunkTable
from sk_ctxmem._training._penalties import (
    GRID,
    NO_PENALTIES,
    _mean_squared_norm,
    choose_penalties,
)
from sk_ctxmem.datasets import make_conversations


def _make_texts(n_rows, wrong, seed=0, n_new=2000):
    """Return texts of eight random words and one that tells the class, and noisy labels."""
    random = np.random.RandomState(seed)
    y = random.randint(2, size=n_rows + n_new)
    words = random.randint(2000, size=(len(y), 8))
    texts = [
        " ".join(f"w{word}" for word in row) + (" good" if label else " bad")
        for row, label in zip(words, y, strict=True)
    ]
    given = np.where(random.random_sample(len(y)) < wrong, 1 - y, y)
    return texts[:n_rows], given[:n_rows], texts[n_rows:], y[n_rows:]


def _make_rows(n_rows=600, n_features=400, n_classes=2, wrong=0.3, lengths=None, weights=None):
    """Return rows with one column for each class among random ones."""
    random = np.random.RandomState(0)
    features = sparse.random_array(
        (n_rows, n_features),
        density=0.05 if n_features > 50 else 0.5,
        rng=random,
        dtype=np.float32,
        format="csr",
    )
    targets = random.randint(n_classes, size=n_rows)
    features = features.tolil()
    features[np.arange(n_rows), targets] = 1  # a word that tells the class
    features = features.tocsr().astype(np.float32)
    noisy = random.random_sample(n_rows) < wrong
    targets[noisy] = random.randint(n_classes, size=noisy.sum())
    rows = RowSet(
        features=features, extras=None, speakers=np.zeros(n_rows, dtype=np.int64),
        rows=np.arange(n_rows), lengths=np.ones(n_rows, dtype=np.int64) if lengths is None
        else np.array(lengths), words=None, word_offsets=None, context="none",
    )  # fmt: skip
    weights = np.ones(n_rows) if weights is None else weights
    return TrainingRows(rows, targets, weights.astype(np.float32), None)


def test_steps_are_those_of_the_dense_formula():
    """Check that lazy shrinking gives w <- (1 - rate penalty) w - rate gradient, over a fold."""
    torch.manual_seed(0)
    table = FeatureTable(6, 2, 3, 0.1)
    expected = table.weight.detach().double().numpy()
    penalties = np.repeat([0.05, 0.02], [2, 3])
    shrunk = ShrunkTable(table, (0.05, 0.02))
    random = np.random.RandomState(0)
    n_folds = 0
    for step in range(40):
        gradient = random.randn(2, 5)
        ids = random.choice(6, 2, replace=False)
        # what the backward pass gives: the gradient of the weights, times the factors
        factors = np.repeat(table.factors, [2, 3])
        table.weight.grad = torch.sparse_coo_tensor(
            torch.from_numpy(ids[None]),
            torch.from_numpy(gradient * factors).float(),
            (6, 5),
            check_invariants=True,
        )
        rate = 5.0 if step < 30 else 9.0
        with torch.no_grad():
            shrunk.step(rate)
        expected *= 1 - rate * penalties
        expected[ids] -= rate * gradient
        n_folds += table.factors == (1.0, 1.0)
    assert n_folds >= 1
    table.fold()
    np.testing.assert_allclose(table.weight.detach().numpy(), expected, rtol=1e-4, atol=1e-4)
    assert table.factors == (1.0, 1.0)


def test_outputs_are_scaled_by_the_factors():
    """Check that folding changes neither the outputs nor their gradients."""
    rows = _make_rows(5).rows
    table = FeatureTable(400, 4, 2, 0.1)
    with torch.no_grad():
        table.weight.normal_()
    table.factors = (0.5, 0.25)
    before = table(rows.one_batch().features)
    table.fold()
    after = table(rows.one_batch().features)
    for part, folded in zip(before, after, strict=True):
        torch.testing.assert_close(part, folded)
    assert float(after[0].detach().abs().sum()) > 0


@pytest.mark.parametrize("weighted", [False, True])
def test_all_penalties_are_fitted_as_by_ridge(weighted):
    """Check the predictions for each penalty against Ridge of scikit-learn."""
    weights = np.random.RandomState(1).uniform(0.2, 3, 600) if weighted else np.ones(600)
    data = _make_rows(n_features=10, n_classes=3, weights=weights)
    look = _penalties._take_look(data, 3)
    fitted = _penalties._fit_all(look)
    X = look.features.toarray() / look.roots
    Y = look.indicators / look.roots
    w = look.roots.ravel() ** 2
    assert np.ptp(w) > 1 if weighted else np.allclose(w, 1)
    for number, C in enumerate(GRID):
        for column, share in enumerate(look.shares):
            ridge = Ridge(look.scale / (C * share)).fit(X, Y[:, column], sample_weight=w)
            expected = ridge.predict(look.new_features.toarray())
            np.testing.assert_allclose(fitted[number, :, column], expected, atol=1e-3)
    assert np.abs(fitted).max() > 0.1


def test_penalty_grows_with_noise():
    """Check that wrong labels are answered by a penalty, and true ones by little or none."""
    C = [
        1 / (choose_penalties(_make_rows(6000, wrong=wrong), 2).table or 1e-9)
        for wrong in (0, 0.3, 0.8)
    ]
    assert C[0] > 2 * C[1] > 3 * C[2]
    assert C[2] < 0.3


@pytest.mark.parametrize(
    ("n_rows", "n_classes", "lengths", "expected"),
    [(199, 2, None, False), (600, 2, [600], True), (600, 2, [590, 10], True)],
)
def test_few_rows_and_long_groups(n_rows, n_classes, lengths, expected):
    """Check that few rows have no penalty, and that a few long groups are split by rows."""
    data = _make_rows(n_rows, wrong=0.8, n_classes=n_classes, lengths=lengths)
    assert (choose_penalties(data, n_classes).table > 0) == expected


def test_one_class_has_no_penalty():
    """Check rows that all have one class, or whose others have no weight."""
    data = _make_rows(wrong=0.8)
    data.weights[data.targets == 1] = 0
    assert choose_penalties(data, 2).table == 0
    data.targets[:] = 0
    data.weights[:] = 1
    assert choose_penalties(data, 2).table == 0


def test_a_few_heavy_rows_choose_no_penalty():
    """Check that rows are too few if a few of them have most of the weight."""
    weights = np.ones(900)
    light = _make_rows(900, wrong=0.8, weights=weights)
    weights[::60] = 300
    heavy = _make_rows(900, wrong=0.8, weights=weights)
    assert choose_penalties(light, 2).table > 0
    assert choose_penalties(heavy, 2).table == 0


def test_rows_of_weight_zero_do_not_count():
    """Check that the labels of rows without weight do not matter."""
    weights = (np.arange(900) % 3 > 0).astype(float)
    one, other = (_make_rows(900, wrong=0.5, weights=weights) for _ in range(2))
    other.targets[::3] = 1 - other.targets[::3]
    assert choose_penalties(one, 2).table == choose_penalties(other, 2).table > 0


def test_rows_of_weight_zero_take_no_place():
    """Check that rows without weight do not take the place of others in the choice."""
    weights = (np.arange(8000) % 20 == 3).astype(float)
    data = _make_rows(8000, wrong=0.5, weights=weights)
    assert choose_penalties(data, 2).table > 0


def test_penalty_of_few_rows_is_limited(monkeypatch):
    """Check rows that tell nothing of their class: few of them do not make a large penalty."""
    monkeypatch.setattr(_penalties, "_best_on_grid", lambda errors: float(GRID[0]))
    data = _make_rows(250)
    norms = data.rows.features.multiply(data.rows.features).sum() / 250
    assert choose_penalties(data, 2).table < 3 * norms


def test_choice_draws_from_no_global_generator():
    """Check that the choice neither uses nor changes NumPy's global random state."""
    data = _make_rows()
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    first = choose_penalties(data, 2).table
    assert (np.random.get_state()[1] == before).all()
    np.random.seed(7)
    assert choose_penalties(data, 2).table == first


def test_words_of_noisy_labels_are_not_learned_by_heart():
    """Check the accuracy on texts of which 20 % have a wrong label: it was .84."""
    texts, labels, new_texts, truth = _make_texts(2000, 0.2)
    clf = ContextMemoryClassifier(random_state=0, verbose=0).fit(texts, labels)
    assert clf.score(new_texts, truth) > 0.98


class _Reader(Callback):
    """Keeps what it finds of the table during training."""

    def __init__(self):
        self.factors, self.weights, self.gradients, self.ids = [], [], [], []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.factors.append(net.module_.table.factors)
            self.weights.append(net.module_.table.weight.detach().clone())

    def on_grad_computed(self, net, named_parameters, **kwargs):
        found = dict(named_parameters)["table.weight"]
        self.ids.append(net.module_.table.weight.grad.coalesce().indices()[0].clone())
        self.gradients.append((found.detach().clone(), found.grad.clone()))


def test_callbacks_find_the_weights_as_they_are():
    """Check that callbacks find whole weights and gradients, and that reading changes no bit."""
    texts, labels, new_texts, _ = _make_texts(600, 0.3)
    reader = _Reader()
    clf = ContextMemoryClassifier(random_state=0, verbose=0, max_epochs=2, dropout=0)
    plain = clf.fit(texts, labels).predict_proba(new_texts[:50])
    watched = clf.set_params(callbacks=[reader]).fit(texts, labels).predict_proba(new_texts[:50])
    assert (watched == plain).all()
    assert set(reader.factors) == {(1.0, 1.0)}
    # a step shrinks all rows alike, and moves those with a gradient against it
    before, after = reader.weights[10:12]
    shown, gradient = reader.gradients[11]
    ids = reader.ids[11]
    torch.testing.assert_close(shown, before[ids], rtol=1e-6, atol=1e-9)
    others = torch.ones(len(before), dtype=torch.bool)
    others[ids] = False
    kept = (after[others] / before[others]).nanmedian(dim=0).values
    assert 0.5 < kept[-1] < 0.9999
    torch.testing.assert_close(after[others], before[others] * kept, rtol=1e-4, atol=1e-7)
    moved = after[ids] - before[ids] * kept
    rate = -(moved * gradient).sum() / (gradient**2).sum()
    torch.testing.assert_close(moved, -rate * gradient, rtol=1e-3, atol=1e-5)
    assert rate > 1


def _replace(weight):
    weight.data = torch.zeros_like(weight)


@pytest.mark.parametrize(
    "clear",
    [
        _replace,
        lambda weight: weight.data.zero_(),
        lambda weight: weight.detach().numpy().fill(0),
        lambda weight: weight.detach().zero_(),
    ],
    ids=["replaced", "data", "numpy", "detached"],
)
def test_a_callback_may_change_the_weights(clear):
    """Check that weights that a callback sets in the middle of an epoch stay set."""
    texts, labels, _, _ = _make_texts(600, 0.3)
    seen = []

    class Zero(Callback):
        def on_batch_end(self, net, training=False, **kwargs):
            if len(net.history[-1]["batches"]) == 10:
                clear(net.module_.table.weight)
            if len(net.history[-1]["batches"]) == 11:
                seen.append(int(net.module_.table.weight.any(dim=1).sum()))

    clf = ContextMemoryClassifier(random_state=0, verbose=0, max_epochs=1, callbacks=[Zero()])
    clf.fit(texts, labels)
    n_features = clf.net_.module_.table.weight.shape[0]
    assert 0 < seen[0] < n_features / 10  # only the rows of one batch


def test_a_callback_may_make_the_gradient_dense():
    """Check that a step with a penalty takes a dense gradient of the table."""
    texts, labels, new_texts, _ = _make_texts(400, 0.3)

    class Dense(Callback):
        def on_grad_computed(self, net, **kwargs):
            weight = net.module_.table.weight
            weight.grad = weight.grad.to_dense()

    clf = ContextMemoryClassifier(random_state=0, verbose=0, max_epochs=1)
    plain = clf.fit(texts, labels).predict_proba(new_texts[:50])
    dense = clf.set_params(callbacks=[Dense()]).fit(texts, labels).predict_proba(new_texts[:50])
    np.testing.assert_allclose(dense, plain, atol=1e-4)


def test_weights_are_folded_only_for_callbacks_that_read_them(monkeypatch):
    """Check that a callback of epochs costs nothing in batches: large tables take long to fold."""
    folded = []
    fold = FeatureTable.fold
    monkeypatch.setattr(FeatureTable, "fold", lambda table: (folded.append(1), fold(table))[1])

    class Epochs(Callback):
        def on_epoch_end(self, net, **kwargs):
            pass

    texts, labels, _, _ = _make_texts(600, 0.3)
    clf = ContextMemoryClassifier(random_state=0, verbose=0, max_epochs=1, callbacks=[Epochs()])
    clf.fit(texts, labels)
    assert 0 < len(folded) < 5


def test_conversations_need_their_words():
    """Check rows whose class is in the row before: to rows alone, their labels are noise."""
    talks = make_conversations(60, n_turns=(8, 15), random_state=0)
    new = make_conversations(50, n_turns=(8, 15), random_state=1)
    clf = ContextMemoryClassifier(text_column="text", group_column="group", random_state=0)
    clf.set_params(verbose=0).fit(talks.data, talks.target)
    assert clf.score(new.data, new.target) > 0.98


@pytest.mark.parametrize("params", [{}, {"n_iter_no_change": 2}, {"max_epochs": 1}])
def test_factors_are_folded_at_the_end(params, monkeypatch):
    """Check that a fitted network has no factors, whatever ends the fit."""
    chosen = []

    def choose(*arguments):
        chosen.append(choose_penalties(*arguments))
        return chosen[-1]

    monkeypatch.setattr(_fit, "choose_penalties", choose)
    texts, labels, _, _ = _make_texts(600, 0.3)
    clf = ContextMemoryClassifier(random_state=0, verbose=0, **params).fit(texts, labels)
    assert chosen[0].table > 0.5
    assert clf.net_.module_.table.factors == (1.0, 1.0)


def test_fit_without_penalty_has_the_bits_of_plain_sgd(monkeypatch):
    """Check that rows without noise are fitted exactly as before."""
    texts, labels, new_texts, _ = _make_texts(150, 0)
    clf = ContextMemoryClassifier(random_state=0, verbose=0)
    found = clf.fit(texts, labels).predict_proba(new_texts[:50])
    monkeypatch.setattr(_fit, "choose_penalties", lambda *args: NO_PENALTIES)
    assert (clf.fit(texts, labels).predict_proba(new_texts[:50]) == found).all()


def test_fit_continues_from_a_checkpoint(tmp_path):
    """Check that a fit with a penalty that was stopped ends with the same bits."""
    texts, labels, new_texts, _ = _make_texts(600, 0.3)
    clf = ContextMemoryClassifier(random_state=0, verbose=0, max_epochs=3)
    whole = clf.fit(texts, labels).predict_proba(new_texts[:50])

    class Stop(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == 2:
                raise RuntimeError("stopped")

    clf.set_params(checkpoint=tmp_path, callbacks=[Stop()])
    with pytest.raises(RuntimeError, match="stopped"):
        clf.fit(texts, labels)
    again = clf.set_params(callbacks=None).fit(texts, labels).predict_proba(new_texts[:50])
    np.testing.assert_allclose(again, whole, atol=1e-5)


def _add_embeddings(data, strength, n_classes=2):
    """Give rows an embedding of 20 numbers, of which as many as classes tell the class."""
    random = np.random.RandomState(1)
    embedded = random.normal(size=(len(data), 20))
    is_of_class = data.targets.numpy()[:, np.newaxis] == np.arange(n_classes)
    embedded[:, :n_classes] += strength * is_of_class
    data.rows.features = normalize(data.rows.features).astype(np.float32)
    data.rows.dense = (embedded / 20**0.5).astype(np.float32)
    data.rows.n_embedded = 20
    return data


def test_penalties_with_embeddings_are_fitted_as_by_ridge():
    """Check the predictions from n-grams and weighed embeddings against Ridge."""
    data = _add_embeddings(_make_rows(n_features=10, n_classes=3), 1.0, 3)
    look = _penalties._take_look(data, 3)
    np.testing.assert_allclose(np.square(look.dense).sum(axis=1).mean(), 1, rtol=1e-5)
    look = replace(look, weights=(1.0, 0.5))
    fitted = _penalties._fit_all(look)
    X, new = (
        np.hstack([features.toarray(), 0.5 * dense])
        for features, dense in (
            (look.features, look.dense),
            (look.new_features, look.new_dense),
        )
    )
    for number, C in enumerate(GRID[:5]):  # 12 vectors are exact for large penalties
        for column, share in enumerate(look.shares):
            ridge = Ridge(look.scale / (C * share)).fit(X, look.indicators[:, column])
            np.testing.assert_allclose(fitted[number, :, column], ridge.predict(new), atol=2e-2)
    assert np.abs(fitted).max() > 0.1


def test_weak_embeddings_get_less_weight():
    """Check that embeddings that tell nothing weigh less, and those that tell the class do not."""
    weights = [
        choose_penalties(_add_embeddings(_make_rows(2000, wrong=0.1), strength), 2).embedding_weight
        for strength in (0.0, 3.0)
    ]
    assert weights == [0.25, 1.0]


def test_embeddings_that_say_little_have_a_larger_penalty():
    """Check that the penalty of vague embeddings is larger than that of n-grams."""
    chosen = choose_penalties(_add_embeddings(_make_rows(2000, wrong=0.1), 0.5), 2)
    assert chosen.embedding > 1.2 * chosen.table > 0


def test_few_rows_of_a_class_give_embeddings_more_weight():
    """Check the norm of embeddings: as that of n-grams from 16 rows of a class on."""
    labels = np.repeat(np.arange(10), 16)
    assert _choose_norm(labels) == _choose_norm(np.repeat(labels, 3)) == 1
    assert _choose_norm(labels[::4]) == 2
    assert _choose_norm(np.arange(10)) == 4


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_all_rows_have_the_weight_that_the_fit_chose(strength, tmp_path):
    """Check embeddings read after a fit, a warm start and from a file."""
    random = np.random.RandomState(0)
    texts, labels, new_texts, truth = _make_texts(600, 0.3)
    if strength:  # the embedding alone tells
        texts, new_texts = ([text[:-4] for text in part] for part in (texts, new_texts))
    signs = 2 * np.r_[labels, truth] - 1
    vectors = {
        text: random.normal(size=8) + strength * sign
        for text, sign in zip([*texts, *new_texts], signs, strict=True)
    }
    embedder = partial(_look_up, vectors=vectors)
    clf = ContextMemoryClassifier(random_state=0, embedder=embedder, warm_start=True, verbose=0)
    clf.fit(texts, labels)
    full = np.std([vectors[text] for text in texts], axis=0) * 8**0.5
    weight = (full / clf._model.reader.dense.scaler.scale_)[-1]
    assert weight < 0.5 if strength == 0 else weight > 0.5
    trained = clf.net_.module_.embedded.weight.detach().clone()
    clf.fit(texts, labels)  # goes on, with the same weight
    np.testing.assert_allclose(clf._model.reader.dense.scaler.scale_ * weight, full)
    assert not torch.equal(trained, clf.net_.module_.embedded.weight)
    clf.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model", embedder=embedder)
    expected = clf.predict_proba(new_texts[:20])
    np.testing.assert_array_equal(loaded.predict_proba(new_texts[:20]), expected)


def _look_up(texts, vectors):
    """Embed texts by a table; others by zeros."""
    return np.stack([vectors.get(text, np.zeros(8)) for text in texts])


def _add_columns(data, strength):
    """Give rows three columns, the first of which tells the class by its mean."""
    columns = np.random.RandomState(2).normal(size=(len(data), 3))
    columns[:, 0] += strength * data.targets.numpy()
    data.rows.dense = columns.astype(np.float32)
    return data


@pytest.mark.parametrize(("strength", "weight"), [(0.0, {0.1, 0.03}), (1.0, {1.0})])
def test_columns_that_tell_nothing_weigh_less(strength, weight):
    """Check the weight of columns, and that the penalty of n-grams does not depend on them."""
    data = _make_rows(2000)
    table = choose_penalties(data, 2).table
    chosen = choose_penalties(_add_columns(data, strength), 2, n_columns=3)
    assert chosen.column_weight in weight
    assert chosen.table == table
    assert choose_penalties(data, 2).column_weight == 1  # heavy features are no columns


@pytest.mark.parametrize("tells", [False, True])
def test_rows_to_come_have_the_weight_of_columns(tells, tmp_path):
    """Check that categories of noise do not hide the words, and new rows are read alike."""
    random = np.random.RandomState(0)
    texts, labels, new_texts, truth = _make_texts(600, 0.3)
    frames = [
        pd.DataFrame({"text": part, "kind": random.randint(30, size=len(part)).astype(str)})
        for part in (texts, new_texts)
    ]
    if tells:
        for frame, classes in zip(frames, (labels, truth), strict=True):
            frame["kind"] = np.where(random.random_sample(len(frame)) < 0.1, 1 - classes, classes)
            frame["kind"] = frame["kind"].astype(str)
    clf = ContextMemoryClassifier(
        text_column="text", feature_columns=["kind"], random_state=0, verbose=0
    ).fit(frames[0], labels)
    scales = clf._model.reader.dense.scaler.scale_
    assert (scales.min() > 4) == (not tells)
    assert clf.score(frames[1], truth) > 0.85
    clf.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(frames[1]), clf.predict_proba(frames[1]))


def test_few_rows_of_many_classes_limit_the_penalty_of_embeddings(monkeypatch):
    """Check that rows that tell nothing of 30 classes have a smaller penalty than those of two."""
    monkeypatch.setattr(_penalties, "_best_on_grid", lambda errors: float(GRID[0]))
    found = [
        choose_penalties(_add_embeddings(_make_rows(300, n_classes=n_classes), 0.0, 1), n_classes)
        for n_classes in (2, 30)
    ]
    assert found[0].embedding == pytest.approx(15 * found[1].embedding, rel=0.2)


def test_the_norm_of_embeddings_needs_no_copy_of_them():
    """Check that vectors are not copied in double precision, and that no sum overflows."""
    values = np.full((10_000, 32), 1e20, dtype=np.float32)
    tracemalloc.start()
    norm = _mean_squared_norm(values, np.ones(len(values)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert norm == pytest.approx(32e40)
    assert peak < values.nbytes / 2
