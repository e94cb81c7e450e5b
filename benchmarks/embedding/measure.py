"""Fits with and without an embedder, on all rows or some of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import StandardScaler

from benchmarks.corpora.corpus import Corpus, split_by_group
from benchmarks.models.context_memory import ContextMemory
from benchmarks.models.embedders import EMBEDDERS
from sk_ctxmem.comparison import make_tfidf, one_blas_thread

MODELS = ("lr", "lr, vectors alone", "lr, both", "ours", "ours, both")
STRENGTHS = (0.1, 1.0, 10.0, 100.0)
ALL = 0  # rows: all of them

Job = tuple[Corpus, str, int, int, str, Path]


def plan(
    corpora: Sequence[Corpus],
    sizes: Sequence[int],
    seeds: Sequence[int],
    embedder: str,
    out: Path,
    models: Sequence[str] = MODELS,
) -> list[Job]:
    """List corpus, model, number of rows, seed, embedder and folder of the vectors of each fit."""
    jobs = []
    for corpus, size, model, seed in product(corpora, sizes, models, seeds):
        if seed == seeds[0] or size != ALL or model.startswith("ours"):
            jobs.append((corpus, model, size, seed, embedder, out / "vectors"))
    return jobs


def measure(
    corpus: Corpus, model: str, size: int, seed: int, embedder: str, folder: Path
) -> list[dict[str, Any]]:
    """Fit a model to training rows, and score it on test rows; embedding is timed apart."""
    train, test = corpus.part("train"), corpus.part("test")
    if size:
        train = split_by_group(train.sample(frac=1, random_state=seed), size / len(train))[1]
    start = time.process_time()
    ready = None if model in ("lr", "ours") else EMBEDDERS[embedder](folder)
    if hasattr(ready, "embed"):
        ready.embed([*train["text"], *test["text"]])
    embedded = time.process_time()
    fit = _fit_ours if model.startswith("ours") else _fit_linear
    with one_blas_thread():
        predicted = fit(corpus, model, train, test, seed, ready)
    row = {
        "corpus": corpus.name,
        "rows": size or len(train),
        "embedder": embedder,
        "model": model,
        "seed": seed,
        "accuracy": accuracy_score(test["label"], predicted),
        "weighted_f1": f1_score(test["label"], predicted, average="weighted"),
        "embedding_seconds": embedded - start,
        "cpu_seconds": time.process_time() - embedded,
    }
    return [row]


def _fit_ours(corpus, model, train, test, seed, embedder):
    """Return the predictions of the classifier with its defaults, both ways where it can."""
    context = "context-memory (both)" if corpus.has_groups else "context-memory"
    ours = ContextMemory(context, train, seed)
    ours.classifier.set_params(embedder=embedder)
    return ours.fit(train, train["label"]).predict(test)


def _fit_linear(corpus, model, train, test, seed, embedder):
    """Return the predictions of logistic regression, with C chosen on held-out training rows."""
    part, valid = split_by_group(train, 0.2)
    X, X_valid = _make_features(model, part, valid, embedder)
    scores = [
        _fit_one(X, part["label"], strength).score(X_valid, valid["label"])
        for strength in STRENGTHS
    ]
    X, X_test = _make_features(model, train, test, embedder)
    return _fit_one(X, train["label"], STRENGTHS[int(np.argmax(scores))]).predict(X_test)


def _fit_one(X: Any, y: pd.Series, strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=1000).fit(X, y)


def _make_features(model: str, train: pd.DataFrame, other: pd.DataFrame, embedder: Any) -> Any:
    """Return TF-IDF, standardized vectors whose rows have norm 1 on average, or both."""
    blocks = []
    if model != "lr, vectors alone":
        vectorizer = make_tfidf(train["text"])
        blocks.append(
            [vectorizer.fit_transform(train["text"]), vectorizer.transform(other["text"])]
        )
    if embedder is not None:
        fitted = clone(embedder).fit(train["text"])
        vectors = [fitted.transform(part["text"]) for part in (train, other)]
        scaler = StandardScaler().fit(vectors[0])
        blocks.append([scaler.transform(part) / part.shape[1] ** 0.5 for part in vectors])
    if len(blocks) == 1:
        return blocks[0]
    return [sparse.hstack(parts, format="csr") for parts in zip(*blocks, strict=True)]
