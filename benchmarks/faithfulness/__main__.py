"""Command line: ``python -m benchmarks.faithfulness --help``."""

import sys

from benchmarks.faithfulness.measure import main

if __name__ == "__main__":
    sys.exit(main())
