"""Tests of predictions for frames of Spark, in a session of two cores."""

import decimal
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations
from sk_ctxmem.distributed import predict_spark

sql = pytest.importorskip("pyspark.sql")
types = pytest.importorskip("pyspark.sql.types")

pytestmark = [
    pytest.mark.skipif(
        not (shutil.which("java") or os.environ.get("JAVA_HOME")),
        reason="Spark needs Java, and neither java nor JAVA_HOME is here",
    ),
    # PySpark 4.3 says so of each frame that comes from pandas or goes there.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    # What toPandas of PySpark 4.3 passes to pandas 3.
    pytest.mark.filterwarnings("ignore:The copy keyword is deprecated:DeprecationWarning"),
]
TALKS = make_conversations(60, random_state=0)
ROWS = TALKS.data.assign(number=range(len(TALKS.data))).sample(frac=1, random_state=0)
ROLES = {"text_column": "text", "group_column": "group", "order_column": "order"}


def _fit(X=TALKS.data, y=TALKS.target, **parameters):
    settings = {"max_epochs": 1, "hidden_size": 8, "random_state": 0} | parameters
    return ContextMemoryClassifier(**settings).fit(X, y)


@pytest.fixture(scope="module")
def clf():
    """Return a classifier of conversations with an order and speakers."""
    return _fit(**ROLES, speaker_column="speaker")


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """Start a session with two cores, and end it and its Java."""
    folder = str(tmp_path_factory.mktemp("spark"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))  # of what is tested here
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        for name in ("spark.local.dir", "spark.sql.warehouse.dir"):
            builder = builder.config(name, folder)
        session = builder.config("spark.sql.shuffle.partitions", "4").getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        yield session
        _end(session)


def _end(session):
    """End a session and the process of Java, which would run until Python ends."""
    context = type(session.sparkContext)
    gateway = context._gateway
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()
    context._gateway = context._jvm = None


def _check_equal(predictions, clf, frame):
    """Check predictions against those of the classifier, row by row by the column number."""
    found = predictions.toPandas().sort_values("number")
    wanted = clf.predict_proba(frame)[np.argsort(frame["number"])]
    probabilities = found.filter(like="probability_").to_numpy()
    assert probabilities.shape == wanted.shape
    assert np.abs(probabilities - wanted).max() < 1e-6
    assert found["prediction"].tolist() == clf.classes_[wanted.argmax(axis=1)].tolist()
    return found


def test_rows_get_what_one_machine_says_of_them(clf, spark):
    """Check conversations over all partitions in any order, in several batches of Arrow."""
    sdf = spark.createDataFrame(ROWS).repartition(5)
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "50")
    found = _check_equal(predict_spark(clf, sdf), clf, ROWS)
    spark.conf.unset("spark.sql.execution.arrow.maxRecordsPerBatch")
    kept = found.set_index("number", drop=False)[list(ROWS.columns)]
    wanted = ROWS.sort_values("number").set_index("number", drop=False)
    pd.testing.assert_frame_equal(kept, wanted, check_dtype=False)


@pytest.mark.parametrize(
    ("to_class", "kind"),
    [
        (str, "StringType"),
        ({"red": 3, "blue": -1, "green": 2**40}.get, "LongType"),
        ("red".__eq__, "BooleanType"),
        ({"red": 1.0, "blue": 2.0, "green": 3.0}.get, "DoubleType"),
        ({"red": "a.b", "blue": "", "green": "ä `x`"}.get, "StringType"),
    ],
    ids=["strings", "integers", "booleans", "floats", "odd"],
)
def test_the_column_of_predictions_has_the_type_of_the_classes(to_class, kind, spark):
    """Check the declared columns, and that what comes is what they say."""
    clf = _fit(y=TALKS.target.map(to_class), **ROLES)
    predictions = predict_spark(clf, spark.createDataFrame(ROWS))
    assert predictions.schema["prediction"].dataType == getattr(types, kind)()
    names = [f"probability_{name}" for name in clf.classes_.tolist()]
    assert predictions.columns == [*ROWS.columns, "prediction", *names]
    assert predictions.schema[names[0]].dataType == types.DoubleType()
    _check_equal(predictions, clf, ROWS)


