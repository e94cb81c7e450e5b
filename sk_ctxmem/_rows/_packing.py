"""Packed order of sequences, and blocks for attention."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from .._network._attention import ATTENTION_WINDOW
from .._network._batch import Blocks, Packing


@dataclass
class PackedOrder:
    """Packed order of sequences: step 0 of all sequences, then step 1, and so on.

    Parameters
    ----------
    sequences, steps : ndarray of shape (n_elements,), int64
        Index of the sequence of each element, and its position in the sequence.
    lengths : ndarray of shape (n_elements,), int64
        Length of the sequence of each element.
    ranks : ndarray of shape (n_elements,), int64
        Index of the sequence of each element among the sequences sorted by length: its column
        at every step.
    sizes, firsts : ndarray of shape (n_steps,), int64
        Number of sequences at each step, and index of its first element.
    """

    sequences: np.ndarray
    steps: np.ndarray
    lengths: np.ndarray
    ranks: np.ndarray
    sizes: np.ndarray
    firsts: np.ndarray

    def place(self, steps: np.ndarray, ranks: np.ndarray) -> np.ndarray:
        """Return the indices of elements from their steps and ranks."""
        return self.firsts[steps] + ranks

    def packing(self) -> Packing:
        """Return the packing as tensors for the network."""
        mirror = self.place(self.lengths - 1 - self.steps, self.ranks)
        return Packing(torch.from_numpy(self.sizes), torch.from_numpy(mirror))


def pack(lengths: np.ndarray) -> PackedOrder:
    """Return the packed order of sequences of given lengths; empty sequences have no elements."""
    longest_first = np.argsort(-lengths, kind="stable")
    sorted_lengths = lengths[longest_first]
    n_steps = int(sorted_lengths[0]) if len(lengths) else 0
    sizes = np.searchsorted(-sorted_lengths, -np.arange(n_steps), side="left")
    firsts = np.cumsum(sizes) - sizes
    steps = np.repeat(np.arange(n_steps), sizes)
    ranks = np.arange(len(steps)) - np.repeat(firsts, sizes)
    return PackedOrder(
        longest_first[ranks], steps, sorted_lengths[ranks], ranks, sizes.astype(np.int64), firsts
    )


def cut_into_blocks(
    order: PackedOrder,
    both: bool,
    window: int = ATTENTION_WINDOW,
    follows: np.ndarray | None = None,
) -> Blocks:
    """Split sequences into blocks of the length of the attention window, or of the longest.

    Parameters
    ----------
    order : PackedOrder
        Packed order of the sequences, none of which is empty.
    both : bool
        Whether rows can see later rows.
    window : int, default=ATTENTION_WINDOW
        Number of rows that attention can see, the row itself included.
    follows : ndarray of shape (n_sequences,), bool, or None, default=None
        Whether a sequence begins where the one before it ends. Those are blocks of one sequence.
    """
    sequences, steps, lengths = _join_sequences(order, follows)
    n_rows, length = len(steps), min(window, int(lengths.max()))
    n_blocks = -(-lengths // length)
    total = n_blocks.sum()
    first = np.cumsum(n_blocks) - n_blocks
    slots = (first[sequences] + steps // length) * length + steps % length
    places = np.full(total * length, n_rows)
    places[slots] = np.arange(n_rows)
    itself = np.arange(total)
    neighbours = [itself]
    if total > len(lengths):
        within = concatenated_ranges(np.zeros_like(n_blocks), n_blocks)
        neighbours.insert(0, np.where(within > 0, itself - 1, total))
        if both:
            is_last = within == np.repeat(n_blocks, n_blocks) - 1
            neighbours.append(np.where(is_last, total, itself + 1))
    return Blocks(
        torch.from_numpy(places.reshape(total, length)),
        torch.from_numpy(np.stack(neighbours, axis=1)),
        torch.from_numpy(slots),
    )


def _join_sequences(
    order: PackedOrder, follows: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the joined sequence of each element and its position there, and their lengths."""
    lengths = np.bincount(order.sequences)
    if follows is None:
        return order.sequences, order.steps, lengths
    joined = np.cumsum(~follows) - 1
    before = np.cumsum(lengths) - lengths
    before = before - before[~follows][joined]  # elements of the joined sequence before each
    steps = order.steps + before[order.sequences]
    return joined[order.sequences], steps, np.bincount(joined[order.sequences])


def find_runs(
    starts: np.ndarray, lengths: np.ndarray, group_starts: np.ndarray, longest: int
) -> np.ndarray:
    """Return which ranges, that are sorted, begin a run of ranges that follow one another.

    Parameters
    ----------
    starts, lengths : ndarray of shape (n_pieces,), int64
        Ranges.
    group_starts : ndarray of shape (n_groups,), int64
        Sorted starts of groups, where runs end.
    longest : int
        Largest number of ranges in a run. Longer runs are split into equal parts.
    """
    is_first = np.r_[True, starts[1:] != starts[:-1] + lengths[:-1]]
    is_first |= group_starts[np.searchsorted(group_starts[:-1], starts)] == starts
    sizes = np.diff(np.flatnonzero(np.r_[is_first, True]))
    part_starts, _ = cut_into_pieces(np.flatnonzero(is_first), sizes, longest)
    is_first[part_starts] = True
    return is_first


def concatenated_ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the concatenated ranges ``start, ..., start + length - 1``."""
    before = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) + np.repeat(starts - before, lengths)


def cut_into_pieces(
    starts: np.ndarray, lengths: np.ndarray, longest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Split ranges into the fewest pieces of at most `longest`, of nearly equal length."""
    n_pieces = -(-lengths // longest)
    piece = concatenated_ranges(np.zeros_like(n_pieces), n_pieces)
    whole, rest = np.divmod(np.repeat(lengths, n_pieces), np.repeat(n_pieces, n_pieces))
    piece_starts = np.repeat(starts, n_pieces) + piece * whole + np.minimum(piece, rest)
    return piece_starts, whole + (piece < rest)
