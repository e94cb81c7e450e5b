"""Pooling of the rows of a sequence, as graphs.

Shape letters: N rows, S sequences, W width of the states, C classes.
"""

from __future__ import annotations

import numpy as np

from ._graph import END, Value
from ._layout import Layout
from ._weights import Weights


def pool(weights: Weights, states: Value, wide: Value, layout: Layout) -> tuple[Value, Value]:
    """Return the means of the states of sequences, (S, W), and of their logits, (S, C)."""
    ones = layout.graph.zeros(layout.n_rows, 1) + 1.0
    weighted = layout.graph.concatenate([_weigh(weights, states), wide, ones], axis=1)
    sums = layout.graph.segment_sums(weighted, layout.groups).cast(np.float32)
    return _divide(weights, sums.slice(0, -1, axis=1), sums.slice(-1, END, axis=1))


def step_pooling(
    weights: Weights, sums: Value, states: Value, wide: Value, n_turns: Value
) -> tuple[Value, Value, Value]:
    """Return the next sums, and the means of `pool` for the rows so far."""
    sums = sums + sums.graph.concatenate([_weigh(weights, states), wide], axis=1)
    numbers = (n_turns + 1).cast(np.float32).unsqueeze(1)
    return sums, *_divide(weights, sums, numbers)


def last_memories(memories: Value, width: int, layout: Layout) -> Value:
    """Return the memories after whole sequences, in each direction, (S, M)."""
    ends = layout.starts + layout.lengths - 1
    past = memories.slice(0, width, axis=1).gather(ends)
    future = memories.slice(width, END, axis=1).gather(layout.starts)
    return layout.graph.concatenate([past, future], axis=1)


def _weigh(weights: Weights, states: Value) -> Value:
    of_rows = weights.linear("score", states).tanh().exp()  # (N, 1)
    return states.graph.concatenate([of_rows * states, of_rows], axis=1)


def _divide(weights: Weights, sums: Value, numbers: Value) -> tuple[Value, Value]:
    width = weights.module.score.in_features
    states, totals = sums.slice(0, width, axis=1), sums.slice(width, width + 1, axis=1)
    return states / totals, sums.slice(width + 1, END, axis=1) / numbers
