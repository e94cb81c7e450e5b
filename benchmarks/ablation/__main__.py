"""Command line: ``python -m benchmarks.ablation --help``."""

import sys

from benchmarks.ablation.measure import main

if __name__ == "__main__":
    sys.exit(main())
