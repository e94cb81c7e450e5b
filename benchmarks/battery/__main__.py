"""Measure small tasks of every kind of features: ``python -m benchmarks.battery``.

Dense columns, sparse columns and texts, most of them synthetic: few and many rows, classes and
words, wrong labels, rare classes, columns of different scales and correlated ones. Logistic
regression has its C chosen by cross-validation, and dense columns standardized; context memory has
its defaults. The score is the accuracy on new rows, or F1 of a rare class.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.battery.measure import measure, summarise
from benchmarks.battery.tasks import list_tasks
from benchmarks.command_line import add_output_option, add_seeds_option, make_parser
from benchmarks.measuring.processes import measure_jobs


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("battery", __doc__)
    parser.add_argument("--tasks", default="", help="part of the names of the tasks (default: all)")
    add_seeds_option(parser, [0, 1, 2])
    add_output_option(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    options = build_parser().parse_args(arguments)
    jobs = [(name, options.seeds) for name in list_tasks() if options.tasks in name]
    results = measure_jobs(measure, jobs, options.output / "battery.csv", unit="task")
    print(summarise(results).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
