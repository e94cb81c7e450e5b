"""Context memories, in plain torch: recurrences over the elements of sequences.

Shape letters: N elements of a batch in packed order, D width, M width of the memory, T steps of
the longest sequence.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, cat, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear
from torch.nn.utils.rnn import PackedSequence

from ._batch import Packing


def logistic_centre_(weight: Tensor, bias: Tensor) -> None:
    """Shift a bias so that inputs of 0.5, the output of logistic units at rest, add nothing."""
    if weight.is_meta:  # torch would import its compiler, which takes 3 s
        return
    with torch.no_grad():
        bias.sub_(0.5 * weight.sum(dim=1))


class ElmanMemory(nn.Module):
    """An Elman network: m_i = σ(W2 e_i + W3 m_{i-1} + b2), m_0 = 0; σ is the logistic function.

    Parameters
    ----------
    width : int
        Width of encodings and memories.

    Shape
    -----
    Input: (N, D) in packed order. Output: (N, D).

    References
    ----------
    Elman, J. L. (1990). Finding structure in time. Cognitive Science 14, 179-211.

    Examples
    --------
    Two sequences of 2 and 1 elements, in packed order:

    >>> import torch
    >>> from sk_ctxmem._network._batch import Packing
    >>> from sk_ctxmem._network._memories import ElmanMemory
    >>> packing = Packing(torch.tensor([2, 1]), reverse=torch.tensor([2, 1, 0]))
    >>> ElmanMemory(5)(torch.ones(3, 5), packing).shape
    torch.Size([3, 5])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.input = nn.Linear(width, width)  # W2, b2
        self.recurrent = nn.Linear(width, width, bias=False)  # W3
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw initial weights for which the unit starts like a unit with tanh."""
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
        return cat(memories)  # (N, D)

    def step(self, state: Tensor, encodings: Tensor) -> tuple[Tensor, Tensor]:
        """Run over the next element of each sequence."""
        memories = (self.input(encodings) + self.recurrent(state)).sigmoid()
        return memories, memories


class MinGRUMemory(nn.Module):
    """A gated linear recurrence: m_i = (1 - z_i) m_{i-1} + z_i c_i.

    The gate z_i = σ(W_z e_i + b_z) and the candidate c_i = W_c e_i + b_c do not depend on the
    memory. Therefore all steps are computed by a parallel scan of log2(T) rounds.

    Parameters
    ----------
    width : int
        Width of encodings and memories.

    Shape
    -----
    Input: (N, D) in packed order. Output: (N, D).

    References
    ----------
    Feng, L. et al. (2024). Were RNNs all we needed? arXiv:2410.01201, section 3.1.
    Hillis, W. D. and Steele, G. L. (1986). Data parallel algorithms. CACM 29 (12).

    Examples
    --------
    Two sequences of 2 and 1 elements, in packed order:

    >>> import torch
    >>> from sk_ctxmem._network._batch import Packing
    >>> from sk_ctxmem._network._memories import MinGRUMemory
    >>> packing = Packing(torch.tensor([2, 1]), reverse=torch.tensor([2, 1, 0]))
    >>> MinGRUMemory(5)(torch.ones(3, 5), packing).shape
    torch.Size([3, 5])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, width)
        self.candidate = nn.Linear(width, width)

    def forward(self, encodings: Tensor, packing: Packing) -> Tensor:
        """Scan: each round doubles the number of previous steps that an element includes."""
        gate = self.gate(encodings).sigmoid()
        kept, memory = 1 - gate, gate * self.candidate(encodings)  # (N, D) both
        sizes = packing.step_sizes
        starts = sizes.cumsum(0) - sizes
        distance = 1
        while distance < len(sizes):
            first = int(starts[distance])  # the first element with one `distance` steps before
            before = _places_before(sizes, starts, distance).to(memory.device)
            memory = cat([memory[:first], memory[first:] + kept[first:] * memory[before]])
            kept = cat([kept[:first], kept[first:] * kept[before]])
            distance *= 2
        return memory  # (N, D)

    def step(self, state: Tensor, encodings: Tensor) -> tuple[Tensor, Tensor]:
        """Run over the next element of each sequence."""
        gate = self.gate(encodings).sigmoid()
        memories = (1 - gate) * state + gate * self.candidate(encodings)
        return memories, memories


def _places_before(sizes: Tensor, starts: Tensor, distance: int) -> Tensor:
    """Return the places, in packed order, of the elements that are `distance` steps earlier."""
    later = sizes[distance:]
    shift = starts[distance:] - starts[:-distance]
    places = torch.arange(int(starts[distance]), int(sizes.sum()))
    return places - shift.repeat_interleave(later)


