"""Tables from the user's files, as they are written there."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

SEPARATORS = {".csv": ",", ".tsv": "\t"}
SUFFIXES = (*SEPARATORS, ".parquet")
OTHER_SEPARATORS = (";", "\t", "|", ",")


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
    DataFrame
        All columns of the file. Empty cells are NaN.

    Raises
    ------
    ValueError
        If the file is not in UTF-8, or a row has more cells than the header.
    """
    if path.suffix.lower() == ".parquet":
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
