"""Rows that are read from files while they are trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, count, islice
from typing import Any

import numpy as np
import pandas as pd
import torch

from .._training._dataset import Batches, TrainingRows
from .._training._processes import OneProcess
from ._held_out import hash_groups
from ._parquet_rows import ParquetRows

SAMPLED_ROW_GROUPS = 10  # that the sample is taken from, as evenly as whole groups allow


class RowStream(torch.utils.data.Dataset):
    """Rows in files as a data set for training: of each epoch, a buffer is in memory at a time.

    Row groups come in random order. They fill a buffer, which is shuffled by group and cut into
    batches, while the next one is read in another thread.

    Parameters
    ----------
    rows : ParquetRows
        The rows, whose beginnings of groups are known.
    n_rows : int
        Number of those that are not held out, in all processes.
    keep : callable
        Gets a frame, and returns it without the rows that are held out.
    read : callable
        Gets a frame and a RandomState, and returns TrainingRows.
    buffer_rows : int
        Number of rows in a buffer, about.
    random : RandomState
        Decides the order of everything.
    processes : OneProcess
        Those that read rows of their own, and train together.

    Attributes
    ----------
    sample : TrainingRows
        Some rows in memory, which the rate of the tables is found from.
    sorter : object
        What sorts the features of a batch by column, see `RowSet.batches`.
    """

    sample: TrainingRows

    def __init__(
        self,
        rows: ParquetRows,
        n_rows: int,
        keep: Callable[[pd.DataFrame], pd.DataFrame],
        read: Callable[[pd.DataFrame, Any], TrainingRows],
        buffer_rows: int,
        random: np.random.RandomState,
        processes: OneProcess,
    ) -> None:
        self.rows = rows
        self.n_rows = n_rows
        self.keep = keep
        self.read = read
        self.buffer_rows = buffer_rows
        self.random = random  # of batches; the order of reading has a seed of each epoch
        self.processes = processes
        self.sorter: Any = None

    def __len__(self) -> int:
        return self.n_rows

    @property
    def n_early(self) -> int:
        """Number of rows of each epoch before the last: none join late."""
        return self.n_rows

    def release(self) -> None:
        """Do nothing: rows that are held out are so for good."""

    def batches(self, batch_size: int) -> Batches:
        """Yield the batches of an epoch.

        Of several processes, each yields its part of as many batches as all rows make. One that
        has a few rows less than others begins anew, and one that has more leaves some out.
        """
        n_processes = self.processes.n_processes
        if n_processes == 1:
            yield from self._own_batches(batch_size)
            return
        once_more = (self._own_batches(batch_size / n_processes) for _ in count())
        yield from islice(chain.from_iterable(once_more), -(-self.n_rows // batch_size))

    def _own_batches(self, batch_size: float) -> Batches:
        """Yield batches of the rows of this process."""
        order = np.random.RandomState(self.random.randint(2**31 - 1))
        for buffer in _read_ahead(self._read_buffers(order)):
            buffer.sorter = self.sorter
            yield from buffer.batches(batch_size)

    def sample_frame(self, n_rows: int) -> pd.DataFrame:
        """Return about so many rows, from the beginnings of some row groups."""
        row_groups = self.rows.row_groups
        n_parts = min(SAMPLED_ROW_GROUPS, len(row_groups))
        frames: list[pd.DataFrame] = []
        for place in self.random.permutation(len(row_groups)):
            n_wanted = n_rows // n_parts
            for frame in self.rows.frames_of(row_groups[place]):
                frames.append(self.keep(_first_groups(frame, n_wanted, self.rows.group_column)))
                n_wanted -= len(frames[-1])
                if n_wanted <= 0:
                    break
            if sum(map(len, frames)) >= n_rows:
                break
        return pd.concat(frames)

    def _read_buffers(self, order: np.random.RandomState) -> Iterator[TrainingRows]:
        waiting: list[pd.DataFrame] = []
        for place in order.permutation(len(self.rows.row_groups)):
            for frame in self.rows.frames_of(self.rows.row_groups[place]):
                waiting.append(self.keep(frame))
                if sum(map(len, waiting)) >= self.buffer_rows:
                    yield self.read(pd.concat(waiting), self.random)
                    waiting = []
        if sum(map(len, waiting)):
            yield self.read(pd.concat(waiting), self.random)


def without_groups(
    frame: pd.DataFrame, group_column: str | None, seed: int, held_out: np.ndarray
) -> pd.DataFrame:
    """Return the rows whose groups are not held out, by the sorted hashes of those that are."""
    if not len(held_out):
        return frame
    hashes = hash_groups(frame, group_column, seed)
    places = np.minimum(np.searchsorted(held_out, hashes), len(held_out) - 1)
    return frame[held_out[places] != hashes]


def _first_groups(frame: pd.DataFrame, n_rows: int, group_column: str | None) -> pd.DataFrame:
    """Return the first groups that have so many rows together."""
    if group_column is None or len(frame) <= n_rows:
        return frame[: max(1, n_rows)]
    last = frame[group_column].iloc[max(0, n_rows - 1)]
    return frame[: int(np.flatnonzero((frame[group_column] == last).to_numpy())[-1]) + 1]


def _read_ahead(items: Iterator[TrainingRows]) -> Iterator[TrainingRows]:
    """Yield items, of which the next one is made in another thread in the meantime."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(next, items, None)
        while (item := future.result()) is not None:
            future = pool.submit(next, items, None)
            yield item
