"""Measure accuracy by the number of training rows: ``python -m benchmarks.learning``.

Training rows are drawn anew for each seed, in whole groups. Logistic regression has its C chosen on
at most as many validation rows; context memory has its defaults.
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
    add_seeds_option,
    exit_on_bad_input,
    make_parser,
    read_corpora,
    whole_numbers,
)
from benchmarks.learning.measure import SIZES, measure, plan
from benchmarks.learning.report import summarise, write_plot
from benchmarks.measuring.processes import measure_jobs


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("learning", __doc__)
    add_data_option(parser)
    parser.add_argument(
        "--sizes",
        type=whole_numbers,
        default=list(SIZES),
        help=f"numbers of training rows (default: {','.join(map(str, SIZES))})",
    )
    add_seeds_option(parser, [0, 1, 2])
    add_output_option(parser)
    add_plot_option(parser, "learning.csv")
    return parser


def run(options: argparse.Namespace) -> pd.DataFrame:
    """Measure all points, and write them to learning.csv."""
    jobs = plan(read_corpora(options.data), options.sizes, options.seeds)
    return measure_jobs(measure, jobs, options.output / "learning.csv", unit="point")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table and draw the plot."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        results = (
            pd.read_csv(options.output / "learning.csv") if options.plot_only else run(options)
        )
    print(summarise(results).to_string(index=False))
    write_plot(results, options.output / "learning.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
