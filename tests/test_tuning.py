"""Tests of ContextMemoryClassifierCV."""

import io
import os
import pickle
import tempfile

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.stats import uniform
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    PredefinedSplit,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_ctxmem import (
    ContextMemoryClassifier,
    ContextMemoryClassifierCV,
    ContextSession,
    TextSequenceVectorizer,
)
from sk_ctxmem._tuning import _fit_search, _runner, _space
from sk_ctxmem._tuning._cost import Budget
from sk_ctxmem.datasets import make_conversations
from sk_ctxmem.exceptions import TrainingInterruptedWarning
from sk_ctxmem.inspection import TrainingHistoryDisplay, TuningDisplay

SMALL = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}
IN_GROUPS = {"text_column": "text", "group_column": "group"}
RATES = {"learning_rate": [0.001, 0.01], "dropout": [0.0, 0.3]}


def make_search(estimator=None, **params):
    """Return a search over two rates and two dropouts."""
    estimator = ContextMemoryClassifier(**SMALL) if estimator is None else estimator
    options = {"param_distributions": RATES, "max_cost": 100, "random_state": 0, "cv": 2}
    return ContextMemoryClassifierCV(estimator, **options | params)


@pytest.fixture(scope="module")
def texts():
    """Return 60 texts and their classes."""
    return ["good film", "bad film", "very good", "so bad"] * 15, [1, 0, 1, 0] * 15


@pytest.fixture(scope="module")
def talks():
    """Return some conversations."""
    return make_conversations(20, random_state=0)


@pytest.fixture(scope="module")
def fitted(texts):
    """Return a fitted search."""
    return make_search().fit(*texts)


def test_the_results_have_the_keys_of_grid_search(fitted, texts):
    """Check that code which reads GridSearchCV reads this search."""
    grid = GridSearchCV(ContextMemoryClassifier(**SMALL), {"dropout": [0.0, 0.3]}, cv=2)
    grid.fit(*texts)
    own = set(grid.cv_results_) | {"param_learning_rate"}
    assert own <= set(fitted.cv_results_)
    assert {len(values) for values in fitted.cv_results_.values()} == {5}
    assert isinstance(fitted.cv_results_["param_dropout"], np.ma.MaskedArray)
    assert list(fitted.cv_results_["param_dropout"]) == [
        params["dropout"] for params in fitted.cv_results_["params"]
    ]
    for name in ("best_estimator_", "best_params_", "best_score_", "best_index_", "n_splits_"):
        assert hasattr(fitted, name), name
    assert fitted.cv_results_["rank_test_score"][fitted.best_index_] == 1
    assert fitted.cv_results_["params"][fitted.best_index_] == fitted.best_params_
    assert sorted(fitted.cv_results_["rank_test_score"]) == [1, 2, 3, 4, 5]


def test_the_first_candidate_is_the_estimator_as_given(fitted):
    """Check that the default is among the candidates, with its values of all parameters."""
    assert fitted.cv_results_["params"][0] == {"dropout": 0.2, "learning_rate": 0.006}


def test_each_value_is_tried_once(fitted):
    """Check that four combinations of two lists give four candidates."""
    drawn = {tuple(params.values()) for params in fitted.cv_results_["params"][1:]}
    assert drawn == {(d, r) for d in (0.0, 0.3) for r in (0.001, 0.01)}
    assert fitted.stop_reason_ == "all candidates were tried"


def test_the_best_one_is_fitted_on_all_rows(fitted, texts):
    """Check that the final model is that of a plain fit with the best parameters."""
    X, y = texts
    changes = {} if fitted.best_index_ == 0 else fitted.best_params_
    expected = ContextMemoryClassifier(**SMALL).set_params(**changes).fit(X, y)
    assert np.array_equal(fitted.predict_proba(X), expected.predict_proba(X))
    assert fitted.score(X, y) == expected.score(X, y)


def test_the_score_of_a_fold_is_that_of_a_plain_fit(texts):
    """Check that shared rows and pauses change nothing: each score is that of cross-validation."""
    X, y = np.array(texts[0]), np.array(texts[1])
    y[::7] = 1 - y[::7]
    folds = list(StratifiedKFold(2, shuffle=True, random_state=1).split(X, y))
    search = make_search(cv=folds, param_distributions={"dropout": [0.0, 0.5]})
    search.set_params(estimator__max_epochs=4).fit(X, y)
    results = pd.DataFrame(search.cv_results_)
    for _, line in results[results["complete"]].iterrows():
        clf = ContextMemoryClassifier(**SMALL | {"max_epochs": 4}, dropout=line["param_dropout"])
        train, test = folds[0]
        expected = clf.fit(X[train], y[train]).score(X[test], y[test])
        assert line["split0_test_score"] == expected
    assert results["complete"].sum() >= 2


