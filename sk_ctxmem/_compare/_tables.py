"""Tables from the user's files, as they are written there."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from .._messages import import_optional

SEPARATORS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (*SEPARATORS, ".parquet")
OTHER_SEPARATORS = (";", "\t", "|", ",")
ROWS_SHOWN = 5
# What str() makes of a missing value: an id of this name would join rows that have none.
MISSING_IDS = ("nan", "NaN", "NaT", "None", "<NA>")
# Remedies that a CSV file keeps, unlike an empty string.
REMEDIES = {
    "label": "give them a class, such as 'other', or drop the rows",
    "group": "give each the id of its conversation, or one of its own, such as 'alone {row}'",
    "order": "give each its place in the group, or drop the rows",
    "speaker": "write 'unknown'",
    "split": "write train, valid or test",
}


def read_table(path: Path, names: Iterable[str]) -> pd.DataFrame:
    """Read a file; texts such as "NA", "null" and "007" in CSV and TSV stay unchanged.

    Parameters
    ----------
    path : Path
        File with one of the `SUFFIXES`, in UTF-8.

    names : iterable of str
        Columns of texts and ids, which are read as they are written.

    Returns
    -------
    table : DataFrame
        All columns of the file. Empty cells are NaN.

    Raises
    ------
    ValueError
        If the file is not in UTF-8, or a row has more cells than the header.
    """
    if path.suffix.lower() == ".parquet":
        import_optional("pyarrow", "arrow", "reading Parquet files")
        return pd.read_parquet(path)
    try:
        return _read_csv(path, dict.fromkeys(names, str))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not written in UTF-8 ({error}); save it as CSV UTF-8, or convert it, for "
            f"example with: iconv -f cp1252 -t utf-8 {path.name} (utf-16 in the place of cp1252 "
            "if bytes 0xff and 0xfe come first)."
        ) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError) as error:
        is_warning = isinstance(error, pd.errors.ParserWarning)
        reason = "rows have more cells than the header" if is_warning else str(error).strip()
        raise ValueError(
            f"{path} cannot be read as a table: {reason}. Texts with a separator, a quotation mark "
            "or a line break in them need quotation marks around them, as "
            "pandas.DataFrame.to_csv writes them."
        ) from error


def _read_csv(path: Path, dtypes: dict[str, type]) -> pd.DataFrame:
    """Read a CSV file; raise ParserWarning if cells would be lost."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path,
            sep=_find_separator(path),
            dtype=dtypes,
            index_col=False,  # else pandas takes the first column for an index if rows are longer
            keep_default_na=False,
            na_values=[""],
            low_memory=False,
        )


def _find_separator(path: Path) -> str:
    """Return the separator of the ending, or the one that the header has instead."""
    usual = SEPARATORS[path.suffix.lower()]
    with path.open(encoding="utf-8", errors="replace") as file:
        header = file.readline()
    return usual if usual in header else max(OTHER_SEPARATORS, key=header.count)


def check_no_gaps(frame: pd.DataFrame, names: Mapping[str, str], source: str | Path) -> None:
    """Raise an error that names all gaps of all columns in which cells may not be empty.

    Parameters
    ----------
    frame : DataFrame
        Rows whose columns are named label, group, order, speaker or split.

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


def take_whole_groups(frame: pd.DataFrame, n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Draw whole groups at random until there are enough rows, which keep their order.

    Parameters
    ----------
    frame : DataFrame
        The rows. Without a column group, each row is its own.

    n_rows : int
        Number of rows, which is rounded up to whole groups.

    seed : int, default=0
        Seed of the drawing.

    Returns
    -------
    frame : DataFrame
        Rows of the groups that were drawn.
    """
    keys = pd.factorize(frame["group"])[0] if "group" in frame else np.arange(len(frame))
    groups, sizes = np.unique(keys, return_counts=True)
    drawn = np.random.default_rng(seed).permutation(len(groups))
    rows_before = np.cumsum(sizes[drawn]) - sizes[drawn]
    return frame[np.isin(keys, groups[drawn[rows_before < n_rows]])]
