"""Tests of the accuracy with columns beside TF-IDF."""

import pandas as pd
import pytest

from benchmarks.columns.__main__ import main


@pytest.mark.slow
def test_each_column_is_measured_and_costs_little(tmp_path, capsys):
    """Check the table on few docstrings: no column costs context memory its accuracy."""
    assert main(["--docstrings", "24", "--output", str(tmp_path)]) == 0
    results = pd.read_csv(tmp_path / "columns.csv").set_index("columns")
    assert len(results) == 10
    lost = results.loc["none", "context memory, rows alone"] - results["context memory, rows alone"]
    assert lost.drop("100 of noise, standardized").max() < 0.05
    assert "price from 0 to 1000" in capsys.readouterr().out
