"""Tests of order columns: numbers and dates as strings, and points of time from file to session."""

import datetime
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _hostile import objects, small
from numpy.testing import assert_allclose

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._messages import doc_link
from sk_ctxmem._rows._arrange import rank
from sk_ctxmem.distributed import FramePredictor, fit_parquet

ROLES = {"text_column": "text", "group_column": "call", "order_column": "turn"}
N_GROUPS, LENGTH = 6, 12
FRAME = pd.DataFrame(
    {
        "text": ["yes we do", "no thanks", "maybe so", "yes please", "no no no", "so what ?"] * 12,
        "call": np.repeat(np.arange(N_GROUPS), LENGTH),
        "turn": np.tile(np.arange(LENGTH), N_GROUPS),
    }
)
ACTS = np.array(["a", "b", "c", "a", "b", "c"] * 12)
SHUFFLED = np.random.RandomState(0).permutation(len(FRAME))
START = pd.Timestamp("2025-12-31 21:00")


@pytest.fixture(scope="module")
def classifier():
    """Return a classifier of turns that are numbered."""
    return small(**ROLES).fit(FRAME, ACTS)


def strings(make):
    """Return what turns numbers into strings, one by one."""
    return lambda numbers: objects([make(int(n)) for n in numbers])


def times(make=lambda time: time):
    """Return what turns numbers into points of time, which pass midnight and a new year."""
    return lambda numbers: objects([make(START + n * pd.Timedelta("25min")) for n in numbers])


AS_STRINGS = {
    "numbers": strings(str),
    "numbers in spaces": strings(lambda n: f" {n} "),
    "numbers with and without zeros": strings(lambda n: f"0{n}" if n % 2 else str(n)),
    "numbers with and without a fraction": strings(lambda n: f"{n}.0" if n % 3 else str(n)),
    "negative numbers": strings(lambda n: str(n - 11)),
    "exponents": strings(lambda n: f"1e{n}"),
    "numbers with gaps": strings(lambda n: str(n**3)),
    "numbers that no float can tell apart": strings(lambda n: str(10**20 + n)),
    "nanoseconds since 1970": strings(lambda n: f"17000000{n:02d}.123456789"),
    "digits of full width": strings(lambda n: "".join(chr(0xFF10 + int(d)) for d in str(n))),
    "bytes": strings(lambda n: str(n).encode()),
    "ISO dates": times(str),
    "ISO dates without zeros": times(lambda t: f"{t.year}-{t.month}-{t.day} {t.hour}:{t:%M}"),
    "dates with a fraction": strings(
        lambda n: "2026-01-01T10:00:00" + (f".{n:02d}Z" if n else "Z")
    ),
    "dates with a decimal comma": strings(
        lambda n: "2026-01-01 10:00:00" + (f",{n:02d}" if n else "")
    ),
    "dates with many offsets": lambda numbers: objects(
        [
            (START.tz_localize("UTC") + n * pd.Timedelta("25min"))
            .tz_convert(["Asia/Tokyo", "America/New_York"][n % 2])
            .isoformat()
            for n in numbers
        ]
    ),
    "dates that name UTC": times(lambda t: f"{t.year}/{t.month}/{t.day} {t.hour}:{t:%M} UTC"),
    "zero-padded names": strings(lambda n: f"turn {n:02d}"),
    "clock times": strings(lambda n: f"{n + 8:02d}:30"),
    "letters": strings(lambda n: "abcdefghijkl"[n]),
}


@pytest.mark.parametrize("make", AS_STRINGS.values(), ids=AS_STRINGS)
def test_strings_are_sorted_as_what_they_say(classifier, make):
    """Check that strings of numbers and dates order rows as the numbers do, without a warning."""
    X = FRAME.assign(turn=make(FRAME["turn"])).iloc[SHUFFLED]
    expected = classifier.predict_proba(FRAME)[SHUFFLED]
    assert_allclose(classifier.predict_proba(X), expected, rtol=1e-5)
    by_polars = pl.DataFrame({name: X[name].to_numpy() for name in X})
    assert_allclose(classifier.predict_proba(by_polars), expected, rtol=1e-5)


