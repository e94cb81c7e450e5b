"""Tests of partial_fit, and of chunks that cut no group."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from sk_ctxmem import ContextMemoryClassifier, whole_groups
from sk_ctxmem.datasets import make_conversations

SMALL = {
    "text_column": "text",
    "group_column": "group",
    "hidden_size": 16,
    "random_state": 0,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def frame():
    """Return conversations of which only the turn before tells the class of a turn."""
    return make_conversations(300, random_state=0).frame


@pytest.fixture(scope="module")
def chunks(frame):
    """Return them in chunks of whole conversations."""
    rows = frame.iloc[:1600]
    return list(whole_groups((rows.iloc[i : i + 300] for i in range(0, len(rows), 300)), "group"))


@pytest.fixture(scope="module")
def classes(frame):
    """Return all classes."""
    return np.unique(frame["target"])


def feed(classifier, chunks, classes, n_passes=1):
    """Pass chunks to a classifier several times."""
    for _ in range(n_passes):
        for chunk in chunks:
            classifier.partial_fit(chunk[["text", "group"]], chunk["target"], classes)
    return classifier


@pytest.mark.slow
def test_chunks_teach_what_all_rows_teach(frame, chunks, classes):
    """Check accuracy on other conversations, and what is kept of each call."""
    classifier = feed(ContextMemoryClassifier(**SMALL), chunks, classes, n_passes=3)
    others = frame.iloc[1600:]
    assert classifier.score(others[["text", "group"]], others["target"]) > 0.9
    assert classifier.n_iter_ == 3 * len(chunks)
    assert classifier.history_["epoch"].tolist() == list(range(1, 3 * len(chunks) + 1))
    assert classifier.history_["train_loss"].iloc[-1] < classifier.history_["train_loss"].iloc[0]
    assert classifier.temperature_ == 1
    assert classifier.classes_.tolist() == classes.tolist()


def test_the_same_chunks_teach_the_same(frame, chunks, classes):
    """Check determinism, and that a pickle between two chunks changes nothing."""
    one = feed(ContextMemoryClassifier(**SMALL), chunks, classes)
    other = ContextMemoryClassifier(**SMALL)
    for chunk in chunks:
        other = feed(pickle.loads(pickle.dumps(other)), [chunk], classes)
    assert_array_equal(other.predict_proba(frame), one.predict_proba(frame))
    again = copy.deepcopy(one)
    feed(again, chunks[:1], None)
    assert_array_equal(feed(one, chunks[:1], None).predict_proba(frame), again.predict_proba(frame))


def test_classes_may_come_later_than_the_first_chunk(frame, classes):
    """Check that a chunk may have one class only, and the first may lack some."""
    rows = frame[frame["target"] == frame["target"].iloc[0]].iloc[:50]
    classifier = ContextMemoryClassifier(**SMALL)
    classifier.partial_fit(rows[["text", "group"]], rows["target"], classes)
    assert set(classifier.predict(rows)) == {rows["target"].iloc[0]}
    for _ in range(3):
        feed(classifier, [frame.iloc[:1000]], None)
    assert classifier.score(frame.iloc[:1000], frame["target"].iloc[:1000]) > 0.8


@pytest.mark.slow
def test_training_goes_on_after_fit_and_load(frame, chunks, classes, tmp_path):
    """Check that partial_fit goes on from what fit, or a file, has; fit starts anew."""
    first = chunks[0]
    classifier = ContextMemoryClassifier(max_epochs=1, **SMALL)
    classifier.fit(first[["text", "group"]], first["target"])
    classifier.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    before = classifier.score(frame, frame["target"])
    for one in (classifier, loaded):
        feed(one, chunks, None, n_passes=2)
        assert one.score(frame, frame["target"]) > before + 0.05
    assert_array_equal(loaded.predict_proba(frame), classifier.predict_proba(frame))
    assert classifier.n_iter_ == 1 + 2 * len(chunks)
    fresh = ContextMemoryClassifier(max_epochs=1, **SMALL)
    rows = first[["text", "group"]]
    expected = fresh.fit(rows, first["target"]).predict_proba(rows)
    assert_array_equal(classifier.fit(rows, first["target"]).predict_proba(rows), expected)


def test_a_failed_call_changes_nothing(frame, chunks, classes, monkeypatch):
    """Check that an error within a chunk leaves predictions and later training as they were."""
    classifier = feed(ContextMemoryClassifier(**SMALL), chunks[:2], classes)
    untouched = copy.deepcopy(classifier)

    def fail(*_):
        raise RuntimeError("a broken callback")

    monkeypatch.setattr("sk_ctxmem._training._chunk.check_finite_weights", fail)
    with pytest.raises(RuntimeError, match="a broken callback"):
        feed(classifier, chunks[2:3], None)
    monkeypatch.undo()
    assert_array_equal(classifier.predict_proba(frame), untouched.predict_proba(frame))
    after = feed(classifier, chunks[2:3], None).predict_proba(frame)
    assert_array_equal(after, feed(untouched, chunks[2:3], None).predict_proba(frame))


def test_columns_of_one_row_are_kept_for_later_rows(frame, chunks, classes):
    """Check that n-grams of one row of the first chunk do not become one feature."""
    classifier = feed(ContextMemoryClassifier(**SMALL), chunks[:1], classes)
    assert classifier.scaler_.n_columns_ == len(classifier.scaler_.columns_)


@pytest.mark.parametrize("as_features", [np.asarray, sparse.csr_array], ids=["dense", "CSR"])
def test_features_come_in_chunks_too(as_features):
    """Check numbers, dense and sparse, with groups= and weights."""
    random = np.random.RandomState(0)
    X = random.normal(size=(600, 5)) * (random.rand(600, 5) < 0.5)
    y = (X[:, 0] > 0).astype(int)
    classifier = ContextMemoryClassifier(hidden_size=8, random_state=0, class_weight={0: 2})
    for _ in range(4):
        for start in range(0, 600, 200):
            rows = slice(start, start + 200)
            classifier.partial_fit(
                as_features(X[rows]), y[rows], [0, 1], np.ones(200), np.arange(200) // 10
            )
    groups = np.arange(600) // 10
    assert classifier.score(as_features(X), y, groups=groups) > 0.9


BAD_CALLS = {
    "no classes": ({"classes": None}, "classes must be passed on the first call"),
    "one class": ({"classes": ["a"]}, "has only one class; a classifier needs at least two"),
    "unknown class": (
        {"classes": ["x", "y"]},
        "y has the classes .*not among the classes of the first",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_a_first_call_needs_all_classes(frame, arguments, message):
    """Check that classes are given, at least two, and have those of y among them."""
    classifier = ContextMemoryClassifier(**SMALL)
    with pytest.raises(ValueError, match=message):
        classifier.partial_fit(frame[["text", "group"]], frame["target"], **arguments)
    assert not classifier.__sklearn_is_fitted__()
    assert not hasattr(classifier, "classes_")


def test_later_calls_are_held_to_the_first(frame, chunks, classes):
    """Check other classes, another kind of input, and groups that fit did not know."""
    classifier = feed(ContextMemoryClassifier(**SMALL), chunks[:1], classes)
    rows, y = chunks[1][["text", "group"]], chunks[1]["target"]
    with pytest.raises(ValueError, match="are not those of the first call"):
        classifier.partial_fit(rows, y, classes=["x", "y"])
    with pytest.raises(ValueError, match="text_column='text' needs X to be a DataFrame"):
        classifier.partial_fit(rows["text"].tolist(), y)
    with pytest.raises(ValueError, match="which are not among the classes of the first call"):
        classifier.partial_fit(rows, ["unheard of"] * len(y))
    classifier.set_params(class_weight="balanced")
    with pytest.raises(ValueError, match="class_weight='balanced' needs the classes of all rows"):
        classifier.partial_fit(rows, y)
    classifier.set_params(class_weight=None)
    with pytest.raises(ValueError, match="The weights of all rows are zero"):
        classifier.partial_fit(rows, y, sample_weight=np.zeros(len(y)))


# --- whole_groups


@given(st.lists(st.integers(1, 6), max_size=20), st.integers(1, 9))
def test_no_group_is_cut_and_no_row_lost(lengths, size):
    """Check any lengths of groups and chunks: all rows in order, each group in one chunk."""
    groups = np.repeat(np.arange(len(lengths)), lengths)
    rows = pd.DataFrame({"talk": groups, "number": np.arange(len(groups))})
    pieces = [rows.iloc[i : i + size] for i in range(0, len(rows), size)]
    whole = list(whole_groups(pieces, "talk"))
    assert [number for chunk in whole for number in chunk["number"]] == rows["number"].tolist()
    seen = [group for chunk in whole for group in chunk["talk"].unique()]
    assert len(seen) == len(set(seen))
    longest = max(lengths, default=0)
    assert all(0 < len(chunk) < size + longest for chunk in whole)


@pytest.mark.parametrize(
    ("chunk", "error", "message"),
    [
        ([1], TypeError, "A chunk is a list, but a pandas DataFrame was expected"),
        (pd.DataFrame({"a": [1]}), ValueError, "group_column='talk' is not a column of a chunk"),
        (
            pd.DataFrame({"talk": ["a", None]}),
            ValueError,
            "A chunk has no value of 'talk' in row 1",
        ),
        (
            pd.DataFrame({"talk": ["a", "b", "b", "a"]}),
            ValueError,
            "whose rows are not consecutive: it comes back in row 3; sort the rows by 'talk'",
        ),
        (
            pd.DataFrame([["a", "b"]], columns=["talk", "talk"]),
            ValueError,
            "A chunk has several columns named 'talk'; give each its own name",
        ),
    ],
    ids=["list", "column", "missing", "return", "twice"],
)
def test_bad_chunks_are_named(chunk, error, message):
    """Check that other things than frames with a group for each row are refused."""
    with pytest.raises(error, match=message):
        list(whole_groups([chunk], "talk"))


def test_one_frame_is_no_chunks():
    """Check that a frame alone, whose columns would be taken for chunks, is refused."""
    with pytest.raises(TypeError, match="chunks is a single DataFrame; pass a list of DataFrames"):
        list(whole_groups(pd.DataFrame({"talk": ["a"]}), "talk"))


def test_empty_chunks_are_passed_over():
    """Check that a chunk without rows ends no group, and makes no chunk."""
    rows = pd.DataFrame({"talk": ["a", "a"], "number": [0, 1]})
    chunks = [rows[:0], rows[:1], rows[:0], rows[1:]]
    (whole,) = whole_groups(chunks, "talk")
    assert whole["number"].tolist() == [0, 1]
