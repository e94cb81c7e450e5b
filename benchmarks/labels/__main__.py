"""Command line: ``python -m benchmarks.labels --help``."""

import sys

from benchmarks.labels.measure import main

if __name__ == "__main__":
    sys.exit(main())
