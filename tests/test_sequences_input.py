"""Tests of an X whose samples are sequences: what is one, how it is laid out, what is refused."""

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pytest
import torch
from _reading import NO_COLUMNS
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing

from sk_ctxmem._input._rows import read_rows, read_training_rows
from sk_ctxmem._input._sequences import flatten_sequences
from sk_ctxmem._input._targets import refuse_labels_of_steps

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

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


def test_frames_of_polars_are_joined_by_their_library():
    """Check that another order of columns does not lead through pandas."""
    frame = pl.from_pandas(FIRST)
    other = frame[frame.columns[::-1]]
    rows = flatten_sequences([frame, other]).rows
    assert isinstance(rows, nw.DataFrame)
    assert rows.to_native().rows() == frame.rows() * 2


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


# --- as scikit-learn indexes them


INDEXED = {
    "list": lambda X: X,
    "array of objects": lambda X: objects(*X),
    "Series": pd.Series,
}
SEQUENCES = {
    "texts": [["a"] * n for n in (1, 2, 3, 4)],
    "frames": [pd.DataFrame({"said": ["a"] * n}) for n in (1, 2, 3, 4)],
    "arrays": [np.ones((n, 2)) for n in (1, 2, 3, 4)],
}


@pytest.mark.parametrize("kind", SEQUENCES)
@pytest.mark.parametrize("form", INDEXED.values(), ids=INDEXED)
def test_parts_of_sequences_are_sequences(kind, form):
    """Check that what scikit-learn takes from X are the whole sequences with these numbers."""
    X = form(SEQUENCES[kind])
    assert_array_equal(read(_safe_indexing(X, [3, 1]))[0].lengths, [4, 2])
    train, test = train_test_split(X, test_size=2, random_state=0)
    assert sorted([*read(train)[0].lengths, *read(test)[0].lengths]) == [1, 2, 3, 4]


def test_parts_of_an_array_of_three_dimensions_are_sequences():
    """Check the same for an array."""
    X = np.arange(24.0).reshape(4, 3, 2)
    rows, _ = read(_safe_indexing(X, [3, 1]))
    assert_array_equal(rows.values, X[[3, 1]].reshape(6, 2))


# --- what is refused


