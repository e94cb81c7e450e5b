"""Tests of frames and columns of any library: all are read as those of pandas are."""

import csv
import datetime
import pickle
from collections import UserDict, namedtuple
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import narwhals as nw
import numpy as np
import pandas as pd
import pytest
from _hostile import refused, small
from numpy.testing import assert_array_equal
from sklearn.model_selection import GroupKFold, cross_val_predict, train_test_split

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem.inspection import ContextAblationDisplay, suspect_labels

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

ROLES = {
    "text_column": "text",
    "group_column": "group",
    "order_column": "order",
    "speaker_column": "who",
}
N_ROWS = 24
FRAME = pd.DataFrame(
    {
        "text": ["yes we do", "no thanks", "maybe so", "yes please", "no no no", "so what ?"] * 4,
        "group": np.repeat(np.arange(6), 4),
        "order": np.tile([2, 0, 3, 1], 6),
        "who": ["A", "B"] * 12,
        "mood": 1.5,
    }
)
CLASSES = ["a", "b", "c"] * 8
UTC = datetime.timezone.utc


class Stream:
    """Something of which only a stream of Arrow can be asked."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        """Return the stream."""
        return self.table.__arrow_c_stream__(requested_schema)


class Batch:
    """Something of which only an array of Arrow can be asked."""

    def __init__(self, batch):
        self.batch = batch

    def __arrow_c_array__(self, requested_schema=None):
        """Return the array."""
        return self.batch.__arrow_c_array__(requested_schema)


class Dataset:
    """A data set as those of Hugging Face, whose rows are read in the format that was set."""

    def __init__(self, table, form=None):
        self.table, self.form = table, form
        self.shape, self.column_names = table.shape, table.column_names

    def __len__(self):
        """Return the number of rows."""
        return len(self.table)

    def with_format(self, form):
        """Return the same rows in another format."""
        return Dataset(self.table, form)

    def __getitem__(self, key):
        """Return rows, as a dict of columns or a table."""
        rows = self.table.take(np.arange(len(self))[key])
        return rows if self.form == "arrow" else rows.to_pydict()


class Column(list):
    """A column of such a data set."""


Dataset.__module__ = Column.__module__ = "datasets.arrow_dataset"


def arrow(frame):
    """Return a frame of pandas as a table of pyarrow."""
    return pa.Table.from_pandas(frame, preserve_index=False)


def with_texts(frame, convert):
    """Return a frame as a table of pyarrow whose texts are of another type."""
    table = arrow(frame)
    if "text" not in table.column_names:
        return table
    return table.set_column(0, "text", convert(table["text"]))


TABLES = {
    "pyarrow": arrow,
    "pyarrow in chunks": lambda frame: pa.concat_tables([arrow(frame[:5]), arrow(frame[5:])]),
    "pyarrow batch": lambda frame: arrow(frame).to_batches()[0],
    "pyarrow reader": lambda frame: arrow(frame).to_reader(),
    "polars": pl.from_pandas,
    "stream of Arrow": lambda frame: Stream(arrow(frame)),
    "array of Arrow": lambda frame: Batch(arrow(frame).to_batches()[0]),
    "stream of polars": lambda frame: Stream(pl.from_pandas(frame)),
    "narwhals of pandas": nw.from_native,
    "narwhals of polars": lambda frame: nw.from_native(pl.from_pandas(frame)),
    "narwhals of pyarrow": lambda frame: nw.from_native(arrow(frame)),
    "data set": lambda frame: Dataset(arrow(frame)),
    "large strings": lambda frame: with_texts(frame, lambda texts: texts.cast(pa.large_string())),
    "dictionaries": lambda frame: with_texts(frame, pa.ChunkedArray.dictionary_encode),
}
each_table = pytest.mark.parametrize("form", TABLES.values(), ids=TABLES)


@pytest.fixture(scope="module")
def classifier():
    """Return a classifier of frames with all four roles."""
    return small(**ROLES).fit(FRAME, CLASSES)


@pytest.fixture(scope="module")
def expected(classifier):
    """Return its probabilities."""
    return classifier.predict_proba(FRAME)


@each_table
def test_a_frame_of_any_library_is_read_as_one_of_pandas(classifier, expected, form, tmp_path):
    """Check fit, predict, score and partial_fit, before and after save and load, to the bit."""
    assert_array_equal(classifier.predict_proba(form(FRAME)), expected)
    assert classifier.score(form(FRAME), CLASSES) == classifier.score(FRAME, CLASSES)
    other = small(**ROLES).fit(form(FRAME), CLASSES)
    assert_array_equal(other.predict_proba(FRAME), expected)
    assert other.feature_names_in_.tolist() == list(FRAME)
    assert other.speakers_ == {"A": 1, "B": 2}
    other.save(tmp_path / "model.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    assert_array_equal(loaded.predict_proba(form(FRAME)), expected)
    assert_array_equal(pickle.loads(pickle.dumps(other)).predict_proba(form(FRAME)), expected)
    chunks = [
        small(**ROLES).partial_fit(make(FRAME), CLASSES, list("abc"))
        for make in (form, pd.DataFrame)
    ]
    assert_array_equal(chunks[0].predict_proba(FRAME), chunks[1].predict_proba(form(FRAME)))


@each_table
def test_features_of_any_library_are_those_of_pandas(form):
    """Check columns of numbers beside one of groups, of several types."""
    numbers = np.random.RandomState(0).normal(size=(N_ROWS, 3))
    X = pd.DataFrame(numbers, columns=list("abc")).assign(
        small=np.arange(N_ROWS, dtype=np.int8),
        big=np.arange(N_ROWS, dtype=np.uint64),
        flag=np.arange(N_ROWS) % 3 == 0,
        group=FRAME["group"],
    )[["small", "a", "b", "c", "big", "flag", "group"]]
    expected = small(group_column="group").fit(X, CLASSES)
    found = small(group_column="group").fit(form(X), CLASSES)
    assert_array_equal(found.predict_proba(X), expected.predict_proba(form(X)))
    assert found.feature_names_in_.tolist() == ["small", "a", "b", "c", "big", "flag"]
    with pytest.raises(ValueError, match="feature names should match"):
        found.predict(form(X[["a", "small", "b", "c", "big", "flag", "group"]]))


@each_table
def test_explanations_and_sessions_do_not_depend_on_the_library(classifier, form):
    """Check explain, and that a frame of one column is texts."""
    expected = classifier.explain(FRAME, rows=[1, 4])
    pd.testing.assert_frame_equal(classifier.explain(form(FRAME), rows=[1, 4]), expected)
    texts = FRAME[["text"]]
    expected = small().fit(texts["text"], CLASSES).predict_proba(texts)
    assert_array_equal(small().fit(form(texts), CLASSES).predict_proba(form(texts)), expected)
    features = TextSequenceVectorizer().fit_transform(form(texts)).features
    assert_array_equal(
        features.toarray(), TextSequenceVectorizer().fit_transform(texts["text"]).features.toarray()
    )


COLUMNS = {
    "polars": pl.Series,
    "polars categories": lambda values: pl.Series(values, dtype=pl.Categorical),
    "polars enumeration": lambda values: pl.Series(values, dtype=pl.Enum(sorted(set(values)))),
    "pyarrow": pa.array,
    "pyarrow chunks": lambda values: pa.chunked_array([values[:5], values[5:]]),
    "pyarrow dictionary": lambda values: pa.array(values).dictionary_encode(),
    "pyarrow large strings": lambda values: pa.array(values, pa.large_string()),
    "narwhals": lambda values: nw.from_native(pl.Series(values), series_only=True),
    "narwhals of pandas": lambda values: nw.from_native(pd.Series(values), series_only=True),
    "stream of Arrow": lambda values: Stream(pa.chunked_array([values])),
    "array of Arrow": lambda values: Batch(pa.array(values)),
    "column of a data set": Column,
    "pandas string": lambda values: pd.Series(values, dtype="string"),
    "pandas of Arrow": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.string())),
    "pandas dictionary": lambda values: pd.Series(values).astype(
        pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    ),
}


@pytest.mark.parametrize("form", COLUMNS.values(), ids=COLUMNS)
def test_a_column_of_any_library_is_read_as_a_list(form):
    """Check texts, labels and groups, and the classes of partial_fit."""
    texts, groups = FRAME["text"].tolist(), FRAME["group"].astype(str).tolist()
    classifier = small().fit(texts, CLASSES, groups=groups)
    expected = classifier.predict_proba(texts, groups=groups)
    other = small().fit(form(texts), form(CLASSES), groups=form(groups))
    assert other.classes_.tolist() == ["a", "b", "c"]
    assert_array_equal(other.predict_proba(form(texts), groups=form(groups)), expected)
    score = other.score(form(texts), form(CLASSES), groups=form(groups))
    assert score == classifier.score(texts, CLASSES, groups=groups)
    chunk = small().partial_fit(form(texts), form(CLASSES), classes=form(["a", "b", "c"]))
    assert chunk.classes_.tolist() == ["a", "b", "c"]


WEIGHTS = {
    "polars": pl.Series,
    "polars decimals": lambda values: pl.Series([Decimal(str(v)) for v in values]),
    "pyarrow": pa.array,
    "pyarrow chunks": lambda values: pa.chunked_array([values[:5], values[5:]]),
    "pyarrow dictionary": lambda values: pa.array(values).dictionary_encode(),
    "narwhals": lambda values: nw.from_native(pl.Series(values), series_only=True),
    "pandas Float64": lambda values: pd.Series(values, dtype="Float64"),
    "pandas of Arrow": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.float64())),
}


@pytest.mark.parametrize("form", WEIGHTS.values(), ids=WEIGHTS)
def test_weights_of_any_library_are_read_as_a_list(form):
    """Check sample weights in fit, partial_fit and score."""
    texts, weights = FRAME["text"].tolist(), [0.5, 1.0, 1.5] * 8
    expected = small().fit(texts, CLASSES, sample_weight=weights)
    found = small().fit(texts, CLASSES, sample_weight=form(weights))
    assert_array_equal(found.predict_proba(texts), expected.predict_proba(texts))
    score = found.score(texts, CLASSES, sample_weight=form(weights))
    assert score == expected.score(texts, CLASSES, sample_weight=weights)
    small().partial_fit(texts, CLASSES, ["a", "b", "c"], sample_weight=form(weights))


LABELS = {
    "polars integers": lambda codes: pl.Series(codes),
    "polars int8": lambda codes: pl.Series(codes, dtype=pl.Int8),
    "pyarrow uint64": lambda codes: pa.array(codes, pa.uint64()),
    "pandas Int64": lambda codes: pd.Series(codes, dtype="Int64"),
    "pandas of Arrow": lambda codes: pd.Series(codes, dtype=pd.ArrowDtype(pa.int64())),
    "pyarrow dictionary": lambda codes: pa.array(codes).dictionary_encode(),
}


@pytest.mark.parametrize("form", LABELS.values(), ids=LABELS)
def test_integer_labels_stay_integers(form):
    """Check classes_ and predictions of labels of a type of integers."""
    codes = [0, 1, 2] * 8
    clf = small().fit(FRAME["text"], form(codes))
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.classes_.dtype.kind in "iu"
    assert clf.score(FRAME["text"], form(codes)) == clf.score(FRAME["text"], codes)


NULLS = {
    "pyarrow": lambda values: pa.array(values),
    "pyarrow dictionary": lambda values: pa.array(values).dictionary_encode(),
    "polars": pl.Series,
    "pandas of Arrow": lambda values: pd.Series(values, dtype=pd.ArrowDtype(pa.array(values).type)),
    "pandas": lambda values: pd.Series(values).convert_dtypes(),
}


@pytest.mark.parametrize("form", NULLS.values(), ids=NULLS)
def test_a_null_of_any_library_is_named_by_its_row(form):
    """Check nulls of texts, labels, groups, weights and orders."""
    texts, codes = FRAME["text"].tolist(), [0, 1] * 12
    with refused(ValueError, "X has no text in row 2: "):
        small().fit(form(["a", "b", None, *texts[3:]]), CLASSES)
    with refused(ValueError, "Input y contains NaN or None, first in row 2"):
        small().fit(texts, form(["a", "b", None, *CLASSES[3:]]))
    with refused(ValueError, "Input y contains NaN or None, first in row 2"):
        small().fit(texts, form([0, 1, None, *codes[3:]]))
    with refused(ValueError, "groups has no value in row 2"):
        small().fit(texts, CLASSES, groups=form([1, 1, None, *codes[3:]]))
    with pytest.raises(ValueError, match="sample_weight contains NaN"):
        small().fit(texts, CLASSES, sample_weight=form([1.0, 1.0, None, *codes[3:]]))


INSTANTS = [datetime.datetime(2020, 1, 1 + n) for n in range(4)]
ORDERS = {
    "timestamps": INSTANTS,
    "timestamps of a zone": [time.replace(tzinfo=UTC) for time in INSTANTS],
    "dates": [time.date() for time in INSTANTS],
    "times": [datetime.time(n) for n in range(4)],
    "durations": [datetime.timedelta(hours=n) for n in range(4)],
    "decimals": [Decimal(n) / 4 for n in range(4)],
    "large integers": [2**62 + n for n in range(4)],
    "strings": list("abcd"),
    "bytes": [b"a", b"b", b"c", b"d"],
}


@pytest.mark.parametrize("library", ["pyarrow", "polars"])
@pytest.mark.parametrize("values", ORDERS.values(), ids=ORDERS)
def test_orders_and_groups_of_any_type_are_those_of_numbers(classifier, expected, values, library):
    """Check that columns of each type sort rows and tell groups apart."""
    order = pa.array([values[n] for n in FRAME["order"]])
    groups = pa.array([values[n % 4] for n in FRAME["group"][:16]])
    table = arrow(FRAME).set_column(2, "order", order)
    some = table.slice(0, 16).set_column(1, "group", groups)
    if library == "polars":
        table, some = pl.from_arrow(table), pl.from_arrow(some)
    assert_array_equal(classifier.predict_proba(table), expected)
    assert_array_equal(classifier.predict_proba(some), classifier.predict_proba(FRAME[:16]))


SPEAKERS = {
    "large integers": [2**60 + 1, 2**60, None],
    "bools": [True, False, None],
    "strings": ["A", "B", None],
    "dates": [*ORDERS["dates"][:2], None],
    "timestamps": [*INSTANTS[:2], None],
    "timestamps of a zone": [*ORDERS["timestamps of a zone"][:2], None],
    "decimals": [Decimal("0.1"), Decimal("0.2"), None],
}


@pytest.mark.filterwarnings("ignore:X has 1 unknown speaker:sk_ctxmem.UnknownSpeakersWarning")
@pytest.mark.parametrize("values", SPEAKERS.values(), ids=SPEAKERS)
def test_speakers_are_known_again_in_another_library(values):
    """Check that speakers beside nulls are the same in each library, integers to the last digit."""
    table = arrow(FRAME).set_column(3, "who", pa.array(values * 8))
    fitted = small(**ROLES).fit(table, CLASSES)
    assert len(fitted.speakers_) == 2
    expected = fitted.predict_proba(table)
    frame = FRAME.assign(who=pd.Series(values * 8, dtype=object))
    forms = [pl.from_arrow(table), table.to_pandas(types_mapper=pd.ArrowDtype), frame]
    assert all((fitted.predict_proba(X) == expected).all() for X in forms)
    assert small(**ROLES).fit(forms[0], CLASSES).speakers_ == fitted.speakers_
    unknown = fitted.predict_proba(frame.assign(who="C"))
    assert (unknown != expected).any()


ORDERED = ["low", "mid", "high", "top"]


def test_ordered_dictionaries_of_arrow_sort_by_their_categories(classifier, expected):
    """Check that the order of categories survives in Arrow, as in pandas and polars."""
    values = pd.Categorical.from_codes(FRAME["order"], ORDERED, ordered=True)
    table = arrow(FRAME.assign(order=values))
    assert table.schema.field("order").type.ordered
    for X in (table, Stream(table), pa.concat_tables([table[:5], table[5:]])):
        assert_array_equal(classifier.predict_proba(X), expected)


Message = namedtuple("Message", ["who", "text"])


@dataclass
class Said:
    """A turn as an object."""

    who: str
    text: str


CHAT = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
QUERIES = {
    "polars query": (
        pl.from_pandas(FRAME).lazy(),
        ["X is a polars LazyFrame; pass the result of its method collect()."],
    ),
}
RECORDS = {
    "dict of columns": (
        {"text": ["a"], "group": [1]},
        "a dict of columns; pass pandas.DataFrame(X).",
    ),
    "dict of arrays": (
        UserDict(text=np.array(["a"])),
        "a UserDict of columns; pass pandas.DataFrame(X).",
    ),
    "dict of frames": (
        {"train": FRAME, "test": FRAME},
        "a dict of frames; pass one of them, such as X['train'].",
    ),
    "splits of a data set": (
        {"train": Dataset(arrow(FRAME))},
        "a dict of frames; pass one of them, such as X['train'].",
    ),
    "chat messages": (
        CHAT,
        "a list of dicts; pass pandas.DataFrame(list(X)), with text_column='content' and "
        "speaker_column='role'.",
    ),
    "messages of another form": (
        ({"from": "human", "value": "hi"},),
        "a tuple of dicts; pass pandas.DataFrame(list(X)), with text_column='value' and "
        "speaker_column='from'.",
    ),
    "rows as dicts": (
        [{"said": "a", "talk": 1}],
        "a list of dicts; pass pandas.DataFrame(list(X)), with text_column set to the key of",
    ),
    "Series of dicts": (pd.Series(CHAT), "a Series of dicts; pass pandas.DataFrame(list(X)), with"),
    "array of dicts": (np.array(CHAT), "a ndarray of dicts; pass pandas.DataFrame(list(X)), with"),
    "chats": (
        [CHAT, CHAT],
        "a list of lists of dicts; pass a DataFrame of one row for each dict, such as "
        "pandas.DataFrame([row | {'group': group} for group, rows in enumerate(X) for row in "
        "rows]), with group_column='group' and text_column='content' and speaker_column='role'; "
        "or, for one label for each list, a list of frames, such as",
    ),
    "rows": ([FRAME.iloc[0]], "a list of Series objects; pass pandas.DataFrame(X)."),
    "named tuples": ([Message("A", "a")], "a list of Message objects; pass pandas.DataFrame(X)."),
    "objects": ([Said("A", "a")], "a list of Said objects; pass pandas.DataFrame(X)."),
    "tuples": (
        [("a", 1), ("b", 2)],
        "a list of tuples; pass pandas.DataFrame(X, columns=[...]) with the name of each column.",
    ),
}


@pytest.mark.parametrize(("X", "message"), RECORDS.values(), ids=RECORDS)
def test_rows_that_are_no_frame_are_told_how_to_become_one(classifier, X, message):
    """Check the message of fit and predict, with named columns and without."""
    for method in (classifier.predict, lambda X: small(**ROLES).fit(X, CLASSES)):
        with refused(
            ValueError, f"text_column='text' needs X to be a DataFrame, but X is {message}"
        ):
            method(X)
    with refused(TypeError, f"X is {message}"):
        small().fit(X, CLASSES[: len(X)])


@pytest.mark.parametrize("X", [FRAME.to_records(), FRAME.to_records().view(np.ndarray)])
def test_records_of_numpy_are_told_how_to_become_a_frame(classifier, X):
    """Check the message for structured arrays, which has their fields."""
    with refused(
        ValueError, "needs X to be a DataFrame, but X is a", "('text'", "pandas.DataFrame(X)"
    ):
        classifier.predict(X)
    with refused(TypeError, "X has dtype", "('text'", "; pass pandas.DataFrame(X)."):
        small().fit(X, CLASSES)


READ_ONCE = {
    "generator": (row for row in CHAT),
    "csv": csv.DictReader(["text,group", "a,1"]),
    "path as a string": "talks.csv",
    "path": Path("talks.csv"),
    "groups of a frame": FRAME.groupby("group"),
}


@pytest.mark.parametrize("X", READ_ONCE.values(), ids=READ_ONCE)
def test_rows_elsewhere_are_told_how_to_be_read(classifier, X):
    """Check that what has to be read first is told how, if columns are named."""
    remedy = {
        "generator": "such as pandas.DataFrame(list(X))",
        "DictReader": "such as pandas.DataFrame(list(X))",
        "DataFrameGroupBy": "X.obj, with group_column",
    }.get(type(X).__name__, "such as pandas.read_csv(X)")
    name = type(X).__name__
    with refused(ValueError, f"needs X to be a DataFrame, but X is a {name}; pass", remedy):
        classifier.predict(X)


def test_a_column_of_messages_is_told_to_be_exploded():
    """Check the message for lists of messages in the place of texts."""
    X = pd.DataFrame({"messages": [CHAT, CHAT]})
    for table in (X, arrow(X), pl.from_pandas(X)):
        with refused(TypeError, "in row 0, but a str was expected; make a row of each", "explode"):
            small(text_column="messages").fit(table, ["a", "b"])


def test_splits_and_streams_of_data_sets_are_no_frame(classifier):
    """Check that a data set without a length is named, with the call that reads it."""
    Rows = type("IterableDataset", (), {"with_format": None, "__module__": "datasets.iterable"})
    with refused(TypeError, "X is a datasets IterableDataset", "pass pandas.DataFrame(list(X))"):
        classifier.predict(Rows())


class Connection:
    """Something that is no frame, but has a method to make one."""

    def to_table(self):
        """Return a frame."""


def test_a_method_that_makes_a_frame_is_named(classifier):
    """Check connections, scans and data sets of other libraries."""
    with refused(
        TypeError, "X is a test_frames Connection; pass the result of its method to_table()"
    ):
        classifier.predict(Connection())


class Grid:
    """An array of two dimensions that offers itself to Arrow too, as one long column."""

    def __init__(self, values):
        self.values, self.ndim, self.shape = values, values.ndim, values.shape

    def __array__(self, dtype=None, copy=None):
        """Return the array."""
        return self.values

    def __arrow_c_array__(self, requested_schema=None):
        """Return all its values as a column."""
        return pa.array(self.values.ravel()).__arrow_c_array__(requested_schema)


def test_arrays_of_two_dimensions_stay_such():
    """Check that rows of features are not read as one column of Arrow."""
    values = np.random.RandomState(0).normal(size=(N_ROWS, 3))
    clf = small().fit(values, CLASSES)
    assert_array_equal(clf.predict_proba(Grid(values)), clf.predict_proba(values))


@pytest.mark.filterwarnings("ignore:Turns have no speaker:sk_ctxmem.UnknownSpeakersWarning")
@pytest.mark.parametrize("form", [pa.array, pl.Series])
def test_turns_and_speakers_of_sessions_may_be_columns(classifier, form):
    """Check that speakers of Arrow, which are no str, are known."""
    params = ROLES | {"order_column": None}
    clf = small(**params).fit(FRAME, CLASSES)
    expected = clf.sessions(2).predict_proba(["yes", "no"], ["A", "B"])
    unknown = clf.sessions(2).predict_proba(["yes", "no"], [None, None])
    assert (expected != unknown).any()
    found = clf.sessions(2).predict_proba(form(["yes", "no"]), form(["A", "B"]))
    assert_array_equal(found, expected)
    rows = clf.explain(FRAME, rows=form([1, 2]), target=form(["a", "b"]))
    pd.testing.assert_frame_equal(rows, clf.explain(FRAME, rows=[1, 2], target=["a", "b"]))


@pytest.mark.parametrize("form", [pl.from_pandas, arrow, lambda frame: arrow(frame).to_reader()])
def test_displays_and_suspect_labels_read_any_frame(classifier, form):
    """Check scores by context and the ranking of labels, with the columns of another library."""
    pytest.importorskip("matplotlib").use("agg")
    pytest.importorskip("cleanlab")
    found, expected = (
        ContextAblationDisplay.from_estimator(classifier, X, y, context_sizes=(0, 1)).scores
        for X, y in ((form(FRAME), pa.array(CLASSES)), (FRAME, CLASSES))
    )
    assert_array_equal(found, expected)
    found, expected = (
        suspect_labels(small(**ROLES), X, y, cv=2)
        for X, y in ((form(FRAME), pl.Series(CLASSES)), (FRAME, CLASSES))
    )
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize(("X", "parts"), QUERIES.values(), ids=QUERIES)
def test_queries_are_told_how_to_be_computed(classifier, X, parts):
    """Check that a frame whose rows are not there yet is refused by fit and predict."""
    for method in (classifier.predict, lambda X: small(**ROLES).fit(X, CLASSES)):
        with refused(TypeError, *parts):
            method(X)


def test_columns_of_one_name_are_refused():
    """Check that a table of Arrow with two columns of one name is named."""
    table = pa.table([pa.array(["a", "b"]), pa.array(["c", "d"])], names=["text", "text"])
    for X in (table, Stream(table)):
        with refused(ValueError, "X has several columns of the same name", "'text' 2 times"):
            small(text_column="text").fit(X, ["a", "b"])


def test_rows_of_string_views_are_taken(classifier):
    """Check a Display, and splits by rows, of strings in the form that polars gives to Arrow."""
    table = pa.table(pl.from_pandas(FRAME))
    if "string_view" not in map(str, table.schema.types):
        pytest.skip("older versions give other strings")
    shown = ContextAblationDisplay.from_estimator(classifier, table, CLASSES, context_sizes=[1])
    expected = ContextAblationDisplay.from_estimator(classifier, FRAME, CLASSES, context_sizes=[1])
    assert_array_equal(shown.scores, expected.scores)
    groups = FRAME["group"].to_numpy()
    found = suspect_labels(small(**ROLES), table, CLASSES, groups=groups, cv=3)
    assert found.equals(suspect_labels(small(**ROLES), FRAME, CLASSES, groups=groups, cv=3))


def test_a_stream_that_cannot_be_read_is_named():
    """Check that the error of a broken stream says what to do."""
    broken = SimpleNamespace(__arrow_c_stream__=lambda requested_schema=None: None)
    with refused(ValueError, "X is a types SimpleNamespace that cannot be read as Arrow data"):
        small(text_column="text").fit(broken, ["a", "b"])
    reader = arrow(FRAME).to_reader()
    small(**ROLES).fit(reader, CLASSES)
    with refused(ValueError, "column 'text' is empty: found 0 sample(s)"):
        small(**ROLES).fit(reader, CLASSES)


def test_frames_that_scikit_learn_can_split_are_split_with_groups():
    """Check that splits and searches of scikit-learn work on what it can index."""
    expected = None
    for form in (pd.DataFrame, pl.from_pandas):
        cv = GroupKFold(3)
        found = cross_val_predict(
            small(**ROLES),
            form(FRAME),
            np.array(CLASSES),
            groups=FRAME["group"],
            cv=cv,
            method="predict_proba",
        )
        expected = found if expected is None else expected
        assert_array_equal(found, expected)
    train, test = train_test_split(pl.from_pandas(FRAME), random_state=0)
    assert small(**ROLES).fit(train, CLASSES[:18]).predict(test).shape == (6,)
