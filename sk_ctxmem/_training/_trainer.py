"""Training of the network by skorch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from skorch import NeuralNet
from skorch.callbacks import Callback, LRScheduler, PrintLog
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
from ._forwarding import UserCallbacks
from ._optimizer import TwoRateOptimizer, stable_rate
from ._processes import EpochSeeds, OneProcess
from ._progress import Progress, finish
from ._result import FitOutcome, TrainingResult, choose_outcome, history_frame
from ._sklearn_callbacks import EpochTasks, FitTasks
from ._user_callbacks import FitSetting, adapt_callbacks

# Without a memory hardly more than the decoder is left of the dense weights, and it learns too
# slowly at a rate that is right for a memory: going from 0.003 to 0.009 gained 0.3 to 1 points on
# corpora of 23 to 77 classes, and changed nothing where classes were few.
RATE_WITHOUT_MEMORY = 1.5
# The more classes there are, the fewer of the rows each has to learn from, and the farther is the
# rate from being too high: 0.3 to 0.8 points are gained so on corpora of 23 to 77 classes, and on
# movie sentences of two classes as much by a lower rate.
USUAL_CLASSES = 8
MIN_STEPS, MIN_BATCH_SIZE = 50, 4  # an epoch on small data has as many steps as these allow


class Trainer(ClassifierMixin, NeuralNet):
    """skorch's training loop over batches of whole groups, in one process or several.

    Callbacks see a classifier of skorch: `predict` and `predict_proba` take the data sets that
    callbacks are given, and classes are numbers, the places in `classes_` of the estimator.
    """

    processes = OneProcess()
    step_: Any = None  # result of the training step until its gradients are summed

    @property
    def classes_(self) -> np.ndarray:
        """The class numbers."""
        return np.arange(self.module_.decoder.out_features)

    def fit_loop(self, *args: Any, **kwargs: Any) -> Any:
        """Run the epochs that are left, and distinguish a stop from an interrupt."""
        self.interrupted_ = False
        try:
            return super().fit_loop(*args, epochs=self.max_epochs - len(self.history), **kwargs)
        except StopTraining:
            raise
        except KeyboardInterrupt:
            self.interrupted_ = True
            raise

    def train_step_single(self, batch: Any, **fit_params: Any) -> Any:
        """Compute loss and gradients of the rows of this process."""
        self.step_ = super().train_step_single(batch, **fit_params)
        return self.step_

    def on_grad_computed(self, net: NeuralNet, named_parameters: Any, **kwargs: Any) -> None:
        """Sum gradients and loss over all processes, before the callbacks see them."""
        step, self.step_ = self.step_, None
        step["loss"] = self.processes.sum_gradients(self.optimizer_, step["loss"])

    def infer(self, x: Any, **fit_params: Any) -> Any:
        """Run the network on a RowBatch."""
        return self.module_(x.to(self.device))

    def get_loss(self, y_pred: Any, y_true: Any, X: Any = None, training: bool = False) -> Tensor:
        """Compute the loss from logits, targets and weights."""
        return self.criterion_(y_pred, tuple(part.to(self.device) for part in y_true))

    def predict(self, X: Any) -> np.ndarray:
        """Return the number of the most probable class of each row."""
        return self.predict_proba(X).argmax(axis=1)


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
        The training rows.
    valid_rows : TrainingRows or None
        Held-out rows, whose accuracy decides which epoch is the best.
    calibration_rows : TrainingRows or None
        Rows of `train_rows` that are held back until the last epoch. Before they join, they are
        used to fit the temperature.
    max_epochs, batch_size, learning_rate, n_iter_no_change : int or float
        As in ContextMemoryClassifier.
    device : str
        A device of torch.
    checkpoint : CheckpointFile or None
        The file that is written after each epoch, and from which a fit that was killed continues.
    callbacks : list of Callback
        The callbacks of the user, the same in all processes.
    bar : tqdm or None
        The progress bar.
    tasks : FitTasks or None
        Calls the callbacks of scikit-learn.
    processes : OneProcess
        The processes that train the same network together.

    Returns
    -------
    result : TrainingResult
        History, temperature and stop reason, and the net of skorch for reading.

    Raises
    ------
    ValueError
        If one of the callbacks cannot work in this fit.
    TrainingDivergedError
        If the loss is no longer finite.
    KeyboardInterrupt
        If Ctrl-C comes before the end of the first epoch, or a second time.
    """
    setting = FitSetting(
        holds_out=valid_rows is not None,
        in_memory=isinstance(train_rows, TrainingRows),
        has_checkpoint=checkpoint is not None,
        n_processes=processes.n_processes,
        rank=processes.rank,
    )
    callbacks = adapt_callbacks(callbacks, setting)
    batch_size = choose_batch_size(batch_size, len(train_rows))
    with one_thread(), first_interrupt_waits() as interrupts:
        stop = Stop(interrupts)
        processes.broadcast_weights(network.to(device))
        outcome = choose_outcome(
            network, valid_rows, calibration_rows, n_iter_no_change, max_epochs, stop
        )
        counts = _count_rows(train_rows, batch_size, max_epochs)
        own = _own_callbacks(outcome, counts, bar, checkpoint, decays=not _sets_rates(callbacks))
        own += [EpochSeeds(processes)] if processes.n_processes > 1 else []
        user = UserCallbacks(callbacks, stop)
        others: list[Callback] = [user] if callbacks else []
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
            verbose=prints(callbacks),
        )
        trainer.processes = processes
        trainer.fit(train_rows)
        if trainer.interrupted_ or not len(history_frame(trainer.history)):  # nothing to keep yet
            raise KeyboardInterrupt
        check_finite_weights(network, learning_rate)
        network.requires_grad_(True)  # a Freezer of the user is for this fit alone
        result = processes.broadcast(outcome.result(trainer))
        processes.broadcast_weights(network)
    finish(bar, result.stop_reason)
    user.warn_of_failures()
    return replace(result, net=readable_net(trainer, network))


