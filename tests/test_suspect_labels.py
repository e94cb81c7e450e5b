"""Tests of suspect_labels."""

import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations
from sk_ctxmem.inspection import suspect_labels

WORDS = {"red": "apple cherry brick", "blue": "sky sea berry", "green": "grass leaf pea"}


@pytest.fixture
def flipped():
    """Return texts, their labels, labels of which six are wrong, and the positions of these."""
    random = np.random.RandomState(0)
    labels = random.choice(list(WORDS), 150)
    texts = [" ".join(random.choice(WORDS[label].split(), 3)) for label in labels]
    wrong = random.choice(150, 6, replace=False)
    others = {"red": "blue", "blue": "green", "green": "red"}
    given = labels.copy()
    given[wrong] = [others[label] for label in labels[wrong]]
    return texts, labels, given, np.sort(wrong)


@pytest.fixture
def pipeline():
    """Return a scikit-learn text classifier."""
    return make_pipeline(TfidfVectorizer(), LogisticRegression())


def test_wrong_labels_come_first_with_the_right_ones_suggested(pipeline, flipped):
    """Check rows, labels, suggestions and order of the DataFrame."""
    texts, truth, given, wrong = flipped
    table = suspect_labels(pipeline, texts, given)
    assert list(table) == ["row", "label", "suggested", "quality", "is_suspect"]
    first = table.head(6)
    assert sorted(first["row"]) == wrong.tolist()
    assert first["label"].tolist() == given[first["row"]].tolist()
    assert first["suggested"].tolist() == truth[first["row"]].tolist()
    assert table["is_suspect"].tolist() == [True] * 6 + [False] * 144
    assert table["quality"].is_monotonic_increasing
    assert table["quality"].between(0, 1).all()
    assert sorted(table["row"]) == list(range(150))
    agreed = table.iloc[6:]
    assert (agreed["label"] == agreed["suggested"]).all()


def test_quality_is_the_probability_by_a_model_of_other_rows(pipeline, flipped):
    """Check the numbers against cross_val_predict of scikit-learn."""
    texts, _, given, _ = flipped
    table = suspect_labels(pipeline, texts, given, cv=4).sort_values("row")
    proba = cross_val_predict(pipeline, texts, given, cv=StratifiedKFold(4), method="predict_proba")
    columns = np.searchsorted(np.unique(given), given)
    np.testing.assert_allclose(table["quality"], proba[np.arange(150), columns])


@pytest.mark.parametrize(
    "kind",
    [list, tuple, np.array, pd.Series, lambda texts: pd.Series(texts, index=range(5, 155))],
)
def test_every_kind_of_texts_gives_the_same(pipeline, flipped, kind):
    """Check lists, arrays and Series, whose index is ignored."""
    texts, _, given, _ = flipped
    expected = suspect_labels(pipeline, texts, given)
    found = suspect_labels(pipeline, kind(texts), pd.Series(given, index=range(7, 157)))
    pd.testing.assert_frame_equal(found, expected)


def test_features_dense_and_sparse_give_the_same(flipped):
    """Check arrays and sparse matrices."""
    texts, _, given, _ = flipped
    features = TfidfVectorizer().fit_transform(texts)
    sparse_ones = suspect_labels(LogisticRegression(), sparse.coo_array(features), given)
    dense_ones = suspect_labels(LogisticRegression(), features.toarray(), given)
    pd.testing.assert_series_equal(sparse_ones["row"], dense_ones["row"])


@pytest.mark.parametrize(
    "method", ["self_confidence", "normalized_margin", "confidence_weighted_entropy"]
)
def test_every_method_finds_them(pipeline, flipped, method):
    """Check all three scores of cleanlab, and that they differ."""
    texts, _, given, wrong = flipped
    table = suspect_labels(pipeline, texts, given, method=method)
    assert sorted(table["row"].head(6)) == wrong.tolist()
    if method != "self_confidence":
        usual = suspect_labels(pipeline, texts, given)
        assert not np.allclose(usual["quality"], table["quality"])


def test_the_estimator_stays_as_it_is(pipeline, flipped):
    """Check that only clones are fitted, and that the same call gives the same DataFrame."""
    texts, _, given, _ = flipped
    state = np.random.get_state()[1].copy()
    first = suspect_labels(pipeline, texts, given)
    assert not hasattr(pipeline[-1], "coef_")
    pd.testing.assert_frame_equal(first, suspect_labels(pipeline, texts, given))
    assert (np.random.get_state()[1] == state).all()


class Spy(MultinomialNB):
    """Classifier that records the groups of each call."""

    noted: list = []

    def fit(self, X, y, sample_weight=None, groups=None):
        self.noted.append(set(groups))
        return super().fit(X, y, sample_weight)

    def predict_proba(self, X, groups=None):
        self.noted.append(set(groups))
        return super().predict_proba(X)


def test_groups_are_never_cut_and_reach_the_estimator():
    """Check the groups of the training and test rows of each fold."""
    random = np.random.RandomState(0)
    X, y, groups = random.rand(60, 3), random.randint(0, 2, 60), np.arange(60) // 4
    Spy.noted.clear()
    suspect_labels(Spy(), X, y, groups=[("call", number) for number in groups])
    assert len(Spy.noted) == 10
    for trained, asked in zip(Spy.noted[::2], Spy.noted[1::2], strict=True):
        assert trained & asked == set()
        assert trained | asked == {("call", number) for number in range(15)}


