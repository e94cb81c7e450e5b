"""Table of accuracy and time by model."""

from __future__ import annotations

import pandas as pd

from benchmarks.reports.tables import spread


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Accuracy in % over the seeds, and CPU seconds of a fit: one row per data and model."""
    rows = []
    for (data, model), fits in results.groupby(["data", "model"], sort=False):
        rows.append(
            {
                "data": data,
                "model": model,
                "accuracy": spread(fits["accuracy"] * 100),
                "fit, CPU s": f"{fits['fit_cpu_seconds'].mean():.2f}",
                "predict, CPU s": f"{fits['predict_cpu_seconds'].mean():.2f}",
            }
        )
    return pd.DataFrame(rows)
