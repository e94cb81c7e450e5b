"""Rows in chunks that cut no group."""

import numpy as np
import pandas as pd


def whole_groups(chunks, group_column):
    """Yield the rows of chunks in chunks that cut no group.

    The rows of the last group of a chunk wait for the next one. So a file of any length is read
    in the memory of one chunk and the longest group.

    Parameters
    ----------
    chunks : iterable of DataFrame
        Rows, those of a group one after another, such as the batches of a Parquet file.

    group_column : str
        Column that says which group a row belongs to.

    Yields
    ------
    chunk : DataFrame
        Whole groups, with an index from 0.

    Raises
    ------
    TypeError
        If a chunk is no DataFrame of pandas.
    ValueError
        If a chunk lacks the column, or a value in it, or has a group that comes back after
        another one. One that comes back in a later chunk is not seen: sort the rows.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_ctxmem import whole_groups
    >>> rows = pd.DataFrame({"talk": ["a", "a", "b", "b", "b"], "text": ["1", "2", "3", "4", "5"]})
    >>> [chunk["text"].tolist() for chunk in whole_groups([rows[:3], rows[3:]], "talk")]
    [['1', '2'], ['3', '4', '5']]
    """
    if isinstance(chunks, pd.DataFrame):
        raise TypeError("chunks is one DataFrame; pass a list of it, or its parts.")
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
                f"A chunk has groups that come back after others, first in row "
                f"{_find_return(codes)}; sort the rows by {group_column!r}."
            )
        starts_anew = not waiting or ids.iloc[0] != waiting[-1][group_column].iloc[-1]
        if len(changes) or starts_anew:
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
            f"A chunk is a {type(chunk).__name__}, where a DataFrame of pandas was expected; "
            "convert it, such as by its method to_pandas()."
        )
    if group_column not in chunk.columns:
        raise ValueError(
            f"group_column={group_column!r} is not a column of a chunk, which has "
            f"{list(chunk.columns)}; give the name of one of them."
        )
    if isinstance(chunk[group_column], pd.DataFrame):
        raise ValueError(f"A chunk has several columns {group_column!r}; give each its own name.")
    if chunk[group_column].isna().any():
        row = int(chunk[group_column].isna().argmax())
        raise ValueError(f"A chunk has no {group_column!r} in row {row}; give each row one.")


def _find_return(codes):
    """Return the first row of a group that was there before another one."""
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]])
    repeated = pd.Series(codes[starts]).duplicated().to_numpy()
    return int(starts[repeated.argmax()])
