"""Tests of the accuracy by how far back a word lies."""

import numpy as np
import pandas as pd
import pytest
from _benchmark_data import call_here

from benchmarks.measuring import processes
from benchmarks.recall import measure, report
from benchmarks.recall.__main__ import main
from benchmarks.recall.measure import Task


def test_each_task_names_the_row_of_the_word():
    """Check the rows of the words of a conversation of two speakers."""
    speakers = np.array(list("ABAAB"))
    assert Task("rows before", 2).rows_of(speakers) == [None, None, 0, 1, 2]
    assert Task("turns of the speaker before", 1).rows_of(speakers) == [None, None, 0, 2, 1]
    assert Task("turns of the speaker before", 2).rows_of(speakers) == [None] * 3 + [0, None]
    assert Task("first row", 5).rows_of(speakers) == [0] * 5


def test_the_label_is_the_word_of_that_row():
    """Check texts and labels of made conversations, and what a guess scores on them."""
    task = Task("turns of the speaker before", 2)
    talks = measure.make_talks(task, 5, np.random.RandomState(0))
    guesses = []
    for _, talk in talks.groupby("group"):
        words = [set(text.split()) & set(measure.WORDS) for text in talk["text"]]
        for row, source in enumerate(task.rows_of(talk["speaker"].to_numpy())):
            assert talk["label"].iloc[row] in ({"red"} if source is None else words[source])
            guesses.append(1 if source is None else 1 / 3)
    assert measure.best_guess(task, talks) == pytest.approx(np.mean(guesses))
    assert talks.groupby("group").size().between(25, 45).all()


def test_table_has_a_column_for_each_memory():
    """Check that means over seeds stand in the order of the tasks, beside those of a guess."""
    results = pd.DataFrame(
        {
            "label": ["rows before"] * 4 + ["first row"] * 2,
            "distance": [1, 1, 1, 1, 120, 120],
            "memory": ["gru", "gru", "elman", "elman", "gru", "elman"],
            "seed": [0, 1, 0, 1, 0, 0],
            "accuracy": [0.9, 1.0, 0.5, 0.6, 1.0, 0.4],
            "chance": [0.5, 0.52, 0.5, 0.52, 0.3, 0.3],
        }
    )
    table = report.summarise(results)
    assert table.columns.tolist() == ["label", "distance", "gru", "elman", "chance"]
    assert table.to_numpy().tolist() == [
        ["rows before", 1, 95.0, 55.0, 51.0],
        ["first row", 120, 100.0, 40.0, 30.0],
    ]


@pytest.mark.slow
def test_command_from_end_to_end(tmp_path, monkeypatch, capsys):
    """Check the file of a short run, and that a row back is recalled."""
    monkeypatch.setattr(processes, "call_in_process", call_here)
    assert main(["--quick", "--output", str(tmp_path)]) == 0
    results = pd.read_csv(tmp_path / "recall.csv")
    assert results["label"].tolist() == ["rows before", "turns of the speaker before"]
    assert results["accuracy"][0] > 0.95
    assert "chance" in capsys.readouterr().out