class GRUMemory(nn.Module):
    """A gated recurrent unit, with the weights and the equations of torch.nn.GRU.

    r_i = σ(W_ir e_i + b_ir + W_hr m_{i-1} + b_hr), likewise z_i, and
    c_i = tanh(W_ic e_i + b_ic + r_i (W_hc m_{i-1} + b_hc)), m_i = (1 - z_i) c_i + z_i m_{i-1}.

    Parameters
    ----------
    width : int
        Width of encodings and memories.

    Shape
    -----
    Input: (N, D) in packed order. Output: (N, D).

    References
    ----------
    Cho, K. et al. (2014). Learning phrase representations using RNN encoder-decoder for
    statistical machine translation. EMNLP 2014.

    Examples
    --------
    Two sequences of 2 and 1 elements, in packed order:

    >>> import torch
    >>> from sk_ctxmem._network._batch import Packing
    >>> from sk_ctxmem._network._memories import GRUMemory
    >>> packing = Packing(torch.tensor([2, 1]), reverse=torch.tensor([2, 1, 0]))
    >>> GRUMemory(5)(torch.ones(3, 5), packing).shape
    torch.Size([3, 5])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cell = nn.GRU(width, width)

    def forward(self, encodings: Tensor, packing: Packing) -> Tensor:
        """Run over all sequences at once."""
        on_cpu = encodings.device.type == "cpu"
        if not (on_cpu and torch.is_grad_enabled()):  # only the backward pass of torch is slow
            return self.cell(PackedSequence(encodings, packing.step_sizes))[0].data
        width = encodings.shape[1]
        input_weight, recurrent, input_bias, recurrent_bias = self.cell.all_weights[0]
        gate_bias, candidate_bias = recurrent_bias.split([2 * width, width])
        bias = input_bias + cat([gate_bias, torch.zeros_like(candidate_bias)])
        driven = linear(encodings, input_weight, bias)  # (N, 3 D)
        return GRUSteps.apply(driven, recurrent, candidate_bias, packing.step_sizes.tolist())

    def step(self, state: Tensor, encodings: Tensor) -> tuple[Tensor, Tensor]:
        """Run over the next element of each sequence."""
        memories = torch.gru_cell(encodings, state, *self.cell.all_weights[0])
        return memories, memories


class GRUSteps(torch.autograd.Function):
    """The recurrence of a GRU, with a backward pass written by hand.

    In the backward pass, each step needs one product with the recurrent weights; everything else
    is computed for all steps at once. On a CPU, the backward pass of torch.nn.GRU takes two to
    five times as long for sequences of 64 or more elements.
    """

    @staticmethod
    def forward(
        ctx: Any, driven: Tensor, recurrent: Tensor, candidate_bias: Tensor, sizes: list[int]
    ) -> Tensor:
        """Run over all sequences, step by step."""
        width = driven.shape[1] // 3
        doubled = driven.new_tensor([1.0, 1.0, 2.0]).repeat_interleave(width)
        # tanh(a) = 2 σ(2 a) - 1 takes a third of the time of tanh: candidates are doubled
        gates = driven * doubled  # (N, 3 D): at the end r, z and the candidate
        transposed = recurrent.t() * doubled  # (D, 3 D)
        drives = driven.new_empty(len(driven), width)  # twice W_hc m + b_hc
        memories = torch.empty_like(drives)
        before = driven.new_zeros(sizes[0], width)
        added = driven.new_empty(sizes[0], 3 * width)
        low, high = -driven.new_ones(1, 1), driven.new_ones(1, 1)
        parts = gates[:, : 2 * width], *gates.split(width, dim=1), drives, memories
        for both, reset, update, candidate, drive, memory in zip(
            *(part.split(sizes) for part in parts), strict=True
        ):
            if len(memory) < len(before):
                before, added = before[: len(memory)], added[: len(memory)]
            torch.mm(before, transposed, out=added)
            both.add_(added[:, : 2 * width]).sigmoid_()
            torch.add(added[:, 2 * width :], candidate_bias, alpha=2, out=drive)
            candidate.addcmul_(reset, drive).sigmoid_()
            torch.lerp(low, high, candidate, out=candidate)
            before = torch.lerp(candidate, before, update, out=memory)
        ctx.sizes = sizes
        ctx.save_for_backward(gates, drives, memories, recurrent)
        return memories

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        """Run over the steps from the last to the first."""
        gates, drives, memories, recurrent = ctx.saved_tensors
        width = memories.shape[1]
        reset, update, candidate = gates.split(width, dim=1)
        before = _memories_before(memories, ctx.sizes)  # (N, D)
        # derivatives of the memory with respect to the inputs of the gates
        slope = (1 - update) * (1 - candidate * candidate)
        slopes = torch.empty_like(gates)  # (N, 3 D)
        slopes[:, :width] = slope * drives * (reset * (1 - reset) / 2)
        slopes[:, width : 2 * width] = (before - candidate) * update * (1 - update)
        slopes[:, 2 * width :] = slope * reset
        total = gradient.clone()
        steps = [part.split(ctx.sizes) for part in (total, slopes, update)]
        for step in range(len(ctx.sizes) - 1, -1, -1):
            here, slope_here, kept = (part[step] for part in steps)
            slope_here.view(-1, 3, width).mul_(here.unsqueeze(1))
            if step:
                earlier = steps[0][step - 1][: len(here)]
                earlier.addcmul_(here, kept).addmm_(slope_here, recurrent)
        candidate_gradient = total * slope  # for the drive, the reset gate is a factor too
        driven_gradient = cat([slopes[:, : 2 * width], candidate_gradient], dim=1)
        bias_gradient = slopes[:, 2 * width :].sum(dim=0)
        return driven_gradient, slopes.t() @ before, bias_gradient, None


def _memories_before(memories: Tensor, sizes: list[int]) -> Tensor:
    """Return the memory of the previous element for each element, or zeros."""
    before = torch.zeros_like(memories)
    steps = memories.split(sizes)
    for earlier, here in zip(steps, before.split(sizes)[1:], strict=False):
        here.copy_(earlier[: len(here)])
    return before


class LSTMMemory(nn.Module):
    """A long short-term memory: torch.nn.LSTM.

    Parameters
    ----------
    width : int
        Width of encodings and memories.

    Shape
    -----
    Input: (N, D) in packed order. Output: (N, D).

    References
    ----------
    Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9 (8).

    Examples
    --------
    Two sequences of 2 and 1 elements, in packed order:

    >>> import torch
    >>> from sk_ctxmem._network._batch import Packing
    >>> from sk_ctxmem._network._memories import LSTMMemory
    >>> packing = Packing(torch.tensor([2, 1]), reverse=torch.tensor([2, 1, 0]))
    >>> LSTMMemory(5)(torch.ones(3, 5), packing).shape
    torch.Size([3, 5])
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.cell = nn.LSTM(width, width)

    def forward(self, encodings: Tensor, packing: Packing) -> Tensor:
        """Run over all sequences at once."""
        return self.cell(PackedSequence(encodings, packing.step_sizes))[0].data

    def step(self, state: Tensor, encodings: Tensor) -> tuple[Tensor, Tensor]:
        """Run over the next element of each sequence. The state is memory and cell."""
        before = state.chunk(2, dim=1)
        memories, cells = torch.lstm_cell(encodings, before, *self.cell.all_weights[0])
        return cat([memories, cells], dim=1), memories


