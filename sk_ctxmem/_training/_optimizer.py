"""The optimiser of the network, and the rate at which it trains the tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import nn
from torch.optim.adamw import adamw

from .._features._csr import squared_norms

LARGEST_DENSE_GRADIENT = 5.0
WEIGHT_DECAY = 0.01
CURVATURE_ROUNDS, CURVATURE_ROWS = 15, 2048  # so many rows give the rate to 3 %


class TwoRateOptimizer:
    """Plain SGD on the tables, AdamW on the rest.

    An adaptive optimiser gives an n-gram seen three times the same step as one seen ten
    thousand times, and the rare ones overfit. Plain SGD does not, and it touches no more of a
    table than the batch does.

    It does not inherit from :class:`torch.optim.Optimizer`: the first one of those in a process
    imports torch's compiler, which takes longer than the whole of a small fit.

    Parameters
    ----------
    params : list of dict
        All weights of the network, in groups.
    lr : float
        Rate of AdamW.
    tables : list of Parameter
        Those of `params` that plain SGD trains.
    table_lr : float
        Its rate.

    References
    ----------
    Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR 2019.
    """

    def __init__(self, params: Any, lr: float, tables: list[nn.Parameter], table_lr: float) -> None:
        table_ids = {id(table) for table in tables}
        flat = [parameter for group in params for parameter in group["params"]]
        self.dense = [parameter for parameter in flat if id(parameter) not in table_ids]
        self.tables = tables
        self.lr = lr
        self.table_lr = table_lr
        self.decay = 1.0
        self.means = [torch.zeros_like(parameter) for parameter in self.dense]
        self.squares = [torch.zeros_like(parameter) for parameter in self.dense]
        self.steps = [
            torch.zeros((), dtype=torch.float32, device=parameter.device)
            for parameter in self.dense
        ]

    def state(self) -> dict[str, list[torch.Tensor]]:
        """Return what steps change, beside the weights."""
        return {"means": self.means, "squares": self.squares, "steps": self.steps}

    def set_decay(self, factor: float) -> None:
        """Set all rates to a share of the initial ones."""
        self.decay = factor

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.dense + self.tables:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Take one step."""
        for table in self.tables:
            if table.grad is not None:
                table.add_(table.grad, alpha=-self.decay * self.table_lr)
        trained = [place for place, p in enumerate(self.dense) if p.grad is not None]
        if trained:
            self._step_dense(trained)

    def _step_dense(self, trained: list[int]) -> None:
        """Clip the gradients of some dense weights, and take a step of AdamW."""
        gradients = [self.dense[place].grad for place in trained]
        lengths = torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients])
        excess = torch.linalg.vector_norm(lengths) / LARGEST_DENSE_GRADIENT
        adamw(
            [self.dense[place] for place in trained],
            gradients,
            [self.means[place] for place in trained],
            [self.squares[place] for place in trained],
            [],
            [self.steps[place] for place in trained],
            fused=True,
            grad_scale=excess.clamp(min=1.0),  # by which gradients are divided
            found_inf=excess.new_zeros(()),
            amsgrad=False,
            maximize=False,
            lr=self.decay * self.lr,
            beta1=0.9,
            beta2=0.999,
            weight_decay=WEIGHT_DECAY,
            eps=1e-8,
        )


def stable_rate(
    X: sparse.csr_array, rows: np.ndarray, weights: np.ndarray, batch_size: int
) -> float:
    """Return the rate at which plain SGD on softmax regression is about to become unstable.

    The curvature of softmax regression is at most half the largest eigenvalue of the weighted
    mean of x xᵀ, and descent is stable up to 2 over the curvature (Böhning, 1992). The mean of
    x xᵀ over one batch has an eigenvalue of at least that of its largest row divided by the batch
    size. Weights are left out of that second bound: a few heavy rows would slow down all others,
    while a step too long for such a row ends where the softmax has no gradient.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_features)
        The features.
    rows : ndarray of int
        The rows to learn from. The eigenvalue is that of CURVATURE_ROWS of them.
    weights : ndarray of shape (n_rows,)
        Weights of the rows, with a mean of 1.
    batch_size : int
        Number of rows in a step.

    Returns
    -------
    rate : float
        Learning rate for the mean loss of a batch.

    References
    ----------
    Böhning, D. (1992). Multinomial logistic regression algorithm. Annals of the Institute of
    Statistical Mathematics 44 (1), 197-200.
    """
    largest_row = squared_norms(X.data, X.indptr)[rows].max()
    chosen = rows[:: -(-len(rows) // CURVATURE_ROWS)]  # enough for a mean
    X = X[chosen]
    X.data *= np.repeat(np.sqrt(weights[chosen]).astype(np.float32), np.diff(X.indptr))
    curvature = max(_largest_eigenvalue(X), float(largest_row) / batch_size)
    return 4.0 / curvature if curvature > 0 else 1.0


def _largest_eigenvalue(X: sparse.csr_array) -> float:
    """Return the largest eigenvalue of XᵀX / n_rows, by power iteration."""
    direction = np.asarray(abs(X).sum(axis=0), dtype=np.float32).ravel()
    eigenvalue = 0.0
    for _ in range(CURVATURE_ROUNDS):
        length = np.linalg.norm(direction)
        if length == 0:
            return 0.0
        direction = X.T @ (X @ (direction / length)) / X.shape[0]
        eigenvalue = float(np.linalg.norm(direction))
    return eigenvalue
