"""Tests of what is done to features before the network reads them."""

import numpy as np
import pytest
from scipy import sparse

from sk_ctxmem import TextSequenceVectorizer
from sk_ctxmem._features._csr import squared_norms
from sk_ctxmem._features._featurize import read_one_text, reads_one_text
from sk_ctxmem._features._scaler import LARGEST_NORM, RowNormScaler


@pytest.fixture
def features():
    """Sixty rows, most of whose columns stand in no other row."""
    random = np.random.default_rng(0)
    X = sparse.random_array((60, 400), density=0.008, format="csr", random_state=random)
    return sparse.csr_array(X, dtype=np.float32)


def test_training_rows_keep_their_products(features):
    """Check that merging the columns of single rows changes no product of two training rows."""
    scaler = RowNormScaler().fit(features)
    scaled = scaler.transform(features)
    n_rows = np.bincount(features.indices, minlength=features.shape[1])
    assert (n_rows == 1).sum() > 100
    with_singles = (features.toarray()[:, n_rows == 1] != 0).sum(axis=1)
    assert scaled.shape[1] == (n_rows > 1).sum() + (with_singles > 0).sum()
    expected = (features @ features.T).toarray() / scaler.norm_**2
    lengths = np.sqrt(np.diag(expected))
    caps = np.minimum(1, LARGEST_NORM / np.maximum(lengths, 1e-9))
    np.testing.assert_allclose(
        (scaled @ scaled.T).toarray(), expected * np.outer(caps, caps), rtol=1e-5, atol=1e-7
    )


def test_columns_are_in_the_order_of_their_rows(features):
    """Check that the columns of most rows come first, and that no row has a column twice."""
    scaled = RowNormScaler().fit(features).transform(features)
    n_rows = np.bincount(scaled.indices, minlength=scaled.shape[1])
    assert (np.diff(n_rows) <= 0).all()
    assert scaled.has_canonical_format


def test_new_rows_get_their_part_along_a_training_row():
    """Check what a new row has in a merged column, and that columns never seen are left out."""
    X = sparse.csr_array(np.array([[1, 3, 4, 0, 0], [1, 0, 0, 2, 0]], dtype=np.float32))
    scaler = RowNormScaler().fit(X)
    scaled = scaler.transform(X) * scaler.norm_
    np.testing.assert_allclose(scaled.toarray(), [[1, 5, 0], [1, 0, 2]])
    new = sparse.csr_array(np.array([[0, 1, 0, 0, 9], [0, 0, 0, 1, 0]], dtype=np.float32))
    scaled = scaler.transform(new) * scaler.norm_
    np.testing.assert_allclose(scaled.toarray(), [[0, 3 / 5, 0], [0, 0, 1]])


@pytest.mark.parametrize("n_more", [0, 10_000])
def test_columns_are_found_by_search_as_by_table(features, n_more):
    """Check that a matrix with far more columns than values is scaled like a small one."""
    wide = sparse.csr_array(
        (features.data, features.indices, features.indptr), shape=(60, 400 + n_more)
    )
    scaled = RowNormScaler().fit(wide).transform(wide)
    expected = RowNormScaler().fit(features).transform(features)
    np.testing.assert_array_equal(scaled.toarray(), expected.toarray())


def test_squared_norms_are_those_of_the_rows(features):
    """Check sums of squares, also of rows without values and of integers that would overflow."""
    expected = features.multiply(features).sum(axis=1)
    assert (np.diff(features.indptr) == 0).any()
    np.testing.assert_allclose(squared_norms(features.data, features.indptr), expected, rtol=1e-6)
    large, ends = np.array([2**20], dtype=np.int32), np.array([0, 0, 1])
    assert squared_norms(large, ends).tolist() == [0, 2.0**40]
    assert squared_norms(np.zeros(0), np.zeros(4, dtype=int)).tolist() == [0, 0, 0]


def test_rows_without_any_known_column_are_empty():
    """Check a scaler that has seen no value at all, and one that has seen other columns."""
    new = sparse.csr_array(np.array([[0, 2, 0]], dtype=np.float32))
    nothing = sparse.csr_array((4, 3), dtype=np.float32)
    assert RowNormScaler().fit(nothing).transform(new).shape == (1, 0)
    other = sparse.csr_array(np.eye(3, dtype=np.float32)[[0, 0, 2]])
    assert RowNormScaler().fit(other).transform(new).toarray().tolist() == [[0, 0]]


@pytest.mark.parametrize("settings", [{}, {"char_ngram_range": None}, {"analyzer": "char"}])
def test_one_text_is_read_as_with_matrices(settings, docstrings):
    """Check that one text of a session has the features that it has among many."""
    texts = docstrings["text"].tolist()
    vectorizer = TextSequenceVectorizer(**settings).fit(texts[:300])
    scaler = RowNormScaler().fit(vectorizer.transform(texts[:300]).features)
    assert reads_one_text(vectorizer, scaler)
    for text in [*texts[250:400], "", "xyzzyx", " ".join(texts[:40])]:
        sequences = vectorizer.transform([text, "the"])
        expected = scaler.transform(sequences.features)[[0]]
        columns, values, words = read_one_text(text, vectorizer, scaler, with_words=True)
        np.testing.assert_array_equal(words, sequences.words[: sequences.offsets[1]])
        assert read_one_text(text, vectorizer, scaler)[2] is None
        assert columns.dtype == expected.indices.dtype
        assert values.dtype == expected.data.dtype
        np.testing.assert_array_equal(columns, expected.indices)
        # scipy's sort may sum up three values or more of one place in another order
        np.testing.assert_allclose(values, expected.data, rtol=1e-6)
