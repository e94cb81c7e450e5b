"""The tables of the files as Markdown, and the plot of the table "growth"."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measuring.files import write_atomically
from benchmarks.models.fasttext import fasttext_version
from benchmarks.reports.tables import escape_markdown
from benchmarks.speed.growth import PANELS, UNITS
from benchmarks.speed.models import FEW_STEPS
from benchmarks.speed.search import N_FOLDS

PACKAGES = ("scikit-learn", "torch", "numpy", "pandas")

TITLES = {
    "fit": "Training, from texts to a fitted model",
    "vocabulary": "A training step by the number of features",
    "growth": "Growth of the time with the data",
    "memory": "Peak resident memory of a process",
    "predict": "Prediction",
    "import": "Import",
    "search": "Grid search",
}
NOTES = {
    "fit": "Medians of CPU seconds over rounds in which every model is fitted once; ratios are of "
    "medians. lr is "
    "TfidfVectorizer and LogisticRegression, linear is TfidfVectorizer and SGDClassifier. > and < "
    "mark fits of lr that were stopped, and the bounds that follow. fastText has no context and is "
    "left out where rows have groups. words is ours with the n-grams of lr, without those of "
    "characters inside words; same is lr with all n-grams of ours, and linear_same is linear with "
    "them. C and alpha are those that were right with words.",
    "vocabulary": "Synthetic features, as many in each row at each size, each in several rows.",
    "growth": "One epoch. Relative times are per unit, over that of the smallest size. Rows are "
    "whole groups of the corpus drawn again and again, so the vocabulary does not grow with them; "
    "texts of any length are drawn from the same words and have as many in all.",
    "memory": f"Each process has imported all packages. lr makes {FEW_STEPS} steps, which is all "
    "that it needs to reach its peak; same is lr with all n-grams of ours. Growth is from the "
    "start of the fit to the peak.",
    "predict": f"All test rows at once, and predict_proba on one. lr makes {FEW_STEPS} steps in "
    "its fit, as the weights take the same time to apply; same is lr with all n-grams of ours.",
    "import": "Medians over fresh interpreters; the ratio is to the first line.",
    "search": f"{N_FOLDS} folds. vectorizer_fits: how often a cached vectorizer was fitted in a "
    "search over the classifier behind it.",
}
BOUNDED = {
    "lr_stopped": ("lr_seconds", "ours/lr", "words/lr"),
    "same_stopped": ("same_seconds", "ours/same"),
}
STYLES = {"gru": ("#0072B2", "o", "-"), "mingru": ("#D55E00", "s", "--")}


def csv_path(output: Path, table: str) -> Path:
    """CSV file of a table."""
    return output / f"speed_{table}.csv"


def write_report(output: Path) -> None:
    """Write all tables with a CSV file as Markdown, and the plot of the table "growth".

    Parameters
    ----------
    output : Path
        Folder of the CSV files, which may come from several runs.
    """
    sections = ["# Speed and memory", machine()]
    for table, title in TITLES.items():
        path = csv_path(output, table)
        if path.exists():
            frame = pd.read_csv(path)
            sections += [f"## {title}", NOTES[table], markdown(display_bounds(frame))]
            if table == "growth":
                sections.append("![growth](speed_growth.png)")
                write_plot(frame, output / "speed_growth.png")
    write_atomically(output / "speed.md", ("\n\n".join(sections) + "\n").encode())


def machine() -> str:
    """Describe the machine and the versions in one line."""
    packages = [f"{name} {version(name)}" for name in PACKAGES]
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    python = f"Python {platform.python_version()}"
    fasttext = f"fastText {fasttext_version()}"
    return ", ".join([system, "one thread per process", python, *packages, fasttext]) + "."


def display_bounds(frame: pd.DataFrame) -> pd.DataFrame:
    """Show bounds in table "fit" if logistic regression was stopped; keep other tables."""
    if "lr_stopped" not in frame:
        return frame
    shown = frame.astype(object)
    for flag, columns in BOUNDED.items():
        stopped = frame[flag].astype(bool)
        for column in columns:
            bounded = stopped & frame[column].notna()
            sign = "< " if "/" in column else "> "
            shown.loc[bounded, column] = [sign + cell(v) for v in frame.loc[bounded, column]]
    return shown.drop(columns=list(BOUNDED))


def markdown(frame: pd.DataFrame) -> str:
    """Markdown table with the first column left-aligned and the others right-aligned."""
    head = [str(name).replace("_", " ") for name in frame]
    rule = ["---", *["---:"] * (len(head) - 1)]
    body = [[cell(value) for value in row] for row in frame.itertuples(index=False)]
    lines = [map(escape_markdown, line) for line in (head, rule, *body)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(value: Any) -> str:
    """Value as text: three significant digits, whole numbers in full, a dash for NaN."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return "-"
    is_whole = float(value).is_integer() or abs(value) >= 1000
    return f"{value:,.0f}" if is_whole else f"{value:.3g}"


def write_plot(points: pd.DataFrame, path: Path) -> None:
    """Plot relative fit times, one panel per quantity that grows.

    Parameters
    ----------
    points : DataFrame
        Table "growth".

    path : Path
        PNG file.
    """
    from matplotlib.figure import Figure

    panels = [panel for panel in PANELS if (points["panel"] == panel).any()]
    figure = Figure(figsize=(4.0 * len(panels), 3.6), layout="constrained")
    for ax, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        draw_panel(ax, panel, points[points["panel"] == panel])
    figure.suptitle("Training time per unit, relative to the smallest size", fontsize=11)
    figure.savefig(path, dpi=120)


def draw_panel(ax: Any, panel: str, points: pd.DataFrame) -> None:
    """Draw a curve for each kind of memory, on logarithmic axes."""
    for memory, of_memory in points.groupby("memory"):
        color, marker, line = STYLES[str(memory)]
        ax.plot(
            of_memory["size"],
            of_memory["fit_relative"],
            color=color,
            marker=marker,
            linestyle=line,
            label=f'memory="{memory}"',
        )
    ax.axhline(1, color="#999999", linewidth=0.8, zorder=0)
    scale_axes(ax, points)
    ax.set_xlabel(panel)
    ax.set_ylabel(f"time per {UNITS[panel]}")
    ax.grid(alpha=0.3)
    ax.legend(fontsize=8)


def scale_axes(ax: Any, points: pd.DataFrame) -> None:
    """Set limits of at least 0.2 to 5, so that noise looks small."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    ax.set_xscale("log")
    ax.set_yscale("log")
    relative = points["fit_relative"].replace(0, np.nan)
    ax.set_ylim(min(0.2, relative.min() / 1.5), max(5.0, relative.max() * 1.5))
    ax.xaxis.set_major_locator(FixedLocator(sorted(points["size"].unique())))
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
