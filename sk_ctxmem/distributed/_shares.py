"""Distribution of the training rows over processes."""

from __future__ import annotations

import copy
from heapq import heapify, heapreplace
from typing import Any

import numpy as np
import torch

from .._rows._row_set import RowSet
from .._training._dataset import Batches, TrainingRows


class SharedRows(torch.utils.data.Dataset):
    """Training rows of one process, in the same number of batches as in all other processes.

    Parameters
    ----------
    rows : TrainingRows
        Training rows of all processes.
    owners : ndarray of shape (n_all_rows,), int64
        Rank of the process of each row.
    rank, n_processes : int
        Rank of this process, and number of processes.
    sorter : object
        Object that sorts the features of a batch by column, see `RowSet.batches`.
    """

    def __init__(
        self, rows: TrainingRows, owners: np.ndarray, rank: int, n_processes: int, sorter: Any
    ) -> None:
        self.sample = rows
        self.own = take_share(rows, owners, rank)
        self.own.sorter = sorter
        self.own.random = self.random = np.random.RandomState()  # seeded in each epoch
        self.smallest = int(np.bincount(owners[rows.current.rows], minlength=n_processes).min())

    def __len__(self) -> int:
        return len(self.sample)

    @property
    def n_samples(self) -> int:
        """Number of rows: labels belong to rows."""
        return len(self)

    @property
    def n_early(self) -> int:
        """Number of rows of all processes in each epoch except the last."""
        return self.sample.n_early

    def count_draws(self, batch_size: int) -> tuple[int, int]:
        """Return how many rows all processes draw in an epoch, before `release` and after it."""
        return self.sample.count_draws(batch_size)

    def release(self) -> None:
        """Add the calibration rows to the following epochs."""
        self.sample.release()
        self.own.release()

    def batches(self, batch_size: int) -> Batches:
        """Yield the rows of this process in each batch, about the same number in all batches."""
        n_batches = -(-self.count_draws(batch_size)[0] // batch_size)
        if self.smallest * self.own.n_passes < n_batches:  # the same in all processes
            raise ValueError(
                f"One of the processes would have {self.smallest} of the {self.n_early} rows, "
                f"fewer than the {n_batches} steps of an epoch, because groups are never split; "
                "use fewer processes or a larger batch_size."
            )
        return self.own.batches_in(n_batches)


def take_share(rows: TrainingRows, owners: np.ndarray, rank: int) -> TrainingRows:
    """Return the training rows of one process, which share the features of all rows."""
    share = copy.copy(rows)
    share.rows, share.current = (_take(part, owners, rank) for part in (rows.rows, rows.current))
    return share


def _take(rows: RowSet, owners: np.ndarray, rank: int) -> RowSet:
    return rows.take_groups(np.flatnonzero(owners[rows.rows[rows.starts]] == rank))


def assign_groups(lengths: np.ndarray, n_processes: int) -> np.ndarray:
    """Assign groups to processes such that all have about the same number of rows.

    Groups are assigned in descending order of length, each to the process with the fewest rows.

    Parameters
    ----------
    lengths : ndarray of shape (n_groups,), int64
        Number of rows of each group.
    n_processes : int
        Number of processes.

    Returns
    -------
    owners : ndarray of shape (n_groups,), int64
        Rank of the process of each group.

    References
    ----------
    Graham, R. L. (1969). Bounds on multiprocessing timing anomalies. SIAM Journal on Applied
    Mathematics 17 (2), 416-429: the largest share is at most 4/3 of the optimum.
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
    """Return the rank of the process of each row, -1 for rows that are not in the set."""
    owners = np.full(len(rows.speakers), -1, dtype=np.int64)
    owners[rows.rows] = np.repeat(assign_groups(rows.lengths, n_processes), rows.lengths)
    return owners
