"""Measure a fit of many rows from Parquet files: ``python -m benchmarks.streaming``.

The rows are copies of the training rows of a corpus. Each copy has groups of its own, and some of
its words are replaced by other words, so that new n-grams keep coming as in real text. The command
prints the speed of both passes, the memory during training, and the accuracy on the test rows,
beside that of a fit to the corpus itself.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.command_line import (
    exit_on_bad_input,
    make_parser,
    positive_number,
    read_corpora,
)
from benchmarks.measuring.processes import call_in_process
from benchmarks.streaming.copies import write_copies
from benchmarks.streaming.measure import fit_memory, fit_stream


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("streaming", __doc__)
    parser.add_argument("--data", required=True, help="a Parquet or CSV file with groups")
    parser.add_argument(
        "--rows",
        type=positive_number,
        default=500_000,
        help="number of rows to fit (default: 500,000)",
    )
    parser.add_argument("--folder", type=Path, required=True, help="folder of the copies")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the copies, and measure both fits."""
    options = build_parser().parse_args(arguments)
    with exit_on_bad_input():
        corpus = read_corpora([options.data])[0]
    folder = options.folder / f"{corpus.name}-{options.rows}"
    start = time.perf_counter()
    write_copies(corpus, options.rows, folder)
    print(f"{options.rows:,} rows written in {time.perf_counter() - start:,.0f} seconds")
    streamed = call_in_process(fit_stream, corpus, folder, options.rows)
    in_memory = call_in_process(fit_memory, corpus)
    print(f"accuracy on the test rows: {streamed:.2f} % from {options.rows:,} copied rows in one")
    print(f"epoch, {in_memory:.2f} % from the corpus itself in memory")
    return 0


if __name__ == "__main__":
    sys.exit(main())
