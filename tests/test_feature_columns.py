"""Tests of columns beside the text: feature_columns and feature_transformer."""

import datetime
import io
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from _hostile import small
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import estimator_html_repr

from sk_ctxmem import CachedEmbedder, ContextMemoryClassifier
from sk_ctxmem._chat._conversation import Chat
from sk_ctxmem._dense._column_kinds import fit_column
from sk_ctxmem._dense._columns import ColumnReader, as_dense, from_plain
from sk_ctxmem._dense._fingerprint import PROBES
from sk_ctxmem.distributed import FramePredictor, fit_parquet
from sk_ctxmem.exceptions import ModelFileError

NAMES = ["price", "channel", "when", "flag", "same"]
ROLES = {"text_column": "text", "group_column": "talk"}
N_ROWS = 80


def make_frame(n_rows=N_ROWS, seed=0):
    """Return texts with columns of each kind, missing values among them."""
    random = np.random.RandomState(seed)
    price = random.lognormal(size=n_rows)
    price[::7] = np.nan
    channel = random.choice(np.array(["web", "shop", "phone", None], dtype=object), n_rows)
    return pd.DataFrame(
        {
            "text": random.choice(["yes we do", "no thanks", "maybe"], n_rows),
            "talk": np.arange(n_rows) // 4,
            "price": price,
            "channel": channel,
            "when": pd.date_range("2024-01-01", periods=n_rows, freq="7h"),
            "flag": random.rand(n_rows) > 0.5,
            "same": 3,
        }
    )


FRAME = make_frame()
CLASSES = np.random.RandomState(1).choice(["a", "b", "c"], N_ROWS)


@pytest.fixture(scope="module")
def classifier():
    """Return a classifier that reads columns of each kind."""
    return small(**ROLES, feature_columns=NAMES).fit(FRAME, CLASSES)


def read(frame, names):
    """Return what the columns of a frame become."""
    return ColumnReader(tuple(fit_column(frame[name], name) for name in names)).read(frame)


# --- each kind of column


def test_numbers_and_categories_are_those_of_scikit_learn():
    """Check values, missing and unknown ones against SimpleImputer and OneHotEncoder."""
    new = make_frame(seed=5).assign(channel=lambda f: f["channel"].replace("web", "fax"))
    expected = make_column_transformer(
        (SimpleImputer(strategy="median", add_indicator=True), ["price"]),
        (OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False), ["channel"]),
    ).fit(FRAME)
    ours = ColumnReader(tuple(fit_column(FRAME[name], name) for name in ["price", "channel"]))
    for frame in (FRAME, new):
        assert_array_equal(ours.read(frame), expected.transform(frame))


def test_rare_categories_are_one():
    """Check 200 categories, of which 49 have a column of their own, as in OneHotEncoder."""
    rare = np.random.RandomState(0).geometric(0.03, size=3000).astype(str)
    frame = pd.DataFrame({"a": rare})
    expected = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=50, sparse_output=False
    ).fit(frame)
    column = fit_column(frame["a"], "a")
    assert column.width == 50
    new = pd.DataFrame({"a": [*rare[:50], "unknown", rare[7]]})
    assert_array_equal(column.read(new["a"]), expected.transform(new))


@pytest.mark.parametrize(
    "values",
    [
        [1.0, None, 3.0] * 4,
        np.array([1, 2, 3] * 4, dtype="timedelta64[s]"),
        pd.array([1, None, 3] * 4, dtype="Int64"),
        pd.array([True, None, False] * 4, dtype="boolean"),
        [True, None, False] * 4,
        pd.array([1.0, 0.0, 3.0] * 4, dtype=pd.SparseDtype(float)),
        [datetime.timedelta(hours=1), None, datetime.timedelta(hours=2)] * 4,
    ],
    ids=lambda values: str(getattr(values, "dtype", type(values[0]).__name__)),
)
def test_numbers_in_any_form(values):
    """Check that numbers, bools and durations of any type become the same numbers."""
    column = fit_column(pd.Series(values), "a")
    read = column.read(pd.Series(values))
    one = pd.Series(values, dtype=object)[2]
    seconds = one / np.timedelta64(1, "s") if hasattr(one, "total_seconds") else float(one)
    assert read[2, 0] == seconds
    assert read.shape == (12, 1 + pd.isna(pd.Series(values)).any())
    assert np.isfinite(read).all()


