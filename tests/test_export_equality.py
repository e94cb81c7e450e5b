"""Tests that exported graphs predict what the classifier predicts."""

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from _exports import LABELS, agree, as_rows, export, fit_talks, make_talks
from _hostile import small
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.reliability.golden import read_golden
from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer

onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
pytest.importorskip("onnxruntime", reason="needs the extra onnx")

# Rows without a speaker are on purpose.
pytestmark = pytest.mark.filterwarnings("ignore::sk_ctxmem.exceptions.UnknownSpeakersWarning")

GOLDEN = Path(__file__).parent / "golden" / "v1"
OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in ("elman", "lstm", "mingru")]
MEMORIES = ["gru", *OTHERS]
SIZES = (150, 5, 64, 65, 1, 130)  # attention reads 64 rows, in blocks


def unseen():
    """Return other turns, in mixed order of groups, some with odd texts and speakers."""
    frame = make_talks(SIZES, seed=1).astype({"text": object})
    frame.loc[[3, 200], "text"] = ""
    frame.loc[[4, 5, 250], "text"] = ["zzz", "\ud800", "!!"]
    frame["speaker"] = frame["speaker"].astype(object)
    frame.loc[[1, 2, 160], "speaker"] = None
    frame.loc[[8, 9, 170], "speaker"] = ["stranger", "other", "stranger"]
    return frame.sample(frac=1, random_state=0)


def inputs(frame, speakers=True):
    """Return what the runtime takes of a frame."""
    given = {"X": frame["text"].tolist(), "groups": frame["group"].tolist()}
    return given | ({"speakers": frame["speaker"].tolist()} if speakers else {})


def turn_by_turn(model, frame):
    """Return what sessions predict for the rows of a frame."""
    sessions, found = {}, []
    for row in frame.itertuples():
        session = sessions.setdefault(row.group, None) or model.session()
        sessions[row.group] = session
        found.append(session.predict_proba_one(row.text, row.speaker))
    return np.array(found)


@pytest.mark.parametrize("speakers", [False, True])
@pytest.mark.parametrize("context", ["past", "both", "none"])
@pytest.mark.parametrize("memory", MEMORIES)
def test_rows_of_every_memory_and_context(memory, context, speakers, tmp_path):
    """Check that rows.onnx predicts what the classifier predicts, and step.onnx too."""
    column = {"speaker_column": "speaker"} if speakers else {}
    classifier = fit_talks(memory=memory, context=context, **column)
    model, frame = export(classifier, tmp_path), unseen()
    expected = classifier.predict_proba(frame)
    found = model.predict_proba(**inputs(frame, speakers))
    agree(found, expected)
    if context == "past":
        agree(turn_by_turn(model, frame), expected)
    else:
        with pytest.raises(ValueError, match="turn by turn"):
            model.session()


