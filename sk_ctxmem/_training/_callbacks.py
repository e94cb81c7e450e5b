"""The callbacks of this package: learning rates, means of epochs, and the weights that are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from torch import Tensor

from .._messages import doc_link
from .._model._outputs import outputs_of
from .._model._predict import batch_logits
from ..exceptions import TrainingDivergedError
from ._calibration import fit_temperature
from ._dataset import TrainingRows
from ._early_stopping import NoBetterScore

LOWEST_RATE = 0.02  # share of the initial rate at the end of the linear decay


class LinearDecay(Callback):
    """Lower the learning rates of all groups linearly, batch by batch.

    Parameters
    ----------
    n_steps : int
        Number of steps of the whole fit.
    """

    kept = ("steps_done_",)

    def __init__(self, n_steps: int) -> None:
        self.n_steps = n_steps

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Start from the initial rates."""
        self.steps_done_ = 0

    def on_batch_begin(self, net: NeuralNet, training: bool = False, **kwargs: Any) -> None:
        """Set the rates of the next step."""
        if training:
            share_left = 1 - self.steps_done_ / self.n_steps
            for group in net.optimizer_.param_groups:
                group["lr"] = max(LOWEST_RATE, share_left) * group["initial_lr"]
            self.steps_done_ += 1


class FoldFactors(Callback):
    """Fold the factors of the feature table into its weights at the end of each epoch."""

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Fold before other callbacks read the weights."""
        net.module_.table.fold()

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Fold after an epoch that was interrupted."""
        net.module_.table.fold()


class EpochMeans(Callback):
    """Record mean losses and the validation score; raise if the loss is not finite."""

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Reset the sums."""
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
        """Add the loss, the correct rows and the weight of a batch."""
        targets, weights = (part.to(net.device) for part in batch[1])
        hits = outputs_of(net.module_.multilabel).hits(y_pred[0].detach(), targets)
        sums = [loss, net.criterion_.last_sum, hits.to(weights.dtype) @ weights, weights.sum()]
        whole, *parts = torch.stack(sums).tolist()
        if not np.isfinite(whole):
            raise TrainingDivergedError(
                f"The loss is {whole} in epoch {len(net.history)}, batch "
                f"{len(net.history[-1]['batches'])}; scale the features, or lower learning_rate."
                + doc_link("training-diverged")
            )
        self.sums_[training] += parts

    def on_epoch_end(self, net: NeuralNet, dataset_valid: Any = None, **kwargs: Any) -> None:
        """Record the means under the names that the callbacks of skorch use."""
        sums = net.processes.all_reduce(np.stack([self.sums_[True], self.sums_[False]]))
        loss, _, weight = sums[0]
        _record(net.history, "train_loss", loss / weight if weight else np.nan, min)
        if dataset_valid is not None:
            loss, hits, weight = sums[1]
            _record(net.history, "valid_loss", loss / weight if weight else np.nan, min)
            _record(net.history, "valid_score", hits / weight if weight else np.nan, max)


def _record(history: Any, name: str, value: float, best: Callable[..., float]) -> None:
    """Record a value of the epoch, and whether it is better than all values before."""
    before = [row[name] for row in history[:-1]]
    history.record(name, float(value))
    is_best = not before or (value not in before and best(value, *before) == value)
    history.record(f"{name}_best", bool(is_best))


class KeptWeights(Callback):
    """Other weights, which replace the trained ones at the end of training."""

    def swap(self, net: NeuralNet) -> None:
        """Exchange the other weights and the trained ones."""
        raise NotImplementedError

    def on_train_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Put the other weights, if there are any, into the network."""
        self.swap(net)

    @contextmanager
    def so_far(self, net: NeuralNet) -> Iterator[None]:
        """Give the network the weights that training would end with now, for a while."""
        self.swap(net)
        try:
            yield
        finally:
            self.swap(net)


def _exchange(net: NeuralNet, others: list[Tensor]) -> None:
    """Exchange weights with others, one tensor at a time, as tables are large."""
    for weight, other in zip(net.module_.state_dict().values(), others, strict=False):
        kept = weight.clone()
        weight.copy_(other)
        other.copy_(kept)


