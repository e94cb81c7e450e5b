"""Fits of the classifier without some of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmarks.ablation.parts import Part, all_parts
from benchmarks.corpora.corpus import Corpus, split_by_group
from benchmarks.measuring.files import write_table
from benchmarks.measuring.metrics import probability_scores
from benchmarks.measuring.processes import call_in_process
from benchmarks.measuring.versions import short_hash, versions_of
from benchmarks.models.build import build_model

KEY = ("corpus", "part", "seed", "versions")
TEXT_COLUMNS = ("corpus", "part", "versions")  # a hash such as 12e4567 must not become a number

Job = tuple[Corpus, str, int]


def measure(corpus: Corpus, name: str, seed: int) -> dict[str, Any]:
    """Fit without a part, and score on validation rows."""
    part = next(part for part in all_parts() if part.name == name)
    train, valid = corpus.part("train"), corpus.part("valid")
    if not len(valid):
        train, valid = split_by_group(train, test_size=0.1)
    model = build_model("context-memory (past)", train, seed)
    model.classifier.set_params(**part.parameters)  # type: ignore[attr-defined]
    with part.patched():
        start = perf_counter()
        model.fit(train, train["label"])
        seconds = perf_counter() - start
        probabilities = model.predict_proba(valid)
    assert probabilities is not None
    predicted = np.asarray(model.classes)[probabilities.argmax(axis=1)]
    return {
        "accuracy": float(np.mean(predicted == valid["label"].to_numpy())),
        **probability_scores(valid["label"], probabilities, np.asarray(model.classes)),
        "fit_seconds": seconds,
    }


def plan(corpora: Sequence[Corpus], parts: Sequence[Part], seeds: Sequence[int]) -> list[Job]:
    """List the fits by corpus and seed, so that all parts are timed close to each other."""
    return [
        (corpus, part.name, seed)
        for corpus in corpora
        for seed in seeds
        for part in parts
        if suits(part, corpus)
    ]


def suits(part: Part, corpus: Corpus) -> bool:
    """Whether the model has a part on a corpus."""
    if part.name == "speakers" and "speaker" not in corpus.frame:
        return False
    return corpus.has_groups or not part.needs_groups


def measure_new(jobs: Sequence[Job], path: Path) -> pd.DataFrame:
    """Measure the jobs whose results with the same versions are not in a file yet.

    Parameters
    ----------
    jobs : sequence of tuple
        Corpus, name of the part and seed of each fit.

    path : Path
        CSV file of the results.

    Returns
    -------
    DataFrame
        The results of `jobs`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    versions = short_hash(versions_of("context-memory"))
    rows = read_rows(path)
    known = {tuple(row[name] for name in KEY) for row in rows}
    keys = [(corpus.name, name, seed, versions) for corpus, name, seed in jobs]
    for job, key in tqdm(list(zip(jobs, keys, strict=True)), unit="fit"):
        if key not in known:
            rows.append(dict(zip(KEY, key, strict=True)) | call_in_process(measure, *job))
            write_table(path, pd.DataFrame(rows))
    return pd.DataFrame(rows).set_index(list(KEY)).loc[keys].reset_index()


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read the results of earlier runs."""
    if not path.exists():
        return []
    return pd.read_csv(path, dtype=dict.fromkeys(TEXT_COLUMNS, str)).to_dict("records")