def test_categories_of_numbers_are_no_numbers():
    """Check a pandas category of ints, intervals, and a column without a value."""
    ints = pd.Series(pd.Categorical([3, 1, 3, 2]))
    assert fit_column(ints, "a").categories == [1, 2, 3]
    bins = pd.Series(pd.cut([1.0, 2.0, 3.0], [0, 1.5, 4]))
    assert fit_column(bins, "a").categories == ["(0.0, 1.5]", "(1.5, 4.0]"]
    assert fit_column(pd.Series([None, np.nan]), "a").read(pd.Series([1.0])).tolist() == [[0]]


@pytest.mark.parametrize("kind", ["datetime64", "zone", "date", "objects"])
def test_dates_give_days_hour_and_weekday(kind):
    """Check the numbers of dates, and that the clock is that of the time zone."""
    days = pd.Series(pd.to_datetime(["2024-01-01 06:00", "2024-01-02 06:00", "2024-01-08 18:00"]))
    if kind == "zone":
        days = days.dt.tz_localize("America/New_York")
    elif kind == "date":
        days = days.dt.date
    elif kind == "objects":
        days = days.astype(object)
    column = fit_column(days, "a")
    found = column.read(days)
    hour = [0, 1] if kind == "date" else [1, 0]
    assert_allclose(found[0, :3], [0, *hour], atol=1e-9)
    assert found[1, 0] == 1
    assert_allclose(np.hypot(found[:, 3], found[:, 4]), 1)
    assert_allclose(found[0, 3:], found[2, 3:])
    with_missing = column.read(pd.concat([days, pd.Series([None])], ignore_index=True))
    assert_allclose(with_missing[3], column.medians)


# --- a fit with columns


def test_columns_are_read_by_fit_predict_files_and_pickles(classifier):
    """Check that all copies predict the same, and that the columns change predictions."""
    expected = classifier.predict_proba(FRAME)
    for other in (pickle.loads(pickle.dumps(classifier)), clone(classifier).fit(FRAME, CLASSES)):
        assert_array_equal(other.predict_proba(FRAME), expected)
    file = io.BytesIO()
    classifier.save(file)
    file.seek(0)
    loaded = ContextMemoryClassifier.load(file)
    assert_array_equal(loaded.predict_proba(FRAME), expected)
    assert loaded.feature_columns == NAMES
    assert loaded.columns_ == classifier.columns_ == {
        "text": "text", "group": "talk", "features": NAMES
    }  # fmt: skip
    assert np.abs(classifier.predict_proba(FRAME.assign(price=9.0)) - expected).max() > 1e-3


def test_constant_columns_change_nothing(classifier):
    """Check a column that had one value in fit, and has others in predict."""
    expected = classifier.predict_proba(FRAME)
    assert_array_equal(classifier.predict_proba(FRAME.assign(same=1e6)), expected)
    alone = small(**ROLES, feature_columns="same").fit(FRAME, CLASSES)
    found = alone.predict_proba(FRAME)
    assert_array_equal(alone.predict_proba(FRAME.assign(same=np.nan)), found)


def test_the_order_of_columns_and_other_columns_do_not_matter(classifier):
    """Check a frame with other columns, in another order and with another index."""
    other = FRAME[FRAME.columns[::-1]].assign(new=1).set_index(np.arange(N_ROWS) + 1000)
    assert_array_equal(classifier.predict_proba(other), classifier.predict_proba(FRAME))


def test_frames_of_polars_are_those_of_pandas(classifier):
    """Check fit and predict on the same columns of another library."""
    frame = pl.from_pandas(FRAME)
    assert_array_equal(classifier.predict_proba(frame), classifier.predict_proba(FRAME))
    other = small(**ROLES, feature_columns=NAMES).fit(frame, CLASSES)
    assert_array_equal(other.predict_proba(FRAME), classifier.predict_proba(FRAME))


def test_rest_reads_all_columns_without_a_role(classifier):
    """Check "rest", and that a later column more is ignored."""
    clf = small(**ROLES, feature_columns="rest").fit(FRAME, CLASSES)
    assert clf.columns_["features"] == NAMES
    assert clf.ignored_columns_.tolist() == []
    expected = classifier.predict_proba(FRAME)
    assert_array_equal(clf.predict_proba(FRAME.assign(target=CLASSES)), expected)
    html = estimator_html_repr(clf)
    assert "reads text (text), talk (group), price, channel, when, flag, same (features);" in html


