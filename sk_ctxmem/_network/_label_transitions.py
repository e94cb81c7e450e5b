"""What the class of one row says of the class of the next, in plain torch.

Shape letters: N rows of a batch in packed order, C classes, T steps of the longest sequence.
"""

from __future__ import annotations

import torch
from torch import Tensor, cat, nn

from ._batch import Packing

NO_LABEL = 0  # of a first row, and of rows whose class is not to be known
HIDDEN_LABELS = 0.3  # share of the classes before that training hides
TRANSITION_SCALE = 5.0  # the rate that is right for memories is too low for weights that add up


class LabelTransitions(nn.Module):
    """A term for the class of the row before: p(y_i | y_{i-1}) = softmax(a_i + W_{y_{i-1}}).

    a_i are the logits that all else gives. In training the class before is known. In prediction
    it is not, and every class it may have counts with its probability:
    p(y_i) = Σ_k p(y_{i-1} = k) p(y_i | k). No row depends on the prediction of a later one.

    References
    ----------
    McCallum, A., Freitag, D. and Pereira, F. (2000). Maximum entropy Markov models for
    information extraction and segmentation. ICML 2000. The sum over the classes before is the
    forward recursion of hidden Markov models.
    """

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(n_classes + 1, n_classes))  # first: NO_LABEL

    def follow(self, logits: Tensor, before: Tensor) -> Tensor:
        """Add the term of known classes: (N, C) logits and (N,) class numbers plus 1."""
        if self.training:
            before = before * (torch.rand(len(before), device=before.device) >= HIDDEN_LABELS)
        return logits + TRANSITION_SCALE * self.transitions[before]

    def expect(self, logits: Tensor, packing: Packing) -> Tensor:
        """Return logarithms of probabilities, (N, C), where no class is known."""
        sizes = packing.step_sizes.tolist()
        weights = TRANSITION_SCALE * self.transitions
        first = logits[: sizes[0]] + weights[NO_LABEL]
        spread = weights[NO_LABEL + 1 :].softmax(dim=1)  # (C, C): given the class before
        factors = logits.softmax(dim=1)  # (N, C)
        totals = factors @ spread.t()  # (N, C): what makes up for each class before
        before = first.softmax(dim=1)
        probabilities = [before]
        steps = zip(factors.split(sizes)[1:], totals.split(sizes)[1:], strict=True)
        for factor, total in steps:
            before = (before[: len(factor)] / total) @ spread * factor
            probabilities.append(before)
        smallest = torch.finfo(logits.dtype).tiny
        return cat(probabilities).clamp_min(smallest).log()

    def step(self, before: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return what `expect` does for the next row of each of N sequences.

        Parameters
        ----------
        before : Tensor of shape (N, C + 1)
            Probability that there is no row before, and of each class of that row.
        logits : Tensor of shape (N, C)
            What all else gives.

        Returns
        -------
        before : Tensor of shape (N, C + 1)
            The same for the row after.
        logarithms : Tensor of shape (N, C)
            Logarithms of the probabilities of the row.
        """
        spread = (TRANSITION_SCALE * self.transitions).softmax(dim=1)  # (C + 1, C)
        factors = logits.softmax(dim=1)  # (N, C)
        probabilities = (before / (factors @ spread.t())) @ spread * factors
        before = cat([torch.zeros_like(before[:, :1]), probabilities], dim=1)
        smallest = torch.finfo(logits.dtype).tiny
        return before, probabilities.clamp_min(smallest).log()
