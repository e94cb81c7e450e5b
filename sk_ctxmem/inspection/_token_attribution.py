"""TokenAttributionDisplay: the words of one text, shaded by what they contributed."""

from numbers import Integral

import numpy as np

from .._input._rows import check_texts
from ._colors import largest_of, write_number
from ._drawn_text import LINE, MARGIN, MOST_CHARACTERS, WIDTH, draw_text
from ._explanations import NOT_TEXT, check_explanation, probabilities_of, targets_of
from ._html import Turn, render_block, render_page
from ._plotting import get_axes
from ._rows import check_row, clean, read_conversation, shorten
from ._words import word_contributions
from ._wrapping import split_pieces


class TokenAttributionDisplay:
    """The words of one text, coloured by what they contributed to a class.

    Blue speaks for the class, orange with a dashed frame against it. Notebooks show it as HTML;
    :meth:`plot` draws it with matplotlib. Made by :meth:`from_estimator` or
    :meth:`from_explanation`.

    Parameters
    ----------
    text : str
        The text.

    words : list of WordContribution
        What each word contributed, in log-odds, in the order of the text.

    target : class label
        The class that is explained.

    probability : float, default=nan
        Its probability; NaN if not known.

    rest : float, default=0.0
        What the text contributed by n-grams that are not found in it.

    other_turns : float, default=0.0
        What other rows contributed in sum.

    structure : float, default=0.0
        What all that is not text contributed.

    top : int or None, default=None
        How many words to colour, those that counted most; None for all.

    row : int, default=0
        Position of the text in X.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the text.

    figure_ : matplotlib Figure
        Its figure.

    text_ : list of matplotlib Text
        The pieces of the text, in its order.

    See Also
    --------
    ConversationDisplay : All texts of a conversation, as HTML.
    ContextAttributionDisplay : All turns by all turns, as a heat map.

    Notes
    -----
    matplotlib draws scripts that run from right to left, and those whose letters join, letter
    by letter from left to right; the HTML shows them as they are written. It also needs a
    font that has the letters: for Chinese, ``plt.rcParams["font.family"] = "Noto Sans CJK SC"``.
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

    @classmethod
    def from_estimator(
        cls, estimator, X, *, row=0, target=None, groups=None, top=None, plot=True, ax=None
    ):
        """Explain one row, and draw its words.

        Parameters
        ----------
        estimator : ContextMemoryClassifier or Pipeline
            The fitted classifier, or a pipeline that ends in one.

        X : {list, ndarray, Series, DataFrame} of n_rows
            Texts, with the other rows of the conversation.

        row : int, default=0
            Position in X of the row to explain.

        target : class label or None, default=None
            The class to explain; None for the predicted one.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation each row belongs to, if no column says so.

        top : int or None, default=None
            How many words to colour, those that counted most; None for all.

        plot : bool, default=True
            Whether to draw with matplotlib; HTML needs no drawing.

        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        display : TokenAttributionDisplay
            The display, drawn if asked for.
        """
        _check_top(top)
        talk = read_conversation(estimator, X, groups, row=row)
        row = check_row(row, X.shape[0] if hasattr(X, "shape") else len(X))
        turn = int(np.flatnonzero(talk.rows == row)[0])
        explanation = talk.classifier.explain(talk.X, target, groups=talk.groups, rows=[turn])
        probabilities = talk.classifier.predict_proba(talk.X, groups=talk.groups)
        target = targets_of(explanation, [turn])
        probability = probabilities_of(talk.classifier, probabilities[[turn]], target)[0]
        vectorizer = talk.classifier.vectorizer_
        display = cls._of(explanation, talk.texts[turn], turn, vectorizer, probability, top)
        display.row = row
        return display.plot(ax=ax) if plot else display

    @classmethod
    def from_explanation(
        cls, explanation, texts, *, row=None, probability=np.nan, top=None, plot=True, ax=None
    ):
        """Draw a row of what `explain` has returned.

        Parameters
        ----------
        explanation : DataFrame
            What :meth:`~sk_ctxmem.ContextMemoryClassifier.explain` returned.

        texts : {list, ndarray, Series} of n_rows
            Texts of all rows that were given to `explain`.

        row : int or None, default=None
            Position of the row to draw; None if only one was explained.

        probability : float, default=nan
            Probability of the class that is explained; NaN if not known.

        top : int or None, default=None
            How many words to colour, those that counted most; None for all.

        plot : bool, default=True
            Whether to draw with matplotlib; HTML needs no drawing.

        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        display : TokenAttributionDisplay
            The display, drawn if asked for.
        """
        _check_top(top)
        check_explanation(explanation)
        texts = check_texts(texts, "texts")
        row = _choose_row(explanation, row, len(texts))
        display = cls._of(explanation, texts[row], row, None, probability, top)
        return display.plot(ax=ax) if plot else display

    @classmethod
    def _of(cls, explanation, text, row, vectorizer, probability, top):
        """Sum an explanation of one row up, without drawing it."""
        lines = explanation[explanation["row"] == row]
        is_own, is_text = lines["from_row"] == row, lines["from_row"] != NOT_TEXT
        words, rest = word_contributions(text, lines[is_own], vectorizer)
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
        )

    def plot(self, ax=None, *, fontsize=11):
        """Draw the words, and wrap them over lines.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure, as high as the text needs.

        fontsize : float, default=11
            Size of the letters in points.

        Returns
        -------
        self : TokenAttributionDisplay
            The display itself.
        """
        self.ax_ = get_axes(type(self).__name__, ax, (WIDTH, MARGIN + LINE))
        self.figure_ = self.ax_.figure
        largest = largest_of([word.contribution for word in self.words])
        self.text_ = draw_text(
            self.ax_,
            split_pieces(clean(self.text)[:MOST_CHARACTERS], self._shown_words()),
            largest,
            title=self._title(),
            legend=self._legend(largest),
            fontsize=fontsize,
            fit_figure=ax is None,
        )
        return self

    def _legend(self, largest):
        """List what the colours are, and what the rest contributed."""
        size = f"up to {write_number(largest)[1:]}" if largest else "none here"
        other, rest = write_number(self.other_turns), write_number(self.structure)
        return [
            ("blue: for it", 0.8 * largest),
            ("orange, dashed: against it", -0.8 * largest),
            (f"(log-odds, {size}); other turns {other}, place and speaker {rest}", 0.0),
        ]

    def _title(self):
        chance = "" if np.isnan(self.probability) else f": {100 * self.probability:.0f} %"
        return f"{shorten(self.target, 40)}{chance}"

    def _shown_words(self):
        """Return the words to colour, in the order of the text."""
        if self.top is None:
            return self.words
        sizes = -np.abs([word.contribution for word in self.words])
        strongest = np.sort(np.argsort(sizes, kind="stable")[: self.top])
        return [self.words[place] for place in strongest]

    def to_html(self, title="Explanation"):
        """Return a whole page, to be written to a file.

        Parameters
        ----------
        title : str, default="Explanation"
            Title of the page.

        Returns
        -------
        html : str
            The page, in itself complete; write it as UTF-8.
        """
        return render_page(self._repr_html_(), title)

    def _repr_html_(self):
        """Return what a notebook shows."""
        contributions = [word.contribution for word in self.words]
        sums = {
            "own text": sum(contributions) + self.rest,
            "other turns": self.other_turns,
            "place, speaker and the like": self.structure,
        }
        turn = Turn(
            number=self.row,
            text=self.text,
            words=self._shown_words(),
            target=self.target,
            probability=self.probability,
            sums=sums,
        )
        return render_block([turn], largest_of(contributions), 0.0)

    def __repr__(self):
        return f"{type(self).__name__}(target={self.target!r}, n_words={len(self.words)})"


def _check_top(top):
    if top is not None and (isinstance(top, bool) or not isinstance(top, Integral)):
        raise TypeError(f"top={top!r} must be a number of words, or None for all.")
    if top is not None and top < 1:
        raise ValueError(f"top={top} must be at least 1; None colours all words.")


def _choose_row(explanation, row, n_rows):
    """Return the row to draw: the one that was asked for, or the only one."""
    explained = explanation["row"].unique()
    if row is None and len(explained) > 1:
        raise ValueError(
            f"row=None, but explanation is about {len(explained)} rows; pass the one to draw, "
            f"such as row={explained[0]}."
        )
    row = check_row(int(explained[0]) if row is None else row, n_rows)
    if row not in explained:
        raise ValueError(f"row={row} is not explained; these are: {explained[:5].tolist()}.")
    return row
