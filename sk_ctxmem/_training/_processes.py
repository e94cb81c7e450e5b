"""The processes that take part in a fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor

from .._network._random import cpu_generator
from .._runtime import seed_gpu
from ._dataset import EpochRows, TrainingRows

Kept = TypeVar("Kept")


class OneProcess:
    """The only process of a fit, with the interface of several processes.

    Attributes
    ----------
    rank : int
        Number of this process, from 0. The first one writes files.
    n_processes : int
        Number of processes.
    """

    rank = 0
    n_processes = 1

    def choose_device(self, device: Any) -> Any:
        """Return the device that this process computes on."""
        return device

    def check_settings(self, settings: dict[str, Any]) -> None:
        """Raise in all processes if their settings differ."""

    def same_random(self, random: np.random.RandomState) -> np.random.RandomState:
        """Return a random state that is the same in all processes."""
        return random

    def shard(
        self,
        train_rows: TrainingRows,
        valid_rows: TrainingRows | None,
        calibration_rows: TrainingRows | None,
    ) -> tuple[EpochRows, TrainingRows | None, TrainingRows | None]:
        """Return the share of this process of the rows to train on and of the others."""
        return train_rows, valid_rows, calibration_rows

    def broadcast_weights(self, network: Any) -> None:
        """Copy the weights of a network from the first process to all others."""

    def sum_gradients(self, optimizer: Any, loss: Tensor) -> Tensor:
        """Sum gradients and loss over all processes, and return the loss."""
        return loss

    def all_reduce(self, numbers: np.ndarray) -> np.ndarray:
        """Return the sums over the processes."""
        return numbers

    def gather(self, arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """Return the rows of the arrays of all processes, one process after another."""
        return arrays

    def gather_objects(self, value: Kept) -> list[Kept]:
        """Return the values of all processes."""
        return [value]

    def shard_files(self, files: Any) -> None:
        """Keep only the files that this process reads."""

    def make_sorter(self, n_columns: int) -> Any:
        """Return a sorter of the features of a batch by column; None for the default."""
        return None

    def broadcast(self, value: Kept) -> Kept:
        """Return the value of the first process."""
        return value


class EpochSeeds(Callback):
    """Set a seed for each epoch and process.

    Thus shuffling and dropout differ between processes, and a fit that continues from the
    checkpoint of the first process continues as all of them would have.

    Parameters
    ----------
    processes : OneProcess
        The processes.
    """

    def __init__(self, processes: OneProcess) -> None:
        self.processes = processes
        self.entropy = cpu_generator().initial_seed()  # the same in all processes

    def on_epoch_begin(self, net: NeuralNet, dataset_train: Any = None, **kwargs: Any) -> None:
        """Seed dropout and shuffling."""
        place = [self.entropy, len(net.history), self.processes.rank]
        dropout, shuffling = np.random.SeedSequence(place).generate_state(2)
        cpu_generator().manual_seed(int(dropout))
        seed_gpu(int(dropout), net.device)
        dataset_train.random.seed(int(shuffling))
