"""Tests of classes, weights, groups and parameters as the world has them."""

import collections
import datetime
import enum
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from _hostile import Unhashable, assert_probabilities, objects, refused, small, string_dtype
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.exceptions import DataConversionWarning

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

N_ROWS = 20
X = np.random.RandomState(0).normal(size=(N_ROWS, 4))
CODES = np.array([0, 1] * 10)
GROUPS = np.arange(N_ROWS) // 5


def twice(first, second):
    """Return two labels in turn, as a list."""
    return [first, second] * 10


@pytest.fixture(scope="module")
def places():
    """Return the places of the predicted classes, whatever their names are."""
    return small().fit(X, CODES).predict(X)


@pytest.fixture(scope="module")
def expected():
    """Return the probabilities of a fit with groups."""
    return small().fit(X, CODES, groups=GROUPS).predict_proba(X, groups=GROUPS)


Word = (
    enum.StrEnum("Word", "A B") if hasattr(enum, "StrEnum") else enum.Enum("Word", "A B", type=str)
)

# Labels in forms of all kinds, and what their classes are then.
LABELS = {
    "bool": (CODES == 1, [False, True]),
    "list of bool": ((CODES == 1).tolist(), [False, True]),
    "whole floats": (CODES * 1.0, [0.0, 1.0]),
    "float16": (CODES.astype(np.float16), [0.0, 1.0]),
    "int8": (CODES.astype(np.int8), [0, 1]),
    "largest integers": (np.where(CODES, np.uint64(2**64 - 1), np.uint64(0)), [0, 2**64 - 1]),
    "negative integers": (-2 + CODES, [-2, -1]),
    "strings": (twice("a", "b"), ["a", "b"]),
    "numpy strings": (np.array(twice("a", "b")), ["a", "b"]),
    "objects": (objects(twice("a", "b")), ["a", "b"]),
    "StringDType": (np.array(twice("a", "b"), dtype=string_dtype()), ["a", "b"]),
    "strings of other lengths": (twice("", "b" * 1000), ["", "b" * 1000]),
    "strings with NUL at the end": (twice("a", "a\0"), ["a", "a\0"]),
    "strings that say nan": (twice("None", "nan"), ["None", "nan"]),
    "lone surrogates": (twice("\ud800", "\udfff"), ["\ud800", "\udfff"]),
    "strings of numbers": (twice("1", "10"), ["1", "10"]),
    "enumeration of strings": (twice(Word.A, Word.B), [Word.A.value, Word.B.value]),
    "Categorical": (pd.Categorical(twice("a", "b")), ["a", "b"]),
    "categories without rows": (pd.Categorical(twice("a", "b"), list("cba")), ["a", "b"]),
    "categories of integers": (pd.Series(CODES, dtype="category"), [0, 1]),
    "Int64": (pd.Series(CODES, dtype="Int64"), [0, 1]),
    "boolean": (pd.Series(CODES == 1, dtype="boolean"), [False, True]),
    "Float64": (pd.Series(CODES * 1.0, dtype="Float64"), [0.0, 1.0]),
    "string": (pd.Series(twice("a", "b"), dtype="string"), ["a", "b"]),
    "pyarrow strings": (pd.Series(twice("a", "b"), dtype="string[pyarrow]"), ["a", "b"]),
    "pyarrow integers": (pd.Series(CODES, dtype="int64[pyarrow]"), [0, 1]),
    "pyarrow bools": (pd.Series(CODES == 1, dtype="bool[pyarrow]"), [False, True]),
    "pyarrow array": (pa.array(twice("a", "b")), ["a", "b"]),
    "polars": (pl.Series(twice("a", "b")), ["a", "b"]),
    "polars categories": (pl.Series(twice("a", "b"), dtype=pl.Categorical), ["a", "b"]),
    "polars bools": (pl.Series(CODES == 1), [False, True]),
    "sparse Series": (pd.Series(pd.arrays.SparseArray(CODES)), [0, 1]),
    "repeated index": (pd.Series(CODES, index=[7] * N_ROWS), [0, 1]),
    "Index": (pd.Index(twice("a", "b")), ["a", "b"]),
    "deque": (collections.deque(twice("a", "b")), ["a", "b"]),
    "tensor": (torch.tensor(CODES), [0, 1]),
    "read only": (np.broadcast_to(CODES, N_ROWS), [0, 1]),
    "masked nowhere": (np.ma.array(CODES), [0, 1]),
    "dates": (
        np.array(twice("2020-01-01", "2021-01-01"), dtype="datetime64[D]"),
        [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)],
    ),
}


