"""Tests of what engines send around, on frames of pandas and without any engine."""

import pickle
import pickletools
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations
from sk_ctxmem.distributed import FramePredictor, _predictor, predict_dask, predict_spark

TALKS = make_conversations(12, random_state=0)
ROLES = {"text_column": "text", "group_column": "group", "order_column": "order"}


def _fit(X=TALKS.data, y=TALKS.target, groups=None, **parameters):
    settings = {"max_epochs": 1, "hidden_size": 4, "random_state": 0} | parameters
    return ContextMemoryClassifier(**settings).fit(X, y, groups=groups)


@pytest.fixture(scope="module")
def clf():
    """Return a classifier of conversations with an order and speakers."""
    return _fit(**ROLES, speaker_column="speaker")


def _probabilities(predictions):
    return predictions.filter(like="probability_").to_numpy()


@pytest.mark.parametrize("rows_at_once", [1, 20, 1000])
def test_predictions_are_those_of_the_classifier(clf, rows_at_once, monkeypatch):
    """Check rows in any order, with an index that is no number of the row."""
    monkeypatch.setattr(_predictor, "ROWS_AT_ONCE", rows_at_once)
    frame = TALKS.data.sample(frac=1, random_state=0).assign(who=7)
    frame.index = frame.index % 5
    predictions = FramePredictor(clf)(frame)
    pd.testing.assert_frame_equal(predictions[list(frame.columns)], frame)
    assert predictions["prediction"].tolist() == clf.predict(frame).tolist()
    assert np.abs(_probabilities(predictions) - clf.predict_proba(frame)).max() < 1e-6


def test_predictions_together_are_whole_groups_and_few_rows(clf, monkeypatch):
    """Check that no conversation is cut, and that a call has not many more rows than it should."""
    monkeypatch.setattr(_predictor, "ROWS_AT_ONCE", 25)
    seen = []
    right = ContextMemoryClassifier.predict_proba
    monkeypatch.setattr(
        ContextMemoryClassifier,
        "predict_proba",
        lambda self, X: seen.append(X) or right(self, X),
    )
    frame = TALKS.data.sample(frac=1, random_state=0)
    FramePredictor(clf)(frame)
    assert sum(map(len, seen)) == len(frame)
    assert sum(X["group"].nunique() for X in seen) == frame["group"].nunique()
    assert 1 < len(seen) < frame["group"].nunique()
    assert max(map(len, seen)) <= 25 + TALKS.groups.value_counts().max()


def test_rows_that_stand_alone_are_predicted_a_few_at_once(monkeypatch):
    """Check that without a context groups may be cut, and that every row has its prediction."""
    monkeypatch.setattr(_predictor, "ROWS_AT_ONCE", 10)
    clf = _fit(context="none", **ROLES)
    predictions = FramePredictor(clf)(TALKS.data)
    assert np.abs(_probabilities(predictions) - clf.predict_proba(TALKS.data)).max() < 1e-12


def test_what_is_pickled_is_data(clf):
    """Check that a pickle of the predictor names no class of ours but those that hold bytes."""
    pickled = pickle.dumps(FramePredictor(clf), protocol=2)
    names = [argument for code, argument, _ in pickletools.genops(pickled) if code.name == "GLOBAL"]
    ours = {name.split()[-1] for name in names if name.startswith("sk_ctxmem")}
    assert ours == {"FramePredictor", "PackedModel"}
    assert not any(name.startswith(("torch", "sklearn")) for name in names)
    predictions = pickle.loads(pickled)(TALKS.data)
    assert np.abs(_probabilities(predictions) - clf.predict_proba(TALKS.data)).max() < 1e-6


def test_a_process_loads_each_model_once_and_keeps_few(clf, monkeypatch):
    """Check the number of loads over copies of the same bytes, and that old models are dropped."""
    loads = []
    right = ContextMemoryClassifier.load.__func__
    monkeypatch.setattr(
        ContextMemoryClassifier,
        "load",
        classmethod(lambda cls, path: loads.append(path) or right(cls, path)),
    )
    _predictor.load_once.cache_clear()
    pickled = [pickle.dumps(FramePredictor(_fit(random_state=seed, **ROLES))) for seed in range(3)]
    for _ in range(2):
        pickle.loads(pickled[0])(TALKS.data)
    assert len(loads) == 1
    for data in pickled[1:]:
        pickle.loads(data)(TALKS.data)
    assert len(loads) == 3
    assert _predictor.load_once.cache_info().currsize == _predictor.MODELS_OF_A_PROCESS


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        (TALKS.target, pd.Series(["a"]).dtype),
        (TALKS.target.to_numpy(dtype="U"), pd.Series(["a"]).dtype),
        (TALKS.target.map({"red": 3, "blue": -1, "green": 10}), "int64"),
        (TALKS.target == "red", "bool"),
        (TALKS.target.map({"red": 1.0, "blue": 2.0, "green": 3.0}), "float64"),
        (TALKS.target.map({"red": "a.b", "blue": "", "green": "ä `x`"}), pd.Series(["a"]).dtype),
    ],
    ids=["strings", "numpy", "integers", "booleans", "floats", "odd"],
)
def test_the_column_of_predictions_has_the_type_of_the_classes(y, dtype):
    """Check each type, on rows and on none, and the names of the columns of probabilities."""
    clf = _fit(y=y, **ROLES)
    predictor = FramePredictor(clf, columns=["group"])
    predictions = predictor(TALKS.data)
    assert predictions["prediction"].dtype == dtype
    assert predictions["prediction"].tolist() == clf.predict(TALKS.data).tolist()
    names = [f"probability_{name}" for name in clf.classes_.tolist()]
    assert predictions.columns.tolist() == ["group", "prediction", *names]
    nothing = predictor(TALKS.data[:0])
    assert len(nothing) == 0
    pd.testing.assert_series_equal(nothing.dtypes, predictions.dtypes)