class BestWeights(KeptWeights):
    """Restore the weights of the epoch with the best validation score after training.

    They are copied only when another epoch is about to change them, into the memory of the last
    copy: the table of n-grams can take most of the memory of a fit.
    """

    kept = ("copies_",)

    def __init__(self, stopping: NoBetterScore) -> None:
        self.stopping = stopping

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Start without a copy."""
        self.copies_: list[Tensor] = []

    def on_epoch_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Copy the weights if the last epoch was the best so far."""
        n_done = len(net.history) - 1
        if n_done and self.stopping.best_epoch_ == n_done:
            weights = net.module_.state_dict().values()
            if not self.copies_:
                self.copies_ = [weight.clone() for weight in weights]
            for copy, weight in zip(self.copies_, weights, strict=True):
                copy.copy_(weight)

    def swap(self, net: NeuralNet) -> None:
        """Exchange the copy and the weights, unless the last epoch was the best."""
        if self.stopping.best_epoch_ != len(net.history):
            _exchange(net, self.copies_)


class AverageWeights(KeptWeights):
    """Replace the weights by their mean over the ends of all epochs but the first.

    With context, the last epochs memorize noisy labels, group by group. The mean is more accurate
    by a point on abstracts, and better calibrated. For rows without context it changes nothing,
    and would take the time and memory of a second table.

    References
    ----------
    Izmailov, P. et al. (2018). Averaging weights leads to wider optima and better generalization.
    UAI 2018.
    """

    kept = ("means_",)

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Start without a mean."""
        self.means_: list[Tensor] = []

    def on_epoch_end(self, net: NeuralNet, **kwargs: Any) -> None:
        """Add the current weights to the mean."""
        n_before = len(net.history) - 2
        weights = net.module_.state_dict().values()
        if n_before == 0:
            self.means_ = [weight.clone() for weight in weights]
        for mean, weight in zip(self.means_, weights, strict=False):
            mean.lerp_(weight, 1 / (n_before + 1))

    def swap(self, net: NeuralNet) -> None:
        """Exchange the weights and their means."""
        _exchange(net, self.means_)


class CalibrationRows(Callback):
    """Fit the temperature on rows that were held back, then train on them in the last epoch.

    The temperature fits the weights at the beginning of the last epoch, and ignores the changes of
    that epoch, which has the lowest rates.

    Parameters
    ----------
    rows : TrainingRows
        The rows that were held back.
    last_epoch : int
        Number of the last epoch, from 1.
    averaging : AverageWeights or None
        Has the mean of the weights, if it replaces them after training.
    """

    def __init__(
        self, rows: TrainingRows, last_epoch: int, averaging: AverageWeights | None
    ) -> None:
        self.rows = rows
        self.last_epoch = last_epoch
        self.averaging = averaging

    def on_train_begin(self, net: NeuralNet, **kwargs: Any) -> None:
        """Start without a temperature."""
        self.temperature_: float | None = None

    def on_epoch_begin(self, net: NeuralNet, dataset_train: Any = None, **kwargs: Any) -> None:
        """Fit the temperature, then release the rows for training."""
        if len(net.history) == self.last_epoch:
            with self.averaging.so_far(net) if self.averaging else nullcontext():
                self.temperature_ = measure_temperature(net, self.rows)
            dataset_train.release()


def measure_temperature(net: NeuralNet, rows: TrainingRows) -> float:
    """Return the temperature of a network, fitted on rows that it was not trained on."""
    net.module_.eval()
    logits = [np.empty((0, net.module_.decoder.out_features))]  # a process may have no row
    n_labels = [logits[0].shape[1]] if net.module_.multilabel else []
    targets = [np.empty((0, *n_labels), dtype=np.int64)]
    weights = [np.empty(0, dtype=np.float32)]
    for numbers, of_batch in batch_logits(net.module_, rows.rows, net.device):
        logits.append(of_batch)
        targets.append(rows.targets[numbers].numpy())
        weights.append(rows.weights[numbers].numpy())
    own = [np.concatenate(parts) for parts in (logits, targets, weights)]
    of_rows, truth, counted = net.processes.gather(own)
    label_weights = net.criterion_.label_weights if net.module_.multilabel else None
    label_weights = None if label_weights is None else label_weights.cpu().numpy()
    return fit_temperature(of_rows, truth, counted, label_weights)
