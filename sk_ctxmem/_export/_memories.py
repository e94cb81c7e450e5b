"""The context memories as graphs: over whole groups, and one step at a time.

Shape letters: N rows, G groups, T rows of the longest group, D width, M width of the memory, S size
of a state.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._graph import Value
from ._layout import Layout
from ._weights import Weights

# Operator of ONNX, and the places of torch's gates in its order.
RECURRENT = {"GRUMemory": ("GRU", (1, 0, 2)), "LSTMMemory": ("LSTM", (0, 3, 1, 2))}


def remember(memory: Any, weights: Weights, encodings: Value, layout: Layout) -> Value:
    """Return the memories of all rows, as `ContextMemory.forward` does, (N, M)."""
    names = ["forwards"] if memory.backwards is None else ["forwards", "backwards"]
    directions = [weights.within(name) for name in names]
    steps = layout.spread(encodings)  # (T, G, D)
    if type(memory.forwards).__name__ == "MinGRUMemory":
        found = [_scan_mingru(each, steps, layout) for each in directions]
        return layout.collect(layout.graph.concatenate(found, axis=2))
    return layout.collect(_run_operator(directions, steps, layout))


def _run_operator(directions: list[Weights], steps: Value, layout: Layout) -> Value:
    """Return the memories that a recurrent operator of ONNX computes, (T, G, M)."""
    graph, module = layout.graph, directions[0].module
    options: dict[str, Any] = {}
    if type(module).__name__ == "ElmanMemory":
        operator, options["activations"] = "RNN", ["Sigmoid"] * len(directions)
        parts = [_elman_weights(each) for each in directions]
    else:
        operator, order = RECURRENT[type(module).__name__]
        parts = [_gated_weights(each, order) for each in directions]
        if operator == "GRU":
            options["linear_before_reset"] = 1
    width = parts[0][0].shape[1]
    prefix = directions[0].prefix.removesuffix("forwards.")
    driven, recurrent, biases = (
        graph.weight(prefix + name, np.stack(arrays).astype(np.float32))
        for name, arrays in zip(("W", "R", "B"), zip(*parts, strict=True), strict=True)
    )
    found = graph.apply_all(
        operator,
        *(steps, driven, recurrent, biases, layout.lengths.cast(np.int32)),
        n_outputs=1,
        direction="bidirectional" if len(directions) > 1 else "forward",
        hidden_size=width,
        **options,
    )[0]  # (T, directions, G, D)
    return found.transpose(0, 2, 1, 3).reshape(0, 0, width * len(directions))


def _elman_weights(weights: Weights) -> tuple[np.ndarray, ...]:
    bias = weights.array("input.bias")
    biases = np.concatenate([bias, np.zeros_like(bias)])
    return weights.array("input.weight"), weights.array("recurrent.weight"), biases


def _gated_weights(weights: Weights, order: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Return the weights of a cell of torch with its gates in the order of ONNX."""
    cell = weights.within("cell")

    def ordered(name: str) -> np.ndarray:
        parts = np.split(cell.array(name), len(order))
        return np.concatenate([parts[place] for place in order])

    biases = np.concatenate([ordered("bias_ih_l0"), ordered("bias_hh_l0")])
    return ordered("weight_ih_l0"), ordered("weight_hh_l0"), biases


def _scan_mingru(weights: Weights, steps: Value, layout: Layout) -> Value:
    """Return the memories of a gated linear recurrence, (T, G, D)."""
    graph = layout.graph
    is_backwards = weights.prefix.endswith("backwards.")
    if is_backwards:
        steps = _reverse(steps, layout)
    gates, candidates = _mingru_parts(weights, steps)

    def step(before: Value, kept: Value, added: Value) -> tuple[Value, Value]:
        memory = kept * before + added
        return memory, memory

    start = graph.zeros(layout.n_groups, gates.size(2))
    found = graph.scan(step, start, 1.0 - gates, gates * candidates)
    return _reverse(found, layout) if is_backwards else found


def _reverse(steps: Value, layout: Layout) -> Value:
    return layout.graph.apply("ReverseSequence", steps, layout.lengths, time_axis=0, batch_axis=1)


def _mingru_parts(weights: Weights, encodings: Value) -> tuple[Value, Value]:
    return weights.linear("gate", encodings).sigmoid(), weights.linear("candidate", encodings)


def step_memory(
    memory: Any, weights: Weights, state: Value, encodings: Value
) -> tuple[Value, Value]:
    """Return the next states and the memories of rows, as `ContextMemory.step` does."""
    step = STEPS[type(memory.forwards).__name__]
    return step(weights.within("forwards"), state, encodings)


def _step_elman(weights: Weights, state: Value, encodings: Value) -> tuple[Value, Value]:
    driven = weights.linear("input", encodings) + weights.linear("recurrent", state)
    memory = driven.sigmoid()
    return memory, memory


def _step_mingru(weights: Weights, state: Value, encodings: Value) -> tuple[Value, Value]:
    gate, candidate = _mingru_parts(weights, encodings)
    memory = (1.0 - gate) * state + gate * candidate
    return memory, memory


def _step_gru(weights: Weights, state: Value, encodings: Value) -> tuple[Value, Value]:
    driven, recurrent, width = _drive_cell(weights, state, encodings)
    resets, updates, candidates = driven.split([width] * 3)
    more_resets, more_updates, more_candidates = recurrent.split([width] * 3)
    update = (updates + more_updates).sigmoid()
    candidate = (candidates + (resets + more_resets).sigmoid() * more_candidates).tanh()
    memory = (1.0 - update) * candidate + update * state
    return memory, memory


def _step_lstm(weights: Weights, state: Value, encodings: Value) -> tuple[Value, Value]:
    width = weights.module.cell.hidden_size
    memory, cell = state.split([width, width])
    driven, recurrent, width = _drive_cell(weights, memory, encodings)
    inputs, forgets, cells, outputs = (driven + recurrent).split([width] * 4)
    cell = forgets.sigmoid() * cell + inputs.sigmoid() * cells.tanh()
    memory = outputs.sigmoid() * cell.tanh()
    return memory.graph.concatenate([memory, cell], axis=1), memory


def _drive_cell(weights: Weights, state: Value, encodings: Value) -> tuple[Value, Value, int]:
    """Return what encodings and states add to the gates, and the width of a gate."""
    cell = weights.within("cell")
    driven = cell.linear("", encodings, ("weight_ih_l0", "bias_ih_l0"))
    recurrent = cell.linear("", state, ("weight_hh_l0", "bias_hh_l0"))
    return driven, recurrent, cell.module.hidden_size


STEPS = {
    "ElmanMemory": _step_elman,
    "GRUMemory": _step_gru,
    "LSTMMemory": _step_lstm,
    "MinGRUMemory": _step_mingru,
}
