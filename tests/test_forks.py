"""Tests of forked processes, as of multiprocessing.Pool and of servers that load and then fork."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "_forked.py"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


def run(parent, folder):
    """Run the script with the default number of threads; return its messages."""
    variables = {name: os.environ[name] for name in os.environ if name != "OMP_NUM_THREADS"}
    command = [sys.executable, "-W", "ignore", str(SCRIPT), parent, str(folder)]
    ended = subprocess.run(
        command, env=variables, capture_output=True, text=True, timeout=600, check=False
    )
    return ended.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a saved and a pickled classifier."""
    path = tmp_path_factory.mktemp("models")
    assert run("write", path) == ""
    return path


SLOW = ["load", "fit", "partial_fit", "unpickle", "session", "explain"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "parent",
    ["torch", *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)],
)
def test_forked_processes_do_not_wait_for_threads_of_their_parent(parent, folder):
    """Check every entry point in a child, whatever the parent did, and the bits of its results."""
    assert run(parent, folder) == ""


@pytest.mark.slow
def test_a_process_that_is_forked_during_a_fit_in_a_thread_can_do_all(folder):
    """Check every entry point, each in five children that are forked at different moments."""
    assert run("fitting thread", folder) == ""
