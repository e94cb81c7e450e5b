"""Tests of vectors of texts beside n-grams: the parameter embedder, and its cache."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from sk_ctxmem import CachedEmbedder, ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations

# One word of each pair is in training alone, the other in tests: only their vectors tell.
PAIRS = [("cheap", "costly"), ("warm", "cold"), ("fast", "slow"), ("new", "old")]
KNOWN = {word: side for pair in PAIRS for side, word in enumerate(pair)}


class Embedder:
    """Embeds a text by the words that it has, and counts the texts that it was given."""

    def __init__(self):
        self.n_texts = 0

    def encode(self, texts):
        """Return the vectors of texts: which side each word is on."""
        self.n_texts += len(texts)
        return np.array([self.one(text) for text in texts])

    @staticmethod
    def one(text):
        """Return the vector of one text."""
        sides = [KNOWN[word] for word in text.split() if word in KNOWN]
        return [sides.count(0), sides.count(1), len(text) / 100]


def make_texts(words, n_texts, seed):
    """Return texts with one of the words each, and its side."""
    random = np.random.RandomState(seed)
    chosen = random.choice(words, n_texts)
    texts = [f"w{random.randint(50)} {word} w{random.randint(50)}" for word in chosen]
    return texts, np.array([KNOWN[word] for word in chosen])


TRAIN = make_texts(["cheap", "costly", "warm", "cold"], 200, 0)
TEST = make_texts(["fast", "slow", "new", "old"], 100, 1)


def test_vectors_tell_what_unknown_words_mean():
    """Check words that only the embedder knows, and that each text is embedded once."""
    embedder = Embedder()
    without = ContextMemoryClassifier(random_state=0).fit(*TRAIN)
    clf = ContextMemoryClassifier(random_state=0, embedder=embedder).fit(*TRAIN)
    assert without.score(*TEST) < 0.7
    assert clf.score(*TEST) == 1
    n_texts = embedder.n_texts
    assert n_texts <= len(set(TRAIN[0])) + len(set(TEST[0])) + 10
    clf.score(*TEST)
    clone(clf).fit(*TRAIN)
    cross_val_score(clf, *TRAIN, cv=3)
    assert embedder.n_texts <= n_texts + 20  # each classifier tries a few short texts


def test_a_session_a_pickle_and_a_file_read_vectors(tmp_path):
    """Check that all of them say what predict_proba says, and that a file needs the embedder."""
    talks = make_conversations(30, random_state=0)
    embedder = Embedder()
    columns = {"text_column": "text", "group_column": "group"}
    clf = ContextMemoryClassifier(**columns, max_epochs=1, random_state=0, embedder=embedder)
    clf.fit(talks.data, talks.target)
    talk = talks.data[talks.data["group"] == talks.data["group"].iloc[0]]
    expected = clf.predict_proba(talk)
    session = clf.session()
    said = [session.predict_proba_one(text) for text in talk["text"]]
    np.testing.assert_allclose(said, expected, atol=1e-6)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(talk), expected)
    clf.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model", embedder=Embedder())
    np.testing.assert_array_equal(loaded.predict_proba(talk), expected)


def test_contributions_of_the_vector_add_up():
    """Check that the vector has one line a row, and that all lines add up to the score."""
    clf = ContextMemoryClassifier(random_state=0, embedder=Embedder()).fit(*TRAIN)
    explanation = clf.explain(TEST[0][:3], target=1)
    of_vector = explanation[explanation["source"] == "embedding"]
    assert of_vector["row"].tolist() == [0, 1, 2]
    assert (np.sign(of_vector["contribution"]) == np.where(TEST[1][:3], 1, -1)).all()
    sums = explanation.groupby("row")["contribution"].sum()
    alone = clf.decision_function(TEST[0][:3]) - sums
    assert np.ptp(alone) < 2e-3


@pytest.mark.parametrize(
    ("embedder", "message"),
    [
        ("all-MiniLM-L6-v2", "embedder='all-MiniLM-L6-v2' is the name of a model"),
        (Embedder, "embedder=Embedder is a class"),
        (3, "embedder=3 of type int has none of the methods"),
    ],
)
def test_what_cannot_embed_is_refused(embedder, message):
    """Check the message for each kind of mistake."""
    with pytest.raises(TypeError, match=message):
        ContextMemoryClassifier(embedder=embedder).fit(*TRAIN)


def test_processes_share_a_folder(tmp_path):
    """Check that a second cache finds all vectors in the folder."""
    first, second = Embedder(), Embedder()
    cached = CachedEmbedder(first, folder=tmp_path)
    expected = cached.transform(TRAIN[0])
    cached.clear()
    np.testing.assert_array_equal(
        CachedEmbedder(second, folder=tmp_path).transform(TRAIN[0]), expected
    )
    assert second.n_texts == 4


@pytest.mark.parametrize("method", ["integrated_gradients", "gradient_times_input"])
def test_the_whole_vector_has_one_line(method):
    """Check that methods that add up have a single line for the vector of a row."""
    clf = ContextMemoryClassifier(random_state=0, max_epochs=3, embedder=Embedder()).fit(*TRAIN)
    lines = clf.explain(TEST[0][:2], method=method).query("source == 'embedding'")
    assert lines["row"].tolist() == [0, 1]
    assert lines["feature"].isna().all()


def test_leave_one_out_says_which_words_the_embedding_reacted_to():
    """Check the line of the whole vector, and that of the only word that changes it."""
    clf = ContextMemoryClassifier(random_state=0, embedder=Embedder()).fit(*TRAIN)
    text = "w1 slow, unheard slow"  # no known n-gram but w1
    lines = clf.explain([text, ""], target=1, method="leave_one_out")
    lines = lines.query("source == 'embedding'")
    of_text = lines[lines["row"] == 0].set_index("feature")["contribution"]
    assert of_text.index.isna().sum() == 1
    assert of_text.index[1:].tolist() == ["w1", "slow", "unheard"]
    assert of_text["slow"] > 3 * abs(of_text["unheard"])
    assert len(lines[lines["row"] == 1]) == 1
    without = clf.decision_function([text]) - clf.decision_function([text.replace("slow", "")])
    assert of_text["slow"] == pytest.approx(without[0], rel=0.05)  # and no n-gram has the word
