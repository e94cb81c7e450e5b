"""Predictions for frames of Spark."""

from collections import Counter

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


def predict_spark(clf, sdf, *, order_column=None, columns=None, probabilities=True):
    """Predict the rows of a frame of Spark, whatever partitions a conversation is spread over.

    Rows of one conversation are brought into one partition and sorted there, unless rows stand
    alone. A task reads them in batches of Arrow and holds one batch and the longest conversation.

    Parameters
    ----------
    clf : ContextMemoryClassifier
        A fitted classifier. If rows of a conversation count for one another, it must have been
        fitted with `group_column`.

    sdf : pyspark.sql.DataFrame
        Rows of the kind that the classifier was fitted on; more columns do not matter.

    order_column : str or None, default=None
        Column that orders the rows of a conversation, where the classifier was fitted without
        one: rows of a frame of Spark have no order of their own.

    columns : list or None, default=None
        Columns of the frame to keep beside the predictions; None for all.

    probabilities : bool, default=True
        Whether to add the probabilities of the classes too.

    Returns
    -------
    predictions : pyspark.sql.DataFrame
        The columns that are kept, ``prediction``, and ``probability_<class>`` for each class.
        Nothing is computed yet.

    Raises
    ------
    TypeError, ValueError
        If the classifier cannot be sent as plain data, or the frame lacks a column or has one of
        the new ones, or if nothing orders the rows; the message says what to do.
    ImportError
        If PySpark or pyarrow is not installed.

    See Also
    --------
    predict_dask : The same on Dask.
    FramePredictor : The same on other engines.

    Notes
    -----
    Where two rows of a conversation have the same value in the column of the order, their other
    columns decide, those that the classifier reads.
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
    """Raise unless this is a frame of a session that can broadcast."""
    if "connect" in type(sdf).__module__:
        raise TypeError(
            "sdf is a frame of Spark Connect, which cannot broadcast a classifier; use a classic "
            "session, or send a FramePredictor by sdf.mapInPandas."
        )
    if not isinstance(sdf, frame_class):
        raise TypeError(
            f"sdf is a {type(sdf).__name__}, but a pyspark.sql.DataFrame was expected; for a frame "
            "of pandas, call clf.predict."
        )


def _check_names(predictor, sdf):
    """Raise if Spark could not tell columns of the result apart."""
    if sdf.sparkSession.conf.get("spark.sql.caseSensitive").lower() == "true":
        return
    counts = Counter(name.lower() for name in [*predictor._kept_of(sdf.columns), *predictor._new])
    same = sorted(name for name, count in counts.items() if count > 1)
    if same:
        raise ValueError(
            f"The result would have several columns {same} but for upper and lower case, which "
            "Spark does not tell apart; set spark.sql.caseSensitive to true, or pass columns= "
            "without them, or probabilities=False."
        )


def _check_types(predictor, sdf):
    """Raise if a group is no single value, or a class no long."""
    types = import_optional("pyspark.sql.types", "spark", "predict_spark")
    nested = (types.ArrayType, types.MapType, types.StructType)
    if predictor._group is not None and isinstance(sdf.schema[predictor._group].dataType, nested):
        raise TypeError(
            f"column {predictor._group!r} holds {sdf.schema[predictor._group].dataType.typeName()} "
            "values, where ids of groups are single ones; make a string of each."
        )
    if predictor._kind == "integer" and max(predictor._classes) >= 2**63:
        raise TypeError(
            f"classes_ holds {max(predictor._classes)}, which is more than a long of Spark holds; "
            "fit with y.astype(str)."
        )


def _quoted(name):
    """Return a name as Spark reads it, dots and all."""
    return "`" + name.replace("`", "``") + "`"


def _bring_together(rows, predictor, order_column):
    """Bring whole conversations into one partition each, sorted."""
    if order_column is None:
        raise ValueError(
            "The classifier was fitted without order_column=, and rows of a frame of Spark have no "
            "order; pass order_column= with the column that orders the rows of a conversation, or "
            "fit with it."
        )
    # what is read decides where the order does not, or the result would be another in each run
    first = [predictor._group, order_column]
    rest = [name for name in predictor._read_of(rows.columns) if name not in first]
    together = rows.repartition(_quoted(predictor._group))
    return together.sortWithinPartitions(*map(_quoted, first + rest))


def _schema(predictor, sdf):
    """Return the columns of the result and their types."""
    types = import_optional("pyspark.sql.types", "spark", "predict_spark")
    kept = [sdf.schema[name] for name in predictor._kept_of(sdf.columns)]
    kind = getattr(types, TYPES_OF_CLASSES[predictor._kind])()
    new = [types.StructField("prediction", kind)]
    new += [types.StructField(name, types.DoubleType()) for name in predictor._probabilities]
    return types.StructType(kept + new)


def _rename(batches, names):
    """Yield batches with their columns named anew."""
    pyarrow = import_optional("pyarrow", "spark", "predict_spark")
    for batch in batches:
        yield pyarrow.RecordBatch.from_arrays(batch.columns, names=names)


def _predict_batches(batches, predictor):
    """Predict the batches of Arrow of a partition, holding one and the longest conversation."""
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
    """Return what the classifier reads of a batch; other columns stay as they are."""
    names = batch.schema.names
    read = [*predictor._read_of(names), predictor._order]
    return batch.select([name for name in names if name in read]).to_pandas()


def _take_rows(waiting, n_rows):
    """Take the first rows out of a list of batches, as a table."""
    pyarrow = import_optional("pyarrow", "spark", "predict_spark")
    rows = pyarrow.Table.from_batches(waiting)
    waiting[:] = rows.slice(n_rows).to_batches()
    return rows.slice(0, n_rows)


def _add_columns(rows, predicted, predictor):
    """Return the columns of a table that are kept, and the new ones."""
    pyarrow = import_optional("pyarrow", "spark", "predict_spark")
    table = rows.select(predictor._kept_of(rows.column_names))
    for name in predictor._new:
        table = table.append_column(name, pyarrow.array(predicted[name]))
    return table
