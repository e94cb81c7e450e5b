"""Fits in stages: candidates of a search, which share their rows and pause between epochs."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from .._input._rows import InputRows
from .._model._fitted_model import FitResult, FittedModel
from .._rows._row_set import RowSet
from .._runtime import choose_device
from ._checkpoints import PausedFile
from ._data import ReadData, check_data, read_data
from ._fit import ONE_PROCESS, Fit
from ._user_callbacks import FitSetting, check_callbacks


@dataclass(frozen=True)
class Fold:
    """Training and held-out rows of a split, read once for all fits with the same reader.

    Parameters
    ----------
    train : ReadData
        The training rows.
    inputs : InputRows
        The held-out rows.
    values : TextSequences, csr_array or ndarray of n_rows
        Their features before scaling.
    rows : RowSet
        The same as the network reads them.
    """

    train: ReadData
    inputs: InputRows
    values: Any
    rows: RowSet

    def held_out_logits(self, model: FittedModel) -> np.ndarray:
        """Return the logits of the held-out rows, (n_samples, n_classes).

        A fit may weigh the dense features, and has another reader then.
        """
        if model.reader is self.train.reader:
            return model.logits_of(self.rows)
        return model.logits_of(model.reader.build_rows(self.inputs, self.values))


def read_fold(train: dict[str, Any], held_out: dict[str, Any], params: SimpleNamespace) -> Fold:
    """Read the rows of a split.

    Parameters
    ----------
    train : dict
        X, y, sample_weight and groups of the training rows.
    held_out : dict
        X and groups of the held-out rows.
    params : SimpleNamespace
        Validated parameters of the classifier.

    Returns
    -------
    fold : Fold
        The rows.
    """
    read = read_data(check_data(**train, params=params), params)
    inputs = read.reader.read_inputs(**held_out)
    values = read.reader.vectorize(inputs)
    return Fold(read, inputs, values, read.reader.build_rows(inputs, values))


def fit_until(
    read: ReadData,
    params: SimpleNamespace,
    epoch: int,
    folder: str | os.PathLike | None,
    name: str,
) -> FitResult:
    """Fit until an epoch, with the learning rates of all epochs.

    If a fit of this name has paused earlier, it goes on, and ends with the same weights as a fit
    that never paused.

    Parameters
    ----------
    read : ReadData
        The training rows, which are not changed.
    params : SimpleNamespace
        Validated parameters of the classifier, with an integer as `random_state`.
    epoch : int
        Number of the epoch after which the fit pauses, from 1. At the last one, it is complete.
    folder : str, path-like or None
        Folder for the state of paused fits. If None, a fit cannot go on.
    name : str
        Name of the fit.

    Returns
    -------
    result : FitResult
        Model and history after that epoch.
    """
    data, rows = read.data, read.rows
    setting = FitSetting(
        holds_out=params.n_iter_no_change is not None, has_checkpoint=folder is not None
    )
    fit = Fit(params, data.classes, choose_device(params.device), ONE_PROCESS)
    fit.expect_labels(data.targets, as_sparse=data.sparse_labels)
    fit.use(read)
    watchers = {
        "bar": None,
        "tasks": None,
        "callbacks": check_callbacks(params.callbacks, setting),
        "until": epoch,
    }
    if rows.dense is not None:  # which a fit weighs in place
        rows = replace(rows, dense=rows.dense.copy())
    file = None if folder is None else PausedFile(folder, name, ONE_PROCESS, epoch)
    return fit.run(rows, read.group_codes, data.targets, data.weights, watchers, file)