def test_classes_of_other_types_are_refused():
    """Check that dates, which need a type of their own in each engine, have a remedy."""
    y = pd.to_datetime(TALKS.target.map({"red": "2020", "blue": "2021", "green": "2022"}))
    clf = _fit(y=y, **ROLES)
    with pytest.raises(TypeError, match=r"must be strings, .*fit with y.astype\(str\)"):
        FramePredictor(clf)


def test_order_can_be_given_after_the_fit():
    """Check that a classifier without an order reads the rows in that of the column."""
    clf = _fit(text_column="text", group_column="group")
    shuffled = TALKS.data.sample(frac=1, random_state=0)
    wanted = clf.predict_proba(TALKS.data)[shuffled.index]
    found = _probabilities(FramePredictor(clf, order_column="order")(shuffled))
    assert np.abs(found - wanted).max() < 1e-6
    assert np.abs(_probabilities(FramePredictor(clf)(shuffled)) - wanted).max() > 1e-3


def test_order_given_after_the_fit_sorts_as_that_of_the_fit():
    """Check categories without an order, of which the values count, and values without one."""
    own = _fit(**ROLES)
    clf = _fit(text_column="text", group_column="group")
    shuffled = TALKS.data.sample(frac=1, random_state=0)
    categories = shuffled["order"].unique()
    frame = shuffled.assign(order=pd.Categorical(shuffled["order"], categories=categories))
    found = FramePredictor(clf, order_column="order")(frame)
    assert np.abs(_probabilities(found) - own.predict_proba(frame)).max() < 1e-6
    with pytest.raises(TypeError, match="complex.* have no order"):
        FramePredictor(clf, order_column="order")(frame.assign(order=1j))
    with pytest.raises(TypeError, match=r"order_column=\['order'\] must be the name of one column"):
        FramePredictor(clf, order_column=["order"])


def test_order_cannot_be_another_than_that_of_the_fit(clf):
    """Check that two columns of the order are told apart, and that the same one will do."""
    assert FramePredictor(clf, order_column="order")(TALKS.data[:5]).shape == (5, 8)
    with pytest.raises(ValueError, match="order_column='time' differs from .* 'order'"):
        FramePredictor(clf, order_column="time")


@pytest.mark.parametrize("context", ["past", "none"])
@pytest.mark.parametrize("named", [True, False])
def test_features_are_the_columns_of_the_fit(context, named):
    """Check frames of numbers, with columns that the classifier does not know."""
    rng = np.random.default_rng(0)
    names = ["one", "two"] if named else [0, 1]
    X = pd.DataFrame(rng.normal(size=(len(TALKS.data), 2)), columns=names)
    X["group"] = TALKS.groups
    clf = _fit(X, group_column="group", context=context)
    frame = X.assign(id=range(len(X)))[["id", *X.columns]] if named else X
    predictions = FramePredictor(clf)(frame)
    assert np.abs(_probabilities(predictions) - clf.predict_proba(X)).max() < 1e-6


def test_a_list_of_texts_is_a_frame_of_one_column():
    """Check a classifier that knows no names of columns."""
    texts = TALKS.data[["text"]]
    clf = _fit(texts["text"].tolist())
    predictions = FramePredictor(clf)(texts)
    assert np.abs(_probabilities(predictions) - clf.predict_proba(texts)).max() < 1e-12


@pytest.mark.parametrize("texts", [True, False])
def test_columns_too_many_are_told_without_a_row(texts):
    """Check that a classifier that knows no names says so of a frame that is still empty."""
    X = TALKS.data["text"].tolist() if texts else np.ones((len(TALKS.data), 1))
    clf = ContextMemoryClassifier(max_epochs=1, hidden_size=4).fit(X, TALKS.target)
    with pytest.raises(
        ValueError, match=r"2 feature columns, \['text', 'order'\], .* 1 features without"
    ):
        FramePredictor(clf)(TALKS.data[["text", "order"]][:0])
    numbered = TALKS.data[["text", "group"]].rename(columns={"text": 0, "group": 1})
    named = _fit(numbered, text_column=None, group_column=1)
    assert len(FramePredictor(named)(numbered)) == len(numbered)


