"""Table of accuracy by model."""

from __future__ import annotations

import pandas as pd

from benchmarks.embedding.measure import MODELS


def summarise(results: pd.DataFrame, value: str = "accuracy", scale: float = 100) -> pd.DataFrame:
    """Mean of a value: one row per corpus and number of rows, one column per model."""
    keys = ["corpus", "rows"]
    means = results.groupby([*keys, "model"], sort=False)[value].mean().unstack("model") * scale
    return means[[model for model in MODELS if model in means]].round(1).reset_index()