def test_the_text_may_be_the_column_that_is_left():
    """Check features without text_column."""
    clf = small(group_column="talk", feature_columns=NAMES).fit(FRAME, CLASSES)
    assert clf.columns_["text"] == "text"


@pytest.mark.parametrize("context", ["past", "both", "none"])
def test_each_context_reads_columns(context):
    """Check that predictions depend on the columns, with and without words in a memory."""
    for word_memory in (False, True, "convolution"):
        clf = small(**ROLES, feature_columns="price", context=context, word_memory=word_memory)
        found = clf.fit(FRAME, CLASSES).predict_proba(FRAME)
        assert np.abs(clf.predict_proba(FRAME.assign(price=5.0)) - found).max() > 1e-4


def test_columns_stand_beside_vectors():
    """Check an embedder and columns in one fit: explanation, file and pickle."""

    def embed(texts):
        return np.array([[len(text), text.count("e")] for text in texts], dtype=float)

    clf = small(**ROLES, feature_columns=NAMES, embedder=embed).fit(FRAME, CLASSES)
    expected = clf.predict_proba(FRAME)
    file = io.BytesIO()
    clf.save(file)
    file.seek(0)
    loaded = ContextMemoryClassifier.load(file, embedder=embed)
    assert_array_equal(loaded.predict_proba(FRAME), expected)
    lines = clf.explain(FRAME[:8], rows=[3])
    assert lines["source"].isin(["embedding", "column"]).sum() == 1 + len(NAMES)
    assert (lines["source"] == "embedding").sum() == 1


def test_warm_start_and_partial_fit_read_the_columns_of_the_first_fit():
    """Check that the first chunk determines the preparation, and that names must stay."""
    clf = small(**ROLES, feature_columns=NAMES)
    clf.partial_fit(FRAME, CLASSES, ["a", "b", "c"])
    later = make_frame(seed=3).assign(channel="new")
    clf.partial_fit(later, CLASSES)
    assert clf.n_iter_ == 2
    clf = small(**ROLES, feature_columns=["price"], warm_start=True).fit(FRAME, CLASSES)
    clf.fit(later, CLASSES)
    clf.set_params(feature_columns=["flag"])
    with pytest.raises(ValueError, match=r"warm_start=True needs the feature_columns of the last"):
        clf.fit(FRAME, CLASSES)


def test_searches_and_cross_validation():
    """Check that folds take the columns along, and that a search can choose them."""
    clf = small(**ROLES, feature_columns=NAMES)
    assert len(cross_val_score(clf, FRAME, CLASSES, cv=3, error_score="raise")) == 3
    search = GridSearchCV(clf, {"feature_columns": [None, ["price"]]}, cv=2, error_score="raise")
    assert np.isfinite(search.fit(FRAME, CLASSES).cv_results_["mean_test_score"]).all()


# --- a transformer of the user


@pytest.mark.parametrize("sparse_output", [True, False])
def test_a_transformer_of_the_user_prepares_the_columns(sparse_output):
    """Check its output, that it is cloned, and that pickles contain it and files do not."""
    transformer = make_column_transformer(
        (StandardScaler(), ["flag"]),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=sparse_output), ["channel"]),
        sparse_threshold=1.0,
    )
    names = ["flag", "channel"]
    clf = small(**ROLES, feature_columns=names, feature_transformer=transformer)
    clf.fit(FRAME, CLASSES)
    assert not hasattr(transformer, "transformers_")
    expected = clf.predict_proba(FRAME)
    ours = small(**ROLES, feature_columns=names).fit(FRAME, CLASSES).predict_proba(FRAME)
    assert_allclose(expected, ours, atol=0.05)
    again = pickle.loads(pickle.dumps(clf))
    assert_array_equal(again.predict_proba(FRAME), expected)
    with pytest.raises(TypeError, match="(?s)feature_transformer=ColumnTrans.* pickle the clas"):
        clf.save(io.BytesIO())
    features = clf.explain(FRAME[:1]).query("source == 'column'")["feature"].tolist()
    assert features[:2] == ["standardscaler__flag", "onehotencoder__channel_phone"]


