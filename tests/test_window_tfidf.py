"""Tests of WindowTfidfVectorizer."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from _polars import polars_from_pandas
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from sk_ctxmem import MissingGroupsWarning, WindowTfidfVectorizer
from sk_ctxmem.comparison import lacks_spaces

FRAME = pd.DataFrame(
    {
        "call": ["b", "a", "b", "a", "b"],
        "text": ["three", "ten", "one", "twenty", "two"],
        "turn": [30, 1, 10, 2, 20],
        "unread": [1.0, np.nan, 2.0, 3.0, 4.0],
    }
)
COLUMNS = {"text_column": "text", "group_column": "call", "order_column": "turn"}


class LengthOfText(CountVectorizer):
    """A dense vectorizer of one column, the number of characters."""

    def fit_transform(self, texts, y=None):
        return self.transform(texts)

    def transform(self, texts):
        return np.array([[float(len(text))] for text in texts])

    def get_feature_names_out(self, input_features=None):
        return np.array(["n"], dtype=object)


def lengths_in_window(frame=FRAME, window=(2, 2), **columns):
    """Return the lengths of the texts in the window of each row."""
    columns = COLUMNS | columns
    vectorizer = WindowTfidfVectorizer(window, vectorizer=LengthOfText(), **columns)
    return vectorizer.fit_transform(frame).toarray().astype(int).tolist()


def test_window_is_the_row_and_its_neighbours_in_the_group():
    """Check that the order column decides in groups that are not adjacent, zero at their ends."""
    assert lengths_in_window() == [
        [3, 3, 5, 0, 0],
        [0, 0, 3, 6, 0],
        [0, 0, 3, 3, 5],
        [0, 3, 6, 0, 0],
        [0, 3, 3, 5, 0],
    ]


def test_without_order_rows_stand_in_the_order_of_X():
    """Check that the place in the frame decides, and that the two sides may differ."""
    expected = [[5, 3], [3, 6], [3, 3], [6, 0], [3, 0]]
    assert lengths_in_window(window=(0, 1), order_column=None) == expected


def test_window_of_a_single_row_is_the_row():
    """Check that frames shorter than the window work."""
    assert lengths_in_window(FRAME[:1]) == [[0, 0, 5, 0, 0]]


def test_the_middle_block_is_tfidf():
    """Check against scikit-learn's vectorizer on the rows alone, of rows with other words too."""
    features = WindowTfidfVectorizer((1, 1), **COLUMNS).fit(FRAME[:4])
    alone = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]")
    alone.fit(FRAME["text"][:4])
    found = features.transform(FRAME)
    assert sparse.issparse(found)
    assert found.shape == (5, 12)
    assert_array_equal(found[:, 4:8].toarray(), alone.transform(FRAME["text"]).toarray())
    assert found[4].nnz == 2  # "two" is unknown, its neighbours are not
    names = features.get_feature_names_out().tolist()
    assert names[::4] == ["-1__one", "0__one", "+1__one"]


