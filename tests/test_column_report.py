"""Tests of what a fitted classifier says of the columns that it read and ignored."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from _hostile import small
from numpy.testing import assert_array_equal
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_html_repr

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._files._archive import read_archive, write_archive
from sk_ctxmem._model._file import DOCUMENTS
from sk_ctxmem.exceptions import ModelFileError

FRAME = pd.DataFrame(
    {
        "text": ["yes we do", "no thanks"] * 10,
        "talk": np.repeat(np.arange(5), 4),
        "size": 1.5,
        "mood": "good",
    }
)
CLASSES = ["a", "b"] * 10
ROLES = {"text_column": "text", "group_column": "talk"}
LINE = "reads text (text), talk (group); ignores size, mood"


@pytest.fixture(scope="module")
def classifier():
    """Return a classifier that ignores two columns."""
    return small(**ROLES).fit(FRAME, CLASSES)


def reports(classifier):
    """Return both attributes as plain values."""
    return classifier.columns_, classifier.ignored_columns_.tolist()


CASES = {
    "ignored": (ROLES, FRAME, {"text": "text", "group": "talk"}, ["size", "mood"]),
    "none ignored": (ROLES, FRAME[["talk", "text"]], {"text": "text", "group": "talk"}, []),
    "found text": (
        {"group_column": "talk"},
        FRAME[["talk", "text"]],
        {"text": "text", "group": "talk"},
        [],
    ),
    "one column": ({}, FRAME[["text"]], {"text": "text"}, []),
    "features": ({"group_column": "talk"}, FRAME[["size", "talk"]], {"group": "talk"}, []),
    "features alone": ({}, FRAME[["size", "talk"]], {}, []),
    "list": ({}, FRAME["text"].tolist(), {}, []),
    "array": ({}, FRAME[["size", "talk"]].to_numpy(), {}, []),
    "numbers as names": (
        {"text_column": 0, "group_column": 1},
        FRAME.set_axis([0, 1, 2, "mood"], axis=1),
        {"text": 0, "group": 1},
        [2, "mood"],
    ),
    "one column of a number": ({}, FRAME[["text"]].set_axis([7], axis=1), {"text": 7}, []),
    "names of two levels": (
        {"text_column": ("x", "text")},
        FRAME.set_axis(pd.MultiIndex.from_product([["x"], FRAME.columns]), axis=1),
        {"text": ("x", "text")},
        [("x", "talk"), ("x", "size"), ("x", "mood")],
    ),
    "names that are used twice": (
        {"text_column": "text"},
        FRAME.set_axis(["text", "a", "a", "b"], axis=1),
        {"text": "text"},
        ["a", "a", "b"],
    ),
}


@pytest.mark.parametrize(("params", "X", "columns", "ignored"), CASES.values(), ids=CASES)
def test_columns_are_reported_after_fit_and_in_copies(params, X, columns, ignored, tmp_path):
    """Check both attributes after fit, partial_fit, save, pickle and copy."""
    clf = small(**params).fit(X, CLASSES)
    assert reports(clf) == (columns, ignored)
    assert clf.ignored_columns_.dtype == object
    clf.save(tmp_path / "model.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    for other in (loaded, pickle.loads(pickle.dumps(clf)), copy.copy(clf), copy.deepcopy(clf)):
        assert reports(other) == (columns, ignored)
    assert reports(small(**params).partial_fit(X, CLASSES, ["a", "b"])) == (columns, ignored)
    assert_array_equal(loaded.predict(X), clf.predict(X))
    assert "column_names" not in "".join(vars(loaded))


def test_columns_are_those_of_the_last_fit():
    """Check that a second fit forgets the columns of the first, and that set_params does not."""
    clf = small(**ROLES).fit(FRAME, CLASSES)
    clf.set_params(text_column="mood")
    assert reports(clf) == ({"text": "text", "group": "talk"}, ["size", "mood"])
    clf.set_params(text_column=None, group_column=None).fit(FRAME["text"], CLASSES)
    assert reports(clf) == ({}, [])


def test_an_unfitted_classifier_has_no_columns():
    """Check that both attributes are missing, with the reason."""
    for name in ("columns_", "ignored_columns_"):
        assert not hasattr(small(), name)
        with pytest.raises(AttributeError, match=f"has no {name}: it is not fitted; call fit"):
            getattr(small(), name)


def rewritten(source, path, change):
    """Write a model file anew with other attributes."""
    documents, arrays = read_archive(source, "model", DOCUMENTS)
    pairs = documents["config"]["of"]
    documents["config"]["of"] = change(pairs)
    write_archive(path, "model", documents, arrays)
    return path


@pytest.fixture
def numbered(tmp_path):
    """Return the path of a file whose classifier was fitted on columns without names."""
    path = tmp_path / "numbered.ctxmem"
    X = FRAME.set_axis(range(4), axis=1)
    small(text_column=0, group_column=1).fit(X, CLASSES).save(path)
    return path


def test_files_without_names_of_columns_do_not_guess(numbered, tmp_path):
    """Check that an older file says that it does not know, and is rewritten without the names."""

    def drop(pairs):
        return [pair for pair in pairs if pair[0] != "_column_names"]

    loaded = ContextMemoryClassifier.load(rewritten(numbered, tmp_path / "old.ctxmem", drop))
    assert loaded.columns_ == {"text": 0, "group": 1}
    with pytest.raises(AttributeError, match="no ignored_columns_: its file .*; fit again"):
        _ = loaded.ignored_columns_
    assert "ignores" not in loaded._repr_html_()
    loaded.save(tmp_path / "again.ctxmem")
    files = [tmp_path / "again.ctxmem", tmp_path / "old.ctxmem"]
    again, old = (dict(read_archive(path, "model", DOCUMENTS)[0]["config"]["of"]) for path in files)
    assert again.keys() == old.keys()


@pytest.mark.parametrize("names", [[1], "abcd", [[0], 1, 2, 3], {"is": "set", "of": [0, 1, 2, 3]}])
def test_files_with_wrong_names_of_columns_are_refused(numbered, tmp_path, names):
    """Check that the names must be a list of one name for each column."""

    def replace(pairs):
        return [[key, names] if key == "_column_names" else [key, value] for key, value in pairs]

    with pytest.raises(ModelFileError, match="_column_names cannot be the result of a fit"):
        ContextMemoryClassifier.load(rewritten(numbered, tmp_path / "bad.ctxmem", replace))


def test_names_that_files_cannot_hold_become_strings(tmp_path):
    """Check that dates as names of columns do not keep a classifier from being saved."""
    X = FRAME.set_axis(["text", pd.Timestamp("2020"), ("a", pd.Timestamp("2021")), 3], axis=1)
    clf = small(text_column="text").fit(X, CLASSES)
    assert clf.ignored_columns_.tolist() == X.columns[1:].tolist()
    clf.save(tmp_path / "model.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    expected = ["2020-01-01 00:00:00", ("a", "2021-01-01 00:00:00"), 3]
    assert loaded.ignored_columns_.tolist() == expected


def test_the_diagram_has_a_line_on_columns(classifier):
    """Check the HTML alone, in a pipeline, in a search, and with a vectorizer."""
    for html in (
        classifier._repr_html_(),
        classifier._repr_mimebundle_()["text/html"],
        estimator_html_repr(make_pipeline("passthrough", classifier)),
        GridSearchCV(small(**ROLES), {"max_epochs": [1]}, cv=2).fit(FRAME, CLASSES)._repr_html_(),
    ):
        assert f'<div class="caption">{LINE}</div>' in html
    assert "reads" not in small(**ROLES)._repr_html_()
    own = small(vectorizer=TfidfVectorizer(), **ROLES).fit(FRAME, CLASSES)._repr_html_()
    assert LINE in own
    assert "vectorizer: TfidfVectorizer" in own
    lists = small().fit(FRAME["text"].tolist(), CLASSES)._repr_html_()
    assert "reads" not in lists


def test_names_in_the_diagram_are_escaped_and_few():
    """Check that a name cannot be read as HTML, and that many ignored columns are counted."""
    X = FRAME[["text"]].assign(**{f"<b>{number}": 0 for number in range(12)})
    html = small(text_column="text").fit(X, CLASSES)._repr_html_()
    assert "<b>0" not in html
    assert "reads text (text); ignores &lt;b&gt;0, &lt;b&gt;1," in html
    assert "&lt;b&gt;9 and 2 more</div>" in html
    features = small(group_column="talk").fit(FRAME[["talk", "size"]], CLASSES)._repr_html_()
    assert "reads talk (group) and 1 features; ignores no column" in features


@pytest.mark.filterwarnings("error")
def test_ignored_columns_cause_no_warning():
    """Check that a target or numbers beside the text are ignored without a word."""
    small(**ROLES).fit(FRAME.assign(target=CLASSES), CLASSES).predict(FRAME)
