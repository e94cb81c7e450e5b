"""Tests of the dialogues that come with the package."""

import gzip
import json

import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks.corpora import service_dialogues as builder
from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_service_dialogues


def test_splits_are_whole_dialogues_in_order():
    """Check sizes, and that turns of two speakers are numbered without gaps."""
    everything = load_service_dialogues()
    train, test = load_service_dialogues(subset="train"), load_service_dialogues(subset="test")
    assert (len(train.data), len(test.data)) == (4702, 1434)
    assert (train.groups.nunique(), test.groups.nunique()) == (240, 80)
    assert not set(train.groups) & set(test.groups)
    pd.testing.assert_frame_equal(
        pd.concat([train.frame, test.frame], ignore_index=True), everything.frame
    )
    for _, turns in everything.frame.groupby("group"):
        assert turns["order"].tolist() == list(range(len(turns)))
        assert turns["speaker"].tolist()[:2] == ["user", "system"]
        assert turns["services"].nunique() == 1
    assert everything.frame.notna().all(axis=None)
    assert (everything.frame != "").all(axis=None)


def test_the_bunch_has_the_fields_of_the_others():
    """Check the columns, the classes, and that the description names source and licence."""
    dialogues = load_service_dialogues()
    assert dialogues.data.columns.tolist() == ["text", "group", "order", "speaker"]
    assert len(dialogues.target_names) == 38
    assert dialogues.target.equals(dialogues.frame["target"])
    assert "CC BY-SA 4.0" in dialogues.DESCR
    assert "google-research-datasets" in dialogues.DESCR
    assert max(map(len, dialogues.DESCR.splitlines())) <= 100


@pytest.mark.parametrize("subset", ["all", "test"])
def test_acts_are_columns_of_zeros_and_ones(subset):
    """Check that several labels say the same as the set of acts."""
    sets = load_service_dialogues(subset=subset)
    acts = load_service_dialogues(subset=subset, target="acts")
    assert acts.target_names == acts.target.columns.tolist()
    assert len(acts.target_names) == 18
    joined = acts.target.apply(lambda row: " ".join(row.index[row == 1]), axis=1)
    assert joined.tolist() == sets.target.tolist()
    assert acts.data.equals(sets.data)


@pytest.mark.parametrize("choice", [{"subset": "valid"}, {"target": "services"}])
def test_unknown_choices_are_refused(choice):
    """Check that the message names the value and the choices."""
    ((name, value),) = choice.items()
    with pytest.raises(ValueError, match=f"{name}='{value}' must be one of"):
        load_service_dialogues(**choice)


def test_memory_helps_on_real_dialogues():
    """Check that the turns before are worth ten points and more over logistic regression."""
    train, test = load_service_dialogues(subset="train"), load_service_dialogues(subset="test")
    lr = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10, max_iter=500))
    lr.fit(train.data["text"], train.target)
    clf = ContextMemoryClassifier(
        text_column="text", group_column="group", order_column="order", random_state=0
    ).fit(train.data, train.target)
    gain = clf.score(test.data, test.target) - lr.score(test.data["text"], test.target)
    assert gain > 0.1


def _write_source(folder, ids):
    """Write files of the form of the source, with one dialogue of two turns for each id."""
    turns = [
        {"speaker": "USER", "utterance": "A table, please.", "frames": [{"actions": []}]},
        {
            "speaker": "SYSTEM",
            "utterance": 'At "five"?',
            "frames": [{"actions": [{"act": "REQUEST"}, {"act": "OFFER"}, {"act": "OFFER"}]}],
        },
    ]
    for split, numbers in builder.FILES.items():
        (folder / split).mkdir()
        for number in numbers:
            dialogues = [
                {
                    "dialogue_id": f"{number}_{at}",
                    "services": ["Hotels_2", "Buses_1"],
                    "turns": turns,
                }
                for at in ids
            ]
            path = folder / split / f"dialogues_{number:03}.json"
            path.write_text(json.dumps(dialogues), encoding="utf-8")


def test_the_file_is_made_of_the_source(tmp_path):
    """Check what is chosen and written, and that a second run writes the same bytes."""
    _write_source(tmp_path, range(40))
    made = builder.build(tmp_path)
    assert made == builder.build(tmp_path)
    (tmp_path / "made.csv").write_bytes(gzip.decompress(made))
    frame = pd.read_csv(tmp_path / "made.csv", keep_default_na=False)
    assert frame.groupby("split")["group"].nunique().to_dict() == builder.N_DIALOGUES
    assert frame["text"].tolist()[:2] == ["A table, please.", 'At "five"?']
    assert frame["acts"].tolist()[:2] == ["", "OFFER REQUEST"]
    assert set(frame["services"]) == {"Buses Hotels"}
    assert set(frame["speaker"]) == {"user", "system"}
