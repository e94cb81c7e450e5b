"""Command line of the comparison: ``python -m benchmarks --help``."""

import sys

from benchmarks.comparison.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
