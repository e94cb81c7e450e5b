"""What a fit ends with: weights, a temperature, a history and a reason."""

from __future__ import annotations

import copy
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from skorch import NeuralNet

from .._network._net import ContextMemoryNet
from ._callbacks import (
    AverageWeights,
    BestWeights,
    CalibrationRows,
    KeptWeights,
    measure_temperature,
)
from ._dataset import TrainingRows
from ._early_stopping import NoBetterScore, Stop


@dataclass
class TrainingResult:
    """What training tells, beside the weights.

    Parameters
    ----------
    history : DataFrame of shape (n_epochs, 5)
        Columns epoch, train_loss, valid_loss, valid_score and seconds of each whole epoch.
    temperature : float
        What to divide logits by; 1 where nothing tells it.
    stop_reason : str
        Why training ended.
    interrupted : bool
        Whether Ctrl-C ended training before its time.
    net : NeuralNet or None
        The trained net of skorch.
    """

    history: pd.DataFrame
    temperature: float
    stop_reason: str
    interrupted: bool = False
    net: NeuralNet | None = None


@dataclass
class FitOutcome:
    """What a fit ends with, beside the weights that are trained.

    Parameters
    ----------
    stop : Stop
        What knows why training ended.
    max_epochs : int
        Number of epochs.
    valid_rows : TrainingRows or None
        Rows held out, which tell the temperature.
    stopping : NoBetterScore or None
        What stops early.
    weights : KeptWeights or None
        What holds the weights that take the place of those that are trained.
    late : CalibrationRows or None
        What tells the temperature where no rows are held out.
    """

    stop: Stop
    max_epochs: int
    valid_rows: TrainingRows | None
    stopping: NoBetterScore | None = None
    weights: KeptWeights | None = None
    late: CalibrationRows | None = None

    def result(self, trainer: NeuralNet) -> TrainingResult:
        """Return what is known of the weights that the network has now."""
        history = history_frame(trainer.history)
        reason = self.stop.explain(len(history), self.max_epochs)
        temperature = find_temperature(trainer, self.valid_rows, self.late)
        return TrainingResult(history, temperature, reason, len(self.stop.interrupts) > 0)

    def snapshot(self, trainer: NeuralNet) -> tuple[ContextMemoryNet, TrainingResult]:
        """Return what training would end with if it ended now."""
        with self.weights.so_far(trainer) if self.weights else nullcontext():
            return copy.deepcopy(trainer.module_), self.result(trainer)


def choose_outcome(
    network: ContextMemoryNet,
    valid_rows: TrainingRows | None,
    calibration_rows: TrainingRows | None,
    n_iter_no_change: int | None,
    max_epochs: int,
    stop: Stop,
) -> FitOutcome:
    """Return early stopping where rows are held out, else the mean of weights and late rows."""
    if valid_rows is not None:
        stopping = NoBetterScore(n_iter_no_change or max_epochs, stop)
        return FitOutcome(stop, max_epochs, valid_rows, stopping, BestWeights(stopping))
    averaging = None if network.memory is None else AverageWeights()
    late = (
        None
        if calibration_rows is None
        else CalibrationRows(calibration_rows, max_epochs, averaging)
    )
    return FitOutcome(stop, max_epochs, None, None, averaging, late)


def find_temperature(
    trainer: NeuralNet, valid_rows: TrainingRows | None, late: CalibrationRows | None
) -> float:
    """Return what the rows held out tell, or the late rows, or 1 if there are none."""
    if valid_rows is not None:
        return measure_temperature(trainer, valid_rows)
    if late is None:
        return 1.0
    if late.temperature_ is None:  # training ended before the last epoch
        return measure_temperature(trainer, late.rows)
    return late.temperature_


def history_frame(history: Any) -> pd.DataFrame:
    """Return the epochs that came to their end as a frame."""
    names = {"epoch": "epoch", "train_loss": "train_loss", "valid_loss": "valid_loss"}
    names |= {"valid_score": "valid_score", "dur": "seconds"}
    whole = [[row.get(name, np.nan) for name in names] for row in history if "train_loss" in row]
    types = {name: "int64" if name == "epoch" else "float64" for name in names.values()}
    return pd.DataFrame(whole, columns=list(names.values())).astype(types)


def extend_history(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Append the epochs of a fit that went on from another."""
    after = after.assign(epoch=after["epoch"] + len(before))
    return pd.concat([before, after], ignore_index=True)
