"""Training on one chunk of rows after the other."""

from __future__ import annotations

from typing import Any

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
from ._trainer import (
    check_finite_weights,
    choose_batch_size,
    choose_table_rate,
    make_trainer,
    prints,
    readable_net,
)
from ._user_callbacks import FitSetting, adapt_callbacks

# The rates do not decay, as nobody knows how many chunks are still to come. What predicts is a
# mean of the weights that forgets over so many steps: on 192,000 turns of telephone calls in ten
# chunks it was 0.3 to 1.5 points better than the last weights, whichever pass was the last.
MEMORY_OF_MEAN = 2000
STEPS_BETWEEN = 10  # steps between two changes of the mean, which cost as much as one


class RunningMean(Callback):
    """Keep a mean of the weights in another network, in which later steps count more.

    Parameters
    ----------
    mean : ContextMemoryNet
        Has the mean of what was before; that of a network which has taken no step is not used.
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
        """Change the mean after some steps."""
        self.n_steps += 1
        self.n_new += 1
        if self.n_new == STEPS_BETWEEN:
            self._update(net)

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Change it by the steps that are left."""
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
        The network to begin with.
    rows : TrainingRows
        The first chunk, which tells rate and size of the steps for all.
    batch_size : int
        Largest number of rows in a step.
    """
    batch_size = choose_batch_size(batch_size, len(rows))
    return {
        "weights": to_arrays(list(network.parameters())),
        "optimizer": None,
        "n_steps": 0,
        "batch_size": batch_size,
        "table_rate": choose_table_rate(rows, batch_size, network.decoder.out_features),
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
) -> tuple[TrainingResult, dict[str, Any]]:
    """Train one epoch on a chunk of rows, at rates that do not decay.

    Parameters
    ----------
    network : ContextMemoryNet
        Gets the weights of the stream, and is trained.
    mean : ContextMemoryNet
        The network that predicts: its weights are changed towards those that are trained.
    rows : TrainingRows
        The chunk.
    stream : dict
        What `new_stream` or the chunk before returned; it is not changed.
    learning_rate : float
        Rate of AdamW.
    device : str
        A device of torch.
    callbacks : list of Callback
        Those of the user.
    history : DataFrame or None
        The epochs before, which callbacks see.

    Returns
    -------
    result : TrainingResult
        As that of `train`, with the history of this chunk.
    stream : dict
        The state after the chunk.
    """
    averaging = RunningMean(mean, stream["n_steps"])
    n_before = 0 if history is None else len(history)
    callbacks = adapt_callbacks(callbacks, FitSetting(holds_out=False, is_chunk=True))
    with one_thread(), first_interrupt_waits() as interrupts:
        stop = Stop(interrupts)
        user = UserCallbacks(callbacks, stop)
        others: list[Callback] = [user] if callbacks else []
        trainer = make_trainer(
            network,
            None,
            [EpochMeans(), averaging, *others, StopWhenAsked(stop, n_before)],
            max_epochs=n_before + 1,
            batch_size=stream["batch_size"],
            learning_rate=learning_rate,
            table_rate=stream["table_rate"],
            device=device,
            verbose=prints(callbacks),
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
    """Write epochs into the history of skorch that were before."""
    if before is None:
        return
    for epoch in before.to_dict("records"):
        history.new_epoch()
        for name, value in epoch.items():
            history.record("dur" if name == "seconds" else name, value)
