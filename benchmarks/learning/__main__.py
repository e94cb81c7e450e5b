"""Command line: ``python -m benchmarks.learning --help``."""

import sys

from benchmarks.learning.measure import main

if __name__ == "__main__":
    sys.exit(main())
