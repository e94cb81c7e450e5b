"""Fits to sequences: ours, logistic regression on features of a whole, and classifiers of aeon."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.sequences.data import SequenceData, mean_and_deviation, pad
from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.comparison import one_blas_thread

REGRESSIONS = ("lr-flat", "lr-mean-std")
EXTERNAL = ("minirocket", "rocket")
MODELS = (*REGRESSIONS, *EXTERNAL, "context-memory")
STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)
SHORTEST = 11  # steps: the length of the longest kernels of ROCKET
SCRIPT = Path(__file__).with_name("rocket.py")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}

Job = tuple[SequenceData, str, int, str | None]


def plan(
    data: Sequence[SequenceData],
    models: Sequence[str],
    contexts: Sequence[str],
    seeds: Sequence[int],
    interpreter: str | None,
) -> list[Job]:
    """List data, model, seed and interpreter of each fit; logistic regression has one seed.

    Classifiers of aeon are left out without an interpreter, and where sequences are too short.
    """
    jobs: list[Job] = []
    for each, model in product(data, models):
        if model in EXTERNAL and (interpreter is None or each.n_steps < SHORTEST):
            continue
        is_ours = model == "context-memory"
        names = [f"{model} ({context})" for context in contexts] if is_ours else [model]
        of_model = seeds[:1] if model in REGRESSIONS else seeds
        jobs += [(each, name, seed, interpreter) for name, seed in product(names, of_model)]
    return jobs


def measure(
    data: SequenceData, model: str, seed: int, interpreter: str | None
) -> list[dict[str, Any]]:
    """Fit a model, and measure its accuracy and its CPU seconds."""
    if model in EXTERNAL:
        assert interpreter is not None
        measures = _measure_external(data, model, seed, interpreter)
    else:
        ready = _search(data, model) if model in REGRESSIONS else _make_ours(model, seed)
        X, X_test = (_features(part, model, data.n_steps) for part in (data.X, data.X_test))
        measures = _measure_here(ready, X, data.y, X_test, data.y_test)
    sizes = {"n_train": len(data.y), "n_test": len(data.y_test)}
    return [{"data": data.name, "model": model, "seed": seed, **sizes, **measures}]


def _make_ours(name: str, seed: int) -> ContextMemoryClassifier:
    """Return the classifier with its defaults, but for the context."""
    return ContextMemoryClassifier(context=name.split("(")[1].rstrip(")"), random_state=seed)


def _features(sequences: list[np.ndarray], model: str, n_steps: int) -> Any:
    """Return what a model reads; logistic regression needs as many numbers of each sequence."""
    if model == "lr-flat":
        return pad(sequences, n_steps).reshape(len(sequences), -1)
    return mean_and_deviation(sequences) if model == "lr-mean-std" else sequences


def _search(data: SequenceData, model: str) -> Any:
    """Return logistic regression with C chosen on a fifth of the training part, not timed."""
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    fifth = StratifiedShuffleSplit(1, test_size=0.2, random_state=0)
    grid = {"logisticregression__C": list(STRENGTHS)}
    search = GridSearchCV(regression, grid, cv=fifth, refit=False)
    with one_blas_thread():
        search.fit(_features(data.X, model, data.n_steps), data.y)
    return regression.set_params(**search.best_params_)


def _measure_here(
    model: Any, X: Any, y: np.ndarray, X_test: Any, y_test: np.ndarray
) -> dict[str, float]:
    """Measure a fit and its predictions in this process."""
    start = time.process_time()
    with one_blas_thread():
        model.fit(X, y)
        fitted = time.process_time()
        predicted = model.predict(X_test)
    return {
        "accuracy": float(np.mean(predicted == y_test)),
        "fit_cpu_seconds": fitted - start,
        "predict_cpu_seconds": time.process_time() - fitted,
    }


def _measure_external(
    data: SequenceData, model: str, seed: int, interpreter: str
) -> dict[str, float]:
    """Measure a fit in another interpreter, which gets sequences padded with zeros."""
    parts = {"X": data.X, "X_test": data.X_test}
    # aeon has features before steps.
    X = {name: pad(part, data.n_steps).transpose(0, 2, 1) for name, part in parts.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sequences.npz"
        np.savez(path, allow_pickle=False, **X, y=data.y, y_test=data.y_test)
        done = subprocess.run(
            [interpreter, str(SCRIPT), str(path), model, str(seed)],
            capture_output=True,
            text=True,
            env=os.environ | ONE_THREAD,
        )
    if done.returncode:
        raise RuntimeError(f"{model} failed in {interpreter}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
