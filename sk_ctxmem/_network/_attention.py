"""Attention over the rows around a row, in plain torch.

Shape letters: N rows of a batch, D width, M width of the memory, A width of the attention, K
blocks of rows, L rows of a block, "keys" the rows that a block can see: L, 2 L or 3 L.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._batch import Blocks

ATTENTION_WIDTH = 32
ATTENTION_WINDOW = 16  # rows, the row itself included


class Attention(nn.Module):
    """Attention of a row to the memories and encodings of the rows around it.

    The scores are scaled dot products plus a learned weight for each distance. The window has the
    rows less than ATTENTION_WINDOW before the row and, with `both`, after it.

    Parameters
    ----------
    input_width : int
        Width of a memory and an encoding together.
    both : bool
        Whether a row can see later rows.

    Shape
    -----
    Input: (N, M + D) and their Blocks. Output: (N, A).

    References
    ----------
    Vaswani, A. et al. (2017). Attention is all you need. NeurIPS 2017, section 3.2.

    Examples
    --------
    Three rows of one sequence:

    >>> import torch
    >>> from sk_ctxmem._network._attention import Attention
    >>> from sk_ctxmem._network._batch import Blocks
    >>> blocks = Blocks(
    ...     places=torch.tensor([[0, 1, 2]]), neighbours=torch.tensor([[0]]),
    ...     slots=torch.tensor([0, 1, 2]),
    ... )
    >>> Attention(10, both=False)(torch.ones(3, 10), blocks).shape
    torch.Size([3, 32])
    """

    def __init__(self, input_width: int, *, both: bool) -> None:
        super().__init__()
        self.both = both
        self.project = nn.Linear(input_width, 3 * ATTENTION_WIDTH)  # query, key, value
        n_offsets = 2 * ATTENTION_WINDOW - 1 if both else ATTENTION_WINDOW
        self.distance_weight = nn.Parameter(torch.zeros(n_offsets))

    def forward(self, states: Tensor, blocks: Blocks) -> Tensor:
        """Return the weighted mean of the values in the window of each row."""
        queries, keys, values = self._project_blocks(states, blocks)
        found = self._weights(queries, keys, blocks, len(states)) @ values  # (K, L, A)
        return found.flatten(0, 1).index_select(0, blocks.slots)  # (N, A)

    def weights(self, states: Tensor, blocks: Blocks) -> Tensor:
        """Return the attention weights of each row on each row, (N, N); rows sum to 1."""
        n_rows, slots = len(states), blocks.places.numel()
        queries, keys, _ = self._project_blocks(states, blocks)
        weights = self._weights(queries, keys, blocks, n_rows).flatten(0, 1)  # (K L, keys)
        seen = _places_around(blocks, n_rows).repeat_interleave(slots // len(blocks.places), 0)
        spread = weights.new_zeros(slots, n_rows + 1).scatter_add(1, seen, weights)
        return spread[blocks.slots, :n_rows]  # (N, N)

    def step(self, cache: Tensor, states: Tensor, n_before: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `forward` returns, for the next row of each of N sequences, without `both`.

        Parameters
        ----------
        cache : Tensor of shape (N, ATTENTION_WINDOW - 1, 2 A)
            Keys and values of the previous rows, the latest last; zeros where there is no row.
        states : Tensor of shape (N, M + D)
            Memories and encodings of the rows.
        n_before : Tensor of shape (N,), int64
            Number of previous rows in each sequence.

        Returns
        -------
        cache : Tensor of shape (N, ATTENTION_WINDOW - 1, 2 A)
            Keys and values for the rows that follow.
        found : Tensor of shape (N, A)
            The weighted means of the values.
        """
        projected = self.project(states).unsqueeze(1)  # (N, 1, 3 A)
        queries, own = projected.split([ATTENTION_WIDTH, 2 * ATTENTION_WIDTH], dim=2)
        keys_and_values = torch.cat([cache, own], dim=1)  # (N, window, 2 A)
        keys, values = keys_and_values.split(ATTENTION_WIDTH, dim=2)  # (N, window, A) each
        scores = queries @ keys.transpose(1, 2) / ATTENTION_WIDTH**0.5  # (N, 1, window)
        scores = scores + self.distance_weight
        distances = torch.arange(ATTENTION_WINDOW - 1, -1, -1, device=n_before.device)
        exists = distances <= n_before.view(-1, 1, 1)  # (N, 1, window)
        weights = scores.masked_fill(~exists, torch.finfo(scores.dtype).min).softmax(dim=-1)
        return keys_and_values[:, 1:], (weights @ values).squeeze(1)

    def _project_blocks(self, states: Tensor, blocks: Blocks) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries (K, L, A) of each block, and keys and values of it and its neighbours."""
        projected = _append_zeros(self.project(states))  # (N + 1, 3 A)
        length = blocks.places.shape[1]
        inside = projected.index_select(0, blocks.places.flatten())  # (K L, 3 A)
        inside = inside.unflatten(0, (-1, length))  # (K, L, 3 A)
        queries, seen = inside.split([ATTENTION_WIDTH, 2 * ATTENTION_WIDTH], dim=2)
        if blocks.neighbours.shape[1] > 1:
            around = _append_zeros(seen).index_select(0, blocks.neighbours.flatten())
            seen = around.view(len(inside), -1, 2 * ATTENTION_WIDTH)  # (K, keys, 2 A)
        keys, values = seen.split(ATTENTION_WIDTH, dim=2)  # (K, keys, A) each
        return queries, keys, values

    def _weights(self, queries: Tensor, keys: Tensor, blocks: Blocks, n_rows: int) -> Tensor:
        """Return the attention weights of the rows of each block, (K, L, keys)."""
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
        # not minus infinity: padding slots see no row, and would give NaN
        lowest = torch.finfo(scores.dtype).min
        return scores.masked_fill(~(in_window & exists.unsqueeze(1)), lowest).softmax(dim=-1)


def _append_zeros(values: Tensor) -> Tensor:
    """Append one element of zeros, which padding slots refer to."""
    return torch.cat([values, torch.zeros_like(values[:1])])


def _places_around(blocks: Blocks, n_rows: int) -> Tensor:
    """Return the places in the batch of the rows that each block can see, (K, keys)."""
    nowhere = torch.full_like(blocks.places[:1], n_rows)
    return torch.cat([blocks.places, nowhere])[blocks.neighbours].flatten(1)
