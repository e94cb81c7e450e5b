"""Tests of frames as the world has them: ids, orders and speakers of every kind."""

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from _hostile import Unhashable, Unordered, assert_probabilities, objects, refused, small
from numpy.testing import assert_allclose, assert_array_equal

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

N_GROUPS, LENGTH = 6, 4
CLASSES = np.array(["a", "b", "c", "a", "b", "c"] * 4)
COLUMNS = {
    "text_column": "text",
    "group_column": "group",
    "order_column": "order",
    "speaker_column": "who",
}
FRAME = pd.DataFrame(
    {
        "text": ["yes we do", "no thanks", "maybe so", "yes please", "no no no", "so what ?"] * 4,
        "group": np.repeat(np.arange(N_GROUPS), LENGTH),
        "order": np.tile(np.arange(LENGTH), N_GROUPS),
        "who": np.tile(["A", "B"], 12),
    }
)
SHUFFLED = np.random.RandomState(0).permutation(len(FRAME))


@pytest.fixture(scope="module")
def classifier():
    """Return a classifier of frames with all four roles."""
    return small(**COLUMNS).fit(FRAME, CLASSES)


@pytest.fixture(scope="module")
def expected(classifier):
    """Return what it says of the rows it was fitted on."""
    return classifier.predict_proba(FRAME)


def each(make):
    """Return what turns numbers into objects, one by one."""
    return lambda numbers: pd.Series(objects([make(int(n)) for n in numbers]), dtype=object)


def dates(unit, **params):
    """Return what turns numbers into points of time."""
    return lambda numbers: pd.to_datetime(numbers, unit=unit, **params)


# Kinds of values that are as good as the numbers 0, 1, ... for ids and for orders.
VALUES = {
    "int8": lambda numbers: numbers.astype("int8"),
    "uint64": lambda numbers: numbers.astype("uint64") + np.uint64(2**64 - 100),
    "float16": lambda numbers: numbers.astype("float16"),
    "long double": lambda numbers: numbers.astype(np.longdouble),
    "Int64": lambda numbers: numbers.astype("Int64"),
    "Float64": lambda numbers: numbers.astype("Float64"),
    "pyarrow integers": lambda numbers: numbers.astype("int64[pyarrow]"),
    "pyarrow decimals": lambda numbers: each(Decimal)(numbers).astype(
        pd.ArrowDtype(pa.decimal128(10))
    ),
    "pyarrow dates": lambda numbers: dates("D")(numbers).astype("date32[day][pyarrow]"),
    "pyarrow durations": lambda numbers: pd.to_timedelta(numbers, unit="s").astype(
        pd.ArrowDtype(pa.duration("s"))
    ),
    "pyarrow strings": lambda numbers: numbers.astype(str).astype("string[pyarrow]"),
    "strings": lambda numbers: numbers.astype(str),
    "strings with NUL": each(lambda n: "\0" * (n + 1)),
    "lone surrogates": each(lambda n: chr(0xD800 + n)),
    "bytes": each(lambda n: bytes([n])),
    "categories": lambda numbers: numbers.astype("category"),
    "ordered categories": lambda numbers: pd.Series(
        pd.Categorical(np.array(list("zyxwvu"))[numbers], list("zyxwvu"), ordered=True)
    ),
    "integers of any size": each(lambda n: 10**400 + n),
    "negative numbers": lambda numbers: numbers - 100,
    "infinity": lambda numbers: numbers.map({0: -np.inf, 1: 1, 2: 2, 3: 3, 4: 4, 5: np.inf}),
    "denormal numbers": lambda numbers: numbers * 5e-324,
    "zeros of both signs": lambda numbers: (
        numbers * np.tile([-1.0, 1.0], 12) * (numbers == 0) + numbers
    ),
    "Decimal": each(Decimal),
    "Fraction": each(lambda n: Fraction(n, 7)),
    "dates with a time zone": dates("D", utc=True),
    "dates of the far past": lambda numbers: pd.Series(
        np.datetime64("-9999-01-01", "s") + numbers.to_numpy()
    ),
    "Python's dates": each(lambda n: datetime.date(2020, 1, 1 + n)),
    "Python's times": each(datetime.time),
    "timedelta": lambda numbers: pd.to_timedelta(numbers, unit="s"),
    "negative timedelta": lambda numbers: pd.to_timedelta(numbers - 100, unit="D"),
    "period": lambda numbers: pd.Series(pd.PeriodIndex.from_ordinals(numbers + 100, freq="M")),
    "interval": lambda numbers: pd.Series(
        pd.arrays.IntervalArray.from_breaks(np.arange(7)).take(numbers)
    ),
    "sparse": lambda numbers: pd.Series(pd.arrays.SparseArray(numbers)),
    "tuples": each(lambda n: (n, "a")),
    "tuples of other lengths": each(lambda n: (1,) * n),
}

