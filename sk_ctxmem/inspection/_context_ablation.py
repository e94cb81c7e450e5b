"""ContextAblationDisplay: how good predictions are, by how many earlier rows they may see."""

from collections.abc import Mapping
from numbers import Integral

import numpy as np
import pandas as pd
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.utils.validation import column_or_1d

from .._input._rows import check_row_ids, is_frame
from ._plotting import get_axes
from ._rows import (
    check_labels,
    find_classifier,
    fitted_group_column,
    order_of_rows,
    read_inputs,
    take_rows,
    uses_context,
)

N_ROWS = (0, 1, 2, 4, 8, None)
ROWS_AT_ONCE = 20_000  # rows of windows that are predicted in one call
MOST_BLOCKS = 30  # of groups, that are left out in turn for the error bars


class ContextAblationDisplay:
    """Score by the number of earlier rows that each prediction may see.

    Made by :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    n_rows : tuple of int or None
        Numbers of earlier rows; None for the whole conversation.

    scores : ndarray of shape (n_numbers,)
        The score for each number.

    errors : ndarray of shape (n_numbers,)
        Standard errors over groups; NaN where there are fewer than two.

    score_name : str
        What the scores are.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the curve.

    figure_ : matplotlib Figure
        Its figure.

    line_ : matplotlib Line2D
        The curve.

    errorbar_ : matplotlib ErrorbarContainer
        The curve with its error bars.

    Notes
    -----
    The classifier stays as it is: nothing is fitted anew. For k earlier rows each row is
    predicted at the end of a conversation of its own, made of the row and the k rows before it.
    That changes more than the texts that are seen. The row stands at place k at most, so that
    every window looks like the beginning of a conversation, and its first row like one without
    a row before. A score at small k is therefore what *this* classifier makes of conversations
    that just began, not what one trained on k rows would reach, which may be more.

    With ``context="both"``, later rows are seen for None alone.

    Standard errors are those of the jackknife over up to 30 blocks of whole groups. They tell
    how much a score would change with other conversations; the difference between two scores on
    the same rows is mostly surer than its two error bars.
    """

    def __init__(self, *, n_rows, scores, errors, score_name):
        self.n_rows = n_rows
        self.scores = scores
        self.errors = errors
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, n_rows=N_ROWS, groups=None, scoring=None, ax=None):
        """Predict rows with less and less of their context, and draw the scores.

        Parameters
        ----------
        estimator : ContextMemoryClassifier or Pipeline
            The fitted classifier, or a pipeline that ends in one.

        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Rows that the estimator was not fitted on, of that kind.

        y : array-like of shape (n_rows,)
            Their classes.

        n_rows : tuple of int or None, default=(0, 1, 2, 4, 8, None)
            Numbers of earlier rows; None for the whole conversation.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation each row belongs to, if no column says so.

        scoring : str, callable or None, default=None
            A scorer of scikit-learn; None for the accuracy. One that reads X itself will not
            do: it is given numbers of rows.

        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        display : ContextAblationDisplay
            The display, drawn.
        """
        n_rows = _check_numbers(n_rows)
        classifier, X = find_classifier(estimator, X, "predict_proba")
        inputs = read_inputs(classifier, X, groups)
        if inputs.groups is None or not uses_context(classifier):
            raise ValueError(
                "X comes without groups, or the classifier was fitted without groups or with "
                "context='none', so each row is predicted without context; fit and draw with "
                "groups, and fit with context='past'."
            )
        y = check_labels(y, inputs.n_rows)
        windows = _Windows(classifier, X, inputs, passes_groups=groups is not None)
        scorer = get_scorer("accuracy" if scoring is None else scoring)
        known = [_KnownPredictions(classifier.classes_, windows.predict(n)) for n in n_rows]
        functions = [_score_by(scorer, predictions, y) for predictions in known]
        name = _name_of(scoring)
        return cls._of(n_rows, functions, inputs.groups, name).plot(ax=ax)

    @classmethod
    def from_predictions(cls, y_true, predictions, *, groups=None, metric=None, ax=None):
        """Draw the scores of predictions that were made with more and more earlier rows.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            The classes.

        predictions : dict of {int or None} to array-like of shape (n_rows,)
            The predicted classes for each number of earlier rows; None stands for all.

        groups : array-like of shape (n_rows,) or None, default=None
            Which conversation each row belongs to, for the error bars; None for none.

        metric : callable or None, default=None
            Function of the true and the predicted classes; None for the accuracy.

        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        Returns
        -------
        display : ContextAblationDisplay
            The display, drawn.
        """
        if not isinstance(predictions, Mapping):
            raise TypeError(
                f"predictions is a {type(predictions).__name__}, but a dict from the number of "
                "earlier rows to predicted classes was expected, such as {0: y_0, None: y_all}."
            )
        n_rows = _check_numbers(tuple(predictions))
        y_true = column_or_1d(y_true)
        metric = accuracy_score if metric is None else metric
        columns = [check_labels(predictions[n], len(y_true), f"predictions[{n}]") for n in n_rows]
        functions = [
            lambda rows, column=column: metric(y_true[rows], column[rows]) for column in columns
        ]
        groups = None if groups is None else check_row_ids(groups, len(y_true))
        return cls._of(n_rows, functions, groups, _name_of(metric)).plot(ax=ax)

    @classmethod
    def _of(cls, n_rows, functions, groups, score_name):
        """Score each number of earlier rows by a function of rows, without drawing."""
        n_samples = len(groups) if groups is not None else None
        rows = slice(None) if n_samples is None else np.arange(n_samples)
        blocks = [] if groups is None else _blocks_of(groups)
        return cls(
            n_rows=n_rows,
            scores=np.array([function(rows) for function in functions]),
            errors=np.array([_standard_error(function, blocks) for function in functions]),
            score_name=score_name,
        )

    def plot(self, ax=None, **kwargs):
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None for a new figure.

        **kwargs : dict
            Passed on to matplotlib's `errorbar`.

        Returns
        -------
        self : ContextAblationDisplay
            The display itself.
        """
        self.ax_ = get_axes(type(self).__name__, ax, (6.4, 3.8))
        self.figure_ = self.ax_.figure
        style = {"marker": "o", "capsize": 3} | kwargs
        errors = None if np.isnan(self.errors).all() else self.errors
        places = np.arange(len(self.n_rows))
        self.errorbar_ = self.ax_.errorbar(places, self.scores, yerr=errors, **style)
        self.line_ = self.errorbar_.lines[0]
        self.ax_.set_xticks(places, ["all" if n is None else str(n) for n in self.n_rows])
        self.ax_.set_xlabel("number of earlier rows left (conversations cut)")
        bars = "" if errors is None else " ± standard error"
        self.ax_.set_ylabel(f"{self.score_name}{bars}")
        self.ax_.grid(axis="y", alpha=0.4)
        return self


class _Windows:
    """Predictions of rows at the end of conversations cut short.

    Parameters
    ----------
    classifier, X : see ContextAblationDisplay.from_estimator
        The classifier, and what it reads.
    inputs : InputRows
        The same in one form.
    passes_groups : bool
        Whether groups go to `predict_proba` as an argument, and not as a column of X.
    """

    def __init__(self, classifier, X, inputs, *, passes_groups):
        self.classifier = classifier
        self.X = X
        self.groups = inputs.groups
        self.passes_groups = passes_groups
        codes = pd.factorize(inputs.groups)[0]
        self.sorted_rows = np.lexsort((order_of_rows(inputs), codes))
        lengths = np.bincount(codes)
        self.places = np.arange(len(codes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)

    def predict(self, n_rows):
        """Return the probabilities of all rows, each with `n_rows` rows before it, None for all."""
        if n_rows is None:
            return self._predict_proba(self.X, self.groups)
        n_all = len(self.sorted_rows)
        n_at_once = max(1, ROWS_AT_ONCE // (n_rows + 1))
        parts = [
            self._predict_ends(np.arange(start, min(start + n_at_once, n_all)), n_rows)
            for start in range(0, n_all, n_at_once)
        ]
        probabilities = np.empty((n_all, len(self.classifier.classes_)))
        probabilities[self.sorted_rows] = np.concatenate(parts)
        return probabilities

    def _predict_ends(self, ends, n_rows):
        """Return the probabilities of the last rows of windows, by their sorted positions."""
        lengths = np.minimum(self.places[ends], n_rows) + 1
        last = np.cumsum(lengths) - 1
        window = np.repeat(np.arange(len(ends)), lengths)
        rows = self.sorted_rows[np.repeat(ends - last, lengths) + np.arange(last[-1] + 1)]
        X = take_rows(self.X, rows)
        if not self.passes_groups:
            X = _with_column(X, fitted_group_column(self.classifier), window)
        return self._predict_proba(X, window)[last]

    def _predict_proba(self, X, groups):
        return self.classifier.predict_proba(X, groups=groups if self.passes_groups else None)


class _KnownPredictions(ClassifierMixin, BaseEstimator):
    """A classifier of row numbers whose predictions are known, for scorers of scikit-learn."""

    def __init__(self, classes=None, probabilities=None):
        self.classes = classes
        self.probabilities = probabilities

    @property
    def classes_(self):
        """The classes, sorted."""
        return self.classes

    def predict_proba(self, X):
        """Return the probabilities of rows by their numbers."""
        return self.probabilities[X[:, 0]]

    def predict(self, X):
        """Return the classes of rows by their numbers."""
        return self.classes[self.predict_proba(X).argmax(axis=1)]

    def decision_function(self, X):
        """Return log-odds for two classes, else logarithms of probabilities."""
        logs = log_softmax(np.log(np.maximum(self.predict_proba(X), 1e-300)), axis=1)
        return logs[:, 1] - logs[:, 0] if len(self.classes) == 2 else logs


def _score_by(scorer, predictions, y):
    """Return a function that scores the rows of an array of row numbers."""
    return lambda rows: scorer(predictions, rows[:, np.newaxis], y[rows])


def _with_column(X, name, values):
    """Return a frame of pandas or polars with other values in one column."""
    if hasattr(X, "iloc"):
        return X.assign(**{name: values}) if isinstance(name, str) else _assign(X, name, values)
    if not is_frame(X):
        raise TypeError(f"X is a {type(X).__name__} without columns; pass groups=.")
    return X.with_columns(**{name: values})


def _assign(X, name, values):
    X = X.copy()
    X[name] = values
    return X


def _check_numbers(n_rows):
    """Return the numbers of earlier rows as a tuple, or raise."""
    if isinstance(n_rows, str) or not hasattr(n_rows, "__iter__"):
        raise TypeError(f"n_rows={n_rows!r} must be a tuple of integers and None, as {N_ROWS}.")
    n_rows = tuple(n_rows)
    for number in n_rows:
        is_integer = isinstance(number, Integral) and not isinstance(number, bool)
        if number is not None and not is_integer:
            raise TypeError(f"n_rows has {number!r}, but integers and None were expected.")
        if number is not None and number < 0:
            raise ValueError(f"n_rows has {number}, but a number of rows cannot be negative.")
    if not n_rows:
        raise ValueError(f"n_rows is empty; pass the numbers of earlier rows, such as {N_ROWS}.")
    return n_rows


def _blocks_of(groups):
    """Return arrays of the row numbers that are left when each block of groups is left out."""
    codes, known = pd.factorize(groups)
    n_blocks = min(MOST_BLOCKS, len(known))
    if n_blocks < 2:
        return []
    return [np.flatnonzero(codes % n_blocks != block) for block in range(n_blocks)]


def _standard_error(function, blocks):
    """Return the standard error of the jackknife, NaN for fewer than two blocks."""
    if not blocks:
        return np.nan
    scores = np.array([function(rows) for rows in blocks])
    return float(np.sqrt((len(blocks) - 1) / len(blocks) * ((scores - scores.mean()) ** 2).sum()))


def _name_of(scoring):
    """Return what to write beside the scores."""
    if scoring is None or scoring is accuracy_score:
        return "accuracy"
    name = scoring if isinstance(scoring, str) else getattr(scoring, "__name__", "score")
    return name.replace("_", " ")
