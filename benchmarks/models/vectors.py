"""Logistic regression on the vectors of an embedder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

STRENGTHS = (0.1, 1.0, 10.0, 100.0)


class VectorsBaseline:
    """Logistic regression on standardized vectors, whose rows have norm 1 on average.

    Parameters
    ----------
    embedder : CachedEmbedder
        The embedder.

    C : float, default=1.0
        Inverse of the strength of the penalty.
    """

    def __init__(self, embedder: Any, C: float = 1.0):
        self.embedder, self.parameters = embedder, {"C": C}
        to_norm_1 = FunctionTransformer(_divide)
        linear = LogisticRegression(C=C, max_iter=1000)
        self.linear = make_pipeline(StandardScaler(), to_norm_1, linear)

    def fit(self, frame: pd.DataFrame, y: pd.Series) -> VectorsBaseline:
        """Learn the weights."""
        self.linear.fit(self.embedder.embed(frame["text"].tolist()), y)
        self.classes = self.linear.classes_
        return self

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""
        return self.linear.predict(self.embedder.embed(frame["text"].tolist()))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Probability of each class for each row."""
        return self.linear.predict_proba(self.embedder.embed(frame["text"].tolist()))


def search_vectors(embedder: Any, train: pd.DataFrame, valid: pd.DataFrame) -> float:
    """Return the first of the best values of C by accuracy on `valid`."""
    scores = [
        np.mean(
            VectorsBaseline(embedder, C).fit(train, train["label"]).predict(valid) == valid["label"]
        )
        for C in STRENGTHS
    ]
    return STRENGTHS[int(np.argmax(scores))]


def _divide(X: np.ndarray) -> np.ndarray:
    return X / X.shape[1] ** 0.5
