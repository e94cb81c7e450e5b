"""Which labels may be wrong: cleanlab on probabilities of models that have not seen the row."""

import warnings
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.utils import check_consistent_length, column_or_1d, indexable
from sklearn.utils.validation import has_fit_parameter

from .._doc_links import import_optional

METHODS = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
DEFAULT_FOLDS = 5


def suspect_labels(estimator, X, y, *, groups=None, cv=None, method="self_confidence"):
    """List the rows by how likely their label is wrong, worst first.

    Each row is judged by a copy of the estimator that was fitted on other rows, and on no other
    row of its group. The judgement is that of cleanlab, which needs the extra ``labels``:
    ``pip install "sk-ctxmem[labels]"``.

    Parameters
    ----------
    estimator : classifier with predict_proba
        Any classifier or pipeline; it is cloned, and stays as it is.

    X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
        What the estimator reads.

    y : array-like of shape (n_rows,)
        The labels in question.

    groups : array-like of shape (n_rows,) or None, default=None
        Which conversation or document each row belongs to: a group is never cut. The methods of
        the estimator get them too if its fit takes `groups`. None: the `group_column` of the
        estimator, if it has one, else each row stands alone.

    cv : int, splitter, iterable or None, default=None
        The folds, as in scikit-learn; each row must be in one test part. None for 5, an int for so
        many, by class, and in whole groups where there are any.

    method : {"self_confidence", "normalized_margin", "confidence_weighted_entropy"}, \
default="self_confidence"
        Score of cleanlab that rows are ranked by. The default found the most flipped labels in
        our measurements.

    Returns
    -------
    labels : DataFrame of shape (n_rows, 5)
        Worst first, with the columns row (position in X), label, suggested (the most probable
        class, which is the label itself where the model agrees), quality (of the label, from 0
        to 1) and is_suspect (whether cleanlab would remove the row). Rows whose class no model
        has seen on other rows cannot be judged: they come last, with quality NaN.

    Raises
    ------
    ImportError
        If cleanlab is not installed.
    TypeError, ValueError
        If an argument is not legal; the message says what is.

    See Also
    --------
    sk_ctxmem.ContextMemoryClassifier : A classifier that reads a row in its context.

    Notes
    -----
    Labels that are wrong in the training rows mislead the models too, the more so the fewer rows
    a class has.

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
    (X,) = indexable(X)
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
    columns = {"row": np.arange(len(y)), "label": y, "suggested": _suggest(probabilities, classes)}
    frame = pd.DataFrame(columns | {"quality": quality, "is_suspect": is_suspect})
    return frame.sort_values("quality", kind="stable", ignore_index=True)


def _import_cleanlab(module):
    """Import a module of cleanlab without the warnings of its imports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_optional(f"cleanlab.{module}", "labels", "suspect_labels")


def _check_arguments(estimator, method):
    """Raise unless the estimator tells probabilities and the method is one of cleanlab's."""
    if not hasattr(estimator, "fit") or not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"estimator={estimator!r:.200} must have fit and predict_proba; use a classifier that "
            "tells probabilities, such as ContextMemoryClassifier()."
        )
    if method not in METHODS:
        names = " or ".join(map(repr, METHODS))
        raise ValueError(f"method={method!r} must be {names}; use {METHODS[0]!r} if unsure.")


def _read_labels(y):
    """Return labels as an array of one dimension."""
    y = column_or_1d(y)
    if pd.isna(y).any():
        place = np.flatnonzero(pd.isna(y))[0]
        raise ValueError(f"y has no label in row {place}; leave out rows without a label.")
    if len(np.unique(y)) < 2:
        raise ValueError(f"y has one class only, {y[:1].tolist()}; at least two are needed.")
    return y


def _find_groups(estimator, X):
    """Return the column of X that the estimator, or a step of it, takes for groups."""
    parameters = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    for name, value in parameters.items():
        is_role = name == "group_column" or name.endswith("__group_column")
        if is_role and value is not None and value in getattr(X, "columns", ()):
            return np.asarray(X[value])
    return None


def _split(X, y, groups, cv):
    """Return pairs of training and test positions, each row in one test part."""
    if cv is None or isinstance(cv, Integral):
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        cv = kind(DEFAULT_FOLDS if cv is None else int(cv))
    if groups is not None:  # ids may be of any kind, such as pairs
        groups = pd.factorize(pd.Series(list(groups), dtype=object))[0]
    with warnings.catch_warnings():  # rows of rare classes come last, which is documented
        warnings.filterwarnings("ignore", message="The least populated class")
        folds = list(check_cv(cv, y, classifier=True).split(X, y, groups))
    counts = np.bincount(np.concatenate([test for _, test in folds]), minlength=len(y))
    if (counts != 1).any():
        place = np.flatnonzero(counts != 1)[0]
        raise ValueError(
            f"cv={cv!r} has row {place} in {counts[place]} test parts, but each row must be in "
            "one; use a number of folds, such as cv=5."
        )
    return folds


def _predict_out_of_fold(estimator, X, y, groups, classes, folds):
    """Return the probabilities of each row by a model that was fitted on the other parts.

    As scikit-learn's cross_val_predict, but groups reach predict_proba too.

    Returns
    -------
    probabilities : ndarray of shape (n_rows, n_classes)
        NaN for classes that the model does not know.
    """
    probabilities = np.full((len(y), len(classes)), np.nan)
    for train, test in folds:
        options = [{} if groups is None else {"groups": _take(groups, p)} for p in (train, test)]
        model = clone(estimator).fit(_take(X, train), y[train], **options[0])
        places = np.searchsorted(classes, model.classes_)
        probabilities[np.ix_(test, places)] = model.predict_proba(_take(X, test), **options[1])
    return probabilities


def _take(values, positions):
    """Return the rows at these positions."""
    if isinstance(values, list | tuple):
        return [values[position] for position in positions]
    return getattr(values, "iloc", values)[positions]


def _complete(probabilities):
    """Return 0 for classes that a model did not know."""
    return np.nan_to_num(probabilities, nan=0.0)


def _filter(filtering, labels, probabilities):
    """Tell the rows that cleanlab would remove."""
    if len(np.unique(labels)) < 2:
        return np.zeros(len(labels), dtype=bool)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of calibration where classes are rare
        return filtering.find_label_issues(labels, probabilities, n_jobs=1, verbose=False)


def _suggest(probabilities, classes):
    """Return the most probable class of each row."""
    return classes[_complete(probabilities).argmax(axis=1)]
