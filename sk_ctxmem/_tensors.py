"""The tensors of a batch: what the network reads.

Shape letters: N rows of a batch, F features of a row, E extra inputs, O rows in the window of
the attention, T steps of the longest sequence, V words of the batch.

Sequences are never padded. They lie in *packed* order, that of
:class:`torch.nn.utils.rnn.PackedSequence`: first the first element of every sequence, longest
sequence first, then the second element of every sequence that has one, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor


@dataclass
class _Movable:
    """Tensors that go to a device together."""

    def to(self, device: torch.device | str) -> Any:
        """Return a copy on the device."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        moved = {name: _move(name, value, device) for name, value in values.items()}
        return type(self)(**moved)


def _move(name: str, value: Any, device: torch.device | str) -> Any:
    # torch wants the sizes of packed steps on the CPU, wherever the rest lies
    return value if value is None or name == "step_sizes" else value.to(device)


@dataclass
class Packing(_Movable):
    """Where the elements of several sequences lie in packed order.

    Parameters
    ----------
    step_sizes : Tensor of shape (T,), int64, always on the CPU
        Number of sequences that have an element at each step.
    reverse : Tensor of shape (N,), int64
        For each element the place of its mirror image in its sequence. What is indexed with it
        runs backwards; indexed twice, it is as before.
    """

    step_sizes: Tensor
    reverse: Tensor


@dataclass
class Words(_Movable):
    """The words of a batch of rows, in packed order.

    Parameters
    ----------
    ids : Tensor of shape (V,), int64
        Number of each word, 0 for unknown.
    rows : Tensor of shape (V,), int64
        The row that each word stands in.
    packing : Packing
        Of the words in their rows.
    """

    ids: Tensor
    rows: Tensor
    packing: Packing


@dataclass
class SparseFeatures(_Movable):
    """Sparse features of N rows, as in a CSR matrix.

    Parameters
    ----------
    ids, values : Tensor of shape (n_stored,)
        Columns and values, row after row.
    offsets : Tensor of shape (N,)
        Where each row starts.
    """

    ids: Tensor
    values: Tensor
    offsets: Tensor


@dataclass
class RowBatch(_Movable):
    """Rows of whole sequences, in packed order: the only input of the network.

    Parameters
    ----------
    features : SparseFeatures, or Tensor of shape (N, F)
        What is known of each row alone.
    extras : Tensor of shape (N, E)
        Place in the group and change of speaker.
    speakers : Tensor of shape (N,), int64
        Number of the speaker, 0 for unknown.
    packing : Packing
        Of the rows in their groups.
    window : Tensor of shape (N, O), int64
        Rows that each row may look at.
    window_mask : Tensor of shape (N, O), bool
        True where ``window`` holds such a row.
    window_offsets : Tensor of shape (O,), int64
        How far off the rows of the window are, counted from the farthest one before.
    words : Words or None
        The words of the rows, where the network reads words.
    """

    features: Any
    extras: Tensor
    speakers: Tensor
    packing: Packing
    window: Tensor
    window_mask: Tensor
    window_offsets: Tensor
    words: Words | None = None

    def __len__(self) -> int:
        return len(self.extras)
