"""Training of the network by skorch; the only module that imports it."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping
from skorch.helper import predefined_split
from torch import Tensor
from tqdm.auto import tqdm

from ._batches import RowSet
from ._loss import ContextMemoryLoss
from ._modules import ContextMemoryNet
from ._optimizer import TwoRateOptimizer, stable_rate
from ._runtime import one_thread
from ._training_rows import BatchIterator, TrainingRows
from .exceptions import TrainingDivergedError

LOWEST_RATE = 0.02  # of the initial rate, at the end of the linear decay
# Without a memory hardly more than the decoder is left of the dense weights, and it learns too
# slowly at a rate that is right for a memory: going from 0.003 to 0.009 gained 0.3 to 1 points on
# corpora of 23 to 77 classes, and changed nothing where classes were few.
RATE_WITHOUT_MEMORY = 1.5
# The more classes there are, the fewer of the rows each has to learn from, and the farther is the
# rate from being too high: 0.3 to 0.8 points are gained so on corpora of 23 to 77 classes, and on
# movie sentences of two classes as much by a lower rate.
USUAL_CLASSES = 8
MIN_STEPS, MIN_BATCH_SIZE = 50, 4  # an epoch on small data has as many steps as these allow
PREDICTION_BATCH_SIZE = 4096


class LinearDecay(Callback):
    """Lower all rates linearly, batch by batch."""

    def __init__(self, n_steps: int) -> None:
        self.n_steps = n_steps

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Start from the full rates."""
        self.steps_done_ = 0

    def on_batch_begin(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        """Set the rates of the coming step."""
        if training:
            share_left = 1 - self.steps_done_ / self.n_steps
            net.optimizer_.set_decay(max(LOWEST_RATE, share_left))
            self.steps_done_ += 1


class EpochMeans(Callback):
    """Record the mean loss per row and the validation score, and stop on a loss not finite."""

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Forget the epoch before."""
        self.sums_ = {True: np.zeros(3), False: np.zeros(3)}  # loss, hits, weight

    def on_batch_end(
        self,
        net: NeuralNet,
        batch: Any = None,
        training: bool = False,
        loss: Any = None,
        y_pred: Any = None,
        **kwargs: Any,
    ) -> None:
        """Add a batch."""
        targets, weights = (part.to(net.device) for part in batch[1])
        hits = y_pred[0].detach().argmax(dim=1) == targets
        sums = [loss, net.criterion_.last_sum, hits.to(weights.dtype) @ weights, weights.sum()]
        whole, *parts = torch.stack(sums).tolist()
        if not np.isfinite(whole):
            raise TrainingDivergedError(
                f"The loss is {whole} in epoch {len(net.history)}, batch "
                f"{len(net.history[-1]['batches'])}; scale the features, or lower learning_rate."
            )
        self.sums_[training] += parts

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Record the means."""
        for training, name in ((True, "train"), (False, "valid")):
            loss, hits, weight = self.sums_[training]
            net.history.record(f"mean_{name}_loss", loss / weight if weight else np.nan)
            net.history.record(f"{name}_score", hits / weight if weight else np.nan)


class BestWeights(Callback):
    """Go back, after training, to the weights of the epoch with the best validation score.

    They are copied only when another epoch is about to change them, into the memory of the copy
    before: a table of n-grams can be most of what a fit holds.
    """

    def __init__(self, stopping: EarlyStopping) -> None:
        self.stopping = stopping

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Start without a copy."""
        self.copies_: list[Tensor] = []

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Copy the weights if the epoch before was the best so far."""
        n_done = len(net.history) - 1
        if n_done and self.stopping.best_epoch_ == n_done:
            weights = net.module_.state_dict().values()
            if not self.copies_:
                self.copies_ = [weight.clone() for weight in weights]
            for copy, weight in zip(self.copies_, weights, strict=True):
                copy.copy_(weight)

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Restore the copy, unless the last epoch was the best."""
        if self.copies_ and self.stopping.best_epoch_ != len(net.history):
            for weight, copy in zip(net.module_.state_dict().values(), self.copies_, strict=True):
                weight.copy_(copy)


class AverageWeights(Callback):
    """Replace the weights, after training, by their mean over the ends of the epochs but the first.

    Where rows see one another, the last epochs learn noisy labels by heart, group by group. The
    mean is a point of accuracy better on abstracts, and its probabilities can be trusted more;
    where rows stand alone it changes nothing, and would take time and memory for a second table.

    References
    ----------
    Izmailov, P. et al. (2018). Averaging weights leads to wider optima and better generalization.
    UAI 2018.
    """

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Start without a mean."""
        self.means_: list[Tensor] = []

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Add the weights as they stand."""
        n_before = len(net.history) - 2
        weights = net.module_.state_dict().values()
        if n_before == 0:
            self.means_ = [weight.clone() for weight in weights]
        for mean, weight in zip(self.means_, weights, strict=False):
            mean.lerp_(weight, 1 / (n_before + 1))

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Take the mean, if there is one."""
        for weight, mean in zip(net.module_.state_dict().values(), self.means_, strict=False):
            weight.copy_(mean)


class ProgressBar(Callback):
    """A bar over all rows of all epochs, with the last losses and score beside it."""

    def __init__(self, n_rows: int) -> None:
        self.n_rows = n_rows

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Draw the empty bar."""
        self.bar_ = tqdm(total=self.n_rows, unit=" rows", unit_scale=True, dynamic_ncols=True)

    def on_batch_end(
        self, net: NeuralNet, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Move on by the rows of a batch."""
        if training:
            self.bar_.update(len(batch[0]))

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Show what the epoch reached."""
        last = net.history[-1]
        self.bar_.set_description(f"epoch {len(net.history)}")
        shown = {"train_loss": last["mean_train_loss"]}
        if not np.isnan(last["valid_score"]):
            shown |= {"valid_loss": last["mean_valid_loss"], "valid_score": last["valid_score"]}
        self.bar_.set_postfix({name: f"{value:.3f}" for name, value in shown.items()})

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Leave the bar as it stands."""
        self.bar_.close()


class Trainer(NeuralNet):
    """skorch's training loop over batches of whole groups."""

    def fit_loop(self, *args: Any, **kwargs: Any) -> Any:
        """Remember an interrupt, which skorch swallows: early stopping is one too."""
        self.interrupted_ = False
        try:
            return super().fit_loop(*args, **kwargs)
        except KeyboardInterrupt:
            stopping = [c for _, c in self.callbacks_ if isinstance(c, EarlyStopping)]
            self.interrupted_ = all(c.misses_ < c.patience for c in stopping)
            raise

    def train_step(self, batch: Any, **fit_params: Any) -> Any:
        """Take one step; skorch's own knows optimisers of torch's class only."""
        self.optimizer_.zero_grad()
        with torch.enable_grad():  # also where the caller has switched gradients off
            step = self.train_step_single(batch, **fit_params)
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
    train_rows: TrainingRows,
    valid_rows: TrainingRows | None,
    *,
    max_epochs: int,
    batch_size: int,
    learning_rate: float,
    n_iter_no_change: int | None,
    device: str,
    verbose: int,
) -> pd.DataFrame:
    """Train a network in place.

    Parameters
    ----------
    network : ContextMemoryNet
        The network, on any device; it is on `device` afterwards.
    train_rows, valid_rows : TrainingRows
        What to learn from, and what the best epoch is chosen by.
    max_epochs, batch_size, learning_rate, n_iter_no_change, verbose : int or float
        As in ContextMemoryClassifier.
    device : str
        A device of torch.

    Returns
    -------
    history : DataFrame of shape (n_epochs, 5)
        Columns epoch, train_loss, valid_loss, valid_score and seconds.

    Raises
    ------
    TrainingDivergedError
        If the loss is no longer finite.
    """
    batch_size = min(batch_size, max(MIN_BATCH_SIZE, len(train_rows) // MIN_STEPS))
    trainer = Trainer(
        module=network,
        criterion=ContextMemoryLoss(batch_size),
        optimizer=partial(
            TwoRateOptimizer,
            tables=network.tables,
            table_lr=_table_rate(train_rows, batch_size, network.decoder.out_features),
        ),
        lr=learning_rate * (1.0 if network.has_memory else RATE_WITHOUT_MEMORY),
        max_epochs=max_epochs,
        batch_size=batch_size,
        iterator_train=BatchIterator,
        iterator_valid=BatchIterator,
        iterator_valid__batch_size=PREDICTION_BATCH_SIZE,
        train_split=None if valid_rows is None else predefined_split(valid_rows),
        callbacks=_make_callbacks(
            network, len(train_rows), batch_size, max_epochs, valid_rows, n_iter_no_change, verbose
        ),
        callbacks__print_log=None,
        callbacks__train_loss=None,
        callbacks__valid_loss=None,
        verbose=0,
        device=device,
    )
    with one_thread():
        trainer.fit(train_rows)
    if trainer.interrupted_:
        raise KeyboardInterrupt
    if not all(torch.isfinite(weight.sum()) for weight in network.parameters()):
        raise TrainingDivergedError(
            "The last step made weights that are not finite; scale the features, or lower "
            f"learning_rate={learning_rate!r}."
        )
    return _history_frame(trainer.history)


def _make_callbacks(
    network: ContextMemoryNet,
    n_rows: int,
    batch_size: int,
    max_epochs: int,
    valid_rows: TrainingRows | None,
    n_iter_no_change: int | None,
    verbose: int,
) -> list[Callback]:
    """Return what happens beside the steps: rates, means, the weights that are kept, the bar."""
    n_steps = max_epochs * -(-n_rows // batch_size)
    callbacks: list[Callback] = [LinearDecay(n_steps), EpochMeans()]
    if valid_rows is not None:
        stopping = _early_stopping(n_iter_no_change, max_epochs)
        callbacks += [stopping, BestWeights(stopping)]
    elif network.memory is not None:
        callbacks.append(AverageWeights())
    if verbose:
        callbacks.append(ProgressBar(max_epochs * n_rows))
    return callbacks


def _table_rate(data: TrainingRows, batch_size: int, n_classes: int) -> float:
    """Return the rate of plain SGD; that of the wide path is good for all tables."""
    if isinstance(data.rows.features, np.ndarray):
        return 1.0  # the only table is that of the words
    rows, weights = data.rows.rows, data.weights.numpy()
    rate = stable_rate(data.rows.features, rows, weights, batch_size)
    return rate * float(np.clip((n_classes / USUAL_CLASSES) ** (1 / 3), 0.5, 2.0))


def _early_stopping(patience: int | None, max_epochs: int) -> EarlyStopping:
    """Stop after epochs without a better validation score."""
    return EarlyStopping(
        monitor="valid_score",
        lower_is_better=False,
        patience=patience or max_epochs,
        threshold=0.0,
        threshold_mode="abs",
        sink=lambda message: None,
    )


def _history_frame(history: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "epoch": history[:, "epoch"],
            "train_loss": history[:, "mean_train_loss"],
            "valid_loss": history[:, "mean_valid_loss"],
            "valid_score": history[:, "valid_score"],
            "seconds": history[:, "dur"],
        }
    )


def predict_logits(network: ContextMemoryNet, rows: RowSet, device: str) -> np.ndarray:
    """Return the logits of all rows.

    Parameters
    ----------
    network : ContextMemoryNet
        A trained network, on `device`.
    rows : RowSet
        The rows.
    device : str
        A device of torch.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_classes), float64
        In the caller's order.
    """
    logits = np.empty((len(rows), network.decoder.out_features))
    with one_thread(), torch.inference_mode():
        for places, batch in rows.batches(PREDICTION_BATCH_SIZE):
            logits[places] = network(batch.to(device))[0].double().cpu().numpy()
    return logits


def extend_history(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Append the epochs of a fit that went on from another."""
    after = after.assign(epoch=after["epoch"] + len(before))
    return pd.concat([before, after], ignore_index=True)


def check_same_sizes(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Raise unless a network of these sizes can go on from the weights of another."""
    changed = [name for name in now if now[name] != before[name] and name != "dropout_rate"]
    if changed:
        changes = ", ".join(f"{name} from {before[name]} to {now[name]}" for name in changed)
        raise ValueError(
            f"warm_start=True cannot change the network ({changes}); pass warm_start=False to "
            "start anew."
        )
