"""Measure how many wrong labels are found: ``python -m benchmarks.labels``.

A share of the training labels is changed to another class at random. `suspect_labels` ranks all
rows by probabilities from models that were not fitted on them. The score is the share of the
changed labels among the first tenth of the rows. Logistic regression has its C chosen by accuracy
on a fifth of the rows, changed labels included; context memory has its defaults.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product

from benchmarks.command_line import (
    add_data_option,
    add_output_option,
    add_rows_option,
    add_seeds_option,
    exit_on_bad_input,
    make_parser,
    read_corpora,
)
from benchmarks.labels.measure import measure
from benchmarks.labels.report import summarise
from benchmarks.measuring.processes import measure_jobs


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("labels", __doc__)
    add_data_option(parser)
    add_rows_option(parser, 20_000)
    add_seeds_option(parser, [0])
    add_output_option(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        corpora = read_corpora(options.data)
    jobs = list(product(corpora, [options.rows], options.seeds))
    results = measure_jobs(measure, jobs, options.output / "labels.csv", unit="point")
    print(summarise(results).to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
