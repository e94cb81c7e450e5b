"""Tests of embedders beside files, pickles, streams and workers."""

import pickle
import threading
from io import BytesIO

import joblib
import numpy as np
import pytest
from _embedding import NotingEmbedder
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from sk_ctxmem import TRUSTED_TYPES, CachedEmbedder, ContextMemoryClassifier, ModelFileError
from sk_ctxmem.datasets import make_conversations
from sk_ctxmem.distributed import FramePredictor, fit_parquet
from sk_ctxmem.inspection import (
    ContextAblationDisplay,
    ContextAttributionDisplay,
    ConversationDisplay,
    TokenAttributionDisplay,
    TrainingHistoryDisplay,
    suspect_labels,
    word_contributions,
)

TALKS = make_conversations(20, random_state=0)
X, Y = TALKS.data, TALKS.target
COLUMNS = {"text_column": "text", "group_column": "group", "random_state": 0}
FEW = {**COLUMNS, "hidden_size": 8, "max_epochs": 2}
WORDS = ("red", "green", "blue", "well")


def count(texts):
    """Return counts of some words in texts."""
    return np.array([[text.count(word) for word in (*WORDS, "e")] for text in texts])


def count_twice(texts):
    """Return other vectors than `count`."""
    return 2 * count(texts)


def make_lsa():
    """Return a Pipeline that each fit has to fit."""
    return make_pipeline(TfidfVectorizer(), TruncatedSVD(4, random_state=0))


@pytest.fixture(scope="module")
def clf():
    """Return a classifier with an embedder."""
    return ContextMemoryClassifier(**FEW, embedder=count).fit(X, Y)


@pytest.fixture(scope="module")
def file(clf, tmp_path_factory):
    """Return the path of its file."""
    path = tmp_path_factory.mktemp("files") / "model"
    clf.save(path)
    return path


def test_a_file_recognises_the_embedder(clf, file):
    """Check the parameter and the predictions of a loaded classifier."""
    for embedder in (count, CachedEmbedder(count), lambda texts: count(texts) * 1.000001):
        loaded = ContextMemoryClassifier.load(file, embedder=embedder)
        np.testing.assert_allclose(loaded.predict_proba(X), clf.predict_proba(X), atol=1e-4)
        assert loaded.embedder is embedder
        clone(loaded).fit(X, Y)


@pytest.mark.parametrize(
    ("embedder", "message"),
    [
        (None, r"fitted with the embedder test_embedder_files.count, which its file does not"),
        (count_twice, r"count_twice gives other vectors \(of 5 values\) than that of the fit"),
        (lambda texts: count(texts)[:, :3], r"gives other vectors \(of 3 values\) than that"),
    ],
)
def test_a_file_without_its_embedder_says_so(file, embedder, message):
    """Check the remedies, none of which is to save the file again."""
    with pytest.raises(ModelFileError, match=message) as caught:
        ContextMemoryClassifier.load(file, embedder=embedder)
    assert "save it again" not in str(caught.value)


def test_errors_of_an_embedder_are_not_those_of_the_file(file):
    """Check what is no embedder, what is not fitted and what fails."""

    def fail(texts):
        raise RuntimeError("out of credit")

    with pytest.raises(TypeError, match="is the name of a model"):
        ContextMemoryClassifier.load(file, embedder="all-MiniLM-L6-v2")
    with pytest.raises(ValueError, match="embedder Pipeline is not fitted"):
        ContextMemoryClassifier.load(file, embedder=make_lsa())
    with pytest.raises(RuntimeError, match="out of credit"):
        ContextMemoryClassifier.load(file, embedder=fail)


def test_a_file_without_an_embedder_refuses_one(tmp_path):
    """Check that an embedder that would not be used is an error."""
    ContextMemoryClassifier(**FEW).fit(X, Y).save(tmp_path / "model")
    assert ContextMemoryClassifier.load(tmp_path / "model").embedder_ is None
    with pytest.raises(ModelFileError, match="fitted without an embedder, but embedder= was"):
        ContextMemoryClassifier.load(tmp_path / "model", embedder=count)


