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

DPI = 160


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
    figure.savefig(path, dpi=DPI)


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
    """Plot error rates relative to that of lr, one line per corpus; those with groups apart.

    Parameters
    ----------
    results : DataFrame
        One row per job, without failed ones and without corpora on which lr was not run or makes
        no error.

    path : Path
        PNG file; not written if there is nothing to draw.
    """
    from matplotlib.figure import Figure

    errors = relative_errors(results)
    if errors.empty:
        return
    has_groups = errors.filter(regex=r"window|crf|\(").notna().any(axis=1)
    panels = {"texts that stand alone": ~has_groups, "rows in a context": has_groups}
    panels = {title: errors[of] for title, of in panels.items() if of.any()}
    heights = [len(panel) for panel in panels.values()]
    figure = Figure(figsize=(8.0, 0.34 * sum(heights) + 1.1 + len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), squeeze=False, sharex=True, height_ratios=heights).ravel()
    handles: dict[str, Any] = {}
    for ax, (title, panel) in zip(axes, panels.items(), strict=True):
        handles |= draw_errors(ax, panel)
        ax.set_title(title, fontsize=10, loc="left")
    names = [name for name in STYLES if name in handles]
    figure.legend([handles[name] for name in names], names, loc="outside upper center", ncols=3)
    figure.supxlabel("errors relative to lr (less is better)", fontsize=10)
    figure.savefig(path, dpi=DPI)


def draw_errors(ax: Any, errors: pd.DataFrame) -> dict[str, Any]:
    """Draw a line per corpus, with a marker per model; return a legend handle for each model."""
    handles = {}
    ax.axvline(1, color="#000000", linewidth=1, linestyle="--", zorder=1)
    places = range(len(errors))
    for model in (name for name in STYLES if name in errors and errors[name].notna().any()):
        color, marker = STYLES[model]
        (handles[model],) = ax.plot(
            errors[model],
            places,
            color=color,
            marker=marker,
            markersize=8,
            markeredgecolor="#333333",
            markeredgewidth=0.5,
            linestyle="none",
            alpha=0.9,
        )
    ax.set_yticks(places, errors.index)
    ax.set_ylim(len(errors) - 0.4, -0.6)
    ax.set_xlim(left=0)
    ax.tick_params(labelsize=9, labelbottom=True)
    ax.grid(alpha=0.3)
    return handles


def relative_errors(results: pd.DataFrame) -> pd.DataFrame:
    """Mean error rate divided by that of lr: one row per corpus, one column per model."""
    errors = 1 - results.pivot_table(index="corpus", columns="model", values="accuracy", sort=False)
    if "lr" not in errors:
        return pd.DataFrame()
    errors = errors[errors["lr"] > 0]
    return errors.div(errors["lr"], axis=0)


def write_curves(
    results: pd.DataFrame,
    draw: Callable[[Any, pd.DataFrame], None],
    x_label: str,
    path: Path,
    *,
    share_y: bool = False,
) -> None:
    """Plot accuracy against another quantity, one panel per corpus, with one legend.

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

    share_y : bool, default=False
        Whether all panels have the same range of accuracies.
    """
    corpora = list(results.groupby("corpus", sort=False))
    figure, axes = make_panels(len(corpora), height=2.5, share_y=share_y)
    handles: dict[str, Any] = {}
    for ax, (corpus, of_corpus) in zip(axes, corpora, strict=False):
        draw(ax, of_corpus)
        ax.set_title(str(corpus), fontsize=10)
        ax.tick_params(labelsize=8)
        ax.grid(alpha=0.3)
        drawn, labels = ax.get_legend_handles_labels()
        handles |= dict(zip(labels, drawn, strict=True))
    figure.supxlabel(x_label, fontsize=10)
    figure.supylabel("accuracy in %", fontsize=10)
    figure.legend(handles.values(), handles, loc="outside upper center", ncols=len(handles))
    figure.savefig(path, dpi=DPI)


def make_panels(n_panels: int, height: float, *, share_y: bool = False) -> tuple[Any, Any]:
    """Make a figure with a grid of panels, at most four in a row, and rows of similar lengths."""
    from matplotlib.figure import Figure

    n_rows = -(-n_panels // 4)
    n_columns = -(-n_panels // n_rows)
    size = (max(6.0, 3.0 * n_columns), height * n_rows + 1.0)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharey=share_y).ravel()
    for ax in axes[n_panels:]:
        ax.remove()
    return figure, axes[:n_panels]
