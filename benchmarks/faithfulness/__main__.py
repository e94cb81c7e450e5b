"""Measure the faithfulness of explanations: ``python -m benchmarks.faithfulness``.

The words of a text are sorted by their contributions to the predicted class. If the contributions
are right, the probability of that class falls after the first words are removed
(comprehensiveness, more is better), stays when only they are kept (sufficiency, a smaller loss is
better), and falls fast when one word after the other is removed (area under that curve, less is
better; DeYoung et al., 2020). Earlier rows of a conversation are sorted and emptied in the same
way.

Words are removed from the text, not from the features, so the vectorizer reads the remaining text.
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
    positive_number,
    read_corpora,
)
from benchmarks.faithfulness.measure import measure
from benchmarks.faithfulness.report import summarise
from benchmarks.measuring.processes import measure_jobs


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("faithfulness", __doc__)
    add_data_option(parser)
    add_rows_option(parser)
    parser.add_argument(
        "--sample",
        type=positive_number,
        default=200,
        help="number of explained rows (default: 200)",
    )
    parser.add_argument(
        "--score",
        choices=("test", "valid"),
        default="test",
        help="split of the explained rows (default: test)",
    )
    add_seeds_option(parser, [0])
    add_output_option(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the table."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        corpora = read_corpora(options.data, options.rows)
        jobs = list(product(corpora, [options.score], [options.sample], options.seeds))
        results = measure_jobs(measure, jobs, options.output / "faithfulness.csv")
    print(summarise(results).to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
