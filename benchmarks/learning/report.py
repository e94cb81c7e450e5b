"""Table and plot of the learning curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.reports.plots import STYLES, write_curves


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard error of the accuracy in %: one row per corpus and model."""
    by = ["corpus", "model", "rows"]
    accuracy = (100 * results.set_index(by)["accuracy"]).groupby(by, sort=False)
    shown = accuracy.mean().map("{:.1f}".format) + accuracy.sem().map(" ± {:.1f}".format)
    return shown.unstack("rows")[list(results["rows"].unique())].reset_index()


def write_plot(results: pd.DataFrame, path: Path) -> None:
    """Plot mean accuracy against the number of training rows, one panel per corpus."""
    write_curves(results, draw_models, "training rows", path)


def draw_models(ax: Any, of_corpus: pd.DataFrame) -> None:
    """Draw a curve with error bars for each model."""
    for model, of_model in of_corpus.groupby("model", sort=False):
        color, marker = STYLES[str(model)]
        accuracy = 100 * of_model.groupby("rows")["accuracy"].agg(["mean", "sem"])
        ax.errorbar(
            accuracy.index,
            accuracy["mean"],
            yerr=accuracy["sem"],
            color=color,
            marker=marker,
            capsize=3,
            label=str(model),
        )
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:,.0f}")
