"""Tests of kinds of embedders, and of what they may return."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_ctxmem import CachedEmbedder, ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations

WORDS = ("red", "green", "blue", "well", "yes", "e", "a")
TALKS = make_conversations(20, random_state=0)
TEXTS, TARGET = list(TALKS.data["text"]), TALKS.target
FEW = {"hidden_size": 8, "max_epochs": 2, "random_state": 0}


def count(texts):
    """Return counts of some words in texts."""
    assert isinstance(texts, list)
    assert all(type(text) is str for text in texts)
    return np.array([[text.count(word) for word in WORDS] for text in texts], dtype=float)


class SentenceTransformerLike:
    """Has the method of sentence-transformers, and cannot be copied."""

    def __init__(self, name="a model", device=None):
        self.n_calls = []

    def encode(self, sentences, batch_size=32, show_progress_bar=None, convert_to_numpy=True):
        """Return vectors in single precision."""
        self.n_calls.extend(sentences)
        return count(sentences).astype(np.float32)

    def __deepcopy__(self, memo):
        """Refuse copies, as of a model of hundreds of megabytes."""
        raise AssertionError("copied")


class StaticModelLike:
    """Has the method of model2vec, and tokenizers that cannot be pickled."""

    def __init__(self):
        self.tokenizer = lambda text: text.split()

    def encode(self, sentences, **kwargs):
        """Return vectors in half precision."""
        return count(sentences).astype(np.float16)


class FastembedLike:
    """Has the method of fastembed, which yields vectors."""

    def embed(self, documents, batch_size=256, parallel=None, **kwargs):
        """Yield a vector of each text."""
        yield from count(documents)


class EmbetterLike(BaseEstimator, TransformerMixin):
    """A transformer that learns nothing, loads its model in __init__, and says it needs a fit."""

    n_made = 0

    def __init__(self, name="a model"):
        self.name = name
        type(self).n_made += 1

    def fit(self, X, y=None):
        """Do nothing."""
        return self

    def transform(self, X, y=None):
        """Return the vectors of texts."""
        return count(list(X))


class SingleColumnLike(BaseEstimator, TransformerMixin):
    """A transformer of skrub, which takes a Series and returns a DataFrame."""

    __single_column_transformer__ = True

    def fit_transform(self, column, y=None):
        """Learn the length of a vector."""
        self.n_columns_ = len(WORDS)
        self.name_ = column.name
        return self.transform(column)

    def fit(self, column, y=None):
        """Learn the length of a vector."""
        self.fit_transform(column)
        return self

    def transform(self, column):
        """Return the vectors of texts."""
        import pandas as pd

        assert column.name == self.name_
        return pd.DataFrame(count(list(column)), index=column.index)


def with_gradient(texts):
    """Return a tensor with a gradient."""
    torch = pytest.importorskip("torch")
    return torch.tensor(count(texts), requires_grad=True)


def make_lsa():
    """Return a Pipeline that each fit has to fit."""
    return make_pipeline(TfidfVectorizer(), TruncatedSVD(len(WORDS), random_state=0))


KINDS = {
    "sentence-transformers": SentenceTransformerLike,
    "model2vec": StaticModelLike,
    "fastembed": FastembedLike,
    "embetter": EmbetterLike,
    "skrub": SingleColumnLike,
    "function": lambda: count,
    "tensors": lambda: with_gradient,
    "tensors in a list": lambda: lambda texts: list(with_gradient(texts)),
    "lists": lambda: lambda texts: count(texts).tolist(),
    "Pipeline": make_lsa,
    "FrozenEstimator": lambda: FrozenEstimator(make_lsa().fit(TEXTS)),
    "CachedEmbedder of a fitted one": lambda: CachedEmbedder(make_lsa().fit(TEXTS)),
    "FunctionTransformer": lambda: FunctionTransformer(lambda texts: count(list(texts))),
    "CachedEmbedder in a Pipeline": lambda: make_pipeline(
        CachedEmbedder(SentenceTransformerLike()), TruncatedSVD(3, random_state=0)
    ),
    "ColumnTransformer": lambda: make_column_transformer((make_lsa(), "text"), sparse_threshold=0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_fits_and_predicts(kind):
    """Check each kind in a fit, a prediction, a session and an explanation."""
    embedder = KINDS[kind]()
    clf = ContextMemoryClassifier(
        text_column="text", group_column="group", embedder=embedder, **FEW
    ).fit(TALKS.data, TARGET)
    talk = TALKS.data[TALKS.data["group"] == TALKS.data["group"].iloc[0]]
    expected = clf.predict_proba(talk)
    session = clf.session()
    said = [session.predict_proba_one(text) for text in talk["text"]]
    np.testing.assert_allclose(said, expected, atol=1e-6)
    assert clf.embedder is embedder
    assert clf.embedder_.get_feature_names_out().shape == (clf.embedder_.transform(["a"]).shape[1],)
    lines = clf.explain(talk, rows=[1])
    assert (lines["source"] == "embedding").sum() == 1


def test_a_pipeline_is_fitted_to_the_training_rows_of_each_fold():
    """Check that each fit fits a copy, which has not seen the rows that are held out."""
    seen = []

    class Noting(TfidfVectorizer):
        def fit_transform(self, raw_documents, y=None):
            seen.append(list(raw_documents))
            return super().fit_transform(raw_documents, y)

    embedder = make_pipeline(Noting(), TruncatedSVD(3, random_state=0))
    clf = ContextMemoryClassifier(embedder=embedder, **FEW)
    texts = [f"{text} row{number}" for number, text in enumerate(TEXTS)]
    cross_val_score(clf, texts, TARGET, cv=2)
    assert [len(some) for some in seen] == [len(texts) // 2] * 2
    assert not set(seen[0]) & set(seen[1])
    assert not hasattr(embedder[0], "vocabulary_")


def test_a_transformer_that_learns_nothing_is_not_copied():
    """Check that a transformer that loads a model when it is made is made once."""
    clf = ContextMemoryClassifier(embedder=EmbetterLike(), **FEW)
    n_made = EmbetterLike.n_made
    cross_val_score(clf, TEXTS, TARGET, cv=3)
    assert EmbetterLike.n_made == n_made


@pytest.mark.parametrize("kind", ["object", "function", "CachedEmbedder"])
def test_a_search_embeds_each_text_once(kind):
    """Check two candidates and three folds, and that nothing copies the embedder."""
    model = SentenceTransformerLike()
    embedder = {
        "object": model,
        "function": lambda texts: model.encode(texts),
        "CachedEmbedder": CachedEmbedder(model),
    }[kind]
    clf = ContextMemoryClassifier(embedder=embedder, **FEW)
    search = GridSearchCV(clf, {"dropout": [0.1, 0.3]}, cv=3)
    texts = [f"{text} of {kind}" for text in TEXTS]
    search.fit(texts, TARGET).predict(texts)
    embedded = [text for text in model.n_calls if text in set(texts)]
    assert sorted(embedded) == sorted(set(texts))
    assert len(model.n_calls) == len(embedded) + 7 * 4  # each fit tries four short texts


def test_a_grid_of_embedders_embeds_each_text_once():
    """Check candidates with and without an embedder, of which scikit-learn makes copies."""
    calls = []

    class Copied:
        def encode(self, texts):
            calls.extend(texts)
            return count(texts)

    model = SentenceTransformerLike()
    texts = [f"{text} in a grid" for text in TEXTS]
    grid = {"embedder": [None, Copied(), CachedEmbedder(model)]}
    GridSearchCV(ContextMemoryClassifier(**FEW), grid, cv=3).fit(texts, TARGET)
    for found in (calls, model.n_calls):
        embedded = [text for text in found if text in set(texts)]
        assert sorted(embedded) == sorted(set(texts))


def _changing(texts):
    return np.ones((len(texts), 3 if "text" in texts else 2))


OUTPUTS = {
    "rows": (lambda texts: np.ones((3, 2)), "The embedder .* returned 3 rows for 4 texts"),
    "1-D": (lambda texts: np.ones(len(texts)), r"The embedder .* array of shape \(4,\)"),
    "3-D": (lambda texts: np.ones((len(texts), 5, 2)), r"The embedder .* of shape \(4, 5, 2\)"),
    "NaN": (lambda texts: count(texts) * np.nan, "The embedder .* returned nan for text 0"),
    "infinite": (lambda texts: count(texts) + np.inf, "The embedder .* returned inf for text 0"),
    "large": (lambda texts: count(texts) + 1e300, "the output of the embedder"),
    "sparse": (lambda texts: sparse.csr_array(count(texts)), "The embedder .* sparse features"),
    "none": (lambda texts: None, "The embedder .* returned a NoneType"),
    "no columns": (lambda texts: np.ones((len(texts), 0)), "The embedder .* returned 0 columns"),
    "strings": (lambda texts: np.full((len(texts), 2), "a"), "The embedder .* dtype <U1"),
    "dict": (lambda texts: {"vectors": count(texts)}, "The embedder .* returned a dict"),
    "changing": (_changing, "The embedder .* returned 3 columns, but 2, as in fit"),
    "HashingVectorizer": (HashingVectorizer(), "The embedder HashingVectorizer returned sparse"),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_an_embedder_may_not_return(name):
    """Check that messages name the embedder, and what it returned."""
    embedder, message = OUTPUTS[name]
    with pytest.raises((TypeError, ValueError), match=message):
        ContextMemoryClassifier(embedder=embedder, **FEW).fit(["text", *TEXTS], [*TARGET, "red"])


def test_an_embedder_needs_texts():
    """Check the message for features."""
    with pytest.raises(ValueError, match="needs texts, but X contains only features"):
        ContextMemoryClassifier(embedder=count, **FEW).fit(np.ones((6, 2)), [0, 1] * 3)


def test_parameters_of_the_wrapper_can_be_searched(tmp_path):
    """Check nested names, which do not change the wrapper of another classifier."""
    clf = ContextMemoryClassifier(embedder=CachedEmbedder(count), **FEW)
    grid = {"embedder__max_bytes": [0, 1000], "embedder__folder": [str(tmp_path)]}
    search = GridSearchCV(clf, grid, cv=2).fit(TEXTS, TARGET)
    assert search.best_estimator_.embedder.folder == str(tmp_path)
    assert clf.embedder.folder is None
    assert "CachedEmbedder(embedder=<function count" in repr(clf)


def test_errors_of_the_embedder_are_its_own():
    """Check that an error in the code of the user is not hidden."""

    def fail(texts):
        raise RuntimeError("out of credit")

    with pytest.raises(RuntimeError, match="out of credit"):
        ContextMemoryClassifier(embedder=fail, **FEW).fit(TEXTS, TARGET)
    broken = SimpleNamespace(encode=3)
    with pytest.raises(TypeError, match="has none of the methods"):
        ContextMemoryClassifier(embedder=broken, **FEW).fit(TEXTS, TARGET)


def test_an_embedder_may_fill_the_same_array_again():
    """Check that vectors are copied before the embedder is called again."""
    buffer = np.zeros((5000, len(WORDS)), dtype=np.float32)

    def fill(texts):
        buffer[: len(texts)] = count(texts)
        return buffer[: len(texts)]

    cached = CachedEmbedder(fill)
    first = cached.transform(TEXTS[:20])
    cached.transform([f"{text} red" for text in TEXTS])
    np.testing.assert_array_equal(cached.transform(TEXTS[:20]), first)
    np.testing.assert_array_equal(first, count(TEXTS[:20]))


def test_a_transformer_that_cannot_be_cloned_is_named():
    """Check a class without get_params: clone of the classifier works, fit says what lacks."""

    class Plain:
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return count(list(X))

    clf = clone(ContextMemoryClassifier(embedder=Plain(), **FEW))
    with pytest.raises(TypeError, match="has no get_params, so that it cannot be copied"):
        clf.fit(TEXTS, TARGET)


def test_a_warm_start_does_not_ignore_another_embedder():
    """Check that another function, width or class is named, and the same one goes on."""
    texts, labels = ["one text", "other words", "and more", "the rest"] * 10, ["a", "b"] * 20

    def letters(texts):
        return np.array([[text.count(letter) for letter in "aeo"] for text in texts])

    def others(texts):
        return letters(texts)[:, ::-1]

    clf = ContextMemoryClassifier(**FEW, embedder=letters, warm_start=True).fit(texts, labels)
    clf.set_params(embedder=CachedEmbedder(letters)).fit(texts, labels)
    message = "needs the embedder of the last fit.*letters.*others.*gives other vectors"
    with pytest.raises(ValueError, match=message):
        clf.set_params(embedder=others).fit(texts, labels)
    lsa = make_pipeline(TfidfVectorizer(), TruncatedSVD(2, random_state=0))
    with pytest.raises(ValueError, match=r"needs the embedder of the last fit.*Pipeline"):
        clf.set_params(embedder=lsa).fit(texts, labels)
    again = ContextMemoryClassifier(**FEW, embedder=lsa, warm_start=True).fit(texts, labels)
    again.fit(texts, labels)


def _pad(value):
    """Return an embedder of counts with many numbers that are the same in every training text."""

    def embed(texts):
        padding = np.where([["new" in text] * 1000 for text in texts], value, 0.1)
        return np.concatenate([count(texts), padding], axis=1)

    return embed


def test_constant_numbers_of_an_embedder_add_nothing():
    """Check that they do not shrink the others, and are zero whatever they are in predict."""
    few = {"vectorizer": CountVectorizer(vocabulary=["unknown"])} | FEW
    fits = [
        ContextMemoryClassifier(embedder=embedder, **few).fit(TEXTS, TARGET)
        for embedder in (count, _pad(0.1), _pad(9.0))
    ]
    new = [text + " new" for text in TEXTS]
    values = [clf._model.reader.dense.read(new, None) for clf in fits]
    np.testing.assert_allclose(values[1][:, : len(WORDS)], values[0], rtol=1e-5)
    np.testing.assert_array_equal(values[1], values[2])
    assert not values[1][:, len(WORDS) :].any()


def test_an_embedding_may_be_constant_in_the_first_chunk():
    """Check that a first chunk of one row does not set the embeddings of all others to zero."""
    clf = ContextMemoryClassifier(embedder=count, **FEW)
    clf.partial_fit(TEXTS[:1], TARGET[:1], classes=np.unique(TARGET))
    assert clf._model.reader.dense.read(TEXTS, None).any()
