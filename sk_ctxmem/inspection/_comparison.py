"""ComparisonDisplay: accuracy of models with intervals of their difference to the best baseline."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

import numpy as np
import pandas as pd

from ._colors import DARK, LIGHT
from ._plotting import get_axes
from ._rows import check_table

COLUMNS = ("model", "accuracy", "difference", "low", "high")
OURS = "context-memory"
LINE_WIDTH = 66  # characters of the conclusion, as wide as the axes
HEIGHT_OF_ROW = 0.34  # inches
HEIGHT_OF_REST = 1.7  # inches: axis and conclusion


class ComparisonDisplay:
    """Accuracy of each model, with the interval of its difference to the best baseline.

    Create it with :meth:`from_table`. A model is clearly better or worse than the best baseline, at
    the dashed line, if its interval does not reach the line.

    Parameters
    ----------
    table : DataFrame
        Result of :func:`sk_ctxmem.compare_classifiers`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.

    figure_ : matplotlib Figure
        Figure of the axes.

    intervals_ : list of matplotlib ErrorbarContainer
        Dots and intervals, one for each model, from the bottom up.

    baseline_ : matplotlib Line2D or None
        Line of the best baseline; None if there is none.

    conclusion_ : matplotlib Text
        The conclusion below the axes.

    Examples
    --------
    >>> from sk_ctxmem.inspection import ComparisonDisplay
    >>> display = ComparisonDisplay.from_table(table)  # doctest: +SKIP
    """

    def __init__(self, *, table):
        self.table = table

    @classmethod
    def from_table(cls, table: pd.DataFrame, *, ax: Any = None) -> Self:
        """Draw a table.

        Parameters
        ----------
        table : DataFrame
            Result of :func:`sk_ctxmem.compare_classifiers`, or such a table read from a file, which
            has no conclusion.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : ComparisonDisplay
            The display, drawn.
        """
        check_table(table, COLUMNS, "table", "a DataFrame such as compare_classifiers returns")
        return cls(table=table).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the table.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        self : ComparisonDisplay
            The display itself.
        """
        table = self.table.sort_values("accuracy", kind="stable", ignore_index=True)
        height = HEIGHT_OF_REST + HEIGHT_OF_ROW * len(table)
        self.ax_ = get_axes(type(self).__name__, ax, (7.2, height))
        self.figure_ = self.ax_.figure
        colors = _palette(self.ax_)
        self.baseline_ = self._draw_baseline(table, colors)
        self.intervals_ = [
            self._draw_model(place, row, colors)
            for place, row in enumerate(table.itertuples(index=False))
        ]
        self._label(table, colors)
        return self

    def _draw_baseline(self, table, colors):
        """Draw the line that intervals are compared with."""
        accuracy = _best_baseline(table, self.table.attrs.get("baseline"))
        if accuracy is None:
            return None
        style = {"color": colors["faint"], "linewidth": 1, "linestyle": "--", "zorder": 1}
        return self.ax_.axvline(100 * accuracy, **style)

    def _draw_model(self, place, row, colors):
        """Draw the dot and the interval of a model."""
        is_ours = str(row.model).startswith(OURS)
        color = colors["positive" if is_ours else "faint"]
        ends = _interval(row)
        dots = self.ax_.errorbar(
            100 * row.accuracy,
            place,
            xerr=None if ends is None else 100 * ends,
            fmt="D" if is_ours else "o",
            color=color,
            markersize=7 if is_ours else 6,
            elinewidth=2,
            capsize=3,
            zorder=3,
        )
        self.ax_.annotate(
            f"{100 * row.accuracy:.1f}",
            (100 * row.accuracy, place),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=colors["ink"],
            bbox={"facecolor": self.ax_.get_facecolor(), "edgecolor": "none", "pad": 0.5},
        )
        return dots

    def _label(self, table, colors):
        """Name the models, ours in bold, and write the conclusion below."""
        self.ax_.set_yticks(range(len(table)), table["model"].astype(str))
        for label in self.ax_.get_yticklabels():
            is_ours = label.get_text().startswith(OURS)
            label.set(color=colors["ink"], fontweight="bold" if is_ours else "normal")
        self.ax_.set_ylim(-0.6, len(table) - 0.3)
        self.ax_.margins(x=0.08)
        self.ax_.spines[["top", "right", "left"]].set_visible(False)
        self.ax_.tick_params(axis="y", length=0)
        self.ax_.grid(axis="x", color=colors["line"], linewidth=0.5)
        self.ax_.set_axisbelow(True)
        conclusion = textwrap.fill(self.table.attrs.get("conclusion", ""), LINE_WIDTH)
        explained = "accuracy in %, with 95 % intervals of the difference to the best baseline"
        self.conclusion_ = self.ax_.set_xlabel(
            explained + "\n\n" * bool(conclusion) + conclusion, color=colors["ink"], fontsize=9
        )


def _palette(ax):
    """Return the colours for the background of the axes, from 0 to 1."""
    from matplotlib.colors import to_rgb

    is_dark = np.dot(to_rgb(ax.get_facecolor()), (0.299, 0.587, 0.114)) < 0.5
    colors = DARK if is_dark else LIGHT
    return {name: tuple(part / 255 for part in color) for name, color in colors.items()}


def _best_baseline(table, name):
    """Return the accuracy of the best baseline, which other models are compared with."""
    if name is None:
        known = table.dropna(subset=["difference"])
        if known.empty:
            return None
        return float(known["accuracy"].iloc[0] - known["difference"].iloc[0])
    found = table.loc[table["model"] == name, "accuracy"]
    return float(found.iloc[0]) if len(found) else None


def _interval(row):
    """Return the distances of the ends of an interval from the dot, None if there is none."""
    if np.isnan(row.low) or np.isnan(row.high):
        return None
    return np.array([[row.difference - row.low], [row.high - row.difference]]).clip(0)
