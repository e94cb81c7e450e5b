"""Tests of the learning curves."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from _benchmark_data import call_here, make_frame

from benchmarks.command_line import PUBLISHED
from benchmarks.corpora.corpus import Corpus
from benchmarks.corpora.files import Columns, prepare_frame
from benchmarks.learning import measure, report
from benchmarks.learning.__main__ import main
from benchmarks.measuring import processes

ROOT = Path(__file__).parents[1]


def test_points_end_where_a_corpus_has_no_more_rows():
    """Check that no size is larger than the training part."""
    corpus = Corpus("calls", prepare_frame(make_frame(), Columns(), "calls"))
    n_rows = len(corpus.part("train"))
    points = measure.plan([corpus], [10, n_rows, n_rows + 1], [0, 1])
    assert [(size, seed) for _, size, seed in points] == [
        (size, seed) for size in (10, n_rows) for seed in (0, 1)
    ]


def test_table_has_means_and_standard_errors():
    """Check that seeds are summed up, and that sizes stand in their order."""
    results = pd.DataFrame(
        {
            "corpus": "calls",
            "model": ["lr", "lr", "lr", "lr"],
            "rows": [100, 100, 1000, 1000],
            "seed": [0, 1, 0, 1],
            "accuracy": [0.5, 0.7, 0.8, 0.8],
        }
    )
    table = report.summarise(results)
    assert table.columns.tolist() == ["corpus", "model", 100, 1000]
    assert table.loc[0, [100, 1000]].tolist() == ["60.0 ± 10.0", "80.0 ± 0.0"]


def test_results_are_drawn_again_without_fits(tmp_path, capsys):
    """Check that --plot-only reads the published results, prints and draws them."""
    shutil.copy(ROOT / PUBLISHED / "learning.csv", tmp_path)
    assert main(["--output", str(tmp_path), "--plot-only"]) == 0
    assert (tmp_path / "learning.png").stat().st_size > 5000
    assert "banking77" in capsys.readouterr().out


@pytest.mark.parametrize("grouped", [True, False])
def test_command_from_end_to_end(grouped, tmp_path, monkeypatch, capsys):
    """Check the files of a run, and that sizes that no corpus has are refused."""
    monkeypatch.setattr(processes, "call_in_process", call_here)
    frame = make_frame() if grouped else make_frame().drop(columns=["group", "order"])
    frame.to_csv(tmp_path / "calls.csv", index=False)
    options = ["--data", str(tmp_path / "calls.csv"), "--output", str(tmp_path / "out")]
    assert main([*options, "--sizes", "60", "--seeds", "0,1"]) == 0
    results = pd.read_csv(tmp_path / "out" / "learning.csv")
    ours = "context-memory (past)" if grouped else "context-memory"
    assert results["model"].tolist() == ["lr", ours] * 2
    assert results["seed"].tolist() == [0, 0, 1, 1]
    assert (tmp_path / "out" / "learning.png").stat().st_size > 5000
    assert ours in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main([*options, "--sizes", "1000000"])
    assert "no corpus has as many" in capsys.readouterr().err
