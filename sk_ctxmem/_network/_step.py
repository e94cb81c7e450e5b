"""The network row by row, in plain torch: what it says of the next row of each conversation.

All that it keeps of the rows before lies in one row of numbers for each conversation: the state
of the memory; keys and values of the last rows, which attention looks back at; and the
probabilities of the classes of the row before. These functions change nothing, and the cost of a
step does not depend on the number of rows before.

Shape letters: N conversations, S size of a state, D width, M width of the memory, A width of the
attention, C classes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ._attention import ATTENTION_WIDTH, ATTENTION_WINDOW
from ._batch import RowBatch

N_SEEN = ATTENTION_WINDOW - 1  # rows before that attention looks back at
SEEN_SIZE = 2 * ATTENTION_WIDTH


def part_sizes(network: Any) -> dict[str, int]:
    """Return the sizes of the parts of a state, in their order."""
    return {
        "memory": network.memory.state_size,
        "attention": N_SEEN * SEEN_SIZE,
        "classes": network.decoder.out_features + 1,
    }


def first_states(network: Any, n_conversations: int) -> Tensor:
    """Return the states before the first row, (N, S)."""
    sizes = part_sizes(network)
    states = network.decoder.weight.new_zeros(n_conversations, sum(sizes.values()))
    states[:, sum(sizes.values()) - sizes["classes"]] = 1  # there is no class before
    return states.detach()


def step(network: Any, states: Tensor, n_before: Tensor, batch: RowBatch) -> tuple[Tensor, Tensor]:
    """Read the next row of each conversation.

    Parameters
    ----------
    network : ContextMemoryNet
        A trained network whose rows see those before them, and those alone.
    states : Tensor of shape (N, S)
        What is kept of the rows before.
    n_before : Tensor of shape (N,), int64
        Their numbers.
    batch : RowBatch
        The rows, without packing and blocks.

    Returns
    -------
    states : Tensor of shape (N, S)
        What is to be kept.
    logits : Tensor of shape (N, C)
        Those of the prediction, the first that the network returns for whole conversations.
    """
    memory, seen, before = states.split(list(part_sizes(network).values()), dim=1)
    read, wide = network.table(batch.features)  # (N, D), (N, C)
    encodings = network.encode(read, batch)  # (N, D)
    memory, memories = network.memory.step(memory, encodings)  # (N, .), (N, M)
    both = torch.cat([memories, encodings], dim=1)  # (N, M + D)
    seen = seen.view(-1, N_SEEN, SEEN_SIZE)
    seen, found = network.attention.step(seen, both, n_before)  # (N, ., 2 A), (N, A)
    deep = network.decoder(memories) + network.attended(found)  # (N, C)
    before, logits = network.labels.step(before, wide + deep)
    return torch.cat([memory, seen.flatten(1), before], dim=1), logits
