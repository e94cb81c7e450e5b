"""One fit and its measures: the function that runs in the process of a job."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import group_keys, targets
from benchmarks.measuring.metrics import label_scores, probability_scores, scores
from benchmarks.measuring.resources import peak_memory_mb, timed
from benchmarks.models.build import build_model


def measure(
    model_name: str,
    train: pd.DataFrame,
    test: pd.DataFrame,
    seed: int,
    chosen: dict[str, Any] | None,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Fit a model on `train`, and measure it on `test`.

    Parameters
    ----------
    model_name : str
        Row of the table.

    train, test : DataFrame
        Training rows and rows to score on.

    seed : int
        Random seed of the model.

    chosen : dict or None
        Result of the search, for a baseline.

    Returns
    -------
    measures : dict
        The measures and the parameters of the model.

    predictions : dict of str to ndarray
        Result of `encode`.
    """
    model = build_model(model_name, train, seed, chosen)
    y = targets(test)
    _, fit_seconds = timed(model.fit, train, targets(train))
    peak = peak_memory_mb()
    predicted, predict_seconds = timed(model.predict, test)
    if isinstance(y, pd.DataFrame):
        measures = label_scores(y.to_numpy(), predicted)
    else:
        measures = scores(y, predicted)
        measures |= probability_scores(y, model.predict_proba(test), model.classes)
    measures |= {
        "fit_seconds": fit_seconds,
        "predict_rows_per_second": len(test) / predict_seconds,
        "peak_memory_mb": peak,
        "parameters": model.parameters,
    }
    return measures, encode(train, test, predicted)


def encode(train: pd.DataFrame, test: pd.DataFrame, predicted: np.ndarray) -> dict[str, np.ndarray]:
    """Encode true classes, predicted classes and groups as integers, beside the class names.

    Where rows have several labels, the true and the predicted ones are matrices of zeros and ones.
    """
    groups, y = group_keys(test).astype(np.int32), targets(test)
    if isinstance(y, pd.DataFrame):
        true, predicted = y.to_numpy(np.int8), np.asarray(predicted, dtype=np.int8)
        return {"true": true, "predicted": predicted, "group": groups, "classes": np.array(list(y))}
    classes = pd.Index(np.unique(pd.concat([train["label"], y])))
    return {
        "true": classes.get_indexer(y).astype(np.int32),
        "predicted": classes.get_indexer(predicted).astype(np.int32),
        "group": groups,
        "classes": np.array([str(name) for name in classes]),
    }
