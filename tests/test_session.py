"""Tests of live conversations: turn by turn must be what predict_proba says of the whole."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from _sessions import SMALL, TOLERANCE, fit, read_turn_by_turn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem.datasets import make_conversations

# most turns have no speaker, and some a new one
pytestmark = pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")

MEMORIES = ["gru", "elman", "lstm", "mingru"]


@pytest.fixture(scope="module")
def spoken(talks):
    """Conversations with speakers, some of whom are missing, and classes as strings."""
    names = np.array(["client", "agent", "agent", None], dtype=object)
    random = np.random.RandomState(0)
    speaker = names[random.randint(4, size=len(talks))]
    return talks.assign(speaker=speaker, target=talks["target"].astype(str))


@pytest.fixture(scope="module")
def classifier(talks):
    """Fit a classifier on synthetic conversations."""
    return fit(talks)


@pytest.fixture
def session(classifier):
    """Begin a conversation."""
    return classifier.session()


@pytest.mark.parametrize("memory", MEMORIES)
def test_turns_are_the_rows_of_synthetic_conversations(memory, talks):
    """Check that each turn has the probabilities of its row, in every memory."""
    classifier = fit(talks, memory=memory)
    expected = classifier.predict_proba(talks)
    assert_allclose(read_turn_by_turn(classifier, talks), expected, atol=TOLERANCE)


@pytest.mark.parametrize("memory", MEMORIES)
def test_turns_are_the_rows_of_docstrings(memory, docstrings):
    """Check the same on real texts, longer than the window of the attention."""
    classifier = fit(docstrings, memory=memory, hidden_size=32)
    some = docstrings[docstrings["group"].isin(docstrings["group"].unique()[:12])]
    assert some["group"].value_counts().max() > 40
    expected = classifier.predict_proba(some)
    assert_allclose(read_turn_by_turn(classifier, some), expected, atol=TOLERANCE)


SETTINGS = {
    "speakers": {"speaker_column": "speaker"},
    "class weights": {"class_weight": "balanced"},
    "words": {"word_memory": True, "memory": "lstm"},
    "words and speakers": {"word_memory": True, "speaker_column": "speaker"},
    "convolution": {"word_memory": "convolution", "speaker_column": "speaker"},
    "vectorizer of scikit-learn": {"vectorizer": TfidfVectorizer(ngram_range=(1, 2))},
    "temperature": {"max_epochs": 3, "n_iter_no_change": 2, "validation_fraction": 0.3},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_turns_are_the_rows_whatever_the_parameters(name, spoken):
    """Check the same with speakers, some missing and some never seen, and other parameters."""
    speaker = SETTINGS[name].get("speaker_column")
    classifier = fit(spoken, **SETTINGS[name])
    some = spoken[:200].assign(speaker=spoken["speaker"][:200].replace({"agent": "somebody"}))
    expected = classifier.predict_proba(some)
    assert_allclose(read_turn_by_turn(classifier, some, speaker), expected, atol=TOLERANCE)
    assert name != "temperature" or classifier.temperature_ != 1


def test_turns_are_the_rows_with_two_classes(talks):
    """Check the same where there are two classes."""
    classifier = fit(talks, talks["target"].isin(talks["target"].unique()[:2]))
    expected = classifier.predict_proba(talks[:100])
    assert_allclose(read_turn_by_turn(classifier, talks[:100]), expected, atol=TOLERANCE)


def test_a_change_of_speaker_counts(spoken):
    """Check that the test of speakers can fail: who speaks changes the probabilities."""
    classifier = fit(spoken, speaker_column="speaker")
    said = []
    for speaker in ("client", "agent", None):
        session = classifier.session()
        session.predict_one("red", "client")
        said.append(session.predict_proba_one("what was that ?", speaker))
    assert np.abs(said[0] - said[1]).max() > 1e-4
    assert np.abs(said[0] - said[2]).max() > 1e-4


@pytest.mark.parametrize("speaker", [1, 1.0, np.int64(1), np.float32(1)])
def test_numbers_are_the_same_speaker_in_every_type(speaker, talks):
    """Check that a speaker is known, and goes on, however the number is stored."""
    classifier = fit(talks.assign(speaker=np.arange(len(talks)) % 3), speaker_column="speaker")
    expected, session = classifier.session(), classifier.session()
    for text in ("red", "what was that ?"):
        left = expected.predict_proba_one(text, 1)
        right = session.predict_proba_one(text, speaker)
        assert_array_equal(left, right)


FORMS = {
    "dense": lambda X: X,
    "sparse": lambda X: sparse.csr_array(X),
    "sparse matrix": lambda X: sparse.csr_matrix(X),
}


@pytest.mark.parametrize("form", FORMS)
def test_turns_of_features_are_the_rows_of_features(form, talks):
    """Check the same for classifiers that were fitted on dense and on sparse features."""
    X = TextSequenceVectorizer(char_ngram_range=None, max_features=40).fit_transform(
        talks["text"].tolist()
    )
    X = FORMS[form](X.features.toarray())
    groups = talks["group"].to_numpy()
    classifier = ContextMemoryClassifier(**SMALL).fit(X, talks["target"], groups=groups)
    first = np.flatnonzero(groups == groups[0])
    expected = classifier.predict_proba(X[first], groups=groups[first])
    session = classifier.session()
    for row, probabilities in zip(first, expected, strict=True):
        assert_allclose(session.predict_proba_one(X[[row]]), probabilities, atol=TOLERANCE)
    if form == "dense":
        vector = classifier.session().predict_proba_one(X[first[0]])
        assert_allclose(vector, expected[0], atol=TOLERANCE)
        listed = classifier.session().predict_proba_one(X[first[0]].tolist())
        assert_allclose(listed, expected[0], atol=TOLERANCE)


@pytest.mark.parametrize("word_memory", [False, True, "convolution"])
def test_turns_of_text_sequences_are_their_rows(word_memory, talks):
    """Check the same for what TextSequenceVectorizer returns."""
    X = TextSequenceVectorizer().fit_transform(talks["text"].tolist())
    groups = talks["group"].to_numpy()
    classifier = ContextMemoryClassifier(**SMALL, word_memory=word_memory)
    classifier.fit(X, talks["target"], groups=groups)
    first = np.flatnonzero(groups == groups[0])
    expected = classifier.predict_proba(X[first], groups=groups[first])
    session = classifier.session()
    for row, probabilities in zip(first, expected, strict=True):
        assert_allclose(session.predict_proba_one(X[[row]]), probabilities, atol=TOLERANCE)


def test_the_three_ways_to_predict_agree(classifier):
    """Check that class, probabilities and table of the best say the same of a turn."""
    label = classifier.session().predict_one("red")
    probabilities = classifier.session().predict_proba_one("red")
    top = classifier.session().top_k_one("red", k=2)
    assert label == classifier.classes_[probabilities.argmax()]
    assert probabilities.sum() == pytest.approx(1)
    assert list(top) == ["class", "probability"]
    assert top["class"].tolist() == classifier.classes_[np.argsort(-probabilities)[:2]].tolist()
    assert_allclose(top["probability"], np.sort(probabilities)[::-1][:2])


def test_more_classes_than_there_are_give_all(classifier):
    """Check that a large k gives each class once."""
    top = classifier.session().top_k_one("red", k=99)
    assert sorted(top["class"]) == classifier.classes_.tolist()


@pytest.mark.parametrize(
    ("k", "error", "message"),
    [
        (0, ValueError, "k=0 must be 1 or more"),
        (1.5, TypeError, "k=1.5 must be an integer"),
        (True, TypeError, "k=True must be an integer"),
    ],
)
def test_a_wrong_number_of_classes_is_refused(k, error, message, session):
    """Check that k is a positive integer, and that a refused call is no turn."""
    with pytest.raises(error, match=message):
        session.top_k_one("red", k=k)
    assert session.n_turns_ == 0


def test_the_history_tells_the_turns(classifier):
    """Check the columns of the history, with and without texts, and that it is a copy."""
    session = classifier.session(keep_texts=True)
    labels = [session.predict_one(text) for text in ("red", "blue", "what ?")]
    history = session.history_
    assert list(history) == ["turn", "speaker", "prediction", "probability", "text"]
    assert history["turn"].tolist() == [0, 1, 2]
    assert history["prediction"].tolist() == labels
    assert history["speaker"].tolist() == [None, None, None]
    assert history["text"].tolist() == ["red", "blue", "what ?"]
    assert history["probability"].between(1 / len(classifier.classes_), 1).all()
    history["turn"] = 7
    assert session.history_["turn"].tolist() == [0, 1, 2]


def test_texts_are_kept_on_request_only(session):
    """Check that the history has no texts unless they were asked for."""
    session.predict_one("red")
    assert list(session.history_) == ["turn", "speaker", "prediction", "probability"]


def test_an_empty_history_is_a_table(session):
    """Check that the history can be asked for before the first turn."""
    assert session.history_.shape == (0, 4)


def test_reset_begins_a_new_conversation(session):
    """Check that nothing of the turns before is left."""
    first = session.predict_proba_one("red")
    second = session.predict_proba_one("red")
    assert np.abs(first - second).max() > 1e-4
    session.reset()
    assert session.n_turns_ == 0
    assert len(session.history_) == 0
    assert_array_equal(session.predict_proba_one("red"), first)


@pytest.mark.parametrize("fork", [lambda s: s.fork(), copy.copy, copy.deepcopy])
def test_a_fork_goes_on_by_itself(fork, session):
    """Check that two answers can be tried out from one past, in either order."""
    session.predict_one("red")
    other = fork(session)
    changed = other.predict_proba_one("blue")
    assert (session.n_turns_, other.n_turns_) == (1, 2)
    assert len(session.history_) == 1
    assert_array_equal(session.predict_proba_one("blue"), changed)


def test_a_session_is_not_pickled(session):
    """Check that pickle says what to do instead."""
    with pytest.raises(TypeError, match=r"store session.state\(\)"):
        pickle.dumps(session)


def test_a_session_takes_no_turn_after_its_block(classifier):
    """Check that with closes the session, and that its history stays."""
    with classifier.session() as session:
        session.predict_one("red")
    with pytest.raises(ValueError, match="start another one with clf.session"):
        session.predict_one("blue")
    assert len(session.history_) == 1
    assert session.fork().predict_one("blue") in classifier.classes_


@pytest.mark.parametrize(
    ("text", "kind"),
    [(None, "NoneType"), (b"red", "bytes"), (3, "int"), (["red"], "list"), (float("nan"), "float")],
)
def test_what_is_no_text_is_refused(text, kind, session):
    """Check that only a str is a turn, and that a refused one changes nothing."""
    expected = session.fork()
    with pytest.raises(TypeError, match=f"is of type {kind}, but one text, a str, was expected"):
        session.predict_one(text)
    assert (session.n_turns_, len(session.history_)) == (0, 0)
    assert_array_equal(session.predict_proba_one("red"), expected.predict_proba_one("red"))


@pytest.mark.parametrize("text", ["", " \n", "\0", "é" * 5000, "日本", "\ud800", "[bold]"])
def test_odd_texts_are_turns(text, classifier):
    """Check that any text is read as predict_proba reads it."""
    texts = pd.Series(["red", text], dtype=object)
    frame = pd.DataFrame({"text": texts, "group": 0, "order": [0, 1]})
    expected = classifier.predict_proba(frame)
    assert_allclose(read_turn_by_turn(classifier, frame), expected, atol=TOLERANCE)


def test_a_speaker_is_refused_where_none_was_learned(session):
    """Check that a speaker is not ignored in silence."""
    with pytest.raises(ValueError, match="fitted without speaker_column; omit it"):
        session.predict_one("red", speaker="client")
    assert session.n_turns_ == 0


def test_an_unhashable_speaker_is_refused(spoken):
    """Check that a speaker is a value, and that the refused turn changes nothing."""
    session = fit(spoken, speaker_column="speaker").session()
    with pytest.raises(TypeError, match="is of type list, which is not hashable"):
        session.predict_one("red", speaker=["client"])
    assert session.n_turns_ == 0


def test_a_fraction_beyond_floats_is_a_speaker(spoken):
    """Check that a number that no float can hold is somebody unknown, not an error."""
    session = fit(spoken, speaker_column="speaker").session()
    nobody = session.fork().predict_proba_one("red", speaker="a name that was never seen")
    assert_array_equal(session.predict_proba_one("red", Fraction(10**400, 3)), nobody)


def test_features_of_another_kind_are_refused(talks):
    """Check that rows of features have the size and kind of those of fit, and are finite."""
    X = np.random.RandomState(0).normal(size=(len(talks), 4))
    classifier = ContextMemoryClassifier(**SMALL).fit(X, talks["target"], groups=talks["group"])
    session = classifier.session()
    with pytest.raises(ValueError, match="text has 3 features, but 4 were expected"):
        session.predict_one(np.zeros(3))
    with pytest.raises(TypeError, match="is a str, but the classifier was fitted on features"):
        session.predict_one("red")
    with pytest.raises(ValueError, match="2 turns were passed, but 1 are needed"):
        session.predict_one(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="NaN"):
        session.predict_one(np.array([1, 2, 3, np.nan]))
    with pytest.raises(ValueError, match="keep_texts=True needs a classifier fitted on texts"):
        classifier.session(keep_texts=True)
    assert session.n_turns_ == 0


def test_a_container_is_expected_where_containers_were_fitted(talks):
    """Check that other things than TextSequences are refused by name."""
    X = TextSequenceVectorizer().fit_transform(talks["text"].tolist())
    classifier = ContextMemoryClassifier(**SMALL).fit(X, talks["target"], groups=talks["group"])
    with pytest.raises(TypeError, match="is of type ndarray, but .* fitted on TextSequences"):
        classifier.session().predict_one(np.zeros(X.shape[1]))


def test_numbers_beyond_single_precision_are_refused(talks):
    """Check that a turn whose probabilities would not be numbers changes nothing."""
    X = np.random.RandomState(0).normal(size=(len(talks), 4)) * 1e-3
    classifier = ContextMemoryClassifier(**SMALL).fit(X, talks["target"], groups=talks["group"])
    session = classifier.session()
    with pytest.raises(ValueError, match="logits overflow single precision"):
        session.predict_one(np.array([3e38, -3e38, 3e38, 3e38]))
    assert session.n_turns_ == 0


@pytest.mark.parametrize("method", ["session", "sessions"])
def test_a_classifier_without_past_has_no_sessions(method, talks):
    """Check that each way to have no memory of the past is named, with its remedy."""
    arguments = () if method == "session" else (3,)
    unfitted = ContextMemoryClassifier()
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(unfitted, method)(*arguments)
    for parameters, message in (
        ({"context": "both"}, "uses following rows.*fit with context='past'"),
        ({"context": "none"}, "fitted with context='none'.*fit with context='past'"),
        ({"group_column": None, "order_column": None}, "fitted without groups.*and groups"),
    ):
        classifier = fit(talks, **parameters)
        with pytest.raises(ValueError, match=message):
            getattr(classifier, method)(*arguments)


def test_keep_texts_is_a_flag(classifier):
    """Check that a text passed by mistake is not taken for True."""
    with pytest.raises(TypeError, match="keep_texts='red' must be True or False"):
        classifier.session(keep_texts="red")


def test_a_later_fit_does_not_change_an_open_session(talks):
    """Check that fits of every kind leave sessions as they are, and that new ones are new."""
    classifier = fit(talks, warm_start=True)
    session = classifier.session()
    session.predict_one("red")
    expected = session.fork().predict_proba_one("blue")
    new = classifier.session().predict_proba_one("red")
    for change in (
        lambda: classifier.partial_fit(talks, talks["target"]),
        lambda: classifier.fit(talks, talks["target"]),
        lambda: classifier.set_params(warm_start=False, hidden_size=5, random_state=1).fit(
            talks, talks["target"].isin(talks["target"].unique()[:2])
        ),
    ):
        change()
        assert_array_equal(session.fork().predict_proba_one("blue"), expected)
        changed = classifier.session().predict_proba_one("red")
        assert changed.shape != new.shape or np.abs(changed - new).max() > 1e-6


def test_sessions_leave_the_classifier_as_it_was(classifier, talks, tmp_path):
    """Check that sessions leave nothing in pickles, files and clones of the classifier."""
    fresh = fit(talks)
    classifier.session().predict_one("red")
    left, right = pickle.dumps(fresh), pickle.dumps(classifier)
    assert abs(len(left) - len(right)) < 200  # seconds in the history differ
    loaded = pickle.loads(right)
    assert not hasattr(loaded, "_shared_model")
    assert clone(classifier).get_params() == fresh.get_params()
    expected = classifier.session().predict_proba_one("red")
    classifier.save(tmp_path / "model")
    for other in (loaded, ContextMemoryClassifier.load(tmp_path / "model")):
        assert_array_equal(other.session().predict_proba_one("red"), expected)


def test_sessions_run_beside_one_another_in_threads(classifier, talks):
    """Check that threads with a session each read what one alone reads."""
    groups = talks["group"].unique()[:24]
    frames = [talks[talks["group"] == group] for group in groups]
    expected = [read_turn_by_turn(classifier, frame) for frame in frames]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda frame: read_turn_by_turn(classifier, frame), frames))
    for left, right in zip(found, expected, strict=True):
        assert_array_equal(left, right)


def test_a_turn_changes_nothing_outside(classifier):
    """Check that random states, threads and gradients of torch are as they were."""
    before = torch.get_rng_state(), torch.get_num_threads(), torch.is_grad_enabled()
    classifier.session().predict_one("red")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_what_a_session_keeps_does_not_grow_but_for_its_history(session):
    """Check that all but the history has the same size after one turn and after a hundred."""
    session.predict_one("red")
    sizes = {name: array.nbytes for name, array in session.state().items()}
    for _ in range(99):
        session.predict_one("blue")
    assert {name: array.nbytes for name, array in session.state().items()} == sizes
    assert session.n_turns_ == 100


def test_sessions_know_nothing_of_one_another(classifier):
    """Check that conversations whose turns come by turns are read as they are alone."""
    talks = make_conversations(20, random_state=1).frame
    expected = classifier.predict_proba(talks)
    sessions = {group: classifier.session() for group in talks["group"].unique()}
    for row in talks.sort_values("order", kind="stable").index:  # turns of all, in turn
        turn = talks.loc[row]
        found = sessions[turn["group"]].predict_proba_one(turn["text"])
        assert_allclose(found, expected[row], atol=TOLERANCE)
