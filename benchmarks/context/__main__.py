"""Command line: ``python -m benchmarks.context --help``."""

import sys

from benchmarks.context.measure import main

if __name__ == "__main__":
    sys.exit(main())