def test_candidates_that_are_behind_are_given_up(texts):
    """Check that half of the candidates are trained for half of their epochs only."""
    search = make_search(param_distributions={"learning_rate": uniform(0.001, 0.01)}, max_cost=6)
    search.set_params(estimator__max_epochs=4).fit(*texts)
    results = search.cv_results_
    assert set(results["n_epochs"]) == {2, 4}
    assert np.array_equal(results["complete"], results["n_epochs"] == 4)
    assert (~results["complete"]).sum() >= len(results["complete"]) // 3


def test_a_race_frees_the_disk_and_a_fold_the_memory(texts, monkeypatch):
    """Check that paused fits are deleted after each race, and rows before the next fold is read."""
    forget, seen = _runner.Runner.forget, []

    def spy(runner, kept):
        before = len(os.listdir(runner.folder))
        forget(runner, kept)
        seen.append((before, len(os.listdir(runner.folder)), {fold for fold, _ in runner.folds}))

    monkeypatch.setattr(_runner.Runner, "forget", spy)
    search = make_search(cv=3).set_params(estimator__max_epochs=4).fit(*texts)
    assert max(before for before, *_ in seen) >= 2
    assert {after for _, after, _ in seen} == {0}
    assert seen[-1][2] == set()
    assert search.n_splits_ == 3


def test_the_same_seed_makes_the_same_choice(texts, fitted):
    """Check that a search can be repeated."""
    again = make_search().fit(*texts)
    assert again.cv_results_["params"] == fitted.cv_results_["params"]
    assert np.array_equal(
        again.cv_results_["mean_test_criterion"], fitted.cv_results_["mean_test_criterion"]
    )
    assert again.best_params_ == fitted.best_params_


@pytest.mark.slow
def test_processes_make_the_same_choice(texts, fitted):
    """Check that n_jobs changes nothing but the time."""
    again = make_search(n_jobs=2).fit(*texts)
    assert again.cv_results_["params"] == fitted.cv_results_["params"]
    assert np.array_equal(
        again.cv_results_["mean_test_criterion"], fitted.cv_results_["mean_test_criterion"]
    )


def test_threads_cost_what_one_process_costs(texts, fitted):
    """Check that texts which candidates share on a fold are paid for once with n_jobs, too."""
    with joblib.parallel_config("threading", n_jobs=2):
        again = make_search().fit(*texts)
    np.testing.assert_allclose(again.cv_results_["cost"], fitted.cv_results_["cost"])
    np.testing.assert_allclose(again.cost_, fitted.cost_)


def test_a_candidate_that_is_too_expensive_does_not_end_the_search(texts):
    """Check that the budget goes to those that it allows, when the first one takes too much."""
    estimator = ContextMemoryClassifier(**SMALL)
    search = ContextMemoryClassifierCV(estimator, max_cost=4.8, random_state=0).fit(*texts)
    assert len(search.cv_results_["params"]) > 1
    assert search.cost_ <= 4.8
    assert search.stop_reason_ == "the budget is used up"


def test_vectorizers_whose_repr_is_cut_short_read_texts_anew(texts):
    """Check that candidates share features only if their vectorizers are the same object."""
    words = [f"word{number}" for number in range(300)]
    known = words[:100] + ["good", "bad"] + words[100:]
    vectorizers = [TfidfVectorizer(vocabulary=words), TfidfVectorizer(vocabulary=known)]
    assert repr(vectorizers[0]) == repr(vectorizers[1])
    one, two, again = (_space.Candidate({"vectorizer": vectorizers[n]}) for n in (0, 1, 0))
    assert one.reading == again.reading != two.reading


def test_values_of_the_distributions_are_cloned(texts):
    """Check that a vectorizer in param_distributions keeps its parameters, as in GridSearchCV."""
    vectorizer = TfidfVectorizer()
    changes = {"vectorizer": vectorizer, "vectorizer__min_df": 2}
    assert _space.Candidate(changes).estimator(ContextMemoryClassifier()).vectorizer.min_df == 2
    assert vectorizer.min_df == 1


