"""Table and plot of accuracy by the length of the context."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.reports.plots import STYLES, write_curves


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracies in %: one row per corpus and context, one column per length."""
    means = results.groupby(["corpus", "context", "rows"], sort=False)["accuracy"].mean() * 100
    return means.unstack("rows")[list(results["rows"].unique())].round(1).reset_index()


def write_plot(results: pd.DataFrame, path: Path) -> None:
    """Plot mean accuracy against the length of the pieces, one panel per corpus."""
    write_curves(
        results, draw_contexts, "rows of a group that are seen together", path, share_y=True
    )


def draw_contexts(ax: Any, of_corpus: pd.DataFrame) -> None:
    """Draw a curve for each context, with standard errors: of seeds, or of one on its test rows."""
    lengths = of_corpus["rows"].astype(str).unique().tolist()
    for context, of_context in of_corpus.groupby("context", sort=False):
        color, marker = STYLES[f"context-memory ({context})"]
        of_lengths = of_context.groupby("rows", sort=False)
        means, n_seeds = of_lengths["accuracy"].mean(), of_lengths.size()
        of_one = np.sqrt(means * (1 - means) / of_lengths["n_test"].first())
        errors = of_lengths["accuracy"].sem().where(n_seeds > 1, of_one)
        ax.errorbar(
            lengths,
            100 * means,
            yerr=100 * errors,
            color=color,
            marker=marker,
            capsize=3,
            label=f'context="{context}"',
        )
