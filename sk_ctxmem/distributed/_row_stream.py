"""Training rows that are read from files during training."""

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

SAMPLED_ROW_GROUPS = 10  # number of row groups in the sample


class RowStream(torch.utils.data.Dataset):
    """Dataset of rows in files, of which one buffer is in memory at a time.

    Row groups are read in random order into a buffer. The buffer is shuffled by group and split
    into batches while the next buffer is read in another thread.

    Parameters
    ----------
    rows : ParquetRows
        Rows of the files, after a pass of `frames_in_order`.
    n_rows : int
        Number of training rows in all processes.
    keep : callable
        Function that removes the held-out rows of a frame.
    read : callable
        Function that converts a frame to TrainingRows, given a RandomState.
    buffer_rows : int
        Approximate number of rows of a buffer.
    random : RandomState
        Random number generator of the order of row groups and batches.
    processes : OneProcess
        Process group. Each process reads its own files.

    Attributes
    ----------
    sample : TrainingRows
        Sample of rows from which the learning rate of the tables is computed.
    sorter : object
        Object that sorts the features of a batch by column, see `RowSet.batches`.
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
        self.random = random  # of batches; the reading order is seeded in each epoch
        self.processes = processes
        self.sorter: Any = None

    def __len__(self) -> int:
        return self.n_rows

    @property
    def n_samples(self) -> int:
        """Number of rows: labels belong to rows."""
        return self.n_rows

    def count_draws(self, batch_size: int) -> tuple[int, int]:
        """Return how many rows an epoch draws, estimated from the sample; the last has no more."""
        n_drawn = self.sample.count_draws(batch_size)[0]
        n_drawn = round(self.n_rows * n_drawn / len(self.sample))
        return n_drawn, n_drawn

    def release(self) -> None:
        """Do nothing: held-out rows are never added to the training rows."""

    def batches(self, batch_size: int) -> Batches:
        """Yield the batches of an epoch.

        All processes yield the same number of batches. A process with fewer rows than others
        repeats some, and a process with more rows skips some.
        """
        n_processes = self.processes.n_processes
        if n_processes == 1:
            yield from self._own_batches(batch_size)
            return
        passes = (self._own_batches(batch_size / n_processes) for _ in count())
        yield from islice(
            chain.from_iterable(passes), -(-self.count_draws(batch_size)[0] // batch_size)
        )

    def _own_batches(self, batch_size: float) -> Batches:
        """Yield batches of the rows of this process."""
        order = np.random.RandomState(self.random.randint(2**31 - 1))
        for buffer in _read_ahead(self._read_buffers(order)):
            buffer.sorter = self.sorter
            yield from buffer.batches(batch_size)

    def sample_frame(self, n_rows: int) -> pd.DataFrame:
        """Return about `n_rows` rows, from the beginnings of some row groups."""
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
    """Return the rows whose groups are not held out, given the sorted hashes of held-out groups."""
    if not len(held_out):
        return frame
    hashes = hash_groups(frame, group_column, seed)
    places = np.minimum(np.searchsorted(held_out, hashes), len(held_out) - 1)
    return frame[held_out[places] != hashes]


def _first_groups(frame: pd.DataFrame, n_rows: int, group_column: str | None) -> pd.DataFrame:
    """Return the first groups, with at least `n_rows` rows in total."""
    if group_column is None or len(frame) <= n_rows:
        return frame[: max(1, n_rows)]
    last = frame[group_column].iloc[max(0, n_rows - 1)]
    return frame[: int(np.flatnonzero((frame[group_column] == last).to_numpy())[-1]) + 1]


def _read_ahead(items: Iterator[TrainingRows]) -> Iterator[TrainingRows]:
    """Yield items, computing the next one in another thread."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(next, items, None)
        while (item := future.result()) is not None:
            future = pool.submit(next, items, None)
            yield item
