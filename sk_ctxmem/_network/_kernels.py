"""Functions of tensors that torch has too, in a form that is several times faster on a CPU.

Shape letters: N rows of a batch, F features, D width, U different columns in a batch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import dropout, embedding_bag

from ._batch import SparseFeatures

LEVELS = 2**16  # of a random number


class TableProduct(torch.autograd.Function):
    """Sparse features times a table, with a gradient for the columns of the batch alone.

    torch's own gradient has a row for each stored value. Here those of one column are summed
    up first, which on texts makes it several times shorter.
    """

    @staticmethod
    def forward(
        ctx: Any, table: Tensor, values: Tensor, ids: Tensor, offsets: Tensor, columns: Any
    ) -> Tensor:
        """Return the weighted sum of the rows of the table for each row: (N, D)."""
        ctx.columns = columns
        ctx.table_shape = table.shape
        ctx.save_for_backward(values)
        return _sum_rows(table, ids, offsets, values)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        """Return the gradient of the table, with the columns of the batch as its sparse rows."""
        columns, gradient, values = ctx.columns.complete(gradient, *ctx.saved_tensors)
        rows = _sum_rows(gradient.contiguous(), columns.rows, columns.offsets, values)  # (U, D)
        sparse = torch.sparse_coo_tensor(
            columns.ids.unsqueeze(0),
            rows,
            ctx.table_shape,
            is_coalesced=True,
            check_invariants=False,
        )
        return sparse, None, None, None, None


def _sum_rows(table: Tensor, ids: Tensor, offsets: Tensor, values: Tensor) -> Tensor:
    return embedding_bag(ids, table, offsets, mode="sum", per_sample_weights=values)


def table_product(table: Tensor, features: SparseFeatures) -> Tensor:
    """Return sparse features times a table: (N, F) x (F, D) -> (N, D)."""
    if features.columns is None:
        return _sum_rows(table, features.ids, features.offsets, features.values)
    return TableProduct.apply(
        table, features.values, features.ids, features.offsets, features.columns
    )


def draw_numbers(shape: torch.Size) -> Tensor:
    """Draw whole numbers from -LEVELS / 2 to LEVELS / 2 - 1, four at a time."""
    n_numbers = shape.numel()
    bits = torch.empty(-(-n_numbers // 4), dtype=torch.int64)
    return bits.random_(-(2**63), None).view(torch.int16)[:n_numbers].view(shape)


def draw_uniform_(values: Tensor, scale: float) -> None:
    """Fill with uniform random numbers around 0 of this standard deviation."""
    if values.is_meta:  # there is nothing to fill
        return
    with torch.no_grad():
        values.copy_(draw_numbers(values.shape))
        values.add_(0.5).mul_(scale * 12**0.5 / LEVELS)


def draw_normal_(values: Tensor, scale: float = 1.0) -> None:
    """Fill with normal random numbers around 0 of this standard deviation."""
    if values.is_meta:  # torch would import its compiler, which takes 3 s
        return
    with torch.no_grad():
        values.normal_(std=scale)


def drop(values: Tensor, rate: float) -> Tensor:
    """Set a random share of the values to zero, and scale the others up.

    References
    ----------
    Srivastava, N. et al. (2014). Dropout: a simple way to prevent neural networks from
    overfitting. JMLR 15, 1929-1958.
    """
    n_dropped = round(rate * LEVELS)
    if n_dropped == 0:
        return values
    if values.device.type != "cpu":
        return dropout(values, rate)
    kept = draw_numbers(values.shape) >= n_dropped - LEVELS // 2
    return values * kept.to(values.dtype).mul_(LEVELS / (LEVELS - n_dropped))


def fast_tanh(values: Tensor) -> Tensor:
    """Return the hyperbolic tangent, as 2 σ(2 x) - 1."""
    return torch.sigmoid(2 * values) * 2 - 1
