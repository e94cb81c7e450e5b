"""Tests of exported models beside their equality on all kinds of input."""

import numpy as np
import pytest
from _exported import fit, inputs_of, load_runtime, make_talks
from _exports import agree
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler

from sk_ctxmem import TextSequenceVectorizer


@pytest.fixture(scope="module")
def talks():
    """Return conversations, one of which is longer than two windows of attention."""
    return make_talks(40, long=150)


def test_unknown_speakers_and_empty_texts(tmp_path, talks):
    """Check that speakers of no row of fit are told apart."""
    clf = fit(talks, speaker_column="speaker")
    clf.export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    frame = talks.assign(speaker=np.tile(["x", "y", None, "A", 5, 5.0], len(talks))[: len(talks)])
    frame.loc[frame.index % 7 == 0, "text"] = ""
    with pytest.warns(UserWarning, match="speaker"):
        expected = clf.predict_proba(frame)
    agree(model.predict_proba(frame["text"].tolist(), **inputs_of(frame)), expected)


def test_vectorizers_of_others_are_refused(tmp_path, talks):
    """Check that nothing is written, and that the message names the parameter that helps."""
    clf = fit(talks, vectorizer=TfidfVectorizer(min_df=2), max_epochs=1)
    with pytest.raises(TypeError, match="only TextSequenceVectorizer can be exported; pass vec"):
        clf.export(tmp_path / "model")
    assert not (tmp_path / "model").exists()


class Lengths(StandardScaler):
    """An embedder of two numbers."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.array([[len(text), text.count("e")] for text in X], dtype=np.float32)


def test_embeddings_are_an_input(tmp_path, talks):
    """Check that vectors of an embedder are passed, and their absence is said."""
    clf = fit(talks, embedder=Lengths())
    clf.export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    texts = talks["text"].tolist()
    vectors = Lengths().transform(texts)
    found = model.predict_proba(texts, groups=talks["group"].tolist(), embeddings=vectors)
    agree(found, clf.predict_proba(talks))
    with pytest.raises(ValueError, match="embeddings=None"):
        model.predict_proba(texts, groups=talks["group"].tolist())
    session = model.session()
    with pytest.raises(ValueError, match="embeddings=None"):
        session.predict_proba_one(texts[0])
    session.predict_proba_one(texts[0], embedding=vectors[0])


def test_many_categories(tmp_path, talks):
    """Check that rare categories share a number."""
    generator = np.random.default_rng(0)
    city = np.where(generator.random(len(talks)) < 0.7, 0, generator.integers(1, 80, len(talks)))
    frame = talks.assign(city=[f"c{number}" for number in city])
    clf = fit(frame, feature_columns=["city"])
    clf.export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    frame.loc[:9, "city"] = "elsewhere"
    found = model.predict_proba(frame["text"].tolist(), **inputs_of(frame, ["city"]))
    agree(found, clf.predict_proba(frame))


def test_threads_do_not_change_bits(tmp_path, talks):
    """Check that two threads give the same bits as one, each time."""
    clf = fit(talks, vectorizer=TextSequenceVectorizer(min_df=2))
    clf.export(tmp_path / "model")
    runtime = load_runtime(tmp_path / "model")
    results = []
    for n_threads in (1, 2, 2, 2):
        model = runtime.Model(tmp_path / "model", n_threads=n_threads)
        for _ in range(3):
            results.append(model.predict_proba(talks["text"].tolist(), **inputs_of(talks)))
    assert all((each == results[0]).all() for each in results)
