"""TrainingHistoryDisplay: loss and score by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

import numpy as np

from ._plotting import get_axes
from ._rows import check_table, find_classifier

COLUMNS = ("epoch", "train_loss", "valid_loss", "valid_score")


class TrainingHistoryDisplay:
    """Loss and validation score by epoch.

    Create it with :meth:`from_estimator` or :meth:`from_history`.

    Parameters
    ----------
    history : DataFrame
        Columns epoch, train_loss, valid_loss and valid_score; NaN if no rows were
        held out.

    best_epoch : int or None, default=None
        Epoch whose weights were kept by early stopping; None without early stopping.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the losses.

    score_ax_ : matplotlib Axes or None
        Axes of the score, on the right; None if no rows were held out.

    figure_ : matplotlib Figure
        Figure of the axes.

    lines_ : list of matplotlib Line2D
        The curves: training loss and, if rows were held out, validation loss and score.

    Examples
    --------
    >>> from sk_ctxmem import ContextMemoryClassifier
    >>> from sk_ctxmem.inspection import TrainingHistoryDisplay
    >>> clf = ContextMemoryClassifier(random_state=0).fit(["a b", "c d"] * 20, [0, 1] * 20)
    >>> display = TrainingHistoryDisplay.from_estimator(clf)  # doctest: +SKIP
    """

    def __init__(self, *, history, best_epoch=None):
        self.history = history
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None) -> Self:
        """Draw the training history of a classifier.

        Parameters
        ----------
        estimator : ContextMemoryClassifier or Pipeline
            The fitted classifier, or a pipeline that ends in one.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : TrainingHistoryDisplay
            The display, drawn.
        """
        classifier, _ = find_classifier(estimator, None, "history_")
        history = classifier.history_
        return cls(history=history, best_epoch=_best_epoch(history)).plot(ax=ax)

    @classmethod
    def from_history(cls, history: Any, *, best_epoch: Any = None, ax: Any = None) -> Self:
        """Draw a history, such as `history_` stored from an earlier fit.

        Parameters
        ----------
        history : DataFrame
            Columns epoch, train_loss, valid_loss and valid_score.

        best_epoch : int or None, default=None
            Epoch to mark.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : TrainingHistoryDisplay
            The display, drawn.
        """
        expected = "a DataFrame such as `history_` of a fitted classifier"
        check_table(history, COLUMNS, "history", expected)
        return cls(history=history, best_epoch=best_epoch).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        self : TrainingHistoryDisplay
            The display itself.
        """
        self.ax_ = get_axes(type(self).__name__, ax, (6.4, 3.8))
        self.figure_ = self.ax_.figure
        self.score_ax_ = None
        self.lines_: list[Any] = []
        self._draw(self.ax_, "train_loss", "training loss", "C0", "o-")
        if self.history["valid_loss"].notna().any():
            self._draw(self.ax_, "valid_loss", "validation loss", "C1", "s--")
        if self.history["valid_score"].notna().any():
            self.score_ax_ = self.ax_.twinx()
            self._draw(self.score_ax_, "valid_score", "validation accuracy", "C2", "^:")
            self.score_ax_.set_ylabel("accuracy")
        self._label()
        return self

    def _draw(self, ax, column, label, color, style):
        epochs = self.history["epoch"]
        self.lines_ += ax.plot(epochs, self.history[column], style, color=color, label=label)

    def _label(self):
        """Label the axes, mark the best epoch and draw the legend."""
        from matplotlib.ticker import MaxNLocator

        handles = list(self.lines_)
        if self.best_epoch is not None:
            label = f"weights kept: epoch {self.best_epoch}"
            handles += [self.ax_.axvline(self.best_epoch, color="0.4", linewidth=1, label=label)]
        self.ax_.set_xlabel("epoch")
        self.ax_.set_ylabel("loss")
        self.ax_.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        self.ax_.legend(
            handles=handles,
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=2,
            frameon=False,
            fontsize=9,
        )


def _best_epoch(history):
    """Return the first epoch with the best validation score, None if no rows were held out.

    Rows are held out only for early stopping, which keeps the weights of this epoch.
    """
    scores = history["valid_score"].to_numpy(dtype=float)
    if np.isnan(scores).all():
        return None
    return int(history["epoch"].iloc[int(np.nanargmax(scores))])
