"""Context memories, in plain torch: what is kept from one element of a sequence to the next.

Shape letters: N elements of a batch in packed order, D width, M width of the memory, T steps of
the longest sequence.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ._tensors import Packing


def logistic_centre_(weight: Tensor, bias: Tensor) -> None:
    """Shift a bias so that inputs of 0.5, a logistic unit at rest, add nothing at the start."""
    with torch.no_grad():
        bias.sub_(0.5 * weight.sum(dim=1))


class ElmanMemory(nn.Module):
    """Context memory by the plain formula: m_i = σ(W2 e_i + W3 m_{i-1} + b2), m_0 = 0.

    σ is the logistic function.

    Shape
    -----
    Input: (N, D) in packed order. Output: (N, D).

    References
    ----------
    Elman, J. L. (1990). Finding structure in time. Cognitive Science 14, 179-211.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.input = nn.Linear(width, width)  # W2, b2
        self.recurrent = nn.Linear(width, width, bias=False)  # W3
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights, so that the unit starts as one with tanh would."""
        self.input.reset_parameters()
        self.recurrent.reset_parameters()
        with torch.no_grad():
            self.input.weight.mul_(4)
            self.recurrent.weight.mul_(4)
        logistic_centre_(self.input.weight, self.input.bias)
        logistic_centre_(self.recurrent.weight, self.input.bias)

    def forward(self, encodings: Tensor, packing: Packing) -> Tensor:
        """Run over all sequences at once, step by step."""
        sizes = packing.step_sizes.tolist()
        driven = self.input(encodings).split(sizes)  # T tensors of (sequences, D)
        memories = [driven[0].sigmoid()]
        for step in driven[1:]:
            before = memories[-1][: len(step)]
            memories.append((step + self.recurrent(before)).sigmoid())
        return torch.cat(memories)


class MinGRUMemory(nn.Module):
    """Context memory as a gated linear recurrence: m_i = (1 - z_i) m_{i-1} + z_i c_i.

    The gate z_i = σ(W_z e_i + b_z) and the candidate c_i = W_c e_i + b_c do not depend on the
    memory, so that all steps are computed by a scan of log2(T) rounds.

    Shape
    -----
    Input: (N, D) in packed order. Output: (N, D).

    References
    ----------
    Feng, L. et al. (2024). Were RNNs all we needed? arXiv:2410.01201, section 3.1.
    Hillis, W. D. and Steele, G. L. (1986). Data parallel algorithms. CACM 29 (12).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, width)
        self.candidate = nn.Linear(width, width)

    def forward(self, encodings: Tensor, packing: Packing) -> Tensor:
        """Scan: after each round an element sums up twice as many steps before it."""
        gate = self.gate(encodings).sigmoid()
        kept, memory = 1 - gate, gate * self.candidate(encodings)  # (N, D) both
        sizes = packing.step_sizes
        starts = sizes.cumsum(0) - sizes
        distance = 1
        while distance < len(sizes):
            first = int(starts[distance])  # the first element with one `distance` steps before
            before = _places_before(sizes, starts, distance).to(memory.device)
            memory = torch.cat([memory[:first], memory[first:] + kept[first:] * memory[before]])
            kept = torch.cat([kept[:first], kept[first:] * kept[before]])
            distance *= 2
        return memory


def _places_before(sizes: Tensor, starts: Tensor, distance: int) -> Tensor:
    """Return the places, in packed order, of the elements `distance` steps before."""
    later = sizes[distance:]
    shift = starts[distance:] - starts[:-distance]
    places = torch.arange(int(starts[distance]), int(sizes.sum()))
    return places - shift.repeat_interleave(later)


class FusedMemory(nn.Module):
    """Context memory with torch's own gated cell, GRU or LSTM.

    Shape
    -----
    Input: (N, D) in packed order. Output: (N, D).

    References
    ----------
    Cho, K. et al. (2014). Learning phrase representations using RNN encoder-decoder for
    statistical machine translation. EMNLP 2014.
    Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9 (8).
    """

    def __init__(self, cell: type[nn.GRU] | type[nn.LSTM], width: int) -> None:
        super().__init__()
        self.cell = cell(width, width)

    def forward(self, encodings: Tensor, packing: Packing) -> Tensor:
        """Run over all sequences at once."""
        return self.cell(PackedSequence(encodings, packing.step_sizes))[0].data


def make_memory(memory: str, width: int) -> nn.Module:
    """Make the context memory of a name."""
    if memory == "elman":
        return ElmanMemory(width)
    if memory == "mingru":
        return MinGRUMemory(width)
    return FusedMemory({"gru": nn.GRU, "lstm": nn.LSTM}[memory], width)


class ContextMemory(nn.Module):
    """Memory over each sequence, forwards and, if later elements may be seen, backwards.

    Parameters
    ----------
    memory : {"elman", "gru", "lstm", "mingru"}
        Kind of the memory.
    width : int
        Width of the encodings and of each direction.
    both : bool
        Whether a second memory runs from the last element to the first.

    Shape
    -----
    Input: (N, D) in packed order. Output: (N, M) with M = D, or 2 D for both directions.
    """

    def __init__(self, memory: str, width: int, *, both: bool) -> None:
        super().__init__()
        self.forwards = make_memory(memory, width)
        self.backwards = make_memory(memory, width) if both else None

    def forward(self, encodings: Tensor, packing: Packing) -> Tensor:
        """Run over all sequences at once."""
        past = self.forwards(encodings, packing)
        if self.backwards is None:
            return past
        mirror = packing.reverse
        future = self.backwards(encodings[mirror], packing)[mirror]
        return torch.cat([past, future], dim=1)  # (N, 2 D)
