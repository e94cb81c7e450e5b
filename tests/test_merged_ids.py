"""Warnings about group ids that merge or split conversations."""

import re
import warnings
from datetime import time

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GroupKFold, cross_val_score

from sk_ctxmem import ContextMemoryClassifier, MergedGroupsWarning, MissingGroupsWarning
from sk_ctxmem._input._rows import InputRows, read_training_rows
from sk_ctxmem._rows._ids import warn_of_ids

SMALL = {"hidden_size": 8, "max_epochs": 1, "batch_size": 40, "random_state": 0}
NO_COLUMNS = {"text": None, "group": None, "order": None, "speaker": None}
TEXTS = ["yes please", "no thanks"] * 20
Y = np.array(["yes", "no"] * 20)
TALKS = np.repeat(np.arange(10), 4)


def messages(groups, order=None):
    """Return the warnings about some ids."""
    if not isinstance(groups, np.ndarray):
        groups = np.fromiter(groups, dtype=object, count=len(groups))
    order = None if order is None else np.asarray(order)
    inputs = InputRows("text", ["a"] * len(groups), groups=groups, order=order)
    columns = NO_COLUMNS | {"group": "talk", "order": "turn"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_ids(inputs, columns, is_fit=True)
    assert all(each.category is MergedGroupsWarning for each in caught)
    return [str(each.message) for each in caught]


SUSPECT = {
    "float16": (np.array([2048, 7, 7], dtype=np.float16), "float16 from 2,048 on, such as 2048.0"),
    "float32": (np.array([3e7, 1], dtype=np.float32), "float32 from 16,777,216 on.*30000000.0"),
    "float64": (np.array([2.0**53, 1]), "float64 from 9,007,199,254,740,992 on"),
    "negative": (np.array([-(2.0**60), 1]), "float64 from"),
    "floats in a list": ([1e17, "a"], "float64 from .* such as 1e"),
    "float32 in a list": ([np.float32(2e7), 1], "float32 from .* such as 20000000.0"),
    "empty": (["", "a", ""], "the id '' in row 0, and 2 such rows"),
    "white space": (["a", " ", " "], "the id ' ' in row 1, and 2 such rows"),
    "array of str": (np.array(["", "a", ""]), "the id '' in row 0"),
    "nan as str": (["nan", "nan"], "the id 'nan' in row 0, and 2 such rows"),
    "None as str": (["a", "None", "None"], "the id 'None' in row 1"),
    "int and str": ([1, "1", 2], "1 pair.* such as 1 and '1'"),
    "float and str": ([1.0, "1", 2], "such as 1.0 and '1'"),
    "bool and int": ([True, 1, 2], "the ids True and 1, which are equal"),
    "bytes and str": ([b"a", "a"], "such as b'a' and 'a'"),
    "trailing space": (["a", "a ", "b"], "such as 'a' and 'a '"),
}
LEGAL = {
    "float32": np.array([2**24 - 1, 1, 0.5], dtype=np.float32),
    "float64": np.array([2.0**53 - 1, 1]),
    "infinity": np.array([np.inf, -np.inf, 1]),
    "large int": np.array([2**60, 2**60 + 1]),
    "large int in a list": [2**60, 2**60 + 1],
    "one empty": ["", "a", "b"],
    "int and float": [1, 1.0, 2],
    "case": ["a", "A"],
    "bools": [True, False],
    "int and other str": [1, "2"],
    "tuples": [("a", 1), ("a", 2)],
    "dates": np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[ns]"),
    "space inside": ["a b", "ab"],
}


@pytest.mark.parametrize(("groups", "message"), SUSPECT.values(), ids=SUSPECT)
def test_ids_that_may_merge_are_named(groups, message):
    """Check that one warning names the column, examples and a remedy."""
    (found,) = messages(groups)
    with pytest.raises(ValueError, match=rf"^column 'talk' has .*{message}.*#group-ids$"):
        raise ValueError(found)


@pytest.mark.parametrize("groups", LEGAL.values(), ids=LEGAL)
def test_other_ids_give_no_warning(groups):
    """Check that ids which tell conversations apart are silent."""
    assert messages(groups) == []


def test_a_group_and_order_that_occur_twice_are_named():
    """Check that ids reused across files and rows drawn twice are found."""
    (message,) = messages(["a", "a", "b", "a"], [0, 1, 0, 1])
    assert message.startswith(
        "column 'talk' and column 'turn' have the same values in 1 row(s) as in others, such as "
        "'a' and 1 in rows 1 and 3"
    )
    assert messages(["a", "a", "b"], [0, 1, 0]) == []
    (message,) = messages(["a", "b", "b"], ["x", "y", "y"])
    assert "such as 'b' and 'y' in rows 1 and 2" in message


TIMES = {
    "datetime64": pd.Series(pd.to_datetime(["2020-01-01 10:00"] * 2 + ["2020-01-01 10:01"])),
    "time zone": pd.Series(pd.to_datetime(["2020-01-01 10:00Z"] * 2 + ["2020-01-01 10:01Z"])),
    "str": pd.Series(["2020-01-01 10:00", "2020-01-01 10:00", "2020-01-01 10:01"]),
    "duration": pd.Series(pd.to_timedelta([60, 60, 61], unit="s")),
    "time of day": pd.Series([time(10), time(10), time(10, 1)]),
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_turns_of_the_same_minute_are_named_only_if_they_may_be_duplicates(times):
    """Check that rows of one time are silent, but for those drawn twice or from another file."""
    X = pd.DataFrame({"text": ["hello", "hi", "bye"], "talk": ["a"] * 3, "turn": times})
    assert repeated(X) == []
    assert repeated(X.assign(text=["hello", "hello", "bye"])) == ["1 row(s)"]
    assert repeated(pd.concat([X, X])) == ["2 row(s)"]
    assert repeated(pd.concat([X, X.assign(text=["who", "me", "you"])])) == ["2 row(s)"]
    assert repeated(X.assign(turn=[0, 0, 1])) == ["1 row(s)"]


def repeated(X):
    """Return how many rows of a frame are said to have the group and time of others."""
    columns = {"text": "text", "group": "talk", "order": "turn", "speaker": None}
    inputs, _ = read_training_rows(X, None, columns, "ContextMemoryClassifier")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_ids(inputs, columns)
    return [re.search(r"\d+ row\(s\)", str(each.message))[0] for each in caught]


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NaT, pd.NA], ids=str)
def test_missing_ids_are_errors_that_name_the_row(missing):
    """Check None, NaN, NaT and NA, in the argument and in the column."""
    groups = [*TALKS[:5].tolist(), missing, *TALKS[6:].tolist()]
    with pytest.raises(ValueError, match="groups has no value in row 5.*an? .*id of its own"):
        ContextMemoryClassifier(**SMALL).fit(TEXTS, Y, groups=groups)
    X = pd.DataFrame({"text": TEXTS, "talk": pd.Series(groups, dtype=object)})
    with pytest.raises(ValueError, match="column 'talk' has no value in row 5"):
        ContextMemoryClassifier(**SMALL, text_column="text", group_column="talk").fit(X, Y)


