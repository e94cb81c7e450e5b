"""The file, written after each epoch, from which a fit that was killed continues."""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor

from .._files._archive import read_archive, versions, write_archive
from .._files._codec import PlainReader, PlainWriter
from .._messages import warn_caller
from .._network._random import cpu_generator
from .._rows._row_set import RowSet
from ..exceptions import ModelFileError
from ._dataset import TrainingRows, list_arrays
from ._processes import OneProcess

PARSING_ERRORS = (AttributeError, LookupError, TypeError, ValueError, RuntimeError)


class CheckpointFile:
    """The checkpoint file of one fit.

    Parameters
    ----------
    folder : str or path-like
        The folder, which is created if it does not exist.
    name : str
        Name of the fit, from `name_fit`.
    processes : OneProcess
        Processes of the fit. The first one reads and writes the file.

    Attributes
    ----------
    state : dict or None
        State of a fit of this name that was killed, if there is one.
    """

    def __init__(self, folder: str | os.PathLike, name: str, processes: OneProcess) -> None:
        self.path = Path(folder) / f"{name}.checkpoint"
        self.is_ours = processes.rank == 0
        if self.is_ours:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self.state = processes.broadcast(self._read() if self.is_ours else None)

    def _read(self) -> dict[str, Any] | None:
        try:
            documents, arrays = read_archive(self.path, "checkpoint", ("state", "vocabulary"))
            return PlainReader({}, arrays, documents["vocabulary"]).read(documents["state"])
        except FileNotFoundError:
            return None
        except PARSING_ERRORS as error:
            raise ModelFileError(
                f"{str(self.path)!r} cannot be read as a checkpoint ({error}); delete it to "
                "start this fit from the beginning."
            ) from error

    def write(self, state: dict[str, Any]) -> None:
        """Replace the state of the epoch before."""
        if not self.is_ours:
            return
        writer = PlainWriter({})
        plain = writer.write(state, "fit")
        documents = {"state": plain, "vocabulary": writer.vocabularies}
        write_archive(self.path, "checkpoint", documents, writer.arrays)

    def remove(self) -> None:
        """Remove the file, as the fit is complete; warn if that is refused."""
        if not self.is_ours:
            return
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            warn_caller(
                f"The fit is complete, but its checkpoint {str(self.path)!r} cannot be deleted "
                f"({error}); delete it.",
                UserWarning,
            )


class PausedFile(CheckpointFile):
    """The checkpoint file of a fit that pauses after an epoch, and is written then alone.

    Parameters
    ----------
    folder : str or path-like
        The folder.
    name : str
        Name of the fit.
    processes : OneProcess
        Processes of the fit.
    epoch : int
        Number of the epoch, from 1.
    """

    def __init__(
        self, folder: str | os.PathLike, name: str, processes: OneProcess, epoch: int
    ) -> None:
        super().__init__(folder, name, processes)
        self.epoch = epoch
        self.is_written = False

    def write(self, state: dict[str, Any]) -> None:
        """Write the state if the fit pauses now."""
        if len(state["history"]) == self.epoch:
            super().write(state)
            self.is_written = True

    def remove(self) -> None:
        """Remove the file, unless the fit has paused."""
        if not self.is_written:
            super().remove()


def name_fit(
    rows: RowSet, targets: np.ndarray, weights: np.ndarray, network: Any, settings: dict[str, Any]
) -> str:
    """Return a name that is the same for all fits of the same rows with the same settings.

    Parameters
    ----------
    rows : RowSet
        The rows.
    targets, weights : ndarray of shape (n_rows,)
        Their class numbers and weights.
    network : ContextMemoryNet or None
        The network that training starts from, if it is not a new one.
    settings : dict of str to object
        All other settings that change the result. The versions of packages are added, as training
        may continue differently with another version.
    """
    settings = settings | {"versions": versions()}
    parts = list_arrays(rows, targets, weights)
    if network is not None:
        parts += [weight.cpu().numpy() for weight in network.state_dict().values()]
    digest = sha256(repr(sorted(settings.items())).encode())
    for part in parts:
        digest.update(b"-" if part is None else repr((part.dtype, part.shape)).encode())
        if part is not None:
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()[:32]


