"""Tests of searches on engines: what comes out is what one process finds."""

import os
from functools import cache

import _clusters
import numpy as np
import pytest
import torch
from _searches import (
    TALKS,
    Witness,
    budget_search,
    classifier,
    fold_scores,
    grid_search,
    halving_search,
    probabilities,
    read_epochs,
    read_state,
)
from joblib import Parallel, delayed, parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from sk_ctxmem import TextSequenceVectorizer, TrainingDivergedError


@pytest.fixture(scope="module", params=["loky", "dask", "ray"])
def engine(request):
    """Start an engine of two workers, which are told to use two threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "2")
        with getattr(_clusters, request.param)() as choice:
            yield choice


@cache
def in_one_process(run):
    """Return what a function returns for the classifier, here."""
    return run(classifier())


@pytest.fixture
def watched(tmp_path):
    """Return a classifier whose fits tell where they run."""
    return classifier(callbacks=[Witness(tmp_path)])


def test_a_grid_search_finds_what_one_process_finds(engine, watched, tmp_path):
    """Check parameters and scores, to the last bit, and that each fit elsewhere had one thread."""
    with parallel_config(**engine):
        found = grid_search(watched)
    epochs = read_epochs(tmp_path)
    assert [epoch for epoch, _ in epochs.pop(os.getpid())] == [1, 2]  # of the refit
    n_threads = [n_threads for process in epochs.values() for _, n_threads in process]
    assert n_threads == [1] * (4 * 2 * 2)
    expected = in_one_process(grid_search)
    assert found.best_params_ == expected.best_params_
    for name in ("split0_test_score", "split1_test_score", "mean_test_score", "rank_test_score"):
        assert_array_equal(found.cv_results_[name], expected.cv_results_[name], err_msg=name)
    assert len(set(expected.cv_results_["mean_test_score"])) == 4


def test_a_halving_search_leaves_its_own_process_as_it_was(engine):
    """Check rounds, scores and the refit; then threads, random states, environment and filters."""
    torch.manual_seed(1)
    np.random.seed(1)
    before = read_state()
    with parallel_config(**engine):
        found = halving_search(classifier())
    assert read_state() == before
    expected = in_one_process(halving_search)
    assert found.n_resources_ == expected.n_resources_ == [1, 2]
    assert found.best_params_ == expected.best_params_
    assert found.cv_results_["params"] == expected.cv_results_["params"]
    name = "mean_test_score"
    assert_array_equal(found.cv_results_[name], expected.cv_results_[name])
    assert_array_equal(found.predict_proba(TALKS.data), expected.predict_proba(TALKS.data))


def test_a_search_within_a_budget_finds_what_one_process_finds(engine):
    """Check candidates, scores and the choice, where workers may not read one another's files."""
    with parallel_config(**engine):
        found = budget_search(classifier())
    expected = in_one_process(budget_search)
    assert found.cv_results_["params"] == expected.cv_results_["params"]
    for name in ("mean_test_score", "mean_test_criterion", "n_epochs", "cost"):
        if name != "cost" or engine["backend"] == "loky":  # elsewhere, nothing pauses
            assert_array_equal(found.cv_results_[name], expected.cv_results_[name], err_msg=name)
    assert found.best_params_ == expected.best_params_
    assert_array_equal(found.predict_proba(TALKS.data), expected.predict_proba(TALKS.data))


def test_cross_validation_scores_are_those_of_one_process(engine):
    """Check the accuracy of each fold, to the last bit."""
    with parallel_config(**engine):
        found = fold_scores(classifier())
    assert_array_equal(found, in_one_process(fold_scores))
    assert len(set(found)) == 3


def kinds_of_input():
    """Return features of each kind, and a pipeline that keeps texts in a folder."""
    texts = TALKS.data["text"]
    counts = TfidfVectorizer().fit_transform(texts)
    return [texts.tolist(), TextSequenceVectorizer().fit_transform(texts), counts, counts.toarray()]


def test_workers_read_every_kind_of_input(engine):
    """Check probabilities for texts, sequences, sparse and dense rows, some of them read-only."""
    mapped = {"max_nbytes": 1} if engine["backend"] == "loky" else {}  # no copies, however small
    with parallel_config(**engine, **mapped):
        found = Parallel()(delayed(probabilities)(X) for X in kinds_of_input())
    for X, proba in zip(kinds_of_input(), found, strict=True):
        assert_array_equal(proba, probabilities(X), err_msg=str(type(X)))


def test_workers_share_the_cache_of_a_pipeline(engine, tmp_path):
    """Check a search over the classifier alone, for which texts are vectorized once per fold."""
    alone = classifier(text_column=None, group_column=None, max_epochs=1)
    steps = [("texts", TextSequenceVectorizer()), ("clf", alone)]
    search = GridSearchCV(
        Pipeline(steps, memory=str(tmp_path)),
        {"clf__dropout": [0.1, 0.3]},
        cv=2,
        refit=False,
        error_score="raise",
    )
    texts = TALKS.data["text"]
    expected = clone(search).set_params(estimator__memory=None).fit(texts, TALKS.target)
    with parallel_config(**engine):
        found = search.fit(texts, TALKS.target)
    name = "mean_test_score"
    assert_array_equal(found.cv_results_[name], expected.cv_results_[name])
    assert len(list(tmp_path.rglob("output.pkl"))) == 2


def test_errors_in_workers_are_ours(engine):
    """Check that the kind and the message of an error are those of one process."""
    with (
        parallel_config(**engine),
        pytest.raises(TrainingDivergedError, match="scale the features, or lower learning_rate"),
    ):
        fold_scores(classifier(learning_rate=1e30))
