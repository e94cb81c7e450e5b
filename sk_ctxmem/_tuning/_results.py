"""The table of a search, with the keys of GridSearchCV."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .._classifier import ContextMemoryClassifier
from ._space import values_of
from ._trial import Trial


def cv_results(
    trials: list[Trial], best: Trial, names: list[str], estimator: ContextMemoryClassifier, n: int
) -> dict[str, Any]:
    """Return the results of all trials.

    Parameters
    ----------
    trials : list of Trial
        The trials.
    best : Trial
        The one that was chosen, which has rank 1.
    names : list of str
        Names of the parameters that were searched.
    estimator : ContextMemoryClassifier
        The estimator as it was given.
    n : int
        Number of folds.

    Returns
    -------
    results : dict of str to ndarray or list
        An entry for each trial in each array.
    """
    given = values_of(estimator, names)
    params = [given | trial.candidate.changes for trial in trials]
    found: dict[str, Any] = {}
    for key, name in (("fit_time", "fit_seconds"), ("score_time", "score_seconds")):
        times = _of_folds(trials, n, lambda result, name=name: getattr(result, name))
        found |= {f"mean_{key}": _over_folds(np.mean, times)}
        found |= {f"std_{key}": _over_folds(np.std, times)}
    found |= {f"param_{name}": _masked([each[name] for each in params]) for name in names}
    found["params"] = params
    scores = _of_folds(trials, n, lambda result: result.score)
    found |= {f"split{fold}_test_score": scores[:, fold] for fold in range(n)}
    found["mean_test_score"] = np.array([trial.score for trial in trials])
    found["std_test_score"] = _over_folds(np.std, scores)
    found["mean_test_criterion"] = np.array([trial.criterion for trial in trials])
    found["rank_test_score"] = rank(trials, best)
    found["n_splits"] = np.array([len(trial.results) for trial in trials])
    found["n_epochs"] = np.array([_epochs_of(trial) for trial in trials])
    found["complete"] = np.array([trial.is_complete for trial in trials])
    found["cost"] = np.array([trial.cost for trial in trials])
    found["elapsed_time"] = np.array([trial.elapsed for trial in trials])
    return found


def rank(trials: list[Trial], best: Trial) -> np.ndarray:
    """Return the ranks of trials: the chosen one, then by the number of folds and by score."""

    def key(trial: Trial) -> tuple:
        lost = np.inf if np.isnan(trial.criterion) else -trial.criterion
        return (trial is not best, not trial.is_complete, -len(trial.results), lost)

    order = sorted(trials, key=key)
    return np.array([1 + order.index(trial) for trial in trials], dtype=np.int32)


def _epochs_of(trial: Trial) -> int:
    return trial.results[0].n_epochs if 0 in trial.results else 0


def _of_folds(trials: list[Trial], n: int, value: Callable[..., float]) -> np.ndarray:
    """Return a value of each trial on each fold, (n_trials, n), NaN where it was not fitted."""
    table = np.full((len(trials), n), np.nan)
    for row, trial in zip(table, trials, strict=True):
        for fold, result in trial.results.items():
            row[fold] = value(result)
    return table


def _over_folds(reduce: Callable[..., Any], table: np.ndarray) -> np.ndarray:
    """Return the mean or deviation over the folds that are no NaN; NaN if all are."""
    return np.array(
        [reduce(row[~np.isnan(row)]) if not np.isnan(row).all() else np.nan for row in table]
    )


def _masked(values: list[Any]) -> np.ma.MaskedArray:
    """Return values of a parameter as GridSearchCV does, as an array of objects."""
    found = np.ma.MaskedArray(np.empty(len(values), dtype=object), mask=False, dtype=object)
    for place, value in enumerate(values):
        found[place] = value
    return found