def test_columns_beside_come_through_as_they_are(clf, spark):
    """Check large numbers beside missing ones, dates, decimals and lists."""
    schema = "number long, big long, day date, at timestamp, price decimal(10,2), tags array<int>"
    day = pd.Timestamp("2020-02-29 12:00:00.123456")
    rows = [
        (
            number,
            2**62 + 1 if number % 2 else None,
            day.date(),
            day.to_pydatetime(),
            decimal.Decimal("1.25"),
            [1, None],
        )
        for number in ROWS["number"].tolist()
    ]
    beside = spark.createDataFrame(rows, schema)
    sdf = spark.createDataFrame(ROWS).join(beside, "number")
    predictions = predict_spark(clf, sdf, columns=beside.columns, probabilities=False)
    assert predictions.schema.fieldNames() == [*beside.columns, "prediction"]
    assert sorted(predictions.drop("prediction").collect()) == sorted(beside.collect())


def test_order_can_be_given_after_the_fit(spark):
    """Check that nothing is guessed without an order, and that the column given is used."""
    clf = _fit(text_column="text", group_column="group")
    sdf = spark.createDataFrame(ROWS)
    with pytest.raises(ValueError, match="no order; pass order_column= with the column"):
        predict_spark(clf, sdf)
    ordered = ROWS.sort_values("number")
    _check_equal(predict_spark(clf, sdf, order_column="order"), clf, ordered)


