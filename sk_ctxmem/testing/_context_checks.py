"""Checks of the rows that a prediction depends on."""

from typing import Any
from unittest import SkipTest

import numpy as np
import pandas as pd

from ._asserts import assert_same, context_check
from ._rows import fitted, fitted_with_predictions, make_rows, predictions, probabilities

MARGIN = 0.15  # of accuracy above chance: six standard deviations for 400 rows


@context_check
def check_order_column(estimator, promises):
    """Check that with an order column, the order of the rows in X makes no difference."""
    if promises.order_column is None:
        raise SkipTest("the classifier has no order column")
    classifier, rows, expected = fitted_with_predictions(estimator, promises)
    shuffled = rows.sample(frac=1, random_state=0)
    seen = probabilities(classifier, shuffled.reset_index(drop=True), promises)
    assert_same(expected[shuffled.index], seen, "With shuffled rows", promises)


@context_check
def check_order_of_groups(estimator, promises):
    """Check that groups may be in any order or interleaved, and predictions are in that of X."""
    classifier, rows, expected = fitted_with_predictions(estimator, promises)
    arrangements = {
        "groups in reverse order": rows.sort_values("group", ascending=False, kind="stable"),
        "interleaved groups": rows.sort_values("order", kind="stable"),
    }
    for name, arranged in arrangements.items():
        seen = probabilities(classifier, arranged.reset_index(drop=True), promises)
        assert_same(expected[arranged.index], seen, f"With {name}", promises)


@context_check
def check_index(estimator, promises):
    """Check that the index of X makes no difference, neither to a fit nor to a prediction."""
    classifier, rows, expected = fitted_with_predictions(estimator, promises)
    indices: dict[str, Any] = {
        "a shuffled index": np.random.RandomState(0).permutation(len(rows)),
        "an index of strings": [f"row {number}" for number in range(len(rows))][::-1],
        "a repeated index": np.arange(len(rows)) % 3,
    }
    for name, index in indices.items():
        seen = probabilities(classifier, rows.set_index(pd.Index(index)), promises)
        assert_same(expected, seen, f"In a prediction with {name}", promises)
    training = make_rows()
    training.index = training.index[::-1]
    seen = probabilities(fitted(estimator, promises, training), rows, promises)
    assert_same(expected, seen, "After a fit with a reversed index", promises)


@context_check
def check_names_of_groups(estimator, promises):
    """Check that group ids may be any numbers or strings, in a fit and in a prediction."""
    classifier, rows, expected = fitted_with_predictions(estimator, promises)
    numbers = np.random.RandomState(0).permutation(1000)[rows["group"]]
    strings = [f"call {number}" for number in numbers]
    for ids in (numbers, strings):
        seen = probabilities(classifier, rows.assign(group=ids), promises)
        situation = f"With the group id {ids[0]} instead of {rows['group'][0]}"
        assert_same(expected, seen, situation, promises)
    training = make_rows()
    training["group"] = "call " + training["group"].astype(str)
    probabilities(fitted(estimator, promises, training), rows.assign(group=strings), promises)


@context_check
def check_only_the_past(estimator, promises):
    """Check that later rows do not change the probabilities of earlier ones."""
    if promises.sees == "both":
        raise SkipTest("the classifier sees later rows")
    classifier, rows, expected = fitted_with_predictions(estimator, promises)
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
    classifier, rows, expected = fitted_with_predictions(estimator, promises, n_conversations=10)
    alone = [probabilities(classifier, rows.iloc[[row]], promises) for row in range(len(rows))]
    assert_same(expected, np.concatenate(alone), "In predictions of single rows", promises)


@context_check
def check_isolation(estimator, promises):
    """Check that other groups make no difference, so that X may be split between groups."""
    classifier, rows, expected = fitted_with_predictions(estimator, promises)
    for n_groups in (1, 7):
        parts = [part for _, part in rows.groupby(rows["group"] // n_groups)]
        seen = [probabilities(classifier, part.reset_index(drop=True), promises) for part in parts]
        situation = f"With X split into parts of {n_groups} group(s)"
        assert_same(expected, np.concatenate(seen), situation, promises)


@context_check
def check_context_is_learned(estimator, promises):
    """Check that a label that depends only on the row before is learned."""
    if promises.sees == "none" or not promises.learns_context:
        raise SkipTest("the classifier does not promise to learn from other rows")
    training = make_rows(150, n_turns=(5, 9))
    rows = make_rows(60, n_turns=(5, 9), random_state=1)
    classifier = fitted(estimator, promises, training)
    accuracy = np.mean(predictions(classifier, rows, promises) == rows["target"].to_numpy())
    chance = rows["target"].value_counts(normalize=True).iloc[0]
    assert accuracy >= chance + MARGIN, (
        f"After a fit on {len(training)} rows, the accuracy on {len(rows)} other rows is "
        f"{accuracy:.1%}; without context it is {chance:.1%}, and {chance + MARGIN:.1%} is "
        "required."
    )