def test_a_fitted_embedder_is_kept_beside_the_file(tmp_path):
    """Check the warning of save, and that the fitted Pipeline serves a loaded classifier."""
    fitted = ContextMemoryClassifier(**FEW, embedder=make_lsa()).fit(X, Y)
    with pytest.warns(UserWarning, match=r"will not contain the Pipeline .* keep clf.embedder_"):
        fitted.save(tmp_path / "model")
    joblib.dump(fitted.embedder_, tmp_path / "embedder")
    embedder = joblib.load(tmp_path / "embedder")
    loaded = ContextMemoryClassifier.load(tmp_path / "model", embedder=embedder)
    np.testing.assert_allclose(loaded.predict_proba(X), fitted.predict_proba(X), atol=1e-6)


class Large:
    """An embedder with weights."""

    def __init__(self):
        self.weights = np.random.RandomState(0).rand(20_000)

    def encode(self, texts):
        """Return counts of words, and a weight."""
        return count(texts) * self.weights[0]


def test_a_pickle_has_the_embedder_once():
    """Check the size, and that a loaded classifier has one embedder."""
    without = ContextMemoryClassifier(**FEW, embedder=count).fit(X, Y)
    fitted = ContextMemoryClassifier(**FEW, embedder=Large()).fit(X, Y)
    fitted.predict(X)
    content = pickle.dumps(fitted)
    assert 160_000 < len(content) - len(pickle.dumps(without)) < 170_000
    again = pickle.loads(content)
    assert again.embedder_.embedder is again.embedder
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_skops_has_the_embedder():
    """Check a file of skops: the wrapper may write to a folder, so that users have to trust it."""
    skops = pytest.importorskip("skops.io")
    fitted = ContextMemoryClassifier(**FEW, embedder=make_lsa()).fit(X, Y)
    content = skops.dumps(fitted)
    unknown = set(skops.get_untrusted_types(data=content)) - set(TRUSTED_TYPES)
    assert unknown == {"sk_ctxmem._dense._cached.CachedEmbedder"}
    again = skops.loads(content, trusted=[*TRUSTED_TYPES, *unknown])
    np.testing.assert_allclose(again.predict_proba(X), fitted.predict_proba(X), atol=1e-6)


def test_a_checkpoint_belongs_to_the_vectors(tmp_path):
    """Check that a fit is resumed with another object of the same vectors, not with others."""

    def interrupted(embedder):
        params = FEW | {"max_epochs": 4, "checkpoint": tmp_path}
        fitted = ContextMemoryClassifier(**params, embedder=embedder, callbacks=[Stop()])
        with pytest.raises(RuntimeError, match="stopped"):
            fitted.fit(X, Y)
        return len(list(tmp_path.iterdir()))

    assert interrupted(count) == 1
    assert interrupted(lambda texts: count(texts)) == 1
    assert interrupted(count_twice) == 1  # standardized, they are the same
    assert interrupted(lambda texts: count(texts) ** 2) == 2


def _make_stop():
    from skorch.callbacks import Callback

    class Stop(Callback):
        """Stop a fit after its second epoch, as a signal does."""

        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 3:
                raise RuntimeError("stopped")

    return Stop


Stop = _make_stop()


def test_chunks_and_warm_starts_read_vectors():
    """Check partial_fit and warm_start: a fit after the first goes on with its embedder."""
    chunked = ContextMemoryClassifier(**FEW, embedder=count)
    half = len(X) // 2
    chunked.partial_fit(X[:half], Y[:half], classes=np.unique(Y)).partial_fit(X[half:], Y[half:])
    warm = ContextMemoryClassifier(**FEW, embedder=make_lsa(), warm_start=True).fit(X, Y)
    embedder = warm.embedder_
    warm.fit(X, Y)
    assert warm.embedder_ is embedder
    for fitted in (chunked, warm):
        assert fitted.predict_proba(X).shape == (len(X), 3)


@pytest.mark.parametrize("embedder", [count, make_lsa()], ids=["function", "Pipeline"])
def test_files_of_parquet_are_embedded(tmp_path, embedder):
    """Check a fit to files, whose rows are embedded buffer by buffer."""
    pytest.importorskip("pyarrow")
    for number, some in X.assign(label=Y).groupby(X["group"] % 3):
        some.to_parquet(tmp_path / f"{number}.parquet")
    fitted = ContextMemoryClassifier(**FEW, embedder=embedder)
    fit_parquet(fitted, tmp_path, buffer_rows=30)
    assert fitted.predict_proba(X).shape == (len(X), 3)
    assert fitted._model.network_params["n_dense"] == fitted.embedder_.fit(None).n_features_out_