@pytest.mark.parametrize(("y", "classes"), LABELS.values(), ids=LABELS)
def test_labels_of_any_kind_come_back(places, y, classes):
    """Check that classes keep their kind, and that it does not matter for what is learned."""
    classifier = small().fit(X, y)
    assert classifier.classes_.tolist() == classes
    assert list(map(type, classifier.classes_.tolist())) == list(map(type, classes))
    assert_array_equal(classifier.predict(X), classifier.classes_[places])


def test_a_column_of_labels_is_read_with_a_warning(places):
    """Check that y in two dimensions is what scikit-learn takes it for."""
    for y in (CODES[:, np.newaxis], pd.DataFrame({"y": CODES})):
        with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
            classifier = small().fit(X, y)
        assert_array_equal(classifier.predict(X), places)


def test_a_class_for_each_row_is_legal():
    """Check that as many classes as rows can be learned."""
    assert_probabilities(small().fit(X, range(N_ROWS)).predict_proba(X), N_ROWS, N_ROWS)


MISSING = ["y contains NaN or None, first in row 2; drop such rows"]
UNKNOWN = ["Unknown label type"]
BAD_LABELS = {
    "None in a list": (["a", "b", None, "a"] * 5, ValueError, MISSING),
    "None in an array": (objects(["a", "b", None, "a"] * 5), ValueError, MISSING),
    "NaN among strings": (["a", "b", float("nan"), "a"] * 5, ValueError, MISSING),
    "NaN": (np.array([0, 1, np.nan, 1] * 5), ValueError, MISSING),
    "NA in a list": (["a", "b", pd.NA, "a"] * 5, ValueError, MISSING),
    "NaT in a list": ([pd.Timestamp(0), pd.Timestamp(9), pd.NaT] * 5, ValueError, MISSING),
    "NaT": (np.array(["2020", "2021", "NaT", "2020"] * 5, "datetime64[D]"), ValueError, MISSING),
    "NA of string": (pd.Series(["a", "b", None, "a"] * 5, dtype="string"), ValueError, MISSING),
    "NA of Int64": (pd.Series([0, 1, None, 1] * 5, dtype="Int64"), ValueError, MISSING),
    "NA of boolean": (
        pd.Series([True, False, None, True] * 5, dtype="boolean"),
        ValueError,
        MISSING,
    ),
    "null of pyarrow": (
        pd.Series([0, 1, None, 1] * 5, dtype="int64[pyarrow]"),
        ValueError,
        MISSING,
    ),
    "null of polars": (pl.Series(["a", "b", None, "a"] * 5), ValueError, MISSING),
    "missing category": (
        pd.Series(["a", "b", None, "a"] * 5, dtype="category"),
        ValueError,
        MISSING,
    ),
    "missing StringDType": (
        np.array(["a", "b", np.nan, "a"] * 5, string_dtype(na_object=np.nan)),
        ValueError,
        MISSING,
    ),
    "signalling NaN": (
        objects(twice(Decimal("sNaN"), Decimal(1))),
        ValueError,
        ["y has a value that cannot be compared"],
    ),
    "infinity": (np.where(CODES, np.inf, 0), ValueError, ["Input y contains infinity"]),
    "floats": (CODES + 0.5, ValueError, ["Unknown label type: continuous"]),
    "numbers and strings": (twice(1, "a"), TypeError, ["y mixes labels of the types int and str"]),
    "numbers and strings as objects": (
        objects(twice(1, "a")),
        TypeError,
        ["y mixes labels of the types int and str; convert them to one"],
    ),
    "bools and strings": (
        objects(twice(True, "a")),
        TypeError,
        ["y mixes labels of the types bool"],
    ),
    "bytes and strings": (twice(b"a", "a"), TypeError, ["y mixes labels of the types bytes and"]),
    "bools and numbers": (objects(twice(True, 0)), ValueError, UNKNOWN),
    "bytes": (np.array(twice(b"a", b"b")), TypeError, ["labels represented as bytes"]),
    "bytes in a list": (twice(b"a", b"b"), TypeError, ["labels represented as bytes"]),
    "tuples": (twice((1, 2), (3, 4)), ValueError, ["multiclass-multioutput"]),
    "tuples of other lengths": (
        twice((1, 2), (3,)),
        ValueError,
        ["y is a list that cannot be converted"],
    ),
    "tuples as objects": (objects(twice((1, 2), (3, 4))), ValueError, ["legacy multi-label"]),
    "sets": (twice({1}, {2}), ValueError, UNKNOWN),
    "dicts": (twice({1: 1}, {2: 2}), ValueError, UNKNOWN),
    "unhashable": (twice(Unhashable(), 1), ValueError, UNKNOWN),
    "Python's dates": (twice(datetime.date.min, datetime.date.max), ValueError, UNKNOWN),
    "Timestamps": (twice(pd.Timestamp(0), pd.Timestamp(9)), ValueError, UNKNOWN),
    "Decimal": (twice(Decimal(1), Decimal(2)), ValueError, UNKNOWN),
    "Fraction": (twice(Fraction(1), Fraction(2)), ValueError, UNKNOWN),
    "huge integers": (twice(10**30, 10**31), ValueError, UNKNOWN),
    "classes of Python": (twice(int, str), ValueError, UNKNOWN),
    "complex": (CODES * 1j, ValueError, ["Complex data not supported"]),
    "records": (np.zeros(N_ROWS, dtype="i4,i4"), TypeError, ["y has dtype [('f0'", "pass one"]),
    "two columns": (np.c_[CODES, CODES + 1], ValueError, ["multiclass-multioutput"]),
    "frame of two columns": (pd.DataFrame({"a": CODES, "b": 2}), ValueError, ["0 and 1, 2 in"]),
    "one hot of floats": (np.eye(2)[CODES] / 2, ValueError, ["0 and 1, 0.5 in row"]),
    "longer": (np.r_[CODES, 0], ValueError, [f"X has {N_ROWS} rows, y has {N_ROWS + 1}; pass"]),
    "empty": ([], ValueError, [f"X has {N_ROWS} rows, y has 0; pass one class label for each row"]),
    "one string": ("a" * N_ROWS, ValueError, ["y should be a 1d array"]),
    "one number": (3, ValueError, ["y should be a 1d array"]),
    "generator": ((label for label in CODES), ValueError, ["y should be a 1d array"]),
    "set": (set(range(N_ROWS)), ValueError, ["y should be a 1d array"]),
    "dict": (dict.fromkeys(range(N_ROWS)), ValueError, ["y should be a 1d array"]),
    "sparse": (sparse.csr_array(CODES[np.newaxis]), ValueError, ["y has 1; pass one row of y"]),
    "masked": (
        np.ma.array(CODES, mask=np.arange(N_ROWS) == 3),
        ValueError,
        ["y has a masked value in row 3; fill it with .filled(), or drop the row"],
    ),
    "tensor with a gradient": (
        torch.tensor(CODES * 1.0, requires_grad=True),
        TypeError,
        ["y is a Tensor that cannot be converted", "detach()"],
    ),
}


