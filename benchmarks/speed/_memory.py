"""Table "memory": peak resident memory of a process that fits one model."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from benchmarks._corpora import Corpus
from benchmarks._measure import peak_memory_mb
from benchmarks.speed import _child
from benchmarks.speed._models import Ours, make_short_regression
from benchmarks.speed._tasks import Row, Settings, Task, first_with_groups, resample_groups

RESAMPLED_ROWS = 1_000_000
QUICK_RESAMPLED_ROWS = 3_000


def plan_memory(corpora: Sequence[Corpus], settings: Settings) -> list[Task]:
    """List one task per corpus, and one for a corpus with groups that is made large."""
    tasks = [Task(corpus.name, partial(measure_memory, corpus)) for corpus in corpora]
    largest = first_with_groups(corpora)
    if largest.has_groups:
        n_rows = settings.choose(RESAMPLED_ROWS, QUICK_RESAMPLED_ROWS)
        name = f"{largest.name}, resampled to {n_rows:,} rows"
        tasks.append(Task(name, partial(measure_resampled, name, largest, n_rows)))
    return tasks


def measure_memory(corpus: Corpus) -> list[Row]:
    """Fit logistic regression and ours in a process each."""
    train = corpus.part("train")
    lr = _child.call_in_child(peakmem_fit, "lr", train)
    ours = _child.call_in_child(peakmem_fit, "ours", train)
    return [summarise(corpus.name, len(train), ours, lr)]


def measure_resampled(name: str, corpus: Corpus, n_rows: int) -> list[Row]:
    """Fit ours on many rows."""
    ours = _child.call_in_child(peakmem_fit, "ours", corpus.part("train"), n_rows)
    return [summarise(name, n_rows, ours, (np.nan, np.nan))]


def peakmem_fit(name: str, train: pd.DataFrame, n_rows: int | None = None) -> tuple[float, float]:
    """Measure a fit in this process, which must be a fresh one.

    Parameters
    ----------
    name : {"lr", "ours"}
        Which model. Logistic regression makes a few steps only, which is all that it needs to
        reach its peak.

    train : DataFrame
        The training rows.

    n_rows : int or None, default=None
        Number of rows to resample them to.

    Returns
    -------
    start, peak : float
        Peak resident memory before and after the fit, in MiB.
    """
    # Both models are charged for both packages, so that only the fit makes a difference.
    import torch  # noqa: F401

    import sk_ctxmem  # noqa: F401

    if n_rows is not None:
        train = resample_groups(train, n_rows)
    model = make_short_regression() if name == "lr" else Ours(train, seed=0)
    start = peak_memory_mb()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train, train["label"])
    return start, peak_memory_mb()


def summarise(name: str, n_train: int, ours: tuple[float, float], lr: tuple[float, float]) -> Row:
    """Row of the table."""
    growth, lr_growth = ours[1] - ours[0], lr[1] - lr[0]
    return {
        "corpus": name,
        "n_train": n_train,
        "start_mib": ours[0],
        "lr_peak_mib": lr[1],
        "ours_peak_mib": ours[1],
        "ours/lr": ours[1] / lr[1],
        "lr_growth_mib": lr_growth,
        "ours_growth_mib": growth,
        "growth_ours/lr": growth / lr_growth if lr_growth > 0 else np.nan,
    }