def test_workers_get_the_embedder_once(tmp_path):
    """Check that a predictor that is sent to a worker again and again makes one embedder."""
    embedder = NotingEmbedder(tmp_path / "texts")
    fitted = ContextMemoryClassifier(**FEW, embedder=embedder).fit(X, Y)
    n_lines = len(embedder.texts())
    content = pickle.dumps(FramePredictor(fitted))
    for _ in range(3):
        found = pickle.loads(content)(X)
        assert found["prediction"].tolist() == fitted.predict(X).tolist()
    assert len(embedder.texts()) <= n_lines + 1  # "a b", by which a loaded model is tried


def test_functions_of_a_notebook_reach_workers():
    """Check that a lambda is sent by value, and that what cannot be pickled is named."""
    pytest.importorskip("cloudpickle")
    fitted = ContextMemoryClassifier(**FEW, embedder=lambda texts: count(texts)).fit(X, Y)
    predictor = pickle.loads(pickle.dumps(FramePredictor(fitted, probabilities=False)))
    assert predictor(X)["prediction"].tolist() == fitted.predict(X).tolist()
    lock = threading.Lock()

    def embed(texts):
        with lock:
            return count(texts)

    fitted = ContextMemoryClassifier(**FEW, embedder=embed).fit(X, Y)
    with pytest.raises(TypeError, match="cannot be pickled .*, but each worker needs it"):
        FramePredictor(fitted)


def test_dask_predicts_with_an_embedder(clf):
    """Check a Dask DataFrame."""
    dataframe = pytest.importorskip("dask.dataframe")
    from sk_ctxmem.distributed import predict_dask

    found = predict_dask(clf, dataframe.from_pandas(X, npartitions=2)).compute(
        scheduler="synchronous"
    )
    assert found["prediction"].sort_index().tolist() == clf.predict(X).tolist()


def test_inspection_takes_an_embedder(clf):
    """Check each public name of inspection once."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    talk = X[X["group"] == X["group"].iloc[0]]
    TrainingHistoryDisplay.from_estimator(clf)
    ConversationDisplay.from_estimator(clf, talk)
    ContextAttributionDisplay.from_estimator(clf, talk)
    TokenAttributionDisplay.from_estimator(clf, talk, row=1)
    ContextAblationDisplay.from_estimator(clf, X, Y)
    words, rest = word_contributions(talk["text"].iloc[1], clf.explain(talk, rows=[1]))
    assert len(words) == len(talk["text"].iloc[1].split())
    assert len(suspect_labels(clf, X, Y, cv=2)) == len(X)
    assert "count" in repr(clf)
    assert clf._repr_html_()
    assert clone(clf.set_params(embedder=count)).get_params()["embedder"] is count


def test_a_session_embeds_a_text_once(tmp_path):
    """Check sessions, copies of their state and batches of sessions."""
    embedder = NotingEmbedder(tmp_path / "texts")
    fitted = ContextMemoryClassifier(**FEW, embedder=embedder).fit(X, Y)
    known = len(embedder.texts())
    session = fitted.session()
    session.predict_one("never heard")
    session.predict_one(X["text"].iloc[0])
    state = session.state()
    session.predict_one("never heard")
    again = fitted.session(state)
    again.predict_one("never heard")
    many = fitted.sessions(2)
    many.predict(["never heard", "never heard"])
    assert len(embedder.texts()) == known + 1


def test_a_model_in_a_file_object(clf):
    """Check that an open file takes the place of a path."""
    file = BytesIO()
    clf.save(file)
    file.seek(0)
    loaded = ContextMemoryClassifier.load(file, embedder=count)
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))


@pytest.mark.parametrize(("first", "second"), [(None, count), (count, None)])
def test_a_warm_start_needs_the_embedder_of_the_last_fit(first, second):
    """Check that an embedder that would not be used is an error."""
    warm = ContextMemoryClassifier(**FEW, embedder=first, warm_start=True).fit(X, Y)
    with pytest.raises(ValueError, match="needs the embedder of the last fit, which had"):
        warm.set_params(embedder=second).fit(X, Y)
