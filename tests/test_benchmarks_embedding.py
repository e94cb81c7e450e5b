"""Tests of the comparison of models with and without vectors beside n-grams."""

import numpy as np
import pandas as pd
import pytest
from _benchmark_data import call_here, make_frame

from benchmarks.corpora.corpus import Corpus
from benchmarks.embedding import measure, report
from benchmarks.embedding.__main__ import main
from benchmarks.measuring import processes


def make_corpus():
    """Return a corpus of three parts, and nothing to tell its rows by but their words."""
    frame = make_frame(n_groups=40)
    splits = np.repeat(["train", "valid", "test"], [100, 50, 50])
    return Corpus("greetings", frame.assign(split=splits))


def test_linear_models_are_fitted_once_and_ours_with_each_seed(tmp_path):
    """Check the jobs on all rows, and on a number of them that is drawn anew for each seed."""
    jobs = measure.plan([make_corpus()], [measure.ALL, 50], [0, 1], "lsa", tmp_path)
    of_all = [(model, seed) for _, model, size, seed, *_ in jobs if size == measure.ALL]
    assert of_all == [
        *((model, 0) for model in measure.MODELS[:3]),
        *((model, seed) for model in measure.MODELS[3:] for seed in (0, 1)),
    ]
    assert len(jobs) - len(of_all) == 2 * len(measure.MODELS)


@pytest.mark.parametrize("model", ["lr, vectors alone", "lr, both", "ours, both"])
def test_each_model_reads_the_vectors(model, tmp_path):
    """Check a fit of each kind on rows that the vectors tell apart."""
    (row,) = measure.measure(make_corpus(), model, 60, 0, "lsa", tmp_path)
    assert row["accuracy"] == 1
    assert row["rows"] == 60
    assert row["cpu_seconds"] > 0


def test_the_table_has_a_column_for_each_model():
    """Check means over seeds, in the order of the models."""
    results = pd.DataFrame(
        {
            "corpus": ["a"] * 3,
            "rows": [100] * 3,
            "model": ["ours", "ours", "lr"],
            "accuracy": [0.9, 0.8, 0.7],
        }
    )
    table = report.summarise(results)
    assert table.columns.tolist() == ["corpus", "rows", "lr", "ours"]
    assert table.to_numpy().tolist() == [["a", 100, 70.0, 85.0]]


@pytest.mark.slow
def test_command_from_end_to_end(tmp_path, monkeypatch, capsys):
    """Check the file and the tables of a short run."""
    monkeypatch.setattr(processes, "call_in_process", call_here)
    data = tmp_path / "greetings.csv"
    make_corpus().frame.to_csv(data, index=False)
    options = ["--data", str(data), "--embedder", "lsa", "--seeds", "0"]
    assert main([*options, "--output", str(tmp_path / "out")]) == 0
    results = pd.read_csv(tmp_path / "out" / "embedding.csv")
    assert results["model"].tolist() == list(measure.MODELS)
    assert (results["accuracy"] == 1).all()
    assert "weighted F1" in capsys.readouterr().out


def test_some_models_alone(tmp_path):
    """Check that a run of some models has no job of the others."""
    jobs = measure.plan([make_corpus()], [50], [0], "lsa", tmp_path, ["lr", "ours, both"])
    assert [model for _, model, *_ in jobs] == ["lr", "ours, both"]


@pytest.mark.parametrize("models", ["ours-both,tree", ""])
def test_unknown_models_are_named(models, capsys):
    """Check that the command ends before it reads anything."""
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["--data", "none.csv", "--models", models])
    assert "is unknown; choose from lr, lr-vectors, lr-both" in capsys.readouterr().err


def test_string_encoder_reads_the_texts(tmp_path):
    """Check a fit with the encoder of skrub."""
    pytest.importorskip("skrub")
    (row,) = measure.measure(make_corpus(), "ours, both", 60, 0, "string-encoder", tmp_path)
    assert (row["embedder"], row["accuracy"]) == ("string-encoder", 1)