DOUBTFUL = {
    "numbers in words": (strings(lambda n: f"turn {n}"), "turn 0"),
    "clock times": (strings(lambda n: f"{n + 8}:30"), "8:30"),
    "twelve hours": (strings(lambda n: f"{n:02d}:30 PM"), "00:30 PM"),
    "twelve hours after a date": (
        strings(lambda n: f"2026-01-01 {n:02d}:30 p.m."),
        "2026-01-01 00:30 p.m.",
    ),
    "day first": (times(lambda t: f"{t:%d/%m/%Y %H:%M}"), "31/12/2025 21:00"),
    "day first, two digits": (
        strings(lambda n: f"{START + n * pd.Timedelta('1D'):%d.%m.%y}"),
        "31.12.25",
    ),
    "day first, no year": (strings(lambda n: f"{n + 1}.2."), "1.2."),
    "month and year": (strings(lambda n: f"{n + 1:02d}.2025"), "01.2025"),
    "month by its name": (times(lambda t: f"{t:%b %d %H:%M}"), "Dec 31 21:00"),
    "days of the week": (
        strings(lambda n: f"{START + n * pd.Timedelta('1D'):%A}, week {n // 7}"),
        "Wednesday, week 0",
    ),
    "quarters": (strings(lambda n: f"Q{n % 4 + 1} 20{n + 10}"), "Q1 2010"),
    "thousands": (strings(lambda n: f"{n * 500:,}"), "1,000"),
    "percent": (strings(lambda n: f"{n} %"), "0 %"),
    "sections": (strings(lambda n: f"1.{n + 1}"), "1.1"),
    "a word among numbers": (strings(lambda n: "end" if n == 11 else str(n)), "end"),
    "a missing number that says so": (strings(lambda n: "nan" if n == 5 else str(n)), "nan"),
    "a date that is none": (strings(lambda n: f"2026-{n + 8:02d}-01"), "2026-08-01"),
    "some with an offset": (
        strings(lambda n: f"2026-01-01T{n:02d}:00" + "Z" * (n % 2)),
        "2026-01-01T01:00Z",
    ),
}


