"""ForecastDisplay: score by the share of each sequence that was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

import warnings
from numbers import Real

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer
from sklearn.utils.validation import column_or_1d

from .._input._frames import as_table
from .._input._indicators import has_several_labels, read_indicators
from .._model._fitted_model import fitted_model
from ._plotting import get_axes
from ._rows import check_truth, find_classifier
from ._scoring import (
    KnownPredictions,
    name_score,
    rows_without_each_block,
    score_by,
    standard_error,
)

SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
ROUNDING = 1e-9  # of products such as 0.7 * 10, which is more than 7
SCORERS = (
    "accuracy",
    "balanced_accuracy",
    "top_k_accuracy",
    "f1",
    "f1_macro",
    "f1_micro",
    "f1_weighted",
    "f1_samples",
    "matthews_corrcoef",
    "average_precision",
    "roc_auc",
    "roc_auc_ovr",
    "roc_auc_ovo",
    "neg_log_loss",
    "neg_brier_score",
)


class ForecastDisplay:
    """Score of the forecasts of a label by the share of each sequence that was seen.

    Create it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    shares : ndarray of shape (n_shares,)
        Shares of the sequences, sorted.

    scores : ndarray of shape (n_shares,)
        The score of the forecasts at each share.

    errors : ndarray of shape (n_shares,)
        Standard errors over sequences; NaN for a single sequence.

    score_name : str
        Name of the score, for the y axis.

    name : str or None, default=None
        Name of the curve, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the curve.

    figure_ : matplotlib Figure
        Figure of the axes.

    line_ : matplotlib Line2D
        The curve.

    band_ : matplotlib PolyCollection or None
        The band of one standard error; None if errors are not known.

    See Also
    --------
    ContextAblationDisplay : Score by the number of earlier rows, for labels of rows.
    ConversationDisplay : The forecast after each turn of one conversation, with its words.

    Notes
    -----
    The share s of a sequence of n rows is its first ⌈s n⌉ rows. Its forecast is what
    `predict_proba` says of these rows, and what a live session says after the last of them. At a
    share of 1, the score is that of whole sequences.

    Nobody knows the share of a conversation that goes on: the curve tells how early a label can be
    known, not at which turn to act.

    Standard errors are jackknife estimates over up to 30 blocks of sequences. The difference
    between two curves on the same sequences is usually more precise than their bands suggest.
    """

    def __init__(self, *, shares, scores, errors, score_name, name=None):
        self.shares = shares
        self.scores = scores
        self.errors = errors
        self.score_name = score_name
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        shares: Any = SHARES,
        scoring: Any = "accuracy",
        name: Any = None,
        ax: Any = None,
    ) -> Self:
        """Forecast the label of sequences after each of their rows, and draw the scores.

        Parameters
        ----------
        estimator : ContextMemoryClassifier or Pipeline
            A classifier fitted on sequences with ``context="past"``, or a pipeline that ends in
            one.

        X : sequences, of the same kind as in `fit`
            Test sequences.

        y : array-like of shape (n_sequences,) or (n_sequences, n_labels)
            The true classes, or indicators of labels.

        shares : array-like of float, default=(0.1, 0.2, ..., 1.0)
            Shares of each sequence, above 0 and at most 1.

        scoring : str or callable, default="accuracy"
            Name of a scikit-learn scorer that needs nothing but classes and probabilities, such as
            "roc_auc" or "neg_log_loss", or a scorer. A callable gets numbers of sequences as X.

        name : str or None, default=None
            Name of the curve, for the legend.

        ax : matplotlib Axes or None, default=None
            Axes to draw on, such as those of another curve; None for a new figure.

        Returns
        -------
        display : ForecastDisplay
            The display, drawn.
        """
        shares, scorer = _check_shares(shares), _find_scorer(scoring)
        classifier, X = find_classifier(estimator, X, "predict_proba")
        model = fitted_model(classifier)
        _check_forecasts(model)
        forecasts = model.forecasts(X)
        y = check_truth(y, len(forecasts), model)
        known = _known_at_shares(forecasts, shares, model.classes, several=model.multilabel)
        return cls._from_scores(shares, known, y, scorer, name_score(scoring), name).plot(ax)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        forecasts: Any,
        *,
        classes: Any = None,
        shares: Any = SHARES,
        scoring: Any = "accuracy",
        name: Any = None,
        ax: Any = None,
    ) -> Self:
        """Draw the scores of forecasts, such as those of sessions or of another model.

        Parameters
        ----------
        y_true : array-like of shape (n_sequences,) or (n_sequences, n_labels)
            The true classes, or indicators of labels.

        forecasts : list of n_sequences array-likes of shape (n_steps_i, n_classes)
            For each sequence, the probabilities after its first row, its first two rows, and so on.

        classes : array-like of shape (n_classes,) or None, default=None
            Classes, in the order of the probabilities; None for the sorted classes of `y_true`.

        shares : array-like of float, default=(0.1, 0.2, ..., 1.0)
            Shares of each sequence, above 0 and at most 1.

        scoring : str or callable, default="accuracy"
            Name of a scikit-learn scorer that needs nothing but classes and probabilities, such as
            "roc_auc" or "neg_log_loss", or a scorer. A callable gets numbers of sequences as X.

        name : str or None, default=None
            Name of the curve, for the legend.

        ax : matplotlib Axes or None, default=None
            Axes to draw on, such as those of another curve; None for a new figure.

        Returns
        -------
        display : ForecastDisplay
            The display, drawn.
        """
        shares, scorer = _check_shares(shares), _find_scorer(scoring)
        y, classes, several = _read_truth(y_true, classes)
        forecasts = _read_forecasts(forecasts, len(y), len(classes))
        known = _known_at_shares(forecasts, shares, classes, several=several)
        return cls._from_scores(shares, known, y, scorer, name_score(scoring), name).plot(ax)

    @classmethod
    def _from_scores(cls, shares, known, y, scorer, score_name, name):
        """Compute the score and standard error at each share, without drawing."""
        numbers = np.arange(len(y))
        score_functions = [score_by(scorer, each, y) for each in known]
        return cls(
            shares=shares,
            scores=np.array([score(numbers) for score in score_functions]),
            errors=_standard_errors(score_functions, numbers),
            score_name=score_name,
            name=name,
        )

    def plot(self, ax: Any = None, **kwargs: Any) -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None for a new figure.

        **kwargs : dict
            Passed to matplotlib's `plot`.

        Returns
        -------
        self : ForecastDisplay
            The display itself.
        """
        from matplotlib.ticker import PercentFormatter

        self.ax_ = get_axes(type(self).__name__, ax, (6.4, 3.8))
        self.figure_ = self.ax_.figure
        style = {"marker": "o", "markersize": 4, "label": self.name} | kwargs
        (self.line_,) = self.ax_.plot(self.shares, self.scores, **style)
        self.band_ = None
        if not np.isnan(self.errors).all():
            bounds = self.scores - self.errors, self.scores + self.errors
            color = self.line_.get_color()
            self.band_ = self.ax_.fill_between(self.shares, *bounds, color=color, alpha=0.15, lw=0)
        self.ax_.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        self.ax_.set_xlabel("share of each sequence seen")
        suffix = "" if self.band_ is None else " ± standard error"
        self.ax_.set_ylabel(f"{self.score_name}{suffix}")
        self.ax_.grid(axis="y", alpha=0.4)
        if self.name is not None:
            self.ax_.legend(frameon=False)
        return self