def test_probabilities_and_columns_can_be_left_out(clf):
    """Check the columns of the result."""
    predictor = FramePredictor(clf, columns=["order", "group"], probabilities=False)
    assert predictor(TALKS.data).columns.tolist() == ["order", "group", "prediction"]
    assert FramePredictor(clf, columns=[], probabilities=False)(TALKS.data).shape[1] == 1
    names = (name for name in ["order", "group"])
    assert FramePredictor(clf, columns=names)(TALKS.data).columns[0] == "order"
    for columns in ("text", 5, [None]):
        with pytest.raises(TypeError, match=r"columns=.* must be a list of column names"):
            FramePredictor(clf, columns=columns)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="order"), r"has the columns .*, but \['order'\] are"),
        (
            lambda frame: frame.assign(probability_red=1),
            r"already has the columns \['probability_red'\]",
        ),
        (lambda frame: frame.assign(prediction=1), r"the columns \['prediction'\]"),
        (lambda frame: pd.concat([frame, frame["text"]], axis=1), r"several columns \['text'\]"),
        (lambda frame: frame.assign(group=frame["group"].where(frame.index > 2)), "'group' has no"),
        (lambda frame: frame.assign(order=frame["order"].where(frame.index > 2)), "'order' has no"),
    ],
    ids=["missing", "probability", "prediction", "repeated", "group", "order"],
)
def test_frames_that_cannot_be_predicted_are_refused(clf, change, message):
    """Check columns that lack, that are there already, and rows without a group or an order."""
    with pytest.raises(ValueError, match=message):
        FramePredictor(clf)(change(TALKS.data))


def test_an_order_given_after_the_fit_must_be_complete():
    """Check that a row without its order is refused, not sorted somewhere."""
    clf = _fit(text_column="text", group_column="group")
    frame = TALKS.data.assign(order=TALKS.data["order"].where(TALKS.data.index > 2))
    with pytest.raises(ValueError, match="'order' has no value in 3 of"):
        FramePredictor(clf, order_column="order")(frame)


def test_batches_that_are_no_frames_are_refused(clf):
    """Check what an engine hands over by default."""
    with pytest.raises(TypeError, match='frame is a dict, .* batch_format="pandas"'):
        FramePredictor(clf)({"text": ["a"], "group": [1]})


def test_columns_to_keep_must_be_there(clf):
    """Check that a name with a typing error is found before anything runs."""
    with pytest.raises(ValueError, match=r"\['grup'\] are needed"):
        FramePredictor(clf, columns=["grup"])(TALKS.data)


class _OwnVectorizer(CountVectorizer):
    pass


def test_classifiers_that_cannot_be_sent_are_refused(clf):
    """Check what is not fitted, not ours, not plain data, or has its groups beside X."""
    with pytest.raises(NotFittedError, match="not fitted"):
        FramePredictor(ContextMemoryClassifier())
    with pytest.raises(TypeError, match="clf is a Pipeline, .* its last step"):
        FramePredictor(make_pipeline(clf))
    with pytest.raises(TypeError, match="_OwnVectorizer"):
        FramePredictor(_fit(vectorizer=_OwnVectorizer(), **ROLES))
    beside = _fit(TALKS.data["text"], groups=TALKS.groups)
    with pytest.raises(ValueError, match="fitted with groups=,.* fit with group_column="):
        FramePredictor(beside)


@pytest.mark.parametrize(
    ("function", "engine", "extra"),
    [(predict_dask, "dask", "dask"), (predict_spark, "pyspark", "spark")],
)
def test_a_missing_engine_says_how_to_install_it(clf, function, engine, extra, monkeypatch):
    """Check that the extra is named."""
    for name in [name for name in sys.modules if name.split(".")[0] == engine]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, engine, None)
    with pytest.raises(ImportError, match=rf'{function.__name__} needs .*"sk-ctxmem\[{extra}\]"'):
        function(clf, None)


@pytest.mark.parametrize(
    ("function", "engine", "kind"),
    [
        (predict_dask, "dask.dataframe", "dask.dataframe.DataFrame"),
        (predict_spark, "pyspark.sql", "pyspark.sql.DataFrame"),
    ],
)
def test_a_frame_of_pandas_is_refused(clf, function, engine, kind):
    """Check that the message says which frame is meant, and what pandas needs."""
    pytest.importorskip(engine)
    with pytest.raises(TypeError, match=f"a DataFrame, but a {kind} was expected.*clf.predict"):
        function(clf, TALKS.data)
