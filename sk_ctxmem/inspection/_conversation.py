"""ConversationDisplay: a conversation with shaded words and bars of earlier turns, as HTML."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

import numpy as np
import pandas as pd

from .._input._rows import check_texts
from .._model._fitted_model import fitted_model
from ._colors import largest_of
from ._explanations import (
    NOT_TEXT,
    check_explanation,
    choose_rows,
    name_columns,
    probabilities_of,
    sum_by_column,
    sum_by_row,
    sum_of_structure,
    targets_of,
)
from ._html import HTMLDisplay, Turn, render_block
from ._rows import check_labels, name_labels, read_conversation, read_truth
from ._words import word_contributions

MAX_EARLIER = 3  # other turns shown by default
MIN_CONTRIBUTION = 0.02  # log-odds: other turns that contributed less are not shown


class ConversationDisplay(HTMLDisplay):
    """HTML of a conversation, with shaded words and bars for the strongest earlier turns.

    If the classifier was fitted on sequences, each turn has the forecast after it, and the words
    are shaded by what they contribute to the label of the whole sequence. The bars below the last
    turn are the turns that contributed most.

    A notebook shows it when it is the last value of a cell; :meth:`to_html` returns a complete
    page. Texts, names and classes are escaped, so no code in them runs, and the page loads
    nothing. The colours follow the light or dark theme. Blue is for the class of a turn, orange
    and dashed against it. Create it with :meth:`from_estimator` or :meth:`from_explanation`.

    Parameters
    ----------
    texts : list of str
        The texts, in order.

    words : list of list of WordContribution
        Contribution of each word of each text.

    contributions : ndarray of shape (n_turns, n_turns)
        Contribution of turn j to turn i, in log-odds.

    structure : ndarray of shape (n_turns,)
        Contribution to turn i of everything that is not text: position, speaker, the presence of
        other turns.

    targets : ndarray of shape (n_turns,)
        The explained class of each turn; None for turns that are only context.

    probabilities : ndarray of shape (n_turns,) or None, default=None
        Probabilities of the explained classes; None if not known.

    predictions : ndarray of shape (n_turns,) or None, default=None
        The predicted classes; None if not known.

    speakers : array-like of shape (n_turns,) or None, default=None
        The speaker of each turn.

    y_true : array-like of shape (n_turns,) or None, default=None
        The true classes.

    n_earlier : int, default=3
        Number of other turns to show as bars, those that contributed most; 0 for none.

    columns : list of dict or None, default=None
        Contribution of each column beside the text of each turn, by name.

    See Also
    --------
    ContextAttributionDisplay : Contributions of each turn to each turn, as a heat map.
    TokenAttributionDisplay : The words of one text, as bars or HTML.
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
        n_earlier=MAX_EARLIER,
        columns=None,
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
        self.columns = columns

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        group: Any = None,
        target: Any = None,
        groups: Any = None,
        n_earlier: Any = 3,
    ) -> Self:
        """Explain the rows of a conversation.

        Parameters
        ----------
        estimator : ContextMemoryClassifier or Pipeline
            The fitted classifier, or a pipeline that ends in one.

        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows, or sequences, of the same kind as in `fit`.

        y : array-like of shape (n_rows,) or (n_rows, n_labels), or None, default=None
            The true classes or labels, to show beside the predicted ones.

        group : hashable or None, default=None
            Id of the conversation, or number of the sequence; None if X has only one.

        target : class label, array-like of shape (n_turns,) or None, default=None
            The class to explain, or one for each turn; None for the predicted classes.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        n_earlier : int, default=3
            Number of other turns to show as bars, those that contributed most; 0 for none.

        Returns
        -------
        display : ConversationDisplay
            The display.
        """
        _check_n_earlier(n_earlier)
        conversation = read_conversation(estimator, X, groups, group=group)
        y_true = None
        if y is not None:
            truth = read_truth(y, conversation.n_rows, conversation.classifier)
            y_true = truth[_samples_of(conversation)]
        explanation = conversation.explain(target)
        classifier, rows = conversation.classifier, np.arange(len(conversation.rows))
        if conversation.sequence is None:
            probabilities, targets = conversation.predict_proba(), targets_of(explanation, rows)
            summary = _summarize(explanation, conversation.texts, rows, classifier.vectorizer_)
        else:
            probabilities, summary = conversation.forecast(), _sum_up(explanation, conversation)
            targets = summary["targets"]
        return cls(
            **summary,
            probabilities=probabilities_of(classifier, probabilities, targets),
            predictions=_name_predictions(classifier, probabilities),
            speakers=conversation.speakers,
            y_true=y_true,
            n_earlier=n_earlier,
        )

    @classmethod
    def from_explanation(
        cls,
        explanation: Any,
        texts: Any,
        *,
        rows: Any = None,
        predictions: Any = None,
        speakers: Any = None,
        y_true: Any = None,
        n_earlier: Any = 3,
    ) -> Self:
        """Show a DataFrame that `explain` returned.

        Parameters
        ----------
        explanation : DataFrame
            Output of :meth:`~sk_ctxmem.ContextMemoryClassifier.explain`.

        texts : {list, ndarray, Series} of n_rows
            Texts of all rows that were passed to `explain`.

        rows : array-like of int or None, default=None
            Positions of the rows of one conversation, in order; None for all rows in the
            explanation, in the order of X.

        predictions : array-like of shape (n_rows,) or None, default=None
            The predicted classes.

        speakers : array-like of shape (n_rows,) or None, default=None
            The speaker of each row.

        y_true : array-like of shape (n_rows,) or None, default=None
            The true classes.

        n_earlier : int, default=3
            Number of other turns to show as bars, those that contributed most; 0 for none.

        Returns
        -------
        display : ConversationDisplay
            The display.
        """
        _check_n_earlier(n_earlier)
        check_explanation(explanation)
        texts = check_texts(texts, "texts")
        rows = choose_rows(explanation, len(texts), rows)
        given = {"predictions": predictions, "speakers": speakers, "y_true": y_true}
        chosen = {
            name: None if values is None else check_labels(values, len(texts), name)[rows]
            for name, values in given.items()
        }
        summary = _summarize(explanation, [texts[row] for row in rows], rows, None)
        return cls(**summary, **chosen, n_earlier=n_earlier)

    def _repr_html_(self):
        """Return the HTML that a notebook shows."""
        _check_n_earlier(self.n_earlier)
        contributions = [word.contribution for words in self.words for word in words]
        between = self.contributions[~np.eye(len(self.texts), dtype=bool)]
        turns = [self._turn(number) for number in range(len(self.texts))]
        return render_block(turns, largest_of(contributions), largest_of(between))

    def __repr__(self):
        return f"{type(self).__name__}(n_turns={len(self.texts)})"

    def _turn(self, number):
        """Return the values of one turn that the HTML shows."""
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
            sums={} if np.isnan(self.structure[number]) else self._sums(number),
        )

    def _earlier(self, number):
        """Return number, text and contribution of the strongest other turns, in order."""
        values = np.nan_to_num(self.contributions[number])
        values[number] = 0.0
        strongest = np.argsort(-abs(values), kind="stable")[: int(self.n_earlier)]
        shown = sorted(int(turn) for turn in strongest if abs(values[turn]) >= MIN_CONTRIBUTION)
        return [(turn, self.texts[turn], float(values[turn])) for turn in shown]

    def _sums(self, number):
        """Return the sums of the contributions to a turn, by where they come from."""
        line = self.contributions[number]
        others = np.delete(line, number)
        columns = {} if self.columns is None else self.columns[number]
        of_text = float(np.nan_to_num(line[number])) - sum(columns.values())
        sums = {"own text": of_text, **name_columns(columns)}
        if not np.isnan(others).all():  # there may be none
            sums["other turns"] = float(np.nansum(others))
        structure = float(np.nan_to_num(self.structure[number]))
        return sums | {"position and speaker": structure}


