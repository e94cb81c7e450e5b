"""Measure accuracy by the length of the context: ``python -m benchmarks.context``.

Groups are cut into pieces of n rows, for training and for testing, so that a row has at most n - 1
others as its context. With n = 1, rows have no context.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import pandas as pd

from benchmarks.command_line import (
    add_data_option,
    add_output_option,
    add_plot_option,
    add_rows_option,
    add_seeds_option,
    exit_on_bad_input,
    keep_grouped,
    make_parser,
    read_corpora,
)
from benchmarks.context.measure import measure, plan
from benchmarks.context.report import summarise, write_plot
from benchmarks.measuring.processes import measure_jobs


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("context", __doc__)
    add_data_option(parser, "; corpora without groups are left out")
    add_rows_option(parser)
    add_seeds_option(parser, [0])
    add_output_option(parser)
    add_plot_option(parser, "context.csv")
    return parser


def run(options: argparse.Namespace) -> pd.DataFrame:
    """Measure all fits, and write them to context.csv."""
    corpora = keep_grouped(read_corpora(options.data, options.rows))
    return measure_jobs(measure, plan(corpora, options.seeds), options.output / "context.csv")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and draw the plot."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        results = pd.read_csv(options.output / "context.csv") if options.plot_only else run(options)
    print(summarise(results).to_string(index=False))
    write_plot(results, options.output / "context.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
