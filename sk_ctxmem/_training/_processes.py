"""The processes that take part in a fit, as training sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor

from .._runtime import seed_torch
from ._dataset import EpochRows, TrainingRows

Kept = TypeVar("Kept")


class OneProcess:
    """The processes of a fit where there is one: what the others would add is nothing.

    Attributes
    ----------
    rank : int
        Number of this process, from 0. The first one writes.
    n_processes : int
        How many there are.
    """

    rank = 0
    n_processes = 1

    def choose_device(self, device: Any) -> Any:
        """Return the device that this process computes on, of those the user allows."""
        return device

    def check_settings(self, settings: dict[str, Any]) -> None:
        """Raise in all processes if they are not set alike."""

    def same_random(self, random: np.random.RandomState) -> np.random.RandomState:
        """Return a random state that is the same in all processes."""
        return random

    def shard(
        self,
        train_rows: TrainingRows,
        valid_rows: TrainingRows | None,
        calibration_rows: TrainingRows | None,
    ) -> tuple[EpochRows, TrainingRows | None, TrainingRows | None]:
        """Return the rows that this process trains on, and those that it predicts, of all."""
        return train_rows, valid_rows, calibration_rows

    def broadcast_weights(self, network: Any) -> None:
        """Give a network the weights that it has in the first process."""

    def sum_gradients(self, optimizer: Any, loss: Tensor) -> Tensor:
        """Give the weights of an optimiser the gradients of all processes, and return the loss."""
        return loss

    def all_reduce(self, numbers: np.ndarray) -> np.ndarray:
        """Return the sums over the processes."""
        return numbers

    def gather(self, arrays: Sequence[np.ndarray]) -> Sequence[np.ndarray]:
        """Return the rows of the arrays of all processes, one process after another."""
        return arrays

    def gather_objects(self, value: Kept) -> list[Kept]:
        """Return what each process has."""
        return [value]

    def shard_files(self, files: Any) -> None:
        """Keep the files that this process reads."""

    def make_sorter(self, n_columns: int) -> Any:
        """Return what sorts the features of a batch by column, None for the usual."""
        return None

    def broadcast(self, value: Kept) -> Kept:
        """Return what the first process has."""
        return value


class EpochSeeds(Callback):
    """Begin each epoch with a seed of its own for each process.

    So rows are shuffled and hidden in other ways in each, and a fit that goes on from a
    checkpoint of the first process goes on as all of them would have.

    Parameters
    ----------
    processes : OneProcess
        The processes.
    """

    def __init__(self, processes: OneProcess) -> None:
        self.processes = processes
        self.entropy = torch.initial_seed()  # the same in all of them

    def on_epoch_begin(self, net: NeuralNet, dataset_train: Any = None, **kwargs: Any) -> None:
        """Seed torch and the shuffling."""
        place = [self.entropy, len(net.history), self.processes.rank]
        dropout, shuffling = np.random.SeedSequence(place).generate_state(2)
        seed_torch(int(dropout), net.device)
        dataset_train.random.seed(int(shuffling))
