"""Training of the network by skorch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.helper import predefined_split
from torch import Tensor

from .._model._predict import PREDICTION_BATCH_SIZE
from .._network._loss import ContextMemoryLoss
from .._network._net import ContextMemoryNet
from .._runtime import first_interrupt_waits, one_thread
from ..exceptions import TrainingDivergedError
from ._callbacks import EpochMeans, LinearDecay
from ._checkpoints import Checkpoint, CheckpointFile
from ._dataset import BatchIterator, EpochRows, TrainingRows
from ._early_stopping import Stop, StopTraining, StopWhenAsked
from ._optimizer import TwoRateOptimizer, stable_rate
from ._processes import EpochSeeds, OneProcess
from ._progress import Progress, finish
from ._result import FitOutcome, TrainingResult, choose_outcome, history_frame
from ._sklearn_callbacks import EpochTasks, FitTasks
from ._user_callbacks import UserCallbacks

# Without a memory hardly more than the decoder is left of the dense weights, and it learns too
# slowly at a rate that is right for a memory: going from 0.003 to 0.009 gained 0.3 to 1 points on
# corpora of 23 to 77 classes, and changed nothing where classes were few.
RATE_WITHOUT_MEMORY = 1.5
# The more classes there are, the fewer of the rows each has to learn from, and the farther is the
# rate from being too high: 0.3 to 0.8 points are gained so on corpora of 23 to 77 classes, and on
# movie sentences of two classes as much by a lower rate.
USUAL_CLASSES = 8
MIN_STEPS, MIN_BATCH_SIZE = 50, 4  # an epoch on small data has as many steps as these allow


class Trainer(NeuralNet):
    """skorch's training loop over batches of whole groups, in one process or several."""

    processes = OneProcess()

    def fit_loop(self, *args: Any, **kwargs: Any) -> Any:
        """Run the epochs that are left, and tell a stop from an interrupt, as skorch does not."""
        self.interrupted_ = False
        try:
            return super().fit_loop(*args, epochs=self.max_epochs - len(self.history), **kwargs)
        except StopTraining:
            raise
        except KeyboardInterrupt:
            self.interrupted_ = True
            raise

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        """Take one step; skorch's own knows optimisers of torch's class only."""
        self.optimizer_.zero_grad()
        with torch.enable_grad():  # also where the caller has switched gradients off
            step = self.train_step_single(batch, **fit_params)
        step["loss"] = self.processes.sum_gradients(self.optimizer_, step["loss"])
        self.optimizer_.step()
        return step

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Run the network on a RowBatch."""
        return self.module_(x.to(self.device))

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False) -> Tensor:
        """Compare with targets and weights."""
        return self.criterion_(y_pred, tuple(part.to(self.device) for part in y_true))


def train(
    network: ContextMemoryNet,
    train_rows: EpochRows,
    valid_rows: TrainingRows | None,
    calibration_rows: TrainingRows | None,
    *,
    max_epochs: int,
    batch_size: int,
    learning_rate: float,
    n_iter_no_change: int | None,
    device: str,
    checkpoint: CheckpointFile | None,
    callbacks: list[Callback],
    bar: Any,
    tasks: FitTasks | None,
    processes: OneProcess,
) -> TrainingResult:
    """Train a network in place.

    Parameters
    ----------
    network : ContextMemoryNet
        The network, on any device; it is on `device` afterwards.
    train_rows : EpochRows
        What to learn from.
    valid_rows : TrainingRows or None
        What the best epoch is chosen by.
    calibration_rows : TrainingRows or None
        Those of `train_rows` that are held back until the last epoch. Before it, they tell how
        sure the network may be.
    max_epochs, batch_size, learning_rate, n_iter_no_change : int or float
        As in ContextMemoryClassifier.
    device : str
        A device of torch.
    checkpoint : CheckpointFile or None
        Where to keep what is needed to go on after each epoch, and what to go on from.
    callbacks : list of Callback
        Those of the user.
    bar : tqdm or None
        What shows the progress.
    tasks : FitTasks or None
        What scikit-learn's callbacks are told by.
    processes : OneProcess
        Those that train the same network together.

    Returns
    -------
    result : TrainingResult
        What training tells.

    Raises
    ------
    TrainingDivergedError
        If the loss is no longer finite.
    KeyboardInterrupt
        If Ctrl-C comes before the end of the first epoch, or a second time.
    """
    batch_size = choose_batch_size(batch_size, len(train_rows))
    with one_thread(), first_interrupt_waits() as interrupts:
        stop = Stop(interrupts)
        processes.broadcast_weights(network.to(device))
        outcome = choose_outcome(
            network, valid_rows, calibration_rows, n_iter_no_change, max_epochs, stop
        )
        counts = _count_rows(train_rows, batch_size, max_epochs)
        own = _own_callbacks(outcome, counts, bar, checkpoint)
        own += [EpochSeeds(processes)] if processes.n_processes > 1 else []
        others = [UserCallbacks(callbacks, stop)] if callbacks else []
        others += [] if tasks is None else [EpochTasks(tasks, stop, outcome.snapshot)]
        trainer = make_trainer(
            network,
            valid_rows,
            [*own, *others, StopWhenAsked(stop)],
            max_epochs=max_epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            table_rate=choose_table_rate(
                train_rows.sample, batch_size, network.decoder.out_features
            ),
            device=device,
        )
        trainer.processes = processes
        trainer.fit(train_rows)
        if trainer.interrupted_ or not len(history_frame(trainer.history)):  # nothing to keep yet
            raise KeyboardInterrupt
        check_finite_weights(network, learning_rate)
        result = processes.broadcast(outcome.result(trainer))
        processes.broadcast_weights(network)
    finish(bar, result.stop_reason)
    return result


@dataclass
class _RowCounts:
    """How many rows and steps there are in each epoch but the last, and in all."""

    n_early: int
    n_rows: int
    n_steps: int
    max_epochs: int


def _count_rows(rows: EpochRows, batch_size: int, max_epochs: int) -> _RowCounts:
    n_early, n_last, before = rows.n_early, len(rows), max_epochs - 1
    n_steps = before * -(-n_early // batch_size) + -(-n_last // batch_size)
    return _RowCounts(n_early, before * n_early + n_last, n_steps, max_epochs)


def _own_callbacks(
    outcome: FitOutcome, counts: _RowCounts, bar: Any, checkpoint: CheckpointFile | None
) -> list[Callback]:
    """Return our callbacks in the order in which they are called."""
    means = EpochMeans()
    chosen: list[Callback | None] = [means, outcome.stopping, outcome.weights, outcome.late]
    own = [callback for callback in chosen if callback is not None]
    own.append(LinearDecay(counts.n_steps))
    if checkpoint is not None:
        own.append(Checkpoint(checkpoint, own.copy(), outcome.max_epochs))
    if bar is not None:
        own.append(Progress(bar, means, counts.n_early, counts.n_rows, outcome.max_epochs))
    return own


def choose_batch_size(largest: int, n_rows: int) -> int:
    """Return the number of rows in a step: the largest, or less for enough steps in an epoch."""
    return min(largest, max(MIN_BATCH_SIZE, n_rows // MIN_STEPS))


def make_trainer(
    network: ContextMemoryNet,
    valid_rows: TrainingRows | None,
    callbacks: list[Callback],
    *,
    max_epochs: int,
    batch_size: int,
    learning_rate: float,
    table_rate: float,
    device: str,
) -> Trainer:
    """Return skorch's loop with our batches, loss, optimiser and callbacks, and none of its own."""
    return Trainer(
        module=network,
        criterion=ContextMemoryLoss(batch_size),
        optimizer=partial(TwoRateOptimizer, tables=network.tables, table_lr=table_rate),
        lr=learning_rate * (1.0 if network.has_memory else RATE_WITHOUT_MEMORY),
        max_epochs=max_epochs,
        batch_size=batch_size,
        iterator_train=BatchIterator,
        iterator_valid=BatchIterator,
        iterator_valid__batch_size=PREDICTION_BATCH_SIZE,
        train_split=None if valid_rows is None else predefined_split(valid_rows),
        callbacks=callbacks,
        callbacks__print_log=None,
        callbacks__train_loss=None,
        callbacks__valid_loss=None,
        verbose=0,
        device=device,
    )


