"""Tests of vectorizers of others: what they take, what they return, and what they learn from."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from _hostile import refused, small
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, TargetEncoder

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem.inspection import word_contributions

TEXTS = [f"text {'long ' * (number % 5)}{number % 3}" for number in range(24)]
LABELS = ["a", "b", "c"] * 8
GROUPS = np.repeat(np.arange(6), 4)
FRAME = pd.DataFrame({"body": TEXTS, "call": GROUPS})
COLUMNS = {"text_column": "body", "group_column": "call"}


def embed(texts):
    """Return three numbers for each text."""
    return np.array([[len(text), text.count("o"), len(text) % 7] for text in texts], dtype=float)


class Embedder(BaseEstimator):
    """Return numbers of texts, or what a function makes of them; learns nothing."""

    def __init__(self, convert=None):
        self.convert = convert

    def fit(self, X, y=None):
        """Learn nothing."""
        return self

    def transform(self, X):
        """Return three numbers for each text."""
        values = embed(X)
        return values if self.convert is None else self.convert(values)


@pytest.fixture(scope="module")
def plain():
    """Return a classifier that was fitted with an Embedder."""
    return small(vectorizer=Embedder(), **COLUMNS).fit(FRAME, LABELS)


# --- what comes out


def append_row(values):
    """Return a row more than there are texts, as of a text that was cut in two."""
    return np.concatenate([values, values[:1]])


BAD = {
    "a row more": (append_row, ValueError, "25 rows for 24 texts"),
    "a row less": (lambda values: values[1:], ValueError, "23 rows for 24 texts"),
    "a sparse row more": (
        lambda values: sparse.csr_array(append_row(values)),
        ValueError,
        "25 rows for 24 texts",
    ),
    "NaN": (lambda values: np.where(values == 16, np.nan, values), ValueError, "nan for text 2,"),
    "sparse NaN": (
        lambda values: sparse.coo_array(np.where(values == 16, np.nan, values)),
        ValueError,
        "nan for text 2,",
    ),
    "inf": (lambda values: values + np.inf, ValueError, "inf for text 0,"),
    "too large": (lambda values: values * 1e200, ValueError, "too large for float32"),
    "three dimensions": (lambda values: values[:, None], ValueError, "shape (24, 1, 3)"),
    "one dimension": (lambda values: values[:, 0], ValueError, "shape (24,)"),
    "sparse, three dimensions": (
        lambda values: sparse.coo_array(values[:, None]),
        ValueError,
        "shape (24, 1, 3)",
    ),
    "ragged rows": (
        lambda values: [[1.0] * (1 + row % 2) for row in range(len(values))],
        ValueError,
        "returned a list that cannot be converted",
    ),
    "arrays of several lengths": (
        lambda values: np.array([np.ones(2), np.ones(3)] * 12, dtype=object),
        ValueError,
        "shape (24,)",
    ),
    "strings": (lambda values: values.astype(str), TypeError, "dtype <U32"),
    "objects that are no numbers": (
        lambda values: np.full((24, 3), "a", dtype=object),
        ValueError,
        "not numbers",
    ),
    "complex": (lambda values: values + 1j, TypeError, "dtype complex128"),
    "sparse complex": (lambda values: sparse.csr_array(values + 1j), TypeError, "complex128"),
    "dates": (lambda values: values.astype("M8[s]"), TypeError, "dtype datetime64[s]"),
    "masked": (
        lambda values: np.ma.array(values, mask=values == 16),
        ValueError,
        "masked value in row 2",
    ),
    "no columns": (lambda values: values[:, :0], ValueError, "0 columns"),
    "a dict": (lambda values: {"embedding": values}, TypeError, "returned a dict"),
    "None": (lambda values: None, TypeError, "returned a NoneType"),
    "a sparse tensor": (
        lambda values: torch.tensor(values).to_sparse(),
        TypeError,
        "returned a Tensor that cannot be converted",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_output_of_a_vectorizer_is_named_in_fit(name):
    """Check that fit names the vectorizer, and what it returned."""
    convert, error, part = BAD[name]
    with refused(error, "vectorizer Embedder", part):
        small(vectorizer=Embedder(convert)).fit(TEXTS, LABELS)


@pytest.mark.parametrize("name", BAD)
def test_bad_output_of_a_vectorizer_is_named_in_predict(name, plain):
    """Check that predict and explain say the same, of a vectorizer that was right in fit."""
    convert, error, part = BAD[name]
    clf = pickle.loads(pickle.dumps(plain))
    clf.vectorizer_.convert = convert
    for method in (clf.predict, clf.explain):
        with refused(error, "vectorizer Embedder", part):
            method(FRAME)


@pytest.mark.parametrize("convert", [append_row, lambda values: values[1:]])
def test_rows_are_counted_where_one_text_is_read(plain, convert):
    """Check that a session and partial_fit name a row too many or too few."""
    clf = pickle.loads(pickle.dumps(plain))
    session = clf.session()
    session.predict_one("text 1")
    n_rows = 2 if convert is append_row else 0
    clf.vectorizer_.convert = convert
    with refused(ValueError, f"vectorizer Embedder returned {n_rows} rows for 1 texts"):
        session.predict_one("text 1")
    learner = small(vectorizer=Embedder()).partial_fit(TEXTS, LABELS, classes=["a", "b", "c"])
    learner.vectorizer_.convert = convert
    with refused(ValueError, "vectorizer Embedder returned", "rows for 24 texts"):
        learner.partial_fit(TEXTS, LABELS)


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("columns", [slice(1), [0, 1, 2, 0]])
def test_columns_must_be_those_of_fit(make, columns):
    """Check that other columns than in fit are refused, also by a copy out of a pickle."""
    clf = small(vectorizer=Embedder(make)).fit(TEXTS, LABELS)
    loaded = pickle.loads(pickle.dumps(clf))
    n_columns = embed(TEXTS)[:, columns].shape[1]
    for each in (clf, loaded):
        each.vectorizer_.convert = lambda values: make(values[:, columns])
        with refused(ValueError, f"Embedder returned {n_columns} columns, but 3, as in fit, were"):
            each.predict(TEXTS)


SAME = {
    "tensor with a gradient": lambda values: torch.tensor(values, requires_grad=True),
    "list of tensors": lambda values: [torch.tensor(row, requires_grad=True) for row in values],
    "tensor of int32": lambda values: torch.tensor(values).int(),
    "list of rows": lambda values: values.tolist(),
    "list of arrays": list,
    "generator": lambda values: (row for row in values),
    "objects": lambda values: values.astype(object),
    "pandas": pd.DataFrame,
    "Float64": lambda values: pd.DataFrame(values).astype("Float64"),
    "uint8": lambda values: values.astype(np.uint8),
    "long double": lambda values: values.astype(np.longdouble),
}


@pytest.mark.parametrize("name", SAME)
def test_numbers_in_any_dense_form_are_the_same(name, plain):
    """Check that a fit on each form of the same numbers gives the same probabilities."""
    clf = small(vectorizer=Embedder(SAME[name]), **COLUMNS).fit(FRAME, LABELS)
    np.testing.assert_array_equal(clf.predict_proba(FRAME), plain.predict_proba(FRAME))
    assert clf.explain(FRAME, rows=[0])["contribution"].notna().all()


def test_a_tensor_of_bfloat16_is_read():
    """Check that a type that numpy lacks is read as single precision."""
    clf = small(vectorizer=Embedder(lambda values: torch.tensor(values).bfloat16()))
    expected = small(vectorizer=Embedder()).fit(TEXTS, LABELS).predict_proba(TEXTS)
    found = clf.fit(TEXTS, LABELS).predict_proba(TEXTS)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["csc", "coo", "lil", "dok", "dia", "bsr"])
def test_any_sparse_storage_can_be_fitted_and_explained(kind):
    """Check that each storage gives what CSR gives, in predict and explain."""
    expected = small(vectorizer=Embedder(sparse.csr_array)).fit(TEXTS, LABELS)
    make = getattr(sparse, f"{kind}_array")
    clf = small(vectorizer=Embedder(make)).fit(TEXTS, LABELS)
    np.testing.assert_array_equal(clf.predict_proba(TEXTS), expected.predict_proba(TEXTS))
    pd.testing.assert_frame_equal(clf.explain(TEXTS[:2]), expected.explain(TEXTS[:2]))


def test_polars_is_read():
    """Check that a DataFrame of polars is read, and that its null is named."""
    pl = pytest.importorskip("polars")
    clf = small(vectorizer=Embedder(lambda values: pl.DataFrame(values))).fit(TEXTS, LABELS)
    assert clf.vectorizer_.transform(TEXTS).shape == (24, 3)
    clf.vectorizer_.convert = lambda values: pl.DataFrame(values).select(pl.all().replace(16, None))
    with refused(ValueError, "vectorizer Embedder returned nan for text 2,"):
        clf.predict(TEXTS)


# --- what goes in


class ColumnEncoder(TransformerMixin, BaseEstimator):
    """An encoder in the manner of skrub: it takes one column, and names its output after it."""

    __single_column_transformer__ = True

    def fit(self, X, y=None):
        """Learn the name."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X, y=None):
        """Learn the name, and return numbers."""
        if not isinstance(X, pd.Series):
            raise ValueError(f"expects a Series. Got X with type: {type(X).__name__}.")
        self.name_ = X.name
        return self.transform(X)

    def transform(self, X):
        """Return two numbers for each text."""
        if X.name != self.name_:
            raise ValueError(f"was fitted on {self.name_}, not {X.name}")
        return pd.DataFrame(embed(X)).add_prefix(f"{X.name}_")

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns."""
        return [f"{self.name_}_{place}" for place in range(3)]


def of_list(texts):
    """Return numbers of a list, and of nothing else, as sentence-transformers does."""
    assert type(texts) is list
    return embed(texts)


def of_series(texts):
    """Return numbers of a Series."""
    return embed(texts.str.lower())


def of_array(texts):
    """Return numbers of an array of objects."""
    return embed(texts.reshape(-1, 1)[:, 0])


def of_frame(texts):
    """Return numbers of a DataFrame."""
    return embed(texts.iloc[:, 0])


def of_matrix(texts):
    """Return numbers of an array of one column."""
    return embed(texts[:, 0])


FORMS = {
    "list": FunctionTransformer(of_list),
    "Series": FunctionTransformer(of_series),
    "array": FunctionTransformer(of_array),
    "DataFrame": FunctionTransformer(of_frame),
    "2-D array": FunctionTransformer(of_matrix),
}
ENCODERS = {
    "a column": (ColumnEncoder(), "Series"),
    "a column, in a pipeline": (make_pipeline(ColumnEncoder()), "Series"),
    "a column, in a union": (make_union(ColumnEncoder(), ColumnEncoder()), "Series"),
    "a column by name": (ColumnTransformer([("a", TfidfVectorizer(), "body")]), "DataFrame"),
    "a column by number": (ColumnTransformer([("a", CountVectorizer(), 0)]), "DataFrame"),
    "a frame": (OneHotEncoder(handle_unknown="ignore"), "DataFrame"),
    "a frame and y": (TargetEncoder(), "DataFrame"),
    "texts": (TfidfVectorizer(), "list"),
} | {name: (transformer, name) for name, transformer in FORMS.items()}


@pytest.mark.parametrize("name", ENCODERS)
def test_a_vectorizer_gets_the_texts_in_its_form(name):
    """Check that fit, predict, sessions, explain and pickles use the form that fit found."""
    vectorizer, form = ENCODERS[name]
    clf = small(vectorizer=vectorizer, **COLUMNS).fit(FRAME, LABELS)
    assert clf._model.reader.texts.form == form
    expected = clf.predict_proba(FRAME)
    assert np.ptp(expected[:, 0]) > 0
    loaded = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(loaded.predict_proba(FRAME), expected)
    session = loaded.session()
    found = [list(session.predict_proba_one(text)) for text in TEXTS[:4]]
    np.testing.assert_allclose(found, expected[:4], atol=1e-6)
    assert clf.explain(FRAME, rows=[0])["contribution"].abs().sum() > 0


def test_a_column_has_the_name_of_the_text_column():
    """Check the name that encoders of columns see, for each way to pass texts."""
    frame = FRAME.rename(columns={"body": "words"})
    for X, params, name in [
        (FRAME, COLUMNS, "body"),
        (frame[["words"]], {}, "words"),
        (frame["words"], {}, "words"),
        (TEXTS, {}, "text"),
        (pd.Series(TEXTS), {}, "text"),
    ]:
        clf = small(vectorizer=ColumnEncoder(), **params).fit(X, LABELS)
        assert clf.vectorizer_.name_ == name
        assert {f"{name}_0", f"{name}_1"} < set(clf.explain(X, rows=[0])["feature"].dropna())
        clf.predict(X)


def test_the_error_names_what_each_form_brought():
    """Check the message where a vectorizer takes no form, and that each form is tried once."""
    seen = []

    def fail(texts):
        seen.append(type(texts).__name__)
        raise KeyError(f"no {len(seen)}")

    with refused(ValueError, "FunctionTransformer takes the texts neither", "no 1", "no 5"):
        small(vectorizer=FunctionTransformer(fail)).fit(TEXTS, LABELS)
    assert seen == ["list", "Series", "ndarray", "DataFrame", "ndarray"]


@pytest.mark.parametrize("error", [OSError, RuntimeError, MemoryError])
def test_an_error_that_has_nothing_to_do_with_the_form_ends_the_fit(error):
    """Check that no other form is tried, which would download a model again."""
    seen = []

    def fail(texts):
        seen.append(texts)
        raise error("no such model")

    with pytest.raises(error, match="no such model"):
        small(vectorizer=FunctionTransformer(fail)).fit(TEXTS, LABELS)
    assert len(seen) == 1


def test_errors_of_vectorizers_of_texts_are_their_own():
    """Check that a wrong parameter of a text vectorizer raises its error, in no other form."""
    with pytest.raises(ValueError, match="^max_df corresponds to < documents than min_df$"):
        small(vectorizer=TfidfVectorizer(min_df=50)).fit(TEXTS, LABELS)


@pytest.mark.slow
def test_encoders_of_skrub_are_vectorizers():
    """Check that the encoders of skrub work inside the classifier, in fit, predict and sessions."""
    skrub = pytest.importorskip("skrub")
    for encoder in (
        skrub.StringEncoder(n_components=3),
        skrub.MinHashEncoder(n_components=3),
        skrub.GapEncoder(n_components=3, random_state=0),
        skrub.TableVectorizer(
            high_cardinality=skrub.StringEncoder(n_components=3), cardinality_threshold=3
        ),
    ):
        clf = small(vectorizer=encoder, **COLUMNS).fit(FRAME, LABELS)
        session = clf.session()
        found = [list(session.predict_proba_one(text)) for text in TEXTS[:4]]
        np.testing.assert_allclose(found, clf.predict_proba(FRAME)[:4], atol=1e-6)
        assert all("body" in name for name in clf.explain(FRAME, rows=[1])["feature"].dropna())


# --- what they learn from


class Recorder(Embedder):
    """Keep the y of fit."""

    def fit(self, X, y=None):
        """Keep y."""
        self.seen_ = y
        return self


@pytest.mark.parametrize("labels", [LABELS, [3, 7, 9] * 8, [True, False] * 12])
def test_the_vectorizer_sees_the_labels_of_fit(labels):
    """Check that fit passes the labels themselves, in the order of the rows."""
    clf = small(vectorizer=Recorder(), **COLUMNS).fit(FRAME, labels)
    assert clf.vectorizer_.seen_.tolist() == labels
    learner = small(vectorizer=Recorder())
    learner.partial_fit(TEXTS[:9], labels[:9], classes=np.unique(labels))
    learner.partial_fit(TEXTS[9:], labels[9:])
    assert learner.vectorizer_.seen_.tolist() == labels[:9]


@pytest.mark.parametrize("context", ["past", "none"])
def test_a_supervised_vectorizer_is_that_of_a_pipeline(talks, context):
    """Check that a selection by y gives the bits of the same steps before the classifier."""
    rows, groups = talks[:200], talks["group"][:200]
    steps = [TfidfVectorizer(), SelectKBest(chi2, k=12)]
    clf = small(vectorizer=make_pipeline(*steps), context=context)
    clf.fit(rows["text"], rows["target"], groups=groups)
    pipeline = make_pipeline(*steps, small(context=context))
    pipeline.fit(rows["text"], rows["target"], contextmemoryclassifier__groups=groups)
    np.testing.assert_array_equal(
        clf.predict_proba(rows["text"], groups=groups),
        pipeline[-1].predict_proba(pipeline[:-1].transform(rows["text"]), groups=groups),
    )
    names = clf.vectorizer_.get_feature_names_out()
    assert len(names) == 12
    ngrams = clf.explain(rows["text"], rows=[0, 1], groups=groups)
    assert set(ngrams["feature"].dropna()) <= set(names)


class OldEmbedder(BaseEstimator):
    """An embedder without y, as those that were written for this classifier alone."""

    def fit_transform(self, texts, batch_size=8):
        """Return numbers of texts."""
        return embed(texts) + 0 * batch_size

    def transform(self, texts):
        """Return numbers of texts."""
        return embed(texts)


def test_a_vectorizer_without_y_is_fitted_without():
    """Check that y is not passed as another argument."""
    clf = small(vectorizer=OldEmbedder()).fit(TEXTS, LABELS)
    assert clf.predict(TEXTS).shape == (24,)


@pytest.mark.parametrize(
    "vectorizer",
    [TfidfVectorizer(), TextSequenceVectorizer(), make_pipeline(TfidfVectorizer())],
)
def test_a_frozen_vectorizer_is_not_fitted_again(vectorizer):
    """Check that a frozen vectorizer keeps what it learned, and that its n-grams are found."""
    frozen = FrozenEstimator(vectorizer.fit(["text long 0", "text 1", "text 2", "unheard 0"]))
    clf = small(vectorizer=frozen, **COLUMNS).fit(FRAME, LABELS)
    assert any("unheard" in name for name in clf.vectorizer_.get_feature_names_out())
    explanation = clf.explain(FRAME, rows=[1])
    own = explanation[explanation["source"].isin(["ngram", "wide"])]
    words, rest = word_contributions(TEXTS[1], own, clf.vectorizer_)
    assert abs(rest) < 1e-9 < abs(own["contribution"].sum())
    assert len(words) == 3


def test_a_frozen_vectorizer_brings_its_words():
    """Check that the word memory reads the words of a frozen TextSequenceVectorizer."""
    frozen = FrozenEstimator(TextSequenceVectorizer().fit(TEXTS))
    clf = small(vectorizer=frozen, word_memory=True).fit(TEXTS, LABELS)
    explanation = clf.explain(TEXTS[:2])
    words = explanation.loc[explanation["source"] == "word", "feature"]
    assert set(words) == {"text", "0", "1", "long"}


def test_what_cannot_transform_is_refused_before_it_is_fitted():
    """Check that an estimator with fit_transform alone, or without fit, is refused by name."""
    for vectorizer in (type("Once", (), {"fit_transform": embed})(), object()):
        with refused(TypeError, "vectorizer=", "must be a transformer of texts"):
            ContextMemoryClassifier(vectorizer).fit(TEXTS, LABELS)


def test_a_vectorizer_that_cannot_be_cloned_says_what_is_missing():
    """Check that the error is about get_params, and not about the form of the texts."""

    class NoEstimator:
        def fit_transform(self, X, y=None):
            return np.ones((len(X), 1))

        def transform(self, X):
            return np.ones((len(X), 1))

    clf = ContextMemoryClassifier(NoEstimator(), max_epochs=1)
    message = "^vectorizer=.*NoEstimator.* has no get_params, so that it cannot be copied before it"
    with pytest.raises(TypeError, match=message):
        clf.fit(["a", "b"], [0, 1])
