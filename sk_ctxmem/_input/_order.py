"""Order values that are strings: numbers and ISO 8601 dates are converted, others may be wrong."""

import re
from decimal import Decimal

import numpy as np
import pandas as pd

from .._messages import doc_link, warn_caller

# "05.01" is not a number, as it may be a date.
NUMBER = re.compile(r"[+-]?(\d+|(0|[1-9]\d*)\.\d*|\.\d+)(e[+-]?\d{1,6})?", re.IGNORECASE)
# Fractions of "1.9" and "1.10", which are rather two numbers with a point between them.
SECTION = re.compile(r".*\.\d*[1-9]0+")
ISO_DATE = re.compile(
    r"\d{4}([-/.])\d\d?(\1\d\d?([T ]\d[\d:.,]* ?(Z|UTC|GMT|[+-]\d\d(:?\d\d)?)?)?)?", re.IGNORECASE
)
NAMES_OF_DAYS = (
    "jan(uary)? feb(ruary)? mar(ch)? apr(il)? may june? july? aug(ust)? sept?(ember)? oct(ober)? "
    "nov(ember)? dec(ember)? mon(day)? tue(sday)? wed(nesday)? thu(rsday)? fri(day)? sat(urday)? "
    "sun(day)?"
)
# Day or month first, names of months or days, 12 hours: the alphabet does not sort these by time.
OTHER_DATE = re.compile(
    r"^\d\d?([-/.])\d\d?\1(\d\d)?(\s|$)|\d.*[-/., ](19|20)\d\d(?!\d)|\d\s*[ap]\.?m\b|[上下]午"
    rf"|\b({NAMES_OF_DAYS.replace(' ', '|')})\b",
    re.IGNORECASE,
)


def read_order(values, name):
    """Convert strings of numbers or of ISO 8601 dates; other order values are unchanged.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Order values, none of them None, NaN, NaT or NA.
    name : str
        Name of the column for messages.

    Returns
    -------
    values : ndarray of shape (n_rows,)
        Order values that can be sorted.

    Raises
    ------
    ValueError
        If a string is empty.

    Warns
    -----
    UserWarning
        If other strings contain numbers or dates that are not sorted as such.
    """
    texts = _as_texts(values)
    if texts is None:
        return values
    _refuse_blanks(texts, name)
    kinds = [_kind_of(text) for text in texts]
    if set(kinds) == {"number"} and not _are_sections(texts):
        return np.array(list(map(Decimal, texts)), dtype=object)  # exact, unlike floats
    dates = _read_dates(texts) if set(kinds) in ({"date"}, {"date with an offset"}) else None
    if dates is None:
        _warn_of_doubt(texts, kinds, name)
    return values if dates is None else dates


def _as_texts(values):
    """Return the values as str without outer spaces if all are str, or all are bytes; else None."""
    if values.dtype.kind not in "OSTU":
        return None
    texts = values.tolist()
    if all(isinstance(text, str) for text in texts):
        return [text.strip() for text in texts]
    if all(isinstance(text, bytes) for text in texts):
        return [text.decode("latin-1") for text in texts]
    return None


def _refuse_blanks(texts, name):
    """Raise if a string is empty, as a gap of a CSV file with keep_default_na=False is."""
    if "" in texts:
        raise ValueError(
            f"{name} has no value in {texts.count('')} of {len(texts)} rows, the first in row "
            f"{texts.index('')}; give each row its place in the group, or drop these rows."
            + doc_link("order")
        )


def _kind_of(text):
    """Return what a string looks like."""
    if NUMBER.fullmatch(text):
        return "number"
    if date := ISO_DATE.fullmatch(text):
        return "date with an offset" if date[4] else "date"
    return "other date" if OTHER_DATE.search(text) else "text"


def _are_sections(texts):
    """Return whether numbers with a point may be those of sections, in which 1.10 follows 1.9."""
    n_digits = {len(text.partition(".")[2]) for text in texts if "." in text}
    return len(n_digits) > 1 and any(map(SECTION.fullmatch, texts))


def _read_dates(texts):
    """Return ISO 8601 dates as datetime64, in UTC if they have an offset; None if one is wrong."""
    texts = [re.sub("UTC|GMT", "Z", text.upper()).replace(",", ".") for text in texts]
    try:
        dates = pd.to_datetime(pd.Series(texts), format="ISO8601", utc=True)
    except ValueError:
        return None
    return dates.dt.tz_localize(None).to_numpy()


def _warn_of_doubt(texts, kinds, name):
    """Warn if strings contain numbers or dates, which the alphabet may put in a wrong order."""
    unread = [row for row, kind in enumerate(kinds) if kind in ("other date", "text")]
    unlike = [row for row, kind in enumerate(kinds) if kind != kinds[0]]
    row = [*unread, *unlike, 0][0]
    is_padded = len(set(map(len, texts))) == 1 or not any(re.search(r"\d", text) for text in texts)
    if set(kinds) == {"text"} and is_padded:
        return
    warn_caller(
        f"{name} contains strings such as {texts[row]!r} in row {row}, which are not all numbers, "
        "nor all ISO 8601 dates. They are sorted alphabetically: '10' before '9', and '05/01/2026' "
        "before '31/12/2025'. Convert the column with pandas.to_numeric or pandas.to_datetime, or "
        "pad numbers with zeros." + doc_link("order"),
        UserWarning,
    )
