"""Columns beside the text as numbers: by their types, or by a transformer of the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone

from .._input._arrays import FLOAT32_MAX
from .._input._feature_columns import REST
from .._messages import warn_caller
from ._column_kinds import CategoryColumn, Column, NumberColumn, fit_column

LEAK_ROWS = 20  # of fewer rows, a column may tell the classes by chance


@dataclass(frozen=True)
class ColumnReader:
    """Reads each column by its type.

    Parameters
    ----------
    columns : tuple of NumberColumn or CategoryColumn
        How to read each column.
    """

    columns: tuple[Column, ...]

    @property
    def names(self) -> list[Any]:
        """Names of the columns."""
        return [column.name for column in self.columns]

    @property
    def width(self) -> int:
        """Number of numbers of a row."""
        return sum(column.width for column in self.columns)

    @property
    def owners(self) -> list[str]:
        """The column that each number comes from."""
        return [str(column.name) for column in self.columns for _ in range(column.width)]

    def read(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the numbers of the columns, (n_rows, width)."""
        return np.concatenate([c.read(frame[c.name]) for c in self.columns], axis=1)

    def example(self) -> pd.DataFrame:
        """Return a row that can be read."""
        return pd.DataFrame([[None] * len(self.columns)], columns=self.names)

    def to_plain(self) -> list[dict[str, Any]]:
        """Return what was learned as plain values."""
        return [vars(column) for column in self.columns]


@dataclass(frozen=True)
class TransformerReader:
    """Reads columns by a fitted transformer of the user.

    Parameters
    ----------
    transformer : transformer
        Fitted transformer.
    names : list
        Names of the columns.
    width : int
        Number of columns that it returns.
    """

    transformer: Any
    names: list[Any]
    width: int

    @property
    def owners(self) -> list[str]:
        """The name of each number."""
        try:
            found = list(map(str, self.transformer.get_feature_names_out()))
        except Exception:  # of any library
            found = []
        if len(found) != self.width:
            found = [f"feature{number}" for number in range(self.width)]
        return found

    def read(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the numbers of the columns, (n_rows, width)."""
        values = as_dense(self.transformer.transform(frame), len(frame), self.transformer)
        if values.shape[1] != self.width:
            raise ValueError(
                f"feature_transformer={self.transformer!r:.100} returned {values.shape[1]} "
                f"columns, but {self.width} in fit; return the same columns for any rows."
            )
        return values

    def example(self) -> pd.DataFrame:
        """Return a row of zeros."""
        return pd.DataFrame(np.zeros((1, len(self.names))), columns=self.names)

    def to_plain(self) -> dict[str, Any]:
        """Return the parts by name."""
        return dict(vars(self))


def check_transformer(transformer: Any, feature_columns: Any) -> None:
    """Raise unless the parameter `feature_transformer` is valid."""
    if transformer is None:
        return
    name = f"feature_transformer={transformer!r:.100}"
    has_methods = all(hasattr(transformer, method) for method in ("fit", "transform"))
    if isinstance(transformer, type) or not has_methods:
        raise TypeError(
            f"{name} must be a transformer, such as the result of make_column_transformer, or None."
        )
    if feature_columns is None:
        raise ValueError(
            f"{name} needs feature_columns, the columns to transform, but it is None; name them, "
            "or pass 'rest'."
        )


def fit_columns(frame: pd.DataFrame, labels: np.ndarray, params: Any) -> Any:
    """Learn how to read the columns beside the texts of a fit.

    Parameters
    ----------
    frame : DataFrame of n_rows
        The columns.
    labels : ndarray of shape (n_rows,)
        Class label of each row.
    params : SimpleNamespace
        Parameters of the classifier.

    Returns
    -------
    reader : ColumnReader or TransformerReader
        Reads the columns.
    values : ndarray of shape (n_rows, width)
        Their numbers.
    """
    _look_for_target(frame, labels, params.feature_columns)
    if params.feature_transformer is None:
        reader = ColumnReader(tuple(fit_column(frame[name], name) for name in frame))
        return reader, reader.read(frame)
    transformer = clone(params.feature_transformer)
    if hasattr(transformer, "fit_transform"):
        output = transformer.fit_transform(frame, labels)
    else:
        output = transformer.fit(frame, labels).transform(frame)
    values = as_dense(output, len(frame), transformer)
    return TransformerReader(transformer, list(frame), values.shape[1]), values


def from_plain(plain: Any) -> Any:
    """Return the reader of the result of `to_plain`.

    Raises
    ------
    TypeError, ValueError
        If it is not such a result.
    """
    if isinstance(plain, dict):
        return TransformerReader(**plain)
    columns: list[Column] = []
    for parts in plain:
        kind = NumberColumn if "medians" in parts else CategoryColumn
        columns.append(kind(**parts))
    reader = ColumnReader(tuple(columns))
    if not np.isfinite(reader.read(reader.example())).all():  # raises for values of other types
        raise ValueError("columns have medians that are not finite")
    return reader


def as_dense(output: Any, n_rows: int, transformer: Any) -> np.ndarray:
    """Return the output of a transformer as an array of finite numbers, (n_rows, width).

    Raises
    ------
    TypeError, ValueError
        If it is anything else.
    """
    name = f"feature_transformer={transformer!r:.100}"
    dense = output.toarray() if sparse.issparse(output) else output
    try:
        values = np.asarray(dense, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} returned values that are not numbers ({error}); convert them too, such as by "
            "a OneHotEncoder."
        ) from error
    if values.ndim != 2 or len(values) != n_rows or not values.shape[1]:
        raise ValueError(
            f"{name} returned an array of shape {values.shape} for {n_rows} rows; return one row "
            "of numbers for each."
        )
    is_bad = ~(np.abs(values) <= FLOAT32_MAX)
    if is_bad.any():
        row, column = np.argwhere(is_bad)[0]
        raise ValueError(
            f"{name} returned {values[row, column]} in row {row}, column {column}, but finite "
            "numbers were expected; add a SimpleImputer to it, or replace the value in X."
        )
    return values


def _look_for_target(frame: pd.DataFrame, labels: np.ndarray, feature_columns: Any) -> None:
    """Raise or warn if a column tells the class of each row: it may be the target itself."""
    each = [labels] if labels.ndim == 1 else list(labels.T)
    each = [of_one for of_one in each if (of_one[1:] != of_one[0]).any()]
    if len(labels) < LEAK_ROWS or not each:
        return
    names = [name for name in frame if any(_is_one_to_one(frame[name], of) for of in each)]
    if not names:
        return
    shown = ", ".join(map(repr, names))
    if isinstance(feature_columns, str) and feature_columns == REST:
        raise ValueError(
            f"feature_columns='rest' would read {shown}, which stands one to one with y, as the "
            "target does that a frame carries along; drop it from X, or name the columns to read."
        )
    warn_caller(
        f"feature_columns has {shown}, which stands one to one with y, and tells the class of each "
        "row without its text; if it is the target, leave it out.",
        UserWarning,
    )


def _is_one_to_one(column: pd.Series, labels: np.ndarray) -> bool:
    """Return whether each value of a column stands for one class, and each class for one value."""
    try:
        values = pd.factorize(column.astype(object), use_na_sentinel=False)[0]
    except TypeError:  # values without a hash
        return False
    classes = pd.factorize(labels)[0]
    n_values, n_classes = values.max() + 1, classes.max() + 1
    return n_values == n_classes == len(set(zip(values.tolist(), classes.tolist(), strict=True)))
