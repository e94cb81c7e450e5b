"""Predictions for Dask DataFrames."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._messages import import_optional
from ._predictor import FramePredictor

MAX_PARTITION_ROWS = 2**40  # row number = partition number * MAX_PARTITION_ROWS + position


def predict_dask(
    clf: Any, ddf: Any, *, order_column: Any = None, columns: Any = None, probabilities: bool = True
) -> Any:
    """Predict the rows of a Dask DataFrame, for any distribution of rows over partitions.

    If the classifier uses groups, the rows of a conversation are shuffled into one partition and
    ordered by `order_column`, or else as in the frame. The predictions equal those of
    ``clf.predict(ddf.compute())``.

    Parameters
    ----------
    clf : ContextMemoryClassifier
        Fitted classifier. If it uses groups, it must have been fitted with `group_column`.

    ddf : dask.dataframe.DataFrame
        Rows with the columns that the classifier was fitted on. Other columns are ignored.

    order_column : str or None, default=None
        Column that orders the rows of a conversation, if the classifier was fitted without
        `order_column`. If None, the `order_column` of the classifier, or else the order of the
        rows in the frame.

    columns : list or None, default=None
        Columns of the frame to keep in the result. If None, all columns.

    probabilities : bool, default=True
        Whether to add a column with the probability of each class.

    Returns
    -------
    predictions : dask.dataframe.DataFrame
        The kept columns, ``prediction``, and ``probability_<class>`` for each class. Rows keep
        their index, but a shuffle moves them to other partitions. The result is lazy.

    Raises
    ------
    TypeError, ValueError
        If the classifier cannot be serialized as plain data, or the frame lacks a column or
        already has one of the new columns.
    ImportError
        If Dask is not installed.

    See Also
    --------
    predict_spark : Predictions for Spark DataFrames.
    FramePredictor : Predictions on other engines.
    """
    dask = import_optional("dask", "dask", "predict_dask")
    dataframe = import_optional("dask.dataframe", "dask", "predict_dask")
    if not isinstance(ddf, dataframe.DataFrame):
        raise TypeError(
            f"ddf is a {type(ddf).__name__}, but a dask.dataframe.DataFrame was expected; for a "
            "pandas DataFrame, call clf.predict."
        )
    predictor = FramePredictor(
        clf, order_column=order_column, columns=columns, probabilities=probabilities
    )
    meta = predictor(ddf._meta)
    rows = ddf[predictor._needed_of(ddf.columns)]
    number = None
    if predictor._group is not None:
        number = _free_name([*ddf.columns, ddf.index.name])
        meta_of_rows = rows._meta.assign(**{number: np.int64(0)})
        rows = rows.map_partitions(_number_rows, number, meta=meta_of_rows)
        rows = rows.shuffle(predictor._group)
    # delayed: one object in the graph, which workers pass to each other
    sent = dask.delayed(predictor)
    return rows.map_partitions(_predict_partition, sent, number, meta=meta)


def _free_name(present):
    """Return a column name that is not in `present`."""
    name = "row"
    while name in present:
        name += "_"
    return name


def _number_rows(rows, name, partition_info=None):
    """Add a column of row numbers, in the order of the whole frame."""
    first = partition_info["number"] * MAX_PARTITION_ROWS
    return rows.assign(**{name: np.arange(first, first + len(rows), dtype=np.int64)})


def _predict_partition(rows, predictor, number):
    """Predict the rows of a partition of whole conversations."""
    if number is not None:
        rows = rows.sort_values(number).drop(columns=number)
    return predictor(rows)
