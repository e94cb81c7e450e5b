"""Tables of the ablation: each part left out, compared with the whole model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.ablation.parts import WHOLE

TITLES = {
    "accuracy": "accuracy without a part, less that of all, in points",
    "ece": "calibration error without a part, less that of all, in points",
    "log_loss": "log loss without a part, less that of all",
    "fit_seconds": "fit time without a part, over that of all",
}


def summarise(results: pd.DataFrame, column: str) -> pd.DataFrame:
    """Compare the model without each part with the whole model: one row per part.

    Accuracy, calibration error and log loss are differences of the means over the seeds, the
    first two in points; fit times are ratios of the means.
    """
    means = results.groupby(["part", "corpus"], sort=False)[column].mean().unstack("corpus")
    whole, others = means.loc[WHOLE], means.drop(index=WHOLE)
    if column == "fit_seconds":
        table = others / whole
        table["mean"] = np.exp(np.log(table).mean(axis=1))
        return table.round(2)
    table = (others - whole) * (1 if column == "log_loss" else 100)
    table["mean"] = table.mean(axis=1)
    return table.round(3 if column == "log_loss" else 1)


def print_tables(results: pd.DataFrame) -> None:
    """Print a table for each measure."""
    for column, title in TITLES.items():
        print(f"\n{title}\n{summarise(results, column).to_string(na_rep='-')}")
