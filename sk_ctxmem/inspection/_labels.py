"""suspect_labels: rank labels by cleanlab, on out-of-fold probabilities."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.utils import check_consistent_length, column_or_1d, indexable
from sklearn.utils.validation import has_fit_parameter

from .._input._arrays import as_column
from .._input._frames import as_table, column_names, column_values, is_frame, take_rows
from .._input._indicators import has_several_labels
from .._input._targets import plain_labels
from .._messages import doc_link, import_optional

METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
DEFAULT_FOLDS = 5


def suspect_labels(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    cv: Any = None,
    method: str = "self_confidence",
) -> pd.DataFrame:
    """Rank rows by how likely their label is wrong, worst first.

    cleanlab scores each label by the probabilities of a clone of the estimator, fitted on other
    rows and on no other row of the same group. It needs the extra ``labels``:
    ``pip install "sk-ctxmem[labels]"``.

    Parameters
    ----------
    estimator : classifier with predict_proba
        Any classifier or pipeline. Only clones of it are fitted.

    X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
        Input of the estimator.

    y : array-like of shape (n_rows,)
        The labels to check.

    groups : array-like of shape (n_rows,) or None, default=None
        The conversation or document of each row. Folds keep groups whole, and the estimator gets
        the groups too if its fit takes `groups`. If None, the `group_column` of the estimator is
        used, if it has one; otherwise each row is independent.

    cv : int, splitter, iterable or None, default=None
        The folds, as in scikit-learn; each row must be in exactly one test fold. None uses 5. An
        integer sets the number of folds, stratified by class and by whole groups if there are any.

    method : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}, \
default="self_confidence"
        The cleanlab score that ranks the rows. The default found the most flipped labels in our
        benchmarks.

    Returns
    -------
    labels : DataFrame of shape (n_rows, 5)
        Worst label first, with the columns row (position in X), label, suggested (the most
        probable class, equal to the label if the model agrees), quality (of the label, from 0 to
        1) and is_suspect (whether cleanlab would remove the row). Rows whose class does not occur
        in their training folds have no score: they come last, with quality NaN.

    Raises
    ------
    ImportError
        If cleanlab is not installed.
    TypeError, ValueError
        If an argument is not valid.

    See Also
    --------
    sk_ctxmem.ContextMemoryClassifier : A classifier with memory over the rows of a group.

    Notes
    -----
    Wrong labels in the training folds affect the models too, most of all in classes with few rows.

    References
    ----------
    Northcutt, C., Jiang, L. and Chuang, I. (2021). Confident learning: Estimating uncertainty in
    dataset labels. Journal of Artificial Intelligence Research 70, 1373-1411.

    Examples
    --------
    >>> from sk_ctxmem import ContextMemoryClassifier
    >>> from sk_ctxmem.datasets import make_conversations
    >>> from sk_ctxmem.inspection import suspect_labels
    >>> talks = make_conversations(100, random_state=0)
    >>> y = talks.target.copy()
    >>> y[7] = next(label for label in talks.target_names if label != y[7])  # a wrong label
    >>> clf = ContextMemoryClassifier(
    ...     text_column="text", group_column="group", random_state=0
    ... )
    >>> 7 in suspect_labels(clf, talks.data, y)["row"].head(10).to_list()
    True
    """
    filtering, ranking = _import_cleanlab("filter"), _import_cleanlab("rank")
    _check_arguments(estimator, method)
    y = _read_labels(y)
    X = as_table(X)
    if not is_frame(X):
        (X,) = indexable(X)
    groups = as_table(groups, "groups")
    check_consistent_length(X, y, groups)
    classes, labels = np.unique(y, return_inverse=True)
    own = _find_groups(estimator, X)
    folds = _split(X, y, own if groups is None else groups, cv)
    passed = None if own is not None or not has_fit_parameter(estimator, "groups") else groups
    probabilities = _predict_out_of_fold(estimator, X, y, passed, classes, folds)
    judged = ~np.isnan(probabilities[np.arange(len(y)), labels])
    quality, is_suspect = np.full(len(y), np.nan), np.zeros(len(y), dtype=bool)
    if judged.any():
        arguments = labels[judged], _complete(probabilities[judged])
        quality[judged] = ranking.get_label_quality_scores(*arguments, method=method)
        is_suspect[judged] = _filter(filtering, *arguments)
    columns = {"row": np.arange(len(y)), "label": as_column(y)}
    columns["suggested"] = as_column(_suggest(probabilities, classes))
    frame = pd.DataFrame(columns | {"quality": quality, "is_suspect": is_suspect})
    return frame.sort_values("quality", kind="stable", ignore_index=True)


def _import_cleanlab(module):
    """Import a module of cleanlab without the warnings of its imports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_optional(f"cleanlab.{module}", "labels", "suspect_labels")


