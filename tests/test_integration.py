"""Tests with the tools of scikit-learn, on real text."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    StratifiedGroupKFold,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    train_test_split,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem.exceptions import MissingGroupsWarning

FRAME = {"text_column": "text", "group_column": "group"}


def small(**params):
    """Return a classifier that fits in half a second."""
    settings = {"hidden_size": 32, "max_epochs": 3, "random_state": 0}
    return ContextMemoryClassifier(**(settings | params))


def linear():
    """Return a classifier of the column text without memory."""
    texts = ColumnTransformer([("tfidf", TfidfVectorizer(), "text")])
    return make_pipeline(texts, LogisticRegression())


@pytest.fixture(scope="module")
def rows(docstrings):
    """Real text: the lines of some 30 docstrings."""
    first = docstrings["group"].drop_duplicates().iloc[:30]
    return docstrings[docstrings["group"].isin(first)]


@pytest.fixture(scope="module")
def X(rows):
    """Return the columns of the input."""
    return rows[["text", "group"]]


@pytest.fixture(scope="module")
def y(rows):
    """Return the sections."""
    return rows["target"]


@pytest.fixture(scope="module")
def folds(X, y):
    """Return two folds that cut no docstring."""
    return list(StratifiedGroupKFold(2).split(X, y, X["group"]))


@pytest.fixture(scope="module")
def majority(y):
    """Return the share of the most frequent section."""
    return y.value_counts(normalize=True).iloc[0]


@pytest.fixture(scope="module")
def halves(docstrings):
    """Return the rows to train and to test on, cut between docstrings."""
    splitter = StratifiedGroupKFold(2)
    train, test = next(splitter.split(docstrings, docstrings["target"], docstrings["group"]))
    return docstrings.iloc[train], docstrings.iloc[test]


# --- pipelines


def test_pipeline_with_tfidf_beats_the_majority_on_other_docstrings(X, y, folds, majority):
    """Check that the classifier stands where logistic regression stood, with groups= in fit."""
    train, test = folds[0]
    pipeline = make_pipeline(TfidfVectorizer(sublinear_tf=True), small())
    groups = X["group"].iloc[train]
    pipeline.fit(X["text"].iloc[train], y.iloc[train], contextmemoryclassifier__groups=groups)
    predicted = pipeline.predict(X["text"].iloc[test], groups=X["group"].iloc[test])
    assert (predicted == y.iloc[test]).mean() > majority + 0.1


@pytest.mark.parametrize("params", [{}, {"memory": "elman", "word_memory": True}], ids=str)
@pytest.mark.parametrize("grouped", [False, True])
def test_vectorizer_as_a_step_of_its_own_is_the_same_model(rows, params, grouped):
    """Check that a Pipeline with TextSequenceVectorizer predicts the same to the last bit."""
    rows = rows.iloc[:300]
    groups = rows["group"] if grouped else None
    alone = small(max_epochs=2, **params).fit(rows["text"], rows["target"], groups=groups)
    pipeline = make_pipeline(TextSequenceVectorizer(), small(max_epochs=2, **params))
    pipeline.fit(rows["text"], rows["target"], contextmemoryclassifier__groups=groups)
    sequences = pipeline[0].transform(rows["text"])
    assert_array_equal(
        pipeline[1].predict_proba(sequences, groups=groups),
        alone.predict_proba(rows["text"], groups=groups),
    )
    assert_array_equal(
        pipeline.predict(rows["text"], groups=groups), alone.predict(rows["text"], groups=groups)
    )


def test_default_classifier_is_the_pipeline_with_the_default_vectorizer(rows):
    """Check that ContextMemoryClassifier() on texts is the pipeline, with all its defaults."""
    texts, sections = rows["text"].tolist()[:200], rows["target"].tolist()[:200]
    alone = ContextMemoryClassifier(random_state=3).fit(texts, sections)
    pipeline = make_pipeline(TextSequenceVectorizer(), ContextMemoryClassifier(random_state=3))
    pipeline.fit(texts, sections)
    assert_array_equal(pipeline.predict_proba(texts), alone.predict_proba(texts))


def test_a_vectorizer_of_scikit_learn_inside_is_the_pipeline_with_it(rows):
    """Check that FeatureUnion gives the same as vectorizer and as a step."""
    rows = rows.iloc[:300]
    union = FeatureUnion(
        [
            ("words", TfidfVectorizer(sublinear_tf=True)),
            ("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3))),
        ]
    )
    inside = small(vectorizer=union)
    inside.fit(rows["text"], rows["target"], groups=rows["group"])
    step = make_pipeline(union, small())
    step.fit(rows["text"], rows["target"], contextmemoryclassifier__groups=rows["group"])
    assert_array_equal(
        step.predict_proba(rows["text"], groups=rows["group"]),
        inside.predict_proba(rows["text"], groups=rows["group"]),
    )
    n_features = sum(len(part.vocabulary_) for _, part in inside.vectorizer_.transformer_list)
    assert inside.vectorizer_.transform(["x"]).shape == (1, n_features)
    assert inside.score(rows["text"], rows["target"], groups=rows["group"]) > 0.7


def test_column_transformer_joins_texts_and_other_columns(halves):
    """Check that its output gives the same as features by hand, at least as logistic regression."""
    frame, other = (half.assign(length=half["text"].str.len()) for half in halves)
    columns = ColumnTransformer(
        [("tfidf", TfidfVectorizer(), "text"), ("length", StandardScaler(), ["length"])]
    )
    pipeline = make_pipeline(columns, small(max_epochs=4))
    pipeline.fit(frame, frame["target"], contextmemoryclassifier__groups=frame["group"])
    words = TfidfVectorizer().fit_transform(frame["text"])
    length = StandardScaler().fit_transform(frame[["length"]])
    by_hand = sparse.hstack([words, length], format="csr")
    expected = small(max_epochs=4).fit(by_hand, frame["target"], groups=frame["group"])
    assert_allclose(
        pipeline.predict_proba(frame, groups=frame["group"]),
        expected.predict_proba(by_hand, groups=frame["group"]),
        atol=1e-6,
    )
    assert pipeline[-1].n_features_in_ == words.shape[1] + 1
    predicted = pipeline.predict(other, groups=other["group"])
    regression = make_pipeline(columns, LogisticRegression()).fit(frame, frame["target"])
    level = regression.score(other, other["target"])
    assert (predicted == other["target"]).mean() > level - 0.01


# --- searches


def searched(search, X, y):
    """Return the results of a search that do not depend on time."""
    results = search.fit(X, y).cv_results_
    return {name: results[name] for name in results if "time" not in name}


GRIDS = {
    "default vectorizer": (
        small(max_epochs=1, **FRAME),
        {"memory": ["elman", "gru"], "vectorizer__ngram_range": [(1, 1), (1, 2)]},
    ),
    "steps": (
        Pipeline(
            [
                ("column", ColumnTransformer([("text", TfidfVectorizer(), "text")])),
                ("classify", small(max_epochs=1)),
            ]
        ),
        {
            "column__text": [TfidfVectorizer(), TfidfVectorizer(ngram_range=(1, 2))],
            "classify__memory": ["elman", "mingru"],
        },
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("estimator", "grid"), GRIDS.values(), ids=GRIDS)
def test_grid_search_gives_the_scores_of_each_candidate(X, y, folds, majority, estimator, grid):
    """Check each score of a search against a fit by hand, and that two processes agree."""
    search = GridSearchCV(estimator, grid, cv=folds)
    results = searched(search, X, y)
    assert len(results["params"]) == 4
    assert search.best_score_ > majority + 0.1
    (name, values), (other_name, other_values) = grid.items()
    candidate = {name: values[0], other_name: other_values[1]}
    number = results["params"].index(candidate)
    by_hand = cross_val_score(clone(estimator).set_params(**candidate), X, y, cv=folds)
    assert by_hand.tolist() == [results[f"split{fold}_test_score"][number] for fold in (0, 1)]
    best = clone(estimator).set_params(**search.best_params_).fit(X, y)
    assert_array_equal(search.predict_proba(X), best.predict_proba(X))
    in_processes = searched(GridSearchCV(estimator, grid, cv=folds, n_jobs=2), X, y)
    for key in ("split0_test_score", "split1_test_score", "rank_test_score"):
        assert_array_equal(in_processes[key], results[key])


@pytest.mark.slow
def test_halving_search_over_epochs_keeps_the_better_candidates(docstrings, majority):
    """Check that HalvingGridSearchCV spends more epochs on fewer, better candidates."""
    search = HalvingGridSearchCV(
        small(**FRAME),
        {"context": ["none", "past"], "learning_rate": [1e-6, 0.003]},
        resource="max_epochs",
        min_resources=2,
        max_resources=6,
        factor=3,
        cv=StratifiedGroupKFold(2),
        random_state=0,
    )
    search.fit(docstrings[["text", "group"]], docstrings["target"], groups=docstrings["group"])
    assert search.n_resources_ == [2, 6]
    assert search.n_candidates_ == [4, 2]
    expected = {"context": "past", "learning_rate": 0.003, "max_epochs": 6}
    assert search.best_params_ == expected
    assert search.best_score_ > majority + 0.3


# --- validation


@pytest.mark.slow
def test_cross_validation_beats_the_majority_on_other_docstrings(X, y, folds, majority):
    """Check that the group column serves the folds and the classifier alike."""
    cv = StratifiedGroupKFold(2)
    scores = cross_val_score(small(**FRAME), X, y, groups=X["group"], cv=cv)
    by_hand = [
        small(**FRAME).fit(X.iloc[train], y.iloc[train]).score(X.iloc[test], y.iloc[test])
        for train, test in folds
    ]
    assert scores.tolist() == by_hand
    assert scores.min() > majority + 0.1


@pytest.mark.slow
def test_memory_beats_no_context_in_cross_validation(docstrings, majority):
    """Check that cross_val_predict carries the groups inside X, where memory needs them."""
    accuracy = {}
    for context in ("past", "none"):
        predicted = cross_val_predict(
            small(context=context, max_epochs=6, **FRAME),
            docstrings[["text", "group"]],
            docstrings["target"],
            groups=docstrings["group"],
            cv=StratifiedGroupKFold(2),
        )
        accuracy[context] = (predicted == docstrings["target"]).mean()
    assert accuracy["past"] > accuracy["none"] + 0.015
    assert accuracy["none"] > majority + 0.2


@pytest.mark.slow
def test_learning_curve_rises_with_more_docstrings(docstrings):
    """Check that more rows give better scores on other docstrings."""
    sizes, _, scores = learning_curve(
        small(max_epochs=4, **FRAME),
        docstrings[["text", "group"]],
        docstrings["target"],
        groups=docstrings["group"],
        cv=StratifiedGroupKFold(2),
        train_sizes=[0.2, 1.0],
    )
    assert sizes[1] > 4 * sizes[0]
    assert scores[1].mean() > scores[0].mean() + 0.1


def test_train_test_split_takes_rows_of_the_vectorizers_output(rows):
    """Check that scikit-learn splits TextSequences as it splits texts."""
    texts = rows["text"].tolist()
    sequences = TextSequenceVectorizer().fit_transform(texts)
    left, right = train_test_split(sequences, random_state=0)
    numbers = train_test_split(np.arange(len(texts)), random_state=0)
    assert_array_equal(left.words, sequences[numbers[0]].words)
    assert_array_equal(right.features.toarray(), sequences.features[numbers[1]].toarray())


@pytest.mark.filterwarnings("ignore::sk_ctxmem.MergedGroupsWarning")  # of permuted groups
def test_permutation_importance_finds_the_columns_that_matter(halves):
    """Check that text matters most, group and order some, and an unused column nothing."""
    columns = ["text", "group", "order"]
    frame, other = halves
    importance = {}
    for order in ("order", None):
        classifier = small(max_epochs=4, order_column=order, **FRAME)
        classifier.fit(frame[columns], frame["target"])
        importance[order] = permutation_importance(
            classifier, other[columns], other["target"], n_repeats=2, random_state=0
        ).importances_mean
    text, group, order = importance["order"]
    assert text > 0.3 > max(group, order)
    assert min(group, order) > 0
    text, group, order = importance[None]
    assert text > 0.3 > group
    assert order == 0


def test_permutation_importance_finds_the_features_that_matter(halves):
    """Check that of four numbers which describe a line, the prompt >>> tells examples."""
    frame, other = (
        pd.DataFrame(
            {
                "colon": half["text"].str.contains(" : ", regex=False).astype(float),
                "length": half["text"].str.len().astype(float),
                "prompt": half["text"].str.startswith(">>>").astype(float),
                "words": half["text"].str.split().str.len().astype(float),
            }
        )
        for half in halves
    )
    targets, truth = (half["target"] == "Examples" for half in halves)
    classifier = small(max_epochs=6).fit(frame, targets)
    result = permutation_importance(classifier, other, truth, n_repeats=2, random_state=0)
    importance = dict(zip(frame, result.importances_mean, strict=True))
    assert importance.pop("prompt") > max(importance.values()) + 0.05


# --- classifiers made of classifiers


def test_calibrated_probabilities_are_right_on_other_docstrings(X, y, folds, majority):
    """Check that CalibratedClassifierCV predicts other docstrings, with groups inside X."""
    train, test = folds[0]
    inner = list(
        StratifiedGroupKFold(2).split(X.iloc[train], y.iloc[train], X["group"].iloc[train])
    )
    calibrated = CalibratedClassifierCV(small(**FRAME), method="sigmoid", cv=inner)
    calibrated.fit(X.iloc[train], y.iloc[train])
    probabilities = calibrated.predict_proba(X.iloc[test])
    assert_allclose(probabilities.sum(axis=1), 1)
    assert calibrated.score(X.iloc[test], y.iloc[test]) > majority + 0.1
    assert len(calibrated.calibrated_classifiers_) == 2


def test_stacking_learns_which_of_its_classifiers_to_trust(halves):
    """Check that StackingClassifier beats its linear member, which has no memory."""
    frame, other = halves
    stack = StackingClassifier(
        [("memory", small(max_epochs=4, **FRAME)), ("linear", linear())],
        cv=list(StratifiedGroupKFold(2).split(frame, frame["target"], frame["group"])),
    ).fit(frame, frame["target"])
    alone = linear().fit(frame, frame["target"])
    assert stack.score(other, other["target"]) > alone.score(other, other["target"]) + 0.05


def test_voting_averages_the_probabilities(X, y):
    """Check that VotingClassifier gives the mean of its members on real text."""
    vote = VotingClassifier([("memory", small(**FRAME)), ("linear", linear())], voting="soft")
    vote.fit(X, y)
    ours, theirs = small(**FRAME).fit(X, y), linear().fit(X, y)
    expected = (ours.predict_proba(X) + theirs.predict_proba(X)) / 2
    assert_allclose(vote.predict_proba(X), expected)
    assert vote.score(X, y) > 0.8


@pytest.mark.slow
def test_one_classifier_for_each_class(halves, majority):
    """Check that members of OneVsRestClassifier read the groups in X, and use them."""
    frame, other = halves
    accuracy = {}
    for context in ("past", "none"):
        classifier = OneVsRestClassifier(small(context=context, max_epochs=4, **FRAME))
        classifier.fit(frame, frame["target"])
        assert [member.classes_.tolist() for member in classifier.estimators_] == [[0, 1]] * 6
        accuracy[context] = classifier.score(other, other["target"])
    assert accuracy["none"] > majority + 0.2
    assert accuracy["past"] > accuracy["none"] + 0.01


# --- metadata routing


def routed():
    """Return a classifier that asks for groups in fit, predict and score."""
    classifier = small().set_fit_request(groups=True)
    return classifier.set_predict_request(groups=True).set_score_request(groups=True)


def test_routing_hands_groups_to_the_classifier_in_a_pipeline(X, y):
    """Check that groups= given to a pipeline reach fit, predict and score."""
    texts, groups = X["text"], X["group"]
    expected = small().fit(texts, y, groups=groups)
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(TextSequenceVectorizer(), routed())
        pipeline.fit(texts, y, groups=groups)
        predicted = pipeline.predict(texts, groups=groups)
        score = pipeline.score(texts, y, groups=groups)
    assert_array_equal(predicted, expected.predict(texts, groups=groups))
    assert score == expected.score(texts, y, groups=groups)
    with pytest.warns(MissingGroupsWarning):
        assert not np.array_equal(predicted, expected.predict(texts))


def test_routing_hands_groups_to_folds_and_classifier(X, y, folds):
    """Check that cross_val_score with scoring=None gives what a group column gives."""
    texts, groups = X["text"], X["group"]
    by_column = cross_val_score(small(**FRAME), X, y, cv=folds)
    with config_context(enable_metadata_routing=True):
        cv = StratifiedGroupKFold(2)
        by_routing = cross_val_score(routed(), texts, y, cv=cv, params={"groups": groups})
    assert by_routing.tolist() == by_column.tolist()


def test_routing_refuses_groups_that_nobody_asked_for(X, y):
    """Check that groups are not dropped silently where no request was made."""
    with config_context(enable_metadata_routing=True):
        pipeline = make_pipeline(TextSequenceVectorizer(), small())
        with pytest.raises(UnsetMetadataPassedError, match=r"\[groups\] are passed but are not"):
            pipeline.fit(X["text"], y, groups=X["group"])


def test_an_odd_index_changes_no_score(X, y, folds):
    """Check that an index which is not 0, 1, ... changes no score."""
    odd = X.set_axis(pd.Index(range(len(X), 0, -1)), axis=0)
    scores = cross_val_score(small(**FRAME), odd, y, cv=folds[:1])
    assert scores.tolist() == cross_val_score(small(**FRAME), X, y, cv=folds[:1]).tolist()
