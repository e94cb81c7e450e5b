"""Measure the figures of docs/reliability.md: ``python -m benchmarks.reliability PART``."""

import sys

from benchmarks.command_line import make_parser
from benchmarks.reliability import fuzz, golden, kills, load, rows

PARTS = (fuzz, kills, load, rows, golden)


def main(arguments=None):
    """Run one part; return 0 if its checks hold."""
    parser = make_parser("reliability", __doc__)
    parsers = parser.add_subparsers(required=True)
    for part in PARTS:
        part.add_parser(parsers)
    options = parser.parse_args(arguments)
    return min(1, options.run(options))


if __name__ == "__main__":
    sys.exit(main())