def test_a_known_transformer_goes_into_a_file():
    """Check a StandardScaler, whose class files may contain."""
    clf = small(**ROLES, feature_columns=["flag"], feature_transformer=StandardScaler())
    clf.fit(FRAME, CLASSES)
    file = io.BytesIO()
    clf.save(file)
    file.seek(0)
    loaded = ContextMemoryClassifier.load(file)
    assert_array_equal(loaded.predict_proba(FRAME), clf.predict_proba(FRAME))


def test_table_vectorizer_of_skrub():
    """Check the transformer that most users of tables have."""
    skrub = pytest.importorskip("skrub")
    names = ["channel", "when", "flag"]
    transformer = skrub.TableVectorizer()
    clf = small(**ROLES, feature_columns=names, feature_transformer=transformer)
    clf.fit(FRAME, CLASSES)
    assert clf.predict_proba(FRAME[:3]).shape == (3, 3)


@pytest.mark.parametrize(
    ("transformer", "error", "message"),
    [
        (StandardScaler, TypeError, "feature_transformer=.*must be a transformer"),
        ("passthrough", TypeError, "feature_transformer='passthrough' must be a transformer"),
        (StandardScaler(), ValueError, r"returned nan in row 0, column 0, but finite numbers"),
        (FunctionTransformer(), ValueError, "returned nan in row 0"),
        (FunctionTransformer(lambda X: X[:3]), ValueError, r"of shape \(3, 1\) for 80 rows"),
        (FunctionTransformer(lambda X: X.astype(str) + "€"), TypeError, "values that are not num"),
    ],
)
def test_transformers_that_cannot_be_used_are_named(transformer, error, message):
    """Check classes, and outputs that are no finite numbers of each row."""
    with pytest.raises(error, match=message):
        small(**ROLES, feature_columns="price", feature_transformer=transformer).fit(FRAME, CLASSES)


def test_a_transformer_must_return_the_columns_of_fit():
    """Check a transformer whose number of columns depends on the rows."""
    transformer = FunctionTransformer(lambda X: np.zeros((len(X), 2 + (len(X) < 10))))
    clf = small(**ROLES, feature_columns="flag", feature_transformer=transformer)
    clf.fit(FRAME, CLASSES)
    with pytest.raises(ValueError, match="returned 3 columns, but 2 in fit"):
        clf.predict(FRAME[:4])
    assert as_dense(np.ones((2, 1)), 2, None).dtype == np.float64


# --- sessions


def as_turns(frame):
    """Return texts and features of turns."""
    return frame["text"].tolist(), frame[NAMES].to_dict("records")


def test_sessions_are_the_whole_conversation(classifier):
    """Check one session, several, a fork and a state against predict_proba, to 1e-6."""
    talk = FRAME[:4]
    expected = classifier.predict_proba(talk)
    session = classifier.session()
    for turn, (text, features) in enumerate(zip(*as_turns(talk), strict=True)):
        fork, resumed = session.fork(), classifier.session(session.state())
        for each in (session, fork, resumed):
            found = each.predict_proba_one(text, features=features)
            assert_allclose(found, expected[turn], atol=1e-6)
    assert len(session.history_) == 4
    many = classifier.sessions(2)
    for features in (talk[NAMES][:2], talk[NAMES][:2].to_dict("records")):
        found = many.predict_proba(talk["text"][:2], features=features)
    starts = FRAME.iloc[[0, 0, 1, 1]].assign(talk=[0, 0, 1, 1])
    assert_allclose(found, classifier.predict_proba(starts)[[1, 3]], atol=1e-6)
    label = classifier.session().predict_one("yes", features=as_turns(talk)[1][0])
    assert label in classifier.classes_
    top = classifier.session().top_k_one("yes", k=2, features=as_turns(talk)[1][0])
    assert len(top) == 2