def test_without_groups_rows_are_read_alone():
    """Check the warning, and that the features are those of the rows without a window."""
    texts = FRAME["text"].tolist()
    with pytest.warns(MissingGroupsWarning, match="group_column is None: each row is read alone"):
        features = WindowTfidfVectorizer().fit_transform(texts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = WindowTfidfVectorizer((0, 0)).fit_transform(texts)
    assert_array_equal(features.toarray(), expected.toarray())


def test_frames_of_other_libraries_give_the_same():
    """Check a frame of polars, and that groups of predict need not be those of fit."""
    features = WindowTfidfVectorizer(**COLUMNS)
    expected = features.fit_transform(FRAME)
    found = features.transform(polars_from_pandas(FRAME))
    assert_array_equal(found.toarray(), expected.toarray())
    others = features.transform(FRAME.assign(call=FRAME["call"] + "!"))
    assert_array_equal(others.toarray(), expected.toarray())


def test_chinese_texts_are_told_by_their_characters():
    """Check that Chinese gets character features, and English with a foreign word does not."""
    chinese = ["房间很干净,服务也好 OK", "距离川沙公路较近"]
    assert lacks_spaces(chinese)
    assert not lacks_spaces(pd.Series(["the word 房间 means room", "nothing else"]))
    assert WindowTfidfVectorizer((0, 0)).fit(chinese).vectorizer_.analyzer == "char"


def test_clones_and_pickles_and_repeated_fits():
    """Check that a copy converts alike, and that fit leaves the vectorizer of the user alone."""
    given = TfidfVectorizer(min_df=2)
    features = WindowTfidfVectorizer(vectorizer=given, **COLUMNS)
    copy = clone(features).fit(pd.concat([FRAME, FRAME.assign(call="c")]))
    found = pickle.loads(pickle.dumps(copy)).transform(FRAME)
    assert_array_equal(found.toarray(), copy.transform(FRAME).toarray())
    assert not hasattr(given, "vocabulary_")
    assert copy.fit(FRAME.assign(text="one one")).transform(FRAME).shape == (5, 5)


def test_a_pipeline_is_searched_by_group():
    """Check that GridSearchCV sets the window, and finds that the answer needs the row before."""
    texts = ["sing", "yes", "jump", "yes"] * 10
    X = pd.DataFrame({"text": texts, "call": np.repeat(np.arange(20), 2)})
    y = ["sing", "sung", "jump", "jumped"] * 10
    features = WindowTfidfVectorizer(text_column="text", group_column="call")
    pipeline = make_pipeline(features, LogisticRegression(C=100))
    grid = {"windowtfidfvectorizer__window": [(0, 0), (1, 0)]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(5)).fit(X, y, groups=X["call"])
    assert search.best_params_ == {"windowtfidfvectorizer__window": (1, 0)}
    assert search.best_score_ == 1.0
    assert search.cv_results_["mean_test_score"][0] < 0.8


def test_it_passes_the_checks_of_sklearn():
    """Check that it passes what scikit-learn checks of a vectorizer that takes texts alone."""
    with pytest.warns(SkipTestWarning, match="requires input"):
        check_estimator(WindowTfidfVectorizer())


def test_frames_of_sparse_columns_are_refused_as_elsewhere():
    """Check that set_output leaves sparse features, or says why not."""
    features = WindowTfidfVectorizer(**COLUMNS).set_output(transform="default")
    assert sparse.issparse(features.fit_transform(FRAME))
    with pytest.raises(ValueError, match="outputs a scipy sparse matrix"):
        features.set_output(transform="pandas").fit_transform(FRAME)


@pytest.mark.parametrize(
    ("window", "error"),
    [(-1, TypeError), (2, TypeError), ((1, 2, 3), TypeError), ("22", TypeError)]
    + [((1.0, 2), TypeError), ((True, 1), TypeError), (None, TypeError), ((2, -1), ValueError)],
)
def test_wrong_windows_are_named(window, error):
    """Check numbers, other lengths, floats and negative sizes."""
    with pytest.raises(error, match="must be a pair of integers of at least 0"):
        WindowTfidfVectorizer(window, **COLUMNS).fit(FRAME)


@pytest.mark.parametrize(
    ("X", "columns", "message"),
    [
        (FRAME, {"group_column": "conversation"}, "'conversation' is not a column of X"),
        (FRAME, {"text_column": "call"}, "A column can have one role only"),
        (FRAME, {"text_column": "unread"}, "of type float64 in row 0, but a str was expected"),
        (FRAME.assign(call=None), {}, "has no value in row 0"),
        (
            FRAME.assign(text=pd.Series([None, *"abcd"], dtype=object)),
            {},
            "in row 0: None; drop the",
        ),
        (FRAME.assign(text=[np.nan, *"abcd"]), {}, "has no text in row 0: nan"),
        (FRAME.assign(text=""), {}, "empty vocabulary"),
        (FRAME["text"].tolist(), {}, "needs X to be a DataFrame, but X is a list"),
        (FRAME[:0], {}, "is empty"),
    ],
)
def test_wrong_frames_are_named(X, columns, message):
    """Check missing columns, missing values, and texts where a frame is needed."""
    with pytest.raises((TypeError, ValueError), match=message):
        WindowTfidfVectorizer(**COLUMNS | columns).fit(X)


def test_other_wrong_input_is_named():
    """Check numbers, sequences, a class for a vectorizer, another X in transform, and no fit."""
    alone = WindowTfidfVectorizer((0, 0))
    with pytest.raises(TypeError, match="X contains numbers, but texts are expected"):
        alone.fit(np.ones((3, 2)))
    with pytest.raises(ValueError, match="X contains 2 sequences, but rows are expected"):
        alone.fit([["a", "b"], ["c"]])
    with pytest.raises(TypeError, match="must be a vectorizer of texts"):
        WindowTfidfVectorizer((0, 0), vectorizer=TfidfVectorizer).fit(["a b"])
    with pytest.raises(NotFittedError, match="not fitted yet"):
        alone.transform(["a b"])
    with pytest.raises(ValueError, match="'call' is not a column of X"):
        WindowTfidfVectorizer(**COLUMNS).fit(FRAME).transform(FRAME.drop(columns="call"))
