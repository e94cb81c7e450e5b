"""Write the tables of the page of accuracies: ``python -m benchmarks.accuracy --help``.

Reads ``results.csv`` and, if it is there, ``embedding.csv`` of ``--output``; fits nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy.figures import Figures, fill_commands
from benchmarks.accuracy.page import COMMAND, make_blocks
from benchmarks.command_line import add_output_option, exit_on_bad_input, make_parser
from benchmarks.reports.pages import update_page


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("accuracy", __doc__)
    add_output_option(parser)
    parser.add_argument(
        "--data",
        default="FOLDER",
        help="folder of the corpora, for the commands that are printed (default: the word FOLDER)",
    )
    pages = parser.add_mutually_exclusive_group()
    pages.add_argument("--write", type=Path, metavar="PAGE", help="replace the tables of a page")
    pages.add_argument(
        "--check", type=Path, metavar="PAGE", help="end with status 1 if its tables are others"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, or put them into a page, and name what is missing."""
    options = build_parser().parse_args(arguments)
    page = options.write or options.check
    with exit_on_bad_input():
        figures = Figures(options.output)
        blocks = make_blocks(figures)
        status = update_page(page, blocks, COMMAND, bool(options.check)) if page else 0
    if not page:
        print("\n\n".join(blocks.values()))
    commands = fill_commands(figures, options.data, options.output)
    if commands:
        print("\nNot run yet; these commands go on where they were stopped:")
        print("\n".join(f"    {command}" for command in commands))
    return status


if __name__ == "__main__":
    sys.exit(main())
