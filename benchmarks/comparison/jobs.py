"""Jobs of a comparison: each fit runs once, in a fresh process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import Corpus, split_by_group
from benchmarks.measuring.measure import measure
from benchmarks.measuring.processes import call_in_process, describe_error
from benchmarks.measuring.resources import timed
from benchmarks.measuring.store import Key, Store
from benchmarks.measuring.versions import short_hash, versions_of
from benchmarks.models.build import is_baseline, is_deterministic, model_rows, search_baseline


@dataclass(frozen=True)
class Job:
    """One fit: a model on a corpus, with a seed."""

    corpus: Corpus
    model: str
    seed: int

    def __str__(self) -> str:
        """Return the corpus, the model and the seed."""
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
    """Run jobs whose results are not in the store.

    Parameters
    ----------
    store : Store
        Store of results, predictions and searches.

    score : {"test", "valid"}, default="test"
        Scored split; corpora without validation rows are scored on their test rows.

    isolate : bool, default=True
        Whether each search and each fit runs in a fresh process. If False, the peak memory of a
        fit cannot be separated from that of earlier fits, and is NaN.
    """

    def __init__(self, store: Store, score: str = "test", isolate: bool = True):
        self.store = store
        self.score = score
        self.isolate = isolate
        self._failed: dict[tuple[str, str], Key] = {}

    def run(self, job: Job) -> Key:
        """Run one job, unless the store has its result.

        Parameters
        ----------
        job : Job
            The fit. An error in it becomes part of the result and is not raised.

        Returns
        -------
        Key
            Key of the result in the store. It may have another seed if all seeds give the same
            model, or if a baseline has failed with that seed.
        """
        key = self._key(job)
        failed = self._failed.get((job.corpus.name, job.model))
        if failed or self.store.find(key):
            return failed or key
        search: dict[str, Any] = {}
        try:
            if is_baseline(job.model):
                search = self._search(job, key)
                if is_deterministic(job.model, search["chosen"]):
                    same = self.store.find(key, any_seed=True)
                    if same:
                        return same
            result, predictions = self._measure(job, search)
        except Exception as error:  # the other jobs continue after any error
            result, predictions = {"parameters": {"error": describe_error(error)}}, {}
            if is_baseline(job.model):
                self._failed[job.corpus.name, job.model] = key
        extra = {"search_seconds": search["seconds"]} if search else {}
        result["parameters"] = json.dumps(result["parameters"] | extra)
        self.store.add(key, self._sizes(job) | result, predictions)
        return key

    def _key(self, job: Job) -> Key:
        """Key of the result; the store gets its versions."""
        versions = versions_of(job.model)
        name = short_hash(versions)
        self.store.add_versions(name, versions)
        has_valid = self.score == "valid" and len(job.corpus.part("valid")) > 0
        scored_on = "valid" if has_valid else "test"
        return Key(job.corpus.name, job.model, job.seed, scored_on, job.corpus.fingerprint, name)

    def _scored(self, corpus: Corpus) -> pd.DataFrame:
        """Scored rows."""
        valid = corpus.part("valid")
        return valid if self.score == "valid" and len(valid) else corpus.part("test")

    def _sizes(self, job: Job) -> dict[str, int]:
        """Count the training rows and the scored rows."""
        train, scored = job.corpus.part("train"), self._scored(job.corpus)
        return {"n_train": len(train), "n_test": len(scored)}

    def _search(self, job: Job, key: Key) -> dict[str, Any]:
        """Tune a baseline, once for all seeds, and measure the seconds."""
        search = self.store.find_search(key)
        if search is None:
            train, valid = job.corpus.part("train"), job.corpus.part("valid")
            parts = (train, valid) if len(valid) else split_by_group(train, test_size=0.1)
            chosen, seconds = self._call(timed, search_baseline, job.model, *parts)
            search = {"chosen": chosen, "seconds": round(seconds, 3)}
            self.store.add_search(key, search)
        return search

    def _measure(
        self, job: Job, search: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Fit and measure; without a fresh process, peak memory is NaN."""
        parts = job.corpus.part("train"), self._scored(job.corpus)
        result, predictions = self._call(measure, job.model, *parts, job.seed, search.get("chosen"))
        if not self.isolate:
            result["peak_memory_mb"] = np.nan
        return result, predictions

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function, in a fresh process if jobs are isolated."""
        return call_in_process(function, *arguments) if self.isolate else function(*arguments)
