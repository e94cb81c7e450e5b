"""Command line: ``python -m benchmarks.sessions --help``."""

import sys

from benchmarks.sessions.measure import main

if __name__ == "__main__":
    sys.exit(main())
