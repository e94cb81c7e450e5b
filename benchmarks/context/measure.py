"""When does memory pay? Accuracy by the length of the context: ``python -m benchmarks.context``.

Groups are cut into pieces of n rows, in training and in testing alike, so that a row sees n - 1
others at most. With n = 1 rows stand alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score
from tqdm import tqdm

from benchmarks.command_line import add_data_option
from benchmarks.comparison.__main__ import positive_number, whole_numbers
from benchmarks.corpora.corpus import Corpus, sequences
from benchmarks.corpora.files import Columns, load_files
from benchmarks.measuring.files import write_atomically
from benchmarks.measuring.processes import call_in_process
from benchmarks.models.context_memory import ContextMemory
from benchmarks.reports.plots import STYLES, make_panels

ALL = 10**9  # rows in a piece: groups stay whole
LENGTHS = (1, 2, 3, 6, ALL)
CONTEXTS = ("past", "both")


def cut_groups(frame: pd.DataFrame, length: int) -> pd.DataFrame:
    """Give each piece of `length` rows of a group a name of its own, as its group."""
    pieces = np.empty(len(frame), dtype=np.int64)
    n_pieces = 0
    for rows in sequences(frame):
        piece = np.arange(len(rows)) // length
        pieces[rows] = n_pieces + piece
        n_pieces += int(piece[-1]) + 1
    return frame.assign(group=pieces)


def measure(corpus: Corpus, context: str, length: int, seed: int) -> dict[str, Any]:
    """Fit on pieces of groups, and score on pieces of the test groups."""
    train, test = (cut_groups(corpus.part(part), length) for part in ("train", "test"))
    model = ContextMemory(f"context-memory ({context})", train, seed).fit(train, train["label"])
    return {
        "corpus": corpus.name,
        "context": context,
        "rows": "all" if length == ALL else length,
        "seed": seed,
        "accuracy": accuracy_score(test["label"], model.predict(test)),
    }


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracies in %: a line for each corpus and context, a column for each length."""
    means = results.groupby(["corpus", "context", "rows"], sort=False)["accuracy"].mean() * 100
    return means.unstack("rows")[list(results["rows"].unique())].round(1).reset_index()


def write_plot(results: pd.DataFrame, path: Path) -> None:
    """Plot mean accuracy against the length of the pieces, one panel per corpus."""
    corpora = list(results.groupby("corpus", sort=False))
    figure, axes = make_panels(len(corpora), height=2.5)
    for ax, (corpus, of_corpus) in zip(axes, corpora, strict=False):
        lengths = of_corpus["rows"].astype(str).unique().tolist()
        for context, of_context in of_corpus.groupby("context", sort=False):
            colour, marker = STYLES[f"context-memory ({context})"]
            means = of_context.groupby("rows", sort=False)["accuracy"].mean() * 100
            ax.plot(lengths, means, color=colour, marker=marker, label=f'context="{context}"')
        ax.set_title(str(corpus), fontsize=10)
        ax.grid(alpha=0.3)
        ax.legend(fontsize=7)
    figure.supxlabel("rows of a group that are seen together", fontsize=10)
    figure.supylabel("accuracy in %", fontsize=10)
    figure.savefig(path, dpi=120)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.context", description=__doc__)
    add_data_option(parser, "; corpora without groups are left out")
    parser.add_argument("--rows", type=positive_number, help="training rows, about")
    parser.add_argument("--seeds", type=whole_numbers, default=[0])
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    return parser


def load_corpora(options: argparse.Namespace) -> list[Corpus]:
    """Load the corpora whose rows have groups."""
    corpora = [c for c in load_files(options.data, Columns()) if c.has_groups]
    if not corpora:
        raise ValueError("no corpus has groups; there is no context to look at.")
    return [c.first_train_rows(options.rows) for c in corpora] if options.rows else corpora


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 2 when the data cannot be read."""
    options = build_parser().parse_args(arguments)
    try:
        corpora = load_corpora(options)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    options.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for job in tqdm(list(product(corpora, CONTEXTS, LENGTHS, options.seeds)), unit="fit"):
        rows.append(call_in_process(measure, *job))
        results = pd.DataFrame(rows)
        content = results.to_csv(index=False).encode()
        write_atomically(options.output / "context.csv", content)
    print(summarise(results).to_string(index=False))
    write_plot(results, options.output / "context.png")
    return 0
