"""Jobs of a comparison and their measures: every fit has a fresh process to itself."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, f1_score, recall_score

from benchmarks._corpora import Corpus, split_by_group
from benchmarks._models import Choice, build_model, is_baseline, model_rows, search_baseline

COLUMNS = (
    "corpus",
    "model",
    "seed",
    "n_train",
    "n_test",
    "accuracy",
    "macro_f1",
    "weighted_f1",
    "macro_recall",
    "fit_seconds",
    "predict_rows_per_second",
    "peak_memory_mb",
    "parameters",
)


@dataclass(frozen=True)
class Job:
    """One fit: a row of the table on a corpus, with a seed."""

    corpus: Corpus
    model: str
    seed: int

    def __str__(self) -> str:
        return f"{self.corpus.name}: {self.model}, seed {self.seed}"


def plan_jobs(
    corpora: Iterable[Corpus],
    models: Sequence[str],
    contexts: Sequence[str],
    seeds: Sequence[int],
) -> list[Job]:
    """List the fits of a comparison, corpus by corpus and model by model."""
    return [
        Job(corpus, model, seed)
        for corpus in corpora
        for model in model_rows(models, contexts, corpus)
        for seed in seeds
    ]


class Runner:
    """Run jobs, remembering what the searches of the baselines found.

    Parameters
    ----------
    score : {"test", "valid"}, default="test"
        Rows to score on; corpora without validation rows are scored on their test rows.

    isolate : bool, default=True
        Whether each search and each fit runs in a fresh process. Without it the peak memory
        of a fit cannot be told from that of the fits before it, and is left out.
    """

    def __init__(self, score: str = "test", isolate: bool = True):
        self.score = score
        self.isolate = isolate
        self._searches: dict[tuple[str, str], tuple[Choice, float]] = {}

    def run(self, job: Job) -> dict[str, Any] | None:
        """Run one job.

        Parameters
        ----------
        job : Job
            What to fit. An error in it is part of the result and is not raised.

        Returns
        -------
        dict or None
            The result under the names in `COLUMNS`; None where it would repeat the one
            before it, since logistic regression is the same for every seed.
        """
        train, scored, scored_on = self._parts(job.corpus)
        result: dict[str, Any] = {
            "corpus": job.corpus.name,
            "model": job.model,
            "seed": job.seed,
            "n_train": len(train),
            "n_test": len(scored),
        }
        extra: dict[str, Any] = {"scored_on": "valid"} if scored_on == "valid" else {}
        choice = None
        try:
            if is_baseline(job.model):
                is_repeat = (job.corpus.name, job.model) in self._searches
                choice, extra["search_seconds"] = self._search(job, train)
                if is_repeat and choice.is_deterministic:
                    return None
            result |= self._call(measure, job.model, train, scored, job.seed, choice)
        except Exception as error:  # whatever it is, the other jobs go on
            result["parameters"] = {"error": describe(error)}
        result["parameters"] = json.dumps(result["parameters"] | extra)
        if not self.isolate:
            result["peak_memory_mb"] = np.nan
        return result

    def _parts(self, corpus: Corpus) -> tuple[pd.DataFrame, pd.DataFrame, str]:
        """Training rows, rows to score on, and the name of the split of the latter."""
        valid = corpus.part("valid")
        if self.score == "valid" and len(valid):
            return corpus.part("train"), valid, "valid"
        return corpus.part("train"), corpus.part("test"), "test"

    def _search(self, job: Job, train: pd.DataFrame) -> tuple[Choice, float]:
        """Choose the regularisation of a baseline, once for all seeds; also the seconds it took."""
        key = (job.corpus.name, job.model)
        if key not in self._searches:
            valid = job.corpus.part("valid")
            parts = (train, valid) if len(valid) else split_by_group(train, test_size=0.1)
            choice, seconds = self._call(timed, search_baseline, job.model, *parts)
            self._searches[key] = choice, round(seconds, 3)
        return self._searches[key]

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function, in a fresh process where jobs are isolated."""
        if not self.isolate:
            return function(*arguments)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(function, *arguments).result()


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Call a function; return its result and the seconds of wall time that it took."""
    start = perf_counter()
    result = function(*arguments)
    return result, perf_counter() - start


def measure(
    model_name: str, train: pd.DataFrame, test: pd.DataFrame, seed: int, choice: Choice | None
) -> dict[str, Any]:
    """Fit a model on `train` and measure it on `test`.

    Parameters
    ----------
    model_name : str
        Row of the table.

    train, test : DataFrame
        Rows to learn from and rows to score on.

    seed : int
        Seed of the model.

    choice : Choice or None
        Solver and regularisation of a baseline.

    Returns
    -------
    dict
        The measures and the parameters of the model.
    """
    model = build_model(model_name, train, seed, choice)
    _, fit_seconds = timed(model.fit, train, train["label"])
    peak = peak_memory_mb()
    predicted, predict_seconds = timed(model.predict, test)
    return scores(test["label"], predicted) | {
        "fit_seconds": fit_seconds,
        "predict_rows_per_second": len(test) / predict_seconds,
        "peak_memory_mb": peak,
        "parameters": model.parameters,
    }


def scores(y_true: pd.Series, y_predicted: np.ndarray) -> dict[str, float]:
    """Accuracy, F1 and recall; averages are over the classes that stand in `y_true`."""
    # Without `labels`, a class that one model alone predicts would change what is averaged.
    options = {"labels": np.unique(y_true), "zero_division": 0}
    return {
        "accuracy": accuracy_score(y_true, y_predicted),
        "macro_f1": f1_score(y_true, y_predicted, average="macro", **options),
        "weighted_f1": f1_score(y_true, y_predicted, average="weighted", **options),
        "macro_recall": recall_score(y_true, y_predicted, average="macro", **options),
    }


def peak_memory_mb() -> float:
    """Peak resident memory of this process so far, in units of 1024 * 1024 bytes."""
    status = Path("/proc/self/status")
    found = status.exists() and re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    if found:
        # On Linux a child inherits ru_maxrss from the process that started it; VmHWM is its own.
        return int(found[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows
        return np.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024


def describe(error: Exception) -> str:
    """Message of an error in one line."""
    if isinstance(error, BrokenProcessPool):
        return "the process of the job was killed, perhaps for lack of memory"
    first_line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first_line}"
