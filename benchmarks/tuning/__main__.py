"""Compare searches for parameters in the same time: ``python -m benchmarks.tuning``.

ContextMemoryClassifierCV searches within a budget of default fits. RandomizedSearchCV with five
folds, and Optuna with one split, then search the same space in the same CPU time. With ``--grid``,
GridSearchCV fits the same candidates on five folds. All are scored on the test rows.
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
from benchmarks.measuring.processes import measure_jobs
from benchmarks.tuning.measure import measure, plan


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("tuning", __doc__)
    add_data_option(parser)
    parser.add_argument(
        "--max-cost",
        type=positive_number,
        default=10,
        help="budget of ContextMemoryClassifierCV in default fits (default: 10)",
    )
    parser.add_argument(
        "--grid", action="store_true", help="fit all candidates with GridSearchCV too"
    )
    add_seeds_option(parser, [0])
    add_output_option(parser)
    return parser


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies in % and costs in default fits: a row for each corpus and search."""
    means = results.groupby(["corpus", "search"], sort=False)[["accuracy", "fits", "n_candidates"]]
    table = means.mean().reset_index()
    table["accuracy"] = (100 * table["accuracy"]).round(1)
    return table.round({"fits": 1, "n_candidates": 0})


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        corpora = read_corpora(options.data)
        jobs = plan(corpora, options.seeds, float(options.max_cost), options.grid)
    results = measure_jobs(measure, jobs, options.output / "tuning.csv", unit="search")
    print(summarise(results).to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
