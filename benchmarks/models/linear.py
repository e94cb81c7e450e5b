"""Linear baselines: logistic regression, alone and on windows of rows, and a linear SVM."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import targets
from sk_ctxmem import WindowTfidfVectorizer
from sk_ctxmem.comparison import (
    LOGISTIC_REGRESSION,
    SVM,
    LinearChoice,
    fit_linear,
    make_features,
    make_linear_model,
    search_linear,
)

WINDOW = (2, 2)


class LinearBaseline:
    """Linear model on TF-IDF features of a row, or of a window of rows.

    Parameters
    ----------
    choice : LinearChoice
        Solver and regularization. An SVM also has n-grams of characters.

    window : bool
        Whether a row also has the features of the two rows before and the two rows after it in
        its group.

    seed : int
        Seed of the SGD solver.

    several : bool, default=False
        Whether rows have several labels: each then has a model of its own, against the rest.
    """

    def __init__(self, choice: LinearChoice, window: bool, seed: int, several: bool = False):
        self.window = window
        self.solver = choice.solver
        self.linear = make_linear_model(choice.solver, choice.strength, seed, several)
        self.parameters = choice.parameters

    def fit(self, frame: pd.DataFrame, y: pd.Series | pd.DataFrame) -> LinearBaseline:
        """Learn the vocabulary and the weights."""
        self.features = features_of(frame, self.solver, self.window)
        fit_linear(self.linear, self.features.fit_transform(frame), y)
        self.classes = self.linear.classes_
        return self

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""
        return self.linear.predict(self.features.transform(frame))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Probability of each class for each row; None for the SVM."""
        if self.solver == SVM:
            return None
        return self.linear.predict_proba(self.features.transform(frame))


def features_of(frame: pd.DataFrame, solver: str, window: bool) -> WindowTfidfVectorizer:
    """Return the unfitted features of the rows of a corpus."""
    if not window:
        return make_features(frame["text"], solver, text_column="text")
    columns = {f"{name}_column": name for name in ("text", "group", "order") if name in frame}
    return make_features(frame["text"], solver, WINDOW, **columns)


def search_baseline_strength(name: str, train: pd.DataFrame, valid: pd.DataFrame) -> dict[str, Any]:
    """Choose the solver by the amount of work, and its regularization by the score on `valid`.

    The score is the accuracy, or the micro-averaged F1 if rows have several labels.

    Parameters
    ----------
    name : {"lr", "lr-window", "svm-char"}
        Name of the baseline.

    train, valid : DataFrame
        Training rows and validation rows.

    Returns
    -------
    dict
        Fields of `LinearChoice`: the solver, and the first of the best strengths in the grid.
    """
    solver = SVM if name == "svm-char" else LOGISTIC_REGRESSION
    features = features_of(train, solver, name == "lr-window")
    return asdict(search_linear(features, solver, train, targets(train), valid, targets(valid)))