def _known_at_shares(forecasts, shares, classes, *, several):
    """Return what is predicted after each share of the sequences, as estimators."""
    of_shares = _take_shares(forecasts, shares)
    return [KnownPredictions(classes, each, several) for each in of_shares]


def _check_shares(shares):
    """Return shares as a sorted array, or raise."""
    if isinstance(shares, str) or not hasattr(shares, "__iter__"):
        raise TypeError(f"shares={shares!r:.100} must be a list of numbers, such as [0.5, 1.0].")
    found = list(shares)
    for share in found:
        if isinstance(share, bool | np.bool_) or not isinstance(share, Real):
            raise TypeError(f"shares has {share!r:.100}, but numbers were expected.")
        if not 0 < float(share) <= 1:
            raise ValueError(f"shares has {share}, but a share is above 0 and at most 1.")
    if not found:
        raise ValueError("shares is empty; pass at least one share, such as 1.0.")
    return np.unique(np.array(found, dtype=np.float64))


def _find_scorer(scoring):
    """Return a scorer that needs nothing but predictions, or raise."""
    if callable(scoring):
        return scoring
    if scoring not in SCORERS:
        raise ValueError(
            f"scoring={scoring!r:.100} must be a scorer, or the name of one that classes and "
            f"probabilities are enough for: {', '.join(map(repr, SCORERS))}."
        )
    return get_scorer(scoring)


def _check_forecasts(model):
    """Raise unless a model forecasts the label of sequences."""
    if not model.of_sequences:
        raise ValueError(
            "The classifier was fitted on rows, which have a label each, so there is nothing to "
            "forecast; fit it on sequences, or draw the score by the number of earlier rows with "
            "ContextAblationDisplay."
        )
    if model.reader.context != "past":
        raise ValueError(
            f"The classifier was fitted with context={model.reader.context!r}, which does not "
            "learn to forecast; fit with context='past'."
        )


def _read_truth(y, classes):
    """Return the true classes or indicators, the classes, and whether there are several labels."""
    y = as_table(y, "y_true")
    if has_several_labels(y):
        found, y = read_indicators(y, y.shape[0] if hasattr(y, "shape") else len(y))
        return y, found if classes is None else np.asarray(classes), True
    y = column_or_1d(y)
    return y, np.unique(y) if classes is None else column_or_1d(classes), False


def _read_forecasts(forecasts, n_sequences, n_classes):
    """Return forecasts as a list of arrays, or raise."""
    found = [np.asarray(each, dtype=np.float64) for each in forecasts]
    if len(found) != n_sequences:
        raise ValueError(
            f"forecasts has {len(found)} sequences, but y_true has {n_sequences}; pass an array of "
            "shape (n_steps, n_classes) for each."
        )
    for number, each in enumerate(found):
        if each.ndim != 2 or each.shape[1] != n_classes or not len(each):
            raise ValueError(
                f"forecasts has the shape {each.shape} for sequence {number}, but (n_steps, "
                f"{n_classes}) was expected: the probabilities of {n_classes} classes after each "
                "row. If y_true lacks a class, pass classes=."
            )
    return found


def _take_shares(forecasts, shares):
    """Yield the forecasts of all sequences at each share."""
    lengths = np.array([len(each) for each in forecasts])
    ends = np.cumsum(lengths)
    every = np.concatenate(forecasts)
    for share in shares:
        n_seen = np.ceil(share * lengths - ROUNDING).astype(np.int64).clip(1)
        yield every[ends - lengths + n_seen - 1]


def _standard_errors(score_functions, numbers):
    """Return the standard error of each score; NaN where a part has no sequence of a class."""
    blocks = rows_without_each_block(numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        try:
            return np.array([standard_error(score, blocks) for score in score_functions])
        except ValueError:  # some metrics raise for a single class
            return np.full(len(score_functions), np.nan)
