"""Tests of the state of a session: arrays that can be stored, and are checked later."""

import io

import numpy as np
import pytest
import safetensors.numpy
from _sessions import fit
from numpy.testing import assert_array_equal

from sk_ctxmem import ContextMemoryClassifier

# most turns have no speaker, and some a new one
pytestmark = pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")

TURNS = [("red", "client"), ("what was that ?", "agent"), ("blue \u4f60\ud800", None)]


@pytest.fixture(scope="module")
def classifier(talks):
    """Fit a classifier on conversations of two speakers."""
    speaker = np.where(np.arange(len(talks)) % 3, "client", "agent")
    return fit(talks.assign(speaker=speaker), speaker_column="speaker", memory="lstm")


def talk(classifier, turns=TURNS, **options):
    """Return a session after some turns."""
    session = classifier.session(**options)
    for text, speaker in turns:
        session.predict_one(text, speaker)
    return session


def through_npz(state):
    """Write a state by numpy, and read it without pickle."""
    file = io.BytesIO()
    np.savez(file, **state)
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def through_safetensors(state):
    """Write and read a state by safetensors."""
    return safetensors.numpy.load(safetensors.numpy.save(state))


@pytest.mark.parametrize("store", [lambda state: state, through_npz, through_safetensors])
@pytest.mark.parametrize("n_turns", [0, 1, 3])
def test_a_stored_conversation_goes_on(store, n_turns, classifier):
    """Check that the next turns are those of the session that was stored, speakers included."""
    session = talk(classifier, TURNS[:n_turns])
    restored = classifier.session(store(session.state()))
    assert restored.n_turns_ == n_turns
    for text, speaker in [("green", "agent"), ("red", "agent")]:
        expected = session.predict_proba_one(text, speaker)
        assert_array_equal(restored.predict_proba_one(text, speaker), expected)
    assert restored.history_["turn"].tolist() == [n_turns, n_turns + 1]


def test_it_goes_on_with_the_model_out_of_a_file(classifier, tmp_path):
    """Check that a state is known again by the same model in another process."""
    classifier.save(tmp_path / "model")
    session = talk(classifier)
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    expected = session.predict_proba_one("green", "agent")
    # the state of before that turn
    restored = loaded.session(talk(classifier).state())
    assert_array_equal(restored.predict_proba_one("green", "agent"), expected)


def test_a_state_holds_numbers_only(classifier):
    """Check that neither texts nor names are in a state, and that it is small."""
    state = talk(classifier, [("a very secret text", "a very secret name")]).state()
    assert all(array.dtype.kind in "fiu" for array in state.values())
    assert b"secret" not in b"".join(array.tobytes() for array in state.values())
    assert not any(name.startswith("history") for name in state)
    assert sum(array.nbytes for array in state.values()) < 14_000


@pytest.mark.parametrize("store", [through_npz, through_safetensors])
def test_texts_are_stored_on_request(store, classifier):
    """Check that a session that keeps texts has its whole history back."""
    session = talk(classifier, keep_texts=True)
    state = store(session.state())
    restored = classifier.session(state, keep_texts=True)
    expected = session.history_
    assert restored.history_.equals(expected)
    assert expected["text"].tolist() == [text for text, _ in TURNS]
    assert expected["speaker"].tolist() == ["client", "agent", None]
    restored.predict_one("green")
    assert len(session.history_) == 3
    assert "text" not in classifier.session(state).history_


def test_numbers_of_numpy_are_stored_as_speakers(talks):
    """Check that speakers in a history may be numbers, and that others are refused by name."""
    numbered = fit(talks.assign(speaker=np.arange(len(talks)) % 3), speaker_column="speaker")
    session = talk(numbered, [("red", np.int64(1)), ("blue", 2.0)], keep_texts=True)
    restored = numbered.session(session.state(), keep_texts=True)
    assert restored.history_["speaker"].tolist() == [1, 2.0]
    session.predict_one("green", ("a", complex(1)))
    with pytest.raises(TypeError, match=r"pass speaker=str\(speaker\)"):
        session.state()


