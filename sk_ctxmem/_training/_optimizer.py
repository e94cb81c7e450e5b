"""The optimizer of the network, and the learning rate of its tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from scipy import sparse
from torch import nn
from torch.optim.adamw import adamw

from .._features._csr import squared_norms
from .._network._encoder import FeatureTable
from .._network._net import ContextMemoryNet
from .._rows._row_set import RowSet

LARGEST_DENSE_GRADIENT = 5.0
BETAS, EPSILON, WEIGHT_DECAY = (0.9, 0.999), 1e-8, 0.01
SMALLEST_KEPT = 0.5  # share of a weight that a step keeps, however large its penalty
SMALLEST_FACTOR = 1e-3  # below, the weights before the factors would lose digits
CURVATURE_ROUNDS, CURVATURE_ROWS = 15, 2048  # this many rows give the rate to within 3 %


class ShrunkTable:
    """Plain SGD with an L2 penalty on a feature table, at the cost of plain SGD.

    A step multiplies all weights by 1 - rate x penalty. This is a product of the factors of the
    table, not of its weights, so that a step still reads and updates only the rows of the features
    in its batch.

    Parameters
    ----------
    table : FeatureTable
        The table, with sparse gradients.
    penalties : tuple of two float
        Penalty of the columns for the encoder, and for the wide path: coefficients of half the
        sum of squares in the mean loss of a row.

    References
    ----------
    Bottou, L. (2012). Stochastic gradient descent tricks. In: Neural networks: tricks of the
    trade, section 5.1.
    """

    def __init__(self, table: FeatureTable, penalties: tuple[float, float]) -> None:
        self.table = table
        self.penalties = penalties

    def step(self, rate: float) -> None:
        """Take one step, unless there is no gradient: then the table is frozen."""
        table, before = self.table, self.table.factors
        gradient = table.weight.grad
        if gradient is None:
            return
        first, second = (
            factor * max(SMALLEST_KEPT, 1 - rate * penalty)
            for factor, penalty in zip(before, self.penalties, strict=True)
        )
        table.factors = (first, second)
        # the gradient is that of the weights before the factors
        values = gradient._values() if gradient.is_sparse else gradient  # dense: by a callback
        parts = values.split(table.widths, dim=1)
        for part, old, new in zip(parts, before, table.factors, strict=True):
            part.div_(old * new)
        table.weight.add_(gradient, alpha=-rate)
        if min(table.factors) < SMALLEST_FACTOR:
            table.fold()


class ShrunkEmbedding(ShrunkTable):
    """The same for the weights of embeddings, whose gradients are dense.

    Parameters
    ----------
    table : FeatureTable
        The weights of the embeddings.
    penalties : tuple of two float
        As in ShrunkTable.
    """

    def step(self, rate: float) -> None:
        """Take one step, unless there is no gradient."""
        weight = self.table.weight
        if weight.grad is None:
            return
        parts = weight.split(self.table.widths, dim=1)
        for part, penalty in zip(parts, self.penalties, strict=True):
            part.mul_(max(SMALLEST_KEPT, 1 - rate * penalty))
        weight.add_(weight.grad, alpha=-rate)


class FixedWidePath:
    """Keeps the wide path of dense features, with an L2 penalty on what learns the rest.

    The penalty of the encoder's weights and of the decoder's leaves nothing of both where the rest
    is noise (Srebro et al., 2005).

    Parameters
    ----------
    network : ContextMemoryNet
        A network of dense features alone.
    penalty : float
        Coefficient of half the sum of squares in the mean loss of a row.

    References
    ----------
    Srebro, N., Rennie, J. and Jaakkola, T. (2005). Maximum-margin matrix factorization. Advances
    in neural information processing systems 17.
    """

    def __init__(self, network: ContextMemoryNet, penalty: float) -> None:
        self.table = network.lone_table
        self.decoder = network.decoder
        self.penalty = penalty

    def change_gradients(self) -> None:
        """Add the penalty to the gradients, except for those of the wide path, which become 0."""
        table, decoder = self.table.weight, self.decoder.weight
        for weight in (table, decoder):
            if weight.grad is not None:
                weight.grad.add_(weight, alpha=self.penalty)
        if table.grad is not None:
            table.grad[:, self.table.widths[0] :] = 0


class TwoRateOptimizer(torch.optim.Optimizer):
    """Plain SGD on the tables, AdamW on all other weights.

    An adaptive optimizer takes steps of the same length for an n-gram seen three times and one
    seen ten thousand times, and overfits the rare ones. Plain SGD does not, and it updates only
    the rows of a table that occur in the batch.

    The gradients of the dense weights are clipped to a norm of LARGEST_DENSE_GRADIENT.

    Parameters
    ----------
    params : list of dict
        All weights of the network, in groups, as skorch passes them.
    lr : float
        Initial learning rate of AdamW.
    tables : list of Parameter
        The weights among `params` that are trained by plain SGD.
    table_lr : float
        Initial learning rate of plain SGD.
    shrunk : sequence of ShrunkTable, default=()
        Those among `tables` that have an L2 penalty.
    fixed : FixedWidePath or None, default=None
        The wide path that is not trained. Then the dense weights do not decay.

    Attributes
    ----------
    param_groups : list of two dict
        The group named "dense", then the group named "tables". Each step reads their ``lr``, and
        the other options of AdamW.

    Notes
    -----
    The constructor of :class:`torch.optim.Optimizer` imports torch's compiler the first time it
    is called in a process (its `add_param_group` is wrapped by `torch._disable_dynamo`), and so
    does its `zero_grad`. This takes longer than a small fit. Hence the attributes are set here as
    unpickling sets them, and `zero_grad` is overridden.

    References
    ----------
    Loshchilov, I. and Hutter, F. (2019). Decoupled weight decay regularization. ICLR 2019.
    """

    fixed: FixedWidePath | None = None  # also after unpickling, which sets what torch knows

    def __init__(
        self,
        params: Any,
        lr: float,
        tables: list[nn.Parameter],
        table_lr: float,
        shrunk: Sequence[ShrunkTable] = (),
        fixed: FixedWidePath | None = None,
    ) -> None:
        self.shrunk = {id(each.table.weight): each for each in shrunk}
        self.fixed = fixed
        table_ids = {id(table) for table in tables}
        flat = [parameter for group in params for parameter in group["params"]]
        dense = [parameter for parameter in flat if id(parameter) not in table_ids]
        # Schedulers that cycle the momentum write betas into every group; SGD ignores them.
        decay = WEIGHT_DECAY if fixed is None else 0.0
        options = {"betas": BETAS, "eps": EPSILON, "weight_decay": decay, "fused": True}
        groups = [
            {"name": "dense", "params": dense, "lr": lr, "initial_lr": lr, **options},
            {"name": "tables", "params": tables, "lr": table_lr, "initial_lr": table_lr},
        ]
        groups[1]["betas"] = BETAS
        state = defaultdict(dict, {weight: _new_moments(weight) for weight in dense})
        self.__setstate__({"defaults": dict(options), "state": state, "param_groups": groups})

    @property
    def dense(self) -> list[nn.Parameter]:
        """The weights that are trained by AdamW."""
        return self.param_groups[0]["params"]

    @property
    def tables(self) -> list[nn.Parameter]:
        """The weights that are trained by plain SGD."""
        return self.param_groups[1]["params"]

    def moments(self) -> dict[str, list[torch.Tensor]]:
        """Return the tensors that steps change, except for the weights."""
        names = {"means": "exp_avg", "squares": "exp_avg_sq", "steps": "step"}
        return {
            name: [self.state[weight][key] for weight in self.dense] for name, key in names.items()
        }

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Remove the gradients, or set them to zero."""
        for parameter in self.dense + self.tables:
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = torch.zeros_like(parameter.grad)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step.

        Parameters
        ----------
        closure : callable or None, default=None
            Computes the gradients and returns the loss. It runs with gradients switched on, even
            if the caller has switched them off.

        Returns
        -------
        loss : Tensor or None
            The loss that the closure returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        rate = self.param_groups[1]["lr"]
        for table in self.tables:
            if id(table) in self.shrunk:
                self.shrunk[id(table)].step(rate)
            elif table.grad is not None:
                table.add_(table.grad, alpha=-rate)
        if self.fixed is not None:
            self.fixed.change_gradients()
        trained = [weight for weight in self.dense if weight.grad is not None]
        if trained:
            self._step_dense(trained, self.param_groups[0])
        return loss

    def _step_dense(self, trained: list[nn.Parameter], group: dict[str, Any]) -> None:
        """Clip the gradients of some dense weights, and take a step of AdamW."""
        gradients: list[Any] = [weight.grad for weight in trained]
        lengths = torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients])
        excess = torch.linalg.vector_norm(lengths) / LARGEST_DENSE_GRADIENT
        states = [self.state[weight] for weight in trained]
        adamw(
            trained,  # type: ignore[arg-type]  # torch asks for a list of exactly Tensor
            gradients,
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            grad_scale=excess.clamp(min=1.0),  # the gradients are divided by it
            found_inf=excess.new_zeros(()),
            amsgrad=False,
            maximize=False,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
        )


