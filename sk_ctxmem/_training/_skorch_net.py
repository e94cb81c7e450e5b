"""The net of skorch: its training loop with the parts of this package."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from skorch import NeuralNet
from skorch.callbacks import Callback, PrintLog
from skorch.helper import predefined_split
from torch import Tensor

from .._model._outputs import outputs_of
from .._model._predict import PREDICTION_BATCH_SIZE
from .._network._loss import LABEL_SMOOTHING, SMOOTHING_ALONE, ContextMemoryLoss
from .._network._net import ContextMemoryNet
from ._dataset import BatchIterator, TrainingRows
from ._early_stopping import StopTraining
from ._optimizer import FixedWidePath, ShrunkEmbedding, ShrunkTable, TwoRateOptimizer
from ._penalties import NO_PENALTIES, Penalties
from ._processes import OneProcess

# Without a memory, the decoder is almost all that is left of the dense weights, and the rate that
# suits a memory is too low for it: going from 0.003 to 0.009 gained 0.3 to 1 points on corpora of
# 23 to 77 classes, and changed nothing with few classes.
RATE_WITHOUT_MEMORY = 1.5
# Sigmoids of several labels, most of them rare, learn more slowly than a softmax. In context, twice
# the rate gains .2 points of micro-F1 on abstracts and on 930 dialogues, and nothing on 2,800.
# Without context, acts gain .4 and abstracts lose .2.
RATE_OF_SEVERAL_LABELS = 2.0

ENCODER_PENALTY = 2.0  # times that of the wide path
# Of what the wide path of dense features leaves. As large as that of the wide path, nothing is
# learned of it, and questions lose half a point; a tenth of this loses 2.5 points on emotions.
RESIDUAL_PENALTY = 0.1


def _of_both_parts(penalty: float) -> tuple[float, float]:
    """Return the penalties of the columns for the encoder and for the wide path."""
    return ENCODER_PENALTY * penalty, penalty


def _choose_smoothing(network: ContextMemoryNet, *, margins: bool) -> float:
    """Return the label smoothing: more where margins are learned, none for sequences of texts.

    Their rows are pooled, which film reviews need no more smoothing for: without it, they gain .6
    points and their log loss falls by 5 %. Images and recordings lose .2 without it.
    """
    if margins:
        return SMOOTHING_ALONE
    return 0.0 if network.pooling is not None and network.sparse else LABEL_SMOOTHING


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
        """Return the number of the most probable class of each row, or indicators of labels."""
        return outputs_of(self.module_.multilabel).decide(self.predict_proba(X))

    @available_if(lambda net: net.module_.multilabel)
    def decision_function(self, X: Any) -> np.ndarray:
        """Return what orders the rows of each label, their probabilities, for scores of ranks.

        Of probabilities of two labels, scikit-learn's scorers take the second column alone, as if
        they were two classes; those of ranks, such as "roc_auc", prefer this and take it whole.
        """
        return self.predict_proba(X)


def _choose_rate(network: ContextMemoryNet, learning_rate: float) -> float:
    """Return the learning rate of AdamW for this kind of network."""
    if not network.has_memory:
        return learning_rate * RATE_WITHOUT_MEMORY
    in_context = network.memory is not None
    return learning_rate * (RATE_OF_SEVERAL_LABELS if network.multilabel and in_context else 1.0)


def make_trainer(
    network: ContextMemoryNet,
    valid_rows: TrainingRows | None,
    callbacks: list[Callback],
    *,
    max_epochs: int,
    batch_size: int,
    learning_rate: float,
    table_rate: float,
    penalties: Penalties = NO_PENALTIES,
    fixed_penalty: float | None = None,
    label_weights: np.ndarray | None = None,
    margins: bool = False,
    device: str,
    user_callbacks: list[Callback],
) -> Trainer:
    """Return a net of skorch with the batches, loss, optimizer and callbacks of this package.

    skorch's PrintLog prints only if the net is verbose. `penalties` are those of the mean loss. So
    is `fixed_penalty`, that of a wide path that is given and stays; None if it is trained.
    `margins` are those of ContextMemoryLoss.
    """
    shrunk: list[ShrunkTable] = []
    if penalties.table and network.sparse:
        shrunk.append(ShrunkTable(network.table, _of_both_parts(penalties.table)))
    if penalties.embedding and network.embedded is not None:
        shrunk.append(ShrunkEmbedding(network.embedded, _of_both_parts(penalties.embedding)))
    fixed = None
    if fixed_penalty is not None:
        fixed = FixedWidePath(network, RESIDUAL_PENALTY * fixed_penalty)
    return Trainer(
        module=network,
        criterion=ContextMemoryLoss(
            batch_size,
            residual=fixed is not None,
            label_weights=None if label_weights is None else torch.from_numpy(label_weights),
            smoothing=_choose_smoothing(network, margins=margins),
            margins=margins,
        ),
        optimizer=partial(
            TwoRateOptimizer,
            tables=network.plain_weights,
            table_lr=table_rate,
            shrunk=shrunk,
            fixed=fixed,
        ),
        lr=_choose_rate(network, learning_rate),
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
        predict_nonlinearity=outputs_of(network.multilabel).nonlinearity,
        verbose=int(any(isinstance(callback, PrintLog) for callback in user_callbacks)),
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
