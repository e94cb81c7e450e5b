"""Fits on groups that are cut into pieces."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score

from benchmarks.corpora.corpus import Corpus, sequences
from benchmarks.models.context_memory import ContextMemory

ALL = 10**9  # rows in a piece: groups stay whole
LENGTHS = (1, 5, 15, 50, ALL)
CONTEXTS = ("past", "both")

Job = tuple[Corpus, str, int, int]


def plan(corpora: Sequence[Corpus], seeds: Sequence[int]) -> list[Job]:
    """List corpus, context, length of the pieces and seed of each fit."""
    return list(product(corpora, CONTEXTS, LENGTHS, seeds))


def cut_groups(frame: pd.DataFrame, length: int) -> pd.DataFrame:
    """Cut each group into pieces of `length` rows, which become groups."""
    pieces = np.empty(len(frame), dtype=np.int64)
    n_pieces = 0
    for rows in sequences(frame):
        piece = np.arange(len(rows)) // length
        pieces[rows] = n_pieces + piece
        n_pieces += int(piece[-1]) + 1
    return frame.assign(group=pieces)


def measure(corpus: Corpus, context: str, length: int, seed: int) -> list[dict[str, Any]]:
    """Fit on pieces of the training groups, and score on pieces of the test groups."""
    train, test = (cut_groups(corpus.part(part), length) for part in ("train", "test"))
    model = ContextMemory(f"context-memory ({context})", train, seed).fit(train, train["label"])
    row = {
        "corpus": corpus.name,
        "context": context,
        "rows": "all" if length == ALL else length,
        "seed": seed,
        "n_test": len(test),
        "accuracy": accuracy_score(test["label"], model.predict(test)),
    }
    return [row]
