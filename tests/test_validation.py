"""Tests of the checks of texts and ids by themselves: what is read, and every message in full."""

from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from _reading import says
from scipy import sparse

from sk_ctxmem._input._rows import (
    check_row_ids,
    check_texts,
    is_frame,
    is_missing,
    looks_like_texts,
)
from sk_ctxmem._messages import doc_link


class Rows:
    """A sequence of rows that is neither a list nor an array."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        """Return the number of rows."""
        return len(self.rows)

    def __getitem__(self, row):
        """Return a row."""
        return self.rows[row]


# --- what is taken for what


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (pd.DataFrame({"a": [1]}), True),
        (pl.DataFrame({"a": [1]}), True),
        (pd.Series([1]), False),
        (np.zeros((2, 2)), False),
        (SimpleNamespace(columns=["a"]), False),
        (SimpleNamespace(columns=["a"], shape=(1,)), False),
        (SimpleNamespace(shape=(1, 1)), False),
    ],
)
def test_a_frame_has_columns_and_two_dimensions(X, expected):
    """Check that frames of both libraries are known, and nothing else."""
    assert is_frame(X) is expected


@pytest.mark.parametrize(
    "value",
    [
        *(None, pd.NA, pd.NaT, np.ma.masked, float("nan")),
        *(np.float32("nan"), np.float64("nan"), np.datetime64("NaT")),
    ],
    ids=repr,
)
def test_values_that_are_missing(value):
    """Check that each way to say that there is no value is known."""
    assert is_missing(value) is True


@pytest.mark.parametrize("value", [0, 0.0, "", "nan", np.float32(1), np.datetime64("2020")])
def test_values_that_are_there(value):
    """Check that zeros and empty texts are values."""
    assert is_missing(value) is False


TEXTS = {
    "list": ["a", "b"],
    "tuple": ("a",),
    "nothing": [],
    "missing first": [None, float("nan"), "a"],
    "all missing": [None, np.nan],
    "text later": [1, "a"],
    "bytes": [b"a"],
    "array": np.array(["a"]),
    "array of bytes": np.array([b"a"]),
    "array of objects": np.array([None, "a"], dtype=object),
    "one column": np.array([["a"], ["b"]]),
    "Series": pd.Series(["a"]),
    "categories": pd.Series(["a", "b"], dtype="category"),
    "strings of pandas": pd.Series(["a", None], dtype="string"),
    "frame of one column": pd.DataFrame({"a": ["b"]}),
}
NO_TEXTS = {
    "one string": "a",
    "bytes": b"a",
    "sparse": sparse.csr_array(np.eye(2)),
    "one sparse column": sparse.csr_array([[1.0], [2.0]]),
    "numbers": [1, 2],
    "lists": [["a"], ["b"]],
    "iterator": iter(["a"]),
    "set": {"a"},
    "floats": np.array([np.nan]),
    "dates": np.array(["NaT"], dtype="datetime64[s]"),
    "spans": np.array(["NaT"], dtype="timedelta64[s]"),
    "nothing of a type of numbers": np.array([], dtype=np.int64),
    "nullable numbers": pd.Series([None, None], dtype="Int64"),
    "two columns": np.array([["a", "b"]]),
    "one column of numbers": np.array([[1.0], [2.0]]),
    "no dimension": np.array("a"),
    "three dimensions": np.array([[["a"]]]),
    "frame of two columns": pd.DataFrame({"a": ["b"], "c": ["d"]}),
    "frame of numbers": pd.DataFrame({"a": [1.0]}),
}


@pytest.mark.parametrize("X", TEXTS.values(), ids=TEXTS)
def test_what_is_taken_for_texts(X):
    """Check that texts are known in every container, missing ones among them."""
    assert looks_like_texts(X)


@pytest.mark.parametrize("X", NO_TEXTS.values(), ids=NO_TEXTS)
def test_what_is_not_taken_for_texts(X):
    """Check that numbers, dates, tables, single strings and what has no order are no texts."""
    assert not looks_like_texts(X)


# --- texts


@pytest.mark.parametrize(
    "X",
    [
        ["a", "b"],
        ("a", "b"),
        np.array(["a", "b"]),
        np.array([["a"], ["b"]]),
        pd.Series(["a", "b"]),
        pd.DataFrame({"x": ["a", "b"]}),
        pl.DataFrame({"x": ["a", "b"]}),
        [np.str_("a"), "b"],
        Rows(["a", "b"]),
    ],
    ids=lambda X: type(X).__name__,
)
def test_texts_are_read_as_a_list_of_str(X):
    """Check that texts come out as str and nothing derived of it, whatever holds them."""
    texts = check_texts(X)
    assert texts == ["a", "b"]
    assert set(map(type, texts)) == {str}


UNORDERED = (
    "is a {}, whose rows cannot be indexed; pass a list, array, Series or DataFrame, such as "
)
REFUSED_TEXTS = {
    "one string": (
        "a" * 50,
        TypeError,
        f"X is one string, '{'a' * 40}', but a list of texts was expected; pass [X] for a single "
        "text." + doc_link("kinds-of-input"),
    ),
    "a number": (5, TypeError, "X must be a list, array or Series of texts, not int."),
    "sparse": (
        sparse.dok_array(np.eye(2)),
        TypeError,
        "X must be a list, array or Series of texts, not dok_array.",
    ),
    "one sparse column": (
        sparse.csr_array([[1.0], [2.0]]),
        TypeError,
        "X must be a list, array or Series of texts, not csr_array.",
    ),
    "sparse of one dimension": (
        sparse.coo_array([1.0, 2.0]),
        TypeError,
        "X must be a list, array or Series of texts, not coo_array.",
    ),
    "two columns": (
        np.array([["a", "b"]]),
        TypeError,
        "X must be a list, array or Series of texts, not ndarray.",
    ),
    "three dimensions": (
        np.array([[["a"]]]),
        TypeError,
        "X must be a list, array or Series of texts, not ndarray.",
    ),
    "frame": (
        pd.DataFrame({"a": ["b"], "c": ["d"]}),
        ValueError,
        "X has the columns ['a', 'c'], but one column of texts was expected; pass that column, "
        "or set text_column to its name.",
    ),
    "query": (
        pl.LazyFrame({"a": ["b"]}),
        TypeError,
        "X is a polars LazyFrame; pass the result of its method collect()."
        + doc_link("kinds-of-input"),
    ),
    "empty": ([], ValueError, "X is empty: found 0 sample(s) while a minimum of 1 is required."),
    "missing": (
        ["a", None],
        ValueError,
        "X has no text in row 1: None; drop the row, or replace the value by ''."
        + doc_link("missing-texts"),
    ),
    "no text": (
        ["a", "b", b"c"],
        TypeError,
        "X has b'c' of type bytes in row 2, but a str was expected; convert it with str(), or "
        "bytes with .decode().",
    ),
    "set": ({"a"}, TypeError, f"X {UNORDERED.format('set')}list(X)."),
    "dict": ({"a": 1}, TypeError, f"X {UNORDERED.format('dict')}list(X)."),
    "values": ({"a": 1}.values(), TypeError, f"X {UNORDERED.format('dict_values')}list(X)."),
    "iterator": (iter(["a"]), TypeError, f"X {UNORDERED.format('list_iterator')}list(X)."),
}


@pytest.mark.parametrize(("X", "error", "message"), REFUSED_TEXTS.values(), ids=REFUSED_TEXTS)
def test_texts_that_cannot_be_are_named(X, error, message):
    """Check that the message says what X is, what is wrong in which row, and what to do."""
    with says(error, message):
        check_texts(X)
    with says(
        error, message.replace("X ", "docs ").replace("(X)", "(docs)").replace("[X]", "[docs]")
    ):
        check_texts(X, "docs")


# --- one value for each row


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (pd.Series([1, 2]), "i"),
        (pl.Series([1, 2]), "i"),
        (np.array([1, 2]), "i"),
        (torch.tensor([1, 2]), "i"),
        ([1, 2], "O"),
        (range(1, 3), "O"),
        (Rows([1, 2]), "O"),
    ],
    ids=lambda ids: type(ids).__name__,
)
def test_ids_keep_their_type(ids, kind):
    """Check that ids with a type keep it, and that others become objects."""
    found = check_row_ids(ids, 2)
    assert found.tolist() == [1, 2]
    assert found.dtype.kind == kind


def test_ids_may_be_tuples():
    """Check that each tuple of a list is one id."""
    assert check_row_ids([(1, 2), (3, 4)], 2).tolist() == [(1, 2), (3, 4)]


@pytest.mark.parametrize("ids", [["a", np.nan, "b"], Rows(["a", np.nan, "b"])])
def test_a_missing_id_is_named(ids):
    """Check that a missing value does not become a string, and is named with its row."""
    with says(
        ValueError,
        "groups has no value in row 1: nan; give each row a value. A row that belongs to no "
        "group needs a group id of its own; its order value may be 0.",
    ):
        check_row_ids(ids, 3)


def test_an_id_that_cannot_be_compared_is_named():
    """Check that a signalling NaN is told by its ids' name."""
    with pytest.raises(ValueError, match="^turns has a value that cannot be compared"):
        check_row_ids([Decimal("sNaN"), 1], 2, "turns")


def test_masked_ids_are_named():
    """Check that an id which a mask hides is not read."""
    with pytest.raises(ValueError, match="^turns has a masked value in row 1;"):
        check_row_ids(np.ma.array([1, 2], mask=[False, True]), 2, "turns")


@pytest.mark.parametrize(
    ("ids", "shape"), [([1], "(1,)"), ("ab", "()"), ([[1], [2]], "(2,)"), (np.eye(2), "(2, 2)")]
)
def test_ids_of_another_shape_are_named(ids, shape):
    """Check that the message has the shape, a string being one value, and the number of rows."""
    with says(
        ValueError, f"turns has shape {shape}, but X has 3 rows; pass one value for each row."
    ):
        check_row_ids(ids, 3, "turns")


# --- errors
