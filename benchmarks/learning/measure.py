"""Fits on random parts of the training rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from sklearn.metrics import accuracy_score

from benchmarks.corpora.corpus import Corpus, split_by_group
from benchmarks.models.build import build_model, search_baseline
from sk_ctxmem.comparison import take_whole_groups

SIZES = (100, 300, 1_000, 3_000, 10_000)
MOST_TEST_ROWS = 10_000
BASELINE = "lr"

Job = tuple[Corpus, int, int]


def plan(corpora: Sequence[Corpus], sizes: Sequence[int], seeds: Sequence[int]) -> list[Job]:
    """List corpus, size and seed of each point, without sizes above the number of training rows."""
    jobs = product(corpora, sizes, seeds)
    points = [job for job in jobs if job[1] <= len(job[0].part("train"))]
    if not points:
        raise ValueError("no corpus has as many training rows as the smallest size")
    return points


def measure(corpus: Corpus, size: int, seed: int) -> list[dict[str, Any]]:
    """Fit logistic regression and context memory on randomly drawn rows, and score both."""
    train = take_whole_groups(corpus.part("train"), size, seed)
    test = take_whole_groups(corpus.part("test"), MOST_TEST_ROWS)
    valid = take_whole_groups(corpus.part("valid"), size, seed)
    parts = (train, valid) if len(valid) else split_by_group(train, test_size=0.2)
    chosen = search_baseline(BASELINE, *parts)
    ours = "context-memory (past)" if corpus.has_groups else "context-memory"
    rows = []
    for name in (BASELINE, ours):
        model = build_model(name, train, seed, chosen).fit(train, train["label"])
        accuracy = accuracy_score(test["label"], model.predict(test))
        row = {"corpus": corpus.name, "model": name, "rows": size, "n_train": len(train)}
        rows.append(row | {"seed": seed, "accuracy": accuracy})
    return rows
