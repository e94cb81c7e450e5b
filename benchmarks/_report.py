"""Report of a comparison: text table, Markdown table, plot and closing sentence."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._models import MAX_LBFGS_WORK, SGD, is_baseline

HEADER = ("model", "accuracy", "macro F1", "fit seconds", "x lr", "rows/s", "peak MB")
SGD_MARK = " [1]"
BEST_MARK = "*"

# Colours of Okabe and Ito, told apart by readers of every kind of colour vision; and markers.
STYLES = {
    "lr": ("#000000", "o"),
    "lr-window": ("#0072B2", "s"),
    "context-memory": ("#CC79A7", "P"),
    "context-memory (past)": ("#E69F00", "D"),
    "context-memory (both)": ("#D55E00", "^"),
    "context-memory (none)": ("#009E73", "v"),
}


def text_table(results: pd.DataFrame) -> str:
    """Table for a terminal or a pipe: a block per corpus and the notes below.

    Parameters
    ----------
    results : DataFrame
        One row per job, as in `results.csv`.

    Returns
    -------
    str
        Lines of plain text.
    """
    blocks = []
    for corpus, of_corpus in results.groupby("corpus", sort=False):
        first = of_corpus.iloc[0]
        title = f"{corpus}: {first.n_train:,} training rows, scored on {first.n_test:,} rows"
        blocks.append("\n".join([title, *align([HEADER, *table_rows(of_corpus)])]))
    return "\n\n".join([*blocks, "\n".join(notes(results))])


def markdown_table(results: pd.DataFrame) -> str:
    """Report as Markdown, with a line per corpus and model."""
    header = ("corpus", *HEADER)
    lines = [header, ("---", "---", *["---:"] * (len(header) - 2))]
    for corpus, of_corpus in results.groupby("corpus", sort=False):
        lines += [(str(corpus), *row) for row in table_rows(of_corpus)]
    table = ["| " + " | ".join(escape_markdown(cell) for cell in line) + " |" for line in lines]
    remarks = [f"- {escape_markdown(note)}" for note in notes(results)]
    return "\n".join([*table, "", *remarks, ""])


def escape_markdown(cell: str) -> str:
    """Cell in which bars and stars stand for themselves."""
    return cell.strip().replace("|", r"\|").replace("*", r"\*")


def table_rows(of_corpus: pd.DataFrame) -> list[tuple[str, ...]]:
    """Cells of the table for one corpus, a row per model."""
    means = of_corpus.groupby("model", sort=False)["accuracy"].mean()
    lr_seconds = of_corpus.loc[of_corpus["model"] == "lr", "fit_seconds"].mean()
    rows = []
    for model, of_model in of_corpus.groupby("model", sort=False):
        name = f"{model}{SGD_MARK if uses_sgd(of_model) else ''}"
        if of_model["accuracy"].isna().all():
            rows.append((name, "failed", *["-"] * (len(HEADER) - 2)))
            continue
        best = BEST_MARK if means[model] == means.max() else " "
        rows.append(
            (
                name,
                spread(of_model["accuracy"] * 100) + best,
                spread(of_model["macro_f1"] * 100),
                spread(of_model["fit_seconds"]),
                number(of_model["fit_seconds"].mean() / lr_seconds, ".1f"),
                number(of_model["predict_rows_per_second"].mean(), ",.0f"),
                number(of_model["peak_memory_mb"].mean(), ",.0f"),
            )
        )
    return rows


def spread(values: pd.Series) -> str:
    """Mean with one decimal, and the standard deviation where there are several values."""
    values = values.dropna()
    mean = number(values.mean(), ",.1f")
    return mean if len(values) < 2 else f"{mean} ± {values.std():.1f}"


def number(value: float, form: str) -> str:
    """Value as text, a dash where it is not known."""
    return "-" if np.isnan(value) else format(value, form)


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose first column is flush left and whose others are flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "   ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in rows
    ]


def parameters_of(results: pd.DataFrame) -> list[dict[str, Any]]:
    """Parameters of each job as a dict."""
    return [json.loads(text) for text in results["parameters"]]


def uses_sgd(results: pd.DataFrame) -> bool:
    """Whether SGD stood in for logistic regression in any of the jobs."""
    return any(parameters.get("solver") == SGD for parameters in parameters_of(results))


def notes(results: pd.DataFrame) -> list[str]:
    """Remarks that a reader of the table needs."""
    remarks = [
        f"{BEST_MARK} best accuracy on the corpus. Accuracy and macro F1 in %. x lr: fit seconds "
        "over those of lr."
    ]
    if uses_sgd(results):
        remarks.append(
            f"{SGD_MARK.strip()} {SGD} in place of LogisticRegression, which would take minutes: "
            f"more than {MAX_LBFGS_WORK:,.0f} pairs of a non-zero feature and a class."
        )
    seeds = sorted(results["seed"].unique())
    if len(seeds) > 1:
        remarks.append(
            f"Mean ± standard deviation over the seeds {', '.join(map(str, seeds))}; "
            "LogisticRegression is the same for every seed and ran once."
        )
    parameters = parameters_of(results)
    if any("scored_on" in of_job for of_job in parameters):
        remarks.append("Scored on validation rows where there are some; baselines chose C on them.")
    for (_, job), of_job in zip(results.iterrows(), parameters, strict=True):
        if "error" in of_job:
            remarks.append(f"Failed: {job.corpus}, {job.model}, seed {job.seed}: {of_job['error']}")
    return remarks


def closing_sentence(results: pd.DataFrame) -> str:
    """Say in plain words who is ahead on the first corpus, and by how many points."""
    of_corpus = results[results["corpus"] == results["corpus"].iloc[0]]
    means = of_corpus.groupby("model")["accuracy"].mean().dropna() * 100
    baselines = means[[is_baseline(model) for model in means.index]]
    memories = means.drop(baselines.index)
    if baselines.empty or memories.empty:
        return "There is nothing to compare: no baseline or no context memory has a result."
    ours, theirs = memories.idxmax(), baselines.idxmax()
    points = memories.max() - baselines.max()
    if abs(points) < 0.05:
        return f"{ours} and {theirs}, the better baseline, are level at {memories.max():.1f} %."
    first, second = (ours, theirs) if points > 0 else (theirs, ours)
    return (
        f"{first} is ahead of {second} by {abs(points):.1f} points of accuracy: "
        f"{means[first]:.1f} % against {means[second]:.1f} %."
    )


def write_plot(results: pd.DataFrame, path: Path) -> None:
    """Plot accuracy against fit time, one panel per corpus.

    Parameters
    ----------
    results : DataFrame
        One row per job; failed ones are left out.

    path : Path
        PNG file to write; nothing is written when no job has a result.
    """
    from matplotlib.figure import Figure

    results = results.dropna(subset=["accuracy"])
    corpora = list(results.groupby("corpus", sort=False))
    if not corpora:
        return
    n_columns = min(4, len(corpora))
    n_rows = -(-len(corpora) // n_columns)
    size = (max(6.0, 3.0 * n_columns), 2.5 * n_rows + 1.0)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    handles: dict[str, Any] = {}
    for ax, (corpus, of_corpus) in zip(axes, corpora, strict=False):
        handles |= draw_panel(ax, str(corpus), of_corpus)
    for ax in axes[len(corpora) :]:
        ax.remove()
    figure.supxlabel("fit time in seconds", fontsize=10)
    figure.supylabel("accuracy in %", fontsize=10)
    names = [name for name in STYLES if name in handles]
    in_order = [handles[name] for name in names]
    figure.legend(in_order, names, loc="outside upper center", ncols=min(3, len(names)))
    figure.savefig(path, dpi=120)


def draw_panel(ax: Any, title: str, of_corpus: pd.DataFrame) -> dict[str, Any]:
    """Draw the models of one corpus; return a legend handle for each."""
    handles = {}
    for model, of_model in of_corpus.groupby("model", sort=False):
        colour, marker = STYLES[str(model)]
        handles[str(model)] = ax.errorbar(
            of_model["fit_seconds"].mean(),
            of_model["accuracy"].mean() * 100,
            yerr=of_model["accuracy"].std() * 100 if len(of_model) > 1 else None,
            color=colour,
            marker=marker,
            markersize=8,
            alpha=0.85,
            linestyle="none",
        )
    scale_axes(ax, of_corpus["fit_seconds"], of_corpus["accuracy"] * 100)
    ax.set_title(textwrap.fill(title, 32), fontsize=10)
    ax.tick_params(labelsize=8)
    ax.grid(alpha=0.3)
    return handles


def scale_axes(ax: Any, seconds: pd.Series, accuracies: pd.Series) -> None:
    """Set limits with room around the points, and few enough ticks that labels stay apart."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    low, high = seconds.min() / 2, seconds.max() * 2
    margin = 0.15 * (accuracies.max() - accuracies.min()) + 1
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.set_ylim(accuracies.min() - margin, accuracies.max() + margin)
    # Whole powers of ten are enough for a wide axis, but may miss a narrow one altogether.
    steps = (1.0,) if high / low > 100 else (1.0, 2.0, 5.0)
    ax.xaxis.set_major_locator(LogLocator(subs=steps))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
