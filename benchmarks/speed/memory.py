"""Table "memory": peak resident memory of a process that fits one model."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from benchmarks.corpora.corpus import Corpus
from benchmarks.measuring.resources import peak_memory_mb
from benchmarks.speed import processes
from benchmarks.speed.models import (
    AnyModel,
    CharRange,
    Ours,
    find_char_range,
    make_short_regression,
    make_short_same,
)
from benchmarks.speed.tasks import Row, Settings, Task, first_with_groups, resample_groups

RESAMPLED_ROWS = 1_000_000
QUICK_RESAMPLED_ROWS = 3_000


def plan_memory(corpora: Sequence[Corpus], settings: Settings) -> list[Task]:
    """List one task per corpus, and one for a large resampled corpus with groups."""
    tasks = [Task(corpus.name, partial(measure_memory, corpus)) for corpus in corpora]
    largest = first_with_groups(corpora)
    if largest.has_groups:
        n_rows = settings.choose(RESAMPLED_ROWS, QUICK_RESAMPLED_ROWS)
        name = f"{largest.name}, resampled to {n_rows:,} rows"
        tasks.append(Task(name, partial(measure_resampled, name, largest, n_rows)))
    return tasks


def measure_memory(corpus: Corpus) -> list[Row]:
    """Fit logistic regression with both sets of n-grams, and context memory, each in a process."""
    train = corpus.part("train")
    char_ngram_range = find_char_range(train)
    peaks = {
        name: processes.call_in_child(peakmem_fit, name, train, char_ngram_range)
        for name in ("lr", "same", "ours")
    }
    return [summarise(corpus.name, len(train), peaks)]


def measure_resampled(name: str, corpus: Corpus, n_rows: int) -> list[Row]:
    """Fit context memory on many rows."""
    ours = processes.call_in_child(peakmem_fit, "ours", corpus.part("train"), None, n_rows)
    unknown = (np.nan, np.nan)
    return [summarise(name, n_rows, {"lr": unknown, "same": unknown, "ours": ours})]


def peakmem_fit(
    name: str, train: pd.DataFrame, char_ngram_range: CharRange, n_rows: int | None = None
) -> tuple[float, float]:
    """Measure a fit in this process, which must be a fresh one.

    Parameters
    ----------
    name : {"lr", "same", "ours"}
        Name of the model. Logistic regression takes a few steps only, in which it reaches its
        peak.

    train : DataFrame
        The training rows.

    char_ngram_range : tuple of (int, int) or None
        Character n-grams of "same".

    n_rows : int or None, default=None
        Number of rows to draw from them with replacement.

    Returns
    -------
    start, peak : float
        Peak resident memory before and after the fit, in MiB.
    """
    # Both models import both packages, so that only the fit makes a difference.
    import torch  # noqa: F401

    import sk_ctxmem  # noqa: F401

    if n_rows is not None:
        train = resample_groups(train, n_rows)
    makers: dict[str, Callable[[], AnyModel]] = {
        "lr": make_short_regression,
        "same": partial(make_short_same, train, char_ngram_range),
        "ours": partial(Ours, train, seed=0),
    }
    model = makers[name]()
    start = peak_memory_mb()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train, train["label"])
    return start, peak_memory_mb()


def summarise(name: str, n_train: int, peaks: Mapping[str, tuple[float, float]]) -> Row:
    """Row of the table, from the peak memory of each model before and after its fit."""
    row: Row = {"corpus": name, "n_train": n_train, "start_mib": peaks["ours"][0]}
    row |= {f"{model}_peak_mib": peak for model, (_, peak) in peaks.items()}
    row |= {f"{model}_growth_mib": peak - start for model, (start, peak) in peaks.items()}
    for other in ("lr", "same"):
        row[f"ours/{other}"] = row["ours_peak_mib"] / row[f"{other}_peak_mib"]
    return row
