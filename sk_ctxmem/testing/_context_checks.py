"""Checks of which rows a row sees, and of what must make no difference to it."""

from typing import Any
from unittest import SkipTest

import numpy as np
import pandas as pd

from ._asserts import assert_same, context_check
from ._rows import fitted, make_rows, predictions, probabilities

MARGIN = 0.15  # above the best guess without context: six standard deviations on 400 rows


@context_check
def check_order_column(estimator, promises):
    """Check that with an order column, the order of the rows in X makes no difference."""
    if promises.order_column is None:
        raise SkipTest("the classifier takes rows in their order in X")
    rows = make_rows(random_state=1)
    classifier = fitted(estimator, promises)
    shuffled = rows.sample(frac=1, random_state=0)
    _assert_same_for(classifier, rows, shuffled, "With rows shuffled", promises)


@context_check
def check_order_of_groups(estimator, promises):
    """Check that groups may come in any order, or interleaved, and predictions in that of X."""
    rows = make_rows(random_state=1)
    classifier = fitted(estimator, promises)
    turned = rows.sort_values("group", ascending=False, kind="stable")
    _assert_same_for(classifier, rows, turned, "With the groups in reverse order", promises)
    interleaved = rows.sort_values("order", kind="stable")
    _assert_same_for(classifier, rows, interleaved, "With rows of groups interleaved", promises)


def _assert_same_for(classifier, rows, arranged, situation, promises):
    """Compare the probabilities of rows with those in another arrangement, told by its index."""
    expected = probabilities(classifier, rows, promises)
    seen = probabilities(classifier, arranged.reset_index(drop=True), promises)
    assert_same(expected[arranged.index], seen, situation, promises)


@context_check
def check_index(estimator, promises):
    """Check that the index of X makes no difference, neither to a fit nor to a prediction."""
    rows = make_rows(random_state=1)
    classifier = fitted(estimator, promises)
    expected = probabilities(classifier, rows, promises)
    indices: dict[str, Any] = {
        "shuffled": np.random.RandomState(0).permutation(len(rows)),
        "of strings": [f"row {place}" for place in range(len(rows))][::-1],
        "that repeats itself": np.arange(len(rows)) % 3,
    }
    for name, index in indices.items():
        seen = probabilities(classifier, rows.set_index(pd.Index(index)), promises)
        assert_same(expected, seen, f"In a prediction with an index {name}", promises)
    training = make_rows()
    training.index = training.index[::-1]
    seen = probabilities(fitted(estimator, promises, training), rows, promises)
    assert_same(expected, seen, "In a fit with an index in reverse", promises)


@context_check
def check_names_of_groups(estimator, promises):
    """Check that groups may have any names, numbers or strings, in a fit and in a prediction."""
    rows = make_rows(random_state=1)
    classifier = fitted(estimator, promises)
    expected = probabilities(classifier, rows, promises)
    names = np.random.RandomState(0).permutation(1000)[rows["group"]]
    as_strings = rows.assign(group=[f"call {name}" for name in names])
    for other in (rows.assign(group=names), as_strings):
        situation = f"With group {rows['group'][0]} called {other['group'][0]}"
        assert_same(expected, probabilities(classifier, other, promises), situation, promises)
    training = make_rows()
    training["group"] = "call " + training["group"].astype(str)
    probabilities(fitted(estimator, promises, training), as_strings, promises)


@context_check
def check_only_the_past(estimator, promises):
    """Check that later rows do not change the probabilities of earlier ones."""
    if promises.sees == "both":
        raise SkipTest("the classifier sees later rows")
    rows = make_rows(random_state=1)
    classifier = fitted(estimator, promises)
    expected = probabilities(classifier, rows, promises)
    for n_seen in range(1, rows["order"].max() + 1):
        earlier = np.flatnonzero(rows["order"] < n_seen)
        seen = probabilities(classifier, rows.iloc[earlier].reset_index(drop=True), promises)
        situation = f"Without the rows after the first {n_seen} of each group"
        assert_same(expected[earlier], seen, situation, promises)


@context_check
def check_no_other_row(estimator, promises):
    """Check that no other row changes the probabilities of a row."""
    if promises.sees != "none":
        raise SkipTest("the classifier sees other rows")
    rows = make_rows(10, random_state=1)
    classifier = fitted(estimator, promises)
    expected = probabilities(classifier, rows, promises)
    alone = [probabilities(classifier, rows.iloc[[place]], promises) for place in range(len(rows))]
    assert_same(expected, np.concatenate(alone), "For each row alone", promises)


@context_check
def check_isolation(estimator, promises):
    """Check that other groups make no difference, so X may be cut between groups."""
    rows = make_rows(random_state=1)
    classifier = fitted(estimator, promises)
    expected = probabilities(classifier, rows, promises)
    for n_groups in (1, 7):
        parts = [part for _, part in rows.groupby(rows["group"] // n_groups)]
        seen = [probabilities(classifier, part.reset_index(drop=True), promises) for part in parts]
        situation = f"With X cut into parts of {n_groups} group(s)"
        assert_same(expected, np.concatenate(seen), situation, promises)


@context_check
def check_context_is_learned(estimator, promises):
    """Check that where only the row before tells the label, it is learned."""
    if promises.sees == "none" or not promises.learns_context:
        raise SkipTest("the classifier does not promise to learn from other rows")
    training = make_rows(150, n_turns=(5, 9))
    rows = make_rows(60, n_turns=(5, 9), random_state=1)
    classifier = fitted(estimator, promises, training)
    accuracy = np.mean(predictions(classifier, rows, promises) == rows["target"].to_numpy())
    guess = rows["target"].value_counts(normalize=True).iloc[0]
    assert accuracy >= guess + MARGIN, (
        f"trained on {len(training)} rows, it is right on {accuracy:.1%} of {len(rows)} others, "
        f"of which the best guess from a text alone gets {guess:.1%}; {guess + MARGIN:.1%} "
        "would do."
    )
