"""Order values in the user's tables that are strings."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

ISO_DATE = r"\d{4}[-/.]\d"
UTC_OFFSET = r":.*(?:Z|[+-]\d\d:?\d\d)$"
AS_ISO = {"format": "ISO8601", "utc": True, "errors": "coerce"}


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
