"""Tests of parameters as the world has them: numbers of all kinds, and huge ones."""

import types
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from _hostile import Unhashable, refused, small
from numpy.testing import assert_array_equal
from scipy import sparse

from sk_ctxmem import TextSequenceVectorizer, TrainingDivergedError

N_ROWS = 300  # more than a number of 8 bits has room for
X = np.random.RandomState(0).normal(size=(N_ROWS, 3))
Y = np.array([0, 1] * (N_ROWS // 2))
TEXTS = ["yes we do", "no thanks", "maybe so", "a b"]

# Numbers of numpy that are too small for what is computed with them.
NUMBERS = {
    "hidden_size": (np.int8(8), 8),
    "max_epochs": (np.uint8(2), 2),
    "batch_size": (np.uint8(4), 4),
    "n_iter_no_change": (np.int8(1), 1),
    "dropout": (np.float32(0.25), 0.25),
    "learning_rate": (np.float16(0.0078125), 0.0078125),
    "validation_fraction": (np.float16(0.25), 0.25),
    "random_state": (np.uint32(2**32 - 1), 2**32 - 1),
    "memory": (np.str_("elman"), "elman"),
    "context": (np.str_("both"), "both"),
    "warm_start": (np.bool_(True), True),
    "word_memory": (np.bool_(False), False),
    "verbose": (np.bool_(False), False),
    "class_weight": (types.MappingProxyType({0: np.float16(2)}), {0: 2.0}),
    "class_weight of Fraction": ({np.int8(0): Fraction(1, 2)}, {0: 0.5}),
    "class_weight with a bool as key": ({True: 3}, {1: 3}),
    "class_weight of huge numbers": ({0: 10**300, 1: 10**300}, {}),
    "dropout as Fraction": (Fraction(1, 4), 0.25),
    "batch_size without an end": (10**400, 10**6),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_numpy_are_as_good_as_python_s(name):
    """Check that small integers do not overflow, and that each kind of number counts the same."""
    odd, plain = NUMBERS[name]
    settings = {"n_iter_no_change": 1} if name == "validation_fraction" else {}
    rows = sparse.csr_array(np.abs(X))
    groups = np.arange(N_ROWS) // 4 if name in ("memory", "context") else None
    found, expected = (
        small(**settings | {name.split()[0]: value}).fit(rows, Y, groups=groups)
        for value in (odd, plain)
    )
    assert_array_equal(
        found.predict_proba(rows, groups=groups), expected.predict_proba(rows, groups=groups)
    )


BAD = {
    "hidden_size": [np.float64(8), True, np.bool_(True), "8", None, [8], np.array(8), Decimal(8)],
    "max_epochs": [np.bool_(True), 1.0, np.nan, "1"],
    "batch_size": [1e3, 1j, b"3"],
    "dropout": [True, False, np.bool_(False), Decimal("0.1"), 1j, np.array(0.1), None],
    "learning_rate": [True, "0.1", Decimal("0.01"), [0.1]],
    "n_iter_no_change": [True, 1.0, "1"],
    "validation_fraction": [True, "0.1", None],
    "verbose": ["1", None, [1]],
    "warm_start": [0, None, "no"],
    "word_memory": [0, None, b"convolution"],
    "memory": [b"gru", ["gru"], 0, True],
    "device": [b"cpu", 0, ["cpu"]],
}
BAD_CASES = [(name, value) for name, values in BAD.items() for value in values]


@pytest.mark.parametrize(("name", "value"), BAD_CASES, ids=str)
def test_parameters_of_a_wrong_kind_are_named(name, value):
    """Check that a bool is no number, that text is none, and that the message has the value."""
    with refused(TypeError, f"{name}={value!r} must be"):
        small(**{name: value}).fit(X, Y)


OUT_OF_BOUNDS = [
    ("random_state", -1, ["must be from 0 to 2**32 - 1; use 0"]),
    ("random_state", 2**32, ["must be from 0 to 2**32 - 1; use 0"]),
    ("random_state", np.int64(-5), ["must be from 0 to 2**32 - 1"]),
    ("learning_rate", 10**400, ["must be a number above 0"]),
    ("learning_rate", np.float32("inf"), ["must be a number above 0"]),
    ("validation_fraction", 10**400, ["must be a number above 0, below 1"]),
    ("dropout", 10**400, ["must be a number from 0 to 0.95"]),
    ("dropout", Fraction(99, 100), ["must be a number from 0 to 0.95"]),
    ("device", "", ["use device='auto'"]),
    ("device", "\0", ["use device='auto'"]),
    ("device", "CPU", ["use device='auto'"]),
    ("device", "meta", ["use device='auto'"]),
    ("device", "cpu\n", ["use device='auto'"]),
    ("memory", "GRU", ["must be 'gru' or"]),
    ("memory", "gru\0", ["must be 'gru' or"]),
]


@pytest.mark.parametrize(("name", "value", "parts"), OUT_OF_BOUNDS, ids=str)
def test_parameters_out_of_bounds_are_named(name, value, parts):
    """Check that numbers without end and strings that are nearly right are refused."""
    with refused(ValueError, f"{name}={value!r} ", *parts):
        small(**{name: value}).fit(X, Y)


OTHERS = {
    "seed of str": ({"random_state": "a"}, ValueError, ["cannot be used to seed"]),
    "seed of float": ({"random_state": 1.5}, ValueError, ["cannot be used to seed"]),
    "generator as seed": (
        {"random_state": np.random.default_rng(0)},
        ValueError,
        ["cannot be used to seed"],
    ),
    "list of columns": ({"text_column": ["a"]}, TypeError, ["text_column=['a'] must be the name"]),
    "dict of columns": ({"group_column": {}}, TypeError, ["group_column={} must be the name"]),
    "array of columns": ({"order_column": X[:1]}, TypeError, ["must be the name of one column"]),
    "unhashable column": (
        {"speaker_column": Unhashable()},
        TypeError,
        ["speaker_column=Unhashable() must be the name of one column, or None"],
    ),
    "NaN as column": ({"text_column": np.nan}, ValueError, ["text_column=nan needs X to be a"]),
    "rate of any size": ({"learning_rate": 1e308}, TrainingDivergedError, ["lower learning_rate"]),
    "weight of any size": (
        {"class_weight": {0: 10**400}},
        ValueError,
        ["class_weight has 1000", "for class 0; weights must be numbers"],
    ),
    "tuple as class": (
        {"class_weight": {(0, 1): 1}},
        ValueError,
        ["class_weight has the key (0, 1), which is not a class of y"],
    ),
    "NaN as class": ({"class_weight": {np.nan: 1}}, ValueError, ["class_weight has the key nan"]),
    "None as class": ({"class_weight": {None: 1}}, ValueError, ["class_weight has the key None"]),
    "str as class": ({"class_weight": {"0": 1}}, ValueError, ["class_weight has the key '0'"]),
    "weight of None": (
        {"class_weight": {0: None}},
        ValueError,
        ["class_weight has None for class"],
    ),
    "weight of array": ({"class_weight": {0: X[0]}}, ValueError, ["class_weight has array("]),
    "weight of Decimal": ({"class_weight": {0: Decimal(1)}}, ValueError, ["class_weight has Dec"]),
    "complex weight": ({"class_weight": {0: 1j}}, ValueError, ["class_weight has 1j for class 0"]),
    "pairs": ({"class_weight": [(0, 1)]}, TypeError, ["class_weight=[(0, 1)] must be a dict"]),
    "set": ({"class_weight": {0}}, TypeError, ["class_weight={0} must be a dict, 'balanced' or"]),
    "array": ({"class_weight": Y}, TypeError, ["class_weight=array(", "must be a dict"]),
    "bytes": ({"class_weight": b"balanced"}, TypeError, ["class_weight=b'balanced' must be"]),
}


@pytest.mark.parametrize(("params", "error", "parts"), OTHERS.values(), ids=OTHERS)
def test_odd_parameters_are_named(params, error, parts):
    """Check that seeds, columns and weights of a wrong kind are refused by name."""
    with refused(error, *parts):
        small(**params).fit(X, Y)


RANGES = {
    "no end": ((1, 10**9), (1, 3)),
    "no end of any size": ((1, 10**400), (1, 3)),
    "small integers": ((np.int8(1), np.int8(127)), (1, 3)),
    "list": ([1, 2], (1, 2)),
    "array": (np.array([1, 2]), (1, 2)),
    "dict": ({1: 0, 2: 0}, (1, 2)),
}


@pytest.mark.parametrize(("odd", "plain"), RANGES.values(), ids=RANGES)
@pytest.mark.parametrize("name", ["ngram_range", "char_ngram_range"])
def test_ranges_of_any_kind_and_length_are_read(name, odd, plain):
    """Check that a range takes no longer than its texts, and ends with the longest of them."""
    if name == "char_ngram_range" and plain == (1, 3):
        plain = (1, 9)  # of " thanks ", with the spaces around it, and one more
    limits = {"min_df": 1, "max_features": 1000}
    found = TextSequenceVectorizer(**limits | {name: odd}).fit(TEXTS)
    expected = TextSequenceVectorizer(**limits | {name: plain}).fit(TEXTS)
    assert_array_equal(found.get_feature_names_out(), expected.get_feature_names_out())
    for texts in (TEXTS, ["yes we do not know"]):
        features = found.transform(texts).features
        assert_array_equal(features.toarray(), expected.transform(texts).features.toarray())


LIMITS = {
    "max_length": [(np.int8(100), 100), (10**400, 10**6)],
    "max_features": [(np.int8(3), 3), (10**400, None)],
    "min_df": [(np.uint8(1), 1)],
}
LIMIT_CASES = [(name, *pair) for name, pairs in LIMITS.items() for pair in pairs]


@pytest.mark.parametrize(("name", "odd", "plain"), LIMIT_CASES, ids=str)
def test_limits_of_any_kind_and_size_are_read(name, odd, plain):
    """Check that limits do not overflow."""
    texts = [*TEXTS, "a " * 3000]
    found = TextSequenceVectorizer(**{name: odd}).fit_transform(texts)
    expected = TextSequenceVectorizer(**{name: plain}).fit_transform(texts)
    assert_array_equal(found.features.toarray(), expected.features.toarray())


BAD_RANGES = {
    "longer than all texts": ((10**9, 10**9), ValueError, "leaves no n-gram: all texts of X are"),
    "zero": ((0, 1), ValueError, "must be a pair with 1 <= shortest <= longest; use (1, 2)"),
    "the wrong way round": ((2, 1), ValueError, "must be a pair with 1 <= shortest <= longest"),
    "str": ("12", (TypeError, ValueError), "must be"),
    "bools": ((True, True), TypeError, "must be a pair of integers; use (1, 2) if unsure"),
    "floats": ((1.0, 2.0), TypeError, "must be a pair of integers; use (1, 2) if unsure"),
    "three": ((1, 2, 3), TypeError, "must be a pair of integers; use (1, 2) if unsure"),
    "none": ((), TypeError, "must be a pair of integers; use (1, 2) if unsure"),
    "number": (2, TypeError, "must be a pair of integers; use (1, 2) if unsure"),
    "NaN": ((np.nan, np.nan), TypeError, "must be a pair of integers; use (1, 2) if unsure"),
    "set of one": ({1}, TypeError, "must be a pair of integers; use (1, 2) if unsure"),
    "arrays": ((np.arange(2), 2), TypeError, "must be a pair of integers; use (1, 2) if unsure"),
}


@pytest.mark.parametrize(("value", "error", "part"), BAD_RANGES.values(), ids=BAD_RANGES)
@pytest.mark.parametrize("name", ["ngram_range", "char_ngram_range"])
def test_bad_ranges_are_named(name, value, error, part):
    """Check that a range must be a pair of integers."""
    with refused(error, f"{name}={value!r} ", part):
        TextSequenceVectorizer(**{name: value}).fit(TEXTS)
