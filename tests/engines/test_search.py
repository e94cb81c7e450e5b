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
    classifier,
    fold_scores,
    grid_search,
    halving_search,
    read_epochs,
    read_state,
)
from joblib import parallel_config
from numpy.testing import assert_array_equal


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
    """Check parameters and all scores, to the last bit, and that only the refit is made here."""
    with parallel_config(**engine):
        found = grid_search(watched)
    epochs = read_epochs(tmp_path)
    assert [epoch for epoch, _ in epochs.pop(os.getpid())] == [1, 2]
    assert sum(map(len, epochs.values())) == 4 * 2 * 2
    expected = in_one_process(grid_search)
    assert found.best_params_ == expected.best_params_
    for name in ("split0_test_score", "split1_test_score", "mean_test_score", "rank_test_score"):
        assert_array_equal(found.cv_results_[name], expected.cv_results_[name], err_msg=name)
    assert len(set(expected.cv_results_["mean_test_score"])) == 4


def test_a_halving_search_over_epochs_finds_what_one_process_finds(engine, watched):
    """Check the candidates of each round, their scores, and probabilities of the refit."""
    with parallel_config(**engine):
        found = halving_search(watched)
    expected = in_one_process(halving_search)
    assert found.n_resources_ == expected.n_resources_ == [1, 2]
    assert found.best_params_ == expected.best_params_
    assert found.cv_results_["params"] == expected.cv_results_["params"]
    assert_array_equal(found.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"])
    assert_array_equal(found.predict_proba(TALKS.data), expected.predict_proba(TALKS.data))


def test_cross_validation_scores_are_those_of_one_process(engine):
    """Check the accuracy of each fold, to the last bit."""
    with parallel_config(**engine):
        found = fold_scores(classifier())
    assert_array_equal(found, in_one_process(fold_scores))
    assert len(set(found)) == 3


def test_each_fit_runs_on_one_thread(engine, watched, tmp_path):
    """Check the threads of torch in workers, though their environment says two."""
    with parallel_config(**engine):
        fold_scores(watched)
    epochs = [epoch for process in read_epochs(tmp_path).values() for epoch in process]
    assert sorted(epochs) == [(1, 1)] * 3 + [(2, 1)] * 3


def test_a_search_leaves_its_own_process_as_it_was(engine):
    """Check threads, random states, environment and the filters of warnings."""
    torch.manual_seed(1)
    np.random.seed(1)
    before = read_state()
    with parallel_config(**engine):
        fold_scores(classifier())
    assert read_state() == before