# Of these, only equality counts.
IDS = {
    "complex": lambda numbers: numbers.astype(complex),
    "frozenset": each(lambda n: frozenset([n])),
    "classes": each([int, str, float, bool, list, tuple].__getitem__),
    "objects without an order": each([Unordered() for _ in range(N_GROUPS)].__getitem__),
    "values of all types": each([0, "0", 1.5, None.__class__, b"0", (0,)].__getitem__),
    "dates with and without a time zone": each(
        lambda n: pd.Timestamp(n, tz="UTC" if n % 2 else None)
    ),
    "infinities": each([np.inf, -np.inf, "inf", 0, 1, 2].__getitem__),
    "a string that says nan": each(["nan", "None", "NaT", "<NA>", "", " "].__getitem__),
    "ints and their strings": each([1, "1", 2, "2", 3, "3"].__getitem__),
}

# Kinds of values that put the rows of a group in order, as the numbers 0, 1, ... do.
ORDERS = {
    "lists": each(lambda n: [n]),
}


@pytest.mark.filterwarnings("ignore::sk_ctxmem.MergedGroupsWarning")  # some look alike
@pytest.mark.parametrize("make", (VALUES | IDS).values(), ids=VALUES | IDS)
def test_ids_of_any_kind_tell_groups_apart(classifier, expected, make):
    """Check that groups of any hashable kind are those of numbers, in fit and in predict."""
    X = FRAME.assign(group=make(FRAME["group"]))
    assert_allclose(classifier.predict_proba(X), expected, rtol=1e-5)
    assert_allclose(small(**COLUMNS).fit(X, CLASSES).predict_proba(X), expected, rtol=1e-5)


@pytest.mark.parametrize("make", (VALUES | ORDERS).values(), ids=VALUES | ORDERS)
def test_orders_of_any_kind_sort_the_rows(classifier, expected, make):
    """Check that shuffled rows are put in order by values of any kind that has one."""
    X = FRAME.assign(order=make(FRAME["order"])).iloc[SHUFFLED]
    assert_allclose(classifier.predict_proba(X), expected[SHUFFLED], rtol=1e-5)


MISSING = {
    "None": each(lambda n: None if n == 3 else n),
    "NaN": lambda numbers: numbers.where(numbers != 3),
    "NaN among objects": each(lambda n: float("nan") if n == 3 else n),
    "NaN among strings": each(lambda n: float("nan") if n == 3 else str(n)),
    "NaT": lambda numbers: dates("D")(numbers.where(numbers != 3)),
    "NaT of timedelta": lambda numbers: pd.to_timedelta(numbers.where(numbers != 3), unit="s"),
    "NaT of period": lambda numbers: pd.Series(
        pd.PeriodIndex.from_ordinals(numbers, freq="M")
    ).where(numbers != 3),
    "NA of Int64": lambda numbers: numbers.astype("Int64").where(numbers != 3),
    "NA of string": lambda numbers: numbers.astype("string").where(numbers != 3),
    "NA of pyarrow": lambda numbers: numbers.where(numbers != 3).astype("int64[pyarrow]"),
    "category": lambda numbers: numbers.where(numbers != 3).astype("category"),
    "Decimal": each(lambda n: Decimal("nan") if n == 3 else Decimal(n)),
}


