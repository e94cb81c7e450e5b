"""Measure tools for texts beside one another: ``python -m benchmarks.tools``.

Accuracy, CPU seconds of a fit and of the prediction of all test rows on one thread, and bytes on
disk of linear models, fastText, a CRF, a sentence embedder, SetFit, a fine-tuned transformer and
context memory with its defaults. Baselines have the parameters that ``python -m benchmarks`` chose,
if ``results.csv`` of ``--output`` has them, and are tuned otherwise. Rows of ``tools.csv`` are
replaced one by one, so that a run can measure some tools alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from benchmarks.command_line import (
    add_data_option,
    add_output_option,
    add_seeds_option,
    exit_on_bad_input,
    make_parser,
    one_or_more_of,
    read_corpora,
)
from benchmarks.measuring.files import write_table
from benchmarks.reports.pages import add_page_options, update
from benchmarks.tools.figures import Figures
from benchmarks.tools.measure import ALL, LIGHT, TOOLS, check_installed, measure, plan
from benchmarks.tools.page import make_blocks

KEYS = ["corpus", "per_class", "tool", "seed"]


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("tools", __doc__)
    add_data_option(parser)
    parser.add_argument(
        "--tools",
        type=one_or_more_of(TOOLS),
        default=list(LIGHT),
        help=f"some of {', '.join(TOOLS)} (default: {','.join(LIGHT)})",
    )
    parser.add_argument(
        "--per-class",
        type=int,
        default=ALL,
        help=f"number of training rows of each class, drawn anew for each seed; {ALL} for all",
    )
    add_seeds_option(parser, [0])
    add_output_option(parser)
    add_page_options(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print, or write or check the tables of a page."""
    options = build_parser().parse_args(arguments)
    path = options.output / "tools.csv"
    with exit_on_bad_input():
        page = options.write or options.check
        if page:
            blocks = make_blocks(Figures(options.output))
            return update(page, blocks, "tools", bool(options.check))
        check_installed(options.tools)
        corpora = read_corpora(options.data)
    path.parent.mkdir(parents=True, exist_ok=True)
    jobs = plan(corpora, options.tools, options.seeds, options.per_class, options.output)
    for job in tqdm(jobs, unit="fit"):
        write_table(path, merge(path, measure(*job)))
    print(pd.read_csv(path).drop(columns="parameters").to_string(index=False))
    return 0


def merge(path: Path, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the rows of a file, with those of the same fits replaced."""
    new = pd.DataFrame(rows)
    if not path.exists():
        return new
    old = pd.read_csv(path)
    kept = ~pd.MultiIndex.from_frame(old[KEYS]).isin(pd.MultiIndex.from_frame(new[KEYS]))
    return pd.concat([old[kept], new], ignore_index=True)


if __name__ == "__main__":
    sys.exit(main())