def _sets_rates(callbacks: list[Callback]) -> bool:
    """Return whether a callback of the user schedules the learning rates."""
    return any(isinstance(callback, LRScheduler) for callback in callbacks)


def prints(callbacks: list[Callback]) -> bool:
    """Return whether a callback prints, which skorch's PrintLog does only if the net does."""
    return any(isinstance(callback, PrintLog) for callback in callbacks)


@dataclass
class _RowCounts:
    """Number of rows in each epoch before the last, and of rows and steps in all epochs."""

    n_early: int
    n_rows: int
    n_steps: int
    max_epochs: int


def _count_rows(rows: EpochRows, batch_size: int, max_epochs: int) -> _RowCounts:
    n_early, n_last, before = rows.n_early, len(rows), max_epochs - 1
    n_steps = before * -(-n_early // batch_size) + -(-n_last // batch_size)
    return _RowCounts(n_early, before * n_early + n_last, n_steps, max_epochs)


def _own_callbacks(
    outcome: FitOutcome,
    counts: _RowCounts,
    bar: Any,
    checkpoint: CheckpointFile | None,
    *,
    decays: bool,
) -> list[Callback]:
    """Return the callbacks of this package in the order in which they are called."""
    means = EpochMeans()
    chosen: list[Callback | None] = [means, outcome.stopping, outcome.weights, outcome.late]
    own = [callback for callback in chosen if callback is not None]
    if decays:
        own.append(LinearDecay(counts.n_steps))
    if checkpoint is not None:
        own.append(Checkpoint(checkpoint, own.copy(), outcome.max_epochs))
    if bar is not None:
        own.append(Progress(bar, means, counts.n_early, counts.n_rows, outcome.max_epochs))
    return own


def choose_batch_size(largest: int, n_rows: int) -> int:
    """Return the number of rows in a step: the largest, or fewer on small data."""
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
    verbose: bool = False,
) -> Trainer:
    """Return a net of skorch with the batches, loss, optimizer and callbacks of this package."""
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
        predict_nonlinearity=partial(torch.softmax, dim=1),
        verbose=int(verbose),
        device=device,
    )


def readable_net(trainer: Trainer, network: ContextMemoryNet) -> Trainer:
    """Return a net for reading: with history, module and criterion, but no rows.

    It has neither callbacks, which may hold rows, nor data sets or the optimizer, which is twice as
    large as the dense weights. It can predict batches, but skorch refuses to train it.

    Parameters
    ----------
    trainer : Trainer
        The net that was trained.
    network : ContextMemoryNet
        The network that predicts, which is not the trained one if it has the mean of its weights.
    """
    net = Trainer(
        module=network,
        criterion=trainer.criterion_,
        optimizer=None,
        lr=trainer.lr,
        max_epochs=trainer.max_epochs,
        batch_size=trainer.batch_size,
        iterator_train=None,
        iterator_valid=BatchIterator,
        iterator_valid__batch_size=PREDICTION_BATCH_SIZE,
        train_split=None,
        callbacks="disable",
        predict_nonlinearity=trainer.predict_nonlinearity,
        verbose=0,
        device=trainer.device,
    )
    net._initialize_virtual_params()
    net._initialize_callbacks()
    net._initialize_module()
    net._initialize_criterion()
    net.history = trainer.history
    net.initialized_ = net._trimmed_for_prediction = True
    return net


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
