"""Collective operations of the processes of a fit, with torch.distributed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Real
from typing import Any, TypeVar
from zlib import crc32

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from .._training._dataset import EpochRows, TrainingRows, list_arrays
from .._training._processes import OneProcess
from ..exceptions import ProcessLostError
from ._shared_features import SharedSorter
from ._shares import SharedRows, find_owners, take_share

Kept = TypeVar("Kept")


class ManyProcesses(OneProcess):
    """Processes of a torch.distributed group that train one network.

    The loss of a batch is a sum over its rows divided by a constant. Therefore the gradient of a
    distributed batch is the sum of the gradients of all processes, for any number of rows in
    each. The gradient of the feature table is not sent, see `SharedSorter`.

    Parameters
    ----------
    group : ProcessGroup
        Process group. All processes call the same methods in the same order.
    """

    def __init__(self, group: Any) -> None:
        self.group = group
        self.rank = dist.get_rank(group)
        self.n_processes = dist.get_world_size(group)
        self.device = torch.device("cpu")
        self.complete: list[Any] = []  # tables whose gradients are already those of all rows
        self.with_dense: list[Any] = []  # tables with dense gradients, those of embeddings

    def choose_device(self, device: Any) -> Any:
        """Return the device; on GPUs, "auto" is the GPU of the LOCAL_RANK of this process."""
        if device == "auto" and torch.cuda.is_available():
            device = f"cuda:{os.environ.get('LOCAL_RANK', self.rank)}"
        if device != "auto":
            self.device = torch.device(device)
        return device

    def check_settings(self, settings: dict[str, Any]) -> None:
        """Raise in all processes if their settings differ.

        Only plain values are compared. The effect of other parameters is compared in the rows.
        """
        plain = {
            name: value
            for name, value in settings.items()
            if value is None or isinstance(value, (str, Real))
        }
        first, *others = self.gather_objects(plain)
        for rank, other in enumerate(others, start=1):
            for name in sorted(first.keys() | other.keys()):
                if first.get(name, "?") != other.get(name, "?"):
                    raise ValueError(
                        f"{name} is {first.get(name, 'another object')!r} in process 0, but "
                        f"{other.get(name, 'another object')!r} in process {rank}; pass the same "
                        "value in all processes."
                    )

    def same_random(self, random: np.random.RandomState) -> np.random.RandomState:
        """Return a copy of the random number generator of the first process."""
        same = np.random.RandomState()
        same.set_state(self.broadcast(random.get_state()))
        return same

    def shard(
        self,
        train_rows: TrainingRows,
        valid_rows: TrainingRows | None,
        calibration_rows: TrainingRows | None,
    ) -> tuple[EpochRows, TrainingRows | None, TrainingRows | None]:
        """Return the rows of this process: whole groups, about as many rows as in the others."""
        self._check_same(train_rows)
        owners = find_owners(train_rows.rows, self.n_processes)
        sorter = self.make_sorter(train_rows.rows.features.shape[1])
        shared = SharedRows(train_rows, owners, self.rank, self.n_processes, sorter)
        predicted = (self._share_out(rows) for rows in (valid_rows, calibration_rows))
        return shared, *predicted  # type: ignore[return-value]

    def _check_same(self, rows: TrainingRows) -> None:
        """Raise in all processes if their rows differ."""
        mark = 0
        for part in list_arrays(rows.rows, rows.targets.numpy(), rows.weights.numpy()):
            mark = mark if part is None else crc32(np.ascontiguousarray(part).data, mark)
        marks = self.gather_fixed(np.array([mark]))
        unlike = np.flatnonzero((marks != marks[0]).any(axis=1)).tolist()
        if unlike:
            raise ValueError(
                f"The rows, classes, groups or weights of process {unlike[0]} differ from those of "
                "process 0; pass the same rows in the same order in all processes."
            )

    def _share_out(self, rows: TrainingRows | None) -> TrainingRows | None:
        if rows is None:
            return None
        return take_share(rows, find_owners(rows.rows, self.n_processes), self.rank)

    def broadcast_weights(self, network: Any) -> None:
        """Set the weights of a network to those of the first process."""
        self.complete = [network.table.weight] if network.sparse else []
        self.with_dense = [] if network.embedded is None else [network.embedded.weight]
        for weight in network.state_dict().values():
            with self._watched():
                dist.broadcast(weight, group_src=0, group=self.group)

    def sum_gradients(self, optimizer: Any, loss: Tensor) -> Tensor:
        """Sum the gradients of the weights of an optimizer over all processes; return the loss."""
        complete, with_dense = set(map(id, self.complete)), set(map(id, self.with_dense))
        others = [table for table in optimizer.tables if id(table) not in complete]
        self._sum_tables([table for table in others if id(table) not in with_dense])
        return self._sum_dense(optimizer.dense + self.with_dense, loss.detach())

    def _sum_dense(self, weights: list[Any], loss: Tensor) -> Tensor:
        """Sum dense gradients and the loss in one message; some processes may lack gradients."""
        is_there = torch.tensor([float(weight.grad is not None) for weight in weights])
        parts = [
            torch.zeros(weight.numel(), device=weight.device)
            if weight.grad is None
            else weight.grad.flatten()
            for weight in weights
        ]
        whole = torch.cat([*parts, is_there.to(loss.device), loss.view(1)])
        with self._watched():
            dist.all_reduce(whole, group=self.group)
        sizes = [part.numel() for part in parts]
        *sums, is_there, loss = whole.split([*sizes, len(weights), 1])
        for weight, total, anywhere in zip(weights, sums, is_there.tolist(), strict=True):
            weight.grad = total.view_as(weight) if anywhere else None
        return loss[0]

    def _sum_tables(self, tables: list[Any]) -> None:
        """Sum sparse gradients; each process sends the rows that it has."""
        if not tables:
            return
        own = [None if table.grad is None else table.grad.coalesce() for table in tables]
        counts = torch.tensor([0 if part is None else part._nnz() for part in own])
        counts = self._all_rows(counts.to(self.device)).cpu()  # (n_processes, n_tables)
        for table, part, lengths in zip(tables, own, counts.T.tolist(), strict=True):
            table.grad = self._join(table, part, lengths) if any(lengths) else None

    def _join(self, table: Tensor, part: Tensor | None, lengths: list[int]) -> Tensor:
        """Concatenate the sparse gradients of all processes.

        Gradients are padded to the longest of all processes, gathered, and trimmed.
        """
        ids = torch.zeros(max(lengths), dtype=torch.int64, device=self.device)
        values = torch.zeros(max(lengths), table.shape[1], device=self.device)
        if part is not None:
            ids[: part._nnz()] = part._indices()[0]
            values[: part._nnz()] = part._values()
        all_ids, all_values = self._all_rows(ids), self._all_rows(values)
        ends = list(enumerate(lengths))
        return torch.sparse_coo_tensor(
            torch.cat([all_ids[rank, :end] for rank, end in ends]).unsqueeze(0),
            torch.cat([all_values[rank, :end] for rank, end in ends]),
            table.shape,
            check_invariants=False,
        )

    def _all_rows(self, own: Tensor) -> Tensor:
        """Gather tensors of equal shape: (n_processes, ...)."""
        every = own.new_empty(self.n_processes, *own.shape)
        with self._watched():
            dist.all_gather(list(every.unbind()), own, group=self.group)
        return every

    def gather_fixed(self, array: np.ndarray) -> np.ndarray:
        """Gather arrays of equal shape: (n_processes, ...)."""
        return self._all_rows(torch.from_numpy(array).to(self.device)).cpu().numpy()

    def all_reduce(self, numbers: np.ndarray) -> np.ndarray:
        """Sum arrays over all processes."""
        return self.gather_fixed(numbers).sum(axis=0)

    def gather(self, arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """Gather and concatenate arrays of different lengths."""
        lengths = self.gather_fixed(np.array([len(arrays[0])]))[:, 0].tolist()
        return self.gather_trimmed(arrays, lengths)

    def gather_trimmed(
        self, arrays: Sequence[np.ndarray], lengths: list[int]
    ) -> Sequence[np.ndarray]:
        """Gather and concatenate arrays of known lengths.

        Arrays are padded to the longest of all processes, gathered, and trimmed.
        """
        joined = []
        for array in arrays:
            padded = np.zeros((max(lengths), *array.shape[1:]), dtype=array.dtype)
            padded[: len(array)] = array
            every = self.gather_fixed(padded)
            trimmed = [every[rank, :length] for rank, length in enumerate(lengths)]
            joined.append(np.concatenate(trimmed))
        return joined

    def gather_objects(self, value: Kept) -> list[Kept]:
        """Gather an object from each process."""
        every: list[Any] = [None] * self.n_processes
        with self._watched():
            dist.all_gather_object(every, value, group=self.group)
        return every

    def shard_files(self, files: Any) -> None:
        """Keep the files of this process."""
        files.shard(self.rank, self.n_processes)

    def make_sorter(self, n_columns: int) -> Any:
        """Return a sorter that gathers the features of all processes."""
        return SharedSorter(self, n_columns)

    def broadcast(self, value: Kept) -> Kept:
        """Return the object of the first process."""
        held = [value]
        with self._watched():
            dist.broadcast_object_list(held, group_src=0, group=self.group, device=self.device)
        return held[0]

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Convert errors of torch.distributed to ProcessLostError."""
        try:
            yield
        except RuntimeError as error:
            raise ProcessLostError(
                f"Process {self.rank} of {self.n_processes} lost another process: it ended, or did "
                "not answer in time; see its output for the reason. Start the fit again in all "
                "processes; fit_distributed with checkpoint= resumes after the last complete "
                f"epoch. ({error})"
            ) from error