@pytest.mark.filterwarnings("ignore::sk_ctxmem.MergedGroupsWarning")
def test_rows_with_the_same_place_are_read_in_the_same_order_each_time(spark):
    """Check that the other columns decide where the order does not."""
    clf = _fit(**ROLES)
    tied = ROWS.assign(order=ROWS["order"] // 3)
    read_first = tied.sort_values(["group", "order", "text"])
    for seed in range(2):
        shuffled = spark.createDataFrame(tied.sample(frac=1, random_state=seed)).repartition(3)
        _check_equal(predict_spark(clf, shuffled), clf, read_first)


def test_rows_that_stand_alone_need_no_order(spark):
    """Check that nothing is shuffled without a context."""
    clf = _fit(text_column="text", group_column="group", context="none")
    sdf = spark.createDataFrame(ROWS).repartition(3)
    predictions = predict_spark(clf, sdf)
    assert "Sort" not in predictions._jdf.queryExecution().toString()
    _check_equal(predictions, clf, ROWS)


def test_partitions_may_be_empty(clf, spark):
    """Check one conversation in many partitions, and a frame without rows."""
    one_group = ROWS[ROWS["group"] == 3]
    sdf = spark.createDataFrame(one_group).repartition(20)
    _check_equal(predict_spark(clf, sdf), clf, one_group)
    nothing = predict_spark(clf, sdf.limit(0))
    assert nothing.count() == 0
    assert nothing.columns == predict_spark(clf, sdf).columns


def test_one_conversation_may_be_long(clf, spark):
    """Check a group of 30,000 rows, which are three batches of Arrow, among short ones."""
    long = pd.DataFrame({"text": np.resize(ROWS["text"], 30_000), "group": -1, "speaker": "A"})
    long["order"] = range(len(long))
    frame = pd.concat([long, ROWS], ignore_index=True).sample(frac=1, random_state=0)
    frame["number"] = range(len(frame))
    sdf = spark.createDataFrame(frame)
    _check_equal(predict_spark(clf, sdf), clf, frame)


def test_numbers_are_features(spark):
    """Check dense features beside columns that the classifier does not know."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(len(TALKS.data), 2)), columns=["a.one", "two"])
    X = X.assign(group=TALKS.groups, order=TALKS.data["order"])
    clf = _fit(X, group_column="group", order_column="order")
    frame = X.assign(number=range(len(X)), other="x").sample(frac=1, random_state=0)
    predictions = predict_spark(clf, spark.createDataFrame(frame)).toPandas()
    found = predictions.sort_values("number").filter(like="probability_").to_numpy()
    assert np.abs(found - clf.predict_proba(X)).max() < 1e-6


def test_the_model_is_broadcast_once(clf, spark, monkeypatch):
    """Check that all tasks share one object, whose classifier is plain data."""
    context = type(spark.sparkContext)
    sent, right = [], context.broadcast
    monkeypatch.setattr(
        context, "broadcast", lambda self, value: sent.append(value) or right(self, value)
    )
    predict_spark(clf, spark.createDataFrame(ROWS).repartition(6)).collect()
    assert [type(value).__name__ for value in sent] == ["FramePredictor"]
    assert isinstance(sent[0]._model.payload, bytes)


def _count_loads(spark):
    """Return how often each process of a worker has loaded a model, and found one loaded."""

    def count(batches):
        import os
        import time

        import pyarrow

        from sk_ctxmem.distributed._predictor import load_once

        list(batches)  # a worker that has not read all is not used again
        time.sleep(0.2)  # or one worker would answer for all
        info = load_once.cache_info()
        counts = {"process": [os.getpid()], "loads": [info.misses], "uses": [info.hits]}
        yield pyarrow.RecordBatch.from_pydict(counts)

    rows = spark.range(6).repartition(6).mapInArrow(count, "process long, loads long, uses long")
    return {row["process"]: row for row in rows.collect()}


def test_a_process_loads_the_model_once(spark):
    """Check that the tasks of a process share one classifier."""
    before = _count_loads(spark)
    clf = _fit(**ROLES, context="none")
    predict_spark(clf, spark.createDataFrame(ROWS).repartition(12)).collect()
    after = _count_loads(spark)
    kept = [process for process in after if process in before]
    loads = [after[process]["loads"] - before[process]["loads"] for process in kept]
    uses = [after[process]["uses"] - before[process]["uses"] for process in kept]
    assert max(loads) == 1
    assert sum(loads) + sum(uses) >= 6


@pytest.mark.parametrize("column", ["group", "order"])
def test_rows_without_a_group_or_an_order_are_refused_by_name(clf, spark, column):
    """Check that the error of a worker tells which column lacks a value."""
    errors = pytest.importorskip("pyspark.errors")
    frame = ROWS.assign(**{column: ROWS[column].where(ROWS["number"] > 2).astype("Int64")})
    schema = "text string, group long, `order` long, speaker string, number long"
    rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    predictions = predict_spark(clf, spark.createDataFrame(rows, schema))
    with pytest.raises(
        errors.PythonException, match=f"no value of '{column}' |'{column}' has no value"
    ):
        predictions.collect()


def test_types_that_cannot_be_are_told_before_anything_runs(clf, spark):
    """Check groups that are arrays, and classes that are no longs."""
    functions = pytest.importorskip("pyspark.sql.functions")
    sdf = spark.createDataFrame(ROWS)
    with pytest.raises(TypeError, match="'group' holds array values.*convert them to strings"):
        predict_spark(clf, sdf.withColumn("group", functions.array("group")))
    large = {"red": 2**63, "blue": 1, "green": 2}
    large = _fit(y=TALKS.target.map(large).astype("uint64"), **ROLES)
    with pytest.raises(
        TypeError, match=r"classes_ contains 9223372036854775808.*fit with y.astype"
    ):
        predict_spark(large, sdf)


def test_what_is_wrong_is_told_before_anything_runs(clf, spark):
    """Check a column that lacks, one that is there already, and names that Spark takes for one."""
    sdf = spark.createDataFrame(ROWS)
    with pytest.raises(ValueError, match=r"has the columns .*, but \['speaker'\] are needed"):
        predict_spark(clf, sdf.drop("speaker"))
    with pytest.raises(ValueError, match=r"already has the columns \['prediction'\]"):
        predict_spark(clf, sdf.withColumnRenamed("number", "prediction"))
    with pytest.raises(ValueError, match=r"columns \['prediction'\] that differ only in case"):
        predict_spark(clf, sdf.withColumnRenamed("number", "Prediction"))
    cased = _fit(y=TALKS.target.map({"red": "Yes", "blue": "yes", "green": "no"}), **ROLES)
    with pytest.raises(ValueError, match="probability_yes.*spark.sql.caseSensitive"):
        predict_spark(cased, sdf)
    spark.conf.set("spark.sql.caseSensitive", "TRUE")
    try:
        _check_equal(predict_spark(cased, sdf), cased, ROWS)
    finally:
        spark.conf.unset("spark.sql.caseSensitive")


def test_several_labels_have_a_column_each(spark):
    """Check columns of 0 and 1, their names and types, and probabilities."""
    labels = pd.get_dummies(TALKS.target).assign(any=True).astype(int)
    clf = _fit(y=labels, **ROLES)
    predictions = predict_spark(clf, spark.createDataFrame(ROWS), columns=["number"])
    names = [f"{kind}_{name}" for kind in ("prediction", "probability") for name in labels]
    assert predictions.columns == ["number", *names]
    assert predictions.schema["prediction_blue"].dataType == types.LongType()
    found, wanted = predictions.toPandas().sort_values("number"), ROWS.sort_values("number")
    assert (found[names[:4]].to_numpy() == clf.predict(wanted)).all()
    assert np.abs(found[names[4:]].to_numpy() - clf.predict_proba(wanted)).max() < 1e-6
