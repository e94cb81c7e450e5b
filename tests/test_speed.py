"""Tests of the speed benchmark: what is in the tables, never how long something took."""

import json
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.corpora.corpus import Corpus
from benchmarks.models.fasttext import FastText
from benchmarks.models.features import make_tokenizer
from benchmarks.speed import fit, processes
from benchmarks.speed.__main__ import PLANS, main
from benchmarks.speed.choices import choose_strengths, is_usable
from benchmarks.speed.fit import add_means, measure_fit
from benchmarks.speed.growth import add_relative, make_points
from benchmarks.speed.models import find_char_range, installed_models, make_same_ngrams
from benchmarks.speed.report import display_bounds, markdown, write_report
from benchmarks.speed.tasks import Settings, first_with_groups, resample_groups, resample_rows
from benchmarks.speed.vocabulary import describe_features, make_features
from sk_ctxmem import TextSequenceVectorizer
from sk_ctxmem.comparison import LOGISTIC_REGRESSION, SGD

ROOT = Path(__file__).parents[1]


def make_corpus(grouped=True, n_groups=24, rows_per_group=5):
    """Rows whose label is in their text; the last quarter of the groups is for test."""
    turn = np.tile(np.arange(rows_per_group), n_groups)
    group = np.repeat(np.arange(n_groups), rows_per_group)
    frame = pd.DataFrame({"group": group, "order": turn})
    frame["text"] = np.where(turn % 2, "goodbye and farewell", "hello and welcome")
    frame["label"] = np.where(turn % 2, "close", "open")
    frame["split"] = np.where(group < n_groups * 3 // 4, "train", "test")
    name = "calls" if grouped else "texts"
    return Corpus(name, frame if grouped else frame.drop(columns=["group", "order"]))


class SameProcess(processes.Child):
    """Stand-in that runs the function in this process, as each child takes seconds to start."""

    def __init__(self, function, *arguments):
        self._values = iter(function(*arguments))

    def receive(self, limit=None):
        return next(self._values)

    def __exit__(self, *error):
        """Leave this process alone."""


@pytest.fixture
def same_process(monkeypatch):
    """Let nothing start a child process."""
    monkeypatch.setattr(processes, "Child", SameProcess)


@pytest.fixture
def settings(tmp_path):
    """Tiny sizes, one measurement."""
    return Settings(tmp_path / "out", repeats=1, quick=True)


def measure(table, corpora, settings):
    """Rows of a table, with all its tasks."""
    tasks = PLANS[table](corpora, settings)
    return pd.DataFrame([row for task in tasks for row in task.run()])


def sleep_between_values():
    """Yield at once, then after a minute."""
    yield os.environ["OMP_NUM_THREADS"]
    time.sleep(60)
    yield "late"


def fail_after_a_value():
    """Yield, then raise an error."""
    yield 1
    raise KeyError("no such thing")


def die():
    """Die as the system kills a process that takes too much memory."""
    os._exit(9)


def test_child_has_one_thread_and_is_stopped_after_the_limit():
    """Check that a value that does not come in time ends the process."""
    before = dict(os.environ)
    with processes.Child(sleep_between_values) as child:
        assert child.receive() == "1"
        with pytest.raises(TimeoutError, match=r"nothing came in 0\.2 seconds"):
            child.receive(0.2)
        process = child._process
    assert not process.is_alive()
    assert dict(os.environ) == before


@pytest.mark.slow
def test_errors_of_a_child_are_raised_here():
    """Check that values before an error arrive, and that a killed child is an error."""
    with processes.Child(fail_after_a_value) as child:
        assert next(child) == 1
        with pytest.raises(KeyError, match="no such thing"):
            next(child)
    with pytest.raises(RuntimeError, match="the process was killed"):
        processes.call_in_child(die)


def test_resampled_groups_are_whole_and_new():
    """Check that each new group holds the rows of an old one, in their order."""
    train = make_corpus().part("train")
    resampled = resample_groups(train, 1_000)
    assert len(resampled) == 1_000
    assert resampled["group"].nunique() == 200
    assert (resampled.groupby("group")["order"].agg(list).map(tuple) == tuple(range(5))).all()
    single = resample_groups(make_corpus(grouped=False).part("train"), 1_000)
    assert list(single) == ["text", "label", "split"]
    assert len(single) == 1_000


def test_sampled_rows_have_two_classes():
    """Check that a class in a single row of many is among the few rows drawn."""
    frame = pd.DataFrame({"text": "a", "label": ["x"] * 999 + ["y"]})
    assert len(resample_rows(frame, 10)) == 10
    assert set(resample_rows(frame, 10)["label"]) == {"x", "y"}


def test_first_corpus_with_groups_is_chosen():
    """Check that corpora without groups are passed over, unless there are no others."""
    calls, texts = make_corpus(), make_corpus(grouped=False)
    assert first_with_groups([texts, calls]) is calls
    assert first_with_groups([texts]) is texts


def test_words_are_those_of_the_vectorizers():
    """Check that punctuation marks are words, and that Chinese is cut into characters."""
    assert make_tokenizer(pd.Series(["well, yes!"]))("well, yes!") == ["well", ",", "yes", "!"]
    assert make_tokenizer(pd.Series(["房间很 干净"]))("房间 OK") == ["房", "间", "O", "K"]


@pytest.mark.skipif(find_spec("fasttext") is None, reason="needs fasttext-numpy2")
def test_fasttext_learns_and_survives_odd_texts():
    """Check the labels, also of an empty text and of one that looks like a label."""
    corpus = make_corpus(grouped=False)
    train = corpus.part("train")
    train.loc[0, "text"] = "#:1 __label__1 hello"
    model = FastText(seed=0).fit(train, train["label"])
    odd = pd.DataFrame({"text": ["goodbye", "hello\n#:1 welcome", ""]})
    predicted = model.predict(odd).tolist()
    assert predicted[:2] == ["close", "open"]
    assert predicted[2] in {"close", "open"}


def test_choices_are_searched_once(same_process, settings, monkeypatch):
    """Check that the file is keyed by the corpus, and that a second run reads it."""
    corpus = make_corpus()
    first = choose_strengths(corpus, settings)
    assert set(first) == {LOGISTIC_REGRESSION, SGD}
    kept = json.loads((settings.output / "choices.json").read_text())
    assert kept["calls"][LOGISTIC_REGRESSION]["strength"] == 1.0
    assert len(kept["calls"][SGD]["accuracies"]) == 7
    monkeypatch.setattr(processes, "Child", None)
    assert choose_strengths(corpus, settings) == first


def test_stopped_searches_are_used_for_limits_that_are_no_longer():
    """Check when an entry of the file has to be searched again."""
    assert not is_usable(None, 300)
    assert is_usable({"stopped_after": None}, 300)
    assert is_usable({"stopped_after": 300}, 300)
    assert not is_usable({"stopped_after": 100}, 300)


@pytest.mark.parametrize("grouped", [True, False])
def test_fit_table(same_process, settings, grouped):
    """Check the row of a corpus: all models that are installed, their ratios and accuracies."""
    (row,) = measure("fit", [make_corpus(grouped)], settings).to_dict("records")
    assert row["groups"] == ("yes" if grouped else "no")
    assert row["n_train"] == 90
    assert row["lr_rounds"] == 1
    assert not row["lr_stopped"]
    measured = set(installed_models()) - ({"fasttext"} if grouped else set())
    for name in measured:
        assert row[f"{name}_seconds"] > 0
        assert 0.4 < row[f"{name}_accuracy"] <= 1
    assert row["ours/lr"] == row["ours_seconds"] / row["lr_seconds"]
    assert row["words/lr"] == row["words_seconds"] / row["lr_seconds"]
    assert row["ours/same"] == row["ours_seconds"] / row["same_seconds"]
    assert row["ours/linear_same"] == row["ours_seconds"] / row["linear_same_seconds"]
    assert not row["same_stopped"]
    assert np.isnan(row["fasttext_seconds"]) == ("fasttext" not in measured)


def test_all_ngrams_of_ours_are_those_of_the_vectorizer():
    """Check that logistic regression has as many features as our vectorizer by default."""
    train = make_corpus(grouped=False).part("train")
    model = make_same_ngrams(train, LOGISTIC_REGRESSION, 1.0, 0, find_char_range(train))
    union = model.fit(train["text"], train["label"])[0]
    ours = TextSequenceVectorizer().fit_transform(train["text"].tolist())
    assert union.transform(train["text"]).shape == ours.shape


def test_slow_logistic_regression_gets_one_round(same_process, settings, monkeypatch):
    """Check that the other models go on."""
    monkeypatch.setattr(fit, "SLOW_FIT", 0.0)
    arguments = (["lr", "linear"], *map(make_corpus().part, ("train", "test")))
    found = list(fit.time_fit(*arguments, {LOGISTIC_REGRESSION: 1.0, SGD: 1e-5}, 3))
    assert found[0] is None
    fitted = [name for name, measured, _ in found[1:] if measured == "seconds"]
    assert fitted == ["lr", "linear", "linear", "linear"]


def test_stopped_logistic_regression_gives_bounds(same_process, settings, monkeypatch):
    """Check that its time is the limit, and that the table marks the bounds."""

    class Stopped(SameProcess):
        def receive(self, limit=None):
            if limit is not None:
                raise TimeoutError
            return super().receive()

    corpus = make_corpus(grouped=False)
    choose_strengths(corpus, settings)
    monkeypatch.setattr(processes, "Child", Stopped)
    table = add_means(pd.DataFrame(measure_fit(corpus, settings)))
    assert table["lr_seconds"][0] == settings.limit
    assert table["lr_rounds"][0] == 0
    assert np.isnan(table["lr_accuracy"][0])
    shown = display_bounds(table)
    assert shown["lr_seconds"][0] == "> 300"
    assert shown["ours/lr"].str.startswith("< ").tolist() == [True, True]
    for ratio in ("words/lr", "ours/same"):
        assert shown[ratio].str.startswith("< ").tolist() == [True, True]


def test_means_are_geometric():
    """Check the last line; corpora with groups are no match for fastText."""
    table = pd.DataFrame(
        {
            "corpus": ["a", "b"],
            "groups": ["yes", "no"],
            "lr_stopped": False,
            "ours/lr": [0.1, 0.4],
            "ours/linear": [1.0, 4.0],
            "ours/fasttext": [5.0, 2.0],
            "words/lr": [0.5, 0.5],
            "same_stopped": False,
            "ours/same": [0.1, 0.1],
        }
    )
    last = add_means(table).iloc[-1]
    assert last["corpus"] == "geometric mean"
    ratios = ["ours/lr", "ours/linear", "ours/fasttext", "words/lr", "ours/same"]
    assert last[ratios].tolist() == pytest.approx([0.2, 2.0, 2.0, 0.5, 0.1])


def test_synthetic_features_are_alike_at_each_size():
    """Check that a batch touches about as many columns, and that common ones stay the same."""
    small, large = (make_features(size, n_rows=2_000) for size in (20_000, 200_000))
    ours, theirs = describe_features(small, 400), describe_features(large, 400)
    assert ours["values_per_row"] == pytest.approx(theirs["values_per_row"], rel=0.01)
    assert ours["columns_per_batch"] == pytest.approx(theirs["columns_per_batch"], rel=0.15)
    assert large.shape == (2_000, 200_000)
    assert np.array_equal(np.unique(small[0].indices)[:10], np.unique(large[0].indices)[:10])
    assert np.sqrt(small.multiply(small).sum(axis=1)) == pytest.approx(1)


def test_points_have_as_many_words_or_rows():
    """Check the sizes of the texts and of the groups."""
    train = make_corpus().part("train")
    short, long = make_points(train, "words per text", (2, 20), 2_000)
    assert len(short.X) == 1_000
    assert [len(text.split()) for text in long.X] == [20] * 100
    assert short.n_units == long.n_units == 2_000
    points = make_points(train, "rows per group", (1, 10), 40)
    assert [(point.memory, point.X["group"].nunique()) for point in points] == [
        ("gru", 40),
        ("gru", 4),
        ("mingru", 40),
        ("mingru", 4),
    ]


def test_relative_times_are_per_unit_and_memory():
    """Check that each kind of memory is compared with its own smallest size."""
    points = pd.DataFrame({"memory": ["gru", "gru", "mingru"], "n_units": [10, 100, 10]})
    points = points.assign(fit_seconds=[1.0, 5.0, 3.0], predict_seconds=[1.0, 20.0, 1.0])
    relative = add_relative(points)
    assert relative["fit_relative"].tolist() == [1.0, 0.5, 1.0]
    assert relative["predict_relative"].tolist() == [1.0, 2.0, 1.0]


def test_growth_and_vocabulary_tables(same_process, settings):
    """Check that there is a row per point, and the plot."""
    settings.output.mkdir()
    growth = measure("growth", [make_corpus()], settings)
    assert growth.groupby("panel").size().to_dict() == {
        "rows": 2,
        "rows per group": 4,
        "words per text": 2,
    }
    assert (growth[["fit_seconds", "predict_relative"]] > 0).all(axis=None)
    vocabulary = measure("vocabulary", [], settings)
    assert vocabulary["n_features"].tolist() == [6_000, 20_000]
    assert vocabulary["ratio_to_smallest"][0] == 1
    growth.to_csv(settings.output / "speed_growth.csv", index=False)
    write_report(settings.output)
    assert (settings.output / "speed_growth.png").read_bytes().startswith(b"\x89PNG")


def test_predict_and_memory_tables(same_process, settings):
    """Check that there is a row per corpus, and one more for many rows."""
    corpora = [make_corpus(), make_corpus(grouped=False)]
    predict = measure("predict", corpora, settings)
    assert predict["corpus"].tolist() == ["calls", "texts"]
    assert (predict.drop(columns="corpus") > 0).all(axis=None)
    memory = measure("memory", corpora, settings)
    assert memory["corpus"].tolist() == ["calls", "texts", "calls, resampled to 3,000 rows"]
    assert (memory["ours_peak_mib"] >= memory["start_mib"]).all()
    assert memory["ours/lr"].isna().tolist() == [False, False, True]
    assert memory["ours/same"].isna().tolist() == [False, False, True]


@pytest.mark.slow
def test_search_table(same_process, settings):
    """Check that a cached vectorizer is fitted once per fold and once at the end."""
    (row,) = measure("search", [make_corpus()], settings).to_dict("records")
    assert row["fits"] == 4
    assert row["two/one"] > 0
    assert row["vectorizer_fits"] == row["vectorizer_fits_expected"] == 3


def test_cells_keep_what_counts():
    """Check the forms of numbers, and that bars do not break the table."""
    values = [0.12345, 1234.5, 20_000, np.nan, True, "a|b"]
    table = markdown(pd.DataFrame([values], columns=list("abcdef")))
    assert table.splitlines()[-1] == r"| 0.123 | 1,234 | 20,000 | - | 1 | a\|b |"


def test_failed_step_does_not_stop_the_others(tmp_path, capsys, monkeypatch):
    """Check that the failure is named, that the exit code is 1 and that results are kept."""
    path = tmp_path / "calls.csv"
    make_corpus().frame.to_csv(path, index=False)

    def fail_or_measure(function, name, *arguments):
        if name == "lr":
            raise MemoryError("no room")
        return 300.0, 400.0

    monkeypatch.setattr(processes, "call_in_child", fail_or_measure)
    options = ["--quick", "--tables", "memory", "--output", str(tmp_path / "out")]
    assert main(["--data", str(path), *options]) == 1
    assert "failed: memory: calls (part): MemoryError: no room" in capsys.readouterr().err
    assert len(pd.read_csv(tmp_path / "out" / "speed_memory.csv")) == 1


def test_bad_input_is_one_line(tmp_path, capsys):
    """Check that mistakes give exit code 2 and no traceback."""
    with pytest.raises(SystemExit, match="2"):
        main(["--data", str(tmp_path / "gone.csv")])
    assert capsys.readouterr().err.startswith("error: ")
    with pytest.raises(SystemExit, match="2"):
        main(["--tables", "fit,sleep"])
    assert "'sleep' is unknown; choose from fit, vocabulary" in capsys.readouterr().err


@pytest.mark.slow
def test_command_from_end_to_end(tmp_path):
    """Check that the command works in a shell, with child processes and a progress bar."""
    path, output = tmp_path / "texts.csv", tmp_path / "out"
    make_corpus(grouped=False).frame.to_csv(path, index=False)
    command = [sys.executable, "-m", "benchmarks.speed", "--quick", "--tables", "predict"]
    done = subprocess.run(
        [*command, "--repeats", "1", "--data", path, "--output", output],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert "predict: texts (part)" in done.stderr
    assert pd.read_csv(output / "speed_predict.csv")["ours/lr_one"][0] > 0
    assert "## Prediction" in (output / "speed.md").read_text(encoding="utf-8")
