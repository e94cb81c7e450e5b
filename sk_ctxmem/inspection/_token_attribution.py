"""TokenAttributionDisplay: contributions of the words of one text, as bars or shaded text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

from collections import defaultdict
from numbers import Integral, Real

import numpy as np

from .._input._rows import check_texts
from ._colors import largest_of, sign_of, write_number
from ._explanations import (
    NOT_TEXT,
    check_explanation,
    label_column,
    name_columns,
    probabilities_of,
    sum_by_column,
    targets_of,
)
from ._html import HTMLDisplay, Turn, render_block
from ._plotting import get_axes, to_matplotlib
from ._rows import check_row, read_conversation, shorten
from ._words import word_contributions

MAX_BARS = 15  # by default
MAX_DRAWN = 60  # bars of a picture, whatever is asked for
WIDTH, MARGIN, BAR = 6.4, 1.3, 0.27  # inches: of the figure, of title and x axis, of one bar
WORD_WIDTH = 24  # characters of a word beside its bar
CLASS_WIDTH = 40


class TokenAttributionDisplay(HTMLDisplay):
    """Contributions of the words of one text to the score of a class.

    :meth:`plot` draws the strongest words as bars: blue for the class, orange and hatched against
    it. In a notebook, the display is the text itself, as HTML, with its words shaded. Create it
    with :meth:`from_estimator` or :meth:`from_explanation`.

    Parameters
    ----------
    text : str
        The text.

    words : list of WordContribution
        Contribution of each word to the log-odds, in the order of the text.

    target : class label
        The class that is explained.

    probability : float, default=nan
        Probability of the class; NaN if it is not known.

    rest : float, default=0.0
        Contribution of n-grams of the text that belong to none of its words.

    other_turns : float or None, default=0.0
        Sum of the contributions of other rows; None if the text is a whole sequence.

    structure : float, default=0.0
        Sum of the contributions of everything that is not text, such as position and speaker.

    top : int or None, default=None
        Number of words to show, strongest first. None shades all words in the HTML and draws 15
        bars. A picture has at most 60.

    row : int, default=0
        Position of the text in X.

    columns : dict of str to float or None, default=None
        Contribution of each column beside the text, of `feature_columns`. They have bars too.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the bars.

    figure_ : matplotlib Figure
        Figure of the axes.

    bars_ : matplotlib BarContainer
        The bars, strongest word first; empty if no word contributed.

    See Also
    --------
    ConversationDisplay : All texts of a conversation, as HTML.
    ContextAttributionDisplay : Contributions of each row to each row, as a heat map.

    Notes
    -----
    A word that occurs several times has one bar, with the sum of its contributions and the number
    of its occurrences. Words that differ in case have separate bars. The HTML shades each
    occurrence by its own contribution.

    matplotlib needs a font that has the letters of the text: for Chinese,
    ``plt.rcParams["font.family"] = "Noto Sans CJK SC"``. It does not shape scripts that run from
    right to left or join their letters; the HTML does.
    """

    def __init__(
        self,
        *,
        text,
        words,
        target,
        probability=np.nan,
        rest=0.0,
        other_turns=0.0,
        structure=0.0,
        top=None,
        row=0,
        columns=None,
    ):
        self.text = text
        self.words = words
        self.target = target
        self.probability = probability
        self.rest = rest
        self.other_turns = other_turns
        self.structure = structure
        self.top = top
        self.row = row
        self.columns = columns

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        row: Any = 0,
        target: Any = None,
        groups: Any = None,
        top: Any = None,
        plot: Any = True,
        ax: Any = None,
    ) -> Self:
        """Explain one row, and draw its words.

        Parameters
        ----------
        estimator : ContextMemoryClassifier or Pipeline
            The fitted classifier, or a pipeline that ends in one.

        X : {list, ndarray, Series, DataFrame} of n_rows
            Texts, including the other rows of the conversation.

        row : int, default=0
            Position in X of the row to explain, or of the sequence, whose words are those of all of
            its rows.

        target : class label or None, default=None
            The class to explain; None for the predicted one.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        top : int or None, default=None
            Number of words to show, strongest first. None shades all words in the HTML and draws
            15 bars.

        plot : bool, default=True
            Whether to draw with matplotlib. The HTML does not need it.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : TokenAttributionDisplay
            The display, drawn if `plot` is True.
        """
        _check_top(top)
        conversation = read_conversation(estimator, X, groups, row=row)
        classifier = conversation.classifier
        position = check_row(row, conversation.n_rows)
        if conversation.sequence is not None:
            display = cls._from_sequence(conversation, target, top)
            return display.plot(ax=ax) if plot else display
        turn = int(np.flatnonzero(conversation.rows == position)[0])
        explanation = conversation.explain(target, rows=[turn])
        targets = targets_of(explanation, [turn])
        probabilities = conversation.predict_proba()[[turn]]
        probability = probabilities_of(classifier, probabilities, targets)[0]
        text, vectorizer = conversation.texts[turn], classifier.vectorizer_
        display = cls._from_row(explanation, text, turn, vectorizer, probability, top)
        display.row = position
        return display.plot(ax=ax) if plot else display

    @classmethod
    def from_explanation(
        cls,
        explanation: Any,
        texts: Any,
        *,
        row: Any = None,
        probability: Any = np.nan,
        top: Any = None,
        plot: Any = True,
        ax: Any = None,
    ) -> Self:
        """Draw one row of a DataFrame that `explain` returned.

        Parameters
        ----------
        explanation : DataFrame
            Output of :meth:`~sk_ctxmem.ContextMemoryClassifier.explain`.

        texts : {list, ndarray, Series} of n_rows
            Texts of all rows that were passed to `explain`.

        row : int or None, default=None
            Position of the row to draw; None if only one was explained.

        probability : float, default=nan
            Probability of the explained class; NaN if it is not known.

        top : int or None, default=None
            Number of words to show, strongest first. None shades all words in the HTML and draws
            15 bars.

        plot : bool, default=True
            Whether to draw with matplotlib. The HTML does not need it.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : TokenAttributionDisplay
            The display, drawn if `plot` is True.
        """
        _check_top(top)
        _check_probability(probability)
        check_explanation(explanation)
        texts = check_texts(texts, "texts")
        row = _choose_row(explanation, row, len(texts))
        display = cls._from_row(explanation, texts[row], row, None, probability, top)
        return display.plot(ax=ax) if plot else display

    @classmethod
    def _from_sequence(cls, conversation, target, top):
        """Sum the explanation of a sequence, whose text is that of all rows, without drawing it."""
        classifier, lines = conversation.classifier, conversation.explain(target)
        words, start = [], 0
        is_word = lines["source"] != "column"
        for text, row in zip(conversation.texts, conversation.rows, strict=True):
            of_row = lines[is_word & (lines["from_row"] == row)]
            found, _ = word_contributions(text, of_row, classifier.vectorizer_)
            words += [
                each._replace(start=each.start + start, end=each.end + start) for each in found
            ]
            start += len(text) + 1
        columns, is_text = sum_by_column(lines), lines["from_row"] != NOT_TEXT
        of_words = sum(word.contribution for word in words)
        of_text = lines.loc[is_text, "contribution"].sum() - sum(columns.values())
        targets = lines["target"].iloc[:1].to_numpy(dtype=object)
        probabilities = conversation.predict_proba()
        return cls(
            text="\n".join(conversation.texts),
            words=words,
            rest=float(of_text - of_words),
            target=targets[0],
            probability=float(probabilities_of(classifier, probabilities, targets)[0]),
            other_turns=None,
            structure=float(lines.loc[~is_text, "contribution"].sum()),
            top=top,
            row=conversation.sequence,
            columns=columns,
        )

    @classmethod
    def _from_row(cls, explanation, text, row, vectorizer, probability, top):
        """Sum the explanation of one row, without drawing it."""
        lines = explanation[explanation["row"] == row]
        is_own, is_text = lines["from_row"] == row, lines["from_row"] != NOT_TEXT
        own = lines[is_own]
        words, rest = word_contributions(text, own[own["source"] != "column"], vectorizer)
        return cls(
            text=text,
            words=words,
            rest=rest,
            target=lines["target"].iloc[0],
            probability=float(probability),
            other_turns=float(lines.loc[is_text & ~is_own, "contribution"].sum()),
            structure=float(lines.loc[~is_text, "contribution"].sum()),
            top=top,
            row=row,
            columns=sum_by_column(own),
        )

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the strongest words as horizontal bars.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        **kwargs : dict
            Passed to matplotlib's `barh`.

        Returns
        -------
        self : TokenAttributionDisplay
            The display itself.
        """
        _check_top(self.top)
        known = _sum_equal_words(self.words, self.columns or {})
        words = known[: min(self.top or MAX_BARS, MAX_DRAWN)]
        self.ax_ = get_axes(type(self).__name__, ax, (WIDTH, MARGIN + BAR * max(2, len(words))))
        self.figure_ = self.ax_.figure
        self.bars_ = self._draw_bars([value for _, value in words], kwargs)
        labels = [label for label, _ in words]
        self.ax_.set_yticks(range(len(words)), labels, fontsize=9, parse_math=False)
        self._label()
        n_asked = min(self.top or 0, len(known))
        if n_asked > len(words):
            title = f"{self.ax_.get_title()}\n{len(words)} of {n_asked} words shown"
            self.ax_.set_title(title, fontsize=10, parse_math=False)
        if words:
            self.ax_.axvline(0, color="0.3", linewidth=0.8)
        else:
            self.ax_.set_axis_off()
            center = {"ha": "center", "va": "center", "transform": self.ax_.transAxes}
            self.ax_.text(0.5, 0.5, "No word contributed.", **center)
        return self

    def _draw_bars(self, values, kwargs):
        """Draw the bars, the first one at the top, and write their values beside them."""
        signs = [sign_of(value) for value in values]
        style = {
            "color": [to_matplotlib(sign, 0.75) for sign in signs],
            "edgecolor": [to_matplotlib(sign) for sign in signs],
            "hatch": ["" if sign == "positive" else "////" for sign in signs],
        }
        bars = self.ax_.barh(range(len(values)), values, **(style | kwargs))
        self.ax_.bar_label(bars, [write_number(value) for value in values], padding=3, fontsize=9)
        self.ax_.margins(x=0.2)  # leaves room for the values
        self.ax_.set_ylim(max(1, len(values)) - 0.5, -0.5)
        self.ax_.spines[["top", "right"]].set_visible(False)
        return bars

    def _label(self):
        """Write the title, and below the axis the contributions that no bar shows."""
        probability = "" if np.isnan(self.probability) else f" ({100 * self.probability:.0f} %)"
        title = f"Strongest words for {shorten(self.target, CLASS_WIDTH)}{probability}"
        self.ax_.set_title(title, fontsize=10, parse_math=False)
        sums = {"other turns": self.other_turns, "position and speaker": self.structure}
        shown = [f"{name} {write_number(v)}" for name, v in sums.items() if v is not None]
        line = f"contribution to the log-odds of the class\n({', '.join(shown)})"
        self.ax_.set_xlabel(line, fontsize=9)

    def _repr_html_(self):
        """Return the HTML that a notebook shows."""
        contributions = [word.contribution for word in self.words]
        sums = {
            "own text": sum(contributions) + self.rest,
            **name_columns(self.columns or {}),
            **({} if self.other_turns is None else {"other turns": self.other_turns}),
            "position and speaker": self.structure,
        }
        turn = Turn(
            number=self.row,
            text=self.text,
            words=self._strongest_words(),
            target=self.target,
            probability=self.probability,
            sums=sums,
        )
        return render_block([turn], largest_of(contributions), 0.0)

    def _strongest_words(self):
        """Return the words to shade, in the order of the text."""
        if self.top is None:
            return self.words
        sizes = -np.abs([word.contribution for word in self.words])
        strongest = np.sort(np.argsort(sizes, kind="stable")[: self.top])
        return [self.words[position] for position in strongest]

    def __repr__(self):
        return f"{type(self).__name__}(target={self.target!r}, n_words={len(self.words)})"