def _check_arguments(estimator, method):
    """Raise unless the estimator has predict_proba and the method is valid."""
    if not hasattr(estimator, "fit") or not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"estimator={estimator!r:.200} must have fit and predict_proba; use a classifier that "
            "predicts probabilities, such as ContextMemoryClassifier()."
        )
    if method not in METHODS:
        names = " or ".join(map(repr, METHODS))
        raise ValueError(f"method={method!r} must be {names}; use {METHODS[0]!r} if unsure.")


def _refuse_several(y):
    """Raise for several labels in a row."""
    if has_several_labels(y):
        raise ValueError(
            "suspect_labels judges one class for each row, but y has several columns; pass one of "
            "them, such as suspect_labels(clf, X, y[:, 0])." + doc_link("several-labels")
        )


def _read_labels(y):
    """Return labels as a one-dimensional array."""
    y = as_table(y, "y")
    _refuse_several(y)
    y = column_or_1d(plain_labels(y))
    if pd.isna(y).any():
        row = np.flatnonzero(pd.isna(y))[0]
        raise ValueError(f"y has no label in row {row}; remove rows without a label.")
    if len(np.unique(y)) < 2:
        raise ValueError(f"y has only one class, {y[:1].tolist()}; at least two are needed.")
    return y


def _find_groups(estimator, X):
    """Return the column of X that is the group_column of the estimator or of one of its steps."""
    parameters = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    for name, value in parameters.items():
        is_role = name == "group_column" or name.endswith("__group_column")
        if is_role and value is not None and is_frame(X) and value in column_names(X):
            return column_values(X, value)
    return None


def _split(X, y, groups, cv):
    """Return pairs of training and test positions, with each row in one test fold."""
    if cv is None or isinstance(cv, Integral):
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        cv = kind(DEFAULT_FOLDS if cv is None else int(cv))
    if groups is not None:  # ids may be of any type, such as tuples
        groups = pd.factorize(pd.Series(list(groups), dtype=object))[0]
    with warnings.catch_warnings():  # rows of rare classes get no score, as documented
        warnings.filterwarnings("ignore", message="The least populated class")
        folds = list(check_cv(cv, y, classifier=True).split(X, y, groups))
    counts = np.bincount(np.concatenate([test for _, test in folds]), minlength=len(y))
    if (counts != 1).any():
        row = np.flatnonzero(counts != 1)[0]
        raise ValueError(
            f"cv={cv!r} has row {row} in {counts[row]} test folds, but each row must be in "
            "one; use a number of folds, such as cv=5."
        )
    return folds


def _predict_out_of_fold(estimator, X, y, groups, classes, folds):
    """Return the probabilities of each row by a model fitted on the other folds.

    Like scikit-learn's cross_val_predict, except that predict_proba gets the groups too.

    Returns
    -------
    probabilities : ndarray of shape (n_rows, n_classes)
        NaN for classes that are not in the training folds.
    """
    probabilities = np.full((len(y), len(classes)), np.nan)
    for train, test in folds:
        options = [{} if groups is None else {"groups": _take(groups, p)} for p in (train, test)]
        model = clone(estimator).fit(_take(X, train), y[train], **options[0])
        columns = np.searchsorted(classes, model.classes_)
        probabilities[np.ix_(test, columns)] = model.predict_proba(_take(X, test), **options[1])
    return probabilities


def _take(values, positions):
    """Return the rows at these positions."""
    if is_frame(values):
        return take_rows(values, positions)
    if isinstance(values, list | tuple):
        return [values[position] for position in positions]
    return getattr(values, "iloc", values)[positions]


def _complete(probabilities):
    """Return 0 for classes that are not in the training folds."""
    return np.nan_to_num(probabilities, nan=0.0)


def _filter(filtering, labels, probabilities):
    """Return whether cleanlab would remove each row."""
    if len(np.unique(labels)) < 2:
        return np.zeros(len(labels), dtype=bool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the calibration of rare classes
        return filtering.find_label_issues(labels, probabilities, n_jobs=1, verbose=False)


def _suggest(probabilities, classes):
    """Return the most probable class of each row."""
    return classes[_complete(probabilities).argmax(axis=1)]