@pytest.mark.parametrize("column", ["group", "order"])
@pytest.mark.parametrize("make", MISSING.values(), ids=MISSING)
def test_a_missing_value_of_any_kind_is_named_by_its_row(classifier, make, column):
    """Check that a row without group or place is refused, in whatever form the value is missing."""
    X = FRAME.assign(**{column: make(FRAME[column])})
    row = {"group": 12, "order": 3}[column]
    for method in (classifier.predict, lambda X: small(**COLUMNS).fit(X, CLASSES)):
        with refused(ValueError, f"column '{column}' has no value in row {row}: ", "give each"):
            method(X)


UNHASHABLE = {
    "list": (each(lambda n: [n]), "[0]"),
    "set": (each(lambda n: {n}), "{0}"),
    "dict": (each(lambda n: {n: n}), "{0: 0}"),
    "array": (each(lambda n: np.arange(n, n + 2)), "array([0, 1])"),
    "tuple with a list": (each(lambda n: (n, [n])), "(0, [0])"),
    "object": (each(lambda n: Unhashable()), "Unhashable()"),
    "bytearray": (each(lambda n: bytearray([n])), "bytearray(b'\\x00')"),
    "pyarrow list": (
        lambda numbers: pd.Series(
            [[int(n)] for n in numbers], dtype=pd.ArrowDtype(pa.list_(pa.int64()))
        ),
        "array([0])",
    ),
}


@pytest.mark.parametrize("column", ["group", "who"])
@pytest.mark.parametrize(("make", "shown"), UNHASHABLE.values(), ids=UNHASHABLE)
def test_ids_that_cannot_be_told_apart_are_named(classifier, make, shown, column):
    """Check that unhashable groups and speakers are refused, with the first one and the remedy."""
    X = FRAME.assign(**{column: make(FRAME["order"])})
    for method in (classifier.predict, lambda X: small(**COLUMNS).fit(X, CLASSES)):
        with refused(TypeError, f"column '{column}' has {shown} in row 0, of type", "convert it"):
            method(X)


WITHOUT_ORDER = {
    "set": (each(lambda n: {n}), "values of type set, which have no order; convert"),
    "frozenset": (each(lambda n: frozenset([n])), "values of type frozenset, which have no order"),
    "complex": (lambda numbers: numbers.astype(complex), "values of type complex128, which have"),
    "complex objects": (each(complex), "values of type complex, which have no order; convert"),
    "dict": (each(lambda n: {n: n}), "contains values that cannot be compared", "one type"),
    "array": (each(lambda n: np.arange(2) + n), "contains values that cannot be compared"),
    "objects": (each(lambda n: Unordered()), "contains values that cannot be compared"),
    "classes": (
        each([int, str, float, bool].__getitem__),
        "contains values that cannot be compared",
    ),
    "numbers and strings": (each([0, "1", 2, 3].__getitem__), "contains values that cannot be"),
    "bytes and strings": (each([b"0", "1", "2", "3"].__getitem__), "contains values that cannot"),
    "dates with and without a time zone": (
        each(lambda n: pd.Timestamp(n, tz="UTC" if n % 2 else None)),
        "contains values that cannot be compared",
    ),
    "tuples of numbers and strings": (
        each([(0,), ("1",), (2,), (3,)].__getitem__),
        "contains values that cannot be compared",
    ),
}


@pytest.mark.parametrize("case", WITHOUT_ORDER.values(), ids=WITHOUT_ORDER)
def test_an_order_that_is_none_is_refused(classifier, case):
    """Check that values which say nothing of an order are not sorted in some way."""
    make, *parts = case
    X = FRAME.assign(order=make(FRAME["order"]))
    for method in (classifier.predict, lambda X: small(**COLUMNS).fit(X, CLASSES)):
        with refused(TypeError, "The order column", *parts):
            method(X)


