"""Tests of predictions for frames of Dask, with two worker processes and without a cluster."""

import numpy as np
import pandas as pd
import pytest

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations
from sk_ctxmem.distributed import predict_dask

dask = pytest.importorskip("dask")
dd = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")

TALKS = make_conversations(60, random_state=0)
# Each conversation is spread over all rows, in its order.
ROWS = TALKS.data.sort_values("order", kind="stable").assign(number=range(len(TALKS.data)))
ROWS.index = [f"row {number % 100}" for number in ROWS["number"]]
GROUPED = {"text_column": "text", "group_column": "group"}


def _fit(X=TALKS.data, **parameters):
    settings = {"max_epochs": 1, "hidden_size": 8, "random_state": 0} | parameters
    return ContextMemoryClassifier(**settings).fit(X, TALKS.target)


@pytest.fixture(scope="module")
def clf():
    """Return a classifier whose rows stand in the order of X."""
    return _fit(**GROUPED, speaker_column="speaker")


@pytest.fixture(scope="module")
def workers():
    """Start two worker processes, and end them."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster:
        with distributed.Client(cluster, set_as_default=False) as client:
            yield client


@pytest.fixture
def client(workers):
    """Compute on the worker processes for a while."""
    with workers.as_current():
        yield workers


@pytest.fixture(params=["cluster", "threads"])
def engine(request):
    """Compute on two worker processes, or on threads of this process."""
    if request.param == "cluster":
        request.getfixturevalue("client")
        yield
    else:
        with dask.config.set(scheduler="threads"):
            yield


def _split(frame, n_partitions=7):
    """Return a frame of Dask with the rows in this order."""
    parts = np.array_split(np.arange(len(frame)), n_partitions)
    return dd.from_delayed([dask.delayed(frame.iloc[rows]) for rows in parts], meta=frame[:0])


def _check_equal(predictions, clf, frame):
    """Check predictions against those of the classifier, row by row by the column number."""
    found = predictions.sort_values("number")
    wanted = clf.predict_proba(frame)[np.argsort(frame["number"], kind="stable")]
    probabilities = found.filter(like="probability_").to_numpy()
    assert probabilities.shape == wanted.shape
    assert np.abs(probabilities - wanted).max() < 1e-6
    assert found["prediction"].tolist() == clf.classes_[wanted.argmax(axis=1)].tolist()


@pytest.mark.usefixtures("engine")
def test_rows_get_what_one_machine_says_of_them(clf):
    """Check conversations over all partitions, in the order of the frame, and the index."""
    predictions = predict_dask(clf, _split(ROWS)).compute()
    _check_equal(predictions, clf, ROWS)
    kept = predictions.sort_values("number")[list(ROWS.columns)]
    pd.testing.assert_frame_equal(kept, ROWS, check_dtype=False, check_index_type=False)


@pytest.mark.filterwarnings("ignore::sk_ctxmem.MergedGroupsWarning")  # of the same places
@pytest.mark.usefixtures("engine")
def test_the_column_of_the_order_counts_where_there_is_one():
    """Check rows in any order, where some have the same place: the earlier one comes first."""
    clf = _fit(**GROUPED, order_column="order")
    shuffled = ROWS.sample(frac=1, random_state=0)
    shuffled["order"] //= 2
    _check_equal(predict_dask(clf, _split(shuffled)).compute(), clf, shuffled)


def test_order_can_be_given_after_the_fit(clf, client):
    """Check a classifier without order_column on rows in any order."""
    shuffled = ROWS.sample(frac=1, random_state=0)
    predictions = predict_dask(clf, _split(shuffled), order_column="order").compute()
    _check_equal(predictions, clf, ROWS)


@pytest.mark.usefixtures("engine")
def test_the_declared_columns_are_those_that_come(clf):
    """Check names and types before and after, and that Dask is told of no partition's order."""
    lazy = predict_dask(clf, _split(ROWS), columns=["number", "text"])
    names = [f"probability_{name}" for name in clf.classes_]
    assert list(lazy.columns) == ["number", "text", "prediction", *names]
    pd.testing.assert_series_equal(lazy.dtypes, lazy.compute().dtypes)
    assert not lazy.known_divisions


@pytest.mark.parametrize("to_class", [hash, "blue".__eq__, len], ids=["int64", "bool", "lengths"])
def test_classes_that_are_no_strings_have_their_type(to_class, client):
    """Check that integers and booleans come as such."""
    places = {"red": 3, "blue": -1, "green": 2**40}
    y = TALKS.target.map(places if to_class is hash else to_class)
    clf = ContextMemoryClassifier(**GROUPED, max_epochs=1, hidden_size=4, random_state=0)
    clf.fit(TALKS.data, y)
    predictions = predict_dask(clf, _split(ROWS)).compute()
    assert predictions["prediction"].dtype == y.dtype
    _check_equal(predictions, clf, ROWS)


@pytest.mark.usefixtures("engine")
def test_partitions_may_be_empty(clf):
    """Check partitions without rows before and after the shuffle, and a frame without any."""
    one_group = ROWS[ROWS["group"] == 3]
    ddf = dd.concat([_split(ROWS[:0], 1), _split(one_group, 3), _split(ROWS[:0], 2)])
    _check_equal(predict_dask(clf, ddf).compute(), clf, one_group)
    nothing = predict_dask(clf, _split(ROWS[:0], 2)).compute()
    assert len(nothing) == 0
    assert list(nothing.columns) == list(predict_dask(clf, ddf).columns)


