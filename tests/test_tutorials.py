"""Tests of docs/tutorials: each runs as a script, and gives the figures that its text names."""

import runpy
from pathlib import Path

import pandas as pd
import pytest

TUTORIALS = Path(__file__).parents[1] / "docs" / "tutorials"

pytestmark = [
    pytest.mark.slow,  # `make docs` runs these
    pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive:UserWarning"),
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a tutorial in an empty folder, and return its names."""
    monkeypatch.chdir(tmp_path)  # files are written
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return lambda name: runpy.run_path(str(TUTORIALS / f"plot_{name}.py"))


def test_quick_start(run):
    """Check that memory is right on all turns, and logistic regression on half of the replies."""
    names = run("quick_start")
    lr, clf, test, talk = (names[name] for name in ("lr", "clf", "test", "talk"))
    is_caller = test["speaker"] == "caller"
    assert clf.score(test, test["act"]) > 0.99
    assert lr.score(test["text"][~is_caller], test["act"][~is_caller]) == 1
    assert lr.score(test["text"][is_caller], test["act"][is_caller]) < 0.65
    assert clf.predict(talk).tolist() == ["question", "answer", "offer", "decision"]
    assert len(set(lr.predict(talk["text"][[1, 3]]))) == 1


def test_first_csv(run, tmp_path, capfd):
    """Check that cleaning finds the faults, that memory pays, and that all files are written."""
    names = run("first_csv")
    accuracy = names["table"]["accuracy"]
    assert accuracy["ours, with memory"] > accuracy["ours, rows alone"] + 0.08
    assert accuracy["ours, rows alone"] > accuracy["logistic regression"]
    assert names["counts"]["REQEUST"] == 1
    assert len(names["new"]) == len(pd.read_csv(tmp_path / "predicted.csv"))
    assert "<html" in (tmp_path / "conversation.html").read_text(encoding="utf-8")
    output = capfd.readouterr().out
    assert "2700 rows before\n2698 rows after\n0 places taken twice" in output
    assert "Context pays." in output
    assert "3 user> San Jose, please." in output
