"""Command line: ``python -m benchmarks.streaming --help``."""

import sys

from benchmarks.streaming.measure import main

if __name__ == "__main__":
    sys.exit(main())
