"""What training makes small, in plain torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# Each path also learns by itself, so that neither leans on the other.
PATH_LOSS_WEIGHT = 0.3
LABEL_SMOOTHING = 0.05  # share of the target that smoothing gives to the other classes


class ContextMemoryLoss(nn.Module):
    """Weighted cross-entropy of the prediction, and a share of each path's own.

    Labels are smoothed (Szegedy et al., 2016): a network that learns its training rows by heart
    is far too sure of itself on others. The sum over the rows is divided by the nominal size of
    a batch, so that a small last batch makes a small step.

    Attributes
    ----------
    last_sum : Tensor of shape ()
        Cross-entropy of the prediction, summed over the rows of the last batch.

    References
    ----------
    Szegedy, C. et al. (2016). Rethinking the inception architecture for computer vision. CVPR
    2016, section 7.
    """

    def __init__(self, batch_size: int) -> None:
        super().__init__()
        self.batch_size = batch_size

    def forward(self, logits: tuple[Tensor, ...], truth: tuple[Tensor, Tensor]) -> Tensor:
        """Return the loss of a batch."""
        targets, weights = truth
        n_classes = logits[0].shape[1]
        each = nn.functional.cross_entropy(
            torch.cat(logits),
            targets.repeat(3),
            reduction="none",
            label_smoothing=LABEL_SMOOTHING * n_classes / (n_classes - 1),
        )
        sums = each.view(3, -1) @ weights
        self.last_sum = sums[0].detach()
        return (sums[0] + PATH_LOSS_WEIGHT * (sums[1] + sums[2])) / self.batch_size