@pytest.mark.parametrize(("make", "shown"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_doubtful_order_is_warned_about(classifier, make, shown):
    """Check that a warning names the column, a value with its row, and the remedy."""
    X = FRAME.assign(turn=make(FRAME["turn"]))
    row = X["turn"].tolist().index(shown)
    message = (
        f"column 'turn' contains strings such as {shown!r} in row {row}, which are not all "
        "numbers, nor all ISO 8601 dates. They are sorted alphabetically: '10' before '9', and "
        "'05/01/2026' before '31/12/2025'. Convert the column with pandas.to_numeric or "
        f"pandas.to_datetime, or pad numbers with zeros.{doc_link('order')}"
    )
    for method in (classifier.predict, lambda X: small(**ROLES).fit(X, ACTS)):
        with pytest.warns(UserWarning, match="contains strings") as caught:
            method(X)
        assert [str(warning.message) for warning in caught] == [message]
        assert caught[0].filename == __file__


@pytest.mark.parametrize("gap", ["", " ", "\t", "\xa0"])
@pytest.mark.parametrize("make", [AS_STRINGS["numbers"], AS_STRINGS["letters"]])
def test_an_empty_string_is_no_place(classifier, make, gap):
    """Check that empty cells, read as empty strings, are counted and refused, as NaN is."""
    turn = make(FRAME["turn"])
    turn[[3, 40]] = gap
    message = (
        r"column 'turn' has no value in 2 of 72 rows, the first in row 3; give each row its place "
        "in the group, or drop these rows. See .*#order"
    )
    with pytest.raises(ValueError, match=message):
        classifier.predict(FRAME.assign(turn=turn))


def test_strings_without_an_order_are_not_looked_at(classifier):
    """Check that values of several types are refused as ever."""
    turn = AS_STRINGS["numbers"](FRAME["turn"])
    turn[5] = 5
    with pytest.raises(TypeError, match="The order column contains values that cannot be compared"):
        classifier.predict(FRAME.assign(turn=turn))


TIMES = {
    "naive": lambda numbers: START + pd.to_timedelta(numbers * 25, unit="min"),
    "nanoseconds": lambda numbers: (
        START.as_unit("ns") + pd.to_timedelta(np.asarray(numbers), unit="ns")
    ),
    "a time zone": lambda numbers: pd.Series(
        START + pd.to_timedelta(numbers * 25, unit="min")
    ).dt.tz_localize("Asia/Tokyo"),
    "many time zones": lambda numbers: objects(
        [
            (START.tz_localize("UTC") + n * pd.Timedelta("25min")).tz_convert(
                ["Asia/Tokyo", "America/New_York"][n % 2]
            )
            for n in numbers
        ]
    ),
    "an hour twice": lambda numbers: pd.Series(  # clocks are set back from 3:00 to 2:00
        pd.Timestamp("2025-10-26T00:00Z") + pd.to_timedelta(numbers * 10, unit="min")
    ).dt.tz_convert("Europe/Berlin"),
    "datetime": times(pd.Timestamp.to_pydatetime),
    "days": lambda numbers: objects(
        [datetime.date(2025, 12, 25) + datetime.timedelta(int(n)) for n in numbers]
    ),
}


@pytest.mark.parametrize("make", TIMES.values(), ids=TIMES)
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_points_of_time_sort_rows(classifier, make, library):
    """Check that times order rows as numbers do, in fit, predict and a column of either library."""
    X = FRAME.assign(turn=pd.Series(make(FRAME["turn"]))).iloc[SHUFFLED]
    X = X if library == "pandas" else pl.from_pandas(X)
    expected = classifier.predict_proba(FRAME)[SHUFFLED]
    assert_allclose(classifier.predict_proba(X), expected, rtol=1e-5)
    fitted = small(**ROLES).fit(X, ACTS[SHUFFLED])
    numbered = small(**ROLES).fit(FRAME.iloc[SHUFFLED], ACTS[SHUFFLED])
    assert_allclose(fitted.predict_proba(X), numbered.predict_proba(FRAME.iloc[SHUFFLED]))


POLARS = {
    "Date": pl.Date,
    "Datetime": pl.Datetime("ms"),
    "Datetime with a zone": pl.Datetime("us", "Europe/Berlin"),
    "Time": pl.Time,
    "Duration": pl.Duration("ms"),
}


@pytest.mark.parametrize("dtype", POLARS.values(), ids=POLARS)
def test_times_of_polars_sort_rows(classifier, dtype):
    """Check every type of time that polars has, and that a null is named by its row."""
    X = FRAME.iloc[SHUFFLED]
    step = {pl.Date: 1, pl.Time: 10**12}.get(dtype, 10**7)
    X = pl.DataFrame({name: X[name].to_numpy() for name in X})
    X = X.with_columns((pl.col("turn") * step).cast(dtype))
    expected = classifier.predict_proba(FRAME)[SHUFFLED]
    assert_allclose(classifier.predict_proba(X), expected, rtol=1e-5)
    X = X.with_columns(turn=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise("turn"))
    with pytest.raises(ValueError, match="column 'turn' has no value in row 7: "):
        classifier.predict(X)


def test_times_work_from_a_file_to_a_session(tmp_path, classifier):
    """Check fit, save, load, a session, a reason, Parquet and workers with times as strings."""
    turn = pd.Series(TIMES["a time zone"](FRAME["turn"])).map(pd.Timestamp.isoformat)
    rows = FRAME.assign(turn=turn, label=ACTS)
    rows.sample(frac=1, random_state=0).to_csv(tmp_path / "calls.csv", index=False)
    X = pd.read_csv(tmp_path / "calls.csv")
    expected = classifier.predict_proba(FRAME)
    fitted = small(**ROLES).fit(X, X["label"])
    fitted.save(tmp_path / "calls.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "calls.ctxmem")
    whole = loaded.predict_proba(rows)
    np.testing.assert_array_equal(whole, fitted.predict_proba(rows))
    session = loaded.session()
    live = [session.predict_proba_one(text) for text in rows["text"][:LENGTH]]
    assert_allclose(np.array(live), whole[:LENGTH], atol=1e-6)
    first_call = X[X["call"] == 0].reset_index(drop=True)
    assert set(loaded.explain(first_call, rows=[4])["row"]) == {4}
    by_file = small(text_column="text", group_column="call").fit(FRAME, ACTS)
    workers = FramePredictor(by_file, order_column="turn")
    found = workers(rows.iloc[SHUFFLED])[[f"probability_{act}" for act in "abc"]].to_numpy()
    assert_allclose(found, expected[SHUFFLED], rtol=1e-5)


PARQUET = {
    "strings": AS_STRINGS["numbers"],
    "dates as strings": AS_STRINGS["ISO dates"],
    "times": TIMES["naive"],
    "times with a zone": TIMES["a time zone"],
    "an hour twice": TIMES["an hour twice"],
    "days": TIMES["days"],
}


@pytest.mark.parametrize("make", PARQUET.values(), ids=PARQUET)
def test_fit_parquet_sorts_by_times_and_strings(tmp_path, make):
    """Check that a folder whose order is a time or a string gives the model of its numbers."""
    fits = []
    for name, turn in {"numbers": FRAME["turn"], "other": make(FRAME["turn"])}.items():
        (tmp_path / name).mkdir()
        rows = FRAME.assign(turn=pd.Series(turn), label=ACTS)
        rows = rows.sample(frac=1, random_state=0).sort_values("call", kind="stable")
        rows.to_parquet(tmp_path / name / "rows.parquet", index=False)
        fits.append(fit_parquet(small(**ROLES), tmp_path / name).predict_proba(FRAME))
    assert_allclose(fits[1], fits[0], rtol=1e-5)


def test_fit_parquet_warns_of_a_doubtful_order(tmp_path):
    """Check that strings whose order is in doubt are no silent matter in a fit from files."""
    turn = DOUBTFUL["numbers in words"][0](FRAME["turn"])
    FRAME.assign(turn=turn, label=ACTS).to_parquet(tmp_path / "rows.parquet", index=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit_parquet(small(**ROLES), tmp_path)
    assert {"column 'turn' contains strings such as 'turn 0'"} == {
        str(warning.message).partition(" in row")[0] for warning in caught
    }


def test_values_of_two_types_are_shown():
    """Check that the message shows one value of each type."""
    with pytest.raises(
        TypeError, match=r"such as 3 \(int\), 'late' \(str\); convert them to one type"
    ):
        rank(np.array([3, "late", 4], dtype=object))
