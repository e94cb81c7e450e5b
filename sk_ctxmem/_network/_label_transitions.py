"""The term of the previous row's class, in plain torch.

Shape letters: N rows of a batch in packed order, C classes, T steps of the longest sequence.
"""

from __future__ import annotations

import torch
from torch import Tensor, cat, nn

from ._batch import Packing
from ._random import generator_for

NO_LABEL = 0  # for first rows, and for rows whose previous class is hidden
HIDDEN_LABELS = 0.3  # fraction of the previous classes that training hides
TRANSITION_SCALE = 5.0  # the learning rate of the memories is too low for additive weights


class LabelTransitions(nn.Module):
    """A term for the class of the previous row: p(y_i | y_{i-1}) = softmax(a_i + W_{y_{i-1}}).

    a_i are the logits of all other parts. In training, the class of the previous row is known. In
    prediction it is unknown, and the term is averaged over all classes, weighted by their
    predicted probabilities: p(y_i) = Σ_k p(y_{i-1} = k) p(y_i | k). The prediction of a row does
    not depend on the predictions of later rows.

    Parameters
    ----------
    n_classes : int
        Number of classes.

    Shape
    -----
    Input: (N, C) logits and a Packing. Output of `expect`: (N, C) logarithms of probabilities.

    References
    ----------
    McCallum, A., Freitag, D. and Pereira, F. (2000). Maximum entropy Markov models for
    information extraction and segmentation. ICML 2000. The sum over the previous classes is the
    forward recursion of hidden Markov models.

    Examples
    --------
    >>> import torch
    >>> from sk_ctxmem._network._batch import Packing
    >>> from sk_ctxmem._network._label_transitions import LabelTransitions
    >>> packing = Packing(torch.tensor([2, 1]), reverse=torch.tensor([2, 1, 0]))
    >>> LabelTransitions(n_classes=4).expect(torch.zeros(3, 4), packing).exp().tolist()[2]
    [0.25, 0.25, 0.25, 0.25]
    """

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(n_classes + 1, n_classes))  # first: NO_LABEL

    def condition(self, logits: Tensor, before: Tensor) -> Tensor:
        """Return the logits given the previous classes, (N,) class indices plus 1."""
        if self.training:
            before = before * (draw_uniform(before) >= HIDDEN_LABELS)
        return logits + TRANSITION_SCALE * self.transitions[before]  # (N, C)

    def expect(self, logits: Tensor, packing: Packing) -> Tensor:
        """Return log-probabilities, (N, C), where the previous classes are unknown."""
        sizes = packing.step_sizes.tolist()
        weights = TRANSITION_SCALE * self.transitions  # (C + 1, C)
        first = logits[: sizes[0]] + weights[NO_LABEL]
        spread = weights[NO_LABEL + 1 :].softmax(dim=1)  # (C, C): given the previous class
        factors = logits.softmax(dim=1)  # (N, C)
        totals = factors @ spread.t()  # (N, C): normalizes each row of spread * factor
        before = first.softmax(dim=1)
        probabilities = [before]
        steps = zip(factors.split(sizes)[1:], totals.split(sizes)[1:], strict=True)
        for factor, total in steps:
            before = (before[: len(factor)] / total) @ spread * factor  # (sequences, C)
            probabilities.append(before)
        smallest = torch.finfo(logits.dtype).tiny
        return cat(probabilities).clamp_min(smallest).log()  # (N, C)

    def step(self, before: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `expect` returns, for the next row of each of N sequences.

        Parameters
        ----------
        before : Tensor of shape (N, C + 1)
            Probability that there is no previous row, and of each class of the previous row.
        logits : Tensor of shape (N, C)
            Logits of all other parts.

        Returns
        -------
        before : Tensor of shape (N, C + 1)
            The same for the row that follows.
        log_probabilities : Tensor of shape (N, C)
            Log-probabilities of the classes of the row.
        """
        spread = (TRANSITION_SCALE * self.transitions).softmax(dim=1)  # (C + 1, C)
        factors = logits.softmax(dim=1)  # (N, C)
        probabilities = (before / (factors @ spread.t())) @ spread * factors  # (N, C)
        before = cat([torch.zeros_like(before[:, :1]), probabilities], dim=1)  # (N, C + 1)
        smallest = torch.finfo(logits.dtype).tiny
        return before, probabilities.clamp_min(smallest).log()


def draw_uniform(like: Tensor) -> Tensor:
    """Draw a number from 0 to 1 for each element, in single precision."""
    device = like.device
    generator = generator_for(device)
    return torch.rand(len(like), dtype=torch.float32, device=device, generator=generator)
