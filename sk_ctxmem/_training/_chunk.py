"""Training on one chunk of rows after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback

from .._network._net import ContextMemoryNet
from .._runtime import first_interrupt_waits, one_thread
from ._callbacks import EpochMeans
from ._checkpoints import copy_into, to_arrays
from ._dataset import TrainingRows
from ._early_stopping import Stop, StopWhenAsked
from ._forwarding import UserCallbacks
from ._result import TrainingResult, history_frame
from ._skorch_net import make_trainer, readable_net
from ._trainer import check_finite_weights, choose_batch_size, choose_rates
from ._user_callbacks import FitSetting, adapt_callbacks

# The rates do not decay, as the number of chunks is unknown. Predictions use a running mean of the
# weights over this many steps: on 192,000 turns of telephone calls in ten chunks, it was better by
# 0.3 to 1.5 points than the last weights, whichever pass was the last.
MEMORY_OF_MEAN = 2000
STEPS_BETWEEN = 10  # an update of the mean costs as much as a step


class RunningMean(Callback):
    """Keep a running mean of the weights in another network; later steps count more.

    Parameters
    ----------
    mean : ContextMemoryNet
        Has the mean of all steps before. Its weights are ignored if there were none.
    n_steps : int
        Number of steps before.

    References
    ----------
    Polyak, B. and Juditsky, A. (1992). Acceleration of stochastic approximation by averaging.
    SIAM Journal on Control and Optimization 30 (4), 838-855.
    """

    def __init__(self, mean: ContextMemoryNet, n_steps: int) -> None:
        self.mean = mean
        self.n_steps = n_steps
        self.n_new = 0

    def on_batch_end(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        """Update the mean after every few steps."""
        self.n_steps += 1
        self.n_new += 1
        if self.n_new == STEPS_BETWEEN:
            self._update(net)

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Update the mean by the remaining steps."""
        if self.n_new:
            self._update(net)

    def _update(self, net: NeuralNet) -> None:
        share = min(1.0, self.n_new * max(1 / MEMORY_OF_MEAN, 2 / (self.n_steps + 1)))
        pairs = zip(self.mean.parameters(), net.module_.parameters(), strict=True)
        with torch.no_grad():
            for mean, weight in pairs:
                mean.lerp_(weight.to(mean.dtype), share)
        self.n_new = 0


def new_stream(network: ContextMemoryNet, rows: TrainingRows, batch_size: int) -> dict[str, Any]:
    """Return the state of training before the first chunk, as arrays and plain values.

    Parameters
    ----------
    network : ContextMemoryNet
        The network to start from.
    rows : TrainingRows
        The first chunk. The table rate and the batch size of all chunks are computed from it.
    batch_size : int
        Largest number of rows in a step.
    """
    batch_size = choose_batch_size(batch_size, len(rows), rows.n_samples)
    table_rate, slow_down = choose_rates(rows, batch_size, network.decoder.out_features)
    return {
        "weights": to_arrays(list(network.parameters())),
        "optimizer": None,
        "n_steps": 0,
        "batch_size": batch_size,
        "table_rate": table_rate,
        "slow_down": slow_down,
    }


def train_chunk(
    network: ContextMemoryNet,
    mean: ContextMemoryNet,
    rows: TrainingRows,
    stream: dict[str, Any],
    *,
    learning_rate: float,
    device: str,
    callbacks: list[Callback],
    history: pd.DataFrame | None,
    label_weights: np.ndarray | None = None,
) -> tuple[TrainingResult, dict[str, Any]]:
    """Train one epoch on a chunk of rows, at constant rates.

    Parameters
    ----------
    network : ContextMemoryNet
        Takes the weights of the stream, and is trained.
    mean : ContextMemoryNet
        The network that predicts. Its weights move towards the trained ones.
    rows : TrainingRows
        The chunk.
    stream : dict
        State that `new_stream` or the last call returned; it is not changed.
    learning_rate : float
        Learning rate of AdamW.
    device : str
        A device of torch.
    callbacks : list of Callback
        The callbacks of the user.
    history : DataFrame or None
        The epochs before, which callbacks find in the history of the net.
    label_weights : ndarray of shape (2, n_labels) or None, default=None
        Of several labels for each row, the weights of the rows without and with each label.

    Returns
    -------
    result : TrainingResult
        The result of training, with the history of this chunk.
    stream : dict
        The state after the chunk.
    """
    averaging = RunningMean(mean, stream["n_steps"])
    n_before = 0 if history is None else len(history)
    callbacks = adapt_callbacks(callbacks, FitSetting(holds_out=False, is_chunk=True))
    with one_thread(), first_interrupt_waits() as interrupts:
        stop = Stop(interrupts)
        user = UserCallbacks(callbacks, stop)
        trainer = make_trainer(
            network,
            None,
            [EpochMeans(), averaging, user, StopWhenAsked(stop, n_before)],
            max_epochs=n_before + 1,
            batch_size=stream["batch_size"],
            # missing in pickles of older versions
            learning_rate=learning_rate * stream.get("slow_down", 1.0),
            table_rate=stream["table_rate"],
            label_weights=label_weights,
            device=device,
            user_callbacks=callbacks,
        ).initialize()
        copy_into(trainer.module_.parameters(), stream["weights"])
        if stream["optimizer"] is not None:
            for name, tensors in trainer.optimizer_.moments().items():
                copy_into(tensors, stream["optimizer"][name])
        _recall(trainer.history, history)
        trainer.partial_fit(rows)
        if trainer.interrupted_ or interrupts:
            raise KeyboardInterrupt
        check_finite_weights(network, learning_rate)
    user.warn_of_failures()
    moments = trainer.optimizer_.moments()
    after = {
        "weights": to_arrays(list(trainer.module_.parameters())),
        "optimizer": {name: to_arrays(tensors) for name, tensors in moments.items()},
        "n_steps": averaging.n_steps,
    }
    reason = stop.reason or "the chunk done"
    of_chunk = history_frame(trainer.history[-1:]).assign(epoch=1)
    net = readable_net(trainer, mean)
    return TrainingResult(of_chunk, 1.0, reason, net=net), stream | after


def _recall(history: Any, before: pd.DataFrame | None) -> None:
    """Write the epochs before into the history of skorch."""
    if before is None:
        return
    for epoch in before.to_dict("records"):
        history.new_epoch()
        for name, value in epoch.items():
            history.record("dur" if name == "seconds" else name, value)
