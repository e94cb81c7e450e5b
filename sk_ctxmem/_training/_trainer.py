"""Training of the network by skorch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from skorch.callbacks import Callback, LRScheduler

from .._network._net import ContextMemoryNet
from .._runtime import first_interrupt_waits, one_thread
from ..exceptions import TrainingDivergedError
from ._callbacks import EpochMeans, FoldFactors, LinearDecay
from ._checkpoints import Checkpoint, CheckpointFile
from ._dataset import EpochRows, TrainingRows
from ._draws import plan_draws
from ._early_stopping import Pause, Stop, StopWhenAsked
from ._forwarding import UserCallbacks
from ._linear_start import LinearStart
from ._optimizer import stable_rate
from ._penalties import NO_PENALTIES, Penalties
from ._processes import EpochSeeds, OneProcess
from ._progress import Progress, finish
from ._result import FitOutcome, TrainingResult, choose_outcome, history_frame
from ._sklearn_callbacks import EpochTasks, FitTasks
from ._skorch_net import Trainer, make_trainer, readable_net
from ._user_callbacks import FitSetting, adapt_callbacks

# The more classes there are, the fewer rows each of them has, and the higher the rate can be:
# this gains 0.3 to 0.8 points on corpora of 23 to 77 classes; on movie sentences of two classes, a
# lower rate gains as much.
USUAL_CLASSES = 8
SLOW_TABLES = 0.25  # ratio of table rates below which the rest of the network is slowed down
MIN_STEPS, MIN_BATCH_SIZE = 50, 4  # small data get smaller batches, for enough steps
# Negotiations of six turns gain .007 of the area under the curve against batches of 64 of them.
MOST_SEQUENCES = 16
# Margins and more smoothing need rows of each class. On 13, 39, 65 and 108 rows for each of 77
# intents they change accuracy by -6.5, -1.8, -.6 and 0 points; on 13, 43, 65 and 122 for each of 23
# diseases by -13, -1.2, +1.2 and +1.3.
FEWEST_CLASSES, ROWS_OF_A_CLASS = 3, 100


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
    linear: LinearStart | None = None,
    penalties: Penalties = NO_PENALTIES,
    label_weights: np.ndarray | None = None,
    until: int | None = None,
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
    linear : LinearStart or None, default=None
        The wide path, which stays as it is. If None, it is trained.
    penalties : Penalties, default=NO_PENALTIES
        L2 penalties of the tables, for the sum of the losses of all rows.
    label_weights : ndarray of shape (2, n_labels) or None, default=None
        Of several labels for each row, the weights of the rows without and with each label.
    until : int or None, default=None
        Epoch after which training pauses, with the learning rates of all epochs. If None, do not.

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
    batch_size = choose_batch_size(batch_size, len(train_rows), train_rows.n_samples)
    with one_thread(), first_interrupt_waits() as interrupts:
        stop = Stop(interrupts)
        processes.broadcast_weights(network.to(device))
        outcome = choose_outcome(
            network, valid_rows, calibration_rows, n_iter_no_change, max_epochs, stop
        )
        counts = _count_rows(train_rows, batch_size, max_epochs)
        own = _own_callbacks(outcome, counts, bar, checkpoint, decays=not _sets_rates(callbacks))
        own.insert(0, FoldFactors())
        own += [EpochSeeds(processes)] if processes.n_processes > 1 else []
        user = UserCallbacks(callbacks, stop)
        others: list[Callback] = [] if until is None else [Pause(until, stop)]
        others += [] if tasks is None else [EpochTasks(tasks, stop, outcome.snapshot)]
        table_rate, slow_down = choose_rates(
            train_rows.sample, batch_size, network.decoder.out_features
        )
        trainer = make_trainer(
            network,
            valid_rows,
            [*own, user, *others, StopWhenAsked(stop)],
            max_epochs=max_epochs,
            batch_size=batch_size,
            learning_rate=learning_rate * slow_down,
            table_rate=table_rate,
            penalties=penalties.of_mean_loss(train_rows.n_samples),
            fixed_penalty=None if linear is None else linear.penalty,
            label_weights=label_weights,
            margins=learns_margins(network, penalties, train_rows.n_samples),
            device=device,
            user_callbacks=callbacks,
        )
        trainer.processes = processes
        result = _run(trainer, train_rows, outcome, learning_rate)
    finish(bar, result.stop_reason)
    user.warn_of_failures()
    return result


def _sets_rates(callbacks: list[Callback]) -> bool:
    """Return whether a callback of the user schedules the learning rates."""
    return any(isinstance(callback, LRScheduler) for callback in callbacks)


def _run(
    trainer: Trainer, rows: EpochRows, outcome: FitOutcome, learning_rate: float
) -> TrainingResult:
    """Run all epochs, and return the result, which is the same in all processes."""
    network, processes = trainer.module, trainer.processes
    trainer.fit(rows)
    if trainer.interrupted_ or not len(history_frame(trainer.history)):  # nothing to keep yet
        raise KeyboardInterrupt
    check_finite_weights(network, learning_rate)
    network.requires_grad_(True)  # a Freezer applies to this fit only
    result = processes.broadcast(outcome.result(trainer))
    processes.broadcast_weights(network)
    return replace(result, net=readable_net(trainer, network))


@dataclass
class _RowCounts:
    """Rows drawn in each epoch before the last, and rows and steps of all epochs."""

    n_early: int
    n_rows: int
    n_steps: int
    max_epochs: int


def _count_rows(rows: EpochRows, batch_size: int, max_epochs: int) -> _RowCounts:
    (n_early, n_last), before = rows.count_draws(batch_size), max_epochs - 1
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


def choose_batch_size(largest: int, n_rows: int, n_samples: int) -> int:
    """Return the number of rows in a step: the largest, or fewer on small data.

    A step has MOST_SEQUENCES short sequences at most.
    """
    if n_samples < n_rows:
        largest = min(largest, max(MIN_BATCH_SIZE, MOST_SEQUENCES * n_rows // n_samples))
    return min(largest, max(MIN_BATCH_SIZE, n_rows // MIN_STEPS))


def check_finite_weights(network: ContextMemoryNet, learning_rate: float) -> None:
    """Raise unless the squares of all weights are finite numbers: so are the loss and gradients."""
    if not all(torch.isfinite(weight.square().sum()) for weight in network.parameters()):
        raise TrainingDivergedError(
            "Training made weights that are not finite, or almost infinite; scale the features, or "
            f"lower learning_rate={learning_rate!r}."
        )


def choose_rates(data: TrainingRows, batch_size: int, n_classes: int) -> tuple[float, float]:
    """Choose the learning rate of the tables, and a factor of that of AdamW.

    The rate of the wide path suits all tables. The factor is below 1 if heavy rows slow down the
    tables. Where few rows have much of the weight, the table rate is that of their words, which may
    be 30 times lower than that without weights. At its usual rate, the rest of the network would
    know these rows by heart before the wide path has found the words that they share: with 10
    positive rows of single words in 10,000, F1 was .05, and is that of logistic regression, .96.
    """
    batch_size = -(-batch_size * data.n_samples // len(data))
    data = data.as_samples()
    rows, weights = data.rows, data.weights.numpy()
    if isinstance(rows.features, np.ndarray) and not rows.n_embedded:
        return 1.0, 1.0  # the only table is the one of the words
    draws = plan_draws(rows, weights, batch_size)
    rate = stable_rate(rows, draws.row_numbers(), draws.weights, batch_size)
    slow_down = 1.0
    if len(draws) > len(rows):
        usual = stable_rate(rows, rows.rows, np.ones_like(weights), batch_size)
        slow_down = rate / usual if rate < SLOW_TABLES * usual else 1.0
    return rate * float(np.clip((n_classes / USUAL_CLASSES) ** (1 / 3), 0.5, 2.0)), slow_down


def learns_margins(network: ContextMemoryNet, penalties: Penalties, n_rows: int) -> bool:
    """Return whether the wide path learns the margin of each class, see ContextMemoryLoss.

    This is for sparse features alone, without context, and one of several classes with enough rows.
    Where the table has a penalty, labels are noisy, and there is no reliable gain: emotions without
    their context lose .3 points, dialogue moves .1, and abstracts gain .4.
    """
    has_others = network.has_memory or network.pooling is not None or network.multilabel
    has_dense = network.dense is not None or network.embedded is not None
    if has_others or has_dense or not network.sparse or penalties.table:
        return False
    n_classes = network.decoder.out_features
    return n_classes >= FEWEST_CLASSES and n_rows >= ROWS_OF_A_CLASS * n_classes


def check_same_sizes(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise unless a network of these sizes can continue from the weights of another."""
    changed = [name for name in now if now[name] != before[name] and name != "dropout_rate"]
    if changed:
        changes = ", ".join(f"{name} from {before[name]} to {now[name]}" for name in changed)
        raise ValueError(
            f"warm_start=True cannot change the network ({changes}); pass warm_start=False to "
            "start anew."
        )
