"""Redis and the service in processes of their own."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

APP = Path(__file__).parents[2] / "docs" / "serving" / "app.py"


class RedisServer:
    """A Redis that writes each change to its file before it answers.

    Parameters
    ----------
    folder : Path
        Where the file lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.start()

    def start(self) -> None:
        """Start it, from its file if there is one, and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        options += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        self.process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise OSError("redis-server does not answer")

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running_app(model: Path, redis: RedisServer) -> Iterator[tuple[int, int]]:
    """Start the service with two workers; yield the number of its parent process and its port."""
    command = [sys.executable, str(APP), str(model), "--port", "0", "--workers", "2"]
    command += ["--redis", f"redis://127.0.0.1:{redis.port}/0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.pid, int(process.stdout.readline().rpartition(":")[2])
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def workers_of(parent: int) -> list[int]:
    """List the processes that a process has forked and that have not ended, on Linux."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(child) for child in children]


def memory_mb(process: int) -> tuple[float, float]:
    """Return the memory of a process that is its own, and all of it, in MB, on Linux."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    own = sum(int(size) for size in re.findall(r"^Private_\w+:\s+(\d+)", text, re.MULTILINE))
    resident = re.search(r"^Rss:\s+(\d+)", text, re.MULTILINE)
    assert resident is not None
    return own / 1024, int(resident[1]) / 1024
