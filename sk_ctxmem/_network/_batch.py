"""The tensors of a batch: what the network reads.

Shape letters: N rows of a batch, F features of a row, E extra inputs, K blocks of rows, L rows of
a block, T steps of the longest sequence, V words of the batch, U different columns in a batch.

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
        """Return a copy on the device, or itself on the CPU, where batches are made."""
        if torch.device(device).type == "cpu":
            return self
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
class Columns(_Movable):
    """The stored values of sparse features by column: what a gradient by column needs.

    Parameters
    ----------
    ids : Tensor of shape (U,), int64
        The columns with a stored value, sorted.
    offsets : Tensor of shape (U,), int32
        Where each column starts in the next two.
    rows, places : Tensor of shape (n_stored,), int32
        Row of each value, and where it stands in the values of the rows.
    """

    ids: Tensor
    offsets: Tensor
    rows: Tensor
    places: Tensor

    def complete(self, gradient: Tensor, values: Tensor) -> tuple[Columns, Tensor, Tensor]:
        """Return all that the gradient of a table needs, given that of the rows.

        Columns of another kind bring the rows of other processes in here.

        Parameters
        ----------
        gradient : Tensor of shape (N, D)
            Gradient of what the rows have read from the table.
        values : Tensor of shape (n_stored,)
            Values of the features, row after row.

        Returns
        -------
        columns : Columns
            The columns that have a gradient.
        gradient : Tensor of shape (N, D)
            Gradient of all rows.
        values : Tensor of shape (n_stored,)
            Values by column.
        """
        return self, gradient, values[self.places]


@dataclass
class SparseFeatures(_Movable):
    """Sparse features of N rows, as in a CSR matrix.

    Parameters
    ----------
    ids, values : Tensor of shape (n_stored,)
        Columns and values, row after row.
    offsets : Tensor of shape (N,), of the type of ids
        Where each row starts.
    columns : Columns or None
        The same by column, in training; or what has their methods.
    """

    ids: Tensor
    values: Tensor
    offsets: Tensor
    columns: Any = None


@dataclass
class Blocks(_Movable):
    """Rows of whole sequences cut into blocks of L rows, the last of each sequence filled up.

    Parameters
    ----------
    places : Tensor of shape (K, L), int64
        Place of each row in the batch, N where there is none.
    neighbours : Tensor of shape (K, 1), (K, 2) or (K, 3), int64
        For each block the block before it in its sequence, itself and, where later rows may be
        seen, the block after it; K where there is none. Only itself if no sequence has more.
    slots : Tensor of shape (N,), int64
        Where each row stands among the K L slots.
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
        What is known of each row alone.
    extras : Tensor of shape (N, E) or None
        Place in the group and change of speaker, where rows see one another.
    speakers : Tensor of shape (N,), int64
        Number of the speaker, 0 for unknown.
    packing : Packing or None
        Of the rows in their groups, where rows see one another.
    blocks : Blocks or None
        The rows in blocks, where rows see one another.
    words : Words or None
        The words of the rows, where the network reads words.
    labels_before : Tensor of shape (N,), int64, or None
        Class number plus 1 of the row before in the group, 0 for none; in training only.
    """

    features: Any
    extras: Tensor | None
    speakers: Tensor
    packing: Packing | None = None
    blocks: Blocks | None = None
    words: Words | None = None
    labels_before: Tensor | None = None

    def __len__(self) -> int:
        return len(self.speakers)
