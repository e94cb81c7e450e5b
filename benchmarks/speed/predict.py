"""Table "predict": rows per second, and the latency of a single row."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from benchmarks.corpora.corpus import Corpus
from benchmarks.measuring.resources import timed
from benchmarks.speed import processes
from benchmarks.speed.models import (
    AnyModel,
    Ours,
    find_char_range,
    make_short_regression,
    make_short_same,
)
from benchmarks.speed.tasks import Row, Settings, Task

N_CALLS = 200
QUICK_N_CALLS = 10
N_WARM_UP_CALLS = 20

Models = dict[str, AnyModel]


def plan_predict(corpora: Sequence[Corpus], settings: Settings) -> list[Task]:
    """List one task per corpus."""
    return [Task(corpus.name, partial(measure_predict, corpus, settings)) for corpus in corpora]


def measure_predict(corpus: Corpus, settings: Settings) -> list[Row]:
    """Fit and time all models in one child process."""
    train, test = corpus.part("train"), corpus.part("test")
    n_calls = settings.choose(N_CALLS, QUICK_N_CALLS)
    arguments = (train, test, settings.repeats, n_calls)
    rows, single = processes.call_in_child(track_predict, *arguments)
    row: Row = {"corpus": corpus.name, "n_test": len(test)}
    row |= {f"{name}_rows_per_second": len(test) / rows[name] for name in rows}
    row |= {f"ours/{name}_rows_per_second": rows[name] / rows["ours"] for name in ("lr", "same")}
    for name, seconds in single.items():
        row[f"{name}_one_median_ms"] = 1000 * np.median(seconds)
        row[f"{name}_one_p99_ms"] = 1000 * np.percentile(seconds, 99)
    return [row | {"ours/lr_one": np.median(single["ours"]) / np.median(single["lr"])}]


def track_predict(
    train: pd.DataFrame, test: pd.DataFrame, repeats: int, n_calls: int
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Measure median seconds on all test rows, and seconds of calls with one row, by model."""
    models: Models = {
        "lr": make_short_regression(),
        "same": make_short_same(train, find_char_range(train)),
        "ours": Ours(train, seed=0),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for model in models.values():
            model.fit(train, train["label"])
    rounds = pd.DataFrame(time_predict(models, test, repeats))
    medians = {name: rounds[name].median() for name in models}
    single = {name: time_predict_one(model, test, n_calls) for name, model in models.items()}
    return medians, single


def time_predict(models: Models, test: pd.DataFrame, repeats: int) -> Iterator[dict[str, float]]:
    """Yield the seconds of each model on all test rows, after a warm-up call."""
    for model in models.values():
        model.predict(test)
    for _ in range(repeats):
        yield {name: timed(model.predict, test)[1] for name, model in models.items()}


def time_predict_one(model: AnyModel, test: pd.DataFrame, n_calls: int) -> list[float]:
    """Measure the seconds of `predict_proba` on one row, for one test row after the other."""
    places = np.arange(N_WARM_UP_CALLS + n_calls) % len(test)
    frames = [test.iloc[place : place + 1] for place in places]
    return [timed(model.predict_proba, frame)[1] for frame in frames][N_WARM_UP_CALLS:]
