"""The training loss, in plain torch.

Shape letters: N rows of a batch, C classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

# each path also learns by itself, so that neither relies on the other
PATH_LOSS_WEIGHT = 0.3
LABEL_SMOOTHING = 0.05  # fraction of the target that smoothing gives to the other classes
# Where rows stand alone and labels are clean, these two, and no loss of the other parts alone, gain
# 1.3 points on ohsumed and .6 on r52 (four folds of training rows, a second seed on three), and
# change three others by .15 at most. Without the hinge, ohsumed gains .4 less; with three times
# its weight, and more smoothing, questions lose half a point.
SMOOTHING_ALONE, HINGE_WEIGHT = 0.1, 0.1


class ContextMemoryLoss(nn.Module):
    """Weighted cross-entropy of the prediction, plus a fraction of the loss of each path.

    Labels are smoothed (Szegedy et al., 2016), because a network that fits its training rows
    perfectly is overconfident on other rows. The sum over the rows is divided by the nominal
    batch size, so that a small last batch makes a small step.

    Parameters
    ----------
    batch_size : int
        Nominal number of rows of a batch.
    residual : bool, default=False
        Whether the wide path is given, and the other parts learn what it leaves. Then the loss is
        that of the prediction alone, without smoothing, which would undo what the wide path is
        sure of: with 100 positive rows in 10,000, F1 was .65, and is .87.
    label_weights : Tensor of shape (2, C) or None, default=None
        Of several labels for each row, the weights of the rows without and with each label.
    smoothing : float, default=LABEL_SMOOTHING
        Fraction of the target that smoothing gives to the other classes.
    margins : bool, default=False
        Whether the wide path also learns the margin of each class against the rest, and the other
        parts learn from the prediction alone: for rows of several classes that stand alone.

    Shape
    -----
    Input: three times (N, C) logits; (N,) class indices, or (N, C) indicators of labels, and (N,)
    weights. Output: ().

    Attributes
    ----------
    last_sum : Tensor of shape ()
        Weighted cross-entropy of the prediction, summed over the rows of the last batch.

    References
    ----------
    Szegedy, C. et al. (2016). Rethinking the inception architecture for computer vision. CVPR
    2016, section 7.

    Examples
    --------
    >>> import torch
    >>> from sk_ctxmem._network._loss import ContextMemoryLoss
    >>> loss = ContextMemoryLoss(batch_size=2)
    >>> logits = torch.zeros(2, 4)
    >>> value = loss((logits, logits, logits), (torch.tensor([0, 3]), torch.ones(2)))
    >>> round(value.item(), 2), round(loss.last_sum.item(), 2)
    (2.22, 2.77)
    """

    def __init__(
        self,
        batch_size: int,
        *,
        residual: bool = False,
        label_weights: Tensor | None = None,
        smoothing: float = LABEL_SMOOTHING,
        margins: bool = False,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.residual = residual
        self.label_weights = label_weights
        self.smoothing = smoothing
        self.margins = margins

    def forward(self, logits: tuple[Tensor, ...], truth: tuple[Tensor, Tensor]) -> Tensor:
        """Return the loss of a batch, given its logits, and its targets and weights."""
        targets, weights = truth
        if self.residual:
            whole = self._cross_entropy(logits[0], targets, 0.0) @ weights
            self.last_sum = whole.detach()
            return whole / self.batch_size
        if self.margins:
            return self._learn_margins(logits[0], logits[1], targets, weights)
        repeated = targets.repeat(3, *[1] * (targets.dim() - 1))
        each = self._cross_entropy(torch.cat(logits), repeated, self.smoothing)
        sums = each.view(3, -1) @ weights  # (3, N) x (N,) -> (3,)
        self.last_sum = sums[0].detach()
        return (sums[0] + PATH_LOSS_WEIGHT * (sums[1] + sums[2])) / self.batch_size

    def _learn_margins(
        self, whole: Tensor, wide: Tensor, targets: Tensor, weights: Tensor
    ) -> Tensor:
        """Return the loss of the prediction, and fractions of two losses of the wide path."""
        of_whole, of_wide = (
            self._cross_entropy(logits, targets, self.smoothing) @ weights
            for logits in (whole, wide)
        )
        self.last_sum = of_whole.detach()
        of_margins = sum_squared_hinges(wide, targets) @ weights
        total = of_whole + PATH_LOSS_WEIGHT * of_wide + HINGE_WEIGHT * of_margins
        return total / self.batch_size

    def _cross_entropy(self, logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        """Return the cross-entropy of each row, (N,): of its class, or the sum over its labels."""
        if targets.dim() == 2:
            return self._sum_labels(logits, targets, smoothing)
        n_classes = logits.shape[1]
        return nn.functional.cross_entropy(
            logits,
            targets,
            reduction="none",
            label_smoothing=smoothing * n_classes / (n_classes - 1),
        )

    def _sum_labels(self, logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
        wanted = targets.to(logits.dtype)
        weights = None
        if self.label_weights is not None:
            without, with_label = self.label_weights.to(logits)
            weights = without.lerp(with_label, wanted)  # (N, C)
        each = nn.functional.binary_cross_entropy_with_logits(
            logits, wanted, weights, reduction="none"
        )
        return each.sum(dim=1)


def sum_squared_hinges(logits: Tensor, targets: Tensor) -> Tensor:
    """Return Σ_c max(0, 1 - s_c l_c)² of each row, where s_c is 1 for its class and -1 for others.

    Parameters
    ----------
    logits : Tensor of shape (N, C)
        Logits.
    targets : Tensor of shape (N,), int64
        Class indices.

    Returns
    -------
    losses : Tensor of shape (N,)
        The loss of a linear SVM of each class against the rest, summed over the classes.

    Examples
    --------
    >>> import torch
    >>> from sk_ctxmem._network._loss import sum_squared_hinges
    >>> sum_squared_hinges(torch.tensor([[0.5, -0.5, -3.0]]), torch.tensor([0])).tolist()
    [0.5]
    """
    signs = torch.full_like(logits, -1.0)
    signs = signs.scatter(1, targets.unsqueeze(1), 1.0)  # (N, C)
    return (1 - signs * logits).clamp(min=0).square().sum(dim=1)
