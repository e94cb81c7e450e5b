"""Tests of to_sequences, which cuts a frame of rows into sequences."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sk_ctxmem import to_sequences
from sk_ctxmem._input._rows import read_training_rows

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

ROWS = pd.DataFrame(
    {
        "talk": ["b", "a", "b", "c", "b", "a"],
        "turn": [10, 1, 9, 1, 8, 2],
        "text": list("uvwxyz"),
        "price": range(6),
    },
    index=list("nnmmkk"),
)
FORMS = {
    "pandas": (lambda frame: frame, lambda frame: frame),
    "polars": (pl.from_pandas, pl.DataFrame.to_pandas),
    "pyarrow": (pa.Table.from_pandas, pa.Table.to_pandas),
}


@pytest.mark.parametrize(("form", "back"), FORMS.values(), ids=FORMS)
def test_sequences_are_the_sorted_rows(form, back):
    """Check that groups appear as they first do, with their rows in order, in the same library."""
    frame = form(ROWS)
    sequences, keys = to_sequences(frame, "talk", "turn")
    assert keys.tolist() == ["b", "a", "c"]
    assert {type(each) for each in sequences} == {type(frame)}
    assert ["".join(back(each)["text"]) for each in sequences] == ["ywu", "vz", "x"]
    whole = pd.concat([back(each) for each in sequences])
    expected = ROWS.sort_values("turn").set_index("talk").loc[keys]
    assert whole.columns.drop(["__index_level_0__"], errors="ignore").tolist() == ["text", "price"]
    assert_array_equal(whole[["text", "price"]], expected[["text", "price"]])


def test_rows_without_an_order_stay_as_they_stand():
    """Check that only the groups are brought together, and that the index is kept."""
    sequences, _ = to_sequences(ROWS, "talk")
    assert [each["text"].tolist() for each in sequences] == [["u", "w", "y"], ["v", "z"], ["x"]]
    assert sequences[0].index.tolist() == ["n", "m", "k"]
    assert sequences[0].columns.tolist() == ["turn", "text", "price"]


ORDERS = {
    "numbers as strings": ROWS["turn"].astype(str),
    "dates as strings": [f"2026-01-{turn:02}" for turn in ROWS["turn"]],
    "categories": pd.Categorical.from_codes(ROWS["turn"], list("kjihgfedcba"), ordered=True),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_the_order_is_read_as_the_classifier_reads_it(order):
    """Check that strings of numbers and dates, and categories, are sorted as such."""
    (first, *_), _ = to_sequences(ROWS.assign(turn=order), "talk", "turn")
    assert first["text"].tolist() == ["y", "w", "u"]


def test_sequences_are_an_input_of_the_classifier():
    """Check that the frames are read as sequences, also with a single column left."""
    X, keys = to_sequences(ROWS[["talk", "turn", "text"]], "talk", "turn")
    roles = dict.fromkeys(["text", "group", "order", "speaker"])
    rows, schema = read_training_rows(X, None, roles, "Reader")
    assert rows.values == ["y", "w", "u", "v", "z", "x"]
    assert_array_equal(keys[rows.groups], ["b", "b", "b", "a", "a", "c"])
    assert schema.of_sequences


def test_no_rows_are_no_sequences():
    """Check that a frame without rows gives an empty list."""
    sequences, keys = to_sequences(ROWS[:0], "talk", "turn")
    assert (sequences, keys.tolist()) == ([], [])


ERRORS = {
    "no frame": (["a"], {}, "frame is a list, but a DataFrame of rows was expected; pass seq"),
    "no group": (
        ROWS.drop(columns="talk"),
        {},
        r"group_column='talk' is not a column of frame, which has \['turn', 'text', 'price'\]",
    ),
    "no name": (ROWS, {"group_column": None}, "group_column=None is not a column of frame"),
    "no order": (ROWS, {"order_column": "time"}, "order_column='time' is not a column of frame"),
    "no id": (
        ROWS.assign(talk=["a", None, *"abca"]),
        {},
        "column 'talk' has no value in row 1: nan; give each row a value",
    ),
    "lists": (
        ROWS.assign(talk=[[1]] * 6),
        {},
        r"column 'talk' has \[1\] in row 0, of type list, which is not hashable",
    ),
    "no place": (
        ROWS.assign(turn=[1, 2, np.nan, 3, 4, 5]),
        {"order_column": "turn"},
        "column 'turn' has no value in row 2: nan",
    ),
    "mixed places": (
        ROWS.assign(turn=[1, "b", 2, 3, 4, 5]),
        {"order_column": "turn"},
        "The order column contains values that cannot be compared",
    ),
    "nothing left": (
        ROWS[["talk", "turn"]],
        {"order_column": "turn"},
        r"frame has the columns \['talk', 'turn'\] alone, all of which have a role; add a column",
    ),
}


@pytest.mark.parametrize(("frame", "parameters", "message"), ERRORS.values(), ids=ERRORS)
def test_bad_frames_are_named(frame, parameters, message):
    """Check that errors name the column, the row and what to do."""
    with pytest.raises((TypeError, ValueError), match=message):
        to_sequences(frame, **({"group_column": "talk"} | parameters))
