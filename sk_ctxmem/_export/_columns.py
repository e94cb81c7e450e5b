"""Columns beside the text: their description for programs, and their numbers as a graph.

Shape letters: N rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._dense._column_kinds import DAY, DAYS_OF_WEEK, CategoryColumn
from .._dense._columns import ColumnReader
from ._graph import Graph, Value


def describe_columns(columns: Any) -> list[dict[str, Any]] | None:
    """Return the columns that a program passes, each with its categories, if it has any.

    Returns None if there are no columns, or if a transformer of the user reads them.
    """
    if not isinstance(columns, ColumnReader):
        return None
    return [
        {"name": column.name, "categories": getattr(column, "categories", None)}
        for column in columns.columns
    ]


def read_columns(graph: Graph, columns: Any) -> Value:
    """Add the input of columns, and return their numbers, (N, width).

    A category is given by its place among the categories, or by a larger number; a date by the
    seconds since 1970; a missing value by NaN.
    """
    if not isinstance(columns, ColumnReader):
        return graph.input("columns", np.float64, ["rows", columns.width])
    given = graph.input("columns", np.float64, ["rows", len(columns.columns)])
    read = [
        _read_column(graph, given.slice(place, place + 1, axis=1), column)
        for place, column in enumerate(columns.columns)
    ]
    return graph.concatenate(read, axis=1)


def _read_column(graph: Graph, value: Value, column: Any) -> Value:
    if isinstance(column, CategoryColumn):
        return _read_categories(value, column)
    numbers = value if column.first is None else _split_dates(graph, value, column.first)
    is_missing = graph.apply("IsNaN", value)
    medians = np.array(column.medians, dtype=np.float64)
    numbers = graph.where(is_missing, medians, numbers)
    if not column.has_missing:
        return numbers
    return graph.concatenate([numbers, is_missing.cast(np.float64)], axis=1)


def _read_categories(value: Value, column: CategoryColumn) -> Value:
    n_categories = len(column.categories)
    found = value.equals(np.arange(n_categories, dtype=np.float64)).cast(np.float64)
    if not column.has_others:
        return found
    others = (value > np.float64(n_categories - 0.5)).cast(np.float64)
    return value.graph.concatenate([found, others], axis=1)


def _split_dates(graph: Graph, seconds: Value, first: float) -> Value:
    """Return what `split_dates` of the classifier returns."""
    days = seconds / np.float64(DAY)
    whole = graph.apply("Floor", days)
    weeks = graph.apply("Floor", whole / np.float64(DAYS_OF_WEEK))
    weekday = whole - weeks * np.float64(DAYS_OF_WEEK)
    hour = (days - whole) * np.float64(2 * np.pi)
    day = weekday * np.float64(2 * np.pi / DAYS_OF_WEEK)
    circles = [_circle(graph, turn) for turn in (hour, day)]
    parts = [days - np.float64(first / DAY), *circles[0], *circles[1]]
    return graph.concatenate(parts, axis=1)


def _circle(graph: Graph, turn: Value) -> list[Value]:
    """Return sine and cosine, which ONNX Runtime has in single precision for all versions."""
    single = turn.cast(np.float32)
    return [graph.apply(name, single).cast(np.float64) for name in ("Sin", "Cos")]