# Speakers, and how many of them are known after a fit.
SPEAKERS = {
    "tuples": (each(lambda n: (n % 2,)), 2),
    "bytes": (each(lambda n: b"AB"[n % 2 : n % 2 + 1]), 2),
    "dates": (lambda numbers: dates("D")(numbers % 2), 2),
    "dates with a time zone": (lambda numbers: dates("D", utc=True)(numbers % 2), 2),
    "Int64": (lambda numbers: (numbers % 2).astype("Int64"), 2),
    "boolean": (lambda numbers: (numbers % 2 == 0).astype("boolean"), 2),
    "complex": (lambda numbers: (numbers % 2).astype(complex), 2),
    "mixed": (each(lambda n: n if n % 2 else str(n)), 4),
    "lone surrogates": (each(lambda n: chr(0xD800 + n % 2)), 2),
    "objects": (each(([Unordered(), Unordered()] * 2).__getitem__), 2),
    "all missing": (each(lambda n: None), 0),
    "some None": (each(lambda n: None if n % 2 else "A"), 1),
    "some NaN": (each(lambda n: float("nan") if n % 2 else "A"), 1),
    "some NaT": (lambda numbers: dates("D")(numbers.where(numbers > 1)), 2),
    "some NA": (lambda numbers: numbers.astype("Int64").where(numbers > 1), 2),
}


@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")  # of new speakers
@pytest.mark.parametrize(("make", "n_known"), SPEAKERS.values(), ids=SPEAKERS)
def test_speakers_of_any_kind_are_known_again(make, n_known):
    """Check that speakers are counted and found, and that missing ones are unknown."""
    X = FRAME.assign(who=make(FRAME["order"]))
    classifier = small(**COLUMNS).fit(X, CLASSES)
    assert sorted(classifier.speakers_.values()) == list(range(1, n_known + 1))
    found = classifier.predict_proba(X)
    assert_probabilities(found, len(FRAME), 3)
    assert_allclose(classifier.predict_proba(X.iloc[SHUFFLED]), found[SHUFFLED], rtol=1e-5)
    if n_known:
        others = classifier.predict_proba(X.assign(who=[f"new {n}" for n in FRAME["order"]]))
        assert (others != found).any()


@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")
def test_ids_that_change_their_type_are_new_groups_and_speakers(classifier, expected):
    """Check that predict needs neither the ids of fit nor their type."""
    X = FRAME.assign(group=FRAME["group"].astype(str) + " of others")
    assert_allclose(classifier.predict_proba(X), expected, rtol=1e-5)
    renamed = classifier.predict_proba(FRAME.assign(who=FRAME["who"].map({"A": 1, "B": 2})))
    unknown = classifier.predict_proba(FRAME.assign(who=FRAME["who"].map({"A": "C", "B": "D"})))
    assert_array_equal(renamed, unknown)
    assert (unknown != expected).any()


FRAMES = {
    "repeated index": lambda X: X.set_axis([1] * len(X)),
    "index of NaN": lambda X: X.set_axis([np.nan] * len(X)),
    "index of two levels": lambda X: X.set_index(["group", "order"], drop=False),
    "index that is a column too": lambda X: X.set_index("text", drop=False),
    "index of dates": lambda X: X.set_axis(pd.date_range("2020", periods=len(X))[::-1]),
    "lists in another column": lambda X: X.assign(more=[[1]] * len(X)),
    "repeated columns without a role": lambda X: pd.concat(
        [X, X[[]].assign(z=1, y=2)], axis=1
    ).rename(columns={"y": "z"}),
    "numbers as names": lambda X: X.assign(**{"more": 1}).rename(columns={"more": 3}),
    "view of every other row": lambda X: X.loc[X.index.repeat(2)].iloc[::2],
    "pyarrow": lambda X: X.convert_dtypes(dtype_backend="pyarrow"),
    "nullable": lambda X: X.convert_dtypes(),
    "objects": lambda X: X.astype(object),
    "polars": pl.from_pandas,
    "polars in chunks": lambda X: pl.concat([pl.from_pandas(X[:5]), pl.from_pandas(X[5:])]),
    "named attributes": lambda X: X.rename_axis(index="text", columns="group"),
}


