"""Tests of the accuracy by the length of the context."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from _benchmark_data import call_here, make_frame

from benchmarks.command_line import PUBLISHED
from benchmarks.context import measure, report
from benchmarks.context.__main__ import main
from benchmarks.measuring import processes

ROOT = Path(__file__).parents[1]


def test_groups_are_cut_into_pieces_in_their_order():
    """Check which rows stay together, whatever order they stand in."""
    frame = make_frame(n_groups=2, rows_per_group=5).iloc[::-1].reset_index(drop=True)
    cut = measure.cut_groups(frame, 2)
    pieces = [set(zip(rows["group"], rows["order"], strict=True)) for _, rows in together(cut)]
    names = frame["group"].unique()
    expected = [{(name, i) for i in turns} for name in names for turns in ((0, 1), (2, 3), (4,))]
    assert sorted(map(sorted, pieces)) == sorted(map(sorted, expected))
    assert cut["group"].nunique() == 6
    assert measure.cut_groups(frame, measure.ALL)["group"].nunique() == 2
    assert measure.cut_groups(frame, 1)["group"].is_unique


def together(cut):
    """Original rows of each piece."""
    original = make_frame(n_groups=2, rows_per_group=5).iloc[::-1].reset_index(drop=True)
    return original.groupby(cut["group"].to_numpy())


def test_table_has_a_column_for_each_length():
    """Check that means over seeds stand in the order of the lengths."""
    results = pd.DataFrame(
        {
            "corpus": "calls",
            "context": "past",
            "rows": [1, 1, 2, "all"],
            "seed": [0, 1, 0, 0],
            "accuracy": [0.5, 0.7, 0.8, 0.9],
        }
    )
    table = report.summarise(results)
    assert table.columns.tolist() == ["corpus", "context", 1, 2, "all"]
    assert table.loc[0, [1, 2, "all"]].tolist() == [60.0, 80.0, 90.0]


def test_error_bars_are_those_of_seeds_or_of_test_rows():
    """Check the lengths of the bars: one of two seeds, and one of a single accuracy."""
    from matplotlib.figure import Figure

    results = pd.DataFrame(
        {
            "corpus": "calls",
            "context": "past",
            "rows": [1, 1, "all"],
            "seed": [0, 1, 0],
            "n_test": 100,
            "accuracy": [0.5, 0.7, 0.9],
        }
    )
    ax = Figure().subplots()
    report.draw_contexts(ax, results)
    (bars,) = ax.containers[0].lines[2]
    ends = [segment[:, 1] for segment in bars.get_segments()]
    assert ends[0].tolist() == pytest.approx([50, 70])
    assert ends[1].tolist() == pytest.approx([87, 93])


def test_results_are_drawn_again_without_fits(tmp_path, capsys):
    """Check that --plot-only reads the published results, prints and draws them."""
    shutil.copy(ROOT / PUBLISHED / "context.csv", tmp_path)
    assert main(["--output", str(tmp_path), "--plot-only"]) == 0
    assert (tmp_path / "context.png").stat().st_size > 5000
    assert "csabstruct" in capsys.readouterr().out


@pytest.mark.slow
def test_command_from_end_to_end(tmp_path, monkeypatch, capsys):
    """Check the files of a run, and that corpora without groups are refused."""
    monkeypatch.setattr(measure, "LENGTHS", (1, measure.ALL))
    monkeypatch.setattr(processes, "call_in_process", call_here)
    make_frame().to_csv(tmp_path / "calls.csv", index=False)
    options = ["--data", str(tmp_path / "calls.csv"), "--output", str(tmp_path / "out")]
    assert main(options) == 0
    results = pd.read_csv(tmp_path / "out" / "context.csv")
    assert results["rows"].tolist() == ["1", "all"] * 2
    assert results["accuracy"].min() > 0.9  # the label is in the text
    assert (tmp_path / "out" / "context.png").stat().st_size > 5000
    assert "past" in capsys.readouterr().out
    make_frame().drop(columns=["group", "order"]).to_csv(tmp_path / "alone.csv", index=False)
    with pytest.raises(SystemExit, match="2"):
        main(["--data", str(tmp_path / "alone.csv")])
    assert "none of the corpora has groups" in capsys.readouterr().err
