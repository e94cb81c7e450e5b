"""Attention over the rows around a row, as graphs.

Shape letters: N rows, G groups, T rows of the longest group, B blocks of a group, L rows of a
block, K rows that a block can see, W the window, H heads, Q width of queries or keys, A of values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._network._attention import ATTENTION_WIDTH
from ._graph import END, Graph, Value
from ._layout import Layout
from ._weights import Weights

LOWEST = float(np.finfo(np.float32).min)


class AttentionGraph:
    """The attention of a network in a graph, see `_network/_attention`.

    Parameters
    ----------
    attention : Attention
        The module.
    weights : Weights
        Its weights.
    """

    def __init__(self, attention: Any, weights: Weights) -> None:
        self.attention = attention
        self.weights = weights
        self.graph = weights.graph
        self.window = attention.window
        self.sizes = [attention.key_width, ATTENTION_WIDTH]

    def project(self, states: Value) -> tuple[Value, Value]:
        """Return the queries of rows, and their keys and values side by side."""
        projected = self.weights.linear("project", states)
        queries, seen = projected.split([self.sizes[0], sum(self.sizes)])
        return queries, seen

    def _scaled(self, name: str) -> np.ndarray:
        """Return learned weights times the factor of their head, (H, .)."""
        scales = self.attention.scales.numpy()
        return self.weights.array(name).reshape(self.attention.n_heads, -1) * scales

    def distance_weights(self) -> Value:
        """Return the weights of distances, (H, W) or (H, 2 W - 1)."""
        return self.weights.put("distance_weight.scaled", self._scaled("distance_weight"))

    def turn_weights(self) -> Value:
        """Return the weights of rows of the same speaker, by number, then heads.

        The last one of each side, which all other rows have, is zero.
        """
        scaled = self._scaled("turn_weight").T
        sides = np.split(scaled, 2 if self.attention.both else 1)
        padded = [np.pad(side, [(0, 1), (0, 0)]) for side in sides]
        return self.weights.put("turn_weight.scaled", np.concatenate(padded).astype(np.float32))

    def add_turns(
        self, scores: Value, distances: Value, same: Value, axes: tuple[int, ...]
    ) -> Value:
        """Add the weights of the rows of the same speaker.

        Parameters
        ----------
        scores : Value
            Scores of keys, by head.
        distances : Value of shape (., K)
            Distance of each key from the row, negative for earlier ones.
        same : Value
            Whether each key is of the same speaker, which ends with the shape of `distances`.
        axes : tuple of int
            Permutation that puts the heads, the last axis, to their place in `scores`.
        """
        weights = self.turn_weights()
        half = self.attention.turn_weight.shape[-1] // (2 if self.attention.both else 1)
        sides = [(same & (distances < 0), True, 0)]
        if self.attention.both:
            sides.append((same & (distances > 0), False, half + 1))
        for is_side, is_reverse, first in sides:
            counted = is_side.cast(np.float32)  # ONNX has no sums of int8
            numbers = self.graph.apply(
                "CumSum", counted, -1, exclusive=1, reverse=int(is_reverse)
            ).cast(np.int64)
            numbers = self.graph.where(is_side, numbers.minimum(half), half) + first
            scores = scores + weights.gather(numbers).transpose(*axes)
        return scores

    def over_groups(self, states: Value, layout: Layout, codes: Value | None) -> Value:
        """Return the weighted means of values in the window of each row, (N, A)."""
        queries, seen = self.project(states)
        blocks = Blocks(layout, self.window)
        own = blocks.cut(queries)  # (G, B, L, Q)
        keys, values = blocks.around(blocks.cut(seen), both=self.attention.both).split(
            self.sizes, axis=3
        )
        exists = blocks.around(blocks.cut(blocks.ones()), both=self.attention.both)
        exists = exists.squeeze(3) > 0.5  # (G, B, K)
        distances = blocks.distances(keys.size(2))  # (L, K)
        last = self.window - 1 if self.attention.both else 0
        in_window = (distances > -self.window) & (distances < last + 1)
        places = distances.maximum(1 - self.window).minimum(last) + (self.window - 1)
        scores = self._products(own, keys) + self.distance_weights().gather(places, axis=1)
        if codes is not None and self.attention.turn_weight is not None:
            same = blocks.same(codes, both=self.attention.both) & exists.unsqueeze(2)
            scores = self.add_turns(scores, distances, same, (0, 1, 4, 2, 3))
        is_seen = (in_window & exists.unsqueeze(2)).unsqueeze(2)  # (G, B, 1, L, K)
        found = self._average(scores, is_seen, values)  # (G, B, L, A)
        return blocks.join(found, ATTENTION_WIDTH)

    def step(
        self, cache: Value, states: Value, n_turns: Value, same: Value | None
    ) -> tuple[Value, Value]:
        """Return the next keys and values, and the weighted means of the next rows, (N, A)."""
        queries, own = self.project(states)
        keys_and_values = self.graph.concatenate([cache, own.unsqueeze(1)], axis=1)
        keys, values = keys_and_values.split(self.sizes, axis=2)  # (N, W, .)
        keys, values = keys.unsqueeze(1), values.unsqueeze(1)  # (N, 1, W, .)
        scores = self._products(queries.unsqueeze(1, 2), keys)  # (N, 1, H, 1, W)
        scores = scores + self.distance_weights().unsqueeze(1)
        distances = np.arange(1 - self.window, 1)
        if same is not None and self.attention.turn_weight is not None:
            itself = self.graph.zeros(same.size(0), 1, dtype=bool)
            same = self.graph.concatenate([same, itself], axis=1).unsqueeze(1, 2)  # (N, 1, 1, W)
            scores = self.add_turns(scores, self.graph.constant(distances), same, (0, 1, 4, 2, 3))
        exists = (n_turns.unsqueeze(1) + 1) > -distances  # (N, W)
        found = self._average(scores, exists.unsqueeze(1, 2, 3), values)  # (N, 1, 1, A)
        after = keys_and_values.slice(1, self.window, axis=1)
        return after, found.reshape(0, ATTENTION_WIDTH)

    def _products(self, queries: Value, keys: Value) -> Value:
        """Return the scaled dot products of (., ., L, Q) and (., ., K, Q): (., ., H, L, K)."""
        width = self.sizes[0] // self.attention.n_heads
        by_head = self._split_heads(keys, width).transpose(0, 1, 2, 4, 3)
        return self._split_heads(queries, width) @ by_head / float(width**0.5)

    def _split_heads(self, values: Value, width: int) -> Value:
        """Give each head its part: (., ., L, .) -> (., ., H, L, width)."""
        shape = (0, 0, 0, self.attention.n_heads, width)
        return values.reshape(*shape).transpose(0, 1, 3, 2, 4)

    def _average(self, scores: Value, is_seen: Value, values: Value) -> Value:
        """Return the means of values, weighted by the softmax of scores: -> (., ., L, A)."""
        weights = self.graph.where(is_seen, scores, LOWEST).softmax()
        by_head = self._split_heads(values, ATTENTION_WIDTH // self.attention.n_heads)
        return (weights @ by_head).transpose(0, 1, 3, 2, 4).reshape(0, 0, 0, ATTENTION_WIDTH)


class Blocks:
    """Groups cut into blocks of rows, each of which sees the blocks beside it.

    Parameters
    ----------
    layout : Layout
        The groups.
    window : int
        Number of rows that attention can see, at most the rows of a block.
    """

    def __init__(self, layout: Layout, window: int) -> None:
        self.layout = layout
        self.graph: Graph = layout.graph
        self.length = layout.n_steps.minimum(window)
        n_blocks = (layout.n_steps + self.length - 1) / self.length
        self.n_blocks = n_blocks
        places, self.is_row = layout.grid(n_blocks * self.length)
        nowhere = layout.n_rows  # the place of the zeros that `cut` appends
        self.places = self.graph.where(self.is_row, places.reshape(-1), nowhere)

    def cut(self, values: Value, dtype: Any = np.float32) -> Value:
        """Return rows in blocks, padded with zeros: (N, .) -> (G, B, L, .)."""
        zeros = self.graph.zeros(1, values.size(1), dtype=dtype)
        padded = self.graph.concatenate([values, zeros], axis=0).gather(self.places)
        return padded.reshape(self.layout.n_groups, self.n_blocks, self.length, values.size(1))

    def join(self, values: Value, width: int) -> Value:
        """Return the rows of blocks: (G, B, L, width) -> (N, width)."""
        return values.reshape(-1, width).compress(self.is_row)

    def ones(self) -> Value:
        """Return a one for each row, (N, 1)."""
        return self.graph.zeros(self.layout.n_rows, 1) + 1.0

    def around(self, inside: Value, *, both: bool, dtype: Any = np.float32) -> Value:
        """Return the rows that each block can see: (G, B, L, .) -> (G, B, K, .).

        They are its own ones if no group has two blocks; else also those of the block before and,
        with `both`, of the block after.
        """

        def alone(body: Graph) -> Value:
            return body.apply("Identity", inside)

        def with_neighbours(body: Graph) -> Value:
            own = Value(body, inside.name)
            nothing = own.slice(0, 1, axis=1) - own.slice(0, 1, axis=1)
            before = body.concatenate([nothing, own.slice(0, -1, axis=1)], axis=1)
            after = body.concatenate([own.slice(1, END, axis=1), nothing], axis=1)
            return body.concatenate([before, own, after] if both else [before, own], axis=2)

        is_single = self.n_blocks.equals(1)
        return self.graph.branch(is_single, alone, with_neighbours, dtype)

    def distances(self, n_keys: Value) -> Value:
        """Return the distance of each key from each row of a block, (L, K)."""
        n_before = self.graph.where(self.n_blocks.equals(1), 0, self.length)
        own = self.graph.range(self.length) + n_before
        return self.graph.range(n_keys) - own.unsqueeze(1)

    def same(self, codes: Value, *, both: bool) -> Value:
        """Return whether each key of a row is of its speaker, (G, B, L, K)."""
        own = self.cut(codes.unsqueeze(1), np.int64)
        around = self.around(own, both=both, dtype=np.int64)
        return own.equals(around.transpose(0, 1, 3, 2))
