"""Tests of searches one worker of which is killed while it fits."""

import os

import _clusters
import pytest
from _searches import TALKS, KillsItsWorker, Witness, classifier, grid_search, read_epochs
from joblib import parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError
from numpy.testing import assert_array_equal


@pytest.fixture
def killed(tmp_path):
    """Return a classifier that kills the first worker to come to its second epoch."""
    callbacks = [Witness(tmp_path), KillsItsWorker(tmp_path, os.getpid())]
    return classifier(callbacks=callbacks, checkpoint=tmp_path / "checkpoints")


@pytest.fixture(scope="module")
def expected():
    """Return the scores of a search in this process."""
    return grid_search(classifier(), refit=False).cv_results_["mean_test_score"]


def read_death(folder):
    """Return the epochs of the worker that was killed, and those of all others."""
    dead = int((folder / "killed").read_text())
    epochs = {pid: [epoch for epoch, _ in told] for pid, told in read_epochs(folder).items()}
    return epochs.pop(dead), [epoch for told in epochs.values() for epoch in told]


def check_that_the_fit_went_on(folder):
    """Check that some other process ran the second epoch of a fit without the first."""
    of_the_dead, of_others = read_death(folder)
    assert of_the_dead.count(1) == of_the_dead.count(2) + 1
    assert of_others.count(2) == of_others.count(1) + 1
    assert not list((folder / "checkpoints").iterdir())


@pytest.mark.parametrize("scattered", [False, True])
def test_dask_gives_the_fit_to_another_worker(killed, expected, scattered, tmp_path):
    """Check the scores, and that the fit went on after its last epoch."""
    scatter = [TALKS.data, TALKS.target] if scattered else None
    with _clusters.dask() as engine, parallel_config(scatter=scatter, **engine):
        found = grid_search(killed, refit=False)
    assert_array_equal(found.cv_results_["mean_test_score"], expected)
    check_that_the_fit_went_on(tmp_path)


def test_loky_ends_the_search_and_another_goes_on(killed, expected, tmp_path):
    """Check joblib's error, and that the same search ends well when it is run again."""
    with _clusters.loky() as engine, parallel_config(**engine):
        with pytest.raises(TerminatedWorkerError, match=r"SIGKILL\(-9\)"):
            grid_search(killed, refit=False)
        assert list((tmp_path / "checkpoints").iterdir())
        found = grid_search(killed, refit=False)
    assert_array_equal(found.cv_results_["mean_test_score"], expected)
    assert not list((tmp_path / "checkpoints").iterdir())


def test_ray_ends_the_search(killed, tmp_path):
    """Check that the error of Ray comes out, and the checkpoint stays."""
    with _clusters.ray(log_to_driver=False) as engine, parallel_config(**engine):
        from ray.exceptions import ActorDiedError

        with pytest.raises(ActorDiedError, match="worker process has died"):
            grid_search(killed, refit=False)
    assert list((tmp_path / "checkpoints").iterdir())


def test_ray_goes_on_where_it_was_told_to_try_again(killed, expected, tmp_path):
    """Check that `ray_remote_args` restarts the worker, and its fit goes on."""
    again = {"max_restarts": 2, "max_task_retries": 2}
    with (
        _clusters.ray(log_to_driver=False) as engine,
        parallel_config(ray_remote_args=again, **engine),
    ):
        found = grid_search(killed, refit=False)
    assert_array_equal(found.cv_results_["mean_test_score"], expected)
    check_that_the_fit_went_on(tmp_path)