def test_no_word_memory_is_proposed_where_there_are_no_words():
    """Check that a vectorizer of scikit-learn gets no candidate that cannot be fitted."""
    estimator = ContextMemoryClassifier(TfidfVectorizer())
    space = _space.DefaultSpace(estimator, texts=["good film"], has_context=False)
    assert not any("word_memory" in candidate.changes for candidate in space.first())


@pytest.mark.parametrize("scoring", ["roc_auc_ovr", "neg_log_loss"])
def test_splits_without_a_score_are_left_out(scoring, texts):
    """Check a fold that lacks a class, on which scores of probabilities are not defined."""
    X, y = texts[0], ["a", "b", "c"] * 20
    rows = np.arange(60)
    cv = [(rows[30:], rows[:30:3]), (rows[30:], rows[:30])]
    with pytest.warns(UserWarning, match=f"1 of 2 splits cannot be scored by.*{scoring}"):
        search = make_search(cv=cv, scoring=scoring, max_cost=2).fit(X, y)
    assert search.n_splits_ == 1
    assert np.isfinite(search.best_score_)


def test_a_score_that_no_split_has_is_said_before_the_search(texts):
    """Check a score of the class 1 of classes that are names, and held-out rows of weight 0."""
    names = np.where(texts[1], "good", "bad")
    with pytest.raises(ValueError, match="2 of 2 splits cannot be scored by scoring='f1' .pos_l"):
        make_search(scoring="f1").fit(texts[0], names)
    rows, weights = np.arange(60), np.repeat([1.0, 0.0], 30)
    with pytest.raises(ValueError, match="1 of 1 splits cannot be scored.*have weight 0"):
        make_search(cv=[(rows[:30], rows[30:])]).fit(*texts, sample_weight=weights)


@pytest.mark.parametrize("max_cost", [3, 6, 12])
def test_the_cost_stays_below_the_budget(max_cost, texts):
    """Check that the search and the last fit cost at most max_cost."""
    search = ContextMemoryClassifierCV(
        ContextMemoryClassifier(**SMALL), max_cost=max_cost, random_state=0
    ).fit(*texts)
    assert search.cv_results_["cost"].sum() < search.cost_ <= max_cost
    assert len(search.cv_results_["params"]) > 1 or max_cost < 4


def test_a_small_time_budget_fits_the_estimator_as_given(texts):
    """Check that a search without time still has a result."""
    search = make_search(time_budget=1e-6).fit(*texts)
    assert search.best_index_ == 0
    assert "budget" in search.stop_reason_


def test_a_budget_in_seconds_counts_the_last_fit():
    """Check that time is predicted by the speed so far."""
    seconds = iter([0.0, 10.0, 10.0, 10.0])
    budget = Budget(100.0, 25.0, clock=lambda: next(seconds))
    budget.spend(1.0)  # ten seconds
    assert budget.has_time_for(0.4)  # 10 * (1 + .4 + 1) = 24
    assert not budget.has_time_for(0.6)


def test_an_interrupt_fits_the_best_so_far(texts, monkeypatch):
    """Check that Ctrl-C ends the search, with a warning, and leaves a fitted classifier."""
    run_stage, calls = _runner.run_stage, []

    def interrupted(*task):
        calls.append(task)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return run_stage(*task)

    monkeypatch.setattr(_runner, "run_stage", interrupted)
    with pytest.warns(TrainingInterruptedWarning, match=r"Ctrl-C after 3 candidate"):
        search = make_search().fit(*texts)
    assert search.stop_reason_ == "interrupted by Ctrl-C"
    assert search.predict(["good"]).shape == (1,)


def test_a_candidate_that_fails_is_left_out(texts):
    """Check that one bad candidate does not end the search, as in GridSearchCV."""
    search = make_search(param_distributions={"vectorizer__min_df": [1, 1000]})
    with pytest.warns(FitFailedWarning, match="1 of 3 candidates could not be fitted.*1000"):
        search.fit(*texts)
    assert np.isnan(search.cv_results_["mean_test_score"]).sum() == 1
    assert search.best_params_["vectorizer__min_df"] == 1


