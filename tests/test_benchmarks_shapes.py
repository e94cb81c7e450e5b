"""Tests of the comparison with labels of other shapes: one for a group, several for a row."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from _benchmark_data import make_frame, run

from benchmarks.comparison.__main__ import build_parser, main, plan
from benchmarks.corpora.corpus import targets
from benchmarks.corpora.files import Columns, load_files
from benchmarks.corpora.labels import read_turns
from benchmarks.measuring.metrics import label_scores, probability_scores, recalls
from benchmarks.measuring.store import COLUMNS, LATER_COLUMNS, Store

PER_GROUP = Columns(label="mood", per_group=True)
SEVERAL = Columns(labels="acts", separator="+")


def make_calls(n_groups=20):
    """Return calls of which a turn in the middle tells the mood, and in which two people speak."""
    frame = make_frame(n_groups)
    is_bad = frame["group"] % 2 == 1
    says = is_bad & (frame["order"] == 2)
    frame["text"] = frame["text"].mask(says, "this is terrible")
    moods = np.where(is_bad, "bad", "fine")
    return frame.assign(mood=moods, speaker=frame["order"] % 2).drop(columns="label")


def make_acts(n_rows=100):
    """Return rows whose labels are words of their text; some have none, and some two."""
    words = np.array(["ask", "thank", ""])
    first, second = words[np.arange(n_rows) % 3], words[np.arange(n_rows) // 3 % 3]
    frame = pd.DataFrame({"text": pd.Series(first) + " and " + second})
    acts = [" + ".join(sorted({a, b} - {""})) for a, b in zip(first, second, strict=True)]
    return frame.assign(acts=acts)


@pytest.fixture
def calls(tmp_path):
    """CSV file of calls that have one mood each."""
    path = tmp_path / "calls.csv"
    make_calls().to_csv(path, index=False)
    return path


@pytest.fixture
def acts(tmp_path):
    """Parquet file of rows with several labels."""
    path = tmp_path / "acts.parquet"
    make_acts().to_parquet(path)
    return path


def test_groups_become_rows(tmp_path):
    """Check texts, turns in their order with their speakers, labels and a split of groups."""
    path = tmp_path / "calls.parquet"
    make_calls().sample(frac=1, random_state=0).to_parquet(path)
    corpus = load_files([path], PER_GROUP)[0]
    assert corpus.name == "calls (per group)"
    assert corpus.is_of_sequences
    assert not corpus.has_groups
    assert len(corpus.frame) == 20
    assert corpus.frame["split"].value_counts().to_dict() == {"train": 16, "test": 4}
    bad = corpus.frame[corpus.frame["label"] == "bad"]
    expected = ["hello and welcome", "goodbye and farewell", "this is terrible"]
    assert bad["text"].iloc[0].split("\n")[:3] == expected
    turns = read_turns(bad)[0]
    assert turns["text"].tolist()[:3] == expected
    assert turns["speaker"].tolist() == [0, 1, 0, 1, 0]


def test_turns_without_speakers_are_texts(tmp_path):
    """Check that groups without speakers are lists of texts."""
    path = tmp_path / "calls.csv"
    make_calls().drop(columns="speaker").to_csv(path, index=False)
    turns = read_turns(load_files([path], PER_GROUP)[0].frame)
    assert [type(group) for group in turns] == [list] * 20
    assert len(turns[0]) == 5


def test_split_column_of_groups_is_used(tmp_path):
    """Check that the split of the rows is that of their group."""
    path = tmp_path / "calls.csv"
    frame = make_calls()
    frame["split"] = np.where(frame["group"] < 15, "train", "test")
    frame.to_csv(path, index=False)
    corpus = load_files([path], PER_GROUP)[0]
    assert len(corpus.part("train")) == 15
    assert len(corpus.part("test")) == 5


@pytest.mark.parametrize(("name", "other"), [("mood", "fine"), ("split", "test")])
def test_groups_with_several_values_are_named(tmp_path, name, other):
    """Check that a group has one label and stands in one split."""
    path = tmp_path / "calls.csv"
    frame = make_calls().assign(split="train")
    frame.loc[frame["group"] == 0, "split"] = "test"
    frame.loc[7, name] = other
    frame.to_csv(path, index=False)
    column = "label" if name == "mood" else "split"
    with pytest.raises(ValueError, match=f"group '1' with several values in the {column} column"):
        load_files([path], PER_GROUP)


def test_one_label_for_each_group_needs_groups(tmp_path):
    """Check that the missing column is named."""
    path = tmp_path / "calls.csv"
    make_calls().drop(columns="group").to_csv(path, index=False)
    with pytest.raises(ValueError, match="has no group column 'group'; its columns are"):
        load_files([path], PER_GROUP)


def test_groups_are_compared(calls, tmp_path, capsys):
    """Check accuracy and area under the curve of both, with speakers and order."""
    options = ("--label", "mood", "--per", "group", "--seeds", "0", "--contexts", "past")
    code, results = run(calls, tmp_path / "out", "--models", "lr,context-memory", *options)
    assert code == 0
    assert results["model"].tolist() == ["lr", "context-memory (past)"]
    assert results["accuracy"][0] == 1
    assert results["roc_auc"].tolist() == [1, 1]
    parameters = json.loads(results["parameters"][1])
    assert parameters == {"context": "past", "text_column": "text", "speaker_column": "speaker"}
    table = capsys.readouterr().out
    assert "calls (per group): 16 training rows, scored on 4 rows" in table
    assert "ROC AUC" in table
    assert "micro F1" not in table


def test_models_of_rows_are_left_out_of_groups(calls):
    """Check the rows of the table without --models."""
    options = ["--data", str(calls), "--label", "mood", "--per", "group"]
    models = {job.model for job in plan(build_parser().parse_args(options))}
    assert not models & {"lr-window", "crf", "context-memory"}
    assert models >= {"lr", "svm-char", "context-memory (past)", "context-memory (both)"}


def test_labels_become_columns(acts):
    """Check the indicator, that spaces around labels do not count, and that a cell may be empty."""
    corpus = load_files([acts], SEVERAL)[0]
    assert corpus.is_multilabel
    found, rows = targets(corpus.frame), make_acts()
    assert list(found) == ["ask", "thank"]
    expected = [[name in cell for name in found] for cell in rows["acts"]]
    assert found.to_numpy().tolist() == expected
    assert (found.sum(axis=1) == 0).any()


def test_labels_that_cannot_be_learned_are_left_out(tmp_path):
    """Check that a label of test rows alone is named in a warning."""
    path = tmp_path / "acts.csv"
    frame = make_acts().assign(split=np.repeat(["train", "test"], 50))
    frame.loc[70, "acts"] = "ask+swear"
    frame.to_csv(path, index=False)
    with pytest.warns(UserWarning, match="none or all of its training rows have.*: swear"):
        corpus = load_files([path], SEVERAL)[0]
    assert list(targets(corpus.frame)) == ["ask", "thank"]
    frame.assign(acts="ask+thank").to_csv(path, index=False)
    with pytest.raises(ValueError, match="training rows .* all have the same labels"):
        load_files([path], SEVERAL)


def test_another_separator_is_named(acts):
    """Check that labels which are never separated raise an error with a cell."""
    with pytest.raises(ValueError, match=r"separator ';', such as 'ask'; pass another --separator"):
        load_files([acts], Columns(labels="acts"))


def test_several_labels_are_compared(acts, tmp_path, capsys):
    """Check micro and macro F1, subset accuracy, recalls and the paired comparison."""
    output, models = tmp_path / "out", "lr,svm-char,context-memory"
    options = ("--labels", "acts", "--separator", "+", "--seeds", "0", "--models", models)
    code, results = run(acts, output, *options)
    assert code == 0
    assert results["model"].tolist() == models.split(",")
    assert results["micro_f1"].tolist() == [1, 1, 1]
    assert results["accuracy"].tolist() == [1, 1, 1]
    assert results["macro_f1"].tolist() == [1, 1, 1]
    assert results["ece"].isna().all()
    recalls_of_labels = pd.read_csv(output / "recalls.csv")
    assert recalls_of_labels["class"].tolist() == ["ask", "thank"] * 3
    assert pd.read_csv(output / "comparisons.csv")["difference"].tolist() == [0]
    table = capsys.readouterr().out
    assert "micro F1" in table
    assert "subset accuracy" in table
    assert "ROC AUC" not in table


def test_each_group_may_have_several_labels(tmp_path, capsys):
    """Check --per group together with --labels."""
    frame = make_calls()
    acts = np.where(frame["group"] < 4, "", np.array(["open", "open;bad"])[frame["group"] % 2])
    frame.assign(acts=acts).to_csv(tmp_path / "calls.csv", index=False)
    options = ("--labels", "acts", "--per", "group", "--models", "lr,context-memory")
    shorter = ("--seeds", "0", "--contexts", "both")
    results = run(tmp_path / "calls.csv", tmp_path / "out", *options, *shorter)[1]
    assert results["model"].tolist() == ["lr", "context-memory (both)"]
    assert results["micro_f1"].notna().all()


def test_a_group_has_the_same_labels_in_all_rows(tmp_path):
    """Check that an empty cell beside others is no gap but another set of labels."""
    frame = make_calls().assign(acts="a;b")
    frame.loc[7, "acts"] = None
    frame.to_csv(tmp_path / "calls.csv", index=False)
    with pytest.raises(ValueError, match=r"group '1' with several values .* \('', 'a;b'\)"):
        load_files([tmp_path / "calls.csv"], Columns(labels="acts", per_group=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--labels", "acts", "--label", "act"], "--label and --labels exclude each other"),
        (["--separator", ";"], "--separator is what stands between"),
        (["--labels", "acts", "--separator", ""], "--separator is empty"),
        (["--per", "group", "--models", "lr,crf"], "crf of --models cannot be .* --per group"),
        (["--labels", "acts", "--models", "fasttext"], "fasttext of --models .* --labels"),
    ],
)
def test_options_that_do_not_go_together_are_refused(calls, capsys, options, message):
    """Check that the error is one line that names them."""
    with pytest.raises(SystemExit, match="2"):
        main(["--data", str(calls), *options])
    assert re.search(f"^error: .*{message}.*\n$", capsys.readouterr().err)


@pytest.mark.parametrize("source", [[], ["--demo"], ["--data", "docstrings"]])
@pytest.mark.parametrize("options", [["--per", "group"], ["--labels", "acts"]])
def test_the_embedded_corpus_has_one_class_for_each_line(capsys, source, options):
    """Check that other labels need files."""
    with pytest.raises(SystemExit, match="2"):
        main([*source, *options])
    assert "need --data with files of yours" in capsys.readouterr().err


def test_measures_of_several_labels_are_those_by_hand():
    """Check subset accuracy, F1 and recall where one label does not occur."""
    true = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0]])
    predicted = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 1]])
    found = label_scores(true, predicted)
    assert found["accuracy"] == pytest.approx(1 / 3)
    assert found["micro_f1"] == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert found["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["macro_recall"] == pytest.approx((1 + 1 / 2) / 2)
    assert recalls(true, predicted)["support"].tolist() == [2, 2]
    assert recalls(true, predicted)["recall"].tolist() == [1, 0.5]


def test_area_under_the_curve_is_of_two_classes():
    """Check the share of pairs in their order, and that three classes have none."""
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.2, 0.8]])
    y = pd.Series(["a", "a", "b", "b"])
    assert probability_scores(y, probabilities, np.array(["a", "b"]))["roc_auc"] == 0.75
    assert np.isnan(probability_scores(y[:2], probabilities[:2], np.array(["a", "b"]))["roc_auc"])
    three = np.array([[0.5, 0.3, 0.2], [0.2, 0.5, 0.3]])
    found = probability_scores(pd.Series(["a", "b"]), three, np.array(["a", "b", "c"]))
    assert np.isnan(found["roc_auc"])


def test_results_of_earlier_versions_are_read(calls, tmp_path, capsys):
    """Check that a file without the newer columns is kept, and gets them."""
    options = ("--label", "mood", "--seeds", "0", "--models")
    path = tmp_path / "out" / "results.csv"
    first = run(calls, path.parent, *options, "lr")[1]
    first.drop(columns=list(LATER_COLUMNS)).to_csv(path, index=False)
    assert len(Store(path.parent).results([])) == 0
    both = run(calls, path.parent, *options, "lr,svm-char")[1]
    assert tuple(both) == COLUMNS
    assert both["model"].tolist() == ["lr", "svm-char"]
    assert both["accuracy"][0] == first["accuracy"][0]
    assert np.isnan(both["roc_auc"][0])
