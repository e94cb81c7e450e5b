"""Tests of the times on a GPU, with the CPU in its place, and of `make gpu` without one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from _benchmark_data import make_frame

from benchmarks.corpora.corpus import Corpus
from benchmarks.corpora.files import add_split
from benchmarks.gpu import __main__ as command
from benchmarks.gpu.measure import describe_device, measure

ROOT = Path(__file__).parents[1]
WITHOUT_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


@pytest.fixture
def corpus():
    """Return conversations with a training and a test part."""
    return Corpus("calls", add_split(make_frame(n_groups=100)))


@pytest.mark.slow
def test_each_point_has_both_devices_and_what_they_are(corpus):
    """Check the rows of the table, the smallest first."""
    rows = list(measure(corpus, [100, 200], [8], "cpu", limit=60))
    assert [(row["rows"], row["width"]) for row in rows] == [(100, 8), (200, 8)]
    for row in rows:
        assert row["fit_ratio"] == row["cpu_fit_seconds"] / row["device_fit_seconds"]
        assert row["cpu_accuracy"] == row["device_accuracy"] > 0.9
        assert row["torch"] == torch.__version__


def test_points_after_the_limit_are_not_begun(corpus):
    """Check that they have a row without times."""
    (row,) = measure(corpus, [100], [8], "cpu", limit=0)
    assert set(row) == {"rows", "width", "device", "card", "torch"}


def test_the_cpu_has_no_card():
    """Check what is written where the CPU stands for a GPU."""
    assert describe_device("cpu")["card"] == "no card"


@pytest.mark.slow
def test_the_command_writes_a_table(corpus, tmp_path, monkeypatch, capsys):
    """Check the file and the status, and that points that were left out are counted."""
    monkeypatch.setattr(command, "load_corpus", lambda n_test: corpus)
    monkeypatch.setattr(command, "QUICK_ROWS", (100,))
    options = ["--quick", "--device", "cpu", "--output", str(tmp_path)]
    assert command.main(options) == 0
    assert pd.read_csv(tmp_path / "gpu.csv")["width"].tolist() == list(command.QUICK_WIDTHS)
    monkeypatch.setattr(command, "measure", lambda *_: iter([{"rows": 100, "width": 8}]))
    assert command.main(options) == 1
    assert "1 points were left out after 150 s" in capsys.readouterr().err


@WITHOUT_GPU
def test_the_command_needs_a_device(tmp_path, capsys):
    """Check that nothing is measured or written without a CUDA device."""
    with pytest.raises(SystemExit, match="2"):
        command.main(["--output", str(tmp_path)])
    assert "no CUDA device is there" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@WITHOUT_GPU
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there is a driver")
def test_make_gpu_without_a_device_fails_and_installs_nothing():
    """Check that tests that were all skipped do not pass for a run."""
    command = ["make", "--no-print-directory", "gpu", f"PYTHON={sys.executable}"]
    # A make that runs the tests passes its own options on to those below it.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "make gpu needs a CUDA device, and there is none: nothing was run" in ended.stderr
