"""A lock between processes, which ends with the process that holds it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SECONDS_BETWEEN_TRIES = 0.05
_descriptors: set[int] = set()  # of this process


@contextmanager
def lock_file(path: Path) -> Iterator[None]:
    """Hold off the other processes and threads that lock a file, until the end."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    _descriptors.add(descriptor)
    try:
        _wait_for(descriptor)
        yield
    finally:
        if descriptor in _descriptors:  # not in a child that the embedder has forked
            # not by closing alone: a child that was forked a moment ago has a copy
            _unlock(descriptor)
            _descriptors.discard(descriptor)
            os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _wait_for(descriptor: int) -> None:
        """Lock the first byte as soon as nobody else has it."""
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                return
            except PermissionError:
                time.sleep(SECONDS_BETWEEN_TRIES)

    def _unlock(descriptor: int) -> None:
        """Unlock the first byte."""
        with suppress(OSError):  # interrupted before it was locked
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _wait_for(descriptor: int) -> None:
        """Lock the file as soon as nobody else has it."""
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _unlock(descriptor: int) -> None:
        """Unlock the file."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)

    def _close_those_of_the_parent() -> None:
        """Close the copies of descriptors in a forked process, which would hold their locks."""
        for descriptor in _descriptors:
            os.close(descriptor)
        _descriptors.clear()

    os.register_at_fork(after_in_child=_close_those_of_the_parent)
