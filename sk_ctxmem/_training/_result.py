"""The result of training: final weights, temperature, history and stop reason."""

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
    """The result of training, except for the weights.

    Parameters
    ----------
    history : DataFrame of shape (n_epochs, 5)
        Columns epoch, train_loss, valid_loss, valid_score and seconds; a row for each whole epoch.
    temperature : float
        Softmax temperature; 1 if there were no rows to calibrate it on.
    stop_reason : str
        Why training ended.
    interrupted : bool
        Whether Ctrl-C ended training early.
    net : NeuralNet or None
        The trained net of skorch, without rows; None before the end of training.
    """

    history: pd.DataFrame
    temperature: float
    stop_reason: str
    interrupted: bool = False
    net: NeuralNet | None = None


@dataclass
class FitOutcome:
    """The parts of training that determine its result, in addition to the trained weights.

    Parameters
    ----------
    stop : Stop
        Has the reason why training ended.
    max_epochs : int
        Number of epochs.
    valid_rows : TrainingRows or None
        Held-out rows, on which the temperature is calibrated.
    stopping : NoBetterScore or None
        Early stopping.
    weights : KeptWeights or None
        Weights that replace the trained ones.
    late : CalibrationRows or None
        Calibrates the temperature if no rows are held out.
    """

    stop: Stop
    max_epochs: int
    valid_rows: TrainingRows | None
    stopping: NoBetterScore | None = None
    weights: KeptWeights | None = None
    late: CalibrationRows | None = None

    def result(self, trainer: NeuralNet) -> TrainingResult:
        """Return the result for the current weights of the network."""
        history = history_frame(trainer.history)
        reason = self.stop.explain(len(history), self.max_epochs)
        temperature = find_temperature(trainer, self.valid_rows, self.late)
        return TrainingResult(history, temperature, reason, len(self.stop.interrupts) > 0)

    def snapshot(self, trainer: NeuralNet) -> tuple[ContextMemoryNet, TrainingResult]:
        """Return the network and the result as if training ended now."""
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
    """Choose early stopping if rows are held out, else mean weights and calibration rows."""
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
    """Return the temperature from held-out rows or calibration rows; 1 without any."""
    if valid_rows is not None:
        return measure_temperature(trainer, valid_rows)
    if late is None:
        return 1.0
    if late.temperature_ is None:  # training ended before the last epoch
        return measure_temperature(trainer, late.rows)
    return late.temperature_


def history_frame(history: Any) -> pd.DataFrame:
    """Return the complete epochs as a DataFrame."""
    names = {"epoch": "epoch", "train_loss": "train_loss", "valid_loss": "valid_loss"}
    names |= {"valid_score": "valid_score", "dur": "seconds"}
    whole = [[row.get(name, np.nan) for name in names] for row in history if "train_loss" in row]
    types = {name: "int64" if name == "epoch" else "float64" for name in names.values()}
    return pd.DataFrame(whole, columns=list(names.values())).astype(types)


def extend_history(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Append the epochs of a fit that continued another."""
    after = after.assign(epoch=after["epoch"] + len(before))
    return pd.concat([before, after], ignore_index=True)
