"""Memory of this process."""

import resource
from pathlib import Path

STATUS = Path("/proc/self/status")


def resident_bytes():
    """Return the memory that is taken now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def reset_peak():
    """Count the most memory anew, from what is taken now."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_bytes():
    """Return the most memory that was taken since the count began."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
