"""Tests of the comparison of searches."""

import pandas as pd
import pytest
from _benchmark_data import call_here, make_frame

from benchmarks.measuring import processes
from benchmarks.tuning import __main__ as command
from benchmarks.tuning.measure import list_values


def test_the_space_is_the_product_of_all_values():
    """Check that each value of a parameter is there once, in the order of the candidates."""
    candidates = [{"a": 1, "b": None}, {"a": 2, "b": None}, {"a": 1, "b": (3, 6)}]
    assert list_values(candidates) == {"a": [1, 2], "b": [None, (3, 6)]}


def test_the_table_has_a_line_for_each_search():
    """Check that seeds are averaged."""
    lines = [("mr", "default", 0.5, 1.0, 1), ("mr", "default", 0.6, 1.0, 1)]
    columns = ["corpus", "search", "accuracy", "fits", "n_candidates"]
    table = command.summarise(pd.DataFrame(lines, columns=columns))
    assert table.to_dict("records") == [
        {"corpus": "mr", "search": "default", "accuracy": 55.0, "fits": 1.0, "n_candidates": 1}
    ]


@pytest.mark.slow
@pytest.mark.parametrize("grouped", [True, False])
def test_command_from_end_to_end(grouped, tmp_path, monkeypatch, capsys):
    """Check that all searches run on a file, and that their results are written."""
    monkeypatch.setattr(processes, "call_in_process", call_here)
    frame = make_frame() if grouped else make_frame().drop(columns=["group", "order"])
    frame.to_csv(tmp_path / "calls.csv", index=False)
    options = ["--data", str(tmp_path / "calls.csv"), "--output", str(tmp_path / "out")]
    assert command.main([*options, "--max-cost", "3", "--grid"]) == 0
    results = pd.read_csv(tmp_path / "out" / "tuning.csv")
    assert results["search"].tolist() == [
        "default",
        "ContextMemoryClassifierCV",
        "RandomizedSearchCV, same time",
        "Optuna, same time",
        "GridSearchCV, same candidates",
    ]
    assert results["accuracy"].between(0, 1).all()
    assert "Optuna" in capsys.readouterr().out
