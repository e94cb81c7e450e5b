"""Tests of a session as bytes: they go on as the arrays do, and damage is refused by name."""

import pickle
from hashlib import blake2b

import numpy as np
import pytest
import safetensors.numpy
from _sessions import fit
from numpy.testing import assert_array_equal

from sk_ctxmem import ContextMemoryClassifier, ContextMemoryClassifierCV


@pytest.fixture(scope="module")
def classifier(talks):
    """Fit a classifier on conversations."""
    return fit(talks)


@pytest.fixture
def session(classifier):
    """Return a session after two turns."""
    session = classifier.session()
    for text in ("red", "what was that ?"):
        session.predict_one(text)
    return session


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_session_goes_on_from_its_bytes(kind, session, classifier):
    """Check that the next turn is that of the session, to the bit, as a database returns bytes."""
    resumed = classifier.session(kind(session.to_bytes()))
    assert resumed.n_turns_ == 2
    assert_array_equal(resumed.predict_proba_one("green"), session.predict_proba_one("green"))


def test_the_same_session_gives_the_same_bytes(session, classifier):
    """Check that bytes can be compared, and that a resumed session gives them too."""
    content = session.to_bytes()
    assert content == session.fork().to_bytes() == classifier.session(content).to_bytes()


def test_bytes_are_little_more_than_the_arrays(session):
    """Check that what a database keeps is what the page says of memory."""
    n_bytes = sum(array.nbytes for array in session.state().values())
    assert n_bytes < len(session.to_bytes()) < n_bytes + 600


def test_texts_are_in_the_bytes_on_request_only(session, classifier):
    """Check that a history comes back where texts are kept, and that no text is there else."""
    spoken = classifier.session(keep_texts=True)
    spoken.predict_one("a very secret \ud800 text")
    resumed = classifier.session(spoken.to_bytes(), keep_texts=True)
    assert resumed.history_["text"].tolist() == ["a very secret \ud800 text"]
    silent = classifier.session()
    silent.predict_one("a very secret text")
    assert b"secret" not in silent.to_bytes()


def test_they_go_on_with_the_model_out_of_a_file(session, classifier, tmp_path):
    """Check that another process with the same file answers the next turn, and a search too."""
    classifier.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    content = session.to_bytes()
    expected = session.predict_proba_one("green")
    assert_array_equal(loaded.session(content).predict_proba_one("green"), expected)
    assert (
        "state : dict of str to ndarray, bytes or None" in ContextMemoryClassifierCV.session.__doc__
    )


def test_every_flipped_bit_is_seen(session, classifier):
    """Check that a change of any byte is refused, wherever it is."""
    content = session.to_bytes()
    for place in [*range(80), *range(80, len(content), 7)]:
        changed = bytearray(content)
        changed[place] ^= 1
        with pytest.raises(ValueError, match=r"state is (damaged|not the bytes of a session)"):
            classifier.session(bytes(changed))


@pytest.mark.parametrize("n_bytes", [0, 1, 15, 16, 40, 48, 100, -1])
def test_bytes_that_are_cut_are_seen(n_bytes, session, classifier):
    """Check that a state of which the end is missing is refused."""
    with pytest.raises(ValueError, match="start a new session"):
        classifier.session(session.to_bytes()[:n_bytes])


def forge(content):
    """Return content with the checksum that belongs to it."""
    return b"ctxmem session 1" + blake2b(content, digest_size=32).digest() + content


HEADER = b'{"memory":{"dtype":"%s","shape":[%d],"data_offsets":[0,4]}}'
FORGED = {
    "no content": b"",
    "text": b"not at all what it should be",
    "a pickle": pickle.dumps({"memory": [1.0]}),
    "a header longer than all": (2**60).to_bytes(8, "little") + b"{}",
    "a shape longer than all": HEADER % (b"F32", 2**60),
    "a type that numpy lacks": HEADER % (b"F8_E4M3", 4),
    "a type that nobody knows": HEADER % (b"X9", 1),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_is_no_state_is_refused_though_its_checksum_is_right(name, classifier):
    """Check that nothing but arrays is read, and that no memory is taken for what is not there."""
    content = FORGED[name]
    if content.startswith(b'{"memory'):
        content = len(content).to_bytes(8, "little") + content + bytes(4)
    with pytest.raises(ValueError, match=r"state (is damaged|lacks).*session"):
        classifier.session(forge(content))


def test_arrays_that_no_session_has_are_refused(session, classifier):
    """Check that forged bytes go through the checks of arrays."""
    state = session.state() | {"memory": np.full(8, np.nan, dtype=np.float32)}
    with pytest.raises(ValueError, match="are not finite"):
        classifier.session(forge(safetensors.numpy.save(state)))


def test_bytes_of_another_model_are_refused(session, talks):
    """Check that the digest of the model is in the bytes."""
    other = fit(talks, random_state=1)
    with pytest.raises(ValueError, match="state belongs to a session of another model"):
        other.session(session.to_bytes())


def test_bytes_of_a_later_format_are_named(session, classifier):
    """Check that a format that is not known yet is not taken for damage."""
    content = session.to_bytes().replace(b"session 1", b"session 2", 1)
    with pytest.raises(ValueError, match="not the bytes of a session of this version"):
        classifier.session(content)


@pytest.mark.parametrize("state", ["abc", 3, [b"a"], {"a"}])
def test_a_state_is_a_dict_or_bytes(state, classifier):
    """Check that what is neither is refused by its type."""
    with pytest.raises(TypeError, match="but a dict or bytes were expected"):
        classifier.session(state)
