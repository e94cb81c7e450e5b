"""Sequences of a frame of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._input._arrays import check_hashable
from .._input._frames import (
    as_table,
    column_names,
    is_frame,
    rank_categories,
    role_values,
    take_rows,
)
from .._input._order import read_order
from .._input._rows import check_row_ids
from .._messages import doc_link
from ._arrange import rank


def to_sequences(
    frame: Any, group_column: Any, order_column: Any = None
) -> tuple[list[Any], np.ndarray]:
    """Cut a frame of rows into one frame for each group.

    Use it to classify whole conversations or series: their rows become the X of a classifier, in
    which each frame is one sample, and the keys find the label of each.

    Parameters
    ----------
    frame : DataFrame
        The rows, as a frame of any library that the classifier reads.

    group_column : str
        Name of the column with the group of each row. The rows of a group need not be adjacent.

    order_column : str, default=None
        Name of the column that sorts the rows of each group: numbers, dates or ordered categories;
        strings are read as the `order_column` of :class:`ContextMemoryClassifier` is. If None,
        they stay in the order of `frame`.

    Returns
    -------
    sequences : list of DataFrame
        The rows of each group in their order, without both columns, in the order in which the
        groups first appear. Frames of pandas, polars and pyarrow stay frames of their library;
        others become those of pandas.

    keys : ndarray of shape (n_sequences,)
        The group of each sequence.

    Raises
    ------
    TypeError
        If `frame` is no frame, or a group or place in the order is of an unsuitable type.
    ValueError
        If `frame` lacks a column, has no other one, or has a missing group or place.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_ctxmem import to_sequences
    >>> rows = pd.DataFrame({
    ...     "call": ["b", "a", "b"], "turn": [2, 1, 1], "text": ["yes", "hello", "is it lost?"]
    ... })
    >>> X, keys = to_sequences(rows, "call", "turn")
    >>> [sequence["text"].tolist() for sequence in X]
    [['is it lost?', 'yes'], ['hello']]
    >>> solved = pd.Series({"a": False, "b": True})
    >>> solved[keys].tolist()
    [True, False]
    """
    table = as_table(frame, "frame")
    rest = _other_columns(table, group_column, order_column)
    ids = check_row_ids(role_values(table, group_column), len(table), f"column {group_column!r}")
    check_hashable(ids, f"column {group_column!r}")
    codes, keys = pd.factorize(ids)
    order = np.zeros(len(table)) if order_column is None else _read_places(table, order_column)
    rows = take_rows(table[rest], np.lexsort((order, codes)))
    lengths = np.bincount(codes, minlength=len(keys))
    ends = np.cumsum(lengths)
    cuts = zip((ends - lengths).tolist(), ends.tolist(), strict=True)
    return [rows[start:end] for start, end in cuts], keys


def _other_columns(table, group_column, order_column):
    """Return the columns of a frame without a role; raise if one is missing or there are none."""
    if not is_frame(table):
        raise TypeError(
            f"frame is a {type(table).__name__}, but a DataFrame of rows was expected; pass "
            "sequences that are lists or arrays to the classifier as they are."
            + doc_link("kinds-of-input")
        )
    present = column_names(table)
    roles = {"group_column": group_column, "order_column": order_column}
    for parameter, name in roles.items():
        if name not in present and (name is not None or parameter == "group_column"):
            raise ValueError(
                f"{parameter}={name!r} is not a column of frame, which has {present}; give the "
                "name of one of them." + doc_link("columns")
            )
    rest = [name for name in present if name not in roles.values()]
    if not rest:
        raise ValueError(
            f"frame has the columns {present} alone, all of which have a role; add a column of "
            "texts or features." + doc_link("columns")
        )
    return rest


def _read_places(table, name):
    """Return the rank of the order value of each row."""
    values = rank_categories(table[name], role_values(table, name))
    values = check_row_ids(values, len(table), f"column {name!r}")
    return rank(read_order(values, f"column {name!r}"))