@pytest.mark.parametrize(
    ("features", "error", "message"),
    [
        (None, ValueError, "features=None, but a turn needs the values of .*'price'"),
        ({"price": 1.0}, ValueError, r"features has no \['channel', 'when', 'flag', 'same'\]"),
        ([{}, {}], ValueError, "features has 2 rows, but there are 1 turns"),
        ("web", TypeError, "features='web' must be a dict"),
        ([3.0], TypeError, r"features=\[3.0\] must be a dict"),
        (dict.fromkeys(NAMES, "x"), ValueError, "column 'price' of X has 'x' in row 0"),
        (dict.fromkeys(NAMES, np.inf), ValueError, "column 'price' of X has inf in row 0"),
    ],
)
def test_wrong_features_of_a_turn_are_named(classifier, features, error, message):
    """Check the message, and that the session stays as it was."""
    session = classifier.session()
    with pytest.raises(error, match=message):
        session.predict_one("yes", features=features)
    assert session.n_turns_ == 0


def test_features_without_columns_are_refused():
    """Check a model that was fitted without feature_columns."""
    session = small(**ROLES).fit(FRAME, CLASSES).session()
    with pytest.raises(ValueError, match="the classifier was fitted without feature_columns"):
        session.predict_one("yes", features={"price": 1.0})


# --- explanations


def test_contributions_of_columns_add_up(classifier):
    """Check a line for each column of each row, and the sum of all lines."""
    explanation = classifier.explain(FRAME, rows=[1, 5], target="a")
    columns = explanation[explanation["source"] == "column"]
    assert columns["feature"].tolist() == NAMES * 2
    assert columns["from_row"].tolist() == [1] * 5 + [5] * 5
    assert columns.set_index("feature")["contribution"]["same"].tolist() == [0, 0]
    p = classifier.predict_proba(FRAME)[[1, 5], 0]
    sums = explanation.groupby("row")["contribution"].sum()
    alone = np.log(p / (1 - p)) - sums
    assert np.ptp(alone) < 2e-3
    left_out = classifier.explain(FRAME, rows=[1], method="leave_one_out")
    assert (left_out["source"] == "column").sum() == 5


# --- wrong input


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ([], ValueError, r"feature_columns=\[\] is empty"),
        (["price", "price"], ValueError, "names {'price'} twice"),
        (["price", "text"], ValueError, "has 'text', but text_column='text'"),
        ("talk", ValueError, "has 'talk', but group_column='talk'"),
        (["prize", "color"], ValueError, r"feature_columns has \['prize', 'color'\], which X"),
        ({"price": "number"}, TypeError, "must be a list of the names of columns"),
        (3, TypeError, "feature_columns=3 must be a list"),
        ([["price"]], TypeError, r"feature_columns has \['price'\], but must be a list"),
    ],
)
def test_wrong_names_of_columns_are_named(columns, error, message):
    """Check the message for each mistake."""
    with pytest.raises(error, match=message):
        small(**ROLES, feature_columns=columns).fit(FRAME, CLASSES)


def test_columns_need_a_frame_with_texts():
    """Check lists, matrices, frames of numbers, and no column left."""
    clf = small(feature_columns=["price"])
    with pytest.raises(ValueError, match=r"feature_columns=\['price'\] needs X to be a DataFrame"):
        clf.fit(FRAME["text"].tolist(), CLASSES)
    with pytest.raises(ValueError, match="are columns beside texts, but X has no column of texts"):
        clf.fit(FRAME[["price", "same"]], CLASSES)
    with pytest.raises(ValueError, match="feature_columns='rest' needs text_column"):
        small(feature_columns="rest").fit(FRAME, CLASSES)
    with pytest.raises(ValueError, match="'rest', but all columns of X, .* have a role"):
        small(**ROLES, feature_columns="rest").fit(FRAME[["text", "talk"]], CLASSES)
    with pytest.raises(ValueError, match="needs feature_columns, the columns to transform"):
        small(**ROLES, feature_transformer=StandardScaler()).fit(FRAME, CLASSES)


@pytest.mark.parametrize(
    ("target", "names"),
    [(CLASSES, "'target'"), (np.searchsorted(["a", "b", "c"], CLASSES) * 10, "'target'")],
    ids=["equal", "one to one"],
)
def test_the_target_among_the_rest_is_an_error(target, names):
    """Check a column that equals y or stands one to one with it, and a warning if it is named."""
    frame = FRAME.assign(target=target)
    with pytest.raises(ValueError, match=f"'rest' would read {names}, which stands one to one"):
        small(**ROLES, feature_columns="rest").fit(frame, CLASSES)
    with pytest.warns(UserWarning, match=f"feature_columns has {names}, which stands one to one"):
        small(**ROLES, feature_columns=["price", "target"]).fit(frame, CLASSES)


