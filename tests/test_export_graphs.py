"""Tests of the graphs of exported models: they predict what the classifier does."""

import numpy as np
import onnx
import pandas as pd
import pytest
from _exported import fit, inputs_of, load_runtime, make_talks, rows_of
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer

COLUMNS = ["number", "flag", "channel", "date"]
NOT_STANDARD = {"ScatterND", "ScatterElements"}  # whose sums differ from run to run


@pytest.fixture(scope="module")
def talks():
    """Return conversations, one of which is longer than two windows of attention."""
    return make_talks(40, long=150)


def check_graphs(folder):
    """Check that the files of a folder have standard operators only."""
    for path in folder.glob("*.onnx"):
        model = onnx.load(path)
        onnx.checker.check_model(model)
        assert [(each.domain, each.version) for each in model.opset_import] == [("", 17)]
        assert not NOT_STANDARD & {node.op_type for node in model.graph.node}


def assert_same(found, expected):
    """Check that probabilities are equal, and so are the classes but for ties."""
    np.testing.assert_allclose(found, expected, atol=1e-5)
    best = np.sort(expected, axis=1)
    is_clear = best[:, -1] - best[:, -2] > 1e-4
    assert (found.argmax(axis=1) == expected.argmax(axis=1))[is_clear].all()


@pytest.mark.parametrize("has_speakers", [False, True])
@pytest.mark.parametrize("context", ["past", "both"])
@pytest.mark.parametrize("memory", ["elman", "gru", "lstm", "mingru"])
def test_rows_in_context(tmp_path, talks, memory, context, has_speakers):
    """Check all memories, over groups in mixed order and of more than two windows."""
    frame = talks.sample(frac=1, random_state=0) if has_speakers else talks
    speaker = "speaker" if has_speakers else None
    clf = fit(talks, memory=memory, context=context, speaker_column=speaker)
    clf.export(tmp_path / "model")
    check_graphs(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    found = model.predict_proba(frame["text"].tolist(), **inputs_of(frame))
    assert_same(found, clf.predict_proba(frame))


@pytest.mark.parametrize("memory", ["elman", "gru", "lstm", "mingru"])
def test_turn_by_turn(tmp_path, talks, memory):
    """Check that a session gives the probabilities of whole conversations."""
    clf = fit(talks, memory=memory, speaker_column="speaker")
    clf.export(tmp_path / "model")
    session = load_runtime(tmp_path / "model").Model(tmp_path / "model").session()
    talk = talks[talks["group"] == -1]
    turns = zip(talk["text"], talk["speaker"], strict=True)
    found = [session.predict_proba_one(text, speaker) for text, speaker in turns]
    assert_same(np.array(found), clf.predict_proba(talk))


def test_rows_alone(tmp_path, talks):
    """Check rows without context, with empty texts and without known n-grams."""
    clf = fit(talks, context="none")
    clf.export(tmp_path / "model")
    check_graphs(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    texts = ["", " ", "\ud800", *talks["text"][:50], "", "ξένος"]
    frame = pd.DataFrame({"text": pd.Series(texts, dtype=object), "group": range(len(texts))})
    assert_same(model.predict_proba(texts), clf.predict_proba(frame))
    assert model.predict_proba([]).shape == (0, len(clf.classes_))


def test_unknown_speakers_and_empty_texts(tmp_path, talks):
    """Check that speakers of no row of fit are told apart."""
    clf = fit(talks, speaker_column="speaker")
    clf.export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    frame = talks.assign(speaker=np.tile(["x", "y", None, "A", 5, 5.0], len(talks))[: len(talks)])
    frame.loc[frame.index % 7 == 0, "text"] = ""
    with pytest.warns(UserWarning, match="speaker"):
        expected = clf.predict_proba(frame)
    assert_same(model.predict_proba(frame["text"].tolist(), **inputs_of(frame)), expected)


@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_several_labels(tmp_path, talks, context):
    """Check rows that have any number of labels."""
    labels = np.random.default_rng(0).random((len(talks), 3)) < 0.4
    clf = fit(talks, labels.astype(int), context=context)
    clf.export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    found = model.predict_proba(talks["text"].tolist(), **inputs_of(talks))
    np.testing.assert_allclose(found, clf.predict_proba(talks), atol=1e-5)
    if context == "past":
        session = model.session()
        talk = talks[talks["group"] == talks["group"].iloc[-1]]
        found = [session.predict_proba_one(text) for text in talk["text"]]
        np.testing.assert_allclose(found, clf.predict_proba(talk), atol=1e-5)
        assert set(session.predict_one("yes")) <= {0, 1}


@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_sequences(tmp_path, talks, context):
    """Check labels of whole sequences, and forecasts."""
    groups = [part for _, part in talks[talks["group"] >= 0].groupby("group")]
    sequences = [part["text"].tolist() for part in groups]
    y = [number % 3 for number in range(len(groups))]
    clf = ContextMemoryClassifier(context=context, hidden_size=8, max_epochs=2, random_state=0)
    clf.fit(sequences, y).export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    texts = [text for texts in sequences for text in texts]
    numbers = np.repeat(np.arange(len(groups)), list(map(len, sequences)))
    found = model.predict_proba(texts, groups=numbers)
    assert_same(found, clf.predict_proba(sequences))
    if context == "past":
        session = model.session()
        last = [session.predict_proba_one(text) for text in sequences[3]][-1]
        np.testing.assert_allclose(last, clf.predict_proba(sequences)[3], atol=1e-5)


def test_sequences_of_numbers(tmp_path):
    """Check sequences of dense features."""
    generator = np.random.default_rng(0)
    X = [generator.normal(size=(length, 4)) for length in generator.integers(1, 9, 30)]
    clf = ContextMemoryClassifier(hidden_size=8, max_epochs=2, random_state=0)
    clf.fit(X, [number % 2 for number in range(30)]).export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    groups = np.repeat(np.arange(30), list(map(len, X)))
    assert_same(model.predict_proba(np.concatenate(X), groups=groups), clf.predict_proba(X))


@pytest.mark.parametrize("context", ["past", "none"])
@pytest.mark.parametrize("kind", ["dense", "sparse", "heavy"])
def test_features(tmp_path, talks, kind, context):
    """Check features of the user: dense, sparse, and sparse with heavy columns."""
    X = CountVectorizer().fit_transform(talks["text"]).astype(float)
    if kind == "sparse":
        X = TfidfVectorizer().fit_transform(talks["text"])
    if kind == "heavy":
        years = np.random.default_rng(0).normal(2015, 5, (len(talks), 1))
        X = sparse.hstack([sparse.csr_array(years), X]).tocsr()
    X = X.toarray() if kind == "dense" else sparse.csr_array(X)
    clf = ContextMemoryClassifier(context=context, hidden_size=8, max_epochs=2, random_state=0)
    clf.fit(X, talks["target"], groups=talks["group"]).export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    rows = list(X) if kind == "dense" else rows_of(X)
    found = model.predict_proba(rows, groups=talks["group"].tolist())
    assert_same(found, clf.predict_proba(X, groups=talks["group"]))


@pytest.mark.parametrize("is_dense", [False, True])
def test_vectorizers_of_others(tmp_path, talks, is_dense):
    """Check that other vectorizers are refused, and that their features are an input."""
    vectorizer = TfidfVectorizer(min_df=2)
    if is_dense:
        vectorizer = make_pipeline(vectorizer, TruncatedSVD(5, random_state=0))
    clf = fit(talks, vectorizer=vectorizer)
    with pytest.raises(TypeError, match="only TextSequenceVectorizer can be exported; pass vec"):
        clf.export(tmp_path / "model")
    assert not (tmp_path / "model").exists()
    clf.export(tmp_path / "model", vectorizer=False)
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    features = clf.vectorizer_.transform(talks["text"])
    rows = list(features) if is_dense else rows_of(features)
    found = model.predict_proba(rows, groups=talks["group"].tolist())
    assert_same(found, clf.predict_proba(talks))


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
    assert_same(found, clf.predict_proba(talks))
    with pytest.raises(ValueError, match="embeddings=None"):
        model.predict_proba(texts, groups=talks["group"].tolist())
    session = model.session()
    with pytest.raises(ValueError, match="embeddings=None"):
        session.predict_proba_one(texts[0])
    session.predict_proba_one(texts[0], embedding=vectors[0])


@pytest.mark.parametrize("has_missing", [False, True])
def test_columns(tmp_path, talks, has_missing):
    """Check columns of numbers, flags, categories and dates, missing and unknown ones too."""
    clf = fit(talks, feature_columns=COLUMNS, speaker_column="speaker")
    clf.export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    frame = talks
    if has_missing:
        frame = talks.assign(date=pd.NaT, channel="fax", flag=True, number=None)
    found = model.predict_proba(frame["text"].tolist(), **inputs_of(frame, COLUMNS))
    assert_same(found, clf.predict_proba(frame))
    session, live = model.session(), clf.session()
    row = frame[COLUMNS].iloc[0].to_dict()
    found = session.predict_proba_one("yes", "A", row)
    np.testing.assert_allclose(found, live.predict_proba_one("yes", "A", row), atol=1e-5)


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
    assert_same(found, clf.predict_proba(frame))


def test_transformer_of_columns(tmp_path, talks):
    """Check that the output of a transformer of the user is an input."""
    frame = talks.assign(number=talks["number"].fillna(0))
    options = {"feature_columns": ["number"], "feature_transformer": StandardScaler()}
    clf = fit(frame, **options)
    clf.export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    columns = StandardScaler().fit_transform(frame[["number"]])
    inputs = inputs_of(frame) | {"columns": columns}
    assert_same(model.predict_proba(frame["text"].tolist(), **inputs), clf.predict_proba(frame))


def test_partial_fit(tmp_path, talks):
    """Check a model that was trained in chunks."""
    options = {"text_column": "text", "group_column": "group", "hidden_size": 8}
    clf = ContextMemoryClassifier(random_state=0, **options)
    classes = talks["target"].unique()
    clf.partial_fit(talks[:200], talks["target"][:200], classes=classes)
    clf.export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model(tmp_path / "model")
    found = model.predict_proba(talks["text"].tolist(), **inputs_of(talks))
    assert_same(found, clf.predict_proba(talks))


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