@pytest.mark.parametrize(("y", "error", "parts"), BAD_LABELS.values(), ids=BAD_LABELS)
def test_bad_labels_are_named(y, error, parts):
    """Check that labels of the wrong kind, number or form are refused."""
    with refused(error, *parts):
        small().fit(X, y)


ONES = np.ones(N_ROWS)
WEIGHTS = {
    "integers": ONES.astype(int),
    "uint8": np.full(N_ROWS, 200, dtype=np.uint8),
    "bools": ONES == 1,
    "list": [1] * N_ROWS,
    "objects": ONES.astype(object),
    "Decimal": [Decimal(2)] * N_ROWS,
    "Series": pd.Series(ONES, index=range(5, 5 + N_ROWS)),
    "Int64": pd.Series(ONES, dtype="Int64"),
    "pyarrow": pd.Series(ONES, dtype="double[pyarrow]"),
    "polars": pl.Series(ONES),
    "tensor": torch.ones(N_ROWS),
    "huge": ONES * 1e300,
    "huge in sum": ONES * 1.7e308,
    "tiny": ONES * 1e-300,
    "denormal": ONES * 5e-324,
    "integers of great size": [10**300] * N_ROWS,
    "masked nowhere": np.ma.array(ONES),
    "read only": np.broadcast_to(1.0, N_ROWS),
}


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_equal_weights_of_any_kind_and_size_are_none(weights):
    """Check that weights count in relation to one another only."""
    found = small().fit(X, CODES, sample_weight=weights).predict_proba(X)
    assert_array_equal(found, small().fit(X, CODES).predict_proba(X))


