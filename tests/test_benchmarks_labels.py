"""Tests of the measurement of flipped labels."""

import numpy as np
import pandas as pd
import pytest
from _benchmark_data import call_here, make_frame

from benchmarks.labels import measure
from benchmarks.labels.__main__ import main
from benchmarks.measuring import processes


def test_a_twentieth_of_the_labels_becomes_another_class():
    """Check the share, that each flipped one differs, and that others stay."""
    before = pd.Series(np.tile(["a", "b", "c"], 2000))
    after, flipped = measure.flip_labels(before, seed=0)
    assert 0.04 < flipped.mean() < 0.06
    assert ((before != after) == flipped).all()
    assert set(after) == {"a", "b", "c"}
    assert not flipped[measure.flip_labels(before, seed=1)[1]].all()


def test_found_are_those_among_the_first_tenth():
    """Check the shares of a table that is known."""
    table = pd.DataFrame({"row": np.arange(20)[::-1], "is_suspect": np.arange(20) < 4})
    flipped = np.isin(np.arange(20), [0, 16, 18, 19])
    found = measure.count_found(table, flipped)
    assert found == {"flipped": 4, "found": 0.5, "suspects": 4, "suspects_flipped": 0.75}


@pytest.mark.parametrize("grouped", [pytest.param(True, marks=pytest.mark.slow), False])
def test_command_from_end_to_end(grouped, tmp_path, monkeypatch, capsys):
    """Check the lines of a run, whose flipped labels the words give away."""
    monkeypatch.setattr(processes, "call_in_process", call_here)
    frame = make_frame(n_groups=60)
    frame = frame if grouped else frame.drop(columns=["group", "order"])
    frame.to_csv(tmp_path / "calls.csv", index=False)
    options = ["--data", str(tmp_path / "calls.csv"), "--output", str(tmp_path / "out")]
    assert main([*options, "--rows", "200"]) == 0
    results = pd.read_csv(tmp_path / "out" / "labels.csv")
    contexts = [f" ({context})" for context in ("past", "both", "none")] if grouped else [""]
    assert results["model"].tolist() == ["lr", *(f"context-memory{c}" for c in contexts)]
    assert (results["found"] == 1).all()
    assert "found in the first 10%" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["--data", str(tmp_path / "nothing.csv")])
