"""Fits of a comparison: each model on the training rows of each fold."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import f1_score

from .._input._frames import take_samples
from .._input._rows import InputRows, read_training_rows
from .._input._targets import check_target
from .._messages import doc_link, warn_caller
from .._rows._arrange import encode_groups
from .._rows._ids import warn_of_ids
from .._tuning._splits import split_samples
from .._tuning._trial import describe_error
from ..exceptions import TrainingInterruptedWarning
from ._models import make_model


@dataclass(frozen=True)
class ComparisonData:
    """Data of a comparison, and their folds.

    Parameters
    ----------
    X : see compare_classifiers
        The rows as the user passed them.
    y : ndarray of shape (n_rows,)
        Class of each row.
    inputs : InputRows
        The validated rows.
    columns : dict of str to str or None
        Column names by role.
    splits : list of (ndarray, ndarray)
        Numbers of the training rows and of the test rows of each fold.
    seeds : ndarray of shape (n_folds,)
        Seed of the models of each fold.
    """

    X: Any
    y: np.ndarray
    inputs: InputRows
    columns: dict[str, Any]
    splits: list[tuple[np.ndarray, np.ndarray]]
    seeds: np.ndarray

    @property
    def groups(self) -> np.ndarray:
        """Group of each row; without groups, each row is its own, (n_rows,)."""
        return encode_groups(self.inputs)

    @property
    def has_groups(self) -> bool:
        """Whether rows have groups."""
        return self.inputs.groups is not None


@dataclass(frozen=True)
class FoldResult:
    """Result of a model on the test rows of a fold.

    Parameters
    ----------
    is_correct : ndarray of shape (n_test_rows,), bool
        Whether the predictions are right.
    confidence : ndarray of shape (n_test_rows,) or None
        Largest probability of each row. None if the model has no probabilities.
    macro_f1 : float
        F1, averaged over the classes of the test rows.
    fit_seconds, search_seconds, predict_seconds : float
        Time of the fit without its search, of the search, and of the predictions.
    error : str, default=""
        Why the fit failed, in which case there are no results.
    """

    is_correct: np.ndarray
    confidence: np.ndarray | None
    macro_f1: float
    fit_seconds: float
    search_seconds: float
    predict_seconds: float
    error: str = ""


def read_data(
    X: Any, y: Any, columns: dict[str, Any], cv: Any, random: np.random.RandomState
) -> ComparisonData:
    """Validate X and y, and split them into folds.

    Parameters
    ----------
    X, y : see compare_classifiers
        Rows and classes.
    columns : dict of str to str or None
        Column names by role.
    cv : int, splitter, iterable or None
        The folds.
    random : RandomState
        Source of the seeds.

    Returns
    -------
    data : ComparisonData
        The data and their folds.

    Raises
    ------
    TypeError, ValueError
        If X or y are invalid, or cannot be split.
    """
    inputs, _ = read_training_rows(X, None, columns, "compare_classifiers")
    if inputs.kind != "text" or inputs.lengths is not None:
        raise TypeError(
            "X does not consist of rows of texts; pass a list of str, or a DataFrame with "
            "text_column set to the column of the texts." + doc_link("kinds-of-input")
        )
    warn_of_ids(inputs, columns, is_fit=True)
    classes, numbers = check_target(y, inputs.n_rows)
    if numbers.ndim == 2:
        raise ValueError(
            "y has several labels for each row, but a comparison needs one class for each; "
            "compare one label at a time."
        )
    seeds = random.randint(2**31 - 1, size=1 + inputs.n_rows)
    splits = _split(inputs, numbers, cv, int(seeds[0]))
    _check_folds(splits, numbers, classes)
    return ComparisonData(X, classes[numbers], inputs, columns, splits, seeds[1:])


def _split(inputs, numbers, cv, seed):
    """Return the folds: whole groups, or samples with the same share of each class."""
    blocks, grouped = encode_groups(inputs), inputs.groups is not None
    if blocks.max() < 1:
        raise ValueError(
            "All rows are of one group, but a comparison needs at least two, one of which is "
            "for testing; pass more data." + doc_link("classes")
        )
    return split_samples(cv, blocks, numbers, seed, grouped=grouped)


def _check_folds(splits, numbers, classes):
    """Raise if the training rows of a fold have one class only."""
    for place, (train, _) in enumerate(splits):
        found = np.unique(numbers[train])
        if len(found) < 2:
            raise ValueError(
                f"The training rows of fold {place} have only the class "
                f"{classes.tolist()[found[0]]!r}, since others are too rare, or in too few groups; "
                "pass more rows of them, or another cv." + doc_link("classes")
            )


def run_folds(
    data: ComparisonData, names: list[str], estimators: dict[str, Any], n_jobs: int | None, bar: Any
) -> Iterator[tuple[int, str, FoldResult]]:
    """Fit all models on the first fold, then on the next one, and so on, but for failed ones.

    Parameters
    ----------
    data : ComparisonData
        The data.
    names : list of str
        The models.
    estimators : dict of str to classifier
        Those of the user among them.
    n_jobs : int or None
        Number of fits at a time.
    bar : tqdm or None
        Progress bar.

    Yields
    ------
    fold : int
        Number of the fold.
    name : str
        The model.
    result : FoldResult
        Its result.
    """
    for fold in range(len(data.splits)):
        tasks = [partial(run_fold, data, fold, name, estimators.get(name)) for name in names]
        results = _run(tasks, names, n_jobs, bar)
        for name, result in zip(names, results, strict=True):
            if result.error:  # said here, since a warning in another process is lost
                _warn_of_failure(name, fold, result.error)
            yield fold, name, result
            names = [other for other in names if other != name or not result.error]
            if bar is not None:
                bar.update()


def _run(tasks, names, n_jobs, bar):
    """Yield the results of tasks, one after another unless there are several processes."""
    if effective_n_jobs(n_jobs) > 1:
        yield from Parallel(n_jobs=n_jobs)(delayed(task)() for task in tasks)
        return
    for name, task in zip(names, tasks, strict=True):
        if bar is not None:
            bar.set_description(str(name))
        yield task()


def _warn_of_failure(name, fold, reason):
    """Warn that an estimator of the user failed."""
    warn_caller(
        f"{name!r} failed in fold {fold} and is left out of the table ({reason:.300}).",
        FitFailedWarning,
    )


def run_fold(data: ComparisonData, fold: int, name: str, estimator: Any = None) -> FoldResult:
    """Fit and test one model on a fold.

    Parameters
    ----------
    data : ComparisonData
        The data.
    fold : int
        Number of the fold.
    name : str
        The model.
    estimator : classifier or None, default=None
        The user's own, which is cloned.

    Returns
    -------
    result : FoldResult
        The result. An error of the user's estimator is part of it.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C interrupted the fit.
    """
    train, test = data.splits[fold]
    X, X_test = take_samples(data.X, train), take_samples(data.X, test)
    if estimator is None:
        texts = [data.inputs.values[row] for row in train]
        model = make_model(name, texts, data.columns, int(data.seeds[fold]))
        return _measure(model, X, data.y[train], X_test, data.y[test])
    try:
        return _measure(clone(estimator), X, data.y[train], X_test, data.y[test])
    except Exception as error:  # of anybody's code: the other models go on
        reason = describe_error(error)
        return FoldResult(np.zeros(0, bool), None, np.nan, np.nan, np.nan, np.nan, error=reason)


def _measure(model, X, y, X_test, y_test):
    """Fit and test a model."""
    start = perf_counter()
    _fit(model, X, y)
    fitted = perf_counter()
    predicted = np.asarray(model.predict(X_test))
    if predicted.shape == (len(y_test), 1):  # as some libraries return it
        predicted = predicted.ravel()
    predict_seconds = perf_counter() - fitted
    options = {"labels": np.unique(y_test), "average": "macro", "zero_division": 0}
    searching = _search_seconds(model, fitted - start)
    return FoldResult(
        is_correct=predicted == y_test,
        confidence=_confidence(model, X_test),
        macro_f1=f1_score(y_test, predicted, **options),
        fit_seconds=fitted - start - searching,
        search_seconds=searching,
        predict_seconds=predict_seconds,
    )


def _fit(model, X, y):
    """Fit a model; Ctrl-C, which would end the training of context memory early, is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", TrainingInterruptedWarning)
        try:
            model.fit(X, y)
        except TrainingInterruptedWarning as warning:
            raise KeyboardInterrupt from warning


def _search_seconds(model, seconds):
    """Return the part of the time of a fit that a search took, 0 if there was none."""
    if hasattr(model, "search_time_"):
        return model.search_time_
    return seconds - getattr(model, "refit_time_", seconds)  # of a search of scikit-learn too


def _confidence(model, X):
    """Return the largest probability of each row, None if the model has no probabilities."""
    if not hasattr(model, "predict_proba"):
        return None
    probabilities = model.predict_proba(X)
    return None if probabilities is None else np.asarray(probabilities).max(axis=1)