OTHER_COLUMNS = FIRST.rename(columns={"who": "name"})
NAN = np.array([[1.0, 2], [3, np.nan]])
CHAT = [{"role": "user", "content": "hi"}]
ERRORS = {
    "nothing but numbers": ([1, [2, 3]], {}, "X is a list that cannot be converted to an array"),
    "numbers of several lengths": (
        [np.ones(7), np.ones(9)],
        {},
        r"X has 7 numbers in element 0, but 9 in element 1.* pass \[numpy.reshape\(sequence, \(-1",
    ),
    "an empty sequence": (
        [["a"], [], ["b"], []],
        {},
        "X has no step in 2 of 4 sequences, the first of them sequence 1; drop it and its label",
    ),
    "an empty sequence first": ([[], ["a"]], {}, "the first of them sequence 0"),
    "an empty array": ([STEPS[0], np.ones((0, 2))], {}, "the first of them sequence 1"),
    "an empty frame": ([FIRST, FIRST[:0]], ROLES, "the first of them sequence 1"),
    "empty lists alone": ([[], ()], {}, "X has no step in 2 of 2 sequences"),
    "padded": (
        np.where(np.arange(4)[:, np.newaxis] < 3, np.ones((2, 4, 3)), np.nan),
        {},
        "NaN in step 3 of sequence 0.*If steps only pad a sequence, leave them out: a list of",
    ),
    "no steps": (np.ones((2, 0, 3)), {}, "X has no step in 2 of 2 sequences"),
    "no sequences": (np.ones((0, 2, 3)), {}, r"Found array with 0 sample\(s\)"),
    "texts beside a frame": (
        [["a"], FIRST],
        {},
        "the first of them is texts, but sequence 1 is a frame, .* of type DataFrame",
    ),
    "a frame beside texts": ([FIRST, ["a"]], ROLES, r"sequence 1 is texts, \['a'\] of type list"),
    "texts beside a text": ([["a"], "b"], {}, "sequence 1 is something else, 'b' of type str"),
    "a text beside texts": (["a", ["b"]], {}, "of type list in row 1, .* pass a list of texts for"),
    "texts beside numbers": ([["a"], [1, 2]], {}, "X has 1 of type int in step 0 of sequence 1"),
    "texts beside an array": ([["a"], STEPS[0]], {}, "sequence 1 is an array of steps"),
    "dense beside sparse": (
        [STEPS[0], sparse.csr_array(np.eye(2))],
        {},
        "sequence 1 is a sparse matrix",
    ),
    "texts beside nothing": ([["a"], None], {}, "sequence 1 is missing, None of type NoneType"),
    "nothing beside texts": ([None, ["a"]], {}, "sequence 0 is missing, None of type NoneType"),
    "texts beside messages": ([["a"], CHAT], {}, "of type dict in step 0 of sequence 1"),
    "a number in a step": ([["a", 3]], {}, "X has 3 of type int in step 1 of sequence 0"),
    "a missing text": ([["a"], ["b", None]], {}, "X has no text in step 1 of sequence 1: None"),
    "missing texts": ([[None], ["b"]], {}, "X has no text in step 0 of sequence 0: None"),
    "a missing text in a frame": (
        [FIRST, FIRST.assign(said=["a", None])],
        ROLES,
        "column 'said' has no text in step 1 of sequence 1",
    ),
    "a missing order": (
        [FIRST, FIRST.assign(price=[1, None])],
        ROLES | {"order": "price"},
        "column 'price' has no value in step 1 of sequence 1",
    ),
    "a list of speakers": (
        [FIRST, FIRST.assign(who=[["a"], ["b"]])],
        ROLES,
        r"column 'who' has \['a'\] in step 0 of sequence 1",
    ),
    "other features": (
        [STEPS[0], np.ones((1, 3))],
        {},
        "sequence 1 of X has 3 features, but sequence 0 has 2; give each step of all sequences",
    ),
    "other sparse features": (
        [sparse.csr_array(np.eye(2)), sparse.csr_array(np.eye(3))],
        {},
        "sequence 1 of X has 3 features, but sequence 0 has 2",
    ),
    "NaN in rows": ([[np.nan], [1.0]], {}, "^Input X contains NaN.\nReader"),
    "numbers in a message": (
        [["a"], [b"in row 7"]],
        {},
        "X has b'in row 7' of type bytes in row 1, but a str was expected",
    ),
    "NaN": ([STEPS[0], NAN], {}, "Input X contains NaN in step 1 of sequence 1"),
    "NaN of sparse": (
        [sparse.csr_array(STEPS[0]), sparse.csr_array(NAN)],
        {},
        "Input X contains NaN in step 1 of sequence 1",
    ),
    "NaN in a frame": (
        [pd.DataFrame(STEPS[0]), pd.DataFrame(NAN)],
        {},
        "Input X contains NaN in step 1 of sequence 1",
    ),
    "NaN in three dimensions": (
        np.where(np.arange(24).reshape(2, 4, 3) == 17, np.nan, 0),
        {},
        "Input X contains NaN in step 1 of sequence 1",
    ),
    "infinity": (
        [STEPS[0], np.where(NAN > 2, 1, np.inf)],
        {},
        "Input X contains infinity in step 0 of sequence 1",
    ),
    "four dimensions": (np.ones((2, 2, 2, 2)), {}, r"X has the shape \(2, 2, 2, 2\); sequences"),
    "three dimensions in a list": (
        [np.ones((2, 2, 2))],
        {},
        r"sequence 0 of X has the shape \(2, 2, 2\), but \(n_steps, n_features\) was expected",
    ),
    "lists too deep": ([[[[1, 2]]]], {}, r"sequence 0 of X has the shape \(1, 1, 2\)"),
    "ragged steps": (
        [[[1, 2], [3]], [[1, 2]]],
        {},
        "sequence 0 of X is a list that cannot be converted to an array",
    ),
    "an array of frames": (
        np.array([FIRST, FIRST], dtype=object),
        {},
        r"X is an array of shape \(2, 2, 3\) and dtype object, but not of numbers.* pass a list",
    ),
    "an array of texts": (
        np.array([["a", "b"], ["c", "d"]], dtype=object),
        {},
        "X contains values that are not numbers .* or a list of lists of str if samples are seq",
    ),
    "an array of str": (np.array([["a", "b"]]), {}, "X has dtype <U1, .* a list of lists of str"),
    "other columns": (
        [FIRST, OTHER_COLUMNS],
        ROLES,
        r"sequence 1 of X has other columns than sequence 0: it lacks \['who'\] and has \['name'\]",
    ),
    "a group column": (
        [FIRST, SECOND],
        ROLES | {"group": "price"},
        r"X contains 2 sequence\(s\), each of which is a group by itself, but group_column='price'",
    ),
    "a column of texts": (
        [["a"]],
        {"text": "said"},
        "text_column='said' needs X to be a list of DataFrames, one for each sequence",
    ),
    "messages": ([CHAT], {}, r"a list of lists of dicts; .* or, .* a list of frames, such as \["),
    "tuples": ([("a", 1)], {}, "X is a list of tuples; pass pandas.DataFrame"),
    "rows of a frame": ([FIRST.iloc[0]], {}, "X is a list of Series objects; pass pandas.Data"),
}


@pytest.mark.parametrize(("X", "columns", "message"), ERRORS.values(), ids=ERRORS)
def test_what_is_no_sequence_is_named_with_its_place(X, columns, message):
    """Check that errors name the sequence and the step, what was expected and what to do."""
    with pytest.raises((TypeError, ValueError), match=f"(?s){message}"):
        read(X, **columns)


