"""Calls of the skorch callbacks that the user passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import nn

from .._messages import warn_caller
from .._network._encoder import NO_FACTORS, FeatureTable
from .._network._random import OwnDefaults
from ._dataset import TrainingRows, as_scored_rows
from ._early_stopping import Stop

CONVERTED = {"batch", "dataset_train", "dataset_valid"}  # arguments of callbacks


def _forward(name: str) -> Callable[..., None]:
    """Return a method that calls the method of this name in all callbacks."""

    def call_all(self: UserCallbacks, net: NeuralNet, **kwargs: Any) -> None:
        if not self.callbacks:
            return
        kwargs |= {key: _as_skorch_has_it(key, kwargs[key]) for key in CONVERTED & kwargs.keys()}
        for callback in self.callbacks:
            self.call(callback, name, net, kwargs)

    return call_all


def _as_skorch_has_it(key: str, value: Any) -> Any:
    """Return a batch or a data set with class numbers only, without the weights of the rows."""
    if key == "batch":
        return value[0], value[1][0]
    return as_scored_rows(value) if isinstance(value, TrainingRows) else value


class UserCallbacks(Callback):
    """Call the callbacks of the user, and stop training if one raises KeyboardInterrupt.

    Parameters
    ----------
    callbacks : list of Callback
        The callbacks.
    stop : Stop
        Receives the request to stop.
    """

    def __init__(self, callbacks: list[Callback], stop: Stop) -> None:
        self.callbacks = callbacks
        self.stop = stop
        self.failures: list[str] = []

    on_train_begin = _forward("on_train_begin")
    on_epoch_begin = _forward("on_epoch_begin")
    on_epoch_end = _forward("on_epoch_end")
    on_batch_begin = _forward("on_batch_begin")
    on_batch_end = _forward("on_batch_end")

    def call(self, callback: Callback, name: str, net: NeuralNet, kwargs: dict[str, Any]) -> None:
        """Call a method of a callback, which may ask for a stop as it does in skorch."""
        if getattr(type(callback), name) is getattr(Callback, name):
            return  # it does nothing, and folding a large table for it takes longer than a step
        try:
            # random_state determines their random numbers too
            with OwnDefaults(), _whole_weights(net.module_.table):
                getattr(callback, name)(net, **kwargs)
        except KeyboardInterrupt:
            if self.stop.interrupts:  # a second Ctrl-C
                raise
            epoch = len(net.history)
            self.stop.ask(f"stopped by the callback {type(callback).__name__} in epoch {epoch}")

    def on_grad_computed(self, net: NeuralNet, named_parameters: Any, **kwargs: Any) -> None:
        """Call the callbacks that read or change gradients, including sparse ones."""
        if "batch" in kwargs:
            kwargs["batch"] = _as_skorch_has_it("batch", kwargs["batch"])
        for callback in self.callbacks:
            if type(callback).on_grad_computed is not Callback.on_grad_computed:
                with _dense_gradients(named_parameters, net.module_.table) as parameters:
                    kwargs["named_parameters"] = parameters
                    self.call(callback, "on_grad_computed", net, kwargs)

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Call all callbacks, even if one fails: the network is trained, and must not be lost.

        A Checkpoint with ``load_best=True`` replaces the history by the one in its file, which
        ends with the best epoch. The history of the fit has all epochs.
        """
        history = net.history
        for callback in self.callbacks:
            try:
                self.call(callback, "on_train_end", net, kwargs)
            except Exception as error:
                name, kind = type(callback).__name__, type(error).__name__
                self.failures.append(
                    f"The callback {name} failed in on_train_end, after training; the classifier "
                    f"is fitted all the same. {kind}: {error}"
                )
        net.history = history

    def warn_of_failures(self) -> None:
        """Warn of each callback that failed after training."""
        for failure in self.failures:
            warn_caller(failure, RuntimeWarning)


@contextmanager
def _whole_weights(table: FeatureTable) -> Iterator[None]:
    """Fold the factors of a table for a while, so that callbacks find its weights as they are.

    If they do not change the weights, the same bits and factors are there afterwards.
    """
    factors, weight = table.factors, table.weight
    if factors == NO_FACTORS:
        yield
        return
    kept = weight.detach().clone()
    table.fold()
    shown, place = weight.detach().clone(), weight.data_ptr()
    yield
    # weight.data.mul_(...) and NumPy change the values, but not the version of the weights
    if weight.data_ptr() == place and torch.equal(weight, shown):
        with torch.no_grad():
            weight.copy_(kept)
        table.factors = factors


@contextmanager
def _dense_gradients(
    named_parameters: Any, table: FeatureTable
) -> Iterator[list[tuple[str, nn.Parameter]]]:
    """Represent parameters with sparse gradients by dense ones, as torch cannot clip sparse ones.

    Each table is represented by a parameter that has only the rows with a gradient. Afterwards,
    its gradient, if it was changed, becomes the gradient of the table.
    """
    shown, found = [], []
    for name, parameter in named_parameters:
        if parameter.grad is not None and parameter.grad.is_sparse:
            rows = _SparseRows(parameter, _spread(table) if parameter is table.weight else None)
            found.append(rows)
            shown.append((name, rows.shown))
        else:
            shown.append((name, parameter))
    yield shown
    for rows in found:
        rows.put_back()


def _spread(table: FeatureTable) -> torch.Tensor | None:
    """Return the factor of each column of a table, or None if all are 1."""
    if table.factors == NO_FACTORS:
        return None
    factors = table.weight.new_tensor(table.factors)
    return factors.repeat_interleave(torch.tensor(table.widths, device=factors.device))


class _SparseRows:
    """The rows of a table that have a gradient, as a dense parameter.

    Parameters
    ----------
    table : Parameter
        The table, with a sparse gradient.
    factors : Tensor of shape (D,) or None
        Factors of its columns; the rows that are shown include them.
    """

    def __init__(self, table: nn.Parameter, factors: torch.Tensor | None) -> None:
        assert table.grad is not None
        gradient = table.grad.coalesce()
        self.table, self.factors = table, factors
        self.indices = gradient.indices()
        rows, values = table.detach()[self.indices[0]], gradient.values()
        if factors is not None:
            rows, values = rows * factors, values / factors
        self.shown = nn.Parameter(rows)
        self.shown.grad = self.values = values
        self.version = values._version

    def put_back(self) -> None:
        """Make the gradient of the rows that of the table, if it was changed."""
        values = self.shown.grad
        if values is self.values and values._version == self.version:
            return
        self.table.grad = None
        if values is not None:
            self.table.grad = torch.sparse_coo_tensor(
                self.indices,
                values if self.factors is None else values * self.factors,
                self.table.shape,
                is_coalesced=True,
                check_invariants=False,
            )
