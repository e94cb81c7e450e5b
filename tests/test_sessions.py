"""Tests of many live conversations at once: they must be what single sessions are."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from _sessions import SMALL, TOLERANCE, fit
from numpy.testing import assert_allclose, assert_array_equal

import sk_ctxmem._sessions._advance
from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer

# most turns have no speaker, and some a new one
pytestmark = pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")

TEXTS = ["red", "what was that ?", "", "blue", "thank you", "green and blue"]
N_SESSIONS = 5


@pytest.fixture(scope="module")
def spoken(talks):
    """Conversations of two speakers."""
    return talks.assign(speaker=np.where(np.arange(len(talks)) % 3, "client", "agent"))


@pytest.fixture(scope="module")
def classifier(spoken):
    """Fit a classifier that knows speakers."""
    return fit(spoken, speaker_column="speaker")


@pytest.fixture(scope="module")
def without_speakers(spoken):
    """Fit a classifier that knows none."""
    return fit(spoken)


@pytest.mark.parametrize("settings", [{}, {"memory": "lstm", "word_memory": True}])
def test_one_call_is_as_many_calls_of_single_sessions(settings, spoken):
    """Check that some conversations, drawn anew each time, go on as they do by themselves."""
    classifier = fit(spoken, speaker_column="speaker", **settings)
    sessions = classifier.sessions(N_SESSIONS)
    single = [classifier.session() for _ in range(N_SESSIONS)]
    random = np.random.RandomState(0)
    for _ in range(25):
        which = random.permutation(N_SESSIONS)[: random.randint(1, N_SESSIONS + 1)]
        texts = [TEXTS[number] for number in random.randint(len(TEXTS), size=len(which))]
        who = [["client", "agent", None][number] for number in random.randint(3, size=len(which))]
        found = sessions.predict_proba(texts, who, which)
        expected = [
            single[number].predict_proba_one(text, speaker)
            for number, text, speaker in zip(which, texts, who, strict=True)
        ]
        assert_allclose(found, expected, atol=TOLERANCE)
    assert sessions.n_turns_.tolist() == [session.n_turns_ for session in single]


def test_all_conversations_are_advanced_unless_some_are_named(without_speakers):
    """Check that predict takes one turn of each, and that its classes are the most probable."""
    classifier = without_speakers
    sessions, others = classifier.sessions(3), classifier.sessions(3)
    for texts in (["red", "blue", ""], ["what ?", "what ?", "what ?"]):
        labels = sessions.predict(texts)
        probabilities = others.predict_proba(pd.Series(texts), which=[0, 1, 2])
        assert_array_equal(labels, classifier.classes_[probabilities.argmax(axis=1)])
    assert sessions.n_turns_.tolist() == [2, 2, 2]
    assert len(sessions) == 3


def test_steps_of_bounded_size_change_nothing(classifier, monkeypatch):
    """Check that more turns than a step takes are read in several."""
    arguments = TEXTS, ["client", "agent", None] * 2
    expected = classifier.sessions(6)
    expected.predict(*arguments)
    monkeypatch.setattr(sk_ctxmem._sessions._advance, "MAX_BATCH_SIZE", 4)
    found = classifier.sessions(6)
    found.predict(*arguments)
    left = found.predict_proba(TEXTS[::-1])
    monkeypatch.undo()
    assert_allclose(left, expected.predict_proba(TEXTS[::-1]), atol=TOLERANCE)


@pytest.mark.parametrize("kind", ["dense", "sparse", "sequences"])
def test_features_are_advanced_as_texts_are(kind, talks):
    """Check that rows of features, and of TextSequences, go on as in single sessions."""
    X = TextSequenceVectorizer(max_features=30).fit_transform(talks["text"].tolist())
    forms = {"dense": X.features.toarray(), "sparse": X.features, "sequences": X}
    X = forms[kind]
    classifier = ContextMemoryClassifier(**SMALL).fit(X, talks["target"], groups=talks["group"])
    sessions, single = classifier.sessions(3), [classifier.session() for _ in range(3)]
    for rows in ([0, 1, 2], [5, 4, 3], [7, 7, 8]):
        found = sessions.predict_proba(X[rows])
        expected = [
            session.predict_proba_one(X[[row]]) for session, row in zip(single, rows, strict=True)
        ]
        assert_allclose(found, expected, atol=TOLERANCE)


def test_reset_gives_places_to_new_conversations(without_speakers):
    """Check that conversations that are reset know nothing, and that the others go on."""
    sessions = without_speakers.sessions(3)
    first = sessions.predict_proba(["red"] * 3)
    second = sessions.predict_proba(["red"] * 3)
    sessions.reset([1])
    assert sessions.n_turns_.tolist() == [2, 0, 2]
    third = sessions.predict_proba(["red"] * 3)
    assert_allclose(third[1], first[1], atol=TOLERANCE)
    assert np.abs(third[0] - first[0]).max() > 1e-4
    sessions.reset()
    assert_allclose(sessions.predict_proba(["red"] * 3), first, atol=TOLERANCE)
    assert np.abs(second - first).max() > 1e-4


def test_what_was_returned_is_not_changed_later(without_speakers):
    """Check that probabilities and numbers of turns are copies."""
    sessions = without_speakers.sessions(2)
    first, n_turns = sessions.predict_proba(["red", "blue"]), sessions.n_turns_
    kept = first.copy()
    sessions.predict(["blue"], which=[1])
    assert_array_equal(first, kept)
    assert n_turns.tolist() == [1, 1]


@pytest.mark.parametrize("make_copy", [copy.copy, copy.deepcopy])
def test_a_copy_goes_on_by_itself(make_copy, without_speakers):
    """Check that a copy shares the model and no turn with what it was copied from."""
    sessions = without_speakers.sessions(2)
    sessions.predict(["red", "blue"])
    copied = make_copy(sessions)
    assert copied._model is sessions._model
    expected = make_copy(sessions).predict_proba(["blue", "red"])
    sessions.predict(["green", "green"])
    assert copied.n_turns_.tolist() == [1, 1]
    assert_array_equal(copied.predict_proba(["blue", "red"]), expected)


def test_sessions_are_not_pickled(without_speakers):
    """Check that the model is not written with them in silence."""
    with pytest.raises(
        TypeError, match="Sessions cannot be pickled, because the pickle would contain"
    ):
        pickle.dumps(without_speakers.sessions(2))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((["red"],), ValueError, "1 turns were passed, but 3 are needed"),
        (("red",), TypeError, "texts is one string"),
        ((["red", None, "blue"],), ValueError, "texts has no text in row 1"),
        ((["red", 3, "blue"],), TypeError, "texts has 3 of type int in row 1"),
        ((["red"], None, [3]), ValueError, "must be indices from 0 to 2"),
        ((["red"], None, [-1]), ValueError, "must be indices from 0 to 2"),
        ((["red"] * 2, None, [1, 1]), ValueError, "contains a conversation twice"),
        ((["red"], None, [True, False, True]), TypeError, "must be a list of integers"),
        ((["red"], None, 1), TypeError, "must be a list of integers"),
        (([], None, []), TypeError, "must be a list of integers"),
        ((["red"] * 3, ["client"]), ValueError, "speakers has 1 values, but there are 3 turns"),
        ((["red"] * 3, "client"), TypeError, "must be a list of one speaker for each turn"),
        ((["red"] * 3, {"a", "b", "c"}), TypeError, "must be a list of one speaker"),
        ((["red"] * 3, {"a": 1, "b": 2, "c": 3}), TypeError, "must be a list of one speaker"),
        ((["red"] * 3, b"abc"), TypeError, "must be a list of one speaker for each turn"),
        ((["red"] * 3, np.array("abc")), TypeError, "must be a list of one speaker"),
        ((["red"] * 3, [["a"]] * 3), TypeError, "is of type list, which is not hashable"),
    ],
)
def test_calls_that_do_not_fit_are_refused(arguments, error, message, classifier):
    """Check that each kind of misfit is named, and that the refused call changes nothing."""
    sessions = classifier.sessions(3)
    with pytest.raises(error, match=message):
        sessions.predict_proba(*arguments)
    assert sessions.n_turns_.tolist() == [0, 0, 0]
    assert_array_equal(
        sessions.predict_proba(["red"] * 3), classifier.sessions(3).predict_proba(["red"] * 3)
    )


def test_speakers_are_refused_where_none_were_learned(without_speakers):
    """Check that speakers are not ignored in silence."""
    with pytest.raises(ValueError, match="fitted without speaker_column; omit it"):
        without_speakers.sessions(1).predict(["red"], ["client"])


@pytest.mark.parametrize(
    ("n_sessions", "error", "message"),
    [
        (0, ValueError, "n_sessions=0 must be 1 or more"),
        (2.0, TypeError, "n_sessions=2.0 must be an integer"),
        (True, TypeError, "n_sessions=True must be an integer"),
    ],
)
def test_a_wrong_number_of_sessions_is_refused(n_sessions, error, message, without_speakers):
    """Check that the number of sessions is a positive integer."""
    with pytest.raises(error, match=message):
        without_speakers.sessions(n_sessions)