CELLS = {
    "lists": pd.DataFrame({"talk": [["a"], ["b", "c"]]}),
    "arrays": pd.DataFrame({"talk": [np.ones((2, 3)), np.ones((4, 3))], "price": 1.0}),
    "polars": pl.DataFrame({"talk": [["a"], ["b", "c"]]}),
}


@pytest.mark.parametrize("X", CELLS.values(), ids=CELLS)
def test_a_frame_with_a_column_of_sequences_is_told_what_to_pass(X):
    """Check that the message names the column, which alone would be sequences."""
    with pytest.raises(TypeError, match=r"'talk' of X has values of type \w+; .* X\['talk'\], in"):
        read(X)


def test_columns_of_features_need_frames():
    """Check that feature_columns without columns are refused as the roles are."""
    with pytest.raises(ValueError, match="feature_columns='rest' needs X to be a list of DataFr"):
        read([["a"]], feature_columns="rest")


def test_groups_beside_sequences_are_refused():
    """Check that each sequence is a group, so that no others are taken."""
    with pytest.raises(ValueError, match=r"a group by itself, but groups= was passed too; leave"):
        read([["a"], ["b"]], groups=[0, 0])


SAMPLES = {
    "texts": (["a", "b"], [["a"], ["b"]]),
    "features": (np.ones((2, 3)), np.ones((2, 2, 3))),
    "frame": (FIRST[["said"]], [FIRST[["said"]]]),
}


@pytest.mark.parametrize(("rows", "sequences"), SAMPLES.values(), ids=SAMPLES)
def test_rows_and_sequences_do_not_replace_one_another(rows, sequences):
    """Check that predict takes the samples that fit took, and says how to pass a single one."""
    _, of_rows = read(rows)
    _, of_sequences = read(sequences)
    assert read_rows(rows, None, of_rows).lengths is None
    assert len(read_rows([sequences[0]], None, of_sequences).lengths) == 1
    with pytest.raises(ValueError, match=r"X contains 2 row\(s\), but .* sequences; .* \[X\] if"):
        read_rows(rows, None, of_sequences)
    with pytest.raises(ValueError, match=r"sequence\(s\), but the classifier was fitted on rows"):
        read_rows(sequences, None, of_rows)


def test_predict_takes_sequences_of_the_features_of_fit():
    """Check that another number of features, or another kind of steps, is refused."""
    _, schema = read(STEPS)
    with pytest.raises(ValueError, match="X has 3 features, but Reader is expecting 2 features"):
        read_rows([np.ones((4, 3))], None, schema)
    with pytest.raises(ValueError, match="X contains texts, but .* fitted on features"):
        read_rows([["a"]], None, schema)


LENGTHS = np.array([2, 1, 3])
OF_STEPS = {
    "lists": [["p", "q"], ["p"], ["q", "q", "p"]],
    "lists of numbers": [[0, 1], [0], [1, 1, 0]],
    "array of lists": objects(["p", "q"], ["p"], ["q", "q", "p"]),
    "Series of arrays": pd.Series([np.zeros(2), np.ones(1), np.zeros(3)]),
    "one after another": list("pqpqqp"),
    "Series": pd.Series(list("pqpqqp")),
}


@pytest.mark.parametrize("y", OF_STEPS.values(), ids=OF_STEPS)
def test_labels_of_steps_are_told_where_they_go(y):
    """Check that a label for each step is refused, with what to pass for it."""
    message = "y has 6 labels, one for each step, but X is 3 sequences, .* pass one frame of the"
    with pytest.raises(ValueError, match=message):
        refuse_labels_of_steps(y, LENGTHS)


OF_SEQUENCES = {
    "labels": (["p", "q", "p"], LENGTHS),
    "a column": ([["p"], ["q"], ["p"]], np.ones(3, dtype=int)),
    "sets": ([["p", "q", "r"], ["p"], ["q"]], LENGTHS),
    "indicators": ([[0, 1], [1, 1]], np.array([2, 2])),
    "array of indicators": (np.eye(3), LENGTHS),
    "sparse": (sparse.csr_array(np.eye(3)), LENGTHS),
    "nothing": (None, LENGTHS),
}


@pytest.mark.parametrize(("y", "lengths"), OF_SEQUENCES.values(), ids=OF_SEQUENCES)
def test_labels_of_sequences_are_not_taken_for_those_of_steps(y, lengths):
    """Check that everything else is left to the validation of labels."""
    refuse_labels_of_steps(y, lengths)


def test_another_number_of_labels_than_sequences_is_refused():
    """Check that the message counts sequences, not steps."""
    with pytest.raises(
        ValueError, match="X has 3 sequences, y has 2; pass one class label for each"
    ):
        refuse_labels_of_steps(["p", "q"], LENGTHS)
