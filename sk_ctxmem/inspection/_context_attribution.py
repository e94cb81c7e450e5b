"""ContextAttributionDisplay: contributions between the rows of a conversation, as a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

import numpy as np

from .._input._rows import check_texts
from ._colors import write_number
from ._explanations import (
    check_explanation,
    choose_rows,
    sum_by_row,
    sum_of_structure,
    targets_of,
)
from ._plotting import diverging_colors, get_axes
from ._rows import find_classifier, read_conversation, refuse_sequences, shorten

MAX_ROWS_WITH_VALUES = 12  # numbers in smaller cells are not readable
MAX_SHOWN = 60  # turns of a picture; longer conversations are cropped to the strongest
TEXT_WIDTH = 32  # characters of a text in a tick label
CLASS_WIDTH = 16
CELL = 0.42  # inches
MIN_CELL = 0.16
RANGE_PERCENTILE = 98  # of all cells; a few large ones would leave the others white


class ContextAttributionDisplay:
    """Heat map of the contribution of each row of a conversation to the class of each row.

    Line i explains row i: the contribution of its own text is on the diagonal, those of other
    rows are beside it, and the separate last column is everything that is not text (position,
    speaker, the presence of other rows). Blue is for the class of the line, orange against it.
    Create it with :meth:`from_estimator` or :meth:`from_explanation`.

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

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the heat map.

    figure_ : matplotlib Figure
        Figure of the axes.

    im_ : matplotlib AxesImage
        The heat map.

    text_ : ndarray of shape (n_shown, n_shown + 1), dtype=matplotlib Text, or None
        The numbers in the cells; None if they are not drawn.

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

    def __init__(self, *, contributions, structure, attention, targets, texts, rows):
        self.contributions = contributions
        self.structure = structure
        self.attention = attention
        self.targets = targets
        self.texts = texts
        self.rows = rows

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
        n_turns = len(self.turns_)
        cell = max(MIN_CELL, CELL if n_turns <= MAX_ROWS_WITH_VALUES else 5.5 / n_turns)
        size = (max(2.2, cell * n_turns) + 5.0, max(3.2, cell * n_turns + 1.2))
        self.ax_ = get_axes(type(self).__name__, ax, size)
        self.figure_ = self.ax_.figure
        values = self._cells(kind)
        self.im_ = self._draw_cells(values, kind, cmap)
        if include_values is None:
            include_values = n_turns <= MAX_ROWS_WITH_VALUES
        self.text_ = self._write_values(values, kind) if include_values else None
        self._label(kind)
        if colorbar:
            self._draw_colorbar(values, kind)
        return self

    def _cells(self, kind):
        """Return the values of the cells, including the column of structure."""
        shown = np.ix_(self.turns_, self.turns_)
        if kind == "attention":
            return self.attention[shown]
        return np.column_stack([self.contributions[shown], self.structure[self.turns_]])

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
        return self.ax_.imshow(
            shown, cmap=cmap, vmin=lowest, vmax=largest, aspect="auto", interpolation="nearest"
        )

    def _draw_colorbar(self, values, kind):
        """Draw the colorbar, with arrows if cells are outside its range."""
        lowest, largest = self.im_.get_clim()
        known = values[~np.isnan(values)]
        is_below, is_above = (known < lowest).any(), (known > largest).any()
        extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}
        self.figure_.colorbar(
            self.im_,
            ax=self.ax_,
            label=_describe(kind),
            fraction=0.05,
            aspect=30,
            extend=extend[int(is_below), int(is_above)],
        )

    def _write_values(self, values, kind):
        """Write the values into the cells, in black or white, whichever is readable."""
        texts = np.full(values.shape, None, dtype=object)
        for line, column in np.argwhere(~np.isnan(values)):
            value = values[line, column]
            red, green, blue, _ = self.im_.cmap(self.im_.norm(value))
            is_dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.55
            texts[line, column] = self.ax_.text(
                column,
                line,
                write_number(value) if kind == "contribution" else f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if is_dark else "black",
            )
        return texts

    def _label(self, kind):
        """Label the lines and columns, and separate the column of structure."""
        n_turns = len(self.turns_)
        size = float(np.clip(420 / n_turns, 5, 9))
        names = [self._name(turn) for turn in self.turns_]
        self.ax_.set_yticks(range(n_turns), names, fontsize=size, parse_math=False)
        positions = list(range(0, n_turns, 1 if n_turns <= 20 else 2))
        numbers = [str(self.turns_[position]) for position in positions]
        if kind == "contribution":
            positions, numbers = [*positions, n_turns], [*numbers, "not text"]
            self.ax_.axvline(n_turns - 0.5, color="black", linewidth=1)
        self.ax_.set_xticks(positions, numbers, fontsize=size, rotation=90)
        self.ax_.set_xlabel("contributing turn")
        self.ax_.set_ylabel("explained turn")
        title = "Contribution of each turn to the class"
        if kind == "attention":
            title = "Attention weights (not an explanation)"
        if n_turns < len(self.rows):
            title += f"\n{n_turns} of {len(self.rows)} turns: those with the largest values"
        self.ax_.set_title(title, fontsize=10)

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
    return "contribution to the log-odds" if kind == "contribution" else "attention weight"
