"""Groups through scikit-learn's searches and pipelines, with and without metadata routing."""

import pytest
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedGroupKFold,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_ctxmem import ContextMemoryClassifier, MissingGroupsWarning

SMALL = {"hidden_size": 8, "max_epochs": 1, "batch_size": 60, "random_state": 0}
FOLDS = StratifiedGroupKFold(2)
GROUP_METHODS = [
    "fit",
    "partial_fit",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score",
]


@pytest.fixture
def routing():
    """Enable metadata routing."""
    with config_context(enable_metadata_routing=True):
        yield


def with_column():
    """Return a classifier that reads the groups from X."""
    return ContextMemoryClassifier(text_column="text", group_column="group", **SMALL)


def with_requests(value, *methods):
    """Return a classifier without a group column, with requests of groups."""
    clf = ContextMemoryClassifier(**SMALL)
    for method in methods:
        getattr(clf, f"set_{method}_request")(groups=value)
    return clf


@pytest.fixture(scope="module")
def rows(talks):
    """X with columns, y and groups of a few conversations."""
    some = talks[:120]
    return some[["text", "group"]], some["target"].to_numpy(), some["group"].to_numpy()


@pytest.fixture(scope="module")
def expected(rows):
    """Scores of a loop over the folds."""
    X, y, groups = rows
    scores = []
    for train, test in FOLDS.split(X, y, groups):
        clf = with_column().fit(X.iloc[train], y[train])
        scores.append(clf.score(X.iloc[test], y[test]))
    return scores


RUNS = {
    "search": lambda clf, X, y, groups: _search_scores(clf, X, y, groups),
    "cross_val_score": lambda clf, X, y, groups: cross_val_score(
        clf, X, y, cv=FOLDS, params={"groups": groups}
    ),
    "cross_validate": lambda clf, X, y, groups: cross_validate(
        clf, X, y, cv=FOLDS, scoring=["accuracy"], params={"groups": groups}
    )["test_accuracy"],
}


def _search_scores(clf, X, y, groups):
    search = GridSearchCV(clf, {}, cv=FOLDS, error_score="raise", refit=False)
    search.fit(X, y, groups=groups)
    return [search.cv_results_[f"split{fold}_test_score"][0] for fold in range(2)]


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("in_pipeline", [False, True], ids=["alone", "pipeline"])
@pytest.mark.parametrize("run", RUNS)
def test_groups_of_a_search_are_for_its_folds(run, in_pipeline, rows, expected):
    """Check searches that pass groups to the splitter, with routing and no requests."""
    clf = make_pipeline(FunctionTransformer(), with_column()) if in_pipeline else with_column()
    assert_allclose(RUNS[run](clf, *rows), expected)


def test_searches_without_routing_have_the_same_scores(rows, expected):
    """Check that groups= of a search are for its folds without routing too."""
    assert_allclose(_search_scores(with_column(), *rows), expected)


@pytest.mark.usefixtures("routing")
def test_learning_curves_pass_groups_to_the_folds_alone(rows):
    """Check a learning curve around a classifier with a group column."""
    X, y, groups = rows
    params = {"groups": groups}
    scores = learning_curve(with_column(), X, y, cv=FOLDS, train_sizes=[0.5], params=params)[2]
    assert ((0 < scores) & (scores <= 1)).all()


@pytest.mark.usefixtures("routing")
def test_calibration_passes_groups_to_its_folds_alone(rows):
    """Check CalibratedClassifierCV around a classifier with a group column."""
    X, y, groups = rows
    calibrated = CalibratedClassifierCV(with_column(), cv=FOLDS).fit(X, y, groups=groups)
    assert len(calibrated.calibrated_classifiers_) == 2


@pytest.mark.usefixtures("routing")
def test_requests_of_groups_follow_the_column():
    """Check the defaults with a column, without one, after set_params, and of a clone."""

    def requests(clf):
        routing = clf.get_metadata_routing()
        return {getattr(routing, method).requests["groups"] for method in GROUP_METHODS}

    clf = ContextMemoryClassifier()
    assert requests(clf) == {None}
    assert requests(clf.set_params(group_column="group")) == {False}
    weighted = clone(clf).set_fit_request(sample_weight=True)
    assert requests(clone(weighted)) == {False}
    assert weighted.get_metadata_routing().fit.requests["sample_weight"] is True
    assert requests(weighted.set_params(group_column=None)) == {None}
    asked = with_column().set_score_request(groups=True)
    assert asked.get_metadata_routing().score.requests["groups"] is True


@pytest.mark.usefixtures("routing")
def test_a_request_that_contradicts_the_column_is_an_error(rows):
    """Check that a request that was set is kept, and the contradiction is named."""
    X, y, groups = rows
    clf = with_column().set_fit_request(groups=True)
    with pytest.raises(ValueError, match="groups= and group_column='group' both define"):
        GridSearchCV(clf, {}, cv=FOLDS, error_score="raise").fit(X, y, groups=groups)


@pytest.mark.usefixtures("routing")
def test_without_a_column_requests_must_be_set(rows):
    """Check that scikit-learn asks whether the classifier wants the groups of the folds."""
    X, y, groups = rows
    search = GridSearchCV(ContextMemoryClassifier(**SMALL), {}, cv=FOLDS)
    with pytest.raises(UnsetMetadataPassedError, match="not explicitly set as requested"):
        search.fit(X["text"], y, groups=groups)


def test_score_of_a_pipeline_says_that_groups_were_dropped(rows):
    """Check that the warning names routing, and that routing passes the groups."""
    X, y, groups = rows
    pipeline = make_pipeline(TfidfVectorizer(), ContextMemoryClassifier(**SMALL))
    pipeline.fit(X["text"], y, contextmemoryclassifier__groups=groups)
    message = (
        r"score of a Pipeline or to a cross-validation, scikit-learn dropped them: enable metadata "
        r"routing and call set_score_request\(groups=True\)"
    )
    with pytest.warns(MissingGroupsWarning, match=message):
        dropped = pipeline.score(X["text"], y, groups=groups)
    expected = (pipeline.predict(X["text"], groups=groups) == y).mean()
    with config_context(enable_metadata_routing=True):
        pipeline[-1].set_score_request(groups=True)
        assert pipeline.score(X["text"], y, groups=groups) == pytest.approx(expected)
    assert dropped != pytest.approx(expected)


@pytest.mark.usefixtures("routing")
def test_scorers_by_name_drop_groups_and_the_warning_says_so(rows):
    """Check that who has set all requests is not told to set them, but to use group_column."""
    X, y, groups = rows
    clf = ContextMemoryClassifier(**SMALL)
    for request in (clf.set_fit_request, clf.set_predict_request, clf.set_score_request):
        request(groups=True)
    search = GridSearchCV(clf, {}, cv=FOLDS, scoring="f1_macro")
    with pytest.warns(MissingGroupsWarning, match="scoring='f1_macro', group_column= alone works"):
        search.fit(X["text"], y, groups=groups)
