"""Tests of the measures of exported models, and of the page that has them."""

import re
from pathlib import Path

import pandas as pd
import pytest
from _benchmark_data import call_here, make_frame

from benchmarks.export import __main__ as command
from benchmarks.export.measure import QUICK, plan
from benchmarks.measuring import processes

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "user_guide" / "export.rst"
MEASURES = (
    "rows per second",
    "ms of a turn, median",
    "ms of a turn, 99 of 100",
    "seconds to the first prediction",
)


class _Corpus:
    def __init__(self, has_groups):
        self.has_groups = has_groups


def test_the_first_model_of_each_corpus_is_timed():
    """Check that all memories are measured where rows have groups, and one of them is timed."""
    jobs = plan([_Corpus(True), _Corpus(False)], QUICK)
    assert [job[1] for job in jobs] == ["past"] * 4 + ["both"] * 4 + ["none"] * 2
    assert [number for number, job in enumerate(jobs) if job[3]] == [0, 9]


def test_the_largest_difference_is_that_of_all_models():
    """Check that other measures are left out."""
    lines = [("largest difference", 1e-7), ("largest difference", 2e-7), ("rows per second", 9.0)]
    table = pd.DataFrame(lines, columns=["measure", "exported"])
    assert command.largest_difference(table) == 2e-7


@pytest.mark.slow
@pytest.mark.parametrize("grouped", [True, False])
def test_command_from_end_to_end(grouped, tmp_path, monkeypatch, capsys):
    """Check that a file is measured, and that the figures are written."""
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(processes, "call_in_process", call_here)
    frame = make_frame() if grouped else make_frame().drop(columns=["group", "order"])
    frame.to_csv(tmp_path / "calls.csv", index=False)
    options = ["--data", str(tmp_path / "calls.csv"), "--output", str(tmp_path / "out")]
    assert command.main([*options, "--quick"]) == 0
    results = pd.read_csv(tmp_path / "out" / "export.csv")
    assert results["measure"].eq("largest difference").sum() == (9 if grouped else 1)
    assert (results["measure"] == "ms of a turn, median").any() == grouped
    assert results.loc[results["measure"] == "rows per second", "ratio"].gt(0).all()
    assert "MB of memory" in capsys.readouterr().out


def _published():
    """Return the published figures of the timed models, by corpus and measure."""
    table = pd.read_csv(ROOT / "benchmarks" / "results" / "export.csv")
    timed = table[table["classifier"].notna()]
    return table, timed.pivot_table(index="corpus", columns="measure", values=["exported", "ratio"])


def _lines():
    """Return the cells of the table of the page, by corpus."""
    rows = re.findall(r"^   \* - (\w+)\n((?:     - .*\n){5})", PAGE.read_text("utf-8"), re.M)
    return {name: re.findall(r"- (.*)", cells) for name, cells in rows if name.islower()}


def test_the_page_has_the_published_figures():
    """Check each number of the table against the file of results."""
    _, timed = _published()
    lines = _lines()
    assert sorted(lines) == sorted(timed.index)
    for corpus, cells in lines.items():
        row = timed.loc[corpus]
        expected = [row.get(("ratio", name), float("nan")) for name in MEASURES]
        texts = ["no session" if pd.isna(ratio) else f"{ratio:.2f}" for ratio in expected]
        beyond = row["exported", "MB of memory"] - row["exported", "MB of files"]
        assert [cell.strip() for cell in cells] == [*texts, f"{beyond:.0f} MB"]


def test_the_page_has_the_largest_difference():
    """Check what the page says of all models together."""
    table, _ = _published()
    text = " ".join(PAGE.read_text("utf-8").split())
    largest = command.largest_difference(table)
    others = table.loc[table["measure"] == "rows of another class", "exported"].sum()
    n_rows = table.drop_duplicates(["corpus", "context", "memory"])["n_predicted"].sum()
    assert f"by {largest:.1e} at most" in text
    assert f"{others:.0f} of {n_rows:,} predicted rows" in text
