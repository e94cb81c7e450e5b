"""Memory of this process."""

import resource
from pathlib import Path


def resident_bytes():
    """Return the memory that is taken now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def peak_bytes():
    """Return the most memory that was ever taken."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
