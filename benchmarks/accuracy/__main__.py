"""Write the tables of the page of accuracies: ``python -m benchmarks.accuracy --help``.

Reads ``results.csv`` and, if it is there, ``embedding.csv`` of ``--output``; fits nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.accuracy.figures import Figures, fill_commands
from benchmarks.accuracy.page import make_blocks
from benchmarks.command_line import add_output_option, exit_on_bad_input, make_parser
from benchmarks.reports.pages import add_page_options, update
from benchmarks.reports.plots import write_error_plot, write_plot


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("accuracy", __doc__)
    add_output_option(parser)
    parser.add_argument(
        "--data",
        default="FOLDER",
        help="folder of the corpora, for the commands that are printed (default: the word FOLDER)",
    )
    parser.add_argument(
        "--plot", action="store_true", help="draw results.png and errors.png of --output again"
    )
    add_page_options(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, or put them into a page, and name what is missing."""
    options = build_parser().parse_args(arguments)
    page = options.write or options.check
    with exit_on_bad_input():
        figures = Figures(options.output)
        blocks = make_blocks(figures)
        status = update(page, blocks, "accuracy", bool(options.check)) if page else 0
    if options.plot:
        write_plot(figures.results, options.output / "results.png")
        write_error_plot(figures.results, options.output / "errors.png")
    if not page:
        print("\n\n".join(blocks.values()))
    commands = fill_commands(figures, options.data, options.output)
    if commands:
        print("\nNot run yet; these commands go on where they were stopped:")
        print("\n".join(f"    {command}" for command in commands))
    return status


if __name__ == "__main__":
    sys.exit(main())