def test_a_worker_loads_the_model_once(clf, client):
    """Check that all tasks of a process share one classifier."""
    predict_dask(clf, _split(ROWS, 20)).compute()

    def count():
        from sk_ctxmem.distributed._predictor import load_once

        return load_once.cache_info()

    before = client.run(count)
    another = _fit(**GROUPED, max_epochs=2)
    predict_dask(another, _split(ROWS, 20)).compute()
    after = client.run(count)
    loads = [after[worker].misses - before[worker].misses for worker in after]
    used = [after[worker].hits - before[worker].hits for worker in after]
    assert max(loads) == 1
    assert sum(loads) + sum(used) > 10


def test_files_of_parquet_are_read_in_any_way(clf, client, tmp_path):
    """Check both readers of Dask, one of which reads several files as one partition."""
    for number, rows in enumerate(np.array_split(np.arange(len(ROWS)), 12)):
        wide = ROWS.iloc[rows].assign(other="x" * 100)
        wide.to_parquet(tmp_path / f"{number:02}.parquet")
    for filesystem in ("fsspec", "arrow"):
        ddf = dd.read_parquet(tmp_path, filesystem=filesystem)
        predictions = predict_dask(clf, ddf, columns=["number"], order_column="order").compute()
        _check_equal(predictions, clf, ROWS)


def test_rows_that_stand_alone_stay_where_they_are(client):
    """Check that nothing is shuffled without a context, and divisions stay known."""
    clf = _fit(**GROUPED, context="none")
    ddf = dd.from_pandas(ROWS.reset_index(drop=True), npartitions=3)
    lazy = predict_dask(clf, ddf)
    assert lazy.divisions == ddf.divisions
    predictions = lazy.compute()
    assert predictions["number"].tolist() == list(range(len(ROWS)))
    _check_equal(predictions, clf, ROWS)


def test_numbers_are_features(client):
    """Check dense features, a column that the classifier does not know, and one named row."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(len(ROWS), 2)), columns=["row", "row_"])
    X["group"] = TALKS.groups
    clf = _fit(X, group_column="group")
    frame = X.assign(number=range(len(X))).sort_values("row")
    predictions = predict_dask(clf, _split(frame)).compute()
    found = predictions.sort_values("number").filter(like="probability_")
    wanted = clf.predict_proba(frame[X.columns])[np.argsort(frame["number"])]
    assert np.abs(found.to_numpy() - wanted).max() < 1e-6


def test_groups_may_be_categories(client):
    """Check a column of categories for the group, and ordered ones for the order."""
    clf = _fit(**GROUPED, order_column="order")
    shuffled = ROWS.sample(frac=1, random_state=0)
    letters = pd.CategoricalDtype(list("mlkjihgfedcba")[: ROWS["order"].max() + 1], ordered=True)
    frame = shuffled.assign(
        group=shuffled["group"].astype("category"),
        order=pd.Categorical.from_codes(shuffled["order"], dtype=letters),
    )
    _check_equal(predict_dask(clf, _split(frame)).compute(), clf, shuffled)


def test_one_conversation_may_be_long(clf, client):
    """Check a group of 30,000 rows over all partitions among short ones."""
    long = pd.DataFrame({"text": np.resize(ROWS["text"], 30_000), "group": -1, "speaker": "A"})
    frame = pd.concat([long, ROWS], ignore_index=True).sample(frac=1, random_state=0)
    frame["number"] = range(len(frame))
    _check_equal(predict_dask(clf, _split(frame)).compute(), clf, frame)


@pytest.mark.parametrize("name", ["row", "group", "number"])
def test_the_index_may_have_any_name(clf, name):
    """Check an index named as the column that is added for a while, or as one of the frame."""
    frame = ROWS.rename_axis(name)
    with dask.config.set(scheduler="threads"):
        predictions = predict_dask(clf, _split(frame)).compute()
    assert predictions.index.name == name
    _check_equal(predictions.rename_axis(None), clf, frame)


def test_rows_without_a_group_are_refused_by_name(clf, client):
    """Check that the error of a worker tells which column lacks a value."""
    frame = ROWS.assign(group=ROWS["group"].where(ROWS["number"] > 2))
    with pytest.raises(ValueError, match="column 'group' has no value in 3 of"):
        predict_dask(clf, _split(frame)).compute()


def test_what_is_wrong_is_told_before_anything_runs(clf):
    """Check a column that lacks, one that is there already, and a frame of pandas."""
    with pytest.raises(ValueError, match=r"has the columns .*, but \['speaker'\] are needed"):
        predict_dask(clf, _split(ROWS.drop(columns="speaker")))
    with pytest.raises(ValueError, match=r"already has the columns \['prediction'\]"):
        predict_dask(clf, _split(ROWS.assign(prediction=0)))
    taken = _split(ROWS.assign(prediction=0))
    assert "prediction" in predict_dask(clf, taken, columns=["number"]).columns


def test_several_labels_have_a_column_each(client):
    """Check columns of 0 and 1, their names and types, and probabilities."""
    labels = pd.get_dummies(TALKS.target).assign(any=True).astype(int)
    clf = ContextMemoryClassifier(**GROUPED, max_epochs=1, hidden_size=4, random_state=0)
    lazy = predict_dask(clf.fit(TALKS.data, labels), _split(ROWS), columns=["number"])
    found = lazy.compute()
    pd.testing.assert_series_equal(lazy.dtypes, found.dtypes)
    found = found.sort_values("number")
    names = [f"{kind}_{name}" for kind in ("prediction", "probability") for name in labels]
    assert found.columns.tolist() == ["number", *names]
    assert (found[names[:4]].to_numpy() == clf.predict(ROWS)).all()
    assert np.abs(found[names[4:]].to_numpy() - clf.predict_proba(ROWS)).max() < 1e-6
