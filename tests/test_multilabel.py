"""Several labels for each row: an indicator matrix as target."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from skorch.callbacks import Callback, EpochScoring

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._chat._conversation import Chat
from sk_ctxmem._chat._screen import Screen
from sk_ctxmem._network._batch import Packing
from sk_ctxmem._network._label_chain import LabelChain
from sk_ctxmem._network._label_transitions import TRANSITION_SCALE
from sk_ctxmem._network._loss import ContextMemoryLoss
from sk_ctxmem._rows._held_out import hold_out_groups
from sk_ctxmem._training._dataset import find_labels_before
from sk_ctxmem.distributed import FramePredictor, fit_distributed, fit_parquet
from sk_ctxmem.inspection import ContextAblationDisplay, ConversationDisplay

WORDS = ["good", "bad", "long", "short", "new"]
LABELS = ["praise", "blame", "length"]
N_ROWS = 400
COLUMNS = {"text_column": "text", "group_column": "group"}


def make_rows(n_rows=N_ROWS, seed=0):
    """Return texts in groups of five, and which labels they have; the first tells the next row."""
    random = np.random.RandomState(seed)
    has_word = random.rand(n_rows, len(WORDS)) < 0.3
    texts = [" ".join(["it", *np.array(WORDS)[row]]) for row in has_word]
    indicators = np.stack(
        [has_word[:, 0], has_word[:, 1], has_word[:, 2] | has_word[:, 3]], axis=1
    ).astype(int)
    frame = pd.DataFrame({"text": texts, "group": np.arange(n_rows) // 5})
    return frame, indicators


def small(**params):
    """Return a small classifier."""
    return ContextMemoryClassifier(
        **{"hidden_size": 16, "max_epochs": 4, "random_state": 0} | params
    )


ROWS, Y = make_rows()
TEXTS = ROWS["text"].tolist()
NEW_ROWS, NEW_Y = make_rows(100, seed=1)
NEW_TEXTS = NEW_ROWS["text"].tolist()


@pytest.fixture(scope="module")
def alone():
    """Return a classifier of texts without context."""
    return small().fit(TEXTS, Y)


@pytest.fixture(scope="module", params=["past", "both"])
def grouped(request):
    """Return a classifier of conversations, with names of labels."""
    names = pd.DataFrame(Y, columns=LABELS)
    return small(**COLUMNS, context=request.param).fit(ROWS, names)


def test_labels_are_learned(alone, grouped):
    """Check that each label of new rows is found, and that score is the subset accuracy."""
    for clf, X in [(alone, NEW_TEXTS), (grouped, NEW_ROWS)]:
        predicted = clf.predict(X)
        assert predicted.dtype.kind == "i"
        assert (predicted == NEW_Y).mean() > 0.95
        assert clf.score(X, NEW_Y) == accuracy_score(NEW_Y, predicted)


def test_outputs_are_those_of_sigmoids(alone):
    """Check predict, predict_log_proba and predict_proba against decision_function."""
    logits = alone.decision_function(NEW_TEXTS)
    assert logits.shape == (100, 3)
    probabilities = alone.predict_proba(NEW_TEXTS)
    assert_allclose(probabilities, 1 / (1 + np.exp(-logits)))
    assert_allclose(alone.predict_log_proba(NEW_TEXTS), np.log(probabilities))
    assert_array_equal(alone.predict(NEW_TEXTS), probabilities > 0.5)


def test_classes_are_numbers_or_names_of_columns(alone, grouped):
    """Check classes_, whose order is that of the columns."""
    assert alone.classes_.tolist() == [0, 1, 2]
    assert grouped.classes_.tolist() == LABELS


FORMS = {
    "bools": Y == 1,
    "floats": Y.astype(float),
    "uint8": Y.astype(np.uint8),
    "objects": Y.astype(object),
    "lists": Y.tolist(),
    "list of arrays": list(Y),
    "csr": sparse.csr_array(Y),
    "csc matrix": sparse.csc_matrix(Y),
    "coo": sparse.coo_array(Y),
    "dok": sparse.dok_array(Y),
    "frame": pd.DataFrame(Y),
    "Int64": pd.DataFrame(Y).astype("Int64"),
    "sparse frame": pd.DataFrame(Y).astype(pd.SparseDtype(int, 0)),
}


@pytest.mark.parametrize("y", FORMS.values(), ids=FORMS)
def test_forms_of_y_are_one(y, alone):
    """Check that all forms of an indicator matrix give the same classifier."""
    clf = small().fit(TEXTS, y)
    assert clf.classes_.tolist() == [0, 1, 2]
    assert_array_equal(clf.predict_proba(NEW_TEXTS), alone.predict_proba(NEW_TEXTS))
    assert clf.score(TEXTS, y) == alone.score(TEXTS, Y)


def test_names_of_polars_columns_are_read(alone):
    """Check classes_ and predictions of a fit with a polars DataFrame."""
    clf = small().fit(TEXTS, pl.DataFrame(dict(zip(LABELS, Y.T, strict=True))))
    assert clf.classes_.tolist() == LABELS
    assert_array_equal(clf.predict_proba(NEW_TEXTS), alone.predict_proba(NEW_TEXTS))


def test_predictions_of_sparse_targets_are_sparse(alone, tmp_path):
    """Check predict after fit with a sparse y, also of a saved and of a pickled classifier."""
    clf = small().fit(TEXTS, sparse.csc_array(Y))
    clf.save(tmp_path / "model.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    for each in (clf, loaded, pickle.loads(pickle.dumps(clf))):
        found = each.predict(NEW_TEXTS)
        assert sparse.issparse(found)
        assert found.format == "csr"
        assert_array_equal(found.toarray(), alone.predict(NEW_TEXTS))
        assert each.score(NEW_TEXTS, sparse.csr_array(NEW_Y)) == alone.score(NEW_TEXTS, NEW_Y)


def test_files_and_pickles_predict_the_same(grouped, tmp_path):
    """Check that a saved and a pickled classifier have the same labels and probabilities."""
    grouped.save(tmp_path / "model.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    for each in (loaded, pickle.loads(pickle.dumps(grouped))):
        assert each.classes_.tolist() == LABELS
        assert_array_equal(each.predict_proba(NEW_ROWS), grouped.predict_proba(NEW_ROWS))


BAD = {
    "numbers": (Y + 1, "values other than 0 and 1, 2 in row"),
    "minus one": (2 * Y - 1, "values other than 0 and 1, -1 in row 0"),
    "NaN": (np.where(np.arange(N_ROWS)[:, np.newaxis] == 7, np.nan, Y), "contains NaN.* in row 7"),
    "NA": (pd.DataFrame(Y).astype("Int64").replace(1, pd.NA), "y contains NaN or None"),
    "shorter": (Y[:-1], f"X has {N_ROWS} rows, y has {N_ROWS - 1}; pass one row of y"),
    "no columns": (Y[:, :0], "y has no columns"),
    "complex": (Y * 1j, "several columns of dtype complex128"),
    "strings": (Y.astype(str), "several columns of dtype <U"),
    "legacy": ([["a", "b"], ["c"]] * (N_ROWS // 2), r"MultiLabelBinarizer\(\).fit_transform\(y\)"),
    "legacy pairs": ([["a", "b"], ["c", "a"]] * (N_ROWS // 2), r"MultiLabelBinarizer\(\)"),
    "sets": ([{1}, set()] * (N_ROWS // 2), r"MultiLabelBinarizer\(\).fit_transform\(y\)"),
    "names twice": (pd.DataFrame(Y, columns=["a", "b", "a"]), "several columns 'a'"),
    "three dimensions": (np.zeros((N_ROWS, 2, 2)), "Found array with dim 3"),
}


@pytest.mark.parametrize(("y", "message"), BAD.values(), ids=BAD)
def test_bad_indicators_are_refused(y, message):
    """Check the messages about targets that are no indicator matrices."""
    with pytest.raises(ValueError, match=message):
        small().fit(TEXTS, y)


def test_names_of_other_types_are_refused():
    """Check that a name that no file could hold is refused."""
    y = pd.DataFrame(Y, columns=pd.MultiIndex.from_product([["a"], LABELS]))
    with pytest.raises(TypeError, match="name labels by str or int"):
        small().fit(TEXTS, y)


def test_constant_columns_and_empty_rows_are_legal():
    """Check labels that all rows have and that none has, as in MLPClassifier."""
    y = np.c_[Y, np.zeros(N_ROWS), np.ones(N_ROWS)]
    predicted = small().fit(TEXTS, y).predict(NEW_TEXTS)
    assert_array_equal(predicted[:, 3:], [[0, 1]] * 100)
    assert (predicted[:, :3] == NEW_Y).mean() > 0.95


def test_early_stopping_scores_whole_sets():
    """Check that valid_score is the share of rows of which all labels are right."""
    clf = small(n_iter_no_change=2, validation_fraction=0.25).fit(TEXTS, Y)
    best = clf.history_["valid_score"].max()
    assert 0.5 < best <= 1
    assert (best * 100) % 1 == pytest.approx(0)


def test_scoring_one_column_names_what_is_wanted(alone):
    """Check the message of score with a column in place of an indicator matrix."""
    with pytest.raises(ValueError, match="fitted with several labels for each row"):
        alone.score(NEW_TEXTS, NEW_Y[:, 0])


def make_chains(n_rows, seed):
    """Return rows in groups of ten, and labels: one told by a word, one that the row before had."""
    random = np.random.RandomState(seed)
    first = random.rand(n_rows) < 0.5
    groups = np.arange(n_rows) // 10
    second = np.r_[False, first[:-1]] & (np.arange(n_rows) % 10 > 0)
    texts = np.where(first, "yes", "no")
    return pd.DataFrame({"text": texts, "group": groups}), np.c_[first, second].astype(int)


@pytest.mark.parametrize("memory", ["gru", "mingru", "elman", "lstm"])
def test_sessions_say_what_predict_says(memory):
    """Check the probabilities of a conversation turn by turn, and labels of the row before."""
    X, y = make_chains(600, seed=0)
    clf = small(**COLUMNS, memory=memory, max_epochs=8).fit(X, y)
    new, truth = make_chains(40, seed=1)
    whole = clf.predict_proba(new)
    assert (clf.predict(new) == truth).mean() > 0.9
    for _, rows in new.groupby("group"):
        session = clf.session()
        for row, text in zip(rows.index, rows["text"], strict=True):
            assert_allclose(session.predict_proba_one(text), whole[row], atol=1e-6)
            session = clf.session(session.state())
    sessions = clf.sessions(4)
    by_turn = [sessions.predict(new["text"][turn::10].tolist()) for turn in range(10)]
    assert_array_equal(np.stack(by_turn, axis=1).reshape(-1, 2), clf.predict(new))
    assert_array_equal(clf.session().predict_one(new["text"][0]), clf.predict(new)[0])


def test_rare_labels_start_at_their_share():
    """Check that a label without any word for it is predicted at its share from the start."""
    random = np.random.RandomState(0)
    y = random.rand(2000, 3) < [0.02, 0.5, 0.9]
    texts = [f"w{number}" for number in random.randint(1000, size=2000)]
    found = small(max_epochs=1).fit(texts, y).predict_proba(["unseen"] * 3)
    assert_allclose(found, [[0.02, 0.5, 0.9]] * 3, atol=0.08)


def test_order_of_columns_is_that_of_outputs():
    """Check that permuted labels have permuted predictions of about the same accuracy."""
    order = [2, 0, 1]
    predicted = small().fit(TEXTS, Y[:, order]).predict(NEW_TEXTS)
    assert (predicted == NEW_Y[:, order]).mean() > 0.95


def test_a_label_is_as_accurate_as_a_class():
    """Check a label and its opposite against a classifier of two classes."""
    y = NEW_Y[:, 2]
    alone = small().fit(TEXTS, Y[:, 2]).predict_proba(NEW_TEXTS)[:, 1]
    found = small().fit(TEXTS, np.c_[Y[:, 2], 1 - Y[:, 2]]).predict_proba(NEW_TEXTS)
    assert ((alone > 0.5) == y).mean() > 0.97
    assert_array_equal(found > 0.5, np.c_[y, 1 - y])
    assert_allclose(found.sum(axis=1), 1, atol=0.1)


def test_class_weights_are_those_of_rows_with_the_label():
    """Check dicts of labels, "balanced", and a name that is no label."""
    random = np.random.RandomState(0)
    noise = [f"w{number}" for number in random.randint(5, size=2000)]
    y = pd.DataFrame(random.rand(2000, 3) < [0.2, 0.2, 0.5], columns=LABELS)
    shares = {}
    for weight in (None, {"blame": 4.0}, {"praise": 0, "blame": 1}, "balanced"):
        clf = small(class_weight=weight).fit(noise, y)
        shares[str(weight)] = clf.predict_proba(noise).mean(axis=0)
    assert_allclose(shares["None"], [0.2, 0.2, 0.5], atol=0.05)
    assert_allclose(shares["{'blame': 4.0}"], [0.2, 0.5, 0.5], atol=0.05)
    assert_allclose(shares["{'praise': 0, 'blame': 1}"], [0.0, 0.2, 0.5], atol=0.05)
    assert_allclose(shares["balanced"], [0.5, 0.5, 0.5], atol=0.05)
    with pytest.raises(ValueError, match="'prise', which is not a class of y"):
        small(class_weight={"prise": 2}).fit(noise, y)


def test_weights_of_labels_reach_dense_features():
    """Check class_weight of a wide path that is fitted beforehand."""
    random = np.random.RandomState(0)
    X, y = random.normal(size=(1000, 3)), random.rand(1000, 2) < [0.2, 0.5]
    found = small(class_weight={0: 4.0}).fit(X, y).predict_proba(X).mean(axis=0)
    assert_allclose(found, [0.5, 0.5], atol=0.06)


def test_sample_weights_count():
    """Check that rows of weight 0 are ignored, and that no row of weight raises."""
    wrong = np.r_[Y, 1 - Y]
    weights = np.repeat([1.0, 0.0], N_ROWS)
    clf = small().fit(TEXTS + TEXTS, wrong, sample_weight=weights)
    assert (clf.predict(NEW_TEXTS) == NEW_Y).mean() > 0.95
    with pytest.raises(ValueError, match="sample_weight is zero for all rows"):
        small().fit(TEXTS, Y, sample_weight=np.zeros(N_ROWS))


def test_dense_features_start_from_one_logistic_regression_a_label():
    """Check the accuracy on features beside that of scikit-learn's regressions."""
    X = np.random.RandomState(0).normal(size=(600, 4))
    y = (X @ [[1, 0], [1, 1], [0, 3], [0, 0]] > [0, 1]).astype(int)
    clf = small().fit(X[:300], y[:300])
    assert (clf.predict(X[300:]) == y[300:]).mean() > 0.96