def test_a_state_is_a_copy(classifier):
    """Check that changing the arrays of a state changes no session, made before or after."""
    session = talk(classifier)
    state = session.state()
    expected = session.fork().predict_proba_one("green")
    restored = classifier.session(state)
    for name, array in state.items():
        if name != "model":
            array[...] = 0
    assert_array_equal(session.fork().predict_proba_one("green"), expected)
    assert_array_equal(restored.predict_proba_one("green"), expected)


def test_a_state_of_another_model_is_refused(classifier, talks):
    """Check that models of other weights, sizes and classes are told from one another."""
    state = talk(classifier).state()
    others = {
        "weights": {"random_state": 1},
        "sizes": {"hidden_size": 9},
        "memory": {"memory": "gru"},
    }
    spoken = talks.assign(speaker="client")
    for parameters in others.values():
        other = fit(spoken, **({"speaker_column": "speaker", "memory": "lstm"} | parameters))
        with pytest.raises(ValueError, match="state belongs to a session of another model"):
            other.session(state)
    other = fit(spoken, talks["target"].eq(talks["target"].iloc[0]), speaker_column="speaker")
    with pytest.raises(ValueError, match="state belongs to a session of another model"):
        other.session(state)


def changed(name, value):
    """Return what sets an array of a state."""
    return lambda state: state | {name: value(state[name])}


def set_first(value):
    """Return what sets the first number of an array."""

    def set_it(array):
        array = array.copy()
        array.flat[0] = value
        return array

    return set_it


BROKEN = {
    "one is missing": (lambda s: {n: a for n, a in s.items() if n != "memory"}, "lacks .'memory'."),
    "none": (lambda s: {}, "state lacks"),
    "the model is cut": (changed("model", lambda a: a[:3]), "of another model"),
    "too short": (changed("memory", lambda a: a[:-1]), "has shape"),
    "another shape": (changed("attention", lambda a: a.ravel()), "has shape"),
    "double precision": (changed("memory", lambda a: a.astype(float)), "dtype float64"),
    "objects": (changed("memory", lambda a: a.astype(object)), "dtype object"),
    "not a number": (changed("memory", set_first(np.nan)), "are not finite"),
    "infinite": (changed("attention", set_first(np.inf)), "are not finite"),
    "negative probability": (changed("classes", set_first(-1.0)), "must be probabilities"),
    "too much probability": (changed("classes", set_first(1.0)), "must be probabilities"),
    "no end of turns": (changed("n_turns", set_first(2**63 - 1)), "is not a valid number"),
    "rows of two lengths": (changed("memory", lambda a: [[1.0], [1.0, 2.0]]), "is not an array"),
    "a history without end": (
        changed("history.said", lambda a: np.frombuffer(b"[" * 100_000, np.uint8)),
        "cannot be read",
    ),
    "a history of numbers": (changed("history.said", lambda a: np.array([np.nan])), "be read"),
    "negative turns": (changed("n_turns", set_first(-1)), "is not a valid number"),
    "history is no JSON": (changed("history.said", lambda a: a[:5]), "cannot be read"),
    "history is no pair": (changed("history.said", lambda a: a[:0]), "cannot be read"),
    "history of no bytes": (
        changed("history.said", lambda a: np.frombuffer(b"[[1,2,3],[1,2,3]]", np.uint8)),
        "the state is invalid",
    ),
    "history is too short": (
        changed("history.predictions", lambda a: a[:2]),
        "the state is invalid",
    ),
    "no such class": (changed("history.predictions", set_first(99)), "the state is invalid"),
    "no such probability": (
        changed("history.probabilities", set_first(2.0)),
        "the state is invalid",
    ),
    "more history than turns": (changed("n_turns", set_first(2)), "history of more turns"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_damaged_state_is_refused(name, classifier):
    """Check that whatever is damaged in a state is named."""
    change, message = BROKEN[name]
    state = talk(classifier, keep_texts=True).state()
    assert classifier.session(state, keep_texts=True).n_turns_ == 3
    with pytest.raises(ValueError, match=message):
        classifier.session(change(state), keep_texts=True)


def test_a_state_is_a_dict(classifier):
    """Check that what is no state at all is refused by its type."""
    with pytest.raises(TypeError, match="state is a list, but a dict or bytes were expected"):
        classifier.session([1, 2])
