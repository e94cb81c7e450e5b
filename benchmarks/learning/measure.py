"""Learning curves: accuracy by the number of training rows, ``python -m benchmarks.learning``.

Rows to learn from are drawn anew for each seed, in whole groups. Logistic regression has its C
chosen on validation rows, no more of them than it learns from; context memory has its defaults.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.metrics import accuracy_score
from tqdm import tqdm

from benchmarks.command_line import add_data_option
from benchmarks.comparison.__main__ import whole_numbers
from benchmarks.corpora.corpus import Corpus, split_by_group, take_whole_groups
from benchmarks.corpora.files import Columns, load_files
from benchmarks.measuring.files import write_atomically
from benchmarks.measuring.processes import call_in_process
from benchmarks.models.build import build_model, search_baseline
from benchmarks.reports.plots import STYLES, make_panels

SIZES = (100, 300, 1_000, 3_000, 10_000)
MOST_TEST_ROWS = 10_000
BASELINE = "lr"


def measure(corpus: Corpus, size: int, seed: int) -> list[dict[str, Any]]:
    """Fit logistic regression and context memory on rows drawn by the seed, and score both."""
    train = take_whole_groups(corpus.part("train"), size, seed)
    test = take_whole_groups(corpus.part("test"), MOST_TEST_ROWS)
    valid = take_whole_groups(corpus.part("valid"), size, seed)
    parts = (train, valid) if len(valid) else split_by_group(train, test_size=0.2)
    chosen = search_baseline(BASELINE, *parts)
    ours = "context-memory (past)" if corpus.has_groups else "context-memory"
    rows = []
    for name in (BASELINE, ours):
        model = build_model(name, train, seed, chosen).fit(train, train["label"])
        accuracy = accuracy_score(test["label"], model.predict(test))
        row = {"corpus": corpus.name, "model": name, "rows": size, "n_train": len(train)}
        rows.append(row | {"seed": seed, "accuracy": accuracy})
    return rows


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard error of the accuracy in %: a line per corpus and model, sizes across."""
    by = ["corpus", "model", "rows"]
    accuracy = (100 * results.set_index(by)["accuracy"]).groupby(by, sort=False)
    shown = accuracy.mean().map("{:.1f}".format) + accuracy.sem().map(" ± {:.1f}".format)
    return shown.unstack("rows")[list(results["rows"].unique())].reset_index()


def write_plot(results: pd.DataFrame, path: Path) -> None:
    """Plot mean accuracy against the number of rows, one panel per corpus."""
    corpora = list(results.groupby("corpus", sort=False))
    figure, axes = make_panels(len(corpora), height=2.5)
    for ax, (corpus, of_corpus) in zip(axes, corpora, strict=False):
        for model, of_model in of_corpus.groupby("model", sort=False):
            colour, marker = STYLES[str(model)]
            accuracy = 100 * of_model.groupby("rows")["accuracy"].agg(["mean", "sem"])
            ax.errorbar(
                accuracy.index,
                accuracy["mean"],
                yerr=accuracy["sem"],
                color=colour,
                marker=marker,
                label=str(model),
            )
        ax.set_xscale("log")
        ax.set_title(str(corpus), fontsize=10)
        ax.grid(alpha=0.3)
        ax.legend(fontsize=7)
    figure.supxlabel("training rows", fontsize=10)
    figure.supylabel("accuracy in %", fontsize=10)
    figure.savefig(path, dpi=120)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    add_data_option(parser)
    parser.add_argument("--sizes", type=whole_numbers, default=list(SIZES), help="training rows")
    parser.add_argument("--seeds", type=whole_numbers, default=[0, 1, 2])
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    return parser


def plan(corpora: Sequence[Corpus], sizes: Sequence[int], seeds: Sequence[int]) -> list[tuple]:
    """List the points; a corpus with fewer training rows than a size ends before it."""
    jobs = product(corpora, sizes, seeds)
    return [job for job in jobs if job[1] <= len(job[0].part("train"))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 2 when the data cannot be read."""
    options = build_parser().parse_args(arguments)
    try:
        corpora = load_files(options.data, Columns())
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    jobs = plan(corpora, options.sizes, options.seeds)
    if not jobs:
        print("error: no corpus has as many training rows as the smallest size", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for job in tqdm(jobs, unit="point"):
        rows += call_in_process(measure, *job)
        results = pd.DataFrame(rows)
        write_atomically(options.output / "learning.csv", results.to_csv(index=False).encode())
    print(summarise(results).to_string(index=False))
    write_plot(results, options.output / "learning.png")
    return 0
