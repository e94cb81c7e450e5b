"""The term of the previous row's class or labels, as graphs.

Shape letters: N rows, G groups, T rows of the longest group, C classes.
"""

from __future__ import annotations

import numpy as np

from .._network._label_transitions import TRANSITION_SCALE
from ._graph import END, Graph, Value
from ._layout import Layout
from ._weights import Weights

TINY = float(np.finfo(np.float32).tiny)


def expect(weights: Weights, logits: Value, layout: Layout, *, multilabel: bool) -> Value:
    """Return what `LabelTransitions.expect`, or that of `LabelChain`, returns, (N, C)."""
    if multilabel:
        return layout.collect(_scan_chain(weights, layout.spread(logits), layout))
    logits = layout.spread(logits)  # (T, G, C)
    spread, factors, totals = _spread(weights, logits)
    known = spread.slice(1, END)  # (C, C): there is a previous row
    totals = totals.slice(1, END, axis=2)  # (T, G, C)
    first = (logits.slice(0, 1).squeeze(0) + _transitions(weights).slice(0, 1)).softmax()

    def step(before: Value, factor: Value, total: Value) -> tuple[Value, Value]:
        return (before / total) @ known * factor, before

    found = layout.graph.scan(step, first, _rotate(factors), _rotate(totals))
    return layout.collect(found).maximum(TINY).log()


def _rotate(steps: Value) -> Value:
    """Put the first step last: the last one of the scan computes what nothing reads."""
    return steps.graph.concatenate([steps.slice(1, END), steps.slice(0, 1)], axis=0)


def step_labels(
    weights: Weights, before: Value, logits: Value, *, multilabel: bool
) -> tuple[Value, Value]:
    """Return the probabilities of classes for the row that follows, and the logits of the row."""
    if multilabel:
        return _step_chain(before, logits, _transitions(weights))
    spread, factors, totals = _spread(weights, logits)
    before, probabilities = _step_classes(before, factors, totals, spread)
    return before, probabilities.maximum(TINY).log()


def _transitions(weights: Weights) -> Value:
    return weights.put("transitions.scaled", weights.array("transitions") * TRANSITION_SCALE)


def _spread(weights: Weights, logits: Value) -> tuple[Value, Value, Value]:
    """Return p(y | class before), the softmax of the logits, and what normalizes their product."""
    spread = _transitions(weights).softmax()  # (C + 1, C)
    factors = logits.softmax()
    return spread, factors, factors @ spread.transpose(1, 0)


def _step_classes(before: Value, factor: Value, total: Value, spread: Value) -> tuple[Value, Value]:
    probabilities = (before / total) @ spread * factor  # (N, C)
    return _after(before, probabilities), probabilities


def _scan_chain(weights: Weights, logits: Value, layout: Layout) -> Value:
    transitions = _transitions(weights)
    width = weights.module.transitions.shape[0]

    def step(before: Value, of_step: Value) -> tuple[Value, Value]:
        return _step_chain(before, of_step, transitions)

    return layout.graph.scan(step, _first(layout.graph, layout.n_groups, width), logits)


def _step_chain(before: Value, logits: Value, transitions: Value) -> tuple[Value, Value]:
    logits = logits + before @ transitions
    return _after(before, logits.sigmoid()), logits


def _after(before: Value, probabilities: Value) -> Value:
    """Return the state for the row that follows: there is a previous row."""
    nothing = before.slice(0, 1, axis=1) * 0.0
    return before.graph.concatenate([nothing, probabilities], axis=1)


def _first(graph: Graph, n_groups: Value, width: int) -> Value:
    """Return the state before the first row of each group: there is no previous row."""
    return graph.zeros(n_groups, width) + np.eye(1, width, dtype=np.float32)
