"""NumberColumn and CategoryColumn: one column beside the text as numbers.

They give what SimpleImputer with an indicator and OneHotEncoder of scikit-learn give, but hold
plain values alone, which files can contain, and read one row in microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from .._input._arrays import FLOAT32_MAX

MAX_CATEGORIES = 50  # values of a column with a number each; rarer ones share one
DATE_PARTS = 5
DAY, DAYS_OF_WEEK = 24 * 60 * 60, 7
PLAIN = (str, bool, int, float)
REMEDY = "leave it out of feature_columns, or convert it by feature_transformer"


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers, bools, durations or dates, whose missing values have an indicator.

    Durations count in seconds. A date gives the days since the first date of the fit, and the sine
    and cosine of the hour of the day and of the day of the week, so that midnight and Sunday are
    next to what follows.

    Parameters
    ----------
    name : object
        Name of the column.
    medians : list of float
        Median of each number in the fit, which replaces missing ones.
    has_missing : bool
        Whether values were missing in the fit, so that there is an indicator.
    first : float or None, default=None
        The first date, in seconds since 1970. None unless the column has dates.
    """

    name: Any
    medians: list[float]
    has_missing: bool
    first: float | None = None

    @property
    def width(self) -> int:
        """Number of numbers."""
        return len(self.medians) + self.has_missing

    def read(self, column: pd.Series) -> np.ndarray:
        """Return the numbers of a column, (n_rows, width)."""
        if self.first is None:
            values = to_numbers(column, self.name)[:, np.newaxis]
        else:
            values = split_dates(to_seconds(column, self.name), self.first)
        is_missing = np.isnan(values)
        values = np.where(is_missing, self.medians, values)
        if not self.has_missing:
            return values
        return np.concatenate([values, is_missing[:, :1]], axis=1)


@dataclass(frozen=True)
class CategoryColumn:
    """A column of categories, one number for each frequent one; missing is a category too.

    Parameters
    ----------
    name : object
        Name of the column.
    categories : list of str, bool, int, float or None
        The frequent categories. None is a missing value.
    has_others : bool
        Whether the last number is that of all rarer and unknown categories. If not, unknown
        categories have zeros.
    """

    name: Any
    categories: list[Any]
    has_others: bool

    @property
    def width(self) -> int:
        """Number of numbers."""
        return len(self.categories) + self.has_others

    def read(self, column: pd.Series) -> np.ndarray:
        """Return the numbers of a column, (n_rows, width)."""
        codes, keys = encode_categories(column, self.name)
        places = {key: place for place, key in enumerate(self.categories)}
        other = len(self.categories) if self.has_others else -1
        places_of_keys = np.array([places.get(key, other) for key in keys], dtype=np.int64)
        found = places_of_keys[codes]
        values = np.zeros((len(codes), self.width))
        values[np.flatnonzero(found >= 0), found[found >= 0]] = 1
        return values


Column = NumberColumn | CategoryColumn


def fit_column(column: pd.Series, name: Any) -> Column:
    """Learn how to read a column by its type.

    Parameters
    ----------
    column : Series
        Values of the column.
    name : object
        Name of the column.

    Raises
    ------
    TypeError, ValueError
        If the column has values of a type that no kind of columns has, or has texts.
    """
    kind = find_kind(column, name)
    if kind == "category":
        return _fit_categories(column, name)
    if kind == "date":
        seconds = to_seconds(column, name)
        first = float(np.nanmin(seconds))
        return _fit_numbers(split_dates(seconds, first), name, first)
    return _fit_numbers(to_numbers(column, name)[:, np.newaxis], name)


def _fit_numbers(values: np.ndarray, name: Any, first: float | None = None) -> NumberColumn:
    """Learn the medians of numbers."""
    medians = np.nanmedian(values, axis=0).tolist()
    return NumberColumn(name, medians, bool(np.isnan(values).any()), first)


def _fit_categories(column: pd.Series, name: Any) -> CategoryColumn:
    """Learn the frequent categories of a column."""
    codes, keys = encode_categories(column, name)
    counts = np.bincount(codes, minlength=len(keys))
    order = sorted(
        (place for place in range(len(keys)) if counts[place]),
        key=lambda place: (keys[place] is None, type(keys[place]).__name__, keys[place]),
    )
    if len(order) <= MAX_CATEGORIES:
        return CategoryColumn(name, [keys[place] for place in order], has_others=False)
    # of equally frequent ones the last, as in OneHotEncoder
    frequent = np.sort(np.argsort(counts[order], kind="stable")[1 - MAX_CATEGORIES :])
    share = counts[order][frequent].sum() / len(codes)
    if share < 0.5:
        raise ValueError(
            f"column {name!r} of X has {len(order)} different values, and the "
            f"{MAX_CATEGORIES - 1} most frequent ones are only {100 * share:.0f} % of its rows, as "
            f"in texts and ids; {REMEDY}."
        )
    return CategoryColumn(name, [keys[order[place]] for place in frequent], has_others=True)


