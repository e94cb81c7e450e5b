"""The steps of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sklearn.utils import check_random_state

from .._input._parameters import Seed
from .._messages import warn_caller
from .._training._progress import open_bar
from ..exceptions import TrainingInterruptedWarning
from ._folds import FoldResult, read_data, run_folds
from ._models import choose_models
from ._report import make_table


def run_comparison(
    X: Any,
    y: Any,
    columns: dict[str, Any],
    *,
    models: Sequence[str] | None,
    estimators: Mapping[str, Any],
    cv: Any,
    n_jobs: int | None,
    verbose: int,
    random_state: Any,
) -> pd.DataFrame:
    """Fit and test all models on all folds, see `compare_classifiers`.

    Parameters
    ----------
    X, y : see compare_classifiers
        Rows and classes.
    columns : dict of str to str or None
        Column names by role: text, group, order and speaker.
    models, estimators, cv, n_jobs, verbose, random_state : see compare_classifiers
        The models and the folds.

    Returns
    -------
    table : DataFrame
        A row for each model.
    """
    Seed().check("random_state", random_state)
    names = choose_models(models, estimators, has_groups=columns["group"] is not None)
    data = read_data(X, y, columns, cv, check_random_state(random_state))
    n_folds = len(data.splits)
    results: dict[str, list[tuple[int, FoldResult]]] = {name: [] for name in names}
    try:
        with open_bar(verbose, total=n_folds * len(names), unit=" fits") as bar:
            for fold, name, result in run_folds(data, names, dict(estimators), n_jobs, bar):
                results[name].append((fold, result))
    except KeyboardInterrupt:
        _drop_failed(results)
        n_folds = _keep_whole_folds(results)
        warn_caller(
            f"Interrupted: the table is that of {n_folds} of {len(data.splits)} folds and "
            f"{len(results)} of {len(names)} models.",
            TrainingInterruptedWarning,
        )
    _drop_failed(results)
    return make_table(data, results, n_folds)


def _keep_whole_folds(results):
    """Keep the folds that all models were tested on, or the models of the first fold.

    Returns
    -------
    n_folds : int
        Number of folds that are kept.
    """
    n_folds = min(map(len, results.values()))
    if n_folds == 0:
        n_folds = 1
        for name in [name for name, parts in results.items() if not parts]:
            del results[name]
        if not results:
            raise KeyboardInterrupt
    for parts in results.values():
        del parts[n_folds:]
    return n_folds


def _drop_failed(results):
    """Leave out models of which a fit failed, or raise if no model is left."""
    errors = {
        name: part.error for name, parts in results.items() for _, part in parts if part.error
    }
    for name in errors:
        del results[name]
    if not results:
        raise ValueError(f"All models failed, the last one by {list(errors.values())[-1]}.")
