"""Several labels for each row: an indicator matrix as target."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import accuracy_score

from sk_ctxmem import ContextMemoryClassifier

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
