"""Measure predictions on engines for many processes: ``python -m benchmarks.scoring``.

Copies of the conversations of a corpus are written to Parquet files, with each conversation spread
over several files. A classifier is fitted on part of the corpus, and predicts all rows with one and
with two workers of each engine, and with one process that reads the files in chunks of whole
conversations. Each run has processes of its own, which start before the time is taken. Memory is
also measured on a tenth of the rows: if it is the same, the rows need not fit in memory. The exit
status is 1 if an engine fails, or predicts other classes than the one process.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.command_line import (
    add_data_option,
    add_output_option,
    exit_on_bad_input,
    keep_grouped,
    make_parser,
    positive_number,
    read_corpora,
)
from benchmarks.corpora.corpus import Corpus
from benchmarks.measuring.processes import call_in_process
from benchmarks.scoring.engines import ENGINES
from benchmarks.scoring.measure import measure_all, plan
from benchmarks.scoring.rows import fit_model, write_rows

NAMES = [name for name in ENGINES if name != "one process"]


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("scoring", __doc__)
    add_data_option(parser, "; the first corpus with groups is used")
    parser.add_argument(
        "--rows",
        type=positive_number,
        default=200_000,
        help="number of rows to predict (default: 200,000)",
    )
    parser.add_argument(
        "--engines",
        nargs="+",
        choices=NAMES,
        default=NAMES,
        help=f"engines to measure (default: {' '.join(NAMES)})",
    )
    parser.add_argument(
        "--workers",
        nargs="+",
        type=positive_number,
        default=[1, 2],
        help="numbers of workers (default: 1 2)",
    )
    add_output_option(parser)
    parser.add_argument("--folder", type=Path, help="folder of the temporary files of rows")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 if an engine fails or predicts other classes."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.rows < 10:
        parser.error(f"--rows {options.rows} must be 10 or more, as a tenth is predicted too")
    with exit_on_bad_input():
        corpus = keep_grouped(read_corpora(options.data))[0]
    options.output.mkdir(parents=True, exist_ok=True)
    if options.folder is not None:
        options.folder.mkdir(parents=True, exist_ok=True)
    return predict_copies(corpus, options)


def predict_copies(corpus: Corpus, options: argparse.Namespace) -> int:
    """Write a model and the rows to a temporary folder, and measure all runs."""
    with TemporaryDirectory(dir=options.folder) as folder:
        model = Path(folder, "model.ctxmem")
        call_in_process(fit_model, corpus, model)
        data = {n: Path(folder, f"rows_{n}") for n in (options.rows // 10, options.rows)}
        for n_rows, place in data.items():
            write_rows(corpus, n_rows, place)
        runs = plan(options.engines, options.workers)
        return measure_all(runs, data, model, options.output / "scoring.csv")


if __name__ == "__main__":
    sys.exit(main())
