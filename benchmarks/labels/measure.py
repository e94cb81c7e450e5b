"""Labels that are flipped at random, and the number of them that are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.pipeline import make_pipeline

from benchmarks.corpora.corpus import Corpus, feature_columns, split_by_group
from benchmarks.models.build import CONTEXTS
from benchmarks.models.context_memory import ContextMemory
from sk_ctxmem.comparison import make_tfidf, one_blas_thread, take_whole_groups
from sk_ctxmem.inspection import suspect_labels

SHARE_FLIPPED = 0.05
SHARE_INSPECTED = 0.1
STRENGTHS = (1.0, 10.0, 100.0)
BASELINE = "lr"


def measure(corpus: Corpus, n_rows: int, seed: int) -> list[dict[str, Any]]:
    """Flip labels, and count the flipped labels that each model finds."""
    rows = take_whole_groups(corpus.part("train"), n_rows, seed).reset_index(drop=True)
    labels, flipped = flip_labels(rows["label"], seed)
    frame = rows[feature_columns(rows)]
    groups = frame.get("group")
    points = []
    with one_blas_thread():
        for name, model in build_models(frame, labels, seed).items():
            X = frame if name == BASELINE or groups is not None else frame["text"].tolist()
            table = suspect_labels(model, X, labels, groups=groups)
            point = {"corpus": corpus.name, "model": name, "seed": seed, "rows": len(rows)}
            points.append(point | count_found(table, flipped))
    return points


def flip_labels(labels: pd.Series, seed: int) -> tuple[pd.Series, np.ndarray]:
    """Change a share of the labels to another class; return labels and a mask of the changed."""
    random = np.random.default_rng(seed)
    classes, numbers = np.unique(labels, return_inverse=True)
    flipped = random.random(len(labels)) < SHARE_FLIPPED
    steps = random.integers(1, len(classes), size=len(labels))
    numbers = np.where(flipped, (numbers + steps) % len(classes), numbers)
    return pd.Series(classes[numbers], index=labels.index), flipped


def build_models(frame: pd.DataFrame, labels: pd.Series, seed: int) -> dict[str, Any]:
    """Return logistic regression, and context memory with each context that suits the rows."""
    contexts = [f" ({context})" for context in CONTEXTS] if "group" in frame else [""]
    names = [f"context-memory{context}" for context in contexts]
    ours = {name: ContextMemory(name, frame, seed).classifier for name in names}
    return {BASELINE: search_logistic_regression(frame, labels)} | ours


def search_logistic_regression(frame: pd.DataFrame, labels: pd.Series) -> Any:
    """Return logistic regression on n-grams with the best of a few values of C."""
    train, test = split_by_group(frame, test_size=0.2)
    models = [make_logistic_regression(frame, C) for C in STRENGTHS]
    fitted = [model.fit(train, labels[train.index]) for model in models]
    accuracies = [accuracy_score(labels[test.index], model.predict(test)) for model in fitted]
    return models[int(np.argmax(accuracies))]


def make_logistic_regression(frame: pd.DataFrame, C: float) -> Any:
    """Return a pipeline of n-grams of the text column and logistic regression."""
    features = make_column_transformer((make_tfidf(frame["text"]), "text"))
    return make_pipeline(features, LogisticRegression(C=C, max_iter=300))


def count_found(table: pd.DataFrame, flipped: np.ndarray) -> dict[str, Any]:
    """Compare a table of suspects with the labels that are known to be flipped."""
    first = table["row"].head(int(SHARE_INSPECTED * len(table)))
    suspects = table.loc[table["is_suspect"], "row"]
    return {
        "flipped": int(flipped.sum()),
        "found": flipped[first].sum() / flipped.sum(),
        "suspects": len(suspects),
        "suspects_flipped": flipped[suspects].mean() if len(suspects) else np.nan,
    }
