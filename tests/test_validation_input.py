"""Tests of how X, groups and named columns are read: into one form, or refused in full."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _reading import FRAME, ROLES, Reader, read, says
from numpy.testing import assert_array_equal
from scipy import sparse

from sk_ctxmem import TextSequenceVectorizer
from sk_ctxmem._input._rows import is_missing
from sk_ctxmem._messages import doc_link

# --- X, groups and columns


def test_texts_have_no_features():
    """Check that a fit on texts learns no number or names of features, and one on a frame both."""
    reader = Reader()
    read(pd.DataFrame({"a": [1.0], "b": [2.0]}), reader=reader)
    assert reader.learned == {"n_features_in_": 2, "feature_names_in_": ["a", "b"]}
    rows = read(["a", "b"], reader=reader)
    assert (rows.kind, rows.values, rows.n_rows) == ("text", ["a", "b"], 2)
    assert reader.learned == {}


@pytest.mark.parametrize(("kind", "X"), [("features", ["a"]), ("text", [[1.0]])])
def test_rows_of_another_kind_are_refused(kind, X):
    """Check that predictions take the kind of X that the fit had."""
    with pytest.raises(ValueError, match="^X contains (texts|features), but the classifier"):
        read(X, reset=False, kind=kind)


def test_sequences_are_read_as_they_are():
    """Check that a container is not copied, and that its number of features is held to."""
    reader = Reader()
    read(pd.DataFrame({"a": [1.0]}), reader=reader)
    sequences = TextSequenceVectorizer().fit_transform(["a b", "c d"])
    rows = read(sequences, reader=reader)
    assert rows.kind == "sequences"
    assert rows.values is sequences
    assert rows.n_rows == 2
    n_features = sequences.shape[1]
    assert reader.learned == {"n_features_in_": n_features}
    read(sequences, reader=reader, reset=False)
    reader.schema = replace(reader.schema, n_features_in=1)
    with says(
        ValueError,
        f"X has {n_features} features, but Reader is expecting 1 features as input; use the "
        "vectorizer that it was fitted with.",
    ):
        read(sequences, reader=reader, reset=False)


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix, sparse.dok_array])
def test_sparse_features_become_csr(make):
    """Check that sparse features of any kind are read as CSR."""
    rows = read(make(np.eye(3)))
    assert rows.kind == "features"
    assert rows.values.format == "csr"
    assert rows.n_rows == 3
    assert_array_equal(rows.values.toarray(), np.eye(3))


def test_dense_features_are_read_as_numbers():
    """Check that lists, objects and half precision become numbers, and are held to their count."""
    reader = Reader()
    rows = read([[1, 2], [3, 4]], reader=reader)
    assert (rows.kind, rows.n_rows, rows.groups) == ("features", 2, None)
    assert_array_equal(rows.values, [[1, 2], [3, 4]])
    assert read(np.array([[1, 2.5]], dtype=object)).values.dtype == np.float64
    assert read(np.ones((1, 2), dtype=np.float16)).values.dtype == np.float32
    assert reader.schema.n_features_in == 2
    with pytest.raises(ValueError, match="X has 3 features, but Reader is expecting 2 features"):
        read([[1, 2, 3]], reader=reader, reset=False)


def damaged():
    """Return a sparse matrix with an entry outside of it."""
    X = sparse.csr_array(np.eye(3))
    X.indices[1] = 9
    return X


REFUSED_INPUT = {
    "a string": ("abc", "X is one string, 'abc'"),
    "an iterator": (iter([[1]]), "X is a list_iterator, whose rows cannot be indexed"),
    "a query": (pl.LazyFrame({"a": [1]}), "X is a polars LazyFrame"),
    "ragged": ([[1], [2, 3]], "X has 1 numbers in element 0, but 2 in element 1"),
    "dates": (np.array([["2020"]], dtype="datetime64[s]"), "X has dtype datetime64"),
    "objects": (np.array([[1, {}]], dtype=object), "X contains values that are not numbers"),
    "large numbers": (np.array([[1e300]]), "X has a value of magnitude 1e+300"),
    "damaged": (damaged(), "X is a corrupt csr_array"),
}


@pytest.mark.parametrize(("X", "part"), REFUSED_INPUT.values(), ids=REFUSED_INPUT)
def test_input_that_cannot_be_is_named(X, part):
    """Check that X is named where it is none of what can be read."""
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(part)}"):
        read(X)


def test_groups_are_read_beside_any_input():
    """Check that groups= gives the groups, of texts as of features."""
    assert read(["a", "b"], ["g", "h"]).groups.tolist() == ["g", "h"]
    assert read(np.eye(2), np.array([4, 5])).groups.tolist() == [4, 5]
    rows = read(pd.DataFrame({"text": ["a"], "order": [1]}), [7], text="text", order="order")
    assert (rows.groups.tolist(), rows.order.tolist()) == ([7], [1])
    with says(ValueError, "groups has shape (1,), but X has 2 rows; pass one value for each row."):
        read(["a", "b"], [1])
    with pytest.raises(TypeError, match=r"^groups has \[1\] in row 0, of type list, which is not"):
        read(["a", "b"], [[1], [2]])


def test_groups_said_twice_are_refused():
    """Check that the message names the column."""
    with says(
        ValueError,
        "groups= and group_column='group' both define the groups; pass only one of them.",
    ):
        read(pd.DataFrame(FRAME), [1, 2, 3], text="text", group="group", order="order")


def test_names_of_columns_are_checked():
    """Check that a name can be looked up, stands for one role, and needs a frame."""
    with says(TypeError, "order_column=['a'] must be the name of one column, or None."):
        read(pd.DataFrame(FRAME), order=["a"])
    with says(
        ValueError,
        "A column can have one role only, but text_column='text', speaker_column='text'; name "
        "each column once.",
    ):
        read(pd.DataFrame(FRAME), text="text", speaker="text")
    with says(
        ValueError,
        "group_column='g' needs X to be a DataFrame, but X is a list without columns; pass a "
        "DataFrame, or pass the group ids as groups= and set group_column=None."
        + doc_link("columns"),
    ):
        read(["a"], group="g")


# --- frames


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_a_frame_is_read_by_the_roles_of_its_columns(library):
    """Check each role, that a speaker may be unknown, and which columns are learned."""
    reader = Reader()
    rows = read(library.DataFrame(FRAME), reader=reader, **ROLES)
    assert (rows.kind, rows.values) == ("text", FRAME["text"])
    assert rows.groups.tolist() == FRAME["group"]
    assert rows.order.tolist() == FRAME["order"]
    assert rows.speakers[[0, 2]].tolist() == ["x", "y"]
    assert is_missing(rows.speakers[1])
    assert reader.schema.n_features_in == 4
    assert reader.schema.feature_names_in.tolist() == list(FRAME)
    assert reader.schema.feature_names_in.dtype == object


def test_columns_without_a_role_are_features():
    """Check that the text may be the only one left, and that numbers are read with their names."""
    rows = read(pd.DataFrame(FRAME), group="group", order="order", speaker="speaker")
    assert (rows.kind, rows.values) == ("text", FRAME["text"])
    reader = Reader()
    frame = pd.DataFrame(FRAME).assign(more=[1, 2, 3])
    rows = read(frame, reader=reader, text=None, group="group", speaker="speaker", order="text")
    assert rows.kind == "features"
    assert_array_equal(rows.values, np.c_[FRAME["order"], [1, 2, 3]])
    assert reader.schema.feature_names_in.tolist() == ["order", "more"]
    objects = pd.DataFrame({"a": np.array([1, None], dtype=object), "b": [2, 3]})
    with pytest.raises(ValueError, match="Input X contains NaN"):
        read(objects)
    assert_array_equal(read(objects.fillna(4), reader=reader).values, [[1, 2], [4, 3]])
    assert reader.schema.feature_names_in.tolist() == ["a", "b"]


def test_missing_numbers_of_any_kind_are_nan():
    """Check that NA among objects is told to be missing, not to be no number."""
    with pytest.raises(ValueError, match="Input X contains NaN"):
        read(pd.DataFrame({"a": np.array([1, pd.NA], dtype=object)}))


def test_an_order_is_not_looked_up():
    """Check that an order column may hold what can be compared and not hashed."""
    assert read(pd.DataFrame(FRAME | {"order": LISTS}), **ROLES).order.tolist() == LISTS


def test_a_text_column_alone_is_learned():
    """Check that the columns of a frame of texts are learned by fit, not by predict."""
    reader = Reader()
    frame = pd.DataFrame({"words": ["a"], "group": [1]})
    read(frame, reader=reader, group="group")
    assert reader.schema.n_features_in == 2
    assert reader.schema.feature_names_in.tolist() == ["words", "group"]
    read(frame.assign(more=1), reader=reader, reset=False, text="words")
    read(frame.assign(more=1)[["words"]], reader=reader, reset=False)
    assert reader.schema.feature_names_in.tolist() == ["words", "group"]
    read(pd.DataFrame({0: ["a"]}), reader=reader)
    assert reader.learned == {"n_features_in_": 1}
    read(pd.DataFrame({0: ["a"], "b": [1]}), reader=reader, text=0)
    assert reader.learned == {"n_features_in_": 2}


def test_numbers_of_predict_are_held_to_the_columns_of_fit():
    """Check that features of a frame are compared with those that fit learned."""
    reader = Reader()
    read(pd.DataFrame({"a": [1.0], "b": [2.0]}), reader=reader)
    with pytest.raises(ValueError, match="feature names should match"):
        read(pd.DataFrame({"b": [1.0], "a": [2.0]}), reader=reader, reset=False)


CATEGORIES = ["low", "high"]
ORDERED = {
    "pandas": pd.DataFrame(
        {
            "text": ["a", "b"],
            "order": pd.Categorical(["high", "low"], categories=CATEGORIES, ordered=True),
        }
    ),
    "polars": pl.DataFrame(
        {"text": ["a", "b"], "order": pl.Series(["high", "low"], dtype=pl.Enum(CATEGORIES))}
    ),
}


@pytest.mark.parametrize("frame", ORDERED.values(), ids=ORDERED)
def test_ordered_categories_are_read_as_ranks(frame):
    """Check that the order of categories is the one that they were given."""
    assert read(frame, text="text", order="order").order.tolist() == [1, 0]


def test_other_categories_are_read_as_values():
    """Check that categories without an order stay what they are, and missing ones are named."""
    frame = ORDERED["pandas"]
    plain = frame.assign(order=frame["order"].cat.as_unordered())
    assert read(plain, text="text", order="order").order.tolist() == ["high", "low"]
    missing = frame.assign(order=pd.Categorical(["low", None], CATEGORIES, ordered=True))
    with pytest.raises(ValueError, match="^column 'order' has no value in row 1: nan; give each"):
        read(missing, text="text", order="order")


def with_column(**columns):
    """Return the frame with other columns."""
    return pd.DataFrame(FRAME).assign(**columns)


LISTS = [[1], [2], [3]]
REFUSED_FRAMES = {
    "unknown": (
        with_column(),
        ROLES | {"order": "time"},
        ValueError,
        "order_column='time' is not a column of X, which has ['text', 'group', 'order', "
        "'speaker']; give the name of one of them." + doc_link("columns"),
    ),
    "name twice": (
        pd.DataFrame([["a", 1, 2]], columns=["text", "group", "group"]),
        {"text": "text", "group": "group"},
        ValueError,
        "X has 2 columns named 'group'; give each its own name.",
    ),
    "array in each row": (
        pl.DataFrame({"a": pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2))}),
        {},
        TypeError,
        "column 'a' of X has several values in each row; split it into one column each.",
    ),
    "missing text": (
        with_column(text=["a", "b", None]),
        ROLES,
        ValueError,
        "column 'text' has no text in row 2: nan; drop the row, or replace the value by ''."
        + doc_link("missing-texts"),
    ),
    "missing text without a role": (
        with_column(text=["a", "b", None]),
        ROLES | {"text": None},
        ValueError,
        "column 'text' has no text in row 2: nan; drop the row, or replace the value by ''."
        + doc_link("missing-texts"),
    ),
    "missing group": (
        with_column(group=[1.0, np.nan, 1.0]),
        ROLES,
        ValueError,
        "column 'group' has no value in row 1: nan; give each row a value. A row that belongs to "
        "no group needs a group id of its own; its order value may be 0.",
    ),
    "lists as groups": (
        with_column(group=LISTS),
        ROLES,
        TypeError,
        "column 'group' has [1] in row 0, of type list, which is not hashable; convert it to a "
        "str, a number or a tuple.",
    ),
    "lists as speakers": (
        with_column(speaker=LISTS),
        ROLES,
        TypeError,
        "column 'speaker' has [1] in row 0, of type list, which is not hashable; convert it to a "
        "str, a number or a tuple.",
    ),
    "two texts": (
        with_column(),
        {"group": "group"},
        ValueError,
        "X has the columns ['text', 'order', 'speaker'], of which ['text', 'speaker'] contain "
        "text; set text_column to the one to classify." + doc_link("columns"),
    ),
    "nothing left": (
        with_column()[["group"]],
        {"group": "group"},
        ValueError,
        "X has no column left for the features; set text_column to the column of texts."
        + doc_link("columns"),
    ),
}


@pytest.mark.parametrize(
    ("X", "columns", "error", "message"), REFUSED_FRAMES.values(), ids=REFUSED_FRAMES
)
def test_frames_that_cannot_be_are_named(X, columns, error, message):
    """Check that the message names the column and the row, and says what to do."""
    with says(error, message):
        read(X, **columns)


def test_a_column_of_no_numbers_is_named():
    """Check that the message names the column of a feature that is none."""
    with pytest.raises(TypeError, match=r"^column 'b' contains values that are not numbers"):
        read(pd.DataFrame({"a": [1], "b": [{}]}))
