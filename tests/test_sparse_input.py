"""Tests of sparse features in the forms that vectorizers and users make."""

import pickle

import numpy as np
import pytest
from scipy import sparse

from sk_ctxmem import ContextMemoryClassifier


def small():
    """Return a classifier that fits at once."""
    return ContextMemoryClassifier(hidden_size=8, max_epochs=2, random_state=0)


@pytest.fixture(scope="module")
def counts():
    """Sparse counts of 60 rows, and classes that they tell."""
    random = np.random.default_rng(0)
    X = sparse.random_array((60, 30), density=0.2, format="csr", random_state=random)
    X.data = np.floor(X.data * 120) + 1
    return X, (X.sum(axis=1) > np.median(X.sum(axis=1))).astype(int)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int64, np.float32])
def test_the_type_of_sparse_numbers_does_not_matter(counts, dtype):
    """Check that small integers do not overflow on the way."""
    X, y = counts
    expected = small().fit(X, y).predict_proba(X)
    np.testing.assert_allclose(small().fit(X.astype(dtype), y).predict_proba(X), expected)


def test_stored_zeros_do_not_matter(counts):
    """Check that zeros which a sparse matrix stores change neither the model nor predictions."""
    X, y = counts
    rows, columns = np.nonzero(X.toarray() == 0)
    values = np.concatenate([X.tocoo().data, np.zeros(20)])
    coordinates = [
        np.concatenate([stored, extra[:20]])
        for stored, extra in zip(X.nonzero(), (rows, columns), strict=True)
    ]
    with_zeros = sparse.csr_array((values, coordinates), shape=X.shape)
    assert with_zeros.nnz == X.nnz + 20
    expected = small().fit(X, y).predict_proba(X)
    found = small().fit(with_zeros, y).predict_proba(with_zeros)
    np.testing.assert_array_equal(found, expected)


def test_unused_columns_take_no_memory(counts):
    """Check that the size of a fitted classifier follows the columns in use."""
    X, y = counts
    wide = sparse.csr_array((X.data, X.indices * 1_000_000, X.indptr), shape=(60, 30_000_000))
    narrow_fit, wide_fit = small().fit(X, y), small().fit(wide, y)
    assert len(pickle.dumps(wide_fit)) < 1.1 * len(pickle.dumps(narrow_fit))
    np.testing.assert_array_equal(wide_fit.predict_proba(wide), narrow_fit.predict_proba(X))
