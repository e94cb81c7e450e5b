"""Chunks of whole groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd


def whole_groups(chunks: Any, group_column: Any) -> Iterator[pd.DataFrame]:
    """Regroup the rows of chunks into chunks that do not split a group.

    The rows of the last group of a chunk are kept for the next chunk. The memory needed is that of
    one chunk and the longest group, for files of any length.

    Parameters
    ----------
    chunks : iterable of DataFrame
        Chunks of rows, for example the batches of a Parquet file. The rows of a group must be
        consecutive.

    group_column : str
        Name of the column with the group of each row.

    Yields
    ------
    chunk : DataFrame
        Rows of whole groups, with a new RangeIndex.

    Raises
    ------
    TypeError
        If a chunk is not a pandas DataFrame.
    ValueError
        If a chunk lacks the column or has a missing value in it, or if the rows of a group are
        not consecutive within a chunk. This is not detected across chunks: sort the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_ctxmem import whole_groups
    >>> rows = pd.DataFrame({"talk": ["a", "a", "b", "b", "b"], "text": ["1", "2", "3", "4", "5"]})
    >>> [chunk["text"].tolist() for chunk in whole_groups([rows[:3], rows[3:]], "talk")]
    [['1', '2'], ['3', '4', '5']]
    """
    if isinstance(chunks, pd.DataFrame):
        raise TypeError("chunks is a single DataFrame; pass a list of DataFrames.")
    waiting: list[pd.DataFrame] = []
    for chunk in chunks:
        _check_chunk(chunk, group_column)
        if not len(chunk):
            continue
        ids = chunk[group_column]
        codes = pd.factorize(ids)[0]
        changes = np.flatnonzero(codes[1:] != codes[:-1]) + 1
        if len(changes) > codes.max():
            raise ValueError(
                "A chunk has a group whose rows are not consecutive: it comes back in row "
                f"{_find_return(codes)}; sort the rows by {group_column!r}."
            )
        starts_group = not waiting or ids.iloc[0] != waiting[-1][group_column].iloc[-1]
        if len(changes) or starts_group:
            last = changes[-1] if len(changes) else 0
            ready = [*waiting, chunk.iloc[:last]]
            waiting = [chunk.iloc[last:]]
            if sum(map(len, ready)):
                yield pd.concat(ready, ignore_index=True)
        else:
            waiting.append(chunk)
    if waiting:
        yield pd.concat(waiting, ignore_index=True)


def _check_chunk(chunk, group_column):
    if not isinstance(chunk, pd.DataFrame):
        raise TypeError(
            f"A chunk is a {type(chunk).__name__}, but a pandas DataFrame was expected; convert "
            "it, for example with its method to_pandas()."
        )
    if group_column not in chunk.columns:
        raise ValueError(
            f"group_column={group_column!r} is not a column of a chunk, which has "
            f"{list(chunk.columns)}; give the name of one of them."
        )
    if isinstance(chunk[group_column], pd.DataFrame):
        raise ValueError(
            f"A chunk has several columns named {group_column!r}; give each its own name."
        )
    if chunk[group_column].isna().any():
        row = int(chunk[group_column].isna().argmax())
        raise ValueError(
            f"A chunk has no value of {group_column!r} in row {row}; give each row a value."
        )


def _find_return(codes):
    """Return the first row whose group occurred before another group."""
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    repeated = pd.Series(codes[starts]).duplicated().to_numpy()
    return int(starts[repeated.argmax()])
