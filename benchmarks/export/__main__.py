"""Measure exported models against their classifiers: ``python -m benchmarks.export``.

For each context and memory, the largest difference of probabilities from those of `predict_proba`.
For the first memory of each corpus also the time of a new process up to its first prediction and
its memory, rows per second, and the times of a turn, of both in turn. Written to ``export.csv``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import pandas as pd

from benchmarks.command_line import (
    add_data_option,
    add_output_option,
    add_quick_option,
    add_rows_option,
    exit_on_bad_input,
    make_parser,
    read_corpora,
)
from benchmarks.export.measure import FULL, QUICK, TOLERANCE, measure, plan
from benchmarks.measuring.processes import measure_jobs

SHOWN = ["corpus", "context", "memory", "measure", "classifier", "exported", "ratio"]


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("export", __doc__)
    add_data_option(parser)
    add_rows_option(parser, 10_000)
    add_output_option(parser)
    add_quick_option(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; return 1 if a probability differs by more than 1e-5."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        corpora = read_corpora(options.data, options.rows)
    jobs = plan(corpora, QUICK if options.quick else FULL)
    results = measure_jobs(measure, jobs, options.output / "export.csv")
    print(results[SHOWN].to_string(index=False, na_rep="", float_format="{:.3g}".format))
    return int(largest_difference(results) > TOLERANCE)


def largest_difference(results: pd.DataFrame) -> float:
    """Return the largest difference of probabilities of all models."""
    return float(results.loc[results["measure"] == "largest difference", "exported"].max())


if __name__ == "__main__":
    sys.exit(main())
