"""One fit and its measures; this is what runs in the process of a job."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import group_keys
from benchmarks.measuring.metrics import probability_scores, scores
from benchmarks.models.build import build_model


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Call a function; return its result and the seconds of wall time that it took."""
    start = perf_counter()
    result = function(*arguments)
    return result, perf_counter() - start


def measure(
    model_name: str,
    train: pd.DataFrame,
    test: pd.DataFrame,
    seed: int,
    chosen: dict[str, Any] | None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Fit a model on `train` and measure it on `test`.

    Parameters
    ----------
    model_name : str
        Row of the table.

    train, test : DataFrame
        Rows to learn from and rows to score on.

    seed : int
        Seed of the model.

    chosen : dict or None
        What the search of a baseline found.

    Returns
    -------
    measures : dict
        The measures and the parameters of the model.

    predictions : dict of str to ndarray
        See `encode`.
    """
    model = build_model(model_name, train, seed, chosen)
    _, fit_seconds = timed(model.fit, train, train["label"])
    peak = peak_memory_mb()
    predicted, predict_seconds = timed(model.predict, test)
    measures = scores(test["label"], predicted)
    measures |= probability_scores(test["label"], model.predict_proba(test), model.classes)
    measures |= {
        "fit_seconds": fit_seconds,
        "predict_rows_per_second": len(test) / predict_seconds,
        "peak_memory_mb": peak,
        "parameters": model.parameters,
    }
    return measures, encode(train, test, predicted)


def encode(train: pd.DataFrame, test: pd.DataFrame, predicted: np.ndarray) -> dict[str, np.ndarray]:
    """Numbers of the true and the predicted classes and of the groups, and names of the classes."""
    classes = pd.Index(np.unique(pd.concat([train["label"], test["label"]])))
    return {
        "true": classes.get_indexer(test["label"]).astype(np.int32),
        "predicted": classes.get_indexer(predicted).astype(np.int32),
        "group": group_keys(test).astype(np.int32),
        "classes": np.array([str(name) for name in classes]),
    }


def peak_memory_mb() -> float:
    """Peak resident memory of this process so far, in units of 1024 * 1024 bytes."""
    status = Path("/proc/self/status")
    found = status.exists() and re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    if found:
        # On Linux a child inherits ru_maxrss from the process that started it; VmHWM is its own.
        return int(found[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return np.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
