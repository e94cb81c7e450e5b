"""Cells of the user's tables: gaps in columns, and order values that are strings."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

ROWS_SHOWN = 5
# What str() makes of a missing value: an id of this name would join rows that have none.
MISSING_IDS = ("nan", "NaN", "NaT", "None", "<NA>")
ISO_DATE = r"\d{4}[-/.]\d"
UTC_OFFSET = r":.*(?:Z|[+-]\d\d:?\d\d)$"
AS_ISO = {"format": "ISO8601", "utc": True, "errors": "coerce"}
# Remedies that a CSV file keeps, unlike an empty string.
REMEDIES = {
    "label": "give them a class, such as 'other', or drop the rows",
    "group": "give each the id of its conversation, or one of its own, such as 'alone {row}'",
    "order": "give each its place in the group, or drop the rows",
    "speaker": "write 'unknown'",
    "split": "write train, valid or test",
}


def check_no_gaps(frame: pd.DataFrame, names: dict[str, str], source: str | Path) -> None:
    """Raise an error that names all gaps of all columns in which cells may not be empty.

    Parameters
    ----------
    frame : DataFrame
        Rows with the column names of `Corpus`.

    names : dict of str to str
        The names of these columns in the file.

    source : str or Path
        File of the rows, for the message.
    """
    gaps = {ours: _find_gaps(frame[ours], ours) for ours in names}
    found = [_describe(ours, names[ours], rows) for ours, rows in gaps.items() if len(rows)]
    if found:
        raise ValueError(f"{source} has {'; '.join(found)}.")


def _find_gaps(column: pd.Series, role: str) -> np.ndarray:
    """Return the positions of cells without a value."""
    is_gap = column.isna() | column.astype(str).str.strip().eq("")
    if role == "group":
        is_gap |= column.isin(MISSING_IDS)
    return np.flatnonzero(is_gap)


def _describe(role: str, name: str, rows: np.ndarray) -> str:
    """Return the number of gaps of a column, the first ones, and the remedy."""
    first = ", ".join(str(row + 1) for row in rows[:ROWS_SHOWN])
    more = ", ..." if len(rows) > ROWS_SHOWN else ""
    remedy = REMEDIES[role].format(row=rows[0] + 1)
    return (
        f"{len(rows)} missing value(s) in the {role} column {name!r}, the first in data row(s) "
        f"{first}{more} ({remedy})"
    )


def read_order(order: pd.Series, name: str, source: str | Path) -> pd.Series:
    """Convert strings of numbers or of ISO 8601 dates; warn of other strings.

    Parameters
    ----------
    order : Series
        Order values, none missing.

    name : str
        Column name in the file.

    source : str or Path
        File of the values, for the warning.

    Returns
    -------
    Series
        Numbers, dates in UTC, or the values as they are.
    """
    if pd.api.types.infer_dtype(order) != "string":
        return order
    texts = order.str.strip()
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.notna().all():
        return numbers
    dates = pd.to_datetime(texts.where(texts.str.match(ISO_DATE)), **AS_ISO)
    if dates.notna().all() and texts.str.contains(UTC_OFFSET).nunique() == 1:
        return dates.dt.tz_localize(None)
    row = int(np.argmax(dates.isna() & numbers.isna()))
    warnings.warn(
        f"{source} has strings in the order column {name!r}, such as {texts[row]!r} in data row "
        f"{row + 1}, which are sorted alphabetically: '10' before '9', and '05/01/2026' before "
        "'31/12/2025'; write numbers, or dates such as 2026-01-05 10:00.",
        stacklevel=2,
    )
    return order
