"""ContextAblationDisplay: score by the number of earlier rows that the classifier can read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

from collections.abc import Mapping
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.utils.validation import column_or_1d

from .._input import _frames
from .._input._frames import is_frame
from .._input._rows import check_row_ids
from .._model._fitted_model import fitted_model
from ._plotting import get_axes
from ._rows import (
    check_labels,
    check_truth,
    find_classifier,
    fitted_group_column,
    order_of_rows,
    read_inputs,
    refuse_sequences,
    take_rows,
    uses_context,
)
from ._scoring import (
    KnownPredictions,
    name_score,
    rows_without_each_block,
    score_by,
    standard_error,
)

CONTEXT_SIZES = (0, 1, 2, 4, 8, None)
ROWS_PER_CALL = 20_000  # rows of windows that are predicted in one call


class ContextAblationDisplay:
    """Score by the number of earlier rows that each prediction can use.

    Create it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    context_sizes : tuple of int or None
        Numbers of earlier rows; None for the whole conversation.

    scores : ndarray of shape (n_sizes,)
        The score for each context size.

    errors : ndarray of shape (n_sizes,)
        Standard errors over groups; NaN if there are fewer than two groups.

    score_name : str
        Name of the score, for the y axis.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the curve.

    figure_ : matplotlib Figure
        Figure of the axes.

    line_ : matplotlib Line2D
        The curve.

    errorbar_ : matplotlib ErrorbarContainer
        The curve with its error bars.

    Notes
    -----
    The classifier is not refitted. For a context of k rows, each row is predicted as the last row
    of a shortened conversation: the row itself and the k rows before it. This changes more than
    the text that the classifier reads. The row is at position k at most, so every window looks
    like the start of a conversation, and the first row of a window like a row without
    predecessors. The score for a small k is therefore the score of *this* classifier on
    conversations that have just begun. A classifier trained on k rows may reach a higher one.

    With ``context="both"``, only a context size of None includes later rows.

    Standard errors are jackknife estimates over up to 30 blocks of whole groups. They estimate how
    much a score would change on other conversations. The difference between two scores on the same
    rows is usually more precise than their two error bars suggest.
    """

    def __init__(self, *, context_sizes, scores, errors, score_name):
        self.context_sizes = context_sizes
        self.scores = scores
        self.errors = errors
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        context_sizes: Any = CONTEXT_SIZES,
        groups: Any = None,
        scoring: Any = None,
        ax: Any = None,
    ) -> Self:
        """Predict each row with several context sizes, and draw the scores.

        Parameters
        ----------
        estimator : ContextMemoryClassifier or Pipeline
            The fitted classifier, or a pipeline that ends in one.

        X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
            Test rows, of the same kind as in `fit`.

        y : array-like of shape (n_rows,) or (n_rows, n_labels)
            The true classes, or indicators of labels.

        context_sizes : tuple of int or None, default=(0, 1, 2, 4, 8, None)
            Numbers of earlier rows; None for the whole conversation.

        groups : array-like of shape (n_rows,) or None, default=None
            Group of each row, such as a conversation or document, if X has no group column.

        scoring : str, callable or None, default=None
            A scikit-learn scorer; None for accuracy. A callable gets row numbers as X, so it
            cannot use the content of X.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        Returns
        -------
        display : ContextAblationDisplay
            The display, drawn.
        """
        context_sizes = _check_context_sizes(context_sizes)
        classifier, X = find_classifier(estimator, X, "predict_proba")
        refuse_sequences(classifier, cls.__name__, "draw forecasts with ForecastDisplay")
        inputs = read_inputs(classifier, X, groups)
        if inputs.groups is None or not uses_context(classifier):
            raise ValueError(
                "X comes without groups, or the classifier was fitted without groups or with "
                "context='none', so each row is predicted without context; pass groups to fit and "
                "to this method, and fit with context='past'."
            )
        model = fitted_model(classifier)
        y = check_truth(y, inputs.n_rows, model)
        windows = _Windows(classifier, X, inputs, passes_groups=groups is not None)
        scorer = get_scorer("accuracy" if scoring is None else scoring)
        score_functions = [
            score_by(
                scorer, KnownPredictions(model.classes, windows.predict(size), model.multilabel), y
            )
            for size in context_sizes
        ]
        score_name = name_score(scoring)
        return cls._from_scores(context_sizes, score_functions, inputs.groups, score_name).plot(ax)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        predictions: Any,
        *,
        groups: Any = None,
        metric: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw the scores of predictions made with several context sizes.

        Parameters
        ----------
        y_true : array-like of shape (n_rows,)
            The true classes.

        predictions : dict of {int or None} to array-like of shape (n_rows,)
            The predicted classes for each context size; None for the whole conversation.

        groups : array-like of shape (n_rows,) or None, default=None
            The conversation of each row, for the error bars; None for no error bars.

        metric : callable or None, default=None
            Function of the true and the predicted classes; None for accuracy.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

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
        context_sizes = _check_context_sizes(tuple(predictions), "predictions")
        y_true = column_or_1d(_frames.as_table(y_true, "y_true"))
        metric = accuracy_score if metric is None else metric
        columns = [
            check_labels(predictions[size], len(y_true), f"predictions[{size}]")
            for size in context_sizes
        ]
        score_functions = [
            lambda rows, column=column: metric(y_true[rows], column[rows]) for column in columns
        ]
        groups = None if groups is None else check_row_ids(groups, len(y_true))
        return cls._from_scores(context_sizes, score_functions, groups, name_score(metric)).plot(ax)

    @classmethod
    def _from_scores(cls, context_sizes, score_functions, groups, score_name):
        """Compute the score and standard error of each context size, without drawing."""
        rows = slice(None) if groups is None else np.arange(len(groups))
        blocks = [] if groups is None else rows_without_each_block(groups)
        return cls(
            context_sizes=context_sizes,
            scores=np.array([score(rows) for score in score_functions]),
            errors=np.array([standard_error(score, blocks) for score in score_functions]),
            score_name=score_name,
        )

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        **kwargs : dict
            Passed to matplotlib's `errorbar`.

        Returns
        -------
        self : ContextAblationDisplay
            The display itself.
        """
        self.ax_ = get_axes(type(self).__name__, ax, (6.4, 3.8))
        self.figure_ = self.ax_.figure
        style = {"marker": "o", "capsize": 3} | kwargs
        errors = None if np.isnan(self.errors).all() else self.errors
        positions = np.arange(len(self.context_sizes))
        self.errorbar_ = self.ax_.errorbar(positions, self.scores, yerr=errors, **style)
        self.line_ = self.errorbar_.lines[0]
        labels = ["all" if size is None else str(size) for size in self.context_sizes]
        self.ax_.set_xticks(positions, labels)
        self.ax_.set_xlabel("number of earlier rows")
        suffix = "" if errors is None else " ± standard error"
        self.ax_.set_ylabel(f"{self.score_name}{suffix}")
        self.ax_.grid(axis="y", alpha=0.4)
        return self


