"""Early stopping, and the reasons for which training ends."""

from __future__ import annotations

from signal import SIGINT
from typing import Any

import numpy as np
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping

from ._processes import OneProcess


class StopTraining(KeyboardInterrupt):
    """Ends training early; skorch stops at any KeyboardInterrupt."""


class Stop:
    """Whether training is to stop, and why.

    Parameters
    ----------
    interrupts : list
        Signals received so far; not empty after Ctrl-C.
    """

    def __init__(self, interrupts: list[int]) -> None:
        self.interrupts = interrupts
        self.reason: str | None = None

    def ask(self, reason: str) -> None:
        """Request a stop; the first reason counts."""
        self.reason = self.reason or reason

    def agree(self, processes: OneProcess) -> None:
        """Stop if another process has a request or has received Ctrl-C."""
        if processes.n_processes == 1:
            return
        if (
            processes.all_reduce(np.array([float(len(self.interrupts) > 0)]))
            and not self.interrupts
        ):
            self.interrupts.append(SIGINT)
        self.reason = processes.broadcast(self.reason)

    def explain(self, n_done: int, max_epochs: int) -> str:
        """Return why training ended after this number of whole epochs."""
        if n_done == max_epochs:
            return f"all {n_done} epochs done" if n_done > 1 else "the only epoch done"
        if self.interrupts:
            return f"interrupted by Ctrl-C after epoch {n_done}"
        return self.reason or f"stopped after epoch {n_done}"


class NoBetterScore(EarlyStopping):
    """Request a stop after some epochs without a better validation score.

    EarlyStopping of skorch ends training at once, so that later callbacks would miss the last
    epoch.

    Parameters
    ----------
    patience : int
        Number of epochs.
    stop : Stop
        Receives the request.
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
        """Compare the score with the best one so far."""
        try:
            super().on_epoch_end(net, **kwargs)
        except KeyboardInterrupt:
            epochs = "1 epoch" if self.patience == 1 else f"{self.patience} epochs"
            self.stop.ask(
                f"no better valid_score than {self.dynamic_threshold_:.3f} "
                f"(epoch {self.best_epoch_}) for {epochs}"
            )


class Pause(Callback):
    """Request a stop after an epoch.

    Parameters
    ----------
    epoch : int
        Number of the epoch, from 1.
    stop : Stop
        Receives the request.
    """

    def __init__(self, epoch: int, stop: Stop) -> None:
        self.epoch = epoch
        self.stop = stop

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Request the stop."""
        if len(net.history) == self.epoch:
            self.stop.ask(f"paused after epoch {self.epoch}")


class StopWhenAsked(Callback):
    """End training after a batch with Ctrl-C, or after a request to stop.

    It is the last callback, so that all others are called at the end of the epoch. A request of a
    callback waits for the end of the first epoch, as there is nothing to keep before. Several
    processes stop only at the end of an epoch, where they all know of the request.

    Parameters
    ----------
    stop : Stop
        Has the request.
    n_before : int, default=0
        Number of epochs in the history that were trained in earlier calls.
    """

    def __init__(self, stop: Stop, n_before: int = 0) -> None:
        self.stop = stop
        self.n_before = n_before

    def on_batch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Raise the exception that ends training."""
        if net.processes.n_processes > 1:  # the others would wait for it in their next batch
            return
        is_first = len(net.history) == self.n_before + 1
        if self.stop.interrupts or (self.stop.reason is not None and not is_first):
            raise StopTraining

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Raise it after all other callbacks were called."""
        self.stop.agree(net.processes)
        if self.stop.reason is not None or (self.stop.interrupts and net.processes.n_processes > 1):
            raise StopTraining
