"""Predictions for Spark DataFrames."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .._messages import import_optional
from .._model._fitted_model import fitted_model
from .._rows._whole_groups import whole_groups
from ._predictor import FramePredictor

TYPES_OF_CLASSES = {
    "string": "StringType",
    "integer": "LongType",
    "boolean": "BooleanType",
    "floating": "DoubleType",
}


def predict_spark(
    clf: Any, sdf: Any, *, order_column: Any = None, columns: Any = None, probabilities: bool = True
) -> Any:
    """Predict the rows of a Spark DataFrame, for any distribution of rows over partitions.

    If the classifier uses groups, the rows of a conversation are moved to one partition and
    sorted. A task reads Arrow batches; it has one batch and the longest conversation in memory.

    Parameters
    ----------
    clf : ContextMemoryClassifier
        Fitted classifier. If it uses groups, it must have been fitted with `group_column`.

    sdf : pyspark.sql.DataFrame
        Rows with the columns that the classifier was fitted on. Other columns are ignored.

    order_column : str or None, default=None
        Column that orders the rows of a conversation. Required if the classifier was fitted
        without `order_column`, because the rows of a Spark DataFrame have no order.

    columns : list or None, default=None
        Columns of the frame to keep in the result. If None, all columns.

    probabilities : bool, default=True
        Whether to add a column with the probability of each class.

    Returns
    -------
    predictions : pyspark.sql.DataFrame
        The kept columns, ``prediction``, and ``probability_<class>`` for each class. With several
        labels for each row, ``prediction_<label>`` is 0 or 1 for each label. The result is lazy.

    Raises
    ------
    TypeError, ValueError
        If the classifier cannot be serialized as plain data, the frame lacks a column or already
        has one of the new columns, or no column orders the rows.
    ImportError
        If PySpark or pyarrow is not installed.

    See Also
    --------
    predict_dask : Predictions for Dask DataFrames.
    FramePredictor : Predictions on other engines.

    Notes
    -----
    Rows of a conversation with the same value of the order column are sorted by the other columns
    that the classifier reads.
    """
    _check_frame(sdf, import_optional("pyspark.sql", "spark", "predict_spark").DataFrame)
    import_optional("pyarrow", "spark", "predict_spark")
    predictor = FramePredictor(
        clf, order_column=order_column, columns=columns, probabilities=probabilities
    )
    predictor._check_columns(sdf.columns)
    _check_names(predictor, sdf)
    _check_types(predictor, sdf)
    rows = sdf.select(*map(_quoted, predictor._needed_of(sdf.columns)))
    if predictor._group is not None:
        rows = _bring_together(rows, predictor, order_column or fitted_model(clf).columns["order"])
    sent = sdf.sparkSession.sparkContext.broadcast(predictor)
    names = rows.columns

    def predict(batches):
        return _predict_batches(_rename(batches, names), sent.value)

    # mapInArrow does not find columns with dots in their names
    rows = rows.toDF(*(f"column_{number}" for number in range(len(names))))
    return rows.mapInArrow(predict, _schema(predictor, sdf))


def _check_frame(sdf, frame_class):
    """Raise unless `sdf` is a Spark DataFrame of a session that can broadcast."""
    if "connect" in type(sdf).__module__:
        raise TypeError(
            "sdf is a Spark Connect DataFrame, which cannot broadcast a classifier; use a classic "
            "session, or call sdf.mapInPandas with a FramePredictor."
        )
    if not isinstance(sdf, frame_class):
        raise TypeError(
            f"sdf is a {type(sdf).__name__}, but a pyspark.sql.DataFrame was expected; for a "
            "pandas DataFrame, call clf.predict."
        )


def _check_names(predictor, sdf):
    """Raise if column names of the result differ only in case, which Spark ignores."""
    if sdf.sparkSession.conf.get("spark.sql.caseSensitive").lower() == "true":
        return
    counts = Counter(name.lower() for name in [*predictor._kept_of(sdf.columns), *predictor._new])
    same = sorted(name for name, count in counts.items() if count > 1)
    if same:
        raise ValueError(
            f"The result would have several columns {same} that differ only in case, which Spark "
            "ignores; set spark.sql.caseSensitive to true, or pass columns= without them, or "
            "probabilities=False."
        )


def _check_types(predictor, sdf):
    """Raise if groups have a nested type, or a class is too large for a Spark long."""
    types = import_optional("pyspark.sql.types", "spark", "predict_spark")
    nested = (types.ArrayType, types.MapType, types.StructType)
    if predictor._group is not None and isinstance(sdf.schema[predictor._group].dataType, nested):
        raise TypeError(
            f"column {predictor._group!r} holds {sdf.schema[predictor._group].dataType.typeName()} "
            "values, but group ids must be scalars; convert them to strings."
        )
    if predictor._kind == "integer" and max(predictor._classes) >= 2**63:
        raise TypeError(
            f"classes_ contains {max(predictor._classes)}, which is too large for a Spark long; "
            "fit with y.astype(str)."
        )


def _quoted(name):
    """Quote a column name for Spark."""
    return "`" + name.replace("`", "``") + "`"


def _bring_together(rows, predictor, order_column):
    """Move the rows of each conversation to one partition and sort them."""
    if order_column is None:
        raise ValueError(
            "The classifier was fitted without order_column=, and the rows of a Spark DataFrame "
            "have no order; pass order_column= with the column that orders the rows of a "
            "conversation, or fit with it."
        )
    # ties are sorted by the other columns that are read, so that the result is deterministic
    first = [predictor._group, order_column]
    rest = [name for name in predictor._read_of(rows.columns) if name not in first]
    together = rows.repartition(_quoted(predictor._group))
    return together.sortWithinPartitions(*map(_quoted, first + rest))


def _schema(predictor, sdf):
    """Return the schema of the result."""
    types = import_optional("pyspark.sql.types", "spark", "predict_spark")
    kept = [sdf.schema[name] for name in predictor._kept_of(sdf.columns)]
    several = len(predictor._predictions) > 1  # of 0 and 1 for each label
    kind = getattr(types, TYPES_OF_CLASSES["integer" if several else predictor._kind])()
    new = [types.StructField(name, kind) for name in predictor._predictions]
    new += [types.StructField(name, types.DoubleType()) for name in predictor._probabilities]
    return types.StructType(kept + new)


def _rename(batches, names):
    """Yield batches with renamed columns."""
    pyarrow = import_optional("pyarrow", "spark", "predict_spark")
    for batch in batches:
        yield pyarrow.RecordBatch.from_arrays(batch.columns, names=names)


def _predict_batches(batches, predictor):
    """Predict the Arrow batches of a partition; keep one and the longest conversation."""
    waiting = []

    def frames():
        for batch in batches:
            waiting.append(batch)
            yield _to_frame(batch, predictor)

    groups = predictor._group
    for frame in frames() if groups is None else whole_groups(frames(), groups):
        if len(frame):
            rows = _take_rows(waiting, len(frame))
            yield from _add_columns(rows, predictor._predict(frame), predictor).to_batches()


def _to_frame(batch, predictor):
    """Convert the columns of a batch that the classifier reads to pandas."""
    names = batch.schema.names
    read = [*predictor._read_of(names), predictor._order]
    return batch.select([name for name in names if name in read]).to_pandas()


def _take_rows(waiting, n_rows):
    """Remove the first rows from a list of batches and return them as a table."""
    pyarrow = import_optional("pyarrow", "spark", "predict_spark")
    rows = pyarrow.Table.from_batches(waiting)
    waiting[:] = rows.slice(n_rows).to_batches()
    return rows.slice(0, n_rows)


def _add_columns(rows, predicted, predictor):
    """Return the kept columns of a table and the new columns."""
    pyarrow = import_optional("pyarrow", "spark", "predict_spark")
    table = rows.select(predictor._kept_of(rows.column_names))
    for name in predictor._new:
        table = table.append_column(name, pyarrow.array(predicted[name]))
    return table
