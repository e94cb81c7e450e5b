"""Tests that the same fit gives the same, wherever it runs and whatever runs beside it."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal

from benchmarks.reliability import load, rows
from benchmarks.reliability.models import ROLES, SMALL, make_rows
from sk_ctxmem import ContextMemoryClassifier

CODE = (
    "import sys\n"
    "import torch\n"
    "from benchmarks.reliability.models import ROLES, SMALL, make_rows\n"
    "from sk_ctxmem import ContextMemoryClassifier\n"
    "torch.set_num_threads(int(sys.argv[1]))\n"
    "frame, target = make_rows()\n"
    "classifier = ContextMemoryClassifier(**ROLES, **SMALL).fit(frame, target)\n"
    "sys.stdout.buffer.write(classifier.predict_proba(frame).tobytes())\n"
    "assert torch.get_num_threads() == int(sys.argv[1])\n"
)


def fit_and_predict():
    """Return the probabilities of a small classifier, which is fitted here and now."""
    frame, target = make_rows()
    return ContextMemoryClassifier(**ROLES, **SMALL).fit(frame, target).predict_proba(frame)


def in_a_process(*, n_threads=1, hash_seed="0"):
    """Return them from a process of its own."""
    variables = {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": str(n_threads)}
    ended = subprocess.run(
        [sys.executable, "-c", CODE, str(n_threads)],
        env=os.environ | variables,
        check=True,
        capture_output=True,
    )
    return np.frombuffer(ended.stdout).reshape(-1, 3)


@pytest.fixture(scope="module")
def expected():
    """Return the probabilities of this process."""
    return fit_and_predict()


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["1", "12345"])
def test_processes_and_hash_seeds_change_nothing(expected, hash_seed):
    """Check that another process, in which sets have another order, gives the same bits."""
    assert_array_equal(in_a_process(hash_seed=hash_seed), expected)


@pytest.mark.slow
def test_threads_change_nothing(expected):
    """Check that one and two threads of torch agree to 1e-5, and are left as they were."""
    assert_allclose(in_a_process(n_threads=2), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_fits_side_by_side_change_nothing(expected, backend):
    """Check that fits in workers of joblib, threads included, give the same bits."""
    fits = Parallel(n_jobs=2, backend=backend)(delayed(fit_and_predict)() for _ in range(3))
    for probabilities in fits:
        assert_array_equal(probabilities, expected)


def test_fits_leave_no_trace_in_the_next(expected):
    """Check that a fit after others, on other data, gives the same bits."""
    ContextMemoryClassifier(**SMALL).fit(["a b", "c d"] * 30, [0, 1] * 30)
    assert_array_equal(fit_and_predict(), expected)


@pytest.mark.slow
def test_answers_under_load_are_those_of_one_thread(capsys):
    """Check a second of eight threads and of four processes that predict at once."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert load.predict_at_once(seconds=1.0) == 0
    finally:
        torch.set_num_threads(before)
    printed = capsys.readouterr().out
    assert printed.count(" 0 of them unlike that of a single thread") == 2


@pytest.mark.slow
def test_many_calls_take_no_memory(capsys):
    """Check that memory does not grow with the number of calls."""
    assert load.watch_memory(n_calls=2000) == 0
    assert "bytes a call" in capsys.readouterr().out


@pytest.mark.slow
def test_a_file_is_predicted_in_chunks(capfd):
    """Check that all rows of a file are predicted, once each, in chunks."""
    assert rows.predict_rows(250_000) == 0
    n_rows = int(capfd.readouterr().out.split()[0])
    frame, _ = make_rows(2000)
    assert n_rows == -(-250_000 // len(frame)) * len(frame)


def test_the_digest_of_a_fit_depends_on_its_seed(expected):
    """Check that the comparisons above can fail: another seed gives other bits."""
    frame, target = make_rows()
    other = ContextMemoryClassifier(**(ROLES | SMALL | {"random_state": 1})).fit(frame, target)
    digests = [hashlib.sha256(p.tobytes()) for p in (expected, other.predict_proba(frame))]
    assert digests[0].digest() != digests[1].digest()
