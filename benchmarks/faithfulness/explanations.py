"""Contributions of words and of earlier rows, by explanation method."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.faithfulness.edits import Views

METHODS = ("integrated_gradients", "leave_one_out", "gradient_times_input")
RANDOM, ATTENTION, COEFFICIENTS = "random", "attention", "coefficients of lr"
NO_LINES = pd.DataFrame({"row": [], "source": [], "feature": [], "contribution": []})

Scores = list[np.ndarray]  # contribution of each word or earlier row, for each explained row


def explain(model: Any, views: Views, method: str) -> list[pd.DataFrame]:
    """Explain the last row of each view; return the rows of the explanation."""
    lines = model.explain(views.frame, rows=views.lasts, method=method)
    by_row = dict(iter(lines.groupby("row")))
    return [by_row[row] for row in views.lasts]


def own_words(model: Any, views: Views, explanations: list[pd.DataFrame]) -> Scores:
    """Return the contribution of each word of the explained rows."""
    from sk_ctxmem.inspection import word_contributions

    vectorizer = model.classifier.vectorizer_
    scores = []
    for text, lines in zip(views.texts, explanations, strict=True):
        words, _ = word_contributions(text, lines[lines["feature"].notna()], vectorizer)
        scores.append(np.array([word.contribution for word in words]))
    return scores


def lr_words(lr: Any, views: Views, classes: np.ndarray) -> Scores:
    """Return the contribution of each word to logistic regression: coefficients times n-grams."""
    from sk_ctxmem.inspection import word_contributions

    names = lr.features.vectorizer_.get_feature_names_out()
    scores = []
    for text, name in zip(views.texts, classes, strict=True):
        features = lr.features.vectorizer_.transform([text]).tocsr()
        weights = coefficients(lr, name)[features.indices] * features.data
        parts = {"row": 0, "source": "ngram", "feature": names[features.indices]}
        words, _ = word_contributions(
            text, pd.DataFrame(parts | {"contribution": weights}), lr.features.vectorizer_
        )
        scores.append(np.array([word.contribution for word in words]))
    return scores


def coefficients(lr: Any, name: Any) -> np.ndarray:
    """Return the coefficients of a class; with two classes, they differ in sign only."""
    number = int(np.flatnonzero(lr.classes == name)[0])
    if len(lr.classes) == 2:
        return lr.linear.coef_[0] * (1 if number == 1 else -1)
    return lr.linear.coef_[number]


def earlier_rows(
    views: Views, explanations: list[pd.DataFrame], column: str = "contribution"
) -> Scores:
    """Return the contribution of each earlier row to the explained one, or its attention."""
    scores = []
    firsts = views.lasts - views.lengths + 1
    for first, length, lines in zip(firsts, views.lengths, explanations, strict=True):
        of_rows = lines[lines["source"] == "row"].set_index("from_row")[column]
        scores.append(of_rows.reindex(range(first, first + length - 1)).to_numpy())
    return scores


def word_spans(text: str) -> list[tuple[int, int]]:
    """Return the start and the end of each word of a text."""
    from sk_ctxmem.inspection import word_contributions

    return [(word.start, word.end) for word in word_contributions(text, NO_LINES)[0]]
