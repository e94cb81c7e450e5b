"""Warnings about speakers that a fit does not know, and about turns without a speaker."""

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sk_ctxmem import ContextMemoryClassifier, UnknownSpeakersWarning
from sk_ctxmem._rows._speakers import ExpectedSpeakers, expect_speakers, find_alike
from sk_ctxmem.distributed import FramePredictor

SMALL = {"hidden_size": 8, "max_epochs": 1, "batch_size": 40, "random_state": 0}
ROLES = {"text_column": "text", "group_column": "talk", "speaker_column": "who"}
N_TALKS = 12


def make_talks(name, n_talks=N_TALKS):
    """Return conversations of four turns; `name` gives the speaker from talk and turn."""
    rows = [
        (talk, f"turn {turn % 3}", name(talk, turn)) for talk in range(n_talks) for turn in range(4)
    ]
    frame = pd.DataFrame(rows, columns=["talk", "text", "who"])
    return frame.astype({"who": object}), np.tile(["ask", "say"], 2 * n_talks)


def role(talk, turn):
    """Two roles in each conversation."""
    return ("Guide", "Visitor")[turn % 2]


def agent_and_name(talk, turn):
    """Name an agent, and a customer who calls once."""
    return ("Agent", f"customer {talk}")[turn % 2]


def fit(name, **parameters):
    """Return a small classifier, and the X of its fit."""
    X, y = make_talks(name)
    return ContextMemoryClassifier(**(SMALL | ROLES | parameters)).fit(X, y), X


@pytest.fixture(scope="module")
def roles():
    """Classifier of two roles, and its rows."""
    return fit(role)


