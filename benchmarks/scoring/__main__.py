"""Command line: ``python -m benchmarks.scoring --help``."""

import sys

from benchmarks.scoring.measure import main

if __name__ == "__main__":
    sys.exit(main())
