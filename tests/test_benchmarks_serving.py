"""Tests of the load on the service, and of the page that shows it."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from _benchmark_data import make_frame

from benchmarks.serving import __main__ as command

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
def test_no_turn_is_lost_under_load(tmp_path, capsys):
    """Check a short load in which a worker and Redis are killed."""
    for name in ("httpx", "redis", "fastapi", "uvicorn"):
        pytest.importorskip(name)
    make_frame(n_groups=60).to_csv(tmp_path / "calls.csv", index=False)
    options = ["--data", str(tmp_path / "calls.csv"), "--output", str(tmp_path / "out")]
    assert command.main([*options, "--quick", "--conversations", "20", "--clients", "4"]) == 0
    (row,) = pd.read_csv(tmp_path / "out" / "serving.csv").to_dict("records")
    wrong = ("lost", "counted_twice", "repeated_answer_differs", "different", "refused")
    assert [row[name] for name in wrong] == [0] * 5
    assert row["turns"] > 20
    assert row["workers"] >= 2
    assert "turns_per_second" in capsys.readouterr().out


def test_the_page_shows_the_published_figures():
    """Check that each line of the table is that of the file."""
    page = (ROOT / "docs" / "user_guide" / "serving.rst").read_text(encoding="utf-8")
    (row,) = pd.read_csv(ROOT / "benchmarks" / "results" / "serving.csv").to_dict("records")
    for name, value in row.items():
        assert f"\n    {name:<24}{value}\n" in page
    assert row["lost"] == row["counted_twice"] == row["different"] == 0
