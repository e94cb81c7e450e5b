"""Attention over the rows around a row, in plain torch.

Shape letters: N rows of a batch, D width, M width of the memory, A width of the attention, K
blocks of rows, L rows of a block.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._batch import Blocks

ATTENTION_WIDTH = 32


ATTENTION_WINDOW = 16  # rows that a row looks back at, itself included


class Attention(nn.Module):
    """What a row finds when it looks at the memories and encodings around it.

    Scaled dot products plus a learned weight for each distance, over a window of rows: those
    less than ATTENTION_WINDOW before it and, if later rows may be seen, after it.

    Shape
    -----
    Input: (N, M + D) and their Blocks. Output: (N, A).

    References
    ----------
    Vaswani, A. et al. (2017). Attention is all you need. NeurIPS 2017, section 3.2.
    """

    def __init__(self, input_width: int, *, both: bool) -> None:
        super().__init__()
        self.both = both
        self.project = nn.Linear(input_width, 3 * ATTENTION_WIDTH)  # query, key, value
        n_offsets = 2 * ATTENTION_WINDOW - 1 if both else ATTENTION_WINDOW
        self.distance_weight = nn.Parameter(torch.zeros(n_offsets))

    def forward(self, states: Tensor, blocks: Blocks) -> Tensor:
        """Return the weighted mean of the values in the window of each row."""
        queries, keys, values = self._blocks_of_states(states, blocks)
        found = self._weights(queries, keys, blocks, len(states)) @ values  # (K, L, A)
        return found.flatten(0, 1).index_select(0, blocks.slots)

    def weights(self, states: Tensor, blocks: Blocks) -> Tensor:
        """Return how much of its attention each row gives to each row: (N, N), rows sum to 1."""
        n_rows, slots = len(states), blocks.places.numel()
        queries, keys, _ = self._blocks_of_states(states, blocks)
        weights = self._weights(queries, keys, blocks, n_rows).flatten(0, 1)  # (K L, keys)
        seen = _places_around(blocks, n_rows).repeat_interleave(slots // len(blocks.places), 0)
        spread = weights.new_zeros(slots, n_rows + 1).scatter_add(1, seen, weights)
        return spread[blocks.slots, :n_rows]

    def step(self, seen: Tensor, states: Tensor, n_before: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the next row of each of N sequences finds, where no later row is seen.

        Parameters
        ----------
        seen : Tensor of shape (N, ATTENTION_WINDOW - 1, 2 A)
            Keys and values of the last rows, the latest last; zeros where there is none.
        states : Tensor of shape (N, M + D)
            Memory and encoding of the row.
        n_before : Tensor of shape (N,), int64
            Number of rows before it.

        Returns
        -------
        seen : Tensor of shape (N, ATTENTION_WINDOW - 1, 2 A)
            Keys and values for the row after.
        found : Tensor of shape (N, A)
            What `forward` returns for these rows.
        """
        projected = self.project(states).unsqueeze(1)  # (N, 1, 3 A)
        queries, own = projected.split([ATTENTION_WIDTH, 2 * ATTENTION_WIDTH], dim=2)
        keys_and_values = torch.cat([seen, own], dim=1)  # (N, window, 2 A)
        keys, values = keys_and_values.split(ATTENTION_WIDTH, dim=2)
        scores = queries @ keys.transpose(1, 2) / ATTENTION_WIDTH**0.5  # (N, 1, window)
        scores = scores + self.distance_weight
        distances = torch.arange(ATTENTION_WINDOW - 1, -1, -1, device=n_before.device)
        exists = distances <= n_before.view(-1, 1, 1)
        weights = scores.masked_fill(~exists, torch.finfo(scores.dtype).min).softmax(dim=-1)
        return keys_and_values[:, 1:], (weights @ values).squeeze(1)

    def _blocks_of_states(self, states: Tensor, blocks: Blocks) -> tuple[Tensor, Tensor, Tensor]:
        """Return the queries (K, L, A) of each block, and the keys and values around it."""
        projected = _append_zeros(self.project(states))  # (N + 1, 3 A)
        length = blocks.places.shape[1]
        inside = projected.index_select(0, blocks.places.flatten()).unflatten(0, (-1, length))
        queries, seen = inside.split([ATTENTION_WIDTH, 2 * ATTENTION_WIDTH], dim=2)
        if blocks.neighbours.shape[1] > 1:
            around = _append_zeros(seen).index_select(0, blocks.neighbours.flatten())
            seen = around.view(len(inside), -1, 2 * ATTENTION_WIDTH)
        keys, values = seen.split(ATTENTION_WIDTH, dim=2)
        return queries, keys, values

    def _weights(self, queries: Tensor, keys: Tensor, blocks: Blocks, n_rows: int) -> Tensor:
        """Return the attention weights inside each block, (K, L, number of keys)."""
        length, n_keys = queries.shape[1], keys.shape[1]
        n_before = 0 if n_keys == length else length
        positions = torch.arange(n_keys, device=keys.device) - n_before
        distances = positions - positions[n_before : n_before + length].unsqueeze(1)
        last = ATTENTION_WINDOW - 1 if self.both else 0
        in_window = (distances > -ATTENTION_WINDOW) & (distances <= last)  # (L, keys)
        places = distances.clamp(1 - ATTENTION_WINDOW, last) + ATTENTION_WINDOW - 1
        exists = _places_around(blocks, n_rows) < n_rows  # (K, keys)
        scores = queries @ keys.transpose(1, 2) / ATTENTION_WIDTH**0.5  # (K, L, keys)
        scores = scores + self.distance_weight[places]
        # not minus infinity: rows that fill a block up see nothing, and would give NaN
        lowest = torch.finfo(scores.dtype).min
        return scores.masked_fill(~(in_window & exists.unsqueeze(1)), lowest).softmax(dim=-1)


def _append_zeros(values: Tensor) -> Tensor:
    """Append one element of zeros, for places where there is none."""
    return torch.cat([values, torch.zeros_like(values[:1])])


def _places_around(blocks: Blocks, n_rows: int) -> Tensor:
    """Return the places of the rows that the rows of each block may see, (K, keys)."""
    nowhere = torch.full_like(blocks.places[:1], n_rows)
    return torch.cat([blocks.places, nowhere])[blocks.neighbours].flatten(1)