@pytest.mark.parametrize("size", [1e30, 1e300, 1.7e308])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1e300, 1: 1e-300}])
def test_one_row_of_huge_weight_gives_probabilities(size, class_weight):
    """Check that no size of weights ends in NaN."""
    weights = np.where(np.arange(N_ROWS) == 3, size, 1.0)
    classifier = small(class_weight=class_weight).fit(X, CODES, sample_weight=weights)
    assert_probabilities(classifier.predict_proba(X), N_ROWS, 2)


SHAPE = ["sample_weight has shape", "one weight for each row or sequence"]
NO_NUMBER = ["sample_weight contains values that are not numbers"]
BAD_WEIGHTS = {
    "one negative": (np.r_[ONES[1:], -0.5], ValueError, ["sample_weight has -0.5 in row 19"]),
    "negative infinity": (np.r_[ONES[1:], -np.inf], ValueError, ["contains infinity"]),
    "long double": (np.full(N_ROWS, np.longdouble("1e4000")), ValueError, ["contains infinity"]),
    "too far from one another": (
        np.where(np.arange(N_ROWS) == 3, 1e300, 1e-300),
        ValueError,
        ["sample_weight give fewer than two classes a positive weight, relative to the largest"],
    ),
    "huge integers": ([10**400] * N_ROWS, ValueError, NO_NUMBER),
    "None": ([None] * N_ROWS, ValueError, ["sample_weight contains NaN"]),
    "NA": (pd.Series([1, None] * 10, dtype="Int64"), ValueError, ["sample_weight contains NaN"]),
    "null": (pl.Series([1, None] * 10), ValueError, ["sample_weight contains NaN"]),
    "words": (["x"] * N_ROWS, TypeError, ["sample_weight has dtype <U1"]),
    "words as objects": (objects(["x"] * N_ROWS), ValueError, NO_NUMBER),
    "strings of numbers": (["1"] * N_ROWS, TypeError, ["sample_weight has dtype <U1"]),
    "bytes": (np.array([b"1"] * N_ROWS), TypeError, ["sample_weight has dtype |S1"]),
    "dates": (ONES.astype("datetime64[s]"), TypeError, ["sample_weight has dtype datetime64"]),
    "timedelta": (ONES.astype("timedelta64[s]"), TypeError, ["sample_weight has dtype"]),
    "complex": (ONES * 1j, ValueError, ["Complex data not supported"]),
    "str": ("x", TypeError, ["sample_weight has dtype <U1"]),
    "balanced": ("balanced", TypeError, ["sample_weight has dtype <U8"]),
    "one number": (1.0, ValueError, SHAPE),
    "empty": ([], ValueError, SHAPE),
    "two columns": (np.ones((N_ROWS, 2)), ValueError, SHAPE),
    "frame": (pd.DataFrame({"weight": ONES}), ValueError, SHAPE),
    "lists": ([[1]] * N_ROWS, ValueError, SHAPE),
    "ragged": (
        [[1], [1, 2]] * 10,
        ValueError,
        ["sample_weight is a list that cannot be converted"],
    ),
    "generator": ((1 for _ in X), TypeError, NO_NUMBER),
    "set": ({1.0}, TypeError, NO_NUMBER),
    "dict": (dict.fromkeys(range(N_ROWS), 1), TypeError, NO_NUMBER),
    "function": (len, TypeError, NO_NUMBER),
    "sparse": (sparse.csr_array(ONES[np.newaxis]), ValueError, SHAPE),
    "masked": (
        np.ma.array(ONES, mask=CODES),
        ValueError,
        ["sample_weight has a masked value in row 1"],
    ),
    "tensor with a gradient": (
        torch.ones(N_ROWS, requires_grad=True),
        TypeError,
        ["sample_weight is a Tensor that cannot be converted"],
    ),
}


