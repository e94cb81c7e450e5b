"""Tests of the figures of predictions on engines, without any engine."""

import pandas as pd
import pytest
from _benchmark_data import call_here, make_frame

from benchmarks.corpora.corpus import Corpus
from benchmarks.corpora.files import Columns, prepare_frame
from benchmarks.scoring import __main__ as command
from benchmarks.scoring import engines, measure, rows
from sk_ctxmem import ContextMemoryClassifier


@pytest.fixture
def corpus():
    """Return a small corpus of conversations without an order."""
    frame = make_frame().drop(columns="order")
    return Corpus("calls", prepare_frame(frame, Columns(), "calls"))


def test_rows_are_copies_with_groups_of_their_own(corpus, tmp_path, monkeypatch):
    """Check the number of rows, and that each part has whole conversations in several files."""
    monkeypatch.setattr(rows, "ROWS_OF_A_FILE", 30)
    rows.write_rows(corpus, 1050, tmp_path / "rows")
    found = engines.parts_of(tmp_path / "rows")
    parts = [[pd.read_parquet(path) for path in part] for part in found]
    assert [sum(map(len, part)) for part in parts] == [300, 300, 300, 150]
    groups = [set(pd.concat(part)["group"]) for part in parts]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 210
    assert parts[0][0]["group"].value_counts().max() < 5
    whole = pd.concat(parts[0]).sort_values(["group", "order"])
    assert whole["order"].tolist() == [0, 1, 2, 3, 4] * 60
    assert not {"label", "split"} & set(whole.columns)


def test_one_process_counts_the_predictions_of_the_whole(corpus, tmp_path, monkeypatch):
    """Check the baseline that engines are compared with."""
    monkeypatch.setattr(engines, "ROWS_OF_A_SLICE", 40)
    rows.write_rows(corpus, 300, tmp_path / "rows")
    rows.fit_model(corpus, tmp_path / "model")
    counts, seconds = engines.run_one(tmp_path / "model", tmp_path / "rows", 1, 300)
    clf = ContextMemoryClassifier.load(tmp_path / "model")
    whole = pd.concat(pd.read_parquet(path) for path in (tmp_path / "rows").iterdir())
    assert counts == pd.Series(clf.predict(whole)).value_counts().to_dict()
    assert seconds > 0


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"open": 600, "close": 400}, ""),
        ({"open": 601, "close": 399}, "1 rows have another class"),
        ({"open": 600, "close": 300, "none": 100}, "100 rows have another class"),
        ({"open": 600}, "600 rows were predicted"),
    ],
)
def test_an_engine_must_give_the_same_counts(counts, message):
    """Check rows that are lost, and rows that get another class."""
    whole = {"counts": {"open": 600, "close": 400}}
    assert measure.compare({"rows": 1000, "counts": counts}, whole).startswith(message)
    assert bool(measure.compare({"rows": 1000, "counts": counts}, whole)) == bool(message)


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Return the arguments that measure a small corpus, with engines that are none."""
    monkeypatch.setattr(measure, "call_in_process", call_here)
    monkeypatch.setattr(command, "call_in_process", call_here)
    monkeypatch.setitem(engines.ENGINES, "dask", engines.run_one)
    make_frame().to_csv(tmp_path / "calls.csv", index=False)
    files = ["--data", str(tmp_path / "calls.csv"), "--output", str(tmp_path / "out")]
    return [*files, "--rows", "400", "--engines", "dask", "--workers", "1", "2"]


def test_command_from_end_to_end(calls, tmp_path, capsys):
    """Check the table of a run, and that nothing else is left behind."""
    assert command.main([*calls, "--folder", str(tmp_path / "rows")]) == 0
    table = pd.read_csv(tmp_path / "out" / "scoring.csv")
    assert table["engine"].tolist() == ["one process", "dask", "dask"] * 2
    assert table["rows"].tolist() == [40] * 3 + [400] * 3
    assert (table["rows_per_second"] * table["seconds"] - table["rows"]).abs().max() < 1e-6
    ratios = table["rows_per_second"][3:] / table["rows_per_second"][3]
    assert table["ratio"][3:].tolist() == pytest.approx(ratios.tolist())
    assert table["error"].isna().all()
    assert "rows_per_second" in capsys.readouterr().out
    assert list((tmp_path / "rows").iterdir()) == []


def test_an_engine_that_fails_has_its_line_and_gives_status_1(calls, tmp_path, monkeypatch):
    """Check that the others are measured all the same."""

    def fail(*job):
        raise RuntimeError("no worker")

    monkeypatch.setitem(engines.ENGINES, "dask", fail)
    assert command.main(calls) == 1
    table = pd.read_csv(tmp_path / "out" / "scoring.csv")
    assert table["error"].tolist()[1:3] == ["RuntimeError: no worker"] * 2
    assert table["seconds"].notna().tolist() == [True, False, False] * 2


def test_corpora_without_groups_are_refused(tmp_path, capsys):
    """Check that there must be conversations."""
    make_frame().drop(columns="group").to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(SystemExit, match="2"):
        command.main(["--data", str(tmp_path / "rows.csv")])
    assert "none of the corpora has groups" in capsys.readouterr().err
