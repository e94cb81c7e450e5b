"""Predictions for frames of Dask."""

import numpy as np

from .._messages import import_optional
from ._predictor import FramePredictor

ROWS_OF_A_PARTITION = 2**40  # more than any has: the number of a row starts with its partition


def predict_dask(clf, ddf, *, order_column=None, columns=None, probabilities=True):
    """Predict the rows of a frame of Dask, whatever partitions a conversation is spread over.

    Rows of one conversation are brought into one partition by a shuffle, unless rows stand alone.
    They come in the order of the frame, or of the classifier's `order_column`. So each row gets
    what ``clf.predict(ddf.compute())`` says of it.

    Parameters
    ----------
    clf : ContextMemoryClassifier
        A fitted classifier. If rows of a conversation count for one another, it must have been
        fitted with `group_column`.

    ddf : dask.dataframe.DataFrame
        Rows of the kind that the classifier was fitted on; more columns do not matter.

    order_column : str or None, default=None
        Column that orders the rows of a conversation, where the classifier was fitted without
        one. None for its own, or else for their order in the frame.

    columns : list or None, default=None
        Columns of the frame to keep beside the predictions; None for all.

    probabilities : bool, default=True
        Whether to add the probabilities of the classes too.

    Returns
    -------
    predictions : dask.dataframe.DataFrame
        The columns that are kept, ``prediction``, and ``probability_<class>`` for each class.
        Rows keep their index, but after a shuffle they stand in other partitions. Nothing is
        computed yet.

    Raises
    ------
    TypeError, ValueError
        If the classifier cannot be sent as plain data, or the frame lacks a column or has one of
        the new ones; the message says what to do.
    ImportError
        If Dask is not installed.

    See Also
    --------
    predict_spark : The same on Spark.
    FramePredictor : The same on other engines.
    """
    dask = import_optional("dask", "dask", "predict_dask")
    dataframe = import_optional("dask.dataframe", "dask", "predict_dask")
    if not isinstance(ddf, dataframe.DataFrame):
        raise TypeError(
            f"ddf is a {type(ddf).__name__}, but a dask.dataframe.DataFrame was expected; for a "
            "frame of pandas, call clf.predict."
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
    # one object in the graph, which workers hand on to one another
    sent = dask.delayed(predictor)
    return rows.map_partitions(_predict_partition, sent, number, meta=meta)


def _free_name(present):
    """Return the name of a column that is none of these."""
    name = "row"
    while name in present:
        name += "_"
    return name


def _number_rows(rows, name, partition_info=None):
    """Add a column of numbers that sort the rows as the whole frame does."""
    first = partition_info["number"] * ROWS_OF_A_PARTITION
    return rows.assign(**{name: np.arange(first, first + len(rows), dtype=np.int64)})


def _predict_partition(rows, predictor, number):
    """Predict the rows of a partition, which holds whole conversations."""
    if number is not None:
        rows = rows.sort_values(number).drop(columns=number)
    return predictor(rows)