MEMORIES = {"elman": ElmanMemory, "gru": GRUMemory, "lstm": LSTMMemory, "mingru": MinGRUMemory}


class ContextMemory(nn.Module):
    """A memory over each sequence, forwards and optionally backwards.

    Parameters
    ----------
    memory : {"elman", "gru", "lstm", "mingru"}
        Kind of the memory.
    width : int
        Width of the encodings and of the memory in each direction.
    both : bool
        Whether a second memory runs backwards, from the last element to the first.

    Shape
    -----
    Input: (N, D) in packed order. Output: (N, M), where M is D, or 2 D for both directions.

    Examples
    --------
    Two sequences of 2 and 1 elements, in packed order:

    >>> import torch
    >>> from sk_ctxmem._network._batch import Packing
    >>> from sk_ctxmem._network._memories import ContextMemory
    >>> packing = Packing(torch.tensor([2, 1]), reverse=torch.tensor([2, 1, 0]))
    >>> ContextMemory("gru", 5, both=True)(torch.ones(3, 5), packing).shape
    torch.Size([3, 10])
    """

    def __init__(self, memory: str, width: int, *, both: bool) -> None:
        super().__init__()
        self.state_size = width * (2 if memory == "lstm" else 1)
        self.forwards: Any = MEMORIES[memory](width)
        self.backwards = MEMORIES[memory](width) if both else None

    def forward(self, encodings: Tensor, packing: Packing) -> Tensor:
        """Run over all sequences at once."""
        past = self.forwards(encodings, packing)
        if self.backwards is None:
            return past
        mirror = packing.reverse
        future = self.backwards(encodings[mirror], packing)[mirror]
        return cat([past, future], dim=1)  # (N, 2 D)

    def step(self, state: Tensor, encodings: Tensor) -> tuple[Tensor, Tensor]:
        """Run over the next element of each of N sequences, forwards.

        Parameters
        ----------
        state : Tensor of shape (N, state_size)
            States after the previous elements; zeros before the first.
        encodings : Tensor of shape (N, D)
            The elements.

        Returns
        -------
        state : Tensor of shape (N, state_size)
            States after these elements.
        memories : Tensor of shape (N, D)
            Memories of these elements, as `forward` returns them.
        """
        return self.forwards.step(state, encodings)
