"""Table of accuracy by the distance of the word."""

from __future__ import annotations

import pandas as pd


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracies in %: one row per kind and distance, one column per memory, and chance."""
    keys, memories = ["label", "distance"], results["memory"].unique().tolist()
    chance = results.groupby(keys, sort=False)["chance"].mean() * 100
    means = results.groupby([*keys, "memory"], sort=False)["accuracy"].mean() * 100
    table = means.unstack("memory").loc[chance.index, memories]
    return table.assign(chance=chance).round(1).reset_index()
