"""Measure live sessions: ``python -m benchmarks.sessions``.

The default classifier is fitted on part of each corpus with groups, and sessions read test
conversations turn by turn. The command prints one line per figure. The exit status is 1 if
probabilities differ from those of `predict_proba` by more than 1e-6. Times are those of one thread;
CPU times do not depend on other programs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.command_line import (
    add_data_option,
    add_quick_option,
    exit_on_bad_input,
    keep_grouped,
    make_parser,
    read_corpora,
)
from benchmarks.sessions import measure


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("sessions", __doc__)
    add_data_option(parser)
    add_quick_option(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure all corpora with groups; return 1 if sessions differ from `predict_proba`."""
    options = build_parser().parse_args(arguments)
    sizes = measure.QUICK if options.quick else measure.FULL
    with exit_on_bad_input():
        corpora = keep_grouped(read_corpora(options.data))
    largest = 0.0
    for corpus in corpora:
        largest = max(largest, measure.measure_equality(corpus, sizes))
        measure.measure_costs(corpus, sizes)
    limit = measure.TOLERANCE
    print(f"largest difference of all: {largest:.1e} (at most {limit:.0e} is promised)")
    return int(largest > limit)


if __name__ == "__main__":
    sys.exit(main())
