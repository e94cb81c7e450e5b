"""Fits and searches on the training rows of a corpus, scored on its test rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import optuna
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    RandomizedSearchCV,
    StratifiedKFold,
)

from benchmarks.corpora.corpus import Corpus, feature_columns
from benchmarks.models.context_memory import column_parameters
from sk_ctxmem import ContextMemoryClassifier, ContextMemoryClassifierCV

N_SPLITS = 5

Job = tuple[Corpus, int, float, bool]


def plan(corpora: Sequence[Corpus], seeds: Sequence[int], max_cost: float, grid: bool) -> list[Job]:
    """List the corpora and seeds to measure."""
    return [(*job, max_cost, grid) for job in product(corpora, seeds)]


class Data:
    """Rows of a corpus as estimators read them.

    Parameters
    ----------
    corpus : Corpus
        The corpus.
    """

    def __init__(self, corpus: Corpus) -> None:
        train, test = corpus.part("train"), corpus.part("test")
        self.X, self.y = self._input(train), train["label"].to_numpy()
        self.X_test, self.y_test = self._input(test), test["label"].to_numpy()
        self.groups = train["group"].to_numpy() if "group" in train else None
        self.columns = column_parameters(train) if "group" in train else {}

    def _input(self, frame: pd.DataFrame) -> Any:
        return frame[feature_columns(frame)] if "group" in frame else frame["text"].to_numpy()

    def estimator(self, seed: int) -> ContextMemoryClassifier:
        """Return the classifier with its defaults, which sees all rows of a group."""
        context = {"context": "both"} if self.columns else {}
        return ContextMemoryClassifier(random_state=seed, **self.columns, **context)

    def folds(self) -> Any:
        """Return folds of whole groups, or with the same share of each class."""
        if self.groups is not None:
            return GroupKFold(N_SPLITS, shuffle=True, random_state=0)
        return StratifiedKFold(N_SPLITS, shuffle=True, random_state=0)

    def one_split(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows to train on and a fifth that is held out."""
        return next(iter(self.folds().split(self.y, self.y, self.groups)))

    def take(self, rows: np.ndarray) -> tuple[Any, np.ndarray]:
        """Return X and y of some training rows."""
        taken = self.X.iloc[rows] if isinstance(self.X, pd.DataFrame) else self.X[rows]
        return taken, self.y[rows]


def measure(corpus: Corpus, seed: int, max_cost: float, grid: bool) -> list[dict[str, Any]]:
    """Fit the default, and search by each method in the time of ContextMemoryClassifierCV."""
    data = Data(corpus)
    default, one_fit = _timed(lambda: data.estimator(seed).fit(data.X, data.y))
    search = ContextMemoryClassifierCV(data.estimator(seed), max_cost=max_cost, random_state=seed)
    own, in_time = _timed(lambda: search.fit(data.X, data.y))
    space = list_values(own.cv_results_["params"])
    n_candidates = len(own.cv_results_["params"])
    random, random_time = _timed(lambda: search_at_random(data, seed, space, in_time / one_fit))
    by_optuna, optuna_time = _timed(lambda: search_by_optuna(data, seed, space, in_time))
    fitted = [
        ("default", default, one_fit, 1),
        ("ContextMemoryClassifierCV", own, in_time, n_candidates),
        ("RandomizedSearchCV, same time", random, random_time, len(random.cv_results_["params"])),
        ("Optuna, same time", by_optuna[0], optuna_time, by_optuna[1]),
    ]
    if grid:
        same = [{name: [value] for name, value in params.items()} for params in _of(own)]
        full = GridSearchCV(data.estimator(seed), same, cv=data.folds())
        full, grid_time = _timed(lambda: full.fit(data.X, data.y, groups=data.groups))
        fitted.append(("GridSearchCV, same candidates", full, grid_time, n_candidates))
    common = {"corpus": corpus.name, "seed": seed, "max_cost": max_cost}
    return [
        common
        | {
            "search": name,
            "accuracy": model.score(data.X_test, data.y_test),
            "n_test": len(data.y_test),
            "cpu_seconds": seconds,
            "fits": seconds / one_fit,
            "n_candidates": number,
        }
        for name, model, seconds, number in fitted
    ]


def _of(search: ContextMemoryClassifierCV) -> list[dict[str, Any]]:
    return search.cv_results_["params"]


def list_values(candidates: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the values of each parameter among some candidates: their product is the space."""
    names = candidates[0]
    return {name: list(dict.fromkeys(params[name] for params in candidates)) for name in names}


def search_at_random(
    data: Data, seed: int, space: dict[str, list[Any]], n_fits: float
) -> RandomizedSearchCV:
    """Search at random with five folds, for as many candidates as the time allows."""
    of_candidate = N_SPLITS * (1 - 1 / N_SPLITS)
    n_candidates = max(1, math.floor((n_fits - 1) / of_candidate))
    search = RandomizedSearchCV(
        data.estimator(seed), space, n_iter=n_candidates, cv=data.folds(), random_state=seed
    )
    return search.fit(data.X, data.y, groups=data.groups)


def search_by_optuna(
    data: Data, seed: int, space: dict[str, list[Any]], seconds: float
) -> tuple[ContextMemoryClassifier, int]:
    """Search with the TPE sampler of Optuna on one split, until the CPU time is used up.

    Returns
    -------
    best : ContextMemoryClassifier
        The best candidate, fitted on all training rows.

    n_candidates : int
        Number of candidates.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    train, held_out = data.one_split()
    started = time.process_time()

    def objective(trial: optuna.Trial) -> float:
        numbers = {
            name: trial.suggest_categorical(name, list(range(len(values))))
            for name, values in space.items()
        }
        changes = {name: space[name][number] for name, number in numbers.items()}
        clf = clone(data.estimator(seed)).set_params(**changes).fit(*data.take(train))
        return clf.score(*data.take(held_out))

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    mean = 0.0
    while not study.trials or time.process_time() - started + 2.2 * mean < seconds:
        study.optimize(objective, n_trials=1)
        mean = (time.process_time() - started) / len(study.trials)
    best = {name: space[name][number] for name, number in study.best_params.items()}
    fitted = data.estimator(seed).set_params(**best).fit(data.X, data.y)
    return fitted, len(study.trials)


def _timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """Return the result of a function and its CPU seconds."""
    started = time.process_time()
    result = function()
    return result, time.process_time() - started
