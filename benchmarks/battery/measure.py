"""Scores of logistic regression and of context memory on a task."""

from __future__ import annotations

from collections.abc import Sequence
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.battery.tasks import Task, list_tasks
from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer

STRENGTHS = [0.01, 0.1, 1.0, 10.0, 100.0]


def measure(name: str, seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Return the scores of both on a task, and the seconds of CPU of our fit, for each seed."""
    return [_measure_one(name, seed) for seed in seeds]


def _measure_one(name: str, seed: int) -> dict[str, Any]:
    """Return the scores and the seconds of one seed."""
    task = list_tasks()[name](seed)
    weights = "balanced" if task.balanced else None
    start = process_time()
    ours = ContextMemoryClassifier(class_weight=weights, random_state=seed).fit(task.X, task.y)
    seconds = process_time() - start
    return {
        "task": name,
        "seed": seed,
        "logistic regression": score(*search(task, weights), task),
        "context memory": score(ours, task.X_test, task),
        "seconds": seconds,
    }


def search(task: Task, weights: str | None) -> tuple[Any, Any]:
    """Return logistic regression with the best C of a cross-validation, and its test features."""
    X, X_test = task.X, task.X_test
    if isinstance(X, list):
        vectorizer = TextSequenceVectorizer(output="sparse").fit(X)
        X, X_test = vectorizer.transform(X), vectorizer.transform(X_test)
    if sparse.issparse(X):
        filled = np.unique(X.indices)  # empty columns change no prediction, but take minutes
        X, X_test = X[:, filled], X_test[:, filled]
    scaler = "passthrough" if sparse.issparse(X) else StandardScaler()
    regression = LogisticRegression(max_iter=500, class_weight=weights)
    searched = GridSearchCV(
        make_pipeline(scaler, regression),
        {"logisticregression__C": STRENGTHS},
        scoring="f1" if task.balanced else "accuracy",
        cv=3,
    )
    return searched.fit(X, task.y), X_test


def score(classifier: Any, X_test: Any, task: Task) -> float:
    """Return F1 of a rare class, or the accuracy."""
    found = np.asarray(classifier.predict(X_test))
    scorer = f1_score if task.balanced else accuracy_score
    return float(scorer(task.y_test, found))


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Return the means over the seeds, with the lead of context memory, and the least lead last."""
    table = results.drop(columns="seed").groupby("task").mean()
    table["lead"] = table["context memory"] - table["logistic regression"]
    return table.sort_values("lead", ascending=False).round(3)
