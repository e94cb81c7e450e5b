"""What ends training before its time, and how it is told why."""

from __future__ import annotations

from signal import SIGINT
from typing import Any

import numpy as np
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping

from ._processes import OneProcess


class StopTraining(KeyboardInterrupt):
    """Ends training as early stopping does: skorch takes a KeyboardInterrupt for that."""


class Stop:
    """Whether training is to end, and why.

    Parameters
    ----------
    interrupts : list
        Holds something as soon as Ctrl-C came.
    """

    def __init__(self, interrupts: list[int]) -> None:
        self.interrupts = interrupts
        self.reason: str | None = None

    def ask(self, reason: str) -> None:
        """Have training end; the first reason counts."""
        self.reason = self.reason or reason

    def agree(self, processes: OneProcess) -> None:
        """Stop where another process wants to, or has got a Ctrl-C."""
        if processes.n_processes == 1:
            return
        if (
            processes.all_reduce(np.array([float(len(self.interrupts) > 0)]))
            and not self.interrupts
        ):
            self.interrupts.append(SIGINT)
        self.reason = processes.broadcast(self.reason)

    def explain(self, n_done: int, max_epochs: int) -> str:
        """Return why training ended after so many whole epochs."""
        if n_done == max_epochs:
            return f"all {n_done} epochs done" if n_done > 1 else "the only epoch done"
        if self.interrupts:
            return f"interrupted by Ctrl-C after epoch {n_done}"
        return self.reason or f"stopped after epoch {n_done}"


class NoBetterScore(EarlyStopping):
    """Ask for a stop after epochs without a better validation score.

    skorch's own ends training at once, and callbacks after it would miss the last epoch.

    Parameters
    ----------
    patience : int
        Number of the epochs.
    stop : Stop
        What is asked.
    """

    kept = ("misses_", "dynamic_threshold_", "best_epoch_")

    def __init__(self, patience: int, stop: Stop) -> None:
        super().__init__(
            monitor="valid_score",
            lower_is_better=False,
            patience=patience,
            threshold=0.0,
            threshold_mode="abs",
            sink=lambda message: None,
        )
        self.stop = stop

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Compare the score with the best one."""
        try:
            super().on_epoch_end(net, **kwargs)
        except KeyboardInterrupt:
            epochs = "1 epoch" if self.patience == 1 else f"{self.patience} epochs"
            self.stop.ask(
                f"no better valid_score than {self.dynamic_threshold_:.3f} "
                f"(epoch {self.best_epoch_}) for {epochs}"
            )


class StopWhenAsked(Callback):
    """End training with the batch in which Ctrl-C came, or where a stop was asked for.

    It is the last of all callbacks, so that the others see the end of the epoch. A stop that a
    callback asks for waits for the end of the first epoch, as there is nothing to keep before.
    Several processes stop at the end of an epoch alone, where they agree on it.

    Parameters
    ----------
    stop : Stop
        What is asked.
    n_before : int, default=0
        Number of epochs in the history of which this training is not.
    """

    def __init__(self, stop: Stop, n_before: int = 0) -> None:
        self.stop = stop
        self.n_before = n_before

    def on_batch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Raise what skorch stops at."""
        if net.processes.n_processes > 1:  # the others would wait for it in their next batch
            return
        is_first = len(net.history) == self.n_before + 1
        if self.stop.interrupts or (self.stop.reason is not None and not is_first):
            raise StopTraining

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Raise it after the other callbacks have seen the epoch."""
        self.stop.agree(net.processes)
        if self.stop.reason is not None or (self.stop.interrupts and net.processes.n_processes > 1):
            raise StopTraining
