"""Attention over the rows around a row, in plain torch.

Shape letters: N rows of a batch, D width, M width of the memory, A width of the attention, K
blocks of rows, L rows of a block, "keys" the rows that a block can see: L, 2 L or 3 L, W the
window, H heads, Q width of the queries or keys of all heads, R numbers of turns of a speaker.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ._batch import Blocks

ATTENTION_WIDTH = 32
ATTENTION_WINDOW = 64  # rows, the row itself included
SMALLEST_WINDOW = 2  # a session keeps the turn before in any case
# Half of the width of the values: keys are a part of each session, and 63 rows of them are kept.
KEY_WIDTH = 16
# Factors of the learned weights in each head. The steps of a weight are at most .006, too small for
# one distance to prevail over 63 others: without a factor, the word 20 rows back was found with
# accuracy .85 after four epochs, with these 1.00. A head that is quick may choose a row that tells
# only a part: of the word that one of three speakers said three turns ago, one such head found .84.
# The slow head learns what then is left, and it is 1.00. With 16 and 4, one fit in two found .93 of
# the words 45 rows back, where it is 1.00.
WEIGHT_SCALES = (32.0, 8.0)
N_TURNS = 16  # previous rows of the same speaker that have a weight of their own
# Networks of earlier versions: one head, queries and keys as wide as the values, and no factor.
FORMER_WINDOW = 16


class Attention(nn.Module):
    """Attention of a row to the memories and encodings of the rows around it.

    The scores of each head are scaled dot products, plus a learned weight for each distance, plus
    a learned weight for the last row of the same speaker, for the last but one, and so on. The
    window has the rows less than `window` before the row and, with `both`, after it.

    Parameters
    ----------
    input_width : int
        Width of a memory and an encoding together.
    both : bool
        Whether a row can see later rows.
    window : int, default=ATTENTION_WINDOW
        Number of rows, the row itself included.
    n_turns : int, default=0
        Number of rows of the same speaker, on each side, that have a weight of their own.

    Shape
    -----
    Input: (N, M + D), their Blocks, and `turns` of RowBatch. Output: (N, A).

    References
    ----------
    Vaswani, A. et al. (2017). Attention is all you need. NeurIPS 2017, section 3.2.
    Shaw, P. et al. (2018). Self-attention with relative position representations. NAACL 2018.

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

    def __init__(
        self, input_width: int, *, both: bool, window: int = ATTENTION_WINDOW, n_turns: int = 0
    ) -> None:
        super().__init__()
        self.both = both
        self.window = window
        is_former = window == FORMER_WINDOW
        self.key_width = ATTENTION_WIDTH if is_former else KEY_WIDTH
        scales = (1.0,) if is_former else WEIGHT_SCALES
        self.n_heads = len(scales)
        # neither weights nor a buffer, as networks that are built on "meta" have no buffers
        self.scales = torch.tensor(scales, dtype=torch.float32, device="cpu").unsqueeze(1)  # (H, 1)
        self.project = nn.Linear(input_width, self.key_width + self.cached_width)
        n_distances = 2 * window - 1 if both else window
        self.distance_weight = self._make_weights(n_distances)  # (H, .), or (.) of one head
        n_weights = n_turns * (2 if both else 1)
        self.turn_weight = self._make_weights(n_weights) if n_turns else None

    def _make_weights(self, n_weights: int) -> nn.Parameter:
        shape = [n_weights] if self.n_heads == 1 else [self.n_heads, n_weights]
        return nn.Parameter(torch.zeros(shape))

    @property
    def cached_width(self) -> int:
        """Width of the key and the value of a row together, Q + A."""
        return self.key_width + ATTENTION_WIDTH

    def forward(self, states: Tensor, blocks: Blocks, turns: Tensor | None = None) -> Tensor:
        """Return the weighted mean of the values in the window of each row."""
        queries, keys, values = self._project_blocks(states, blocks)
        weights = self._weights(queries, keys, blocks, len(states), turns)  # (K, H, L, keys)
        found = self._join_heads(weights @ self._split_heads(values))  # (K, L, A)
        return found.flatten(0, 1).index_select(0, blocks.slots)  # (N, A)

    def weights(self, states: Tensor, blocks: Blocks, turns: Tensor | None = None) -> Tensor:
        """Return the mean weights of all heads of each row on each row, (N, N); rows sum to 1."""
        n_rows, slots = len(states), blocks.places.numel()
        queries, keys, _ = self._project_blocks(states, blocks)
        weights = self._weights(queries, keys, blocks, n_rows, turns)  # (K, H, L, keys)
        weights = weights.mean(dim=1).flatten(0, 1)  # (K L, keys)
        seen = _places_around(blocks, n_rows).repeat_interleave(slots // len(blocks.places), 0)
        spread = weights.new_zeros(slots, n_rows + 1).scatter_add(1, seen, weights)
        return spread[blocks.slots, :n_rows]  # (N, N)

    def step(
        self, cache: Tensor, states: Tensor, n_before: Tensor, turns: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return what `forward` returns, for the next row of each of N sequences, without `both`.

        Parameters
        ----------
        cache : Tensor of shape (N, W - 1, Q + A)
            Keys and values of the previous rows, the latest last; zeros where there is no row.
        states : Tensor of shape (N, M + D)
            Memories and encodings of the rows.
        n_before : Tensor of shape (N,), int64
            Number of previous rows in each sequence.
        turns : Tensor of shape (N, R) or None, default=None
            As in RowBatch.

        Returns
        -------
        cache : Tensor of shape (N, W - 1, Q + A)
            Keys and values for the rows that follow.
        found : Tensor of shape (N, A)
            The weighted means of the values.
        """
        projected = self.project(states).unsqueeze(1)  # (N, 1, 2 Q + A)
        queries, own = projected.split([self.key_width, self.cached_width], dim=2)
        keys_and_values = torch.cat([cache, own], dim=1)  # (N, W, Q + A)
        keys, values = keys_and_values.split([self.key_width, ATTENTION_WIDTH], dim=2)
        scores = self._dot_products(queries, keys)  # (N, H, 1, W)
        scores = scores + self._scaled(self.distance_weight).unsqueeze(1)
        if turns is not None and self.turn_weight is not None:
            places = (self.window - 1 - turns.long()).view(-1, 1, 1, turns.shape[1])
            added = self._scaled(self.turn_weight) * (turns != 0).unsqueeze(1)  # (N, H, R)
            added = added.unsqueeze(2)  # (N, H, 1, R)
            scores = scores.scatter_add(3, places.expand_as(added), added)
        distances = torch.arange(self.window - 1, -1, -1, device=n_before.device)
        exists = distances <= n_before.view(-1, 1, 1, 1)  # (N, 1, 1, W)
        weights = scores.masked_fill(~exists, torch.finfo(scores.dtype).min).softmax(dim=-1)
        found = self._join_heads(weights @ self._split_heads(values))  # (N, 1, A)
        return keys_and_values[:, 1:], found.squeeze(1)

    def _project_blocks(self, states: Tensor, blocks: Blocks) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries (K, L, Q) of each block, and keys and values of it and its neighbours."""
        projected = _append_zeros(self.project(states))  # (N + 1, 2 Q + A)
        length = blocks.places.shape[1]
        inside = projected.index_select(0, blocks.places.flatten())  # (K L, 2 Q + A)
        inside = inside.unflatten(0, (-1, length))  # (K, L, 2 Q + A)
        queries, seen = inside.split([self.key_width, self.cached_width], dim=2)
        if blocks.neighbours.shape[1] > 1:
            around = _append_zeros(seen).index_select(0, blocks.neighbours.flatten())
            seen = around.view(len(inside), -1, self.cached_width)  # (K, keys, Q + A)
        keys, values = seen.split([self.key_width, ATTENTION_WIDTH], dim=2)  # (K, keys, .) each
        return queries, keys, values

    def _weights(
        self, queries: Tensor, keys: Tensor, blocks: Blocks, n_rows: int, turns: Tensor | None
    ) -> Tensor:
        """Return the attention weights of the rows of each block, (K, H, L, keys)."""
        length, n_keys = queries.shape[1], keys.shape[1]
        n_before = 0 if n_keys == length else length
        positions = torch.arange(n_keys, device=keys.device)
        own = positions[n_before : n_before + length].unsqueeze(1)  # (L, 1)
        distances = positions - own
        last = self.window - 1 if self.both else 0
        in_window = (distances > -self.window) & (distances <= last)  # (L, keys)
        places = distances.clamp(1 - self.window, last) + self.window - 1
        exists = _places_around(blocks, n_rows) < n_rows  # (K, keys)
        scores = self._dot_products(queries, keys)  # (K, H, L, keys)
        scores = scores + self._scaled(self.distance_weight)[:, places]
        if turns is not None:
            inside = _append_zeros(turns).index_select(0, blocks.places.flatten())  # (K L, R)
            scores = self._add_turns(scores, own, inside.unflatten(0, (-1, length)))
        # not minus infinity: padding slots see no row, and would give NaN
        lowest = torch.finfo(scores.dtype).min
        is_seen = in_window & exists.unsqueeze(1)  # (K, L, keys)
        return scores.masked_fill(~is_seen.unsqueeze(1), lowest).softmax(dim=-1)

    def _dot_products(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return the scaled dot products of queries and keys in each head, (K, H, L, keys)."""
        by_head = self._split_heads(keys).transpose(2, 3)
        return self._split_heads(queries) @ by_head / (keys.shape[2] / self.n_heads) ** 0.5

    def _split_heads(self, values: Tensor) -> Tensor:
        """Give each head its part: (K, L, .) -> (K, H, L, . / H)."""
        return values.view(*values.shape[:2], self.n_heads, -1).transpose(1, 2)

    def _join_heads(self, values: Tensor) -> Tensor:
        """Put the parts of all heads side by side: (K, H, L, . / H) -> (K, L, .)."""
        return values.transpose(1, 2).flatten(2)

    def _scaled(self, weights: Tensor) -> Tensor:
        """Return learned weights times the factor of their head, (H, .)."""
        return weights.view(self.n_heads, -1) * self.scales.to(weights)

    def _add_turns(self, scores: Tensor, own: Tensor, turns: Tensor) -> Tensor:
        """Add the weights of the rows of the same speaker, if the network has such weights.

        Parameters
        ----------
        scores : Tensor of shape (K, H, L, keys)
            Scores of keys for rows.
        own : Tensor of shape (L, 1)
            Place of each row among the keys.
        turns : Tensor of shape (K, L, R)
            Distances of the rows of the same speaker, 0 where there is none.
        """
        if self.turn_weight is None:
            return scores
        places = own - turns.long()  # (K, L, R)
        is_key = (turns != 0) & (places >= 0) & (places < scores.shape[3])
        added = self._scaled(self.turn_weight).unsqueeze(1) * is_key.unsqueeze(1)  # (K, H, L, R)
        places = places.clamp(0, scores.shape[3] - 1).unsqueeze(1)  # (K, 1, L, R)
        return scores.scatter_add(3, places.expand_as(added), added)


def _append_zeros(values: Tensor) -> Tensor:
    """Append one element of zeros, which padding slots refer to."""
    return torch.cat([values, torch.zeros_like(values[:1])])


def _places_around(blocks: Blocks, n_rows: int) -> Tensor:
    """Return the places in the batch of the rows that each block can see, (K, keys)."""
    nowhere = torch.full_like(blocks.places[:1], n_rows)
    return torch.cat([blocks.places, nowhere])[blocks.neighbours].flatten(1)
