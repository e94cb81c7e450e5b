"""ConversationDisplay: a conversation with its words and earlier turns shaded, as HTML."""

import numpy as np

from .._input._rows import check_texts
from ._colors import largest_of
from ._explanations import (
    check_explanation,
    probabilities_of,
    rows_of,
    sum_by_row,
    sum_of_structure,
    targets_of,
)
from ._html import HTMLDisplay, Turn, render_block
from ._rows import check_labels, check_row, read_conversation
from ._words import word_contributions

MOST_TURNS_SHOWN = 3  # other turns that counted, by default
LEAST_SHOWN = 0.02  # log-odds: other turns that counted less are left out


class ConversationDisplay(HTMLDisplay):
    """HTML of a conversation: words shaded, and the earlier turns that counted as bars.

    Notebooks show it by themselves; :meth:`to_html` returns a whole page for a file. Texts,
    names and classes are shown as they are, whatever is in them; nothing in them is run, and
    nothing is loaded from elsewhere. It follows the light or dark theme. Blue speaks for the
    class of a turn, orange with dashes against it. Made by :meth:`from_estimator` or
    :meth:`from_explanation`.

    Parameters
    ----------
    texts : list of str
        The texts in their order.

    words : list of list of WordContribution
        What each word of each text contributed.

    contributions : ndarray of shape (n_turns, n_turns)
        What turn i has from turn j, in log-odds.

    structure : ndarray of shape (n_turns,)
        What turn i has from all that is not text: place, speaker, that there are other turns.

    targets : ndarray of shape (n_turns,)
        The class that is explained of each turn, None where none is.

    probabilities : ndarray of shape (n_turns,) or None, default=None
        Their probabilities.

    predictions : ndarray of shape (n_turns,) or None, default=None
        The predicted classes; None if not known.

    speakers : array-like of shape (n_turns,) or None, default=None
        Who speaks.

    y_true : array-like of shape (n_turns,) or None, default=None
        The true classes.

    n_earlier : int, default=3
        How many other turns to show as bars, those that counted most.

    See Also
    --------
    ContextAttributionDisplay : All turns by all turns, as a heat map.
    TokenAttributionDisplay : The words of one text, for matplotlib.
    """

    def __init__(
        self,
        *,
        texts,
        words,
        contributions,
        structure,
        targets,
        probabilities=None,
        predictions=None,
        speakers=None,
        y_true=None,
        n_earlier=MOST_TURNS_SHOWN,
    ):
        self.texts = texts
        self.words = words
        self.contributions = contributions
        self.structure = structure
        self.targets = targets
        self.probabilities = probabilities
        self.predictions = predictions
        self.speakers = speakers
        self.y_true = y_true
        self.n_earlier = n_earlier

    @classmethod
    def from_estimator(
        cls, estimator, X, y=None, *, group=None, target=None, groups=None, n_earlier=3
    ):
        """Explain the rows of a conversation.

        Parameters
        ----------
        estimator : ContextMemoryClassifier or Pipeline
            The fitted classifier, or a pipeline that ends in one.

        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows of the kind that the estimator was fitted on.

        y : array-like of shape (n_rows,) or None, default=None
            The true classes, to be shown beside the predicted ones.

        group : hashable or None, default=None
            Id of the conversation; None if X holds only one.

        target : class label, array-like of shape (n_turns,) or None, default=None
            The class to explain, or one for each turn; None for the predicted ones.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation each row belongs to, if no column says so.

        n_earlier : int, default=3
            How many other turns to show as bars, those that counted most.

        Returns
        -------
        display : ConversationDisplay
            The display.
        """
        talk = read_conversation(estimator, X, groups, group=group)
        y_true = None if y is None else check_labels(y, talk.n_rows)[talk.rows]
        explanation = talk.classifier.explain(talk.X, target, groups=talk.groups)
        probabilities = talk.classifier.predict_proba(talk.X, groups=talk.groups)
        rows = np.arange(len(talk.rows))
        targets = targets_of(explanation, rows)
        return cls(
            **_sum_up(explanation, talk.texts, rows, talk.classifier.vectorizer_),
            probabilities=probabilities_of(talk.classifier, probabilities, targets),
            predictions=talk.classifier.classes_[probabilities.argmax(axis=1)],
            speakers=talk.speakers,
            y_true=y_true,
            n_earlier=n_earlier,
        )

    @classmethod
    def from_explanation(
        cls,
        explanation,
        texts,
        *,
        rows=None,
        predictions=None,
        speakers=None,
        y_true=None,
        n_earlier=3,
    ):
        """Show what `explain` has returned.

        Parameters
        ----------
        explanation : DataFrame
            What :meth:`~sk_ctxmem.ContextMemoryClassifier.explain` returned.

        texts : {list, ndarray, Series} of n_rows
            Texts of all rows that were given to `explain`.

        rows : array-like of int or None, default=None
            Positions of the rows of one conversation, in its order; None for all that the
            explanation is about, in the order of X.

        predictions : array-like of shape (n_rows,) or None, default=None
            The predicted classes.

        speakers : array-like of shape (n_rows,) or None, default=None
            Who speaks in each row.

        y_true : array-like of shape (n_rows,) or None, default=None
            The true classes.

        n_earlier : int, default=3
            How many other turns to show as bars, those that counted most.

        Returns
        -------
        display : ConversationDisplay
            The display.
        """
        check_explanation(explanation)
        texts = check_texts(texts, "texts")
        if rows is None:
            rows = rows_of(explanation, len(texts))
        else:
            rows = np.array([check_row(row, len(texts), "rows") for row in rows])
        given = {"predictions": predictions, "speakers": speakers, "y_true": y_true}
        chosen = {
            name: None if values is None else check_labels(values, len(texts), name)[rows]
            for name, values in given.items()
        }
        summary = _sum_up(explanation, [texts[row] for row in rows], rows, None)
        return cls(**summary, **chosen, n_earlier=n_earlier)

    def _repr_html_(self):
        """Return what a notebook shows."""
        contributions = [word.contribution for words in self.words for word in words]
        between = self.contributions[~np.eye(len(self.texts), dtype=bool)]
        turns = [self._turn(number) for number in range(len(self.texts))]
        return render_block(turns, largest_of(contributions), largest_of(between))

    def __repr__(self):
        return f"{type(self).__name__}(n_turns={len(self.texts)}); a notebook shows it"

    def _turn(self, number):
        """Return what is shown of one turn."""
        target = self.targets[number]
        speaker = None if self.speakers is None else self.speakers[number]
        return Turn(
            number=number,
            text=self.texts[number],
            words=self.words[number],
            speaker=speaker,
            target=target,
            probability=np.nan if self.probabilities is None else self.probabilities[number],
            prediction=None if self.predictions is None else self.predictions[number],
            truth=None if self.y_true is None else self.y_true[number],
            has_truth=self.y_true is not None,
            earlier=self._earlier(number),
            sums={} if target is None else self._sums(number),
        )

    def _earlier(self, number):
        """List the other turns that counted most, in their order."""
        values = np.nan_to_num(self.contributions[number])
        values[number] = 0.0
        strongest = np.argsort(-abs(values), kind="stable")[: self.n_earlier]
        shown = sorted(int(turn) for turn in strongest if abs(values[turn]) >= LEAST_SHOWN)
        return [(turn, self.texts[turn], float(values[turn])) for turn in shown]

    def _sums(self, number):
        """Return the contributions of a turn in sum."""
        line = self.contributions[number]
        others = np.delete(line, number)
        sums = {"own text": float(np.nan_to_num(line[number]))}
        if not np.isnan(others).all():  # nothing is said of others where there are none
            sums["other turns"] = float(np.nansum(others))
        structure = float(np.nan_to_num(self.structure[number]))
        return sums | {"place, speaker and the like": structure}


def _sum_up(explanation, texts, rows, vectorizer):
    """Return what an explanation says of words and rows, by the parameters of the Display."""
    own = explanation[explanation["row"] == explanation["from_row"]]
    lines = dict(list(own.groupby("row")))
    none = own.iloc[:0]
    words = [
        word_contributions(text, lines.get(row, none), vectorizer)[0]
        for text, row in zip(texts, rows, strict=True)
    ]
    return {
        "texts": texts,
        "words": words,
        "contributions": sum_by_row(explanation, rows),
        "structure": sum_of_structure(explanation, rows),
        "targets": targets_of(explanation, rows),
    }