def _sum_equal_words(words, columns):
    """Return pairs of label and contribution for each spelling and column, strongest first."""
    by_spelling = defaultdict(list)
    for word in words:
        by_spelling[word.word].append(word.contribution)
    pairs = [(label_column(name), value) for name, value in columns.items()]
    for spelling, values in by_spelling.items():
        count = f" ×{len(values)}" * (len(values) > 1)
        pairs.append((shorten(spelling, WORD_WIDTH) + count, sum(values)))
    return sorted((pair for pair in pairs if pair[1]), key=lambda pair: -abs(pair[1]))


def _check_top(top):
    if top is not None and (isinstance(top, bool) or not isinstance(top, Integral)):
        raise TypeError(f"top={top!r} must be a number of words, or None for the default.")
    if top is not None and top < 1:
        raise ValueError(f"top={top} must be at least 1; use None for the default.")


def _check_probability(probability):
    if isinstance(probability, bool) or not isinstance(probability, Real):
        raise TypeError(f"probability={probability!r:.100} must be a number from 0 to 1, or NaN.")
    if not (np.isnan(float(probability)) or 0 <= float(probability) <= 1):
        raise ValueError(f"probability={probability} must be from 0 to 1; use NaN if unknown.")


def _choose_row(explanation, row, n_rows):
    """Return the row to draw, by default the only one that was explained."""
    explained = explanation["row"].unique()
    if row is None and len(explained) > 1:
        raise ValueError(
            f"row=None, but explanation has {len(explained)} rows; pass the row to draw, such as "
            f"row={explained[0]}."
        )
    row = check_row(int(explained[0]) if row is None else row, n_rows)
    if row not in explained:
        raise ValueError(f"row={row} is not explained; these are: {explained[:5].tolist()}.")
    return row
