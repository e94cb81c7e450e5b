"""The network row by row, in plain torch: a step for the next row of each conversation.

The state of a conversation is one vector: the state of the memory; keys and values of the last
rows, for attention; and the probabilities of the classes of the previous row. If a label belongs to
a whole sequence, it is the state of the memory and the running sums of the pooling. The functions
are pure, and the cost of a step does not depend on the number of previous rows.

Shape letters: N conversations, S size of a state, D width, M width of the memory, A width of the
attention, W its window, Q width of its keys, C classes.
"""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor

from ._batch import RowBatch


def cache_shape(network: Any) -> tuple[int, int]:
    """Return the number of previous rows in the window of attention, and the size of each."""
    return network.attention.window - 1, network.attention.cached_width


def state_shapes(network: Any) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parts of a state, in order."""
    memory, n_classes = (network.memory.state_size,), network.decoder.out_features
    if network.pooling is not None:
        return {"memory": memory, "sums": (network.pooling.n_sums + n_classes,)}
    return {"memory": memory, "attention": cache_shape(network), "classes": (n_classes + 1,)}


def state_sizes(network: Any) -> dict[str, int]:
    """Return the sizes of the parts of a state, in order."""
    return {name: prod(shape) for name, shape in state_shapes(network).items()}


def initial_states(network: Any, n_conversations: int) -> Tensor:
    """Return the states before the first row, (N, S)."""
    sizes = state_sizes(network)
    states = network.decoder.weight.new_zeros(n_conversations, sum(sizes.values()))
    if "classes" in sizes:
        states[:, sum(sizes.values()) - sizes["classes"]] = 1  # there is no previous class
    return states.detach()


def step(network: Any, states: Tensor, n_before: Tensor, batch: RowBatch) -> tuple[Tensor, Tensor]:
    """Process the next row of each conversation.

    Parameters
    ----------
    network : ContextMemoryNet
        A trained network with ``context="past"``.
    states : Tensor of shape (N, S)
        States after the previous rows.
    n_before : Tensor of shape (N,), int64
        Number of previous rows.
    batch : RowBatch
        The rows, without packing and blocks.

    Returns
    -------
    states : Tensor of shape (N, S)
        States after these rows.
    logits : Tensor of shape (N, C)
        Logits of the prediction: the first output of the network for whole conversations. Of a
        sequence, those of the rows so far.
    """
    memory, *others = states.split(list(state_sizes(network).values()), dim=1)
    read, wide = network.read(batch.features, batch.dense)  # (N, D), (N, C)
    encodings = network.encode(read, batch)  # (N, D)
    memory, memories = network.memory.step(memory, encodings)  # (N, .), (N, M)
    both = torch.cat([memories, encodings], dim=1)  # (N, M + D)
    if network.pooling is not None:
        sums, pooled, wide = network.pooling.step(*others, both, wide, n_before)
        logits = wide + network.decode_sequences(memories, pooled)  # (N, C)
        return torch.cat([memory, sums], dim=1), logits
    cache, before = others
    cache = cache.view(-1, *cache_shape(network))  # (N, W - 1, Q + A)
    cache, found = network.attention.step(cache, both, n_before, batch.turns)
    deep = network.decoder(memories) + network.attended(found)  # (N, C)
    before, logits = network.labels.step(before, wide + deep)  # (N, C + 1), (N, C)
    return torch.cat([memory, cache.flatten(1), before], dim=1), logits  # (N, S), (N, C)
