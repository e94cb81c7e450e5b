"""Tests of columns that outweigh the n-grams beside them, such as a price."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import FeatureUnion
from sklearn.preprocessing import StandardScaler

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem._features._featurize import fit_scaler
from sk_ctxmem._features._heavy_columns import HeavyColumnScaler, find_heavy_columns
from sk_ctxmem._features._scaler import RowNormScaler, in_canonical_format

N_ROWS = 900


def make_columns(n_rows):
    """Return columns that a ColumnTransformer puts beside TF-IDF."""
    random = np.random.RandomState(0)
    uniform, normal = random.rand(n_rows, 20), random.randn(n_rows, 30)
    third = random.randint(3, size=n_rows)
    return {
        "standardized": normal[:, :1],
        "price": 1000 * uniform[:, :1],
        "timestamp": 1.7e9 + 1e7 * uniform[:, :1],
        "lognormal": np.exp(2 * normal[:, :1]),
        "sign": np.sign(normal[:, :1]),
        "one-hot": np.eye(3)[third],
        "rare one-hot": np.eye(3)[random.choice(3, size=n_rows, p=[0.6, 0.3, 0.1])],
        "in 40 % of rows": np.where(uniform[:, :1] < 0.4, 100 * uniform[:, 1:2], 0),
        "in 3 % of rows": np.where(uniform[:, :1] < 0.03, 1000 * uniform[:, 1:2], 0),
        "three scales": uniform[:, :3] * [1e6, 100, 1],
        "thirty": normal,
        "twenty light": uniform / 2,
    }


COLUMNS = list(make_columns(4))
NAMES = ["length", "constant", "price", "in 40 % of rows", "twenty light"]  # accuracy is measured


def heavy_of(X):
    """Return the heavy columns of a matrix, sorted."""
    X = in_canonical_format(sparse.csr_array(X))
    return sorted(find_heavy_columns(X, np.ones(X.shape[0])).tolist())


@pytest.fixture(scope="module")
def texts(docstrings):
    """Return lines of real text."""
    return docstrings["text"][:N_ROWS].tolist()


@pytest.fixture(scope="module")
def halves(docstrings):
    """Return the numbers of the rows to train and to test on, cut between docstrings."""
    splitter = StratifiedGroupKFold(2)
    return next(splitter.split(docstrings, docstrings["target"], docstrings["group"]))


# --- which columns are heavy


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("norm", ["l2", None])
def test_columns_beside_tfidf_are_found(texts, name, norm):
    """Check that columns of numbers are heavy, whatever their scale, and words are not."""
    words = TfidfVectorizer(norm=norm).fit_transform(texts)
    columns = make_columns(len(texts))[name]
    scale = 1 if norm == "l2" else 40  # as heavy beside longer rows
    X = sparse.hstack([columns * scale, words])
    assert heavy_of(X) == list(range(columns.shape[1]))


def test_columns_that_are_zero_in_no_row_are_heavy(texts):
    """Check that light columns of numbers are found beside words that are not normalized."""
    words = CountVectorizer().fit_transform(texts)
    light = np.random.RandomState(0).rand(len(texts), 5) / 100
    assert heavy_of(sparse.hstack([light, words]))[:5] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "vectorizer",
    [
        TfidfVectorizer(),
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
        TfidfVectorizer(max_features=5),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)),
        TfidfVectorizer(norm=None),
        CountVectorizer(binary=True),
        FeatureUnion(
            [("words", TfidfVectorizer()), ("pairs", TfidfVectorizer(ngram_range=(2, 2)))]
        ),
    ],
    ids=lambda vectorizer: repr(vectorizer)[:50],
)
def test_vectorizers_alone_have_no_heavy_columns(texts, vectorizer):
    """Check that frequent words are not taken for numbers."""
    assert heavy_of(vectorizer.fit_transform(texts)) == []


def test_frequent_words_of_few_are_not_heavy():
    """Check texts of a few words each, where one word has most of the norm."""
    random = np.random.RandomState(0)
    made = [" ".join(random.choice(["aa", "bb", "cc"], 2, p=[0.8, 0.1, 0.1])) for _ in range(300)]
    assert heavy_of(TfidfVectorizer().fit_transform(made)) == []
    beside = sparse.hstack([TfidfVectorizer().fit_transform(made), random.randn(300, 2)])
    assert heavy_of(beside) == [3, 4]


@pytest.mark.parametrize(("filled", "all_heavy"), [(0.5, True), (0.3, True), (0.1, False)])
def test_all_columns_of_a_filled_matrix_are_heavy(filled, all_heavy):
    """Check columns of which none outweighs the others."""
    random = np.random.RandomState(0)
    X = random.uniform(size=(200, 30)) * (random.uniform(size=(200, 30)) < filled)
    assert (len(heavy_of(X)) == 30) == all_heavy
    with_empty = np.hstack([np.zeros((200, 100)), X])
    assert (heavy_of(with_empty) == list(range(100, 130))) == all_heavy


def test_scaler_of_text_sequences_ignores_heavy_columns(texts):
    """Check that the output of our vectorizer is scaled as before."""
    sequences = TextSequenceVectorizer().fit_transform(texts)
    assert type(fit_scaler(sequences, np.ones(N_ROWS), merge_singles=True)) is RowNormScaler


# --- the scaler


def test_heavy_columns_are_standardized_and_others_are_scaled_without_them(texts):
    """Check both parts against the scalers of each part alone, with weights."""
    words = sparse.csr_array(TfidfVectorizer().fit_transform(texts))
    numbers = 1.7e9 + 1e7 * np.random.RandomState(0).rand(len(texts), 2)
    weights = np.random.RandomState(1).rand(len(texts))
    X = sparse.csr_array(sparse.hstack([numbers[:, :1], words, numbers[:, 1:]]))
    scaler = fit_scaler(X, weights, merge_singles=True)
    assert scaler.dense_columns_.tolist() == [0, words.shape[1] + 1]
    alone = RowNormScaler().fit(words, sample_weight=weights)
    assert (scaler.transform(X) != alone.transform(words)).nnz == 0
    expected = StandardScaler().fit(numbers, sample_weight=weights).transform(numbers)
    assert_allclose(scaler.transform_dense(X), expected, rtol=1e-6, atol=1e-6)


def test_heavy_constant_is_left_out(texts):
    """Check that a constant column changes nothing, and is ignored in new rows, too."""
    words = sparse.csr_array(TfidfVectorizer().fit_transform(texts))
    with_constant = sparse.csr_array(sparse.hstack([words, np.full((len(texts), 1), 3.0)]))
    scaler = fit_scaler(with_constant, np.ones(len(texts)), merge_singles=True)
    alone = RowNormScaler().fit(words)
    assert type(scaler) is RowNormScaler
    other = sparse.csr_array(sparse.hstack([words, np.full((len(texts), 1), 5.0)]))
    assert (scaler.transform(other) != alone.transform(words)).nnz == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("columns", [1, 0]), ("columns", [-1, 2]), ("mean", [np.nan, 0]), ("scale", [0, 1])],
)
def test_scaler_that_no_fit_made_is_refused(name, value):
    """Check that attributes from a file are checked."""
    X = np.random.RandomState(0).randn(50, 2)
    scaler = HeavyColumnScaler().fit(sparse.csr_array(np.hstack([X, X > 2])), np.arange(2))
    scaler._check_learned()
    if name == "columns":
        scaler.dense_columns_ = np.array(value, dtype=np.int32)
    else:
        setattr(scaler.dense_scaler_, f"{name}_", np.array(value, dtype=float))
    with pytest.raises(ValueError, match="heavy columns cannot have been learned"):
        scaler._check_learned()


# --- the classifier


@pytest.fixture(scope="module")
def accuracies(docstrings, halves):
    """Return the accuracy on other docstrings by name of the columns, ours and that of LR."""
    train, test = halves
    texts, y = docstrings["text"].to_numpy(), docstrings["target"].to_numpy()
    vectorizer = TfidfVectorizer().fit(texts[train])
    words = vectorizer.transform(texts)
    lengths = docstrings["text"].str.len().to_numpy(float)[:, np.newaxis]
    columns = make_columns(len(texts)) | {"length": lengths, "constant": np.full_like(lengths, 3)}

    def score(classifier, X):
        return classifier.fit(X[train], y[train]).score(X[test], y[test])

    found = {}
    alone = score(LogisticRegression(max_iter=500), words)
    for name in NAMES:
        scaled = StandardScaler().fit(columns[name][train]).transform(columns[name])
        both = score(LogisticRegression(max_iter=500), sparse.hstack([words, scaled]).tocsr())
        raw = sparse.hstack([words, columns[name]]).tocsr()
        found[name] = score(ContextMemoryClassifier(random_state=0), raw), max(both, alone)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_heavy_columns_cost_no_accuracy(accuracies, name):
    """Check the accuracy beside logistic regression, the better of two: with the columns or not."""
    ours, regression = accuracies[name]
    assert ours > regression - 0.01


@pytest.fixture(scope="module")
def mixed(docstrings):
    """Return sparse rows with a price that tells half of the labels, labels and groups."""
    rows = docstrings[:N_ROWS]
    y = rows["target"].to_numpy()
    price = np.random.RandomState(0).rand(len(rows), 1) * 1000
    price[y == y[0]] += 1000
    words = TfidfVectorizer().fit_transform(rows["text"])
    return sparse.csr_array(sparse.hstack([words, price])), y, rows["group"].to_numpy()


@pytest.fixture(scope="module")
def fitted(mixed):
    """Return a classifier fitted to them."""
    X, y, groups = mixed
    classifier = ContextMemoryClassifier(hidden_size=16, max_epochs=3, random_state=0)
    return classifier.fit(X, y, groups=groups)


def test_files_and_pickles_keep_heavy_columns(fitted, mixed, tmp_path):
    """Check that loaded classifiers predict the same to the last bit."""
    X, _, groups = mixed
    expected = fitted.predict_proba(X, groups=groups)
    fitted.save(tmp_path / "model.ctxmem")
    for loaded in (
        ContextMemoryClassifier.load(tmp_path / "model.ctxmem"),
        pickle.loads(pickle.dumps(fitted)),
    ):
        assert_array_equal(loaded.predict_proba(X, groups=groups), expected)
        assert loaded.scaler_.dense_columns_.tolist() == [X.shape[1] - 1]


def test_session_reads_heavy_columns(fitted, mixed):
    """Check that turns one by one are predicted as whole conversations."""
    X, _, groups = mixed
    rows = np.flatnonzero(groups == groups[0])[:10]
    session = fitted.session()
    one_by_one = [session.predict_proba_one(X[[row]]) for row in rows]
    whole = fitted.predict_proba(X[rows], groups=groups[rows])
    assert_allclose(np.vstack(one_by_one), whole, atol=1e-6)


@pytest.mark.parametrize("method", ["integrated_gradients", "leave_one_out"])
def test_explanation_names_heavy_columns(fitted, mixed, method):
    """Check that the contributions of all parts add up, and the price tells the label."""
    X, y, groups = mixed
    row = np.flatnonzero(y == y[0])[-1]
    rows = np.flatnonzero(groups == groups[row])
    found = fitted.explain(
        X[rows],
        target=y[0],
        groups=groups[rows],
        rows=[rows.tolist().index(row)],
        method=method,
    )
    of_price = found[found["feature"] == f"x{X.shape[1] - 1}"]
    assert of_price["source"].tolist() == ["ngram", "wide"]
    assert of_price["contribution"].sum() > 0.3
    unknown = found.loc[found["source"] == "remainder", "contribution"].sum()
    if method == "integrated_gradients":
        assert unknown == 0


def test_partial_fit_and_warm_start_keep_heavy_columns(mixed):
    """Check that later chunks and fits read the columns that the first has found."""
    X, y, groups = mixed
    classifier = ContextMemoryClassifier(hidden_size=16, max_epochs=2, random_state=0)
    half = int(np.flatnonzero(groups == groups[N_ROWS // 2])[0])
    for part in (slice(0, half), slice(half, None)):
        classifier.partial_fit(X[part], y[part], classes=np.unique(y), groups=groups[part])
    assert classifier.scaler_.dense_columns_.tolist() == [X.shape[1] - 1]
    warm = ContextMemoryClassifier(hidden_size=16, max_epochs=2, random_state=0, warm_start=True)
    once = warm.fit(X, y, groups=groups).score(X, y, groups=groups)
    assert warm.fit(X, y, groups=groups).score(X, y, groups=groups) > once