def test_the_group_column_of_an_estimator_decides(monkeypatch):
    """Check that group_column keeps conversations whole, alone and in a pipeline."""
    talks = make_conversations(30, random_state=0)
    cut = []
    fit = ContextMemoryClassifier.fit

    def spy(self, X, y, **options):
        cut.append(set(X["group"]))
        return fit(self, X, y, **options)

    monkeypatch.setattr(ContextMemoryClassifier, "fit", spy)
    roles = {"text_column": "text", "group_column": "group"}
    classifier = ContextMemoryClassifier(hidden_size=8, max_epochs=1, random_state=0, **roles)
    for estimator in (classifier, make_pipeline("passthrough", classifier)):
        cut.clear()
        table = suspect_labels(estimator, talks.data, talks.target, cv=3)
        assert len(cut) == 3
        assert sum(map(len, cut)) == 2 * 30  # each group is in the training part of two folds
        assert table["quality"].notna().all()


@pytest.mark.slow
def test_flipped_turns_of_conversations_are_found():
    """Check a classifier with memory; without memory it finds few of them."""
    talks = make_conversations(150, random_state=0)
    random = np.random.RandomState(0)
    wrong = random.choice(len(talks.target), len(talks.target) // 20, replace=False)
    given = talks.target.copy()
    given[wrong] = np.roll(talks.target_names, 1)[np.searchsorted(talks.target_names, given[wrong])]
    frame = talks.data
    classifier = ContextMemoryClassifier(random_state=0, context="past")
    table = suspect_labels(classifier, frame["text"], given, groups=frame["group"])
    share = np.isin(wrong, table["row"].head(len(given) // 10)).mean()
    assert share > 0.9
    alone = suspect_labels(classifier.set_params(context="none"), frame["text"], given, cv=2)
    assert np.isin(wrong, alone["row"].head(len(given) // 10)).mean() < 0.7


def test_rows_of_classes_without_training_rows_come_last(pipeline, flipped):
    """Check that the only row of a class gets no score, without a warning."""
    texts, _, given, wrong = flipped
    texts, given = [*texts, "rose"], np.append(given.astype(object), "pink")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = suspect_labels(pipeline, texts, given)
    last = table.iloc[-1]
    assert (last["row"], last["label"]) == (150, "pink")
    assert np.isnan(last["quality"])
    assert not last["is_suspect"]
    assert sorted(table["row"].head(6)) == wrong.tolist()


def test_rows_get_no_score_if_no_class_has_training_rows():
    """Check folds that each have all rows of a class."""
    table = suspect_labels(MultinomialNB(), np.ones((4, 1)), [0, 0, 1, 1], cv=KFold(2))
    assert table["quality"].isna().all()
    assert not table["is_suspect"].any()


def test_folds_of_the_user_are_used(pipeline, flipped):
    """Check that a splitter gets the groups."""
    texts, _, given, wrong = flipped
    groups = np.arange(150) % 10
    table = suspect_labels(pipeline, texts, given, groups=groups, cv=GroupKFold(5))
    assert sorted(table["row"].head(6)) == wrong.tolist()


def test_folds_must_cover_each_row_once(pipeline, flipped):
    """Check the error for a splitter that leaves rows out."""
    texts, _, given, _ = flipped
    with pytest.raises(ValueError, match=r"has row \d+ in \d test folds.*such as cv=5"):
        suspect_labels(pipeline, texts, given, cv=ShuffleSplit(2, random_state=0))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"estimator": TfidfVectorizer()}, TypeError, "must have fit and predict_proba"),
        ({"method": "margin"}, ValueError, "method='margin' must be 'self_confidence' or"),
        ({"y": ["red"] * 150}, ValueError, "y has only one class"),
        ({"y": ["red", None] * 75}, ValueError, "y has no label in row 1"),
        ({"y": ["red", "blue"] * 74}, ValueError, "inconsistent numbers of samples"),
        ({"groups": [1] * 3}, ValueError, "inconsistent numbers of samples"),
    ],
)
def test_wrong_arguments_are_named(pipeline, flipped, changes, error, message):
    """Check the error messages."""
    texts, _, given, _ = flipped
    arguments = {"estimator": pipeline, "X": texts, "y": given} | changes
    with pytest.raises(error, match=message):
        suspect_labels(**arguments)


def test_missing_cleanlab_is_named_with_the_command(pipeline, flipped, monkeypatch):
    """Check the message if the extra is not installed."""
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(
        ImportError, match=r'suspect_labels needs cleanlab.*: pip install "sk-ctxmem\[labels\]"'
    ):
        suspect_labels(pipeline, flipped[0], flipped[2])


def test_nothing_is_printed(pipeline, flipped, capfd):
    """Check that nothing is written to the terminal."""
    suspect_labels(pipeline, flipped[0], flipped[2])
    assert capfd.readouterr() == ("", "")
