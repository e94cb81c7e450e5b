"""Measure a GPU against the CPU, by rows and width: ``python -m benchmarks.gpu``.

Two epochs on lines of docstrings, vectorizer included, and the prediction of some thousand test
rows. The CPU has one thread, as always in this package. Written to ``gpu.csv`` with the name of the
card and the version of torch, after each point.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from tqdm import tqdm

from benchmarks.command_line import (
    add_output_option,
    add_quick_option,
    exit_on_bad_input,
    make_parser,
    positive_number,
)
from benchmarks.corpora.corpus import Corpus, take_whole_groups
from benchmarks.corpora.embedded import load_docstring_sections_corpus
from benchmarks.gpu.measure import QUICK_ROWS, QUICK_WIDTHS, ROWS, WIDTHS, check_device, measure
from benchmarks.measuring.files import write_table

TEST_ROWS = 4_000
QUICK_TEST_ROWS = 200


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("gpu", __doc__)
    parser.add_argument("--device", default="cuda", help="torch device (default: cuda)")
    parser.add_argument(
        "--limit",
        type=positive_number,
        default=150,
        metavar="SECONDS",
        help="begin no other point after this time (default: 150)",
    )
    add_output_option(parser)
    add_quick_option(parser)
    return parser


def load_corpus(n_test: int) -> Corpus:
    """Load the docstring sections, with some of their test rows."""
    corpus = load_docstring_sections_corpus()
    test = take_whole_groups(corpus.part("test"), n_test)
    return replace(corpus, frame=pd.concat([corpus.part("train"), test]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; return 1 if time was over before all was measured."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        check_device(options.device)
    corpus = load_corpus(QUICK_TEST_ROWS if options.quick else TEST_ROWS)
    sizes = (QUICK_ROWS, QUICK_WIDTHS) if options.quick else (ROWS, WIDTHS)
    options.output.mkdir(parents=True, exist_ok=True)
    found: list[dict] = []
    points = measure(corpus, *sizes, options.device, options.limit)
    for row in tqdm(points, total=len(sizes[0]) * len(sizes[1]), unit="point"):
        found.append(row)
        write_table(options.output / "gpu.csv", pd.DataFrame(found))
    table = pd.DataFrame(found)
    print(table.round(3).to_string(index=False))
    n_left_out = int(table["fit_ratio"].isna().sum()) if "fit_ratio" in table else len(table)
    if n_left_out:
        print(f"{n_left_out} points were left out after {options.limit} s", file=sys.stderr)
    return int(n_left_out > 0)


if __name__ == "__main__":
    sys.exit(main())
