"""From rows to encodings, as a graph.

Shape letters: N rows, D width, E extra inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._graph import Graph, Value
from ._layout import Layout
from ._weights import Weights


def encode(
    network: Any, weights: Weights, read: Value, extras: Value | None, speakers: Value | None
) -> Value:
    """Return the encodings of rows, as `ContextMemoryNet.encode` does, (N, D)."""
    driven = read + weights.take("encoder.bias")
    if network.extras is not None and extras is not None:
        driven = driven + weights.linear("extras", extras)
    if network.speakers is not None and speakers is not None:
        driven = driven + weights.take("speakers.weight").gather(speakers)
    is_logistic = network.encoder.activation.__name__ == "sigmoid"
    return driven.sigmoid() if is_logistic else driven.tanh()


def describe_places(
    layout: Layout, codes: Value | None, longest: int | None, *, both: bool
) -> Value:
    """Return position and speaker-change features of rows, (N, E); see `_rows/_positions`."""
    before = layout.before
    columns = _describe_distances(before, longest)
    if both:
        total = layout.lengths.gather(layout.of_row)
        columns += _describe_distances(total - 1 - before, longest)
        columns += [(before.cast(np.float32) + 0.5) / total.cast(np.float32)]
    if codes is not None:
        earlier = layout.graph.range(layout.n_rows) - 1
        changed = ~codes.equals(codes.gather(earlier.maximum(0)))
        columns += _describe_change(before, changed)
    return stack(columns)


def describe_next(n_turns: Value, changed: Value | None, longest: int | None) -> Value:
    """Return the same of the next row of each conversation, (N, E)."""
    columns = _describe_distances(n_turns, longest)
    return stack(columns if changed is None else columns + _describe_change(n_turns, changed))


def _describe_distances(distances: Value, longest: int | None) -> list[Value]:
    known = distances if longest is None else distances.minimum(longest - 1)
    return [(known.cast(np.float32) + 1.0).log() / 5.0, distances.equals(0).cast(np.float32)]


def _describe_change(before: Value, changed: Value) -> list[Value]:
    follows = before > 0
    return [(follows & each).cast(np.float32) for each in (changed, ~changed)]


def stack(columns: list[Value]) -> Value:
    """Return columns, each of shape (N,), side by side."""
    graph: Graph = columns[0].graph
    return graph.concatenate([column.unsqueeze(1) for column in columns], axis=1)
