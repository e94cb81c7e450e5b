"""Command line: ``python -m benchmarks.scaling --help``."""

import sys

from benchmarks.scaling.measure import main

if __name__ == "__main__":
    sys.exit(main())
