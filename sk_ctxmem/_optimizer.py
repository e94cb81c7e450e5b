"""The optimiser of the network, and the rate at which it trains the tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import nn

LARGEST_DENSE_GRADIENT = 5.0
WEIGHT_DECAY = 0.01
CURVATURE_ROUNDS = 15


class TwoRateOptimizer(torch.optim.Optimizer):
    """Plain SGD on the tables, AdamW on the rest.

    An adaptive optimiser gives an n-gram seen three times the same step as one seen ten
    thousand times, and the rare ones overfit. Plain SGD does not, and it touches no more of a
    table than the batch does.

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
    """

    def __init__(self, params: Any, lr: float, tables: list[nn.Parameter], table_lr: float) -> None:
        table_ids = {id(table) for table in tables}
        flat = [parameter for group in params for parameter in group["params"]]
        rest = [parameter for parameter in flat if id(parameter) not in table_ids]
        self.dense = torch.optim.AdamW(rest, lr=lr, weight_decay=WEIGHT_DECAY)
        groups: list[dict[str, Any]] = [{"params": rest, "lr": lr}]
        if tables:
            groups.append({"params": tables, "lr": table_lr})
        super().__init__(groups, {})
        self.tables = tables
        for group in self.param_groups:
            group["initial_lr"] = group["lr"]

    def set_decay(self, factor: float) -> None:
        """Set all rates to a share of the initial ones."""
        for group in self.param_groups:
            group["lr"] = factor * group["initial_lr"]
        self.dense.param_groups[0]["lr"] = self.param_groups[0]["lr"]

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take one step."""
        with torch.enable_grad():
            loss = None if closure is None else closure()
        nn.utils.clip_grad_norm_(self.param_groups[0]["params"], LARGEST_DENSE_GRADIENT)
        self.dense.step()
        for table in self.tables:
            if table.grad is not None:
                table.add_(table.grad, alpha=-self.param_groups[1]["lr"])
        return loss


def stable_rate(X: sparse.csr_array, weights: np.ndarray, batch_size: int) -> float:
    """Return the rate at which plain SGD on softmax regression is about to become unstable.

    The curvature of softmax regression is at most half the largest eigenvalue of the weighted
    mean of x xᵀ, and descent is stable up to 2 over the curvature (Böhning, 1992). The mean of
    x xᵀ over one batch has an eigenvalue of at least that of its largest row divided by the batch
    size. Weights are left out of that second bound: a few heavy rows would slow down all others,
    while a step too long for such a row ends where the softmax has no gradient.

    Parameters
    ----------
    X : csr_array of shape (n_rows, n_features)
        The features to learn from.
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
    largest_row = float(X.multiply(X).sum(axis=1).max(initial=0.0))
    eigenvalue = _largest_eigenvalue(X.multiply(np.sqrt(weights)[:, np.newaxis]).tocsr())
    curvature = max(eigenvalue, largest_row / batch_size)
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
