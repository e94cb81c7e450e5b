"""Tests of an X whose samples are sequences: what is one, how it is laid out, what is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from _reading import NO_COLUMNS
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from sk_ctxmem._input._rows import read_training_rows
from sk_ctxmem._input._sequences import flatten_sequences

FIRST = pd.DataFrame({"said": ["a", "b"], "who": ["x", "y"], "price": [1, 2]})
SECOND = pd.DataFrame({"who": ["z"], "price": [3.5], "said": ["c"]})  # in another order
ROLES = {"text": "said", "speaker": "who"}
STEPS = [np.array([[1.0, 2], [3, 4]]), np.array([[5.0, 6]])]
ROWS = [[1, 2], [3, 4], [5, 6]]


def objects(*elements):
    """Return an array of objects of one dimension, whatever they are."""
    return np.fromiter(elements, dtype=object, count=len(elements))


def read(X, groups=None, feature_columns=None, **columns):
    """Read X as a fit does; return the rows and the schema."""
    return read_training_rows(X, groups, NO_COLUMNS | columns, "Reader", feature_columns)


TEXTS = {
    "lists": [["a", "b"], ["c"]],
    "tuples": (("a", "b"), ("c",)),
    "arrays": [np.array(["a", "b"]), np.array(["c"], dtype=object)],
    "columns of arrays": [np.array([["a"], ["b"]]), np.array([["c"]])],
    "Series": [pd.Series(["a", "b"]), pd.Series(["c"])],
    "Series of lists": pd.Series([["a", "b"], ["c"]], index=[7, 7]),
    "array of lists": np.array([["a", "b"], ["c"]], dtype=object),
    "Series of polars": [pl.Series(["a", "b"]), pl.Series(["c"])],
    "Series of polars of lists": pl.Series([["a", "b"], ["c"]]),
    "columns of pyarrow": [pa.chunked_array([["a", "b"]]), pa.chunked_array([["c"]])],
    "frames of one column": [FIRST[["said"]], SECOND[["said"]]],
}


@pytest.mark.parametrize("X", TEXTS.values(), ids=TEXTS)
def test_texts_of_sequences_become_rows(X):
    """Check that texts in any container are read as rows, with the number of each sequence."""
    rows, schema = read(X)
    assert (rows.kind, rows.values) == ("text", ["a", "b", "c"])
    assert all(type(text) is str for text in rows.values)
    assert_array_equal(rows.lengths, [2, 1])
    assert_array_equal(rows.groups, [0, 0, 1])
    assert (rows.n_rows, rows.n_samples, schema.of_sequences) == (3, 2, True)


ARRAYS = {
    "arrays": STEPS,
    "lists": [[[1, 2], [3, 4]], [[5, 6]]],
    "lists of arrays": [list(STEPS[0]), list(STEPS[1])],
    "array of arrays": objects(*STEPS),
    "Series of arrays": pd.Series(STEPS),
    "Series of polars of lists": pl.Series([[[1, 2], [3, 4]], [[5, 6]]]),
    "tensors": [torch.tensor(steps) for steps in STEPS],
    "objects": [steps.astype(object) for steps in STEPS],
    "sparse": [sparse.csr_array(STEPS[0]), sparse.coo_matrix(STEPS[1])],
    "frames": [pd.DataFrame(steps, columns=["p", "q"]) for steps in STEPS],
}


@pytest.mark.parametrize("X", ARRAYS.values(), ids=ARRAYS)
def test_features_of_sequences_become_rows(X):
    """Check that steps in any form are read as rows of features."""
    rows, schema = read(X)
    assert rows.kind == "features"
    found = rows.values.toarray() if sparse.issparse(rows.values) else rows.values
    assert_array_equal(found, ROWS)
    assert_array_equal(rows.lengths, [2, 1])
    assert schema.n_features_in == 2


@pytest.mark.parametrize("form", [np.asarray, torch.tensor, lambda X: X.astype(object)])
def test_an_array_of_three_dimensions_is_sequences_of_one_length(form):
    """Check that the steps of (n_sequences, n_steps, n_features) are rows."""
    X = np.arange(24.0).reshape(2, 4, 3)
    rows, schema = read(form(X))
    assert_array_equal(rows.values, X.reshape(8, 3))
    assert_array_equal(rows.lengths, [4, 4])
    assert schema.n_features_in == 3


FRAMES = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "pyarrow": lambda frame: pa.Table.from_pandas(frame),
    "an index of its own": lambda frame: frame.set_axis([9] * len(frame)),
}


@pytest.mark.parametrize("form", FRAMES.values(), ids=FRAMES)
def test_frames_are_joined_by_the_names_of_their_columns(form):
    """Check that roles and columns of features are read inside the frames of any library."""
    rows, schema = read([form(FIRST), form(SECOND)], feature_columns=["price"], **ROLES)
    assert rows.values == ["a", "b", "c"]
    assert rows.speakers.tolist() == ["x", "y", "z"]
    assert rows.columns["price"].tolist() == [1, 2, 3.5]
    assert_array_equal(rows.groups, [0, 0, 1])
    assert (schema.n_features_in, schema.features) == (3, ["price"])


def test_frames_of_several_libraries_are_joined():
    """Check that a frame of polars beside one of pandas is read as one of pandas."""
    rows, _ = read([pl.from_pandas(FIRST), SECOND], **ROLES)
    assert rows.values == ["a", "b", "c"]


def test_order_column_is_read_inside_the_frames():
    """Check that the order is kept beside the number of the sequence."""
    rows, _ = read([FIRST, SECOND], order="price", **ROLES)
    assert rows.order.tolist() == [1, 2, 3.5]


NO_SEQUENCES = {
    "texts": ["a", "b"],
    "Series of texts": pd.Series(["a", "b"]),
    "column of an array": np.array([["a"], ["b"]]),
    "column of a frame": FIRST[["said"]],
    "lists of numbers": [[1, 2], [3, 4]],
    "arrays of numbers": [np.ones(2), np.ones(2)],
    "array": np.ones((2, 3)),
    "sparse": sparse.csr_array(np.eye(2)),
    "frame": FIRST,
    "nothing": [],
}


@pytest.mark.parametrize("X", NO_SEQUENCES.values(), ids=NO_SEQUENCES)
def test_rows_are_no_sequences(X):
    """Check that what was read as rows before is so still."""
    assert flatten_sequences(X) is None


@given(st.lists(st.lists(st.text(max_size=3), min_size=1, max_size=5), min_size=1, max_size=20))
def test_texts_can_be_cut_into_their_sequences_again(X):
    """Check that rows and lengths hold each sequence, in order."""
    found = flatten_sequences(X)
    ends = np.cumsum(found.lengths)
    assert [found.rows[end - n : end] for end, n in zip(ends, found.lengths, strict=True)] == X
    assert found.groups.tolist() == [n for n, texts in enumerate(X) for _ in texts]
    places = [
        f"step {step} of sequence {n}" for n, each in enumerate(X) for step in range(len(each))
    ]
    assert [found.place(row) for row in range(len(found.rows))] == places


@given(st.lists(st.integers(1, 5), min_size=1, max_size=10), st.booleans())
def test_arrays_can_be_cut_into_their_sequences_again(lengths, is_sparse):
    """Check the same for arrays and sparse matrices."""
    whole = np.random.RandomState(0).normal(size=(sum(lengths), 2))
    X = np.split(whole, np.cumsum(lengths)[:-1])
    found = flatten_sequences([sparse.csr_array(each) for each in X] if is_sparse else X)
    assert_array_equal(found.rows.toarray() if is_sparse else found.rows, whole)
    assert found.lengths.tolist() == lengths