def test_held_out_rows_leave_every_label(monkeypatch):
    """Check that the only groups with a label are not held out."""
    y = np.zeros((100, 3), dtype=int)
    y[:, 0] = 1
    y[40:50, 1] = 1  # of one group of ten
    targets = y.astype(np.uint8)
    groups = np.arange(100) // 10
    for seed in range(20):
        random = np.random.RandomState(seed)
        late = hold_out_groups(groups, targets, np.ones(100), 0.3, random, grouped=True)
        assert late.sum() == 30
        assert not late[40:50].any()


def test_partial_fit_learns_labels_in_chunks():
    """Check chunks with names of labels from `classes`, and that all have these columns."""
    clf = small()
    for first in range(0, 6 * N_ROWS, 100):
        chunk = slice(first % N_ROWS, first % N_ROWS + 100)
        clf.partial_fit(TEXTS[chunk], Y[chunk], classes=LABELS)
    assert clf.classes_.tolist() == LABELS
    assert (clf.predict(NEW_TEXTS) == NEW_Y).mean() > 0.95
    with pytest.raises(ValueError, match=r"\[0, 1\], but \['praise', 'blame', 'length'\] were ex"):
        clf.partial_fit(TEXTS, Y[:, :2])
    with pytest.raises(ValueError, match="fitted with several labels for each row; pass y as in"):
        clf.partial_fit(TEXTS, Y[:, 0])
    with pytest.raises(ValueError, match=r"\['a', 'b', 'c'\], but \['praise', "):
        clf.partial_fit(TEXTS, pd.DataFrame(Y, columns=["a", "b", "c"]))


