"""Context memory, as a model of the comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import feature_columns
from benchmarks.corpora.labels import read_turns
from sk_ctxmem.comparison import lacks_spaces


def column_parameters(frame: pd.DataFrame) -> dict[str, str]:
    """Parameters of the classifier that name the columns of a frame."""
    return {f"{column}_column": column for column in feature_columns(frame)}


class ContextMemory:
    """`ContextMemoryClassifier` with its defaults.

    Parameters
    ----------
    name : str
        Row of the table: "context-memory", with the context in parentheses if rows have groups, or
        are groups.

    train : DataFrame
        The training rows.

    seed : int
        Value of `random_state`.
    """

    def __init__(self, name: str, train: pd.DataFrame, seed: int):
        from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer

        self.parameters: dict[str, Any] = {}
        if "group" in train or "turns" in train:
            self.parameters["context"] = name.split("(")[1].rstrip(")")
        if "group" in train:
            self.parameters |= column_parameters(train)
        elif "turns" in train and isinstance(read_turns(train[:1])[0], pd.DataFrame):
            self.parameters |= {"text_column": "text", "speaker_column": "speaker"}
        self.classifier = ContextMemoryClassifier(random_state=seed, verbose=0, **self.parameters)
        if lacks_spaces(train["text"]):
            vectorizer = TextSequenceVectorizer(analyzer="char", ngram_range=(1, 3))
            self.classifier.set_params(vectorizer=vectorizer)
            self.parameters["vectorizer"] = repr(vectorizer)

    def fit(self, frame: pd.DataFrame, y: pd.Series | pd.DataFrame) -> ContextMemory:
        """Fit the classifier with its defaults."""
        self.classifier.fit(self._input(frame), y)
        self.classes = self.classifier.classes_
        return self

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""
        return self.classifier.predict(self._input(frame))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the probability of each class for each row."""
        return self.classifier.predict_proba(self._input(frame))

    def explain(self, frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
        """Explain predictions with `ContextMemoryClassifier.explain`."""
        return self.classifier.explain(self._input(frame), **options)

    def _input(self, frame: pd.DataFrame) -> Any:
        """Return the frame with its context columns, the texts without groups, or sequences."""
        if "turns" in frame:
            return read_turns(frame)
        return frame[feature_columns(frame)] if "group" in frame else frame["text"].tolist()


class TunedContextMemory(ContextMemory):
    """`ContextMemoryClassifierCV` with its defaults, on the classifier of `ContextMemory`.

    Parameters
    ----------
    name : str
        Row of the table: "context-memory-cv", with the context in parentheses if rows have groups,
        or are groups.

    train : DataFrame
        The training rows.

    seed : int
        Value of `random_state`.
    """

    def __init__(self, name: str, train: pd.DataFrame, seed: int):
        from sk_ctxmem import ContextMemoryClassifierCV

        super().__init__(name, train, seed)
        self.classifier = ContextMemoryClassifierCV(self.classifier, random_state=seed)

    def fit(self, frame: pd.DataFrame, y: pd.Series | pd.DataFrame) -> TunedContextMemory:
        """Search and fit; the choice becomes part of the parameters."""
        super().fit(frame, y)
        chosen = {name: repr(value) for name, value in self.classifier.best_params_.items()}
        self.parameters |= {"best_params": chosen, "cost": float(self.classifier.cost_)}
        return self
