"""Load the service of docs/serving, and kill parts of it: ``python -m benchmarks.serving``.

Clients send the turns of many conversations to two workers, on this machine. After a third of the
time a worker is killed, after two thirds Redis, which starts again from its file. The exit status
is 1 if a turn was lost, counted twice, or answered otherwise than by ``predict_proba``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence

import pandas as pd

from benchmarks.command_line import (
    add_data_option,
    add_output_option,
    add_quick_option,
    exit_on_bad_input,
    keep_grouped,
    make_parser,
    positive_number,
    read_corpora,
)
from benchmarks.measuring.files import write_table

WRONG = ("lost", "counted_twice", "repeated_answer_differs", "different", "refused")


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = make_parser("serving", __doc__)
    add_data_option(parser)
    for name, default in (("seconds", 60), ("clients", 8), ("conversations", 200)):
        parser.add_argument(f"--{name}", type=positive_number, default=default)
    add_quick_option(parser)
    add_output_option(parser)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; return 1 if a turn was lost, counted twice or differs."""
    options = build_parser().parse_args(arguments)
    from benchmarks.serving.measure import measure  # needs redis-server's clients, but not the help

    with exit_on_bad_input():
        if shutil.which("redis-server") is None:
            raise ValueError("redis-server is not installed; it is a package of Debian.")
        (corpus, *_) = keep_grouped(read_corpora(options.data))
    seconds = 6 if options.quick else options.seconds
    row = measure(corpus, seconds, options.clients, options.conversations)
    options.output.mkdir(parents=True, exist_ok=True)
    write_table(options.output / "serving.csv", pd.DataFrame([row]))
    print(pd.Series(row).to_string())
    return int(any(row[name] for name in WRONG))


if __name__ == "__main__":
    sys.exit(main())
