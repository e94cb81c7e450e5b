"""Plots: one panel per corpus, with the same style for a model in all of them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

# Markers, and the colors of Okabe and Ito, which color-blind readers can distinguish.
STYLES = {
    "lr": ("#000000", "o"),
    "lr-window": ("#0072B2", "s"),
    "svm-char": ("#56B4E9", "X"),
    "fasttext": ("#F0E442", "<"),
    "crf": ("#999999", "p"),
    "context-memory": ("#CC79A7", "P"),
    "context-memory (past)": ("#E69F00", "D"),
    "context-memory (both)": ("#D55E00", "^"),
    "context-memory (none)": ("#009E73", "v"),
    "context-memory-cv": ("#882255", "h"),
    "context-memory-cv (past)": ("#AA4499", "d"),
    "context-memory-cv (both)": ("#661100", ">"),
    "context-memory-cv (none)": ("#117733", "*"),
}

# The style of numbers beside bars, which stay legible on lines.
BAR_LABEL: dict[str, Any] = {
    "xytext": (4, 0),
    "textcoords": "offset points",
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    "zorder": 3,
}


def write_plot(results: pd.DataFrame, path: Path) -> None:
    """Plot accuracy against fit time, one panel per corpus.

    Parameters
    ----------
    results : DataFrame
        One row per job; failed ones are left out.

    path : Path
        PNG file; not written if no job has a result.
    """
    results = results.dropna(subset=["accuracy"])
    corpora = list(results.groupby("corpus", sort=False))
    if not corpora:
        return
    figure, axes = make_panels(len(corpora), height=2.5)
    handles: dict[str, Any] = {}
    for ax, (corpus, of_corpus) in zip(axes, corpora, strict=False):
        handles |= draw_models(ax, str(corpus), of_corpus)
    figure.supxlabel("fit time in seconds", fontsize=10)
    figure.supylabel("accuracy in %", fontsize=10)
    names = [name for name in STYLES if name in handles]
    in_order = [handles[name] for name in names]
    figure.legend(in_order, names, loc="outside upper center", ncols=min(3, len(names)))
    figure.savefig(path, dpi=120)


def draw_models(ax: Any, title: str, of_corpus: pd.DataFrame) -> dict[str, Any]:
    """Draw the models of one corpus; return a legend handle for each model."""
    handles = {}
    for model, of_model in of_corpus.groupby("model", sort=False):
        color, marker = STYLES[str(model)]
        handles[str(model)] = ax.errorbar(
            of_model["fit_seconds"].mean(),
            of_model["accuracy"].mean() * 100,
            yerr=of_model["accuracy"].std() * 100 if len(of_model) > 1 else None,
            color=color,
            marker=marker,
            markersize=8,
            alpha=0.85,
            linestyle="none",
            markeredgecolor="#333333",
            markeredgewidth=0.5,
        )
    scale_axes(ax, of_corpus["fit_seconds"], of_corpus["accuracy"] * 100)
    ax.set_title(textwrap.fill(title, 32), fontsize=10)
    ax.tick_params(labelsize=8)
    ax.grid(alpha=0.3)
    return handles


def scale_axes(ax: Any, seconds: pd.Series, accuracies: pd.Series) -> None:
    """Set limits with margins, and few enough ticks that labels do not overlap."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    low, high = seconds.min() / 2, seconds.max() * 2
    margin = 0.15 * (accuracies.max() - accuracies.min()) + 1
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.set_ylim(accuracies.min() - margin, accuracies.max() + margin)
    # Powers of ten suffice on a wide axis, but a narrow one may contain none.
    steps = (1.0,) if high / low > 100 else (1.0, 2.0, 5.0)
    ax.xaxis.set_major_locator(LogLocator(subs=steps))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))


def write_error_plot(results: pd.DataFrame, path: Path) -> None:
    """Plot error rates relative to that of lr as bars, one panel per corpus.

    Parameters
    ----------
    results : DataFrame
        One row per job, without failed ones and without corpora on which lr was not run or makes
        no error.

    path : Path
        PNG file; not written if there is nothing to draw.
    """
    errors = relative_errors(results)
    if errors.empty:
        return
    models = [name for name in STYLES if name in errors]
    figure, axes = make_panels(len(errors), height=0.25 * len(models) + 0.8)
    for ax, (corpus, of_corpus) in zip(axes, errors.iterrows(), strict=False):
        values = of_corpus[models]
        colors = [STYLES[name][0] for name in models]
        ax.barh(models, values, color=colors, edgecolor="#333333", linewidth=0.5)
        ax.axvline(1, color="#000000", linewidth=1, linestyle="--")
        ax.set_ylim(len(models) - 0.5, -0.5)
        ax.set_title(textwrap.fill(str(corpus), 32), fontsize=10)
        ax.tick_params(labelsize=8)
        ax.label_outer(remove_inner_ticks=True)
        ax.tick_params(labelbottom=True)
        for place, value in enumerate(values):
            if value > 0:
                number = f"{value:.2f}"
                ax.annotate(number, (value, place), va="center", fontsize=7, **BAR_LABEL)
        ax.margins(x=0.2)
    figure.supxlabel("mistakes relative to lr (less is better)", fontsize=10)
    figure.savefig(path, dpi=120)


def relative_errors(results: pd.DataFrame) -> pd.DataFrame:
    """Mean error rate divided by that of lr: one row per corpus, one column per model."""
    errors = 1 - results.pivot_table(index="corpus", columns="model", values="accuracy", sort=False)
    if "lr" not in errors:
        return pd.DataFrame()
    errors = errors[errors["lr"] > 0]
    return errors.div(errors["lr"], axis=0)


def write_curves(
    results: pd.DataFrame, draw: Callable[[Any, pd.DataFrame], None], x_label: str, path: Path
) -> None:
    """Plot accuracy against another quantity, one panel per corpus.

    Parameters
    ----------
    results : DataFrame
        One row per fit, with the column "corpus".

    draw : callable
        Draws the rows of one corpus on an axes, each curve with a label.

    x_label : str
        Name of the other quantity.

    path : Path
        PNG file.
    """
    corpora = list(results.groupby("corpus", sort=False))
    figure, axes = make_panels(len(corpora), height=2.5)
    for ax, (corpus, of_corpus) in zip(axes, corpora, strict=False):
        draw(ax, of_corpus)
        ax.set_title(str(corpus), fontsize=10)
        ax.grid(alpha=0.3)
        ax.legend(fontsize=7)
    figure.supxlabel(x_label, fontsize=10)
    figure.supylabel("accuracy in %", fontsize=10)
    figure.savefig(path, dpi=120)


def make_panels(n_panels: int, height: float) -> tuple[Any, Any]:
    """Make a figure with a grid of panels, at most four in a row."""
    from matplotlib.figure import Figure

    n_columns = min(4, n_panels)
    n_rows = -(-n_panels // n_columns)
    size = (max(6.0, 3.0 * n_columns), height * n_rows + 1.0)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax in axes[n_panels:]:
        ax.remove()
    return figure, axes[:n_panels]