@pytest.mark.parametrize("form", FRAMES.values(), ids=FRAMES)
def test_the_form_of_a_frame_does_not_matter(classifier, expected, form):
    """Check that index, storage and other columns change nothing."""
    assert_array_equal(classifier.predict_proba(form(FRAME)), expected)
    found = small(**COLUMNS).fit(form(FRAME), CLASSES).predict_proba(FRAME)
    assert_array_equal(found, expected)


def test_columns_of_two_levels_are_named_by_tuples(expected):
    """Check that the four roles may be those of a frame whose columns have two levels."""
    X = FRAME.set_axis(pd.MultiIndex.from_product([["talk"], FRAME.columns]), axis=1)
    columns = {role: ("talk", name) for role, name in COLUMNS.items()}
    assert_array_equal(small(**columns).fit(X, CLASSES).predict_proba(X), expected)


BAD_FRAMES = {
    "repeated group": (
        pd.concat([FRAME, FRAME[["group"]]], axis=1),
        ValueError,
        ["X has 2 columns named 'group'; give each its own name"],
    ),
    "no rows": (FRAME[:0], ValueError, ["column 'text' is empty: found 0 sample(s)"]),
    "no columns": (FRAME[[]], ValueError, ["_column=", "is not a column of X, which has []"]),
    "no rows nor columns": (pd.DataFrame(), ValueError, ["is not a column of X, which has []"]),
    "columns of two levels": (
        FRAME.set_axis(pd.MultiIndex.from_product([["talk"], FRAME.columns]), axis=1),
        ValueError,
        ["text_column='text' is not a column of X, which has [('talk', 'text')"],
    ),
    "numbers in the place of texts": (
        FRAME.assign(text=1.5),
        TypeError,
        ["column 'text' has np.float64(1.5) of type float64 in row 0, but a str was expected"],
    ),
    "lists in the place of texts": (
        FRAME.assign(text=[["yes"]] * len(FRAME)),
        TypeError,
        ["column 'text' has ['yes'] of type list in row 0"],
    ),
    "polars struct as speaker": (
        pl.from_pandas(FRAME).with_columns(pl.struct("who", "group").alias("who")),
        TypeError,
        ["column 'who'"],
    ),
    "polars list as group": (
        pl.from_pandas(FRAME).with_columns(pl.concat_list("group").alias("group")),
        TypeError,
        ["column 'group' has array([0]) in row 0, of type ndarray, which is not hashable"],
    ),
    "polars array as group": (
        pl.from_pandas(FRAME).with_columns(
            pl.concat_list("group").cast(pl.Array(pl.Int64, 1)).alias("group")
        ),
        TypeError,
        ["column 'group' of X has several values in each row"],
    ),
    "signalling NaN": (
        FRAME.assign(group=each(lambda n: Decimal("sNaN" if n == 5 else n))(FRAME["group"])),
        ValueError,
        ["column 'group' has a value that cannot be compared"],
    ),
    "polars query": (pl.from_pandas(FRAME).lazy(), TypeError, ["X is a polars LazyFrame"]),
    "one row as Series": (FRAME.iloc[0], ValueError, ["needs X to be a DataFrame"]),
    "dict": (dict(FRAME), ValueError, ["needs X to be a DataFrame, but X is a dict"]),
    "records": (FRAME.to_records(), ValueError, ["needs X to be a DataFrame, but X is a recarray"]),
}


@pytest.mark.parametrize(("X", "error", "parts"), BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_bad_frames_are_named(classifier, X, error, parts):
    """Check that fit and predict name the column and what is wrong with it."""
    for method in (classifier.predict, lambda X: small(**COLUMNS).fit(X, CLASSES)):
        with refused(error, *parts):
            method(X)