def _new_moments(weight: nn.Parameter) -> dict[str, torch.Tensor]:
    """Return the state of AdamW for a weight that has taken no step."""
    return {
        "step": torch.zeros((), dtype=torch.float32, device=weight.device),
        "exp_avg": torch.zeros_like(weight),
        "exp_avg_sq": torch.zeros_like(weight),
    }


def stable_rate(data: RowSet, rows: np.ndarray, weights: np.ndarray, batch_size: int) -> float:
    """Return the largest rate at which plain SGD on softmax regression is still stable.

    The curvature of softmax regression is at most half the largest eigenvalue of the weighted
    mean of x xᵀ, and gradient descent is stable up to 2 over the curvature (Böhning, 1992). The
    mean of x xᵀ over one batch has an eigenvalue of at least that of its largest row divided by
    the batch size. The second bound ignores the weights: a few heavy rows would slow down all
    others, while a step that is too long for such a row ends where the softmax has no gradient.

    Parameters
    ----------
    data : RowSet
        Rows with sparse features or embeddings.
    rows : ndarray of int
        The rows that an epoch draws, some of them several times. The eigenvalue is computed from
        CURVATURE_ROWS of them.
    weights : ndarray of shape (n_rows,)
        Weight of each row of `data` each time that it is drawn.
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
    largest_row = _squared_norms(data)[rows].max()
    chosen = rows[:: -(-len(rows) // CURVATURE_ROWS)]  # enough for a mean
    X = data.take_linear(chosen)
    X.data *= np.repeat(np.sqrt(weights[chosen]).astype(np.float32), np.diff(X.indptr))
    curvature = max(_largest_eigenvalue(X), float(largest_row) / batch_size)
    return 4.0 / curvature if curvature > 0 else 1.0


def _squared_norms(data: RowSet) -> np.ndarray:
    """Return the squared norm of the features of each row that plain SGD learns from."""
    X: Any = data.features
    norms, embedded = np.zeros(X.shape[0]), data.embedded
    if sparse.issparse(X):
        norms = squared_norms(X.data, X.indptr)
    return norms if embedded is None else norms + np.square(embedded).sum(axis=1)


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