def test_a_value_that_is_not_allowed_is_left_out(texts):
    """Check that a value which the classifier refuses costs no more than a candidate."""
    search = make_search(param_distributions={"dropout": [0.1, 5.0, 0.3]})
    with pytest.warns(FitFailedWarning, match="1 of 4 candidates.*dropout=5.0 must be"):
        search.fit(*texts)
    assert np.isfinite(search.cv_results_["mean_test_score"]).sum() == 3


def test_a_fold_needs_two_classes():
    """Check that the error says that the class is missing in a part, not in y."""
    with pytest.raises(ValueError, match="training part of split 0 has only one class"):
        make_search().fit(["a", "b"], [0, 1])


def test_an_estimator_that_fails_raises(texts):
    """Check that the error of the estimator as given is raised, not kept."""
    estimator = ContextMemoryClassifier(TextSequenceVectorizer(min_df=1000), **SMALL)
    with pytest.raises(ValueError, match="min_df"):
        make_search(estimator, param_distributions={"dropout": [0.1]}).fit(*texts)


def test_groups_are_never_split(talks):
    """Check that held-out rows are whole groups, of a column or of groups=."""
    clf = ContextMemoryClassifier(**IN_GROUPS, **SMALL)
    search = make_search(clf, cv=3, max_cost=2)
    seen = []
    take = _fit_search.split_search_data

    def spy(*args):
        seen.append(take(*args))
        return seen[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fit_search, "split_search_data", spy)
        search.fit(talks.data, talks.target)
        texts_alone = make_search(cv=GroupKFold(3), max_cost=2)
        texts_alone.fit(talks.data["text"].tolist(), talks.target, groups=talks.groups)
    for data in seen:
        for train, test in data.splits:
            assert not set(talks.groups[train]) & set(talks.groups[test])
    rest = talks.data["text"].tolist()
    proba = texts_alone.predict_proba(rest, groups=talks.groups)
    assert proba.shape == (len(rest), 3)


def test_classes_rarer_than_the_folds_are_no_error():
    """Check that a class of one row, which some folds cannot have, costs nothing but its row."""
    X = ["good film", "bad film"] * 10 + ["so so"]
    y = ["+", "-"] * 10 + ["?"]
    search = make_search(cv=None).fit(X, y)
    assert list(search.classes_) == ["+", "-", "?"]
    assert search.n_splits_ == 5


def test_rows_of_weight_zero_do_not_count():
    """Check that unknown classes of rows of weight 0 change no score."""
    X, y = ["good film", "bad film"] * 20, np.array([1, 0] * 20)
    weights = np.ones(40)
    weights[::5], other = 0, y.copy()
    other[::5] = 1 - other[::5]
    scores = [
        make_search(cv=PredefinedSplit([0, 0, 1, 1] * 10)).fit(X, labels, weights).cv_results_
        for labels in (y, other)
    ]
    assert np.array_equal(scores[0]["mean_test_score"], scores[1]["mean_test_score"])
    assert scores[0]["mean_test_score"].max() == 1.0


@pytest.mark.parametrize("scoring", ["f1_macro", "neg_log_loss", "roc_auc", None])
def test_scores_by_name(scoring, texts):
    """Check that scorers of scikit-learn choose, and score."""
    X, y = texts
    search = make_search(scoring=scoring).fit(X, y)
    assert np.isfinite(search.best_score_)
    assert np.isfinite(search.score(X, y))
    results = search.cv_results_
    if scoring is not None:
        assert np.array_equal(results["mean_test_score"], results["mean_test_criterion"])


def test_several_labels(texts):
    """Check that rows with any number of labels can be searched."""
    X, y = texts
    labels = np.column_stack([y, np.arange(len(y)) % 4 < 2])
    search = make_search().fit(X, labels)
    assert search.predict(X).shape == labels.shape
    assert search.score(X, labels) > 0.5


def test_sequences(texts):
    """Check that a sample may be a sequence of texts."""
    X, y = texts
    sequences = [[text, "film", text][: 1 + number % 3] for number, text in enumerate(X)]
    search = make_search().fit(sequences, y)
    assert search.predict(sequences[:3]).tolist() == y[:3]


def test_features_without_texts():
    """Check that numbers are searched without parameters of texts."""
    X = np.random.RandomState(0).rand(80, 3)
    search = ContextMemoryClassifierCV(
        ContextMemoryClassifier(**SMALL), max_cost=5, random_state=0
    ).fit(X, (X[:, 0] > 0.5).astype(int))
    assert not any(name.startswith("vectorizer") for name in search.best_params_)
    assert search.n_features_in_ == 3


