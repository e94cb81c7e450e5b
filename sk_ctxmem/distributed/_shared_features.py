"""Sparse features of a batch whose rows lie in several processes."""

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
    """Brings the features of a batch that lies in several processes into the order of columns.

    The gradient of the table of features has a row for each column of the batch, thousands of
    them. What it is made of, the features and the gradient of what was read of the table, is some
    twenty times smaller. So each process gets those of all, and computes the whole gradient.

    Parameters
    ----------
    processes : ManyProcesses
        The processes.
    n_columns : int
        Number of columns of the features.
    """

    def __init__(self, processes: Any, n_columns: int) -> None:
        self.processes = processes
        self.n_columns = n_columns
        self.sorter = ColumnSorter(n_columns)

    def sort(self, X: sparse.csr_array) -> SharedColumns:
        """Return what will ask the others for their rows when gradients are known."""
        return SharedColumns(self, X.indices, np.diff(X.indptr))


@dataclass
class SharedColumns:
    """The features of this process's part of a batch.

    Parameters
    ----------
    shared : SharedSorter
        Made this.
    ids : ndarray of shape (n_stored,)
        Columns of the stored values, row after row.
    lengths : ndarray of shape (n_rows,)
        Number of values of each row.
    """

    shared: SharedSorter
    ids: np.ndarray
    lengths: np.ndarray

    def to(self, device: Any) -> SharedColumns:
        """Return itself: columns are sorted on the CPU."""
        return self

    def complete(self, gradient: Tensor, values: Tensor) -> tuple[Columns, Tensor, Tensor]:
        """Return columns, gradient and values of the rows of all processes: see Columns."""
        own = (values.cpu().numpy(), gradient.cpu().numpy())
        # floats travel as integers of the same bits, so that there is one message
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
