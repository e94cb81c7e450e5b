"""Predict from many threads and processes at once, and measure memory over many calls."""

import multiprocessing
import os
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.measuring.resources import resident_bytes
from benchmarks.reliability.models import fit_models
from sk_ctxmem import ContextMemoryClassifier


def add_parser(parsers):
    """Add the options of these parts."""
    parser = parsers.add_parser("threads", help="predict from threads and processes at once")
    parser.add_argument("--seconds", type=float, default=60.0, help="seconds for each of the two")
    parser.set_defaults(run=lambda options: predict_at_once(options.seconds))
    parser = parsers.add_parser("calls", help="measure memory over many calls")
    parser.add_argument("--calls", type=int, default=100_000, help="number of calls")
    parser.set_defaults(run=lambda options: watch_memory(options.calls))


def predict_at_once(seconds, n_threads=8, n_processes=4):
    """Predict with one classifier from threads, then with its file from processes.

    Returns
    -------
    n_different : int
        Number of predictions that differ from those of a single thread, or after which torch had
        another number of threads, in this thread or in new ones.
    """
    classifier, rows = fit_models(["frame"], n_groups=100)["frame"]
    pieces = [rows[rows["group"] == group] for group in rows["group"].unique()]
    expected = [classifier.predict_proba(piece) for piece in pieces]
    answers = []
    threads = [
        threading.Thread(target=_ask, args=(classifier, pieces, expected, seconds, n, answers))
        for n in range(n_threads)
    ]
    before = torch.get_num_threads()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    n_changed = int(torch.get_num_threads() != before) + int(_count_in_a_new_thread() != before)
    print(_describe(answers, f"{n_threads} threads"))
    n_wrong = sum(wrong for _, wrong in answers) + n_changed
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        classifier.save(path)
        context = multiprocessing.get_context("spawn")
        with context.Pool(n_processes) as pool:
            jobs = [(before, path, pieces, expected, seconds, n) for n in range(n_processes)]
            answers = pool.starmap(_ask_file, jobs)
    print(_describe(answers, f"{n_processes} processes"))
    print(f"threads of torch before and after: {before}, {torch.get_num_threads()}")
    return n_wrong + sum(wrong for _, wrong in answers)


def _count_in_a_new_thread():
    """Return the initial number of torch threads in a new thread."""
    counts = []
    thread = threading.Thread(target=lambda: counts.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return counts[0]


def _ask(classifier, pieces, expected, seconds, seed, answers):
    """Predict pieces in random order for some seconds, and count all and wrong predictions."""
    random, end = np.random.RandomState(seed), time.monotonic() + seconds
    n_answers = n_wrong = 0
    while time.monotonic() < end:
        piece = random.randint(len(pieces))
        before = torch.get_num_threads()
        got = classifier.predict_proba(pieces[piece])
        changed = torch.get_num_threads() != before
        n_wrong += changed or not np.array_equal(got, expected[piece])
        n_answers += 1
    answers.append((n_answers, n_wrong))


def _ask_file(n_torch_threads, path, pieces, expected, seconds, seed):
    """Load a classifier, and predict with it like `_ask`."""
    torch.set_num_threads(n_torch_threads)  # rounding depends on it
    answers = []
    _ask(ContextMemoryClassifier.load(path), pieces, expected, seconds, seed, answers)
    return answers[0]


def _describe(answers, who):
    n_answers, n_wrong = (sum(column) for column in zip(*answers, strict=True))
    return f"{who}: {n_answers} answers, {n_wrong} of them unlike that of a single thread"


def watch_memory(n_calls, n_samples=50):
    """Predict many times, and fit a line to the memory of the process over the second half.

    Returns
    -------
    grows : int
        1 if memory grows by more than 10 bytes per call and by twice the error of the slope.
    """
    models = fit_models(["frame", "texts"])
    samples = []
    for call in range(n_calls):
        for classifier, rows in models.values():
            classifier.predict_proba(rows[:5])
        if call % max(1, n_calls // n_samples) == 0:
            samples.append((call, resident_bytes()))
    calls, sizes = np.array(samples[len(samples) // 2 :], dtype=float).T
    (slope, _), covariance = np.polyfit(calls, sizes, 1, cov=True)
    error = float(np.sqrt(covariance[0, 0]))
    print(f"{n_calls} calls of two classifiers; memory {sizes[0] / 1e6:.1f} MB after half of them,")
    print(f"{sizes[-1] / 1e6:.1f} MB at the end: {slope:.2f} bytes a call, error {error:.2f}")
    print(f"process {os.getpid()} had {threading.active_count()} thread(s) at the end")
    return int(slope > 10 and slope > 2 * error)