def test_the_default_space_joins_changes_that_were_better():
    """Check the candidates of the second race: the best change, and the others one by one."""
    space = _space.DefaultSpace(ContextMemoryClassifier(), texts=["a"], has_context=True)
    first = list(space.first())
    gains = [(-1.0, first[0]), (0.1, first[1]), (0.3, first[2])]
    joined = [candidate.changes for candidate in space.join(gains)]
    assert joined[0] == first[2].changes | first[1].changes
    assert all("context" not in candidate.changes for candidate in first)


def test_the_default_space_leaves_out_what_the_estimator_has():
    """Check that no candidate equals the estimator as given, nor reads what X lacks."""
    estimator = ContextMemoryClassifier(max_epochs=8, dropout=0.4)
    space = _space.DefaultSpace(estimator, texts=None, has_context=False)
    names = {name for candidate in space.first() for name in candidate.changes}
    assert all(candidate.changes.get("max_epochs") != 8 for candidate in space.first())
    assert "dropout" not in names
    assert not any(name.startswith("vectorizer") or name == "memory" for name in names)


def test_texts_without_spaces_are_read_by_characters():
    """Check that a Chinese corpus gets n-grams of characters, a change of two parameters."""
    space = _space.DefaultSpace(
        ContextMemoryClassifier(), texts=["房间很干净，服务也好"], has_context=False
    )
    first = next(space.first()).changes
    assert first == {"vectorizer__analyzer": "char", "vectorizer__ngram_range": (1, 3)}


def test_what_is_fitted_predicts_as_the_best_estimator(talks):
    """Check sessions, explanations, files, pickles and displays."""
    clf = ContextMemoryClassifier(**IN_GROUPS, **SMALL)
    search = make_search(clf, max_cost=5).fit(talks.data, talks.target)
    best, some = search.best_estimator_, talks.data[:12]
    assert np.array_equal(search.predict(some), best.predict(some))
    for method in ("predict_log_proba", "decision_function"):
        assert np.array_equal(getattr(search, method)(some), getattr(best, method)(some))
    assert search.explain(some, rows=[3]).equals(best.explain(some, rows=[3]))
    assert isinstance(search.session(), ContextSession)
    assert len(search.sessions(2)) == 2
    file = io.BytesIO()
    search.save(file)
    file.seek(0)
    loaded = ContextMemoryClassifier.load(file)
    assert np.array_equal(loaded.predict(some), search.predict(some))
    again = pickle.loads(pickle.dumps(search))
    assert np.array_equal(again.predict_proba(some), search.predict_proba(some))
    assert len(TrainingHistoryDisplay.from_estimator(search).history) == best.n_iter_
    assert not hasattr(clone(search), "best_estimator_")


def test_in_a_pipeline_and_in_cross_validation(texts):
    """Check that a search is a step of a Pipeline, and that its score can be nested."""
    pipeline = Pipeline([("as is", FunctionTransformer()), ("clf", make_search(max_cost=3))])
    scores = cross_val_score(pipeline, *texts, cv=2)
    assert scores.shape == (2,)
    pipeline.fit(*texts)
    assert isinstance(TuningDisplay.from_estimator(pipeline), TuningDisplay)