def test_few_rows_or_one_class_may_tell_the_class_by_chance():
    """Check that a chunk of one class, and 19 rows, are no reason for an error."""
    clf = small(**ROLES, feature_columns="rest")
    clf.partial_fit(FRAME, ["a"] * N_ROWS, ["a", "b"])
    few = FRAME[["text", "talk"]].assign(side=["x", "y"] * 40)[:19]
    small(**ROLES, feature_columns="rest").fit(few, (["a", "b"] * 10)[:19])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"price": np.inf}, "column 'price' of X has inf in row 0, but finite numbers"),
        ({"price": 1e39}, "column 'price' of X has 1e.39 in row 0"),
        ({"price": [1.0] * 79 + ["cheap"]}, "'price' of X has 'cheap' in row 79, but it has num"),
        ({"when": "soon"}, "column 'when' of X has 'soon' in row 0, but it has dates in fit"),
        ({"flag": "yes"}, "column 'flag' of X has 'yes' in row 0, but it has numbers in fit"),
    ],
)
def test_wrong_values_in_predict_are_named(classifier, change, message):
    """Check that column, value and row are named."""
    with pytest.raises(ValueError, match=message):
        classifier.predict(FRAME.assign(**change))


def test_missing_columns_in_predict_are_named(classifier):
    """Check that all of them are named."""
    message = r"feature_columns has \['price', 'when'\], which X, .* add them to X, as in fit"
    with pytest.raises(ValueError, match=message):
        classifier.predict(FRAME.drop(columns=["price", "when"]))


def test_unseen_values_in_predict_are_legal():
    """Check missing numbers where there were none, unknown categories, and ints for floats."""
    frame = FRAME.assign(price=1.5, flag=FRAME["flag"].astype(float))
    clf = small(**ROLES, feature_columns=["price", "channel", "flag"]).fit(frame, CLASSES)
    expected = clf.predict_proba(
        frame.assign(flag=clf._model.reader.dense.columns.columns[2].medians[0])
    )
    assert_array_equal(clf.predict_proba(frame.assign(flag=None)), expected)
    zeros = clf.predict_proba(frame.assign(channel="fax"))
    assert_array_equal(clf.predict_proba(frame.assign(channel=7)), zeros)
    ints = frame.assign(flag=frame["flag"].astype(int))
    assert_array_equal(clf.predict_proba(ints), clf.predict_proba(frame))


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (range(N_ROWS * 3), ValueError, "240 different values, and the 49 most frequent ones are"),
        (["x", 1] * 120, TypeError, r"'x' \(str\), 1 \(int\), but numbers, strings or dates alone"),
        ([[1]] * 240, TypeError, r"column 'odd' of X has values such as \[1\] \(list\)"),
        ([b"x"] * 240, TypeError, r"column 'odd' of X has values such as b'x' \(bytes\)"),
    ],
    ids=["texts", "mixed", "lists", "bytes"],
)
def test_columns_of_other_kinds_are_refused(values, error, message):
    """Check texts, mixed types, lists and bytes."""
    values = [f"text {row}" for row in values] if isinstance(values, range) else values
    frame = pd.concat([FRAME] * 3, ignore_index=True).assign(odd=values)
    with pytest.raises(error, match=message):
        small(**ROLES, feature_columns="odd").fit(frame, np.tile(CLASSES, 3))


def test_two_columns_of_one_name_are_named():
    """Check duplicates in the frame."""
    frame = pd.concat([FRAME, FRAME[["price"]]], axis=1)
    with pytest.raises(ValueError, match="X has 2 columns named 'price'"):
        small(**ROLES, feature_columns=["price"]).fit(frame, CLASSES)


@pytest.mark.parametrize(
    "plain",
    [
        [{"name": "a"}],
        [{"name": "a", "medians": ["x"], "has_missing": False, "first": None}],
        [{"name": "a", "categories": [[]], "has_others": False}],
        3,
    ],
)
def test_forged_files_are_refused(plain):
    """Check that wrong parts of columns raise, which load reports as ModelFileError."""
    with pytest.raises((TypeError, ValueError, KeyError), match="."):
        from_plain(plain)
    assert issubclass(ModelFileError, ValueError)