def check_finite_weights(network: ContextMemoryNet, learning_rate: float) -> None:
    """Raise unless all weights are finite numbers."""
    if not all(torch.isfinite(weight.sum()) for weight in network.parameters()):
        raise TrainingDivergedError(
            "The last step made weights that are not finite; scale the features, or lower "
            f"learning_rate={learning_rate!r}."
        )


def choose_table_rate(data: TrainingRows, batch_size: int, n_classes: int) -> float:
    """Return the rate of plain SGD; that of the wide path is good for all tables."""
    if isinstance(data.rows.features, np.ndarray):
        return 1.0  # the only table is that of the words
    rows, weights = data.rows.rows, data.weights.numpy()
    rate = stable_rate(data.rows.features, rows, weights, batch_size)
    return rate * float(np.clip((n_classes / USUAL_CLASSES) ** (1 / 3), 0.5, 2.0))


def check_same_sizes(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise unless a network of these sizes can go on from the weights of another."""
    changed = [name for name in now if now[name] != before[name] and name != "dropout_rate"]
    if changed:
        changes = ", ".join(f"{name} from {before[name]} to {now[name]}" for name in changed)
        raise ValueError(
            f"warm_start=True cannot change the network ({changes}); pass warm_start=False to "
            "start anew."
        )
