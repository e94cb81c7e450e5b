"""Tests of the ablation."""

import numpy as np
import pandas as pd
import pytest
from _benchmark_data import make_frame

from benchmarks.ablation import measure, report
from benchmarks.ablation.__main__ import main
from benchmarks.ablation.parts import all_parts
from benchmarks.corpora.corpus import Corpus
from benchmarks.corpora.files import Columns, prepare_frame
from sk_ctxmem._training import _trainer


@pytest.fixture(scope="module")
def calls():
    """Return a corpus with groups and speakers, in which some words stand in one row alone."""
    return _make_corpus(n_groups=60)


def _make_corpus(n_groups):
    frame = make_frame(n_groups=n_groups)
    frame["speaker"] = frame["order"] % 2
    frame["text"] += [f" word{row}" if row % 7 == 0 else "" for row in range(len(frame))]
    return Corpus("calls", prepare_frame(frame, Columns(), "calls"))


@pytest.fixture(scope="module")
def whole(calls):
    """Measure the model with all its parts."""
    return measure.measure(calls, "all", seed=0)


OTHERS = (
    "temperature",
    "penalty of the table",
    "margins of the linear path",
)  # on these rows, they change nothing
PARTS = [part.name for part in all_parts()[1:] if part.name not in OTHERS]


@pytest.mark.slow
@pytest.mark.parametrize("name", PARTS)
def test_each_part_is_left_out(name, calls, whole):
    """Check that the names of the patches exist, and that a fit without the part is another."""
    assert measure.measure(calls, name, seed=0)["log_loss"] != whole["log_loss"]


def test_parts_come_back(calls, whole):
    """Check that the model is whole again after a fit without a part."""
    measure.measure(calls, "linear path", seed=0)
    assert measure.measure(calls, "all", seed=0)["log_loss"] == whole["log_loss"]


def test_temperature_is_left_out():
    """Check that predictions stay but for their probabilities, where there are enough rows."""
    corpus = _make_corpus(n_groups=600)
    whole, without = (measure.measure(corpus, name, seed=0) for name in ("all", "temperature"))
    assert whole["log_loss"] != without["log_loss"]
    assert whole["accuracy"] == without["accuracy"]


def test_margins_are_left_out():
    """Check that no number of rows is enough without the part."""
    part = next(part for part in all_parts() if part.name == "margins of the linear path")
    with part.patched():
        assert _trainer.ROWS_OF_A_CLASS == np.inf
    assert _trainer.ROWS_OF_A_CLASS < np.inf


def test_the_penalty_is_left_out():
    """Check it where labels are noisy, and where texts are no context of others."""
    corpus = _make_corpus(n_groups=200)
    frame = corpus.frame.drop(columns=["group", "order", "speaker"])
    labels = frame["label"].to_numpy()
    frame["label"] = np.where(np.arange(len(frame)) % 3, labels, np.roll(labels, 1))
    noisy = Corpus("noisy", frame)
    whole, without = (
        measure.measure(noisy, name, seed=0) for name in ("all", "penalty of the table")
    )
    assert whole["log_loss"] != without["log_loss"]


def test_parts_that_need_groups_are_left_alone_without():
    """Check which parts are tried on texts that stand alone, and without speakers."""
    alone = Corpus("alone", make_frame().drop(columns=["group", "order"]))
    grouped = Corpus("grouped", make_frame())
    parts = all_parts()
    names = {name for _, name, _ in measure.plan([alone], parts, [0])}
    assert names == {part.name for part in parts if not part.needs_groups}
    names = {name for _, name, _ in measure.plan([grouped], parts, [0])}
    assert names == {part.name for part in parts} - {"speakers"}


def test_tables_compare_with_the_whole():
    """Check differences in points, ratios of times, and their means over corpora."""
    results = pd.DataFrame(
        {
            "corpus": ["a", "a", "b", "b"],
            "part": ["all", "dropout", "all", "dropout"],
            "accuracy": [0.8, 0.7, 0.9, 0.93],
            "log_loss": [0.5, 0.6, 0.4, 0.4],
            "fit_seconds": [1.0, 2.0, 1.0, 0.5],
        }
    )
    accuracy = report.summarise(results, "accuracy").loc["dropout"]
    assert accuracy.tolist() == pytest.approx([-10.0, 3.0, -3.5])
    assert report.summarise(results, "log_loss").loc["dropout", "a"] == pytest.approx(0.1)
    times = report.summarise(results, "fit_seconds").loc["dropout"]
    assert times.tolist() == pytest.approx([2.0, 0.5, 1.0])


def test_command_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    """Check the file of a run, that nothing is measured twice, and that a wrong name is told."""
    calls = []

    def call(function, *job):
        calls.append(job[1:])
        return function(*job)

    monkeypatch.setattr(measure, "call_in_process", call)
    make_frame().to_csv(tmp_path / "calls.csv", index=False)
    options = ["--data", str(tmp_path / "calls.csv"), "--output", str(tmp_path), "--seeds", "0"]
    assert main([*options, "--parts", "dropout"]) == 0
    assert calls == [("all", 0), ("dropout", 0)]
    assert main([*options, "--parts", "dropout,attention"]) == 0
    assert calls[2:] == [("attention", 0)]
    monkeypatch.setattr(measure, "versions_of", lambda model: {"torch": "9"})
    assert main([*options, "--parts", "attention"]) == 0
    assert calls[3:] == [("all", 0), ("attention", 0)]
    assert len(pd.read_csv(tmp_path / "ablation.csv")) == 5
    assert "fit time without a part" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main([*options, "--parts", "drop"])
    assert "no part 'drop'" in capsys.readouterr().err


def test_versions_that_look_like_numbers_stay_as_they_are(tmp_path):
    """Check that a digest with an e between digits is no number when it is read again."""
    path = tmp_path / "ablation.csv"
    pd.DataFrame({"part": ["all"], "versions": ["12e45678"], "accuracy": [0.5]}).to_csv(path)
    (row,) = measure.read_rows(path)
    assert (row["versions"], row["accuracy"]) == ("12e45678", 0.5)