# --- files, streams and the chat


def test_fit_parquet_refuses_columns(tmp_path):
    """Check that the columns are not ignored in silence."""
    with pytest.raises(ValueError, match=r"feature_columns='rest' is not supported by fit_parquet"):
        fit_parquet(small(**ROLES, feature_columns="rest"), tmp_path)


def test_the_chat_refuses_columns(classifier):
    """Check that a model with columns is refused before the first turn."""
    with pytest.raises(ValueError, match="reads the columns .*'price'.* which cannot be typed"):
        Chat(classifier, None)


def test_frame_predictors_read_columns(classifier):
    """Check that the columns are among those that distributed predictions read."""
    predictor = FramePredictor(classifier, columns=["talk"])
    found = predictor(FRAME)
    assert_array_equal(found["prediction"], classifier.predict(FRAME))
    with pytest.raises(ValueError, match=r"\['price'\] are needed"):
        predictor(FRAME.drop(columns="price"))


# --- accuracy


def make_reviews(kind, seed, n_rows=3000):
    """Return texts of a good or bad word among others, a column that matters too, and classes."""
    random = np.random.RandomState(seed)
    is_good, share = random.randint(2, size=n_rows), random.rand(n_rows)
    level = random.randint(8, size=n_rows)
    words = np.where(is_good, random.choice(["good", "fine"], n_rows), "bad")
    texts = [" ".join([*random.choice(200, 3).astype(str), word]) for word in words]
    columns = {
        "nothing": None,
        "raw": 1000 + 5000 * share,
        "scaled": (share - 0.5) / share.std(),
        "one-hot": np.array([f"level {number}" for number in level]),
        "constant": np.full(n_rows, 7.0),
    }
    score = 4.0 * (2 * is_good - 1)
    score += 12 * (share - 0.5) if kind in ("raw", "scaled") else 0
    score += 4.0 * (level - 3.5) / 2 if kind == "one-hot" else 0
    labels = np.where(random.logistic(size=n_rows) < score, "buy", "leave")
    frame = pd.DataFrame({"text": texts, "talk": np.arange(n_rows) // 10})
    return (frame if kind == "nothing" else frame.assign(column=columns[kind])), labels


def score_logistic(train, labels, test, test_labels):
    """Return the accuracy of logistic regression on TF-IDF and the same columns."""
    column = make_pipeline(SimpleImputer(), StandardScaler())
    if "column" in train and train["column"].dtype.kind != "f":
        column = OneHotEncoder(handle_unknown="ignore")
    parts = [(TfidfVectorizer(), "text")] + [(column, ["column"])] * ("column" in train)
    pipeline = make_pipeline(make_column_transformer(*parts), LogisticRegression(max_iter=1000))
    search = GridSearchCV(pipeline, {"logisticregression__C": [0.3, 1, 3, 10]}, cv=3)
    return search.fit(train, labels).score(test, test_labels)


@pytest.mark.slow
@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("kind", ["nothing", "raw", "scaled", "one-hot", "constant"])
def test_columns_are_as_good_as_in_logistic_regression(kind, grouped):
    """Check that each kind of column is within 1.5 points of it, mean of two seeds."""
    gains = []
    for seed in range(2):
        frame, labels = make_reviews(kind, seed)
        parts = frame[:2000], labels[:2000], frame[2000:], labels[2000:]
        clf = ContextMemoryClassifier(
            text_column="text",
            group_column="talk" if grouped else None,
            feature_columns=None if kind == "nothing" else ["column"],
            random_state=seed,
        )
        ours = clf.fit(*parts[:2]).score(*parts[2:])
        gains.append(ours - score_logistic(*parts))
    assert np.mean(gains) > -0.015


def make_answers(n_rows, seed):
    """Return rows whose class is told by the text of the row before and a price of their own."""
    random = np.random.RandomState(seed)
    side, price = random.randint(2, size=n_rows), random.rand(n_rows)
    noise = random.randint(100, size=(n_rows, 2))
    texts = [
        f"w{first} {['left', 'right'][way]} w{last}"
        for way, (first, last) in zip(side, noise, strict=True)
    ]
    before = np.concatenate([[0], side[:-1]])
    before[::10] = 0
    frame = pd.DataFrame({"text": texts, "talk": np.arange(n_rows) // 10, "price": 1000 * price})
    return frame, np.where(before ^ (price > 0.5), "yes", "no")


@pytest.mark.slow
def test_text_number_and_the_row_before_tell_together_what_none_tells_alone():
    """Check accuracy above .95, and at most .6 without the column or without context."""
    train, test = make_answers(3000, 0), make_answers(1000, 1)
    settings = ROLES | {"max_epochs": 8, "random_state": 0}
    scores = [
        ContextMemoryClassifier(**settings, **params).fit(*train).score(*test)
        for params in (
            {"feature_columns": ["price"]},
            {},
            {"feature_columns": ["price"], "context": "none"},
        )
    ]
    assert scores[0] > 0.95
    assert max(scores[1:]) < 0.6


@pytest.mark.parametrize("with_groups", [False, True])
@pytest.mark.parametrize("is_dense", [False, True])
@pytest.mark.parametrize("parts", ["columns", "vectors", "both"])
def test_all_blocks_of_features_go_together(parts, is_dense, with_groups):
    """Check sparse or dense features of texts beside columns, vectors and both."""
    frame = make_frame(240)
    target = np.where(frame["text"] == "maybe", "unsure", "sure")
    to_dense = make_pipeline(TfidfVectorizer(), TruncatedSVD(3, random_state=0))
    options = {"text_column": "text", "vectorizer": to_dense if is_dense else None}
    if parts != "vectors":
        options["feature_columns"] = NAMES
    if parts != "columns":
        options["embedder"] = lambda texts: np.array([[len(text), 1.0] for text in texts])
    if with_groups:
        options["group_column"] = "talk"
    clf = ContextMemoryClassifier(**options, random_state=0, max_epochs=2, hidden_size=16)
    clf.fit(frame, target)
    assert clf.score(frame, target) == 1
    lines = clf.explain(frame[:4], target="sure")
    alone = clf.decision_function(frame[:4]) + lines.groupby("row")["contribution"].sum()
    assert np.ptp(alone) < 2e-3  # unsure is the second class


def test_a_fit_reads_the_output_of_fit_transform():
    """Check a transformer whose output for training rows has the other sign, as a Pipeline does."""

    class Flipped(StandardScaler):
        def fit_transform(self, X, y=None):
            return -self.fit(X, y).transform(X)

    frame = make_frame(400)[["text"]].assign(flag=np.arange(400) % 4)
    target = np.where(frame["flag"] >= 2, "a", "b")
    options = {"text_column": "text", "feature_columns": ["flag"], "max_epochs": 4}
    clf = small(**options, feature_transformer=Flipped()).fit(frame, target)
    assert clf.score(frame, target) == 0
    assert (
        small(**options, feature_transformer=StandardScaler())
        .fit(frame, target)
        .score(frame, target)
        == 1
    )


def test_a_fit_embeds_once_even_if_nothing_can_be_kept():
    """Check the number of texts that are embedded where the cache has no room."""
    n_texts = []

    def embed(texts):
        n_texts.append(len(texts))
        return np.array([[len(text), 1.0] for text in texts])

    frame = make_frame()
    embedder = CachedEmbedder(embed, max_bytes=0)
    small(text_column="text", embedder=embedder).fit(frame, np.arange(N_ROWS) % 2)
    assert sum(n_texts) == len(PROBES) + frame["text"].nunique()


@pytest.mark.parametrize("n_rows", [60, 250])  # penalties are chosen from 200 rows on
def test_a_flag_may_be_constant_in_the_first_chunk(n_rows):
    """Check that later chunks teach what a flag tells that no row of the first one has."""
    random = np.random.RandomState(0)
    y = random.randint(2, size=5 * n_rows)
    frame = pd.DataFrame({"text": random.choice(["one", "two"], len(y)), "paid": y == 1})
    frame.loc[: n_rows - 1, "paid"] = False
    clf = ContextMemoryClassifier(text_column="text", feature_columns=["paid"], random_state=0)
    for first in list(range(0, 5 * n_rows, n_rows)) * (250 // n_rows):
        rows = slice(first, first + n_rows)
        clf.partial_fit(frame[rows], y[rows], classes=[0, 1])
    assert clf.score(frame[n_rows:], y[n_rows:]) > 0.95
