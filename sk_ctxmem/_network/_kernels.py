"""Functions that torch has too, in implementations that are several times faster on a CPU.

Shape letters: N rows of a batch, F features, D width, U different columns in a batch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import dropout, embedding_bag

from ._batch import SparseFeatures
from ._random import cpu_generator, generator_for

LEVELS = 2**16  # number of values of a random int16


class TableProduct(torch.autograd.Function):
    """Sparse features times a table, with a sparse gradient of one row a column.

    The sparse gradient of torch has one row a stored value. Here, the rows of the same column
    are summed, which makes the gradient several times smaller for texts.
    """

    @staticmethod
    def forward(
        ctx: Any, table: Tensor, values: Tensor, ids: Tensor, offsets: Tensor, columns: Any
    ) -> Tensor:
        """Return the weighted sum of rows of the table for each row of the batch, (N, D)."""
        ctx.columns = columns
        ctx.table_shape = table.shape
        ctx.save_for_backward(values)
        return _sum_rows(table, ids, offsets, values)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        """Return the sparse gradient of the table: one row for each column of the batch."""
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
    """Multiply sparse features with a table: (N, F) x (F, D) -> (N, D)."""
    if features.columns is None:
        return _sum_rows(table, features.ids, features.offsets, features.values)
    return TableProduct.apply(
        table, features.values, features.ids, features.offsets, features.columns
    )


def draw_int16(shape: torch.Size) -> Tensor:
    """Draw integers from -LEVELS / 2 to LEVELS / 2 - 1, four at a time."""
    n_numbers = shape.numel()
    bits = torch.empty(-(-n_numbers // 4), dtype=torch.int64)
    bits.random_(-(2**63), None, generator=cpu_generator())
    return bits.view(torch.int16)[:n_numbers].view(shape)


def draw_uniform_(values: Tensor, scale: float) -> None:
    """Fill with uniform random numbers of mean 0 and standard deviation `scale`."""
    if values.is_meta:  # there is nothing to fill
        return
    with torch.no_grad():
        values.copy_(draw_int16(values.shape))
        values.add_(0.5).mul_(scale * 12**0.5 / LEVELS)


def draw_normal_(values: Tensor, scale: float = 1.0) -> None:
    """Fill with normal random numbers of mean 0 and standard deviation `scale`."""
    if values.is_meta:  # torch would import its compiler, which takes 3 s
        return
    with torch.no_grad():
        values.normal_(std=scale, generator=generator_for(values.device))


def drop(values: Tensor, rate: float) -> Tensor:
    """Set a random fraction of the values to zero, and scale up the others.

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
    kept = draw_int16(values.shape) >= n_dropped - LEVELS // 2
    return values * kept.to(values.dtype).mul_(LEVELS / (LEVELS - n_dropped))


def fast_tanh(values: Tensor) -> Tensor:
    """Return the hyperbolic tangent, computed as 2 σ(2 x) - 1."""
    return torch.sigmoid(2 * values) * 2 - 1
