"""What the tests of the service share: its modules, a small model, and Redis."""

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

SERVING = Path(__file__).parents[1] / "docs" / "serving"
sys.path.append(str(SERVING))  # its modules import one another by name, as in a folder of a user


def free_port():
    """Return a port that nobody uses now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class RedisServer:
    """A real Redis with its append-only file in a folder.

    Parameters
    ----------
    folder : Path
        Where its file lies, from which it starts again.
    """

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.start()

    @property
    def address(self):
        """Address for clients."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self):
        """Start the server, and wait until it answers."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        options += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        self.process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        wait_for(self.port)

    def kill(self):
        """End the server without warning."""
        self.process.kill()
        self.process.wait()


def wait_for(port):
    """Return when a port takes connections."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


@contextmanager
def run_app(address, *models):
    """Start the app as its page says; yield its process and port."""
    command = [sys.executable, str(SERVING / "app.py"), *map(str, models), "--port", "0"]
    process = subprocess.Popen([*command, "--redis", address], stdout=subprocess.PIPE, text=True)
    try:
        yield process, int(process.stdout.readline().rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
