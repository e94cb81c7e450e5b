"""Models to compare: their names, which of them suit a corpus, and how each is searched and built.

A model has ``fit(frame, y)``, then ``classes``; ``predict(frame)``; ``predict_proba(frame)``, which
gives None where there are no probabilities; and ``parameters``, a dict for the results. What a
baseline is tuned by is searched first, with at most five trials, and the search is not timed with
the fit. SGD, which stands in for logistic regression, gets seven. Context memory is not searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import Corpus, feature_columns
from benchmarks.models.crf import CRF, search_crf
from benchmarks.models.fasttext import FastText, search_fasttext
from benchmarks.models.features import lacks_spaces
from benchmarks.models.linear import SGD, Choice, LinearBaseline, search_linear

BASELINES = ("lr", "lr-window", "svm-char", "fasttext", "crf")
MODELS = (*BASELINES, "context-memory")
DEMO_MODELS = ("lr", "lr-window", "context-memory")
CONTEXTS = ("past", "both", "none")

NEED_GROUPS = ("lr-window", "crf")
MODULES = {"fasttext": "fasttext", "crf": "pycrfsuite"}


class Model(Protocol):
    """What a job needs of a model."""

    parameters: dict[str, Any]
    classes: Any

    def fit(self, frame: pd.DataFrame, y: pd.Series) -> Any:
        """Learn from rows."""

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Predict the probability of each class for each row, where the model has any."""


def is_installed(model: str) -> bool:
    """Whether the optional package that a model needs, if any, is there."""
    return model not in MODULES or find_spec(MODULES[model]) is not None


def model_rows(models: Iterable[str], contexts: Sequence[str], corpus: Corpus) -> list[str]:
    """Names of the rows of the table: which variants of `models` make sense for the corpus."""
    rows = []
    for model in models:
        if model == "context-memory" and corpus.has_groups:
            rows += [f"context-memory ({context})" for context in contexts]
        elif model not in NEED_GROUPS or corpus.has_groups:
            rows.append(model)
    return rows


def is_baseline(name: str) -> bool:
    """Whether a row of the table is one to compare context memory with, and is searched."""
    return name in BASELINES


def search_baseline(name: str, train: pd.DataFrame, valid: pd.DataFrame) -> dict[str, Any]:
    """Choose what a baseline is built with by accuracy on `valid`.

    Parameters
    ----------
    name : str
        One of `BASELINES`.

    train, valid : DataFrame
        Rows to learn from and rows to score on.

    Returns
    -------
    dict
        What `build_model` needs; it can be written as JSON.
    """
    if name == "fasttext":
        return search_fasttext(train, valid)
    if name == "crf":
        return search_crf(train, valid)
    return search_linear(name, train, valid)


def is_deterministic(name: str, chosen: dict[str, Any]) -> bool:
    """Whether every seed gives the same model, so that one fit is enough."""
    return is_baseline(name) and name != "fasttext" and chosen.get("solver") != SGD


def build_model(
    name: str, train: pd.DataFrame, seed: int, chosen: dict[str, Any] | None = None
) -> Model:
    """Unfitted model for a row of the table.

    Parameters
    ----------
    name : str
        One of the names that `model_rows` gives.

    train : DataFrame
        The training rows: their columns and alphabet decide some parameters.

    seed : int
        Seed of the models that draw random numbers.

    chosen : dict, default=None
        Result of the search for a baseline.

    Returns
    -------
    Model
        An unfitted model.
    """
    if not is_baseline(name):
        return ContextMemory(name, train, seed)
    assert chosen is not None
    if name == "fasttext":
        return FastText(seed, **chosen)
    if name == "crf":
        return CRF(**chosen)
    return LinearBaseline(Choice(**chosen), window=name == "lr-window", seed=seed)


class ContextMemory:
    """`ContextMemoryClassifier` with its defaults.

    Parameters
    ----------
    name : str
        Row of the table: "context-memory", with the context in brackets where rows have groups.

    train : DataFrame
        The training rows.

    seed : int
        Value of `random_state`.
    """

    def __init__(self, name: str, train: pd.DataFrame, seed: int):
        from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer

        self.parameters: dict[str, Any] = {}
        if "group" in train:
            self.parameters["context"] = name.split("(")[1].rstrip(")")
            for column in feature_columns(train):
                self.parameters[f"{column}_column"] = column
        self.classifier = ContextMemoryClassifier(random_state=seed, verbose=0, **self.parameters)
        if lacks_spaces(train["text"]):
            vectorizer = TextSequenceVectorizer(analyzer="char", ngram_range=(1, 3))
            self.classifier.set_params(vectorizer=vectorizer)
            self.parameters["vectorizer"] = repr(vectorizer)

    def fit(self, frame: pd.DataFrame, y: pd.Series) -> ContextMemory:
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
        """Explain predictions, with the options of the classifier's method."""
        return self.classifier.explain(self._input(frame), **options)

    def _input(self, frame: pd.DataFrame) -> pd.DataFrame | list[str]:
        """Frame with its context columns, or the plain texts where there is no context."""
        return frame[feature_columns(frame)] if "group" in frame else frame["text"].tolist()
