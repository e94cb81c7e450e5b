"""The tensors of a batch, which are the input of the network.

Shape letters: N rows of a batch, F features of a row, G dense features beside sparse ones, E extra
inputs, K blocks of rows, L rows of a block, T steps of the longest sequence, V words of the batch,
U different columns in a batch, R numbers of turns of a speaker.

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
    """A group of tensors that moves to a device together."""

    def to(self, device: torch.device | str) -> Any:
        """Return a copy on the device; on the CPU, where batches are made, return itself."""
        if torch.device(device).type == "cpu":
            return self
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        moved = {name: _move(name, value, device) for name, value in values.items()}
        return type(self)(**moved)


def _move(name: str, value: Any, device: torch.device | str) -> Any:
    # PackedSequence needs the sizes of its steps on the CPU, on every device
    return value if value is None or name == "step_sizes" else value.to(device)


@dataclass
class Packing(_Movable):
    """The packed order of the elements of several sequences.

    Parameters
    ----------
    step_sizes : Tensor of shape (T,), int64, always on the CPU
        Number of sequences that have an element at each step.
    reverse : Tensor of shape (N,), int64
        For each element, the place of its mirror image in its sequence. Indexing with it reverses
        each sequence; indexing twice restores the order.
    """

    step_sizes: Tensor
    reverse: Tensor


@dataclass
class Words(_Movable):
    """The words of a batch of rows, in packed order or, without packing, row after row.

    Parameters
    ----------
    ids : Tensor of shape (V,), int64
        Id of each word, 0 for unknown words.
    rows : Tensor of shape (V,), int64
        Row of each word.
    packing : Packing or None, default=None
        Packed order of the words in their rows, which a memory over words needs.
    """

    ids: Tensor
    rows: Tensor
    packing: Packing | None = None


@dataclass
class Columns(_Movable):
    """The stored values of sparse features by column, for the gradient of a table.

    Parameters
    ----------
    ids : Tensor of shape (U,), int64
        Columns with a stored value, sorted.
    offsets : Tensor of shape (U,), int32
        Start of each column in `rows` and `places`.
    rows, places : Tensor of shape (n_stored,), int32
        Row of each value, and its place among the values that are stored row by row.
    """

    ids: Tensor
    offsets: Tensor
    rows: Tensor
    places: Tensor

    def complete(self, gradient: Tensor, values: Tensor) -> tuple[Columns, Tensor, Tensor]:
        """Return everything that the gradient of a table needs, given the gradient of the rows.

        Fits in several processes pass another class with these methods, which adds the rows of
        the other processes here.

        Parameters
        ----------
        gradient : Tensor of shape (N, D)
            Gradient of the product of features and table.
        values : Tensor of shape (n_stored,)
            Values of the features, row by row.

        Returns
        -------
        columns : Columns
            Columns that have a gradient.
        gradient : Tensor of shape (N, D)
            Gradient of the product for all rows.
        values : Tensor of shape (n_stored,)
            Values, column by column.
        """
        return self, gradient, values[self.places]


@dataclass
class SparseFeatures(_Movable):
    """Sparse features of N rows, as in a CSR matrix.

    Parameters
    ----------
    ids, values : Tensor of shape (n_stored,)
        Columns and values, row by row.
    offsets : Tensor of shape (N,), of the dtype of ids
        Start of each row in `ids` and `values`.
    columns : Columns, object with the same methods, or None
        The same values by column, in training only.
    """

    ids: Tensor
    values: Tensor
    offsets: Tensor
    columns: Any = None


@dataclass
class Blocks(_Movable):
    """Sequences cut into blocks of L rows; the last block of each sequence is padded.

    In training, these sequences are longer than those of the packed order.

    Parameters
    ----------
    places : Tensor of shape (K, L), int64
        Place of each row in the batch, N for padding.
    neighbours : Tensor of shape (K, 1), (K, 2) or (K, 3), int64
        For each block, the previous block of its sequence, itself and, if rows can see later
        rows, the next block; K where there is none. Only itself if no sequence has two blocks.
    slots : Tensor of shape (N,), int64
        Place of each row among the K L slots of the blocks.
    """

    places: Tensor
    neighbours: Tensor
    slots: Tensor


@dataclass
class RowBatch(_Movable):
    """Rows of whole sequences, in packed order: the only input of the network.

    Parameters
    ----------
    features : SparseFeatures, or Tensor of shape (N, F)
        Features of each row.
    extras : Tensor of shape (N, E) or None
        Position in the group and change of speaker, if rows have context.
    speakers : Tensor of shape (N,), int64
        Id of the speaker, 0 for unknown speakers.
    packing : Packing or None
        Packed order of the rows in their groups, if rows have context.
    blocks : Blocks or None
        The rows in blocks, if rows have context.
    words : Words or None
        Words of the rows, if the network reads words.
    labels_before : Tensor of shape (N,), int64, or None
        Class index plus 1 of the previous row of the group, 0 for first rows; in training only.
    dense : Tensor of shape (N, G) or None
        Dense features of each row, beside sparse ones.
    turns : Tensor of shape (N, R) or (N, 2 R), int16, or None
        How many rows before are the last rows of the same speaker in the group and, if rows can
        see later rows, the next ones, as negative numbers; 0 where there is none or where it is
        out of the window of attention. None without speakers.
    ends : Tensor of shape (S,), int64, or None
        The rows whose logits are wanted, if a label belongs to a whole sequence. None for all.
    """

    features: Any
    extras: Tensor | None
    speakers: Tensor
    packing: Packing | None = None
    blocks: Blocks | None = None
    words: Words | None = None
    labels_before: Tensor | None = None
    dense: Tensor | None = None
    turns: Tensor | None = None
    ends: Tensor | None = None

    def __len__(self) -> int:
        return len(self.speakers)
