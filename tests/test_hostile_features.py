"""Tests of features as the world has them: every storage, type and size."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import scipy
import torch
from _hostile import assert_probabilities, objects, refused, small
from numpy.testing import assert_allclose
from scipy import sparse

pl = pytest.importorskip("polars")

N_ROWS, N_COLUMNS = 24, 4
RANDOM = np.random.RandomState(0)
# Sixteenths: every type that has room for them keeps them as they are.
X = np.floor(16 * np.abs(RANDOM.normal(size=(N_ROWS, N_COLUMNS)))) / 16
X *= RANDOM.uniform(size=X.shape) > 0.4
COUNTS = np.floor(X * 8)
CLASSES = ["a", "b", "c"] * 8
CSR = sparse.csr_array(X)


@pytest.fixture(scope="module")
def fitted():
    """Return classifiers of dense and of sparse features."""
    return {"dense": small().fit(X, CLASSES), "sparse": small().fit(CSR, CLASSES)}


@pytest.fixture(scope="module")
def expected(fitted):
    """Return what they say of the rows they were fitted on."""
    return {
        "dense": fitted["dense"].predict_proba(X),
        "sparse": fitted["sparse"].predict_proba(CSR),
    }


def with_value(value, dtype=None):
    """Return the features with one other value in row 3."""
    changed = X.astype(dtype or X.dtype)
    changed[3, 1] = value
    return changed


def with_parts(data=None, indices=None, indptr=None):
    """Return sparse features of which some parts are others."""
    parts = (data, indices, indptr)
    ours = (CSR.data, CSR.indices, CSR.indptr)
    return sparse.csr_array(
        tuple(mine if part is None else part for part, mine in zip(parts, ours, strict=True)),
        shape=CSR.shape,
    )


def damaged(name, place, value, matrix=CSR):
    """Return sparse features of which one number of the storage was overwritten."""
    copy = matrix.copy()
    getattr(copy, name)[place] = value
    return copy


def read_only(array):
    """Return an array, or a sparse one, that cannot be written to."""
    copy = array.copy()
    for part in (copy.data, copy.indices, copy.indptr) if sparse.issparse(copy) else [copy]:
        part.flags.writeable = False
    return copy


def in_other_order(matrix):
    """Return sparse features whose entries stand in reversed order in each row."""
    rows = [slice(a, b) for a, b in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)]
    data = np.concatenate([matrix.data[row][::-1] for row in rows])
    return with_parts(data, np.concatenate([matrix.indices[row][::-1] for row in rows]))


def as_frame(**params):
    """Return the features as a frame whose columns have numbers as names."""
    return pd.DataFrame(X, **params)


SAME_DENSE = {
    "float16": X.astype(np.float16),
    "float32": X.astype(np.float32),
    "long double": X.astype(np.longdouble),
    "other byte order": X.astype(">f8"),
    "objects": X.astype(object),
    "numbers as objects of str": X.astype(str).astype(object),
    "Decimal": np.vectorize(Decimal, otypes=[object])(X),
    "read only": read_only(X),
    "Fortran order": np.asfortranarray(X),
    "every other row": np.repeat(X, 2, axis=0)[::2],
    "every other column": np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1],
    "broadcast": np.broadcast_to(X, X.shape),
    "masked without a mask": np.ma.array(X),
    "masked nowhere": np.ma.array(X, mask=np.zeros(X.shape, dtype=bool)),
    "subclass": X.view(np.recarray),
    "lists": X.tolist(),
    "tuples": tuple(map(tuple, X.tolist())),
    "list of arrays": list(X),
    "array of lists": [row.tolist() for row in X],
    "tensor": torch.tensor(X),
    "tensor of float32": torch.tensor(X, dtype=torch.float32),
    "tensor of float16": torch.tensor(X, dtype=torch.float16),
    "transposed tensor": torch.tensor(X.T.copy()).T,
    "frame": as_frame(),
    "frame of Float64": as_frame(dtype="Float64"),
    "frame of pyarrow": as_frame(dtype="double[pyarrow]"),
    "frame of objects": as_frame(dtype=object),
    "frame of sparse columns": as_frame().astype(pd.SparseDtype(float, 0)),
    "frame with a repeated index": as_frame(index=[1] * N_ROWS),
    "frame with an index of two levels": as_frame(
        index=pd.MultiIndex.from_product([range(4), range(6)])
    ),
    "frame with columns of two levels": as_frame(
        columns=pd.MultiIndex.from_product([["a", "b"], [0, 1]])
    ),
    "frame of several types": as_frame().astype({0: "Float64", 1: object, 2: "float32"}),
}

SAME_SPARSE = {
    f"{name}_{kind}": getattr(sparse, f"{name}_{kind}")(X)
    for name in ("csr", "csc", "coo", "lil", "dok", "dia", "bsr")
    for kind in ("array", "matrix")
} | {
    "int64 indices": with_parts(None, CSR.indices.astype(np.int64), CSR.indptr.astype(np.int64)),
    "read only": read_only(CSR),
    "unsorted": in_other_order(CSR),
    "duplicates": with_parts(np.repeat(CSR.data / 2, 2), np.repeat(CSR.indices, 2), CSR.indptr * 2),
    "explicit zeros": with_parts(
        np.r_[CSR.data, 0.0, -0.0], np.r_[CSR.indices, 2, 3], np.r_[CSR.indptr[:-1], CSR.nnz + 2]
    ),
    "room to spare": with_parts(np.r_[CSR.data, 7.0], np.r_[CSR.indices, 99]),
    "coo with duplicates": sparse.coo_array(
        (np.tile(CSR.data / 2, 2), tuple(np.tile([CSR.tocoo().row, CSR.tocoo().col], 2))),
        shape=CSR.shape,
    ),
    "bsr of blocks": sparse.bsr_array(X, blocksize=(3, 2)),
    "float32": CSR.astype(np.float32),
    "long double": CSR.astype(np.longdouble),
    "dense": X,
    "dense of float16": X.astype(np.float16),
    "lists": X.tolist(),
}


@pytest.mark.parametrize("form", SAME_DENSE.values(), ids=SAME_DENSE)
def test_the_form_of_dense_features_does_not_matter(fitted, expected, form):
    """Check that fit and predict read an unusual form as they read an array."""
    assert_allclose(fitted["dense"].predict_proba(form), expected["dense"], rtol=1e-5)
    found = small().fit(form, CLASSES).predict_proba(form)
    if not hasattr(form, "sparse"):  # a frame of sparse columns is fitted as sparse features
        assert_allclose(found, expected["dense"], rtol=1e-3)


@pytest.mark.parametrize("form", SAME_SPARSE.values(), ids=SAME_SPARSE)
def test_the_storage_of_sparse_features_does_not_matter(fitted, expected, form):
    """Check that fit and predict read an unusual storage as they read CSR."""
    assert_allclose(fitted["sparse"].predict_proba(form), expected["sparse"], rtol=1e-5)
    if sparse.issparse(form):
        found = small().fit(form, CLASSES).predict_proba(CSR)
        assert_allclose(found, expected["sparse"], rtol=1e-5)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint64", "int64"])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, pd.DataFrame])
def test_small_integers_are_read_as_floats(container, dtype):
    """Check that no integer overflows on its way."""
    form = container(COUNTS.astype(dtype))
    floats = container(COUNTS)
    found = small().fit(form, CLASSES).predict_proba(form)
    assert_allclose(found, small().fit(floats, CLASSES).predict_proba(floats), rtol=1e-5)


BOOLS = {
    "array": np.asarray,
    "csr": sparse.csr_array,
    "frame": pd.DataFrame,
    "nullable frame": lambda values: pd.DataFrame(values).astype("boolean"),
    "pyarrow frame": lambda values: pd.DataFrame(values).astype("bool[pyarrow]"),
    "objects": lambda values: np.asarray(values).astype(object),
    "tensor": torch.tensor,
}


@pytest.mark.parametrize("form", BOOLS.values(), ids=BOOLS)
def test_bools_are_zeros_and_ones(form):
    """Check that bools in any form are numbers."""
    values = form(X > 0)
    floats = sparse.csr_array(X > 0).astype(float) if sparse.issparse(values) else 1.0 * (X > 0)
    found = small().fit(values, CLASSES).predict_proba(values)
    assert_allclose(found, small().fit(floats, CLASSES).predict_proba(floats), rtol=1e-5)


# Features from which there is little to learn, or that are very large or small.
STRANGE = {
    "constant": np.ones(X.shape),
    "zeros": np.zeros(X.shape),
    "one column": X[:, :1],
    "negative": -X,
    "large": X * 1e30,
    "small": X * 1e-25,
    "almost too large": np.minimum(X, 1) * 3.4e38,
    "almost too large, in single precision": np.minimum(X, 1).astype("float32") * np.float32(3e38),
    "denormal": X * 5e-324,
    "a value of great size": with_value(1e15),
    "columns of very different sizes": X * [1e-20, 1.0, 1e10, 1e20],
    "all rows equal": np.tile(X[:1], (N_ROWS, 1)),
    "largest integers": np.where(X > 0, 2**63 - 1, 0),
    "largest unsigned integers": np.where(X > 0, np.uint64(2**64 - 1), np.uint64(0)),
}


@pytest.mark.parametrize("values", STRANGE.values(), ids=STRANGE)
def test_strange_features_give_probabilities(values):
    """Check that fit and predict end in finite numbers, in any order of rows."""
    classifier = small().fit(values, CLASSES)
    found = classifier.predict_proba(values)
    assert_probabilities(found, N_ROWS, 3)
    assert_allclose(classifier.predict_proba(values[::-1]), found[::-1], rtol=1e-6)


STRANGE_SPARSE = {
    name: sparse.csr_array(values) for name, values in STRANGE.items() if name != "denormal"
} | {"no entry in some rows": CSR * (np.arange(N_ROWS) > 6)[:, np.newaxis]}


@pytest.mark.parametrize("values", STRANGE_SPARSE.values(), ids=STRANGE_SPARSE)
def test_strange_sparse_features_give_probabilities(values):
    """Check that fit and predict end in finite numbers, in any order of rows."""
    classifier = small().fit(values, CLASSES)
    found = classifier.predict_proba(values)
    assert_probabilities(found, N_ROWS, 3)
    reversed_rows = sparse.csr_array(values)[::-1]
    assert_allclose(classifier.predict_proba(reversed_rows), found[::-1], rtol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("n_rows", [1, 2])
def test_few_rows_are_predicted_as_among_many(fitted, expected, kind, n_rows):
    """Check that a single row is predicted as it is among the others."""
    rows = {"dense": X, "sparse": CSR}[kind][:n_rows]
    found = fitted[kind].predict_proba(rows)
    assert_allclose(found, expected[kind][:n_rows], rtol=1e-10)


TOO_LARGE = "which is too large for float32; divide X by"
NO_NUMBER = ["contains values that are not numbers", "pass numbers, or texts as a list"]
BAD = {
    "NaN": (with_value(np.nan), ValueError, ["Input X contains NaN"]),
    "infinity": (with_value(np.inf), ValueError, ["Input X contains infinity"]),
    "negative infinity": (with_value(-np.inf), ValueError, ["Input X contains infinity"]),
    "too large": (with_value(1e300), ValueError, ["X has a value of magnitude 1e+300", TOO_LARGE]),
    "negative and too large": (
        with_value(-1e39),
        ValueError,
        ["X has a value of magnitude 1e+39", TOO_LARGE],
    ),
    "all too large": (X * 1e300, ValueError, TOO_LARGE),
    "long double too large": (
        with_value(np.longdouble("1e4000"), np.longdouble),
        ValueError,
        ["X has a value of magnitude inf", TOO_LARGE],
    ),
    "integer too large": (with_value(10**400, object), ValueError, ["X", *NO_NUMBER]),
    "signalling NaN": (with_value(Decimal("sNaN"), object), ValueError, ["X", *NO_NUMBER]),
    "None": (with_value(None, object), ValueError, ["Input X contains NaN"]),
    "NA": (with_value(pd.NA, object), ValueError, ["Input X contains NaN"]),
    "NaT": (with_value(pd.NaT, object), ValueError, ["Input X contains NaN"]),
    "word": (with_value("x", object), ValueError, ["X", *NO_NUMBER]),
    "bytes": (with_value(b"x", object), ValueError, ["X", *NO_NUMBER]),
    "dict": (with_value({}, object), TypeError, ["X", *NO_NUMBER]),
    "complex object": (with_value(1j, object), TypeError, ["X", *NO_NUMBER]),
    "complex": (X.astype(complex), ValueError, ["Complex data not supported"]),
    "strings": (X.astype(str), TypeError, ["X has dtype <U", "but numbers were expected"]),
    "dates": (X.astype("datetime64[s]"), TypeError, ["X has dtype datetime64[s]", "convert"]),
    "timedelta": (X.astype("timedelta64[s]"), TypeError, ["X has dtype timedelta64[s]"]),
    "records": (np.zeros((N_ROWS, 2), dtype="i4,i4"), TypeError, ["X has dtype [('f0'"]),
    "masked": (
        np.ma.array(X, mask=X > 0),
        ValueError,
        ["X has a masked value", ".filled()"],
    ),
    "matrix": (X.view(np.matrix), TypeError, ["np.matrix is not supported"]),
    "four dimensions": (X[np.newaxis, np.newaxis], ValueError, ["X has the shape (1, 1, 24, "]),
    "one dimension": (X[:, 0], ValueError, ["Expected 2D array, got 1D array"]),
    "no dimension": (np.array(1.0), ValueError, ["Expected 2D array, got scalar array"]),
    "Series": (pd.Series(X[:, 0]), ValueError, ["Expected 2D array, got 1D array"]),
    "ragged": (
        [[1, 2], [1]],
        ValueError,
        ["X has 2 numbers in element 0, but 1 in element 1", "the same number", "reshape"],
    ),
    "ragged in depth": ([[1, [2]], [1, 2]], ValueError, ["X is a list that cannot be converted"]),
    "empty lists": ([[]] * 3, ValueError, ["X has no step in 3 of 3 sequences"]),
    "no rows": (X[:0], ValueError, ["Found array with 0 sample(s)"]),
    "no columns": (X[:, :0], ValueError, ["Found array with 0 feature(s)"]),
    "array of lists": (objects([[1], [2]]), ValueError, ["X", *NO_NUMBER]),
    "tensor with a gradient": (
        torch.tensor(X, requires_grad=True),
        TypeError,
        ["X is a Tensor that cannot be converted", "detach()"],
    ),
    "sparse tensor": (torch.tensor(X).to_sparse(), TypeError, ["X is a Tensor", "to_dense()"]),
    "tensor of bfloat16": (torch.tensor(X).bfloat16(), TypeError, ["X is a Tensor", "BFloat16"]),
    "tensor without data": (torch.empty(2, 2, device="meta"), TypeError, ["X is a Tensor", "meta"]),
    "sparse NaN": (sparse.csr_array(with_value(np.nan)), ValueError, ["Input X contains NaN"]),
    "sparse infinity": (sparse.csr_array(with_value(np.inf)), ValueError, ["contains infinity"]),
    "sparse and too large": (sparse.csr_array(with_value(1e300)), ValueError, TOO_LARGE),
    "sparse complex": (CSR.astype(complex), ValueError, ["Complex data not supported"]),
    "sparse without rows": (CSR[:0], ValueError, ["Found array with 0 sample(s)"]),
    "sparse without columns": (CSR[:, :0], ValueError, ["Found array with 0 feature(s)"]),
    "column outside": (damaged("indices", 0, 99), ValueError, ["X is a corrupt csr_array"]),
    "column below zero": (damaged("indices", 0, -1), ValueError, ["X is a corrupt csr_array"]),
    "row outside": (
        damaged("indices", 0, 99, sparse.csc_matrix(X)),
        ValueError,
        ["X is a corrupt csc_matrix", "build it again"],
    ),
    "block outside": (
        damaged("indices", 0, 99, sparse.bsr_array(X)),
        ValueError,
        ["X is a corrupt bsr_array"],
    ),
    "rows that go back": (damaged("indptr", 2, 99), ValueError, ["X is a corrupt csr_array"]),
    "rows that begin late": (damaged("indptr", 0, 1), ValueError, ["X is a corrupt csr_array"]),
    "rows that end nowhere": (damaged("indptr", -1, 999), ValueError, ["X is a corrupt csr_array"]),
}
if np.lib.NumpyVersion(scipy.__version__) >= "1.15.0":  # sparse arrays of other dimensions
    BAD["sparse of one dimension"] = (sparse.coo_array(X[:, 0]), ValueError, ["Expected 2D"])
    BAD["sparse of three dimensions"] = (
        sparse.coo_array(X[np.newaxis]),
        ValueError,
        ["X has 3 dim"],
    )
if hasattr(np.dtypes, "StringDType"):  # since numpy 2
    BAD["StringDType"] = (
        X.astype(np.dtypes.StringDType()),
        TypeError,
        ["X has dtype StringDType", "but numbers were expected"],
    )


@pytest.mark.parametrize(("values", "error", "parts"), BAD.values(), ids=BAD)
def test_bad_features_are_named(fitted, values, error, parts):
    """Check that fit and both kinds of predict say what is wrong and what to do."""
    shape = getattr(values, "shape", None)
    n_rows = len(values) if shape is None else (*shape, 1)[0]
    for method in (
        fitted["dense"].predict,
        fitted["sparse"].predict,
        lambda values: small().fit(values, (CLASSES * 2)[:n_rows]),
    ):
        with refused(error, *parts):
            method(values)


@pytest.mark.parametrize("memory", [False, True])
def test_rows_too_far_from_those_of_fit_are_named(memory):
    """Check that no prediction is NaN: what single precision has no room for is refused."""
    groups = np.repeat(np.arange(6), 4) if memory else None
    classifier = small().fit(X * 1e-10, CLASSES, groups=groups)
    with refused(ValueError, "X has values in row 3 whose logits overflow", "scale"):
        classifier.predict(with_value(3e38), groups=groups)


@pytest.mark.parametrize("size", [1e-40, 1e-200, 5e-324])
def test_sparse_features_that_are_too_small_are_named(size):
    """Check that features whose inverse has no room in single precision are not taken for zeros."""
    with refused(ValueError, "X has", "which is too small for single precision; multiply X by"):
        small().fit(CSR * size, CLASSES)


def test_bad_features_in_a_polars_frame_are_named():
    """Check that columns of structs, lists and dates are refused by their name."""
    frame = pl.DataFrame({"a": [1.0, 2.0], "b": [[1.0], [2.0]]})
    with refused(TypeError, "column 'b' of X has values of type ndarray; if each is a sequence"):
        small().fit(frame, ["a", "b"])
    with refused(TypeError, "column 'b' of X has several values in each row"):
        small().fit(frame.with_columns(pl.col("b").cast(pl.Array(pl.Float64, 1))), ["a", "b"])
    with refused(TypeError, "column 'b' has dtype datetime64"):
        small().fit(frame.with_columns(pl.Series("b", np.array([1, 2], "datetime64[D]"))), [0, 1])


BAD_COLUMNS = {
    "lists": ([[1]] * N_ROWS, TypeError, ["column 'b' of X has values of type list; if each"]),
    "dates": (pd.date_range("2020", periods=N_ROWS), TypeError, ["column 'b' has dtype datet"]),
    "dates with a time zone": (
        pd.date_range("2020", periods=N_ROWS, tz="UTC"),
        TypeError,
        ["column 'b' contains values that are not numbers"],
    ),
    "timedelta": (pd.timedelta_range("1s", periods=N_ROWS), TypeError, ["column 'b' has dtype"]),
    "period": (pd.period_range("2020", periods=N_ROWS), TypeError, ["column 'b' contains values"]),
    "interval": (
        pd.interval_range(0, N_ROWS),
        TypeError,
        ["column 'b' contains values that are not numbers"],
    ),
    "NA": (pd.array([1, None] * 12, dtype="Int64"), ValueError, ["Input X contains NaN"]),
    "NA among objects": (objects([1, pd.NA] * 12), ValueError, ["Input X contains NaN"]),
    "pyarrow null": (pd.array([1, None] * 12, "int64[pyarrow]"), ValueError, ["contains NaN"]),
    "numbers and words": (objects([1, "x"] * 12), ValueError, ["of which ['b'] contain text"]),
    "bytes": (objects([b"x"] * N_ROWS), ValueError, ["of which ['b'] contain text"]),
    "dicts": (
        objects([{}] * N_ROWS),
        TypeError,
        ["column 'b' contains values that are not numbers"],
    ),
    "complex": (X[:, 0] * 1j, ValueError, ["Complex data not supported"]),
    "too large": (X[:, 0] * 1e300, ValueError, TOO_LARGE),
}


@pytest.mark.parametrize(("column", "error", "parts"), BAD_COLUMNS.values(), ids=BAD_COLUMNS)
def test_bad_columns_are_named(column, error, parts):
    """Check that a column among features that holds no numbers is refused by its name."""
    frame = pd.DataFrame({"a": X[:, 1], "b": column})
    classifier = small().fit(frame.assign(b=X[:, 0]), CLASSES)
    for method in (classifier.predict, lambda X: small().fit(X, CLASSES)):
        with refused(error, *parts):
            method(frame)


BAD_NAMES = {
    "repeated numbers": ([0, 0, 1, 1], ValueError, ["X has 2 columns named 0; give each its own"]),
    "repeated strings": (list("aabc"), ValueError, ["X has 2 columns named 'a'; give each"]),
    "strings and numbers": (["a", 1, 2, 3], TypeError, ["Feature names are only supported if all"]),
}


@pytest.mark.parametrize(("names", "error", "parts"), BAD_NAMES.values(), ids=BAD_NAMES)
def test_bad_names_of_columns_are_told(names, error, parts):
    """Check that features must have names of their own and of one type."""
    with refused(error, *parts):
        small().fit(as_frame(columns=names), CLASSES)
