"""Time and memory of this process."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

STATUS = Path("/proc/self/status")


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Call a function; return its result and the wall time in seconds."""
    start = perf_counter()
    result = function(*arguments)
    return result, perf_counter() - start


def cpu_timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Call a function; return its result and the CPU time of this process in seconds.

    On one thread it is the wall time of an idle machine, and other work beside it hardly counts.
    """
    start = process_time()
    result = function(*arguments)
    return result, process_time() - start


def resident_bytes() -> int:
    """Return the resident memory of this process on Linux."""
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def reset_peak() -> None:
    """Set the peak memory of this process on Linux to its present memory."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_bytes() -> int:
    """Return the peak resident memory of this process on Linux since `reset_peak`."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def peak_memory_mb() -> float:
    """Peak resident memory of this process so far, in units of 1024 * 1024 bytes."""
    found = STATUS.exists() and re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
    if found:
        # On Linux a child process inherits ru_maxrss from its parent; VmHWM is its own.
        return int(found[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return np.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024
