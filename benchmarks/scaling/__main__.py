"""Measure fits in one process and in two: ``python -m benchmarks.scaling``.

Steps of several sizes are timed in one process and in two, and so are messages between two
processes. A model of compute, exchange and input (`benchmarks/scaling/model.py`) is fitted to these
times, and predicts fits in more processes. With ``--parts accuracy``, the test accuracies of whole
fits with several seeds are compared between one process and two. Earlier results of other parts are
kept, and ``--report`` prints the tables of all results.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import pandas as pd

from benchmarks.command_line import (
    add_data_option,
    add_output_option,
    add_seeds_option,
    exit_on_bad_input,
    make_parser,
    positive_number,
    read_corpora,
)
from benchmarks.corpora.corpus import Corpus
from benchmarks.scaling.measure import (
    keep_with_others,
    measure_accuracy,
    measure_search,
    measure_steps,
)
from benchmarks.scaling.report import read_scores, report

PARTS = ("steps", "search", "accuracy")


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("scaling", __doc__)
    add_data_option(parser, "; the first corpus is used")
    parser.add_argument(
        "--rows",
        type=positive_number,
        default=100_000,
        help="number of training rows of the steps (default: 100,000)",
    )
    parser.add_argument(
        "--rounds",
        type=positive_number,
        default=2,
        help="number of measurements of each step (default: 2)",
    )
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=PARTS[:2],
        help="parts to measure (default: steps search)",
    )
    add_seeds_option(parser, [0, 1, 2])
    parser.add_argument("--report", action="store_true", help="print the tables only")
    add_output_option(parser)
    return parser


def measure(corpus: Corpus, options: argparse.Namespace) -> pd.DataFrame:
    """Measure the parts of the options."""
    rows = measure_steps(corpus, options.rows, options.rounds) if "steps" in options.parts else []
    rows += measure_search(corpus, options.rows // 4) if "search" in options.parts else []
    rows += measure_accuracy(corpus, options.seeds) if "accuracy" in options.parts else []
    return pd.DataFrame(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the tables."""
    options = build_parser().parse_args(arguments)
    path = options.output / "scaling.csv"
    if not options.report:
        with exit_on_bad_input():
            (corpus, *_) = read_corpora(options.data)
        options.output.mkdir(parents=True, exist_ok=True)
        keep_with_others(path, measure(corpus, options))
    with exit_on_bad_input():
        print(report(pd.read_csv(path), read_scores(options.output)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