def warned(run):
    """Return the messages about speakers of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run()
    return [str(each.message) for each in caught if each.category is UnknownSpeakersWarning]


METHODS = {
    "predict": lambda clf, X: clf.predict(X),
    "predict_proba": lambda clf, X: clf.predict_proba(X),
    "decision_function": lambda clf, X: clf.decision_function(X),
    "score": lambda clf, X: clf.score(X, ["ask"] * len(X)),
    "explain": lambda clf, X: clf.explain(X, rows=[0], method="gradient_times_input"),
    "FramePredictor": lambda clf, X: FramePredictor(clf)(X),
}


@pytest.mark.parametrize("method", METHODS)
def test_each_prediction_names_unknown_and_known_speakers_once(roles, method):
    """Check the message for a name in lower case, and silence for the names of fit."""
    clf, X = roles
    assert warned(lambda: METHODS[method](clf, X)) == []
    other = X.assign(who=X["who"].replace("Guide", "guide"))
    (message,) = warned(lambda: METHODS[method](clf, other))
    assert message.startswith(
        "X has 1 unknown speaker(s) in 24 of 48 rows: 'guide'. The classifier knows 2: 'Guide', "
        "'Visitor'. 'guide' looks like 'Guide'."
    )
    assert message.endswith("#unknown-speakers")


def test_one_other_name_in_one_of_many_conversations_is_named(roles):
    """Check that roles recur in all conversations, so that one new name is worth a warning."""
    clf, X = roles
    with pytest.warns(UnknownSpeakersWarning, match=r"1 unknown .* in 1 of 48 rows: 'Bob'"):
        clf.predict(X.assign(who=["Bob", *X["who"][1:]]))


LOOK_ALIKES = {
    "case": ("Guide", "GUIDE"),
    "white space": ("Guide", " Guide\t"),
    "no-break space": ("Old Guide", "Old\xa0Guide"),
    "punctuation": ("Guide", "Guide:"),
    "str of int": (1, "1"),
    "int of str": ("1", 1),
    "str of float": (1, "1.0"),
    "float of str": ("1", 1.0),
    "bytes": ("Guide", b"Guide"),
    "str of bool": (True, "true"),
    "sign": (-1, "-1.0"),
    "plus": (1, "+1"),
    "fraction": (2.5, "2.50"),
    "separator of digits": ("desk 1-11", "Desk 1 , 11"),
    "full width": ("Guide", "\uff27uide"),
}


@pytest.mark.parametrize(("known", "other"), LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_spellings_of_known_speakers_are_found(known, other):
    """Check that an unknown speaker who looks like a known one is named with it."""
    assert find_alike([other, "Bob", 7], {known: 1, "Visitor": 2}) == {other: known}


@pytest.mark.parametrize(
    ("known", "other"),
    [
        (1, "-1"),
        ("1", "-1"),
        ("2.5", -2.5),
        ("desk 1-11", "desk 11-1"),
        ("1.10", "11.0"),
        (1, "10"),
    ],
    ids=str,
)
def test_numbers_that_differ_do_not_look_alike(known, other):
    """Check that signs and separators between digits count."""
    assert find_alike([other], {known: 1}) == {}


def test_numbers_that_are_equal_are_the_same_speaker():
    """Check that 1.0 is the 1 of fit, as in a column that got a missing value."""
    clf, X = fit(lambda talk, turn: turn % 2)
    assert warned(lambda: clf.predict(X.assign(who=X["who"].astype(float)))) == []
    assert warned(lambda: clf.predict(X.assign(who=X["who"].astype("category")))) == []
    with pytest.warns(UnknownSpeakersWarning, match="'0' looks like 0. '1' looks like 1"):
        clf.predict(X.assign(who=X["who"].astype(str)))


def test_new_names_in_each_conversation_are_no_surprise():
    """Check silence where speakers of training conversations do not recur."""
    clf, X = fit(lambda talk, turn: f"name {talk} {turn % 2}")
    other, _ = make_talks(lambda talk, turn: f"other {talk} {turn % 2}")
    assert clf.speakers_ == {}
    assert warned(lambda: clf.predict(other)) == []
    assert warned(lambda: clf.session().predict_one("turn 1", "somebody")) == []


def test_an_agent_and_new_customers_are_told_apart():
    """Check that new customers are expected, and an agent of another name is not."""
    clf, X = fit(agent_and_name)
    assert clf._model.reader.expected_speakers == ExpectedSpeakers(0.5, False)
    new = X.assign(who=X["who"].str.replace("customer", "caller"))
    assert warned(lambda: clf.predict(new)) == []
    with pytest.warns(UnknownSpeakersWarning, match="'agent' looks like 'Agent'"):
        clf.predict(new.assign(who=new["who"].str.lower()))
    with pytest.warns(UnknownSpeakersWarning, match="24 unknown"):
        clf.predict(make_talks(lambda talk, turn: f"caller {talk} {turn % 2}")[0])


@pytest.mark.parametrize(
    ("n_groups", "expected"),
    [([10, 10], 1), ([1, 1], 0), ([2], 0), ([3], 0.64), ([6, 2], 0.75 * 0.99328)],
    ids=str,
)
def test_the_expected_share_is_that_of_a_fold(n_groups, expected):
    """Check the probability that two other conversations are in the other four fifths."""
    names = np.array([f"name {n}" for n in range(len(n_groups))], dtype=object)
    ids = {name: 1 for name, n in zip(names, n_groups, strict=True) if n > 1}
    found = expect_speakers(names, np.array(n_groups), ids, missing=False, n_all_groups=12)
    assert found.known == pytest.approx(expected, abs=1e-5)


def test_missing_speakers_are_named_unless_training_had_some(roles):
    """Check None and NaN in X, and that they are legal where fit had them."""
    clf, X = roles
    for missing in (None, float("nan"), pd.NA):
        with pytest.warns(UnknownSpeakersWarning, match="1 of the 48 rows of X have no speaker"):
            clf.predict(X.assign(who=[missing, *X["who"][1:]]))
    clf, X = fit(lambda talk, turn: None if turn == 3 else role(talk, turn))
    assert warned(lambda: clf.predict(X)) == []
    assert warned(lambda: clf.session().predict_one("turn 1", None)) == []


def test_a_session_asks_once_for_speakers_and_once_for_known_ones(roles):
    """Check the warnings of turns; a copy of the session does not repeat them."""
    session = roles[0].session()
    assert warned(lambda: session.predict_one("turn 1", "Guide")) == []
    (asked,) = warned(lambda: session.predict_one("turn 2"))
    assert "The turn has no speaker" in asked
    assert "knows 2: 'Guide', 'Visitor'" in asked
    (unknown,) = warned(lambda: session.predict_one("turn 2", "guide"))
    assert "The turn has an unknown speaker: 'guide'" in unknown
    assert "'guide' looks like 'Guide'" in unknown
    for turn in (None, "Bob", "guide"):
        assert warned(lambda turn=turn: session.predict_one("turn 1", turn)) == []
        assert warned(lambda turn=turn: session.fork().predict_one("turn 1", turn)) == []
    with pytest.warns(UnknownSpeakersWarning, match="unknown speaker: 'Bob'"):
        roles[0].session().predict_one("turn 1", "Bob")


def test_a_warning_that_is_an_error_leaves_the_session_as_it_was(roles):
    """Check that a turn which raises is not remembered."""
    session, sessions = roles[0].session(), roles[0].sessions(2)
    with pytest.raises(UnknownSpeakersWarning, match="no speaker"):
        session.predict_one("turn 1")
    with pytest.raises(UnknownSpeakersWarning, match="no speaker"):
        sessions.predict(["turn 1", "turn 2"])
    assert session.n_turns_ == 0
    assert_array_equal(sessions.n_turns_, [0, 0])


def test_many_sessions_ask_for_speakers_once(roles):
    """Check the warnings of a batch of turns."""
    sessions = roles[0].sessions(2)
    (message,) = warned(lambda: sessions.predict(["turn 1"] * 2, ["Guide", "Bob"]))
    assert "Turns have unknown speakers: 'Bob'" in message
    assert len(warned(lambda: sessions.predict(["turn 1"] * 2, ["Guide", None]))) == 1
    assert warned(lambda: sessions.predict(["turn 1"] * 2)) == []


def test_later_chunks_and_warm_starts_name_unknown_speakers(roles):
    """Check that training on speakers that the first chunk lacked is not silent."""
    X, y = make_talks(role)
    other = X.assign(who=X["who"].str.lower())
    clf = ContextMemoryClassifier(**SMALL, **ROLES, warm_start=True)
    assert warned(lambda: clf.partial_fit(X, y, classes=["ask", "say"])) == []
    assert len(warned(lambda: clf.partial_fit(other, y))) == 1
    assert len(warned(lambda: clf.fit(other, y))) == 1


def test_files_keep_what_to_expect_of_speakers(tmp_path):
    """Check that a saved model tells apart what the fitted one does."""
    clf, X = fit(agent_and_name)
    clf.save(tmp_path / "model.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    assert loaded._model.reader.expected_speakers == ExpectedSpeakers(0.5, False)
    assert not hasattr(loaded, "_expected_speakers")
    new = X.assign(who=X["who"].str.replace("customer", "caller"))
    assert warned(lambda: loaded.predict(new)) == []
