"""Measure the value of each part of the model: ``python -m benchmarks.ablation``.

The classifier with its defaults is fitted with all its parts, then without each of them in turn,
and scored on validation rows, since the choice of parts must not depend on test rows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.ablation.measure import measure_new, plan
from benchmarks.ablation.parts import choose_parts
from benchmarks.ablation.report import print_tables
from benchmarks.command_line import (
    add_data_option,
    add_output_option,
    add_seeds_option,
    exit_on_bad_input,
    make_parser,
    read_corpora,
)


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("ablation", __doc__)
    add_data_option(parser)
    parser.add_argument("--parts", help="names of parts, separated by commas (default: all)")
    add_seeds_option(parser, [0, 1, 2])
    add_output_option(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what has not been measured, and print the tables."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        parts = choose_parts(options.parts)
        corpora = read_corpora(options.data)
    results = measure_new(plan(corpora, parts, options.seeds), options.output / "ablation.csv")
    print_tables(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