def test_fits_and_predictions_warn_of_merged_ids():
    """Check groups= of fit, predict and partial_fit, with ids that single precision merged."""
    ids = (TALKS + 2**24).astype(np.float32)
    clf = ContextMemoryClassifier(**SMALL)
    match = "^groups has ids of type float32"
    with pytest.warns(MergedGroupsWarning, match=match):
        clf.fit(TEXTS, Y, groups=ids)
    with pytest.warns(MergedGroupsWarning, match=match):
        clf.predict(TEXTS, groups=ids)
    with pytest.warns(MergedGroupsWarning, match=match):
        clf.partial_fit(TEXTS, Y, groups=ids)
    with pytest.warns(MergedGroupsWarning, match=match):
        ContextMemoryClassifier(**SMALL).partial_fit(TEXTS, Y, classes=["no", "yes"], groups=ids)


def test_context_none_does_not_read_the_ids():
    """Check that a classifier without context gives no warning."""
    clf = ContextMemoryClassifier(**SMALL, context="none").fit(TEXTS, Y, groups=[""] * 40)
    assert clf.predict(TEXTS, groups=[""] * 40).shape == (40,)


def test_an_order_without_groups_is_named():
    """Check that order_column is not silently unused."""
    X = pd.DataFrame({"text": TEXTS, "turn": range(40)})
    roles = {"text_column": "text", "order_column": "turn"}
    message = "order_column='turn' is not used, because there are no groups"
    with pytest.warns(MissingGroupsWarning, match=message):
        ContextMemoryClassifier(**SMALL, **roles).fit(X, Y)
    ContextMemoryClassifier(**SMALL, **roles, context="none").fit(X, Y)
    ContextMemoryClassifier(**SMALL, **roles).fit(X, Y, groups=TALKS)


def test_cross_validation_by_groups_gives_no_warning():
    """Check that folds of whole conversations are silent."""
    X = pd.DataFrame({"text": TEXTS, "talk": TALKS, "turn": np.tile(range(4), 10)})
    roles = {"text_column": "text", "group_column": "talk", "order_column": "turn"}
    clf = ContextMemoryClassifier(**SMALL, **roles)
    scores = cross_val_score(clf, X, Y, groups=TALKS, cv=GroupKFold(2), error_score="raise")
    assert scores.shape == (2,)