def find_kind(column: pd.Series, name: Any) -> str:
    """Return "number", "date" or "category", by the type of the values of a column."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "date" if column.notna().any() else "category"
    is_number = pd.api.types.is_numeric_dtype(dtype) and dtype.kind != "c"  # and bools
    if is_number or pd.api.types.is_timedelta64_dtype(dtype):
        return "number" if column.notna().any() else "category"  # of which missing is one
    kinds = {type(value): value for value in column.astype(object)[column.notna()]}
    for kind, known in (
        ("category", str),
        ("number", (Real, Decimal, np.bool_, timedelta, np.timedelta64)),
        ("date", (date, np.datetime64)),
    ):
        if all(issubclass(each, known) for each in kinds):
            return kind
    shown = ", ".join(f"{value!r:.40} ({each.__name__})" for each, value in kinds.items())
    raise TypeError(
        f"column {name!r} of X has values such as {shown}, but numbers, strings or dates alone "
        f"were expected; {REMEDY}."
    )


def to_numbers(column: pd.Series, name: Any) -> np.ndarray:
    """Return a column as float64 with NaN for missing values, (n_rows,).

    Raises
    ------
    ValueError
        If a value is not a number, or is infinite.
    """
    is_nullable = isinstance(column.dtype, pd.api.extensions.ExtensionDtype)
    if is_nullable and pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(np.float64, na_value=np.nan)
    else:
        values = column.to_numpy()
    if values.dtype.kind == "m":
        values = values / np.timedelta64(1, "s")
    elif values.dtype.kind not in "biuf":
        values = _objects_to_numbers(column, name)
    values = values.astype(np.float64)
    too_large = np.abs(values) > FLOAT32_MAX
    if too_large.any():
        row = int(too_large.argmax())
        raise ValueError(
            f"column {name!r} of X has {values[row]} in row {row}, but finite numbers were "
            "expected; replace it, such as by None if it is unknown."
        )
    return values


def _objects_to_numbers(column: pd.Series, name: Any) -> np.ndarray:
    """Return objects as numbers, or raise for the first that is not one."""
    values = np.full(len(column), np.nan)
    is_missing = column.isna().to_numpy()
    for row, value in enumerate(column.astype(object)):
        if is_missing[row]:
            continue
        if isinstance(value, timedelta | np.timedelta64):
            values[row] = value / np.timedelta64(1, "s")
        elif isinstance(value, Real | Decimal | np.bool_):
            values[row] = float(value)
        else:
            raise ValueError(
                f"column {name!r} of X has {value!r:.60} in row {row}, but it has numbers in fit; "
                "convert it to a number, or to None if it is unknown."
            )
    return values


def to_seconds(column: pd.Series, name: Any) -> np.ndarray:
    """Return the dates of a column as seconds since 1970, by the clock of their time zone.

    Raises
    ------
    ValueError
        If a value is no date.
    """
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        for row, value in enumerate(column.astype(object)):
            if not isinstance(value, date | np.datetime64) and not pd.isna(value):
                raise ValueError(
                    f"column {name!r} of X has {value!r:.60} in row {row}, but it has dates in "
                    "fit; convert it, such as by pandas.to_datetime."
                )
    try:
        dates = pd.DatetimeIndex(pd.to_datetime(column))
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(
            f"column {name!r} of X has dates that pandas.to_datetime cannot convert ({error}); "
            f"{REMEDY}."
        ) from error
    return ((dates.tz_localize(None) - pd.Timestamp(0)) / pd.Timedelta(seconds=1)).to_numpy()


def split_dates(seconds: np.ndarray, first: float) -> np.ndarray:
    """Return the numbers of dates, (n_rows, DATE_PARTS)."""
    days = seconds / DAY
    hour = 2 * np.pi * (days % 1)
    weekday = 2 * np.pi * (np.floor(days) % DAYS_OF_WEEK) / DAYS_OF_WEEK
    parts = [days - first / DAY, np.sin(hour), np.cos(hour), np.sin(weekday), np.cos(weekday)]
    return np.stack(parts, axis=1)


def encode_categories(column: pd.Series, name: Any) -> tuple[np.ndarray, list[Any]]:
    """Return a code of each value, and the different values as plain ones; None is missing."""
    try:
        codes, found = pd.factorize(column.astype(object).to_numpy())
    except TypeError as error:
        raise TypeError(
            f"column {name!r} of X has values without a hash, such as lists; {REMEDY}."
        ) from error
    keys = [_as_plain(value) for value in found]
    return np.where(codes < 0, len(keys), codes), [*keys, None]


def _as_plain(value: Any) -> Any:
    """Return a category as a file can hold it, such as the str of an interval."""
    value = value.item() if isinstance(value, np.generic) else value
    return value if type(value) in PLAIN else str(value)
