"""Tests of what is recalled of earlier rows: words far back, and those of the same speaker."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._training import _fit
from sk_ctxmem.datasets import make_conversations

WORDS = np.array(["red", "blue", "green"])
COLUMNS = {"text_column": "text", "group_column": "group", "order_column": "order"}


def make_talks(n_talks, n_turns, names, seed, back=1):
    """Return talks whose label is the word that the same speaker said `back` turns of his ago."""
    random, rows = np.random.RandomState(seed), []
    for group in range(n_talks):
        words = random.choice(WORDS, size=n_turns)
        said = {}
        for order, word in enumerate(words):
            speaker = names(group, random.randint(3))
            before = said.setdefault(speaker, [])
            label = before[-back] if len(before) >= back else "red"
            before.append(word)
            rows.append((f"well {word} then", group, order, speaker, label))
    return pd.DataFrame(rows, columns=["text", "group", "order", "speaker", "target"])


def known(group, number):
    """Return one of three names that occur in all talks."""
    return "ABC"[number]


def unknown(group, number):
    """Return a name that occurs in one talk."""
    return f"{group} {number}"


def score(clf, frame):
    """Return the accuracy of a fitted classifier."""
    return clf.score(frame, frame["target"])


@pytest.mark.slow
@pytest.mark.parametrize(("context", "lag"), [("past", 20), ("past", 45), ("both", 30)])
def test_a_word_far_back_is_recalled(context, lag):
    """Check that the word of a row many rows before decides the label."""
    talks = make_conversations(1050, n_turns=(lag + 25, lag + 45), lag=lag, random_state=0).frame
    is_test = talks["group"] >= 900
    clf = ContextMemoryClassifier(**COLUMNS, context=context, random_state=0)
    clf.fit(talks[~is_test], talks["target"][~is_test])
    assert score(clf, talks[is_test]) > 0.97


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sk_ctxmem.exceptions.UnknownSpeakersWarning")
@pytest.mark.parametrize("names", [known, unknown])
@pytest.mark.parametrize("back", [1, 3])
def test_what_the_same_speaker_said_is_recalled(back, names):
    """Check words of the same speaker, in talks of three known or unknown ones in random order."""
    train, test = make_talks(900, 24, names, 0, back), make_talks(100, 24, names, 1, back)
    clf = ContextMemoryClassifier(**COLUMNS, speaker_column="speaker", random_state=0)
    clf.fit(train, train["target"])
    assert score(clf, test) > 0.98
    merged = test.assign(speaker="someone")
    assert score(clf, merged) < 0.7  # that of a single speaker is another word


@pytest.fixture(scope="module")
def spoken():
    """Return a classifier of talks with speakers, quickly fitted, whose turn weights are drawn."""
    train = make_talks(60, 40, known, 0)
    clf = ContextMemoryClassifier(
        **COLUMNS, speaker_column="speaker", hidden_size=16, max_epochs=2, random_state=0
    )
    return clf.fit(train, train["target"])


@pytest.mark.filterwarnings("ignore::sk_ctxmem.exceptions.UnknownSpeakersWarning")
@pytest.mark.parametrize("names", [known, unknown])
def test_a_session_of_300_turns_is_the_batch(spoken, names):
    """Check each turn of a long session, where most rows have left the window."""
    talk = make_talks(1, 300, names, 3)
    talk.loc[[5, 6, 80, 81, 200], "speaker"] = None
    session = spoken.session()
    turns = zip(talk["text"], talk["speaker"], strict=True)
    said = [session.predict_proba_one(text, speaker) for text, speaker in turns]
    np.testing.assert_allclose(said, spoken.predict_proba(talk), atol=1e-6)


def test_a_stored_session_still_knows_who_spoke(spoken):
    """Check that a session goes on from its state, which keeps the speakers of 39 turns."""
    talk = make_talks(1, 90, known, 3)
    session = spoken.session()
    for row, (text, speaker) in enumerate(zip(talk["text"], talk["speaker"], strict=True)):
        if row == 70:
            session = spoken.session(state=session.state())
        said = session.predict_proba_one(text, speaker)
    np.testing.assert_allclose(said, spoken.predict_proba(talk)[-1], atol=1e-6)
    state = session.state()
    assert (state["attention"].shape, state["speaker"].shape) == ((39, 48), (39, 16))
    assert sum(array.nbytes for array in state.values()) < 16_000


@pytest.mark.filterwarnings("ignore::sk_ctxmem.exceptions.UnknownSpeakersWarning")
def test_two_unknown_speakers_are_not_one(spoken):
    """Check that it matters which of the unknown speakers spoke before."""
    talk = make_talks(1, 30, unknown, 3)
    of_two = talk.assign(speaker=np.resize(["x", "x", "y"], 30))
    others = talk.assign(speaker=np.resize(["v", "v", "w"], 30))
    of_one = talk.assign(speaker=np.resize(["x", "x", "z"], 30)).replace({"z": "x"})
    changes = spoken.predict_proba(of_two), spoken.predict_proba(of_one)
    assert np.abs(changes[0] - changes[1]).max() > 0.01
    np.testing.assert_array_equal(changes[0], spoken.predict_proba(others))


def read_sizes(path):
    """Return the sizes of the network in a file, as they are written."""
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if "config" in name)
        return json.dumps(json.loads(archive.read(name)))


def test_a_warm_start_keeps_the_attention_of_an_older_version(monkeypatch, tmp_path):
    """Check that a model of an older version is trained, saved and continued as it is."""
    train = make_talks(30, 40, known, 0)
    options = {"hidden_size": 8, "max_epochs": 1, "random_state": 0, "speaker_column": "speaker"}
    clf = ContextMemoryClassifier(**COLUMNS, **options)
    with monkeypatch.context() as patch:
        patch.setattr(_fit, "choose_window", lambda *_, **__: _fit.FORMER_WINDOW)
        patch.setattr(_fit, "N_TURNS", 0)
        clf.fit(train, train["target"])
    clf.save(tmp_path / "former")
    assert "n_turns" not in read_sizes(tmp_path / "former")
    loaded = ContextMemoryClassifier.load(tmp_path / "former").set_params(warm_start=True)
    np.testing.assert_array_equal(loaded.predict_proba(train), clf.predict_proba(train))
    before = loaded.predict_proba(train)
    loaded.fit(train, train["target"])
    assert np.abs(loaded.predict_proba(train) - before).max() > 0.001
    state = loaded.session().state()
    assert (state["attention"].shape, state["speaker"].shape) == ((15, 64), (16,))
    loaded.set_params(warm_start=False).fit(train, train["target"]).save(tmp_path / "new")
    assert "n_turns" in read_sizes(tmp_path / "new")
    assert loaded.session().state()["attention"].shape == (39, 48)
