"""Measure what is recalled of earlier rows: ``python -m benchmarks.recall``.

The label of a row is a word of another row of its conversation: of the row that is a number of rows
before, of the row in which the same speaker spoke a number of turns ago, or of the first row.
Conversations are made by a seed; nothing is read or downloaded.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.command_line import (
    add_output_option,
    add_quick_option,
    add_seeds_option,
    make_parser,
    one_or_more_of,
)
from benchmarks.measuring.processes import measure_jobs
from benchmarks.recall.measure import FULL, MEMORIES, QUICK, measure, plan
from benchmarks.recall.report import summarise


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("recall", __doc__)
    parser.add_argument(
        "--memories",
        type=one_or_more_of(MEMORIES),
        default=["gru"],
        help=f"some of {','.join(MEMORIES)}, with commas between them",
    )
    add_quick_option(parser)
    add_seeds_option(parser, [0])
    add_output_option(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    options = build_parser().parse_args(arguments)
    jobs = plan(options.memories, options.seeds, QUICK if options.quick else FULL)
    results = measure_jobs(measure, jobs, options.output / "recall.csv")
    print(summarise(results).to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