class _Windows:
    """Predict rows at the end of shortened conversations.

    Parameters
    ----------
    classifier, X : see ContextAblationDisplay.from_estimator
        The fitted classifier and its input.
    inputs : InputRows
        The same input after it was read.
    passes_groups : bool
        Whether `predict_proba` gets groups as an argument, not as a column of X.
    """

    def __init__(self, classifier, X, inputs, *, passes_groups):
        self.classifier = classifier
        self.X = X
        self.groups = inputs.groups
        self.passes_groups = passes_groups
        codes = pd.factorize(inputs.groups)[0]
        self.sorted_rows = np.lexsort((order_of_rows(inputs), codes))
        lengths = np.bincount(codes)
        self.positions = np.arange(len(codes)) - np.repeat(np.cumsum(lengths) - lengths, lengths)

    def predict(self, context_size):
        """Return the probabilities of all rows, each with `context_size` rows before it."""
        if context_size is None:
            return self._predict_proba(self.X, self.groups)
        n_rows = len(self.sorted_rows)
        n_windows = max(1, ROWS_PER_CALL // (context_size + 1))
        parts = [
            self._predict_last_rows(np.arange(start, min(start + n_windows, n_rows)), context_size)
            for start in range(0, n_rows, n_windows)
        ]
        probabilities = np.empty((n_rows, len(self.classifier.classes_)))
        probabilities[self.sorted_rows] = np.concatenate(parts)
        return probabilities

    def _predict_last_rows(self, ends, context_size):
        """Return the probabilities of the last rows of windows; `ends` index `sorted_rows`."""
        lengths = np.minimum(self.positions[ends], context_size) + 1
        last = np.cumsum(lengths) - 1
        window_ids = np.repeat(np.arange(len(ends)), lengths)
        rows = self.sorted_rows[np.repeat(ends - last, lengths) + np.arange(last[-1] + 1)]
        X = take_rows(self.X, rows)
        if not self.passes_groups:
            X = _with_column(X, fitted_group_column(self.classifier), window_ids)
        return self._predict_proba(X, window_ids)[last]

    def _predict_proba(self, X, groups):
        return self.classifier.predict_proba(X, groups=groups if self.passes_groups else None)


def _with_column(X, name, values):
    """Return a copy of a DataFrame with one column replaced."""
    if not is_frame(X):
        raise TypeError(f"X is a {type(X).__name__} without columns; pass groups=.")
    return _frames.with_column(_frames.as_table(X), name, values)


def _check_context_sizes(sizes, name="context_sizes"):
    """Return the context sizes as a tuple, or raise."""
    if isinstance(sizes, str) or not hasattr(sizes, "__iter__"):
        raise TypeError(
            f"{name}={sizes!r} must be a tuple of integers and None, such as {CONTEXT_SIZES}."
        )
    sizes = tuple(sizes)
    for size in sizes:
        is_integer = isinstance(size, Integral) and not isinstance(size, bool)
        if size is not None and not is_integer:
            raise TypeError(f"{name} has {size!r}, but integers and None were expected.")
        if size is not None and size < 0:
            raise ValueError(f"{name} has {size}, but a number of rows cannot be negative.")
    if not sizes:
        raise ValueError(f"{name} is empty; pass numbers of earlier rows, such as {CONTEXT_SIZES}.")
    return sizes