@pytest.mark.parametrize(("weights", "error", "parts"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS)
def test_bad_weights_are_named(weights, error, parts):
    """Check that weights which are no numbers, or not one for each row, are refused."""
    with refused(error, *parts):
        small().fit(X, CODES, sample_weight=weights)


GROUP_FORMS = {
    "tuples": [(int(n), 0) for n in GROUPS],
    "tuples of other lengths": [(0,) * (n + 1) for n in GROUPS],
    "index of two levels": pd.MultiIndex.from_arrays([GROUPS, [0] * N_ROWS]),
    "deque": collections.deque(GROUPS),
    "tensor": torch.tensor(GROUPS),
    "pyarrow": pa.array(GROUPS),
    "records": np.array([(n, 1) for n in GROUPS], dtype="i4,i4"),
    "intervals": pd.cut(np.arange(N_ROWS), [-1, 4, 9, 14, 19]),
    "integers of any size": [10**30 + int(n) for n in GROUPS],
    "StringDType": GROUPS.astype(string_dtype()),
    "strings with NUL": ["a" + "\0" * n for n in GROUPS],
    "lone surrogates": [chr(0xD800 + n) for n in GROUPS],
    "frozensets": [frozenset([n]) for n in GROUPS],
    "values of all types": [[0, "a", None.__class__, (0,)][n] for n in GROUPS],
    "masked nowhere": np.ma.array(GROUPS),
}


@pytest.mark.parametrize("groups", GROUP_FORMS.values(), ids=GROUP_FORMS)
def test_groups_in_any_form_are_those_of_numbers(expected, groups):
    """Check that fit and predict read ids of any kind and container."""
    found = small().fit(X, CODES, groups=groups).predict_proba(X, groups=groups)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


BAD_GROUPS = {
    "lists": ([[1]] * N_ROWS, TypeError, ["groups has [1] in row 0, of type list", "convert it"]),
    "sets": ([{1}] * N_ROWS, TypeError, ["groups has {1} in row 0, of type set", "not hashable"]),
    "arrays": ([np.arange(2)] * N_ROWS, TypeError, ["groups has array([0, 1]) in row 0"]),
    "unhashable among others": (
        [*GROUPS[:-1], Unhashable()],
        TypeError,
        ["groups has Unhashable() in row 19, of type Unhashable"],
    ),
    "polars lists": (pl.Series([[1]] * N_ROWS), TypeError, ["groups has array([1]) in row 0"]),
    "set": (set(range(N_ROWS)), ValueError, ["groups has shape ()", "one value for each row"]),
    "generator": ((n for n in GROUPS), ValueError, ["groups has shape ()"]),
    "dict": (dict.fromkeys(range(N_ROWS)), ValueError, ["groups has shape ()"]),
    "bytes": (b"a" * N_ROWS, ValueError, ["groups has shape ()"]),
    "number": (3, ValueError, ["groups has shape ()"]),
    "function": (len, ValueError, ["groups has shape ()"]),
    "frame": (pd.DataFrame({"group": GROUPS}), ValueError, [f"groups has shape ({N_ROWS}, 1)"]),
    "sparse": (sparse.csr_array(GROUPS[np.newaxis]), ValueError, ["groups has shape (1, 20)"]),
    "masked": (np.ma.array(GROUPS, mask=CODES), ValueError, ["groups has a masked value in row 1"]),
    "null of pyarrow": (
        pa.array([None, *GROUPS[1:]]),
        ValueError,
        ["groups has no value in row 0"],
    ),
    "NA": ([pd.NA, *GROUPS[1:]], ValueError, ["groups has no value in row 0: <NA>; give each"]),
    "tensor with a gradient": (
        torch.ones(N_ROWS, requires_grad=True),
        TypeError,
        ["groups is a Tensor that cannot be converted"],
    ),
    "signalling NaN": (
        [Decimal("sNaN"), *GROUPS[1:]],
        ValueError,
        ["groups has a value that cannot be compared", "drop its row"],
    ),
}


@pytest.mark.parametrize(("groups", "error", "parts"), BAD_GROUPS.values(), ids=BAD_GROUPS)
def test_bad_groups_are_named(groups, error, parts):
    """Check that ids which are missing, unhashable, or not one for each row are refused."""
    with refused(error, *parts):
        small().fit(X, CODES, groups=groups)
