"""Sparse features of a batch that is distributed over several processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from .._network._batch import Columns
from .._rows._row_set import ColumnSorter


class SharedSorter:
    """Sorts the features of a distributed batch by column.

    The gradient of the feature table has a row for each column of the batch, thousands of rows.
    The features and the gradient of the table's output are about twenty times smaller. Therefore
    each process gathers these from all processes and computes the whole gradient of the table.

    Parameters
    ----------
    processes : ManyProcesses
        Process group.
    n_columns : int
        Number of features.
    """

    def __init__(self, processes: Any, n_columns: int) -> None:
        self.processes = processes
        self.n_columns = n_columns
        self.sorter = ColumnSorter(n_columns)

    def sort(self, X: sparse.csr_array) -> SharedColumns:
        """Return columns that gather those of the other processes in the backward pass."""
        return SharedColumns(self, X.indices, np.diff(X.indptr))


@dataclass
class SharedColumns:
    """Features of the rows of this process in a batch.

    Parameters
    ----------
    shared : SharedSorter
        Sorter that created this object.
    ids : ndarray of shape (n_stored,)
        Columns of the stored values, row by row.
    lengths : ndarray of shape (n_rows,)
        Number of stored values of each row.
    """

    shared: SharedSorter
    ids: np.ndarray
    lengths: np.ndarray

    def to(self, device: Any) -> SharedColumns:
        """Return self: columns are sorted on the CPU."""
        return self

    def complete(self, gradient: Tensor, values: Tensor) -> tuple[Columns, Tensor, Tensor]:
        """Return columns, gradient and values of the rows of all processes, see Columns."""
        own = (values.cpu().numpy(), gradient.cpu().numpy())
        # floats are viewed as int32 to send a single message
        flat = [part.astype(np.int32, copy=False) for part in (self.lengths, self.ids)]
        flat += [np.ascontiguousarray(part).view(np.int32).ravel() for part in own]
        processes = self.shared.processes
        sizes = processes.gather_fixed(np.array([len(part) for part in flat]))
        (joined,) = processes.gather_trimmed([np.concatenate(flat)], sizes.sum(axis=1).tolist())
        parts = np.split(joined, np.cumsum(sizes.ravel())[:-1])
        lengths, ids, whole, slopes = (np.concatenate(parts[kind::4]) for kind in range(4))
        indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        shape = (len(lengths), self.shared.n_columns)
        X = sparse.csr_array((whole.view(np.float32), ids, indptr), shape=shape)
        columns = self.shared.sorter.sort(X).to(gradient.device)
        every = torch.from_numpy(slopes.view(np.float32).reshape(len(lengths), -1))
        by_row = torch.from_numpy(X.data).to(gradient.device)
        return columns.complete(every.to(gradient.device), by_row)