def _name_predictions(classifier, probabilities):
    """Return the predicted class of each row, or the names of its labels."""
    outputs, classes = fitted_model(classifier).outputs, classifier.classes_
    found = outputs.decide(probabilities)
    return name_labels(found, classes) if found.ndim == 2 else classes[found]


def _samples_of(conversation):
    """Return the position in y of the class of each turn: that of the sequence, if it is one."""
    if conversation.sequence is None:
        return conversation.rows
    return np.full(len(conversation.rows), conversation.sequence)


def _sum_up(explanation, conversation):
    """Sum the explanation of a sequence as that of its last turn, with the words of all turns."""
    texts, vectorizer = conversation.texts, conversation.classifier.vectorizer_
    rows = np.arange(len(texts))
    turns = pd.Series(rows, index=conversation.rows)
    from_row = turns.reindex(explanation["from_row"], fill_value=NOT_TEXT).to_numpy()
    lines = explanation.assign(from_row=from_row, row=rows[-1])
    own = lines[from_row != NOT_TEXT].assign(row=from_row[from_row != NOT_TEXT])
    targets = np.full(len(rows), explanation["target"].iloc[0], dtype=object)
    return _summarize(lines, texts, rows, vectorizer, own) | {"targets": targets}


def _summarize(explanation, texts, rows, vectorizer, own=None):
    """Sum an explanation by words and rows, and return parameters of the Display."""
    if own is None:
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
        "columns": [sum_by_column(lines.get(row, none)) for row in rows],
        "contributions": sum_by_row(explanation, rows),
        "structure": sum_of_structure(explanation, rows),
        "targets": targets_of(explanation, rows),
    }


def _check_n_earlier(n_earlier):
    if isinstance(n_earlier, bool) or not isinstance(n_earlier, Integral):
        raise TypeError(f"n_earlier={n_earlier!r:.100} must be a number of turns, such as 3.")
    if n_earlier < 0:
        raise ValueError(f"n_earlier={n_earlier} must be at least 0; use 0 for no other turns.")
