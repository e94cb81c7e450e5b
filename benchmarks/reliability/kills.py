"""Kill fits with SIGKILL at random times, start them again, and compare the weights."""

import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import safetensors.numpy

from benchmarks.reliability.mutations import WEIGHTS, read_members

# The fit to kill. It prints a line before training, so that no kill hits the imports.
CODE = """
import sys
from benchmarks.reliability.models import ROLES, make_rows
from sk_ctxmem import ContextMemoryClassifier

folder, setting, path = sys.argv[1:]
settings = {
    "past": {},
    "both": {"context": "both", "memory": "lstm", "word_memory": True},
    "alone": {"context": "none"},
    "stopping": {"n_iter_no_change": 6},
}
frame, target = make_rows(400)
classifier = ContextMemoryClassifier(
    **ROLES, **settings[setting], checkpoint=folder or None, max_epochs=6, random_state=0
)
print("ready", flush=True)
classifier.fit(frame, target).save(path)
"""
SETTINGS = ("past", "both", "alone", "stopping")


def add_parser(parsers):
    """Add the options of this part."""
    parser = parsers.add_parser("kills", help="kill fits at random times")
    parser.add_argument("--kills", type=int, default=50, help="number of kills")
    parser.add_argument("--seed", type=int, default=0, help="seed of the times")
    parser.set_defaults(run=lambda options: kill_fits(options.kills, options.seed))


def kill_fits(n_kills, seed):
    """Kill each fit a few times until there are enough kills, and compare the final weights.

    Returns
    -------
    n_different : int
        Number of fits whose weights differ from those of an uninterrupted fit.
    """
    moments, killed, n_fits, n_equal, n_resumed = random.Random(seed), 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        expected = {setting: _fit_once(Path(folder), setting) for setting in SETTINGS}
        while killed < n_kills:
            setting = SETTINGS[n_fits % len(SETTINGS)]
            reference, seconds = expected[setting]
            here = Path(folder) / f"fit {n_fits}"
            here.mkdir()
            for _ in range(3):
                was_killed = _kill(here, setting, moments.uniform(0, 1.1 * seconds))
                killed += was_killed
                n_resumed += was_killed and any(here.glob("*.checkpoint"))
            ended = _start(here, setting)
            assert ended.wait() == 0, "a fit that was started again did not end well"
            n_equal += _weights(here / "model") == _weights(reference)
            n_fits += 1
            left = [path.name for path in here.iterdir() if path.suffix == ".checkpoint"]
            assert not left, f"the fit left {left}"
    print(f"{killed} kills, {n_resumed} of them with a checkpoint to go on from, in {n_fits} fits")
    print(f"{n_equal} of {n_fits} fits ended in the weights of one that was never killed")
    return n_fits - n_equal


def _start(folder, setting, *, checkpoint=True):
    """Start a fit, and return its process just before training."""
    where = str(folder) if checkpoint else ""
    command = [sys.executable, "-c", CODE, where, setting, str(folder / "model")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    return process


def _fit_once(folder, setting):
    """Return the file and the seconds of an uninterrupted fit."""
    here = folder / setting
    here.mkdir()
    process = _start(here, setting, checkpoint=False)
    start = time.perf_counter()
    assert process.wait() == 0, "a fit did not end well"
    return here / "model", time.perf_counter() - start


def _kill(folder, setting, seconds):
    """Start a fit and kill it after some seconds; return whether it was still running."""
    process = _start(folder, setting)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def _weights(path):
    """Return the arrays of a saved classifier, without the seconds of its epochs, as bytes."""
    arrays = safetensors.numpy.load(read_members(path.read_bytes())[WEIGHTS])
    return {name: a.tobytes() for name, a in arrays.items() if not name.endswith(".seconds")}
