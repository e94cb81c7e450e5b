"""ContextAttributionDisplay: contributions between the rows of a conversation, as a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

import numpy as np
import pandas as pd

from .._input._rows import check_texts
from ._colors import write_number
from ._explanations import (
    check_explanation,
    choose_rows,
    sum_by_row,
    sum_by_source,
    sum_of_structure,
    targets_of,
)
from ._heat_map import (
    LABELS_WIDTH,
    NUMBER_WIDTH,
    column_width,
    font_size,
    hatch_diagonal,
    labelled,
    write_cells,
    write_columns,
)
from ._plotting import diverging_colors, get_axes
from ._rows import (
    find_classifier,
    has_several_labels,
    read_conversation,
    refuse_sequences,
    shorten,
)

MAX_ROWS_WITH_VALUES = 12  # numbers in smaller cells are not readable
MAX_SHOWN = 60  # turns of a picture; longer conversations are cropped to the strongest
TEXT_WIDTH = 32  # characters of a text in a tick label
CLASS_WIDTH = 16
CELL = 0.42  # inches
MIN_CELL = 0.15
RANGE_PERCENTILE = 98  # of all cells; a few large ones would leave the others white
MAX_NUMBERS = 30  # of contributing rows below the cells
ORIGINS = {  # of a contribution from no other row, by its source
    "ngram": "this row",
    "wide": "this row",
    "word": "this row",
    "embedding": "its vector",
    "column": "its columns",
    "structure": "position, speaker",
    "remainder": "rest",
}


class ContextAttributionDisplay:
    """Heat map of the contribution of each row of a conversation to the class of each other row.

    Line i explains row i. The cells, and the range of their colours, are the contributions of
    other rows: blue is for the class of the line, orange against it. The hatched diagonal is the
    row itself. Contributions that come from no other row are numbers beside the cells, in a column
    for each origin: the content of the row, its vector, its columns, its position and speaker. All
    values of a line sum to the score of the class. Create it with :meth:`from_estimator` or
    :meth:`from_explanation`.

    Parameters
    ----------
    contributions : ndarray of shape (n_turns, n_turns)
        Contribution of row j to row i, in log-odds; NaN where there is none, such as later rows.

    structure : ndarray of shape (n_turns,)
        Contribution to row i of everything that is not text.

    attention : ndarray of shape (n_turns, n_turns)
        Attention weights; NaN where there are none.

    targets : ndarray of shape (n_turns,)
        The explained class of each row; None for rows that are only context.

    texts : list of str
        The texts, in order.

    rows : ndarray of shape (n_turns,)
        Position of each turn in X.

    sources : DataFrame of shape (n_turns, n_sources) or None, default=None
        Contributions to row i that come from no other row, in a column for each `source` of
        :meth:`~sk_ctxmem.ContextMemoryClassifier.explain`. If None, the diagonal of
        `contributions`, and `structure`.

    is_predicted : bool, default=False
        Whether `targets` are the predicted classes, for the title.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the heat map.

    figure_ : matplotlib Figure
        Figure of the axes.

    im_ : matplotlib AxesImage
        The heat map.

    text_ : ndarray of shape (n_shown, n_shown), dtype=matplotlib Text, or None
        The numbers in the cells; None if they are not drawn.

    source_text_ : DataFrame of shape (n_shown, n_origins), dtype=matplotlib Text
        The numbers beside the cells, by their origin.

    turns_ : ndarray of shape (n_shown,)
        The turns that are drawn: all of them or, in a conversation of more than 60 turns, the 60
        that contributed or received most. The title says so. All values are in `contributions`.

    See Also
    --------
    ConversationDisplay : A conversation with its words, as HTML.
    TokenAttributionDisplay : The words of one row.

    Notes
    -----
    Attention weights (``plot(kind="attention")``) do not explain a prediction: a row with a large
    weight may contribute nothing.

    References
    ----------
    Jain, S. and Wallace, B. C. (2019). Attention is not Explanation. NAACL 2019.
    """

    def __init__(
        self,
        *,
        contributions,
        structure,
        attention,
        targets,
        texts,
        rows,
        sources=None,
        is_predicted=False,
    ):
        self.contributions = contributions
        self.structure = structure
        self.attention = attention
        self.targets = targets
        self.texts = texts
        self.rows = rows
        self.sources = sources
        self.is_predicted = is_predicted

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        group: Any = None,
        target: Any = None,
        groups: Any = None,
        kind: Any = "contribution",
        include_values: Any = None,
        ax: Any = None,
    ) -> Self:
        """Explain the rows of a conversation, and draw the heat map.

        Parameters
        ----------
        estimator : ContextMemoryClassifier or Pipeline
            The fitted classifier, or a pipeline that ends in one.

        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the same kind as in `fit`.

        group : hashable or None, default=None
            Id of the conversation; None if X has only one.

        target : class label, array-like of shape (n_turns,) or None, default=None
            The class to explain, or one for each turn; None for the predicted classes.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        kind : {"contribution", "attention"}, default="contribution"
            The values to draw.

        include_values : bool or None, default=None
            Whether to write numbers in the cells. None writes them for up to 12 rows.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : ContextAttributionDisplay
            The display, drawn.
        """
        _check_kind(kind)
        _check_include_values(include_values)
        classifier, _ = find_classifier(estimator, None, "explain")
        remedy = "draw the turns of one with ConversationDisplay"
        refuse_sequences(classifier, cls.__name__, remedy)
        conversation = read_conversation(estimator, X, groups, group=group)
        if not conversation.has_groups and len(conversation.rows) > 1:
            raise ValueError(
                "X comes without groups, so no row has other rows as context; pass groups=, or "
                "draw one row with TokenAttributionDisplay."
            )
        explanation = conversation.explain(target)
        display = cls._from_rows(explanation, conversation.texts, np.arange(len(conversation.rows)))
        display.rows = conversation.rows
        display.is_predicted = target is None and not has_several_labels(classifier)
        return display.plot(ax=ax, kind=kind, include_values=include_values)

    @classmethod
    def from_explanation(
        cls,
        explanation: Any,
        texts: Any,
        *,
        rows: Any = None,
        kind: Any = "contribution",
        include_values: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw a DataFrame that `explain` returned.

        Parameters
        ----------
        explanation : DataFrame
            Output of :meth:`~sk_ctxmem.ContextMemoryClassifier.explain`.

        texts : {list, ndarray, Series} of n_rows
            Texts of all rows that were passed to `explain`.

        rows : array-like of int or None, default=None
            Positions of the rows of one conversation, in order; None for all rows in the
            explanation, in the order of X.

        kind : {"contribution", "attention"}, default="contribution"
            The values to draw.

        include_values : bool or None, default=None
            Whether to write numbers in the cells. None writes them for up to 12 rows.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : ContextAttributionDisplay
            The display, drawn.
        """
        check_explanation(explanation)
        texts = check_texts(texts, "texts")
        rows = choose_rows(explanation, len(texts), rows)
        display = cls._from_rows(explanation, [texts[row] for row in rows], rows)
        return display.plot(ax=ax, kind=kind, include_values=include_values)

    @classmethod
    def _from_rows(cls, explanation, texts, rows):
        """Sum an explanation by rows, without drawing it."""
        return cls(
            contributions=sum_by_row(explanation, rows),
            structure=sum_of_structure(explanation, rows),
            attention=sum_by_row(explanation, rows, "attention"),
            targets=targets_of(explanation, rows),
            texts=texts,
            rows=rows,
            sources=sum_by_source(explanation, rows),
        )

    def plot(
        self,
        ax: Any = None,
        *,
        kind: Any = "contribution",
        include_values: Any = None,
        cmap: Any = None,
        colorbar: bool = True,
    ) -> Self:
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        kind : {"contribution", "attention"}, default="contribution"
            The values to draw: contributions to the log-odds, or attention weights, which do not
            explain the prediction.

        include_values : bool or None, default=None
            Whether to write numbers in the cells. None writes them for up to 12 rows.

        cmap : str, Colormap or None, default=None
            Colormap; None for orange to white to blue.

        colorbar : bool, default=True
            Whether to draw a colorbar.

        Returns
        -------
        self : ContextAttributionDisplay
            The display itself.
        """
        _check_kind(kind)
        _check_include_values(include_values)
        self.turns_ = self._strongest_turns(kind)
        n_turns, numbers = len(self.turns_), self._numbers(kind)
        cell = max(MIN_CELL, CELL if n_turns <= MAX_ROWS_WITH_VALUES else 5.5 / n_turns)
        width = max(2.2, cell * n_turns) + NUMBER_WIDTH * numbers.shape[1]
        size = (width + LABELS_WIDTH, max(3.2, cell * n_turns + 1.6))
        self.ax_ = get_axes(type(self).__name__, ax, size)
        self.figure_ = self.ax_.figure
        values = self._cells(kind)
        self.im_ = self._draw_cells(values, kind, cmap)
        if include_values is None:
            include_values = n_turns <= MAX_ROWS_WITH_VALUES
        write = write_number if kind == "contribution" else "{:.2f}".format
        self.text_ = write_cells(self.ax_, self.im_, values, write) if include_values else None
        start, step = n_turns - 0.5, column_width(self.ax_, n_turns, numbers.shape[1])
        self.source_text_ = write_columns(self.ax_, numbers, start, step)
        places = start + step * (np.arange(numbers.shape[1]) + 0.5)
        self._label(kind, dict(zip(numbers, places, strict=True)))
        if colorbar:
            self._draw_colorbar(values, kind)
        return self

    def _cells(self, kind):
        """Return the values of the cells; contributions of a row to itself are NaN."""
        shown = np.ix_(self.turns_, self.turns_)
        if kind == "attention":
            return self.attention[shown]
        own = np.eye(len(self.turns_), dtype=bool)
        return np.where(own, np.nan, self.contributions[shown])

    def _numbers(self, kind):
        """Return the contributions beside the cells, in a column for each origin."""
        if kind == "attention":
            return pd.DataFrame(index=self.turns_)
        if self.sources is None:
            own = {"this row": self.contributions.diagonal(), "not text": self.structure}
            return pd.DataFrame(own).iloc[self.turns_]
        origins = [ORIGINS.get(source, source) for source in self.sources]
        sums = self.sources.T.groupby(origins, sort=False).sum(min_count=1).T
        return sums.iloc[self.turns_]

    def _strongest_turns(self, kind):
        """Return all turns, or MAX_SHOWN with the largest values between two turns, in order."""
        n_turns = len(self.rows)
        if n_turns <= MAX_SHOWN:
            return np.arange(n_turns)
        sizes = np.abs(np.nan_to_num(self.attention if kind == "attention" else self.contributions))
        own = sizes.diagonal().copy()
        np.fill_diagonal(sizes, 0.0)
        between = np.maximum(sizes.max(axis=0), sizes.max(axis=1))
        return np.sort(np.lexsort((-own, -between))[:MAX_SHOWN])

    def _draw_cells(self, values, kind, cmap):
        """Draw the cells."""
        largest = _range_of(values)
        lowest = -largest if kind == "contribution" else 0.0
        shown = np.ma.masked_invalid(values)
        cmap = cmap or (diverging_colors() if kind == "contribution" else "Blues")
        self.ax_.set_facecolor("0.93")
        if kind == "contribution":
            hatch_diagonal(self.ax_, len(values))
        return self.ax_.imshow(
            shown, cmap=cmap, vmin=lowest, vmax=largest, aspect="auto", interpolation="nearest"
        )

    def _draw_colorbar(self, values, kind):
        """Draw the colorbar, with arrows if cells are outside its range."""
        lowest, largest = self.im_.get_clim()
        known = values[~np.isnan(values)]
        is_below, is_above = (known < lowest).any(), (known > largest).any()
        extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}
        bar = self.figure_.colorbar(
            self.im_,
            ax=self.ax_,
            fraction=0.05,
            aspect=30,
            extend=extend[int(is_below), int(is_above)],
        )
        bar.set_label(_describe(kind), fontsize=8)
        bar.ax.tick_params(labelsize=8)

    def _label(self, kind, places):
        """Label the lines and columns; `places` are those of the columns of numbers."""
        n_turns = len(self.turns_)
        size = font_size(self.ax_, n_turns)
        shown = labelled(n_turns)
        names = [self._name(turn) for turn in self.turns_[shown]]
        self.ax_.set_yticks(shown, names, fontsize=size, parse_math=False)
        shown = labelled(n_turns, MAX_NUMBERS)
        numbers = list(map(str, self.turns_[shown]))
        headings = [name.replace(" ", "\n") for name in places]
        self.ax_.set_xticks([*shown, *places.values()], numbers + headings, fontsize=size)
        self.ax_.set_xlabel("contributing row")
        self.ax_.set_ylabel("explained row")
        self.ax_.set_title(self._title(kind), fontsize=10)

    def _title(self, kind):
        """Say what is drawn, and whether rows are left out."""
        title = "Attention weights (not an explanation)"
        if kind == "contribution":
            later = np.triu(~np.isnan(self.contributions), 1).any()
            what = "other" if later else "earlier"
            which = "predicted" if self.is_predicted else "explained"
            title = f"Contribution of {what} rows to the {which} class, in log-odds"
        if len(self.turns_) < len(self.rows):
            n_shown, n_turns = len(self.turns_), len(self.rows)
            title += f"\n{n_shown} of {n_turns} rows: those with the largest values"
        return title

    def _name(self, turn):
        target = self.targets[turn]
        label = "" if target is None else f"[{shorten(target, CLASS_WIDTH)}]  "
        return f"{label}{shorten(self.texts[turn], TEXT_WIDTH)}  {turn}"


def _range_of(values):
    """Return the absolute value at which the colormap ends."""
    sizes = abs(values[~np.isnan(values)])
    return float(np.percentile(sizes, RANGE_PERCENTILE)) if sizes.any() else 1.0


def _check_include_values(include_values):
    if include_values is not None and not isinstance(include_values, bool | np.bool_):
        raise TypeError(
            f"include_values={include_values!r:.100} must be True, False, or None for the default."
        )


def _check_kind(kind):
    if not isinstance(kind, str) or kind not in ("contribution", "attention"):
        raise ValueError(f"kind={kind!r:.100} must be 'contribution' or 'attention'.")


def _describe(kind):
    """Return the label of the colorbar."""
    if kind == "attention":
        return "attention weight"
    return "log-odds: + for the class, − against it"
