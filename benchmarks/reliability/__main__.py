"""Command line of python -m benchmarks.reliability: the figures of docs/reliability.md."""

import argparse
import sys

from benchmarks.reliability import fuzz, golden, kills, load, rows

PARTS = (fuzz, kills, load, rows, golden)


def main(arguments=None):
    """Run one part; return 0 if all that it promises holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parsers = parser.add_subparsers(required=True)
    for part in PARTS:
        part.add_parser(parsers)
    options = parser.parse_args(arguments)
    return min(1, options.run(options))


if __name__ == "__main__":
    sys.exit(main())