def test_partial_fit_takes_labels_from_the_first_chunk():
    """Check that `classes` is not needed, and numbers or wrong names in it."""
    assert small().partial_fit(TEXTS, Y).classes_.tolist() == [0, 1, 2]
    assert small().partial_fit(TEXTS, Y, classes=[0, 1, 2]).classes_.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match=r"classes has the labels \['a', 'b'\]"):
        small().partial_fit(TEXTS, Y, classes=["a", "b"])
    with pytest.raises(ValueError, match="balanced.*which partial_fit"):
        small(class_weight="balanced").partial_fit(TEXTS, Y)


def test_warm_start_goes_on_with_the_same_labels():
    """Check a second fit, and that other labels or one label a row are refused."""
    clf = small(warm_start=True, max_epochs=1).fit(TEXTS, Y)
    before = clf.history_["train_loss"].iloc[-1]
    assert clf.fit(TEXTS, Y).history_["train_loss"].iloc[-1] < before
    with pytest.raises(ValueError, match="needs the classes of the last fit"):
        clf.fit(TEXTS, Y[:, :2])
    with pytest.raises(ValueError, match="multilabel from True to False"):
        clf.fit(TEXTS, Y.sum(axis=1).clip(0, 2))


def test_a_fit_that_was_killed_resumes(tmp_path):
    """Check that a checkpoint gives the same bits, for conversations."""

    class Killed(Exception):
        pass

    class Kill(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 3:
                raise Killed

    params = COLUMNS | {"checkpoint": tmp_path, "class_weight": {0: 2.0}}
    with pytest.raises(Killed):
        small(**params, callbacks=[Kill()]).fit(ROWS[:200], Y[:200])
    assert len(list(tmp_path.iterdir())) == 1
    resumed, whole = small(**params), small(**params | {"checkpoint": None})
    found, expected = (
        clf.fit(ROWS[:200], Y[:200]).predict_proba(NEW_ROWS) for clf in (resumed, whole)
    )
    assert_array_equal(found, expected)


def test_callbacks_predict_indicators():
    """Check scores of held-out rows by predictions and by probabilities of the net."""
    scores = [
        EpochScoring(scoring, name=scoring, lower_is_better=False)
        for scoring in ("f1_micro", "accuracy")
    ]
    clf = small(n_iter_no_change=4, callbacks=scores).fit(TEXTS, Y)
    assert clf.net_.history[-1, "f1_micro"] > 0.9
    assert_allclose(clf.net_.history[:, "accuracy"], clf.history_["valid_score"])


@pytest.mark.parametrize("n_labels", [2, 3])
def test_callbacks_score_the_order_of_rows(n_labels):
    """Check that two labels are not taken for two classes."""
    scoring = EpochScoring("roc_auc", name="area", lower_is_better=False)
    clf = small(n_iter_no_change=4, callbacks=[scoring]).fit(TEXTS, Y[:, :n_labels])
    assert clf.net_.history[-1, "area"] > 0.9


@pytest.mark.parametrize("method", ["integrated_gradients", "leave_one_out"])
def test_explanations_are_log_odds_of_a_label(method, grouped):
    """Check that contributions add up to the decision of the label, whose name they have."""
    rows = NEW_ROWS[:10]
    logits = grouped.decision_function(rows)
    found = grouped.explain(rows, target="blame", method=method)
    assert set(found["target"]) == {"blame"}
    sums = found.groupby("row")["contribution"].sum()
    differences = np.diff(sums.to_numpy() - logits[:, 1])
    assert_allclose(differences, 0, atol=2e-3)
    word = found[(found["row"] == 0) & (found["feature"] == "word__bad")]["contribution"].sum()
    assert word > 1 or "bad" not in rows["text"][0]
    default = grouped.explain(rows, method=method)
    best = np.array(LABELS)[logits.argmax(axis=1)]
    assert default.drop_duplicates("row")["target"].tolist() == best.tolist()


def test_displays_name_the_labels(grouped):
    """Check predictions and truth of a conversation, and scores by context."""
    pytest.importorskip("matplotlib")
    display = ConversationDisplay.from_estimator(grouped, NEW_ROWS, NEW_Y, group=1)
    expected = ["+".join(np.array(LABELS)[row > 0]) for row in NEW_Y[5:10]]
    assert [str(name).replace(", ", "+") for name in display.y_true] == [
        name or "no label" for name in expected
    ]
    assert len(display.predictions) == 5
    assert "explained" in display._repr_html_()
    ablation = ContextAblationDisplay.from_estimator(
        grouped, NEW_ROWS, NEW_Y, context_sizes=(0, None), scoring="f1_micro"
    )
    assert ablation.scores.min() > 0.9


def test_columns_of_distributed_predictions(grouped):
    """Check a column of 0 and 1 and a probability for each label."""
    predicted = FramePredictor(grouped, columns=["group"])(NEW_ROWS)
    names = [f"{kind}_{label}" for kind in ("prediction", "probability") for label in LABELS]
    assert predicted.columns.tolist() == ["group", *names]
    assert_array_equal(predicted[names[:3]], grouped.predict(NEW_ROWS))
    assert_allclose(predicted[names[3:]], grouped.predict_proba(NEW_ROWS), atol=1e-6)


def test_what_takes_one_class_says_so():
    """Check the messages of functions that take no indicator matrix."""
    with pytest.raises(ValueError, match="fit_distributed fits one class for each row"):
        fit_distributed(small(), TEXTS, Y)
    with pytest.raises(TypeError, match=r"several labels for each row.*by clf\.fit"):
        fit_parquet(small(**COLUMNS), "folder", target=LABELS)


def test_searches_and_cross_validation_take_indicators():
    """Check GridSearchCV, cross_val_predict and cross_val_score."""
    clf = small(max_epochs=2)
    search = GridSearchCV(clf, {"max_epochs": [2]}, cv=2, scoring="f1_micro").fit(TEXTS, Y)
    assert search.best_score_ > 0.9
    found = cross_val_predict(clf, TEXTS, Y, cv=2, method="predict_proba")
    assert found.shape == Y.shape
    assert cross_val_score(clf, TEXTS, Y, cv=2).min() > 0.8


def test_html_of_notebooks_shows_the_classifier(grouped):
    """Check that the HTML representation names the columns."""
    assert "reads text (text), group (group)" in grouped._repr_html_()


def test_the_chain_adds_the_labels_of_the_row_before():
    """Check the formula in NumPy: known labels in training, else their probabilities."""
    random = np.random.RandomState(0)
    logits, weights = random.normal(size=(3, 2)), random.normal(size=(3, 2))
    chain = LabelChain(2).double().eval()
    chain.transitions.data = torch.tensor(weights) / TRANSITION_SCALE
    known = torch.tensor([[1, 0, 0], [0, 1, 1], [0, 0, 0]], dtype=torch.uint8)
    found = chain.condition(torch.tensor(logits), known).detach()
    expected = logits + [weights[0], weights[1] + weights[2], [0, 0]]
    assert_allclose(found, expected)
    packing = Packing(torch.tensor([1, 1, 1]), reverse=torch.tensor([2, 1, 0]))
    found, before = chain.expect(torch.tensor(logits), packing).detach().numpy(), weights[0]
    for row in range(3):
        assert_allclose(found[row], logits[row] + before)
        before = expit(found[row]) @ weights[1:]


def test_training_hides_some_labels_of_the_row_before():
    """Check that about three rows in ten become rows whose labels before are unknown."""
    chain = LabelChain(2).train()
    chain.transitions.data = torch.tensor([[7.0, 7.0], [1.0, 0.0], [0.0, 1.0]]) / TRANSITION_SCALE
    before = torch.tensor([[0, 1, 0]], dtype=torch.uint8).repeat(2000, 1)
    found = chain.condition(torch.zeros(2000, 2), before).detach().numpy()
    is_hidden = (found == 7).all(axis=1)
    assert is_hidden.mean() == pytest.approx(0.3, abs=0.05)
    assert_allclose(found[~is_hidden], [[1, 0]] * int((~is_hidden).sum()))
    assert before[:, 1].all()  # not changed in place


def test_labels_before_are_those_of_the_same_group():
    """Check first rows, rows after one of weight 0, and rows without any label."""
    X = pd.DataFrame({"text": ["a"] * 5, "group": [0, 0, 0, 1, 1], "number": range(5)})
    clf = small(**COLUMNS, order_column="number", max_epochs=1)
    rows = clf.fit(X, np.eye(5, 2, dtype=int))._model.reader.read(X)
    targets = np.array([[1, 1], [0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.uint8)
    found = find_labels_before(rows, targets, np.array([1, 1, 0, 1, 1]))
    assert_array_equal(found, [[1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 0, 0], [0, 0, 1]])


def test_loss_is_the_weighted_sum_over_labels():
    """Check the loss of a batch, without smoothing, in NumPy."""
    logits = np.array([[1.0, -2.0], [0.5, 3.0]])
    targets, weights = np.array([[1, 0], [1, 1]]), np.array([1.0, 2.0])
    label_weights = torch.tensor([[1.0, 3.0], [2.0, 1.0]])  # of rows without, and with
    loss = ContextMemoryLoss(2, residual=True, label_weights=label_weights)
    found = loss((torch.tensor(logits),), (torch.tensor(targets), torch.tensor(weights)))
    each = -np.log(expit(np.where(targets > 0, logits, -logits))) * [[2, 3], [2, 1]]
    assert_allclose(found.item(), weights @ each.sum(axis=1) / 2)


def test_chat_shows_the_labels_above_one_half():
    """Check two labels, and the likeliest one where none is above one half."""
    pytest.importorskip("rich")
    clf = small(**COLUMNS).fit(ROWS, pd.DataFrame(Y, columns=LABELS))
    chat = Chat(clf, Screen(), n_classes=1)
    shown = [chat._top(clf.session(), text, None) for text in ("good bad", "it", "long")]
    assert sorted(shown[0]["class"]) == ["blame", "praise"]
    assert [len(top) for top in shown[1:]] == [1, 1]
    assert shown[1]["probability"].max() < 0.5
    assert shown[2]["class"].tolist() == ["length"]


def test_history_of_a_session_has_the_likeliest_label():
    """Check the columns prediction and probability of a session with several labels."""
    clf = small(**COLUMNS).fit(ROWS, pd.DataFrame(Y, columns=LABELS))
    session = clf.session()
    probabilities = np.stack([session.predict_proba_one(text) for text in ("bad", "long good")])
    history = session.history_
    assert history["prediction"].tolist() == np.array(LABELS)[probabilities.argmax(1)].tolist()
    assert_allclose(history["probability"], probabilities.max(axis=1), rtol=1e-6)


@pytest.mark.parametrize("word_memory", [True, "convolution"])
def test_words_are_read_for_labels(word_memory):
    """Check a word memory beside the n-grams."""
    clf = small(word_memory=word_memory).fit(TEXTS, Y)
    assert (clf.predict(NEW_TEXTS) == NEW_Y).mean() > 0.95
    assert len(clf.explain(NEW_TEXTS[:1], target=1)) > 1


def test_vectors_and_columns_are_read_for_labels():
    """Check an embedder and feature columns, of which one is a label itself."""

    def embed(texts):
        return np.array([[text.count(word) for word in WORDS] for text in texts], dtype=float)

    X = ROWS.assign(told=np.where(Y[:, 0], "yes", "no"))
    clf = small(**COLUMNS, embedder=embed, feature_columns=["told"])
    with pytest.warns(UserWarning, match="feature_columns has 'told', which stands one to one"):
        clf.fit(X, Y)
    new = NEW_ROWS.assign(told=np.where(NEW_Y[:, 0], "yes", "no"))
    assert (clf.predict(new) == NEW_Y).mean() > 0.95