class Checkpoint(Callback):
    """Write the state of a fit after each epoch but the last, and continue from it.

    The state includes everything that training changes, random states too: the final weights are
    equal, bit for bit, to those of a fit that was never killed.

    Parameters
    ----------
    file : CheckpointFile
        The file.
    callbacks : list of Callback
        The other callbacks of this package, which are all called before this one.
    last_epoch : int
        Number of the last epoch, from 1.
    """

    def __init__(self, file: CheckpointFile, callbacks: list[Callback], last_epoch: int) -> None:
        self.file = file
        self.callbacks = callbacks
        self.last_epoch = last_epoch

    def on_train_begin(self, net: NeuralNet, X: Any = None, **kwargs: Any) -> None:
        """Restore the state of a fit that was killed, if there is one."""
        if self.file.state is None:
            return
        try:
            self._restore(net, X, self.file.state)
        except PARSING_ERRORS as error:
            raise ModelFileError(
                f"{str(self.file.path)!r} is not a checkpoint of this fit ({error}); delete it "
                "to start from the beginning."
            ) from error

    def on_epoch_end(self, net: NeuralNet, dataset_train: Any = None, **kwargs: Any) -> None:
        """Write the state, unless this was the last epoch."""
        if len(net.history) < self.last_epoch:
            self.file.write(self._collect(net, dataset_train))

    def _collect(self, net: NeuralNet, rows: TrainingRows) -> dict[str, Any]:
        on_gpu = torch.device(net.device).type == "cuda"
        return {
            "history": [_plain_values(row) for row in net.history],
            "weights": to_arrays(list(net.module_.state_dict().values())),
            "optimizer": {name: to_arrays(held) for name, held in net.optimizer_.moments().items()},
            "callbacks": [
                {name: to_arrays(getattr(callback, name)) for name in _kept_names(callback)}
                for callback in self.callbacks
            ],
            "shuffling": rows.random,
            "dropout": cpu_generator().get_state().numpy(),
            "dropout_on_gpu": torch.cuda.get_rng_state(net.device).numpy() if on_gpu else None,
        }

    def _restore(self, net: NeuralNet, rows: TrainingRows, state: dict[str, Any]) -> None:
        for row in state["history"]:
            net.history.new_epoch()
            for name, value in row.items():
                net.history.record(name, value)
        copy_into(list(net.module_.state_dict().values()), state["weights"])
        for name, held in net.optimizer_.moments().items():
            copy_into(held, state["optimizer"][name])
        for callback, kept in zip(self.callbacks, state["callbacks"], strict=True):
            for name in _kept_names(callback):
                setattr(callback, name, _to_tensors(kept[name], net.device))
        if rows.random is not None:
            rows.random.set_state(state["shuffling"].get_state())
        cpu_generator().set_state(torch.from_numpy(state["dropout"]))
        if state["dropout_on_gpu"] is not None and torch.device(net.device).type == "cuda":
            torch.cuda.set_rng_state(torch.from_numpy(state["dropout_on_gpu"]), net.device)


def _plain_values(row: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers and strings of an epoch; callbacks of the user may record anything."""
    return {name: value for name, value in row.items() if isinstance(value, int | float | str)}


def _kept_names(callback: Callback) -> tuple[str, ...]:
    """Return the names of the attributes of a callback that training changes."""
    return getattr(callback, "kept", ())


def to_arrays(held: Any) -> Any:
    """Return lists of tensors as lists of arrays, and other values as they are."""
    if not isinstance(held, list):
        return held
    return [tensor.detach().cpu().numpy() for tensor in held]


def _to_tensors(kept: Any, device: str) -> Any:
    if isinstance(kept, list):
        return [torch.from_numpy(array.copy()).to(device) for array in kept]
    return kept


def copy_into(tensors: Iterable[Tensor], arrays: list[np.ndarray]) -> None:
    """Copy arrays into tensors of the same shapes."""
    with torch.no_grad():
        for tensor, array in zip(tensors, arrays, strict=True):
            if tensor.shape != array.shape:
                raise ValueError(f"weights of shape {array.shape}, not {tuple(tensor.shape)}")
            tensor.copy_(torch.from_numpy(array))
