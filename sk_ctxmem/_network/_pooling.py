"""Pooling of the rows of a sequence, in plain torch.

Shape letters: N rows of a batch in packed order, S sequences, W width of the states, C classes.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ._batch import Packing

MAX_WEIGHT = math.e  # of a row; the smallest is its inverse


class SequencePooling(nn.Module):
    """The mean of the states of all rows so far of a sequence, weighted by attention.

    The weight of a row is exp(tanh(a)), where a is a linear function of its state. It does not
    depend on other rows, so that the mean of a sequence that goes on is a running mean.

    Parameters
    ----------
    width : int
        Width of the states.

    Shape
    -----
    Input: (N, W), (N, C) and a Packing. Output: (N, W) and (N, C).

    References
    ----------
    Yang, Z. et al. (2016). Hierarchical attention networks for document classification. NAACL 2016,
    section 2.2.

    Examples
    --------
    A sequence of two rows, and one of a single row:

    >>> import torch
    >>> from sk_ctxmem._network._batch import Packing
    >>> from sk_ctxmem._network._pooling import SequencePooling
    >>> packing = Packing(torch.tensor([2, 1]), reverse=torch.tensor([2, 1, 0]))
    >>> states = torch.tensor([[1.0], [5.0], [1.0]])
    >>> pooled, wide = SequencePooling(1)(states, torch.ones(3, 2), packing)
    >>> pooled.tolist()
    [[1.0], [5.0], [1.0]]
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1)

    @property
    def n_sums(self) -> int:
        """Number of running sums of a sequence, without those of the wide path."""
        return self.score.in_features + 1

    def forward(self, states: Tensor, wide: Tensor, packing: Packing) -> tuple[Tensor, Tensor]:
        """Return the means of the states, and the plain means of the logits."""
        by_sequence, places, starts, numbers = _in_sequences(packing, states.device)
        weighted = torch.cat([self._weigh(states), wide], dim=1)  # (N, W + 1 + C)
        sums = _cumulate(weighted.index_select(0, by_sequence), starts)  # (N, W + 1 + C)
        return self._divide(sums.index_select(0, places), numbers)

    def step(
        self, sums: Tensor, states: Tensor, wide: Tensor, n_before: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `forward` returns, for the next row of each of S sequences.

        Parameters
        ----------
        sums : Tensor of shape (S, W + 1 + C)
            Sums over the previous rows.
        states : Tensor of shape (S, W)
            States of the rows.
        wide : Tensor of shape (S, C)
            Logits of the wide path.
        n_before : Tensor of shape (S,), int64
            Number of previous rows in each sequence.

        Returns
        -------
        sums : Tensor of shape (S, W + 1 + C)
            Sums over these rows too.
        pooled : Tensor of shape (S, W)
            The means of the states.
        wide : Tensor of shape (S, C)
            The logits of the wide path.
        """
        sums = sums + torch.cat([self._weigh(states), wide.to(states.dtype)], dim=1)
        return sums, *self._divide(sums, n_before + 1)

    def weights(self, states: Tensor) -> Tensor:
        """Return the weight of each row before the weights of a sequence are divided, (N, 1)."""
        return self.score(states).tanh().exp()

    def _weigh(self, states: Tensor) -> Tensor:
        weights = self.weights(states)  # (N, 1)
        return torch.cat([weights * states, weights], dim=1)  # (N, W + 1)

    def _divide(self, sums: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        width = self.score.in_features
        states, totals, wide = sums.split([width, 1, sums.shape[1] - width - 1], dim=1)
        return states / totals, wide / numbers.to(wide.dtype).unsqueeze(1)


def with_whole_future(memories: Tensor, width: int, packing: Packing) -> Tensor:
    """Return memories whose backward part, if there is one, is that of the first row.

    There the backward memory has read the whole sequence.
    """
    if memories.shape[1] == width:
        return memories
    first = _ranks(packing).to(memories.device)  # the first rows are the first in packed order
    return torch.cat([memories[:, :width], memories[first, width:]], dim=1)


def _ranks(packing: Packing) -> Tensor:
    """Return the number of the sequence of each row, in the order of their first rows."""
    sizes = packing.step_sizes
    return torch.arange(int(sizes.sum())) - (sizes.cumsum(0) - sizes).repeat_interleave(sizes)


def _in_sequences(packing: Packing, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return where the rows stand one sequence after another.

    Returns
    -------
    by_sequence : Tensor of shape (N,), int64
        Place in packed order of each row, one sequence after another.
    places : Tensor of shape (N,), int64
        The inverse: place of each row of the packed order in that order.
    starts : Tensor of shape (N,), int64
        For each row in that order, the first row of its sequence.
    numbers : Tensor of shape (N,), int64
        For each row of the packed order, its number in its sequence, from 1.
    """
    sizes = packing.step_sizes
    steps = torch.arange(len(sizes)).repeat_interleave(sizes)  # (N,)
    ranks = _ranks(packing)
    lengths = torch.bincount(ranks)  # (S,)
    starts = lengths.cumsum(0) - lengths
    places = starts[ranks] + steps
    by_sequence = torch.empty_like(places)
    by_sequence[places] = torch.arange(len(places))
    found = by_sequence, places, starts.repeat_interleave(lengths), steps + 1
    return tuple(each.to(device) for each in found)  # type: ignore[return-value]


def _cumulate(values: Tensor, starts: Tensor) -> Tensor:
    """Return the sum of the values of all rows so far of each sequence."""
    # in double precision, as the sums of all sequences before are taken away
    sums = values.double().cumsum(0)
    before = torch.cat([torch.zeros_like(sums[:1]), sums])[starts]
    return (sums - before).to(values.dtype)