@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_several_labels(context, tmp_path):
    """Check multilabel probabilities, classes and turns."""
    frame = make_talks()
    targets = np.random.default_rng(0).integers(2, size=(len(frame), 4))
    classifier = fit_talks(targets, context=context, speaker_column="speaker")
    model, new = export(classifier, tmp_path), unseen()
    expected = classifier.predict_proba(new)
    found = model.predict_proba(**inputs(new))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    is_clear = np.abs(expected - 0.5) > 1e-5
    predicted = model.predict(**inputs(new))
    np.testing.assert_array_equal(predicted[is_clear], classifier.predict(new)[is_clear])
    if context == "past":
        np.testing.assert_allclose(turn_by_turn(model, new), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("memory", MEMORIES)
def test_no_rows_and_groups_of_one_row(memory, tmp_path):
    """Check empty input, and groups of one row each."""
    classifier = fit_talks(memory=memory)
    model, frame = export(classifier, tmp_path), make_talks((1, 1, 1))
    agree(model.predict_proba(**inputs(frame)), classifier.predict_proba(frame))
    assert model.predict_proba([], groups=[]).shape == (0, 3)


# --- sequences


def make_sequences(n=24, seed=0):
    """Return sequences of texts, some of them longer than others."""
    random = np.random.default_rng(seed)
    texts = make_talks((n * 12,), seed)["text"].tolist()
    return [texts[12 * i : 12 * i + random.integers(1, 12)] for i in range(n)]


def flatten(sequences):
    """Return the rows of sequences and their groups."""
    rows = [row for sequence in sequences for row in sequence]
    return rows, np.repeat(np.arange(len(sequences)), [len(each) for each in sequences])


@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_sequences_of_texts(context, tmp_path):
    """Check one result of each sequence of texts."""
    sequences = make_sequences()
    classifier = small(context=context).fit(sequences, np.resize(LABELS, 24))
    new = [*make_sequences(9, seed=1), ["", "zzz"], ["hello"] * 130]
    rows, groups = flatten(new)
    model = export(classifier, tmp_path)
    expected = classifier.predict_proba(new)
    agree(model.predict_proba(rows, groups=groups), expected)
    if context == "past":
        session = model.session()
        for text in new[0]:
            found = session.predict_proba_one(text)
        agree(found[None], expected[:1])


@pytest.mark.parametrize("context", ["past", "none"])
def test_text_sequences(context, tmp_path):
    """Check TextSequences, whose features programs pass."""
    texts = make_talks((24,))["text"].tolist()
    sequences = TextSequenceVectorizer().fit_transform(texts)
    classifier = small(context=context).fit(sequences, np.resize(LABELS, 24))
    model = export(classifier, tmp_path)
    groups = range(24) if model.config["groups"] else None
    found = model.predict_proba(as_rows(sequences.features), groups=groups)
    agree(found, classifier.predict_proba(sequences))


@pytest.mark.parametrize("context", ["past", "none"])
def test_sequences_of_numbers(context, tmp_path):
    """Check sequences of dense frames."""
    random = np.random.default_rng(0)
    sequences = [random.normal(size=(size, 5)) for size in random.integers(1, 20, size=24)]
    classifier = small(context=context).fit(sequences, np.resize(LABELS, 24))
    rows, groups = flatten(sequences)
    found = export(classifier, tmp_path).predict_proba(rows, groups=groups)
    agree(found, classifier.predict_proba(sequences))


# --- features


@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_dense_features(context, tmp_path):
    """Check features of any scale, in double precision."""
    X = np.random.default_rng(0).normal(size=(40, 6)) * [1, 1e3, 1e-3, 1, 1, 1] + [
        0,
        1e9,
        0,
        0,
        0,
        0,
    ]
    groups = np.repeat(np.arange(8), 5)
    known = {} if context == "none" else {"groups": groups}
    classifier = small(context=context).fit(X, np.resize(LABELS, 40), **known)
    model = export(classifier, tmp_path)
    agree(model.predict_proba(X, **known), classifier.predict_proba(X, **known))


def test_sparse_features_with_heavy_columns(tmp_path):
    """Check sparse features beside a column that outweighs them, and a row without values."""
    frame = make_talks((10,) * 12)
    words = TfidfVectorizer().fit_transform(frame["text"])
    X = sparse.csr_array(sparse.hstack([words, frame[["price"]] * 1000]))
    X = sparse.vstack([X[:-1], sparse.csr_array((1, X.shape[1]))]).tocsr()
    classifier = small().fit(X, frame["label"], groups=frame["group"])
    assert type(classifier._model.reader.scaler).__name__ == "HeavyColumnScaler"
    model = export(classifier, tmp_path)
    found = model.predict_proba(as_rows(X), groups=frame["group"].tolist())
    agree(found, classifier.predict_proba(X, groups=frame["group"]))


@pytest.mark.parametrize("is_dense", [False, True])
def test_features_of_foreign_vectorizers(is_dense, tmp_path):
    """Check that a model without its vectorizer takes what the vectorizer returns."""
    steps = [TfidfVectorizer(), TruncatedSVD(4, random_state=0)][: 1 + is_dense]
    classifier = fit_talks(vectorizer=make_pipeline(*steps))
    with pytest.raises(TypeError, match="vectorizer=False"):
        classifier.export(tmp_path / "refused")
    model = export(classifier, tmp_path, vectorizer=False)
    frame = make_talks(seed=1)
    X = classifier.vectorizer_.transform(frame["text"])
    rows = X if is_dense else as_rows(X)
    agree(
        model.predict_proba(rows, groups=frame["group"].tolist()), classifier.predict_proba(frame)
    )


def test_features_of_the_own_vectorizer(tmp_path):
    """Check that vectorizer=False takes the features of TextSequenceVectorizer."""
    classifier, frame = fit_talks(), make_talks(seed=1)
    model = export(classifier, tmp_path, vectorizer=False)
    features = classifier.vectorizer_.transform(frame["text"])
    rows = as_rows(getattr(features, "features", features))
    found = model.predict_proba(rows, groups=frame["group"].tolist())
    agree(found, classifier.predict_proba(frame))


class Letters:
    """A stand-in for a transformer: counts letters."""

    def encode(self, texts):
        """Return the vectors of texts."""
        return np.array([[text.count(letter) for letter in "aeiou"] for text in texts], np.float32)


def test_embeddings(tmp_path):
    """Check that vectors of an embedder are an input, of rows and of turns."""
    classifier, frame = fit_talks(embedder=Letters()), make_talks(seed=1)
    model = export(classifier, tmp_path)
    vectors = Letters().encode(frame["text"].tolist())
    given = inputs(frame, speakers=False)
    expected = classifier.predict_proba(frame)
    agree(model.predict_proba(**given, embeddings=vectors), expected)
    session = model.session()
    found = [
        session.predict_proba_one(frame["text"][row], embedding=vectors[row]) for row in range(5)
    ]
    agree(np.array(found), expected[:5])
    with pytest.raises(ValueError, match="pass embeddings"):
        model.predict_proba(**given)


# --- columns


def add_columns(frame, seed=0):
    """Return a frame with columns of all kinds, some values missing."""
    random = np.random.default_rng(seed)
    n_rows = len(frame)
    frame = frame.assign(
        count=random.integers(9, size=n_rows),
        city=[f"city {number}" for number in random.integers(70, size=n_rows)],
        team=random.choice(["red", "blue"], n_rows),
        is_new=random.integers(2, size=n_rows).astype(bool),
        sent=pd.Timestamp("2024-02-28 22:30")
        + pd.to_timedelta(random.integers(0, 9e6, n_rows), "s"),
        waited=pd.to_timedelta(random.integers(0, 9e4, n_rows), "s"),
    )
    frame.loc[frame.index[::7], ["price", "city", "sent"]] = [np.nan, None, pd.NaT]
    return frame


COLUMNS = ["price", "count", "city", "team", "is_new", "sent", "waited"]


def plain_columns(frame, names=COLUMNS):
    """Return columns as lists of plain values, None for missing ones."""
    found = {}
    for name in names:
        values = frame[name].astype(object)
        found[name] = [None if pd.isna(each) else each for each in values]
    return found


@pytest.fixture(scope="module")
def with_columns():
    """Return a classifier with columns of every kind, many of their categories rare."""
    frame = add_columns(make_talks((6,) * 100))
    return fit_talks(frame=frame, feature_columns=COLUMNS)


@pytest.mark.parametrize("name", [*COLUMNS, "all"])
def test_feature_columns(name, with_columns, tmp_path):
    """Check columns of each kind, with missing and unknown values."""
    names = COLUMNS if name == "all" else [name]
    classifier = with_columns
    if name != "all":
        frame = add_columns(make_talks((6,) * 40))
        classifier = fit_talks(frame=frame, feature_columns=names)
    frame = add_columns(make_talks(seed=1), seed=1)
    frame.loc[[1, 2], ["city", "team"]] = "elsewhere"
    frame.loc[3, "sent"] = pd.Timestamp("1931-05-06 07:08:09")
    model = export(classifier, tmp_path)
    given = inputs(frame, speakers=False) | {"columns": plain_columns(frame, names)}
    agree(model.predict_proba(**given), classifier.predict_proba(frame))


def test_turns_with_feature_columns(with_columns, tmp_path):
    """Check that turns take the columns of one row."""
    frame = add_columns(make_talks((6,), seed=1), seed=1)
    session, columns = export(with_columns, tmp_path).session(), plain_columns(frame)
    found = [
        session.predict_proba_one(
            frame["text"][row], columns={name: columns[name][row] for name in COLUMNS}
        )
        for row in range(6)
    ]
    agree(np.array(found), with_columns.predict_proba(frame))


@pytest.mark.parametrize(
    "zone", [datetime.timezone.utc, datetime.timezone(datetime.timedelta(hours=5))]
)
def test_dates_with_a_time_zone(zone, tmp_path):
    """Check that dates with a time zone are read as the classifier reads them."""
    frame = add_columns(make_talks((6,) * 10))
    frame["sent"] = frame["sent"].dt.tz_localize(zone)
    classifier = fit_talks(frame=frame, feature_columns=["sent"])
    model = export(classifier, tmp_path)
    given = inputs(frame, speakers=False) | {"columns": plain_columns(frame, ["sent"])}
    agree(model.predict_proba(**given), classifier.predict_proba(frame))


def test_columns_of_a_transformer(tmp_path):
    """Check that the output of feature_transformer is an input."""
    transformer = ColumnTransformer(
        [("number", StandardScaler(), ["price"]), ("word", OneHotEncoder(), ["speaker"])]
    )
    classifier = fit_talks(feature_columns=["price", "speaker"], feature_transformer=transformer)
    frame = make_talks(seed=1)
    columns = classifier._model.reader.dense.columns.transformer.transform(
        frame[["price", "speaker"]]
    )
    given = inputs(frame, speakers=False) | {"columns": np.asarray(columns)}
    agree(export(classifier, tmp_path).predict_proba(**given), classifier.predict_proba(frame))


# --- fits of other kinds


def test_models_of_partial_fit(tmp_path):
    """Check a model that learns from batches, with features that only later ones have."""
    frame = make_talks((4,) * 10)
    classifier = small(text_column="text", group_column="group", speaker_column="speaker")
    for rows in (slice(0, 20), slice(20, 40)):
        classifier.partial_fit(frame[rows], frame["label"][rows], classes=LABELS)
    new = unseen()
    agree(export(classifier, tmp_path).predict_proba(**inputs(new)), classifier.predict_proba(new))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.ctxmem")), ids=lambda path: path.stem)
def test_models_of_golden_files(path, tmp_path):
    """Check models of files of earlier versions, on their rows."""
    rows, _, _ = read_golden(path)
    classifier = ContextMemoryClassifier.load(path)
    if classifier._model.reader.word_memory:
        with pytest.raises(ValueError, match="word_memory"):
            classifier.export(tmp_path / "export")
        return
    texts = classifier._model.reader.texts
    is_own = texts is None or isinstance(classifier.vectorizer_, TextSequenceVectorizer)
    model = export(classifier, tmp_path, vectorizer=is_own)
    for graph in tmp_path.rglob("*.onnx"):
        onnx.checker.check_model(onnx.load(graph), full_check=True)
    assert model.config["classes"] == classifier.classes_.tolist()
    if isinstance(rows, pd.DataFrame) and is_own and "columns" not in model.config["inputs"]:
        given = {"X": rows[classifier.text_column].tolist()}
        if classifier.group_column:
            given["groups"] = rows[classifier.group_column].tolist()
        if classifier.speaker_column:
            given["speakers"] = rows[classifier.speaker_column].tolist()
        if not model.config["sequences"] and classifier.order_column is None:
            agree(model.predict_proba(**given), classifier.predict_proba(rows))


def test_graphs_have_standard_operators_alone(tmp_path):
    """Check opset, domains and operators: adding scattered values depends on threads."""
    export(fit_talks(speaker_column="speaker"), tmp_path)
    for path in sorted(tmp_path.rglob("*.onnx")):
        graph = onnx.load(path)
        onnx.checker.check_model(graph, full_check=True)
        assert [(each.domain, each.version) for each in graph.opset_import] == [("", 17)]
        assert graph.ir_version <= 8
        nodes = list(graph.graph.node)
        for node in nodes:
            nodes += [inner for of in node.attribute for inner in of.g.node]
            assert node.domain in ("", "ai.onnx")
            assert not node.op_type.startswith("Scatter")
        assert not graph.functions