def test_nothing_of_the_user_changes(texts, tmp_path, monkeypatch):
    """Check that the estimator, numpy's generator and temporary files are as before."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # that no other process writes to
    estimator = ContextMemoryClassifier(**SMALL)
    before = np.random.get_state()[1].copy()
    make_search(estimator).fit(*texts)
    assert np.array_equal(np.random.get_state()[1], before)
    assert not list(tmp_path.iterdir())
    assert not hasattr(estimator, "classes_")


def test_a_failed_fit_leaves_the_fitted_search(texts):
    """Check that bad input changes nothing."""
    search = make_search(max_cost=3).fit(*texts)
    before = search.best_estimator_
    with pytest.raises(ValueError, match="only one class"):
        search.fit(["a", "b"], [1, 1])
    assert search.best_estimator_ is before


def test_the_progress_bar_says_what_is_tried(texts, capsys):
    """Check that the candidate, the best score and the end are shown."""
    make_search(verbose=1).fit(*texts)
    shown = capsys.readouterr().err
    for part in ("as given", "learning_rate=", "best=", "fitting the best one"):
        assert part in shown


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"max_cost": 0}, ValueError, "max_cost=0 must be a number above 0"),
        ({"max_cost": "10"}, TypeError, "max_cost='10'"),
        ({"time_budget": -1}, ValueError, "time_budget=-1 must be"),
        ({"cv": 1}, ValueError, "cv=1 must be an integer of at least 2"),
        ({"cv": "five"}, TypeError, "cv='five' must be an integer"),
        ({"cv": []}, ValueError, "has no split"),
        ({"param_distributions": {}}, TypeError, "must be a dict"),
        ({"param_distributions": {"depth": [1]}}, ValueError, "'depth'.*no parameter"),
        ({"param_distributions": {"dropout": 0.1}}, TypeError, "must be a list of values"),
        ({"param_distributions": {"memory": "gru"}}, TypeError, "pass \\['gru'\\]"),
        ({"param_distributions": {"dropout": []}}, ValueError, "is empty"),
        ({"scoring": "acuracy"}, ValueError, "acuracy"),
        ({"scoring": ["accuracy", "f1_macro"]}, TypeError, "name of one score"),
        ({"random_state": -1}, ValueError, "random_state=-1"),
        ({"estimator": Pipeline([("a", None)])}, TypeError, "last step of a Pipeline"),
        ({"estimator": ContextMemoryClassifier}, TypeError, "the class ContextMemoryClassifier"),
    ],
)
def test_wrong_parameters(params, error, message, texts):
    """Check that wrong parameters are named before anything is fitted."""
    with pytest.raises(error, match=message):
        make_search(**params).fit(*texts)


def test_one_group_cannot_be_split(talks):
    """Check that the error names the number of groups."""
    search = make_search(ContextMemoryClassifier(**IN_GROUPS, **SMALL))
    one = talks.data.assign(group="only")
    with pytest.raises(ValueError, match="1 group, but a search needs at least 2"):
        search.fit(one, talks.target)


def test_methods_before_fit():
    """Check that methods name what is missing."""
    with pytest.raises(NotFittedError, match="not fitted"):
        ContextMemoryClassifierCV().predict(["a"])
    with pytest.raises(NotFittedError, match="not fitted"):
        TuningDisplay.from_estimator(ContextMemoryClassifierCV())


def test_the_display_shows_all_candidates(fitted):
    """Check that the points are the candidates, and that the legend names the best one."""
    display = TuningDisplay.from_estimator(fitted)
    n_complete = int(fitted.cv_results_["complete"].sum())
    assert len(display.complete_.get_offsets()) == n_complete
    assert len(display.stopped_.get_offsets()) == 5 - n_complete
    assert display.best_.get_offsets()[0][1] == fitted.best_score_
    with pytest.raises(TypeError, match="cv_results_"):
        TuningDisplay.from_estimator(ContextMemoryClassifier(**SMALL).fit(["a", "b"], [0, 1]))


@pytest.mark.slow
def test_the_mean_of_members_predicts(talks):
    """Check that members are added where their mean is better, and that the mean predicts."""
    clf = ContextMemoryClassifier(**IN_GROUPS, **SMALL)
    search = make_search(clf, n_members=3, cv=3).fit(talks.data, talks.target)
    assert 1 <= len(search.estimators_) <= 3
    search.estimators_ = [search.best_estimator_, clone(clf).fit(talks.data, talks.target)]
    proba = np.mean([each.predict_proba(talks.data) for each in search.estimators_], axis=0)
    assert np.allclose(search.predict_proba(talks.data), proba, atol=1e-12)
    assert np.allclose(search.predict_log_proba(talks.data), np.log(proba), atol=1e-9)
    expected = search.classes_[proba.argmax(axis=1)]
    assert np.array_equal(search.predict(talks.data), expected)
    assert search.score(talks.data, talks.target) == np.mean(expected == talks.target)
    for method, arguments in (("explain", [talks.data]), ("session", []), ("save", ["model.zip"])):
        with pytest.raises(ValueError, match=f"{method} needs one classifier.*mean of 2"):
            getattr(search, method)(*arguments)


def test_a_member_must_make_the_mean_better(fitted, texts):
    """Check that n_members is a limit, not a number: members that tell the same are left out."""
    X, y = texts
    search = make_search(n_members=4, param_distributions={"batch_size": [8, 16]}).fit(X, y)
    assert len(search.estimators_) <= 2
    assert len(fitted.estimators_) == 1
