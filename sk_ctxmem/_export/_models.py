"""The two graphs of a fitted model: of rows with their context, and of the next row.

Shape letters: N rows or conversations, G groups, D width, M width of the memory, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._model._fitted_model import FittedModel
from .._network._step import state_shapes
from ._attention import AttentionGraph
from ._encoder import describe_next, describe_places, encode
from ._features import read_features
from ._graph import END, Graph, Value
from ._labels import expect, step_labels
from ._layout import Layout
from ._memories import remember, step_memory
from ._pooling import last_memories, pool, step_pooling
from ._weights import Weights


@dataclass(frozen=True)
class State:
    """An array of the state of a conversation between turns.

    Parameters
    ----------
    name : str
        Name of the array.
    shape : tuple of int
        Its shape, without that of several conversations.
    dtype : str
        Its dtype.
    first : int, default=0
        Its first number before the first turn. All others are 0.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    first: int = 0


def states_of(model: FittedModel) -> list[State]:
    """Return the arrays that `step.onnx` reads and writes, in its order."""
    network = model.network
    found = [
        State(name, shape, first=int(name == "classes"))
        for name, shape in state_shapes(network).items()
    ]
    found.append(State("n_turns", (), "int64"))
    if reads_speakers(model):
        found.append(State("speakers", (model.n_kept_speakers,), "int64"))
    return found


def reads_speakers(model: FittedModel) -> bool:
    """Return whether the model tells speakers apart."""
    return model.reader.context != "none" and model.columns["speaker"] is not None


def make_rows_graph(model: FittedModel) -> Graph:
    """Return the graph that predicts rows of whole groups, or whole sequences."""
    graph, network = Graph(), model.network
    weights = Weights(graph, network)
    read, wide, n_rows = read_features(graph, model, weights)
    layout = Layout(graph, n_rows) if network.memory is not None or model.of_sequences else None
    known, codes = _speaker_inputs(graph, model)
    extras = None
    both = model.reader.context == "both"
    if network.extras is not None and layout is not None:
        extras = describe_places(layout, codes, model.reader.longest_group, both=both)
    encodings = encode(network, weights, read, extras, known)
    if layout is None:
        return _finish(model, graph, wide + weights.linear("decoder", encodings), "rows")
    if network.pooling is not None:
        logits = _predict_sequences(network, weights, encodings, wide, layout)
        return _finish(model, graph, logits, "sequences")
    memories = remember(network.memory, weights.within("memory"), encodings, layout)
    states = graph.concatenate([memories, encodings], axis=1)
    attention = AttentionGraph(network.attention, weights.within("attention"))
    found = attention.over_groups(states, layout, codes)
    logits = wide + weights.linear("decoder", memories) + weights.linear("attended", found)
    labels = weights.within("labels")
    logits = expect(labels, logits, layout, multilabel=network.multilabel)
    return _finish(model, graph, logits, "rows")


def make_step_graph(model: FittedModel) -> Graph:
    """Return the graph that predicts the next row of each conversation, given its state."""
    graph, network = Graph(), model.network
    weights = Weights(graph, network)
    read, wide, n_rows = read_features(graph, model, weights)
    known, codes = _speaker_inputs(graph, model)
    states = {state.name: state for state in states_of(model)}
    before = {
        name: graph.input(f"state.{name}", state.dtype, ["rows", *state.shape])
        for name, state in states.items()
    }
    after = dict(before)
    n_turns = before["n_turns"]
    after["n_turns"] = n_turns + 1
    changed = same = None
    if codes is not None:
        same = before["speakers"].equals(codes.unsqueeze(1))
        changed = ~same.slice(-1, END, axis=1).squeeze(1)
        kept = [before["speakers"].slice(1, END, axis=1), codes.unsqueeze(1)]
        after["speakers"] = graph.concatenate(kept, axis=1)
        same = same & _exists(n_turns, states["speakers"].shape[0])
    extras = describe_next(n_turns, changed, model.reader.longest_group)
    encodings = encode(network, weights, read, extras, known)
    after["memory"], memories = step_memory(
        network.memory, weights.within("memory"), before["memory"], encodings
    )
    rows = graph.concatenate([memories, encodings], axis=1)
    if network.pooling is not None:
        after["sums"], pooled, wide = step_pooling(
            weights.within("pooling"), before["sums"], rows, wide, n_turns
        )
        logits = wide + _decode_sequences(weights, memories, pooled)
    else:
        attention = AttentionGraph(network.attention, weights.within("attention"))
        after["attention"], found = attention.step(before["attention"], rows, n_turns, same)
        logits = wide + weights.linear("decoder", memories) + weights.linear("attended", found)
        after["classes"], logits = step_labels(
            weights.within("labels"), before["classes"], logits, multilabel=network.multilabel
        )
    for name, state in states.items():
        graph.output(f"next.{name}", after[name], state.dtype, ["rows", *state.shape])
    return _finish(model, graph, logits, "rows")


def _exists(n_turns: Value, n_kept: int) -> Value:
    """Return whether there were so many previous turns, the latest last, (N, n_kept)."""
    return n_turns.unsqueeze(1) > np.arange(n_kept - 1, -1, -1)


def _speaker_inputs(graph: Graph, model: FittedModel) -> tuple[Value | None, Value | None]:
    """Add the inputs of speakers: the number of known ones, and codes that tell all apart."""
    known = codes = None
    if model.network.speakers is not None:
        known = graph.input("speakers", np.int64, ["rows"])
    if reads_speakers(model):
        codes = graph.input("speaker_codes", np.int64, ["rows"])
    return known, codes


def _predict_sequences(
    network: Any, weights: Weights, encodings: Value, wide: Value, layout: Layout
) -> Value:
    """Return the logits of whole sequences."""
    if network.memory is None:
        pooled, wide = pool(weights.within("pooling"), encodings, wide, layout)
        return wide + weights.linear("decoder", pooled)
    memories = remember(network.memory, weights.within("memory"), encodings, layout)
    states = layout.graph.concatenate([memories, encodings], axis=1)
    pooled, wide = pool(weights.within("pooling"), states, wide, layout)
    last = last_memories(memories, network.encoder.bias.shape[0], layout)
    return wide + _decode_sequences(weights, last, pooled)


def _decode_sequences(weights: Weights, last: Value, pooled: Value) -> Value:
    return weights.linear("decoder", last) + weights.linear("pooled", pooled)


def _finish(model: FittedModel, graph: Graph, logits: Value, rows: str) -> Graph:
    """Add the outputs, and return the graph."""
    logits = logits / float(model.temperature)
    probabilities = logits.sigmoid() if model.multilabel else logits.softmax()
    shape = [rows, len(model.classes)]
    graph.output("logits", logits, np.float32, shape)
    graph.output("probabilities", probabilities, np.float32, shape)
    return graph
