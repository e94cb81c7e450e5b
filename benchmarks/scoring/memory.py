"""Memory of the workers of an engine."""

from __future__ import annotations

import threading
from contextlib import suppress

import psutil

SECONDS_BETWEEN_SAMPLES = 0.2


class PeakMemory:
    """Context that samples the memory of workers, and keeps the largest private memory of one.

    Parameters
    ----------
    engine : str
        Name of the engine. Its workers are the descendants of the process that drives it.
    """

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.worker_mb = 0.0
        self.java_mb = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> PeakMemory:
        """Start to sample."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop."""
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(SECONDS_BETWEEN_SAMPLES):
            for driver in psutil.Process().children():
                with suppress(psutil.Error):  # it has ended
                    below = self.engine != "one process"
                    for process in driver.children(recursive=True) if below else [driver]:
                        self._add_sample(process)

    def _add_sample(self, process: psutil.Process) -> None:
        try:
            memory, name = process.memory_info(), process.name()
        except psutil.Error:  # it has ended
            return
        # Ray maps its store into each worker, and processes of Spark share the memory of a parent.
        used = (memory.rss - getattr(memory, "shared", 0)) / 1024**2
        if name == "java":
            self.java_mb = max(self.java_mb, used)
        else:
            self.worker_mb = max(self.worker_mb, used)
