"""Tests of the figures of live sessions."""

import pytest
from _benchmark_data import make_frame

from benchmarks.sessions import measure
from benchmarks.sessions.__main__ import main
from sk_ctxmem import ContextSession

TINY = measure.Sizes(train_rows=60, equal_rows=20, timed_turns=20, n_sessions=10)


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Return the arguments that measure a small corpus, at sizes that take a moment."""
    monkeypatch.setattr(measure, "QUICK", TINY)
    monkeypatch.setattr(measure, "LONG_TURNS", (1, 2, 4))
    monkeypatch.setattr(measure, "MEMORIES", ("gru",))
    make_frame().to_csv(tmp_path / "calls.csv", index=False)
    return ["--quick", "--data", str(tmp_path / "calls.csv")]


def test_command_from_end_to_end(calls, capsys):
    """Check that each figure has its line, and that sessions that are right give status 0."""
    assert main(calls) == 0
    shown = capsys.readouterr().out
    for part in ("largest difference on", "a turn, clock: p50", "turns a second", "4: ", "bytes"):
        assert part in shown


def test_a_session_that_differs_gives_status_1(calls, capsys, monkeypatch):
    """Check that the comparison with the whole can fail."""
    monkeypatch.setattr(measure, "measure_costs", lambda corpus, sizes: None)
    right = ContextSession.predict_proba_one
    monkeypatch.setattr(
        ContextSession, "predict_proba_one", lambda *arguments: right(*arguments) + 1e-5
    )
    assert main(calls) == 1
    assert "1.0e-05" in capsys.readouterr().out


def test_corpora_without_groups_are_refused(tmp_path, capsys):
    """Check that there must be conversations."""
    make_frame().drop(columns="group").to_csv(tmp_path / "rows.csv", index=False)
    with pytest.raises(SystemExit, match="2"):
        main(["--data", str(tmp_path / "rows.csv")])
    assert "none of the corpora has groups" in capsys.readouterr().err
