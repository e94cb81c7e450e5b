"""The rows of a fit, shared out among processes."""

from __future__ import annotations

import copy
from heapq import heapify, heapreplace
from typing import Any

import numpy as np
import torch

from .._rows._row_set import RowSet
from .._training._dataset import Batches, TrainingRows


class SharedRows(torch.utils.data.Dataset):
    """The rows that one process trains on, in as many batches as those of all others.

    Parameters
    ----------
    rows : TrainingRows
        The rows of all processes.
    owners : ndarray of shape (n_all_rows,), int64
        Number of the process that each row belongs to.
    rank, n_processes : int
        Number of this process, and of all of them.
    sorter : object
        Sorts the features of a batch by column, see `RowSet.batches`.
    """

    def __init__(
        self, rows: TrainingRows, owners: np.ndarray, rank: int, n_processes: int, sorter: Any
    ) -> None:
        self.sample = rows
        self.own = take_share(rows, owners, rank)
        self.own.sorter = sorter
        self.own.random = self.random = np.random.RandomState()  # each epoch seeds it
        self.smallest = int(np.bincount(owners[rows.current.rows], minlength=n_processes).min())

    def __len__(self) -> int:
        return len(self.sample)

    @property
    def n_early(self) -> int:
        """Number of rows of all processes in an epoch before the last."""
        return self.sample.n_early

    def release(self) -> None:
        """Have all rows in the batches to come."""
        self.sample.release()
        self.own.release()

    def batches(self, batch_size: int) -> Batches:
        """Yield this process's part of each batch, of about the same size in all of them."""
        n_batches = -(-self.n_early // batch_size)
        if self.smallest < n_batches:  # in all processes alike
            raise ValueError(
                f"One of the processes would have {self.smallest} of the {self.n_early} rows, "
                f"fewer than the {n_batches} steps of an epoch, as groups are never cut; take "
                "fewer processes or a larger batch_size."
            )
        return self.own.batches(self.own.n_early / n_batches)


def take_share(rows: TrainingRows, owners: np.ndarray, rank: int) -> TrainingRows:
    """Return the rows of one process, with what is known of each row shared with all."""
    share = copy.copy(rows)
    share.rows, share.current = (_take(part, owners, rank) for part in (rows.rows, rows.current))
    return share


def _take(rows: RowSet, owners: np.ndarray, rank: int) -> RowSet:
    return rows.take_groups(np.flatnonzero(owners[rows.rows[rows.starts]] == rank))


def assign_groups(lengths: np.ndarray, n_processes: int) -> np.ndarray:
    """Share groups out, so that all processes have about as many rows.

    The longest groups come first, each to the process that has the fewest rows.

    Parameters
    ----------
    lengths : ndarray of shape (n_groups,), int64
        Number of rows of each group.
    n_processes : int
        Number of processes.

    Returns
    -------
    owners : ndarray of shape (n_groups,), int64
        Number of the process of each group.

    References
    ----------
    Graham, R. L. (1969). Bounds on multiprocessing timing anomalies. SIAM Journal on Applied
    Mathematics 17 (2), 416-429: the largest share is at most 4/3 of the smallest possible.
    """
    shares = [(0, rank) for rank in range(n_processes)]
    heapify(shares)
    owners = np.empty(len(lengths), dtype=np.int64)
    longest_first = np.argsort(-lengths, kind="stable")
    for group, length in zip(longest_first.tolist(), lengths[longest_first].tolist(), strict=True):
        n_rows, rank = shares[0]
        owners[group] = rank
        heapreplace(shares, (n_rows + length, rank))
    return owners


def find_owners(rows: RowSet, n_processes: int) -> np.ndarray:
    """Return the number of the process of each row; that of rows outside the set is -1."""
    owners = np.full(len(rows.speakers), -1, dtype=np.int64)
    owners[rows.rows] = np.repeat(assign_groups(rows.lengths, n_processes), rows.lengths)
    return owners
