"""Models by name: which of them suit a corpus, and how each is tuned and built.

Each baseline is tuned in a search of five trials (seven for SGD, which replaces logistic regression
on large corpora) before its fit, and the time of the search is not part of the time of the fit.
Context memory is not tuned, but for the model that tunes itself inside its fit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import Corpus, targets
from benchmarks.models.context_memory import ContextMemory, TunedContextMemory
from benchmarks.models.crf import CRF, search_crf
from benchmarks.models.fasttext import FastText, search_fasttext
from benchmarks.models.linear import LinearBaseline, search_baseline_strength
from sk_ctxmem.comparison import SGD, LinearChoice

BASELINES = ("lr", "lr-window", "svm-char", "fasttext", "crf")
TUNED = "context-memory-cv"
DEFAULT_MODELS = (*BASELINES, "context-memory")
MODELS = (*DEFAULT_MODELS, TUNED)  # the last one takes ten fits
DEMO_MODELS = ("lr", "lr-window", "context-memory")
CONTEXTS = ("past", "both", "none")

NEED_GROUPS = ("lr-window", "crf")
ONE_LABEL = ("fasttext", "crf")  # the others have one classifier for each label against the rest
MODULES = {"fasttext": "fasttext", "crf": "pycrfsuite"}


class Model(Protocol):
    """A model of the comparison.

    Attributes
    ----------
    parameters : dict
        Parameters for the table of results.

    classes : array-like of shape (n_classes,)
        Labels of the columns of `predict_proba`; known after `fit`.
    """

    parameters: dict[str, Any]
    classes: Any

    def fit(self, frame: pd.DataFrame, y: Any) -> Any:
        """Learn from training rows."""

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Predict the probability of each class for each row; None if the model has none."""


def is_installed(model: str) -> bool:
    """Whether the optional package of a model, if it has one, is installed."""
    return model not in MODULES or find_spec(MODULES[model]) is not None


def model_rows(models: Iterable[str], contexts: Sequence[str], corpus: Corpus) -> list[str]:
    """Names of the rows of the table: the variants of `models` that suit the corpus."""
    rows = []
    for model in models:
        if model in ONE_LABEL and corpus.is_multilabel:
            continue
        if model not in BASELINES and (corpus.has_groups or corpus.is_of_sequences):
            rows += [f"{model} ({context})" for context in contexts]
        elif model not in NEED_GROUPS or corpus.has_groups:
            rows.append(model)
    return rows


def is_baseline(name: str) -> bool:
    """Whether a row of the table is a baseline."""
    return name in BASELINES


def search_baseline(name: str, train: pd.DataFrame, valid: pd.DataFrame) -> dict[str, Any]:
    """Tune a baseline by accuracy on `valid`, or by micro F1 if rows have several labels.

    Parameters
    ----------
    name : str
        One of `BASELINES`.

    train, valid : DataFrame
        Training rows and validation rows.

    Returns
    -------
    dict
        The argument `chosen` of `build_model`; it can be written as JSON.
    """
    if name == "fasttext":
        return search_fasttext(train, valid)
    if name == "crf":
        return search_crf(train, valid)
    return search_baseline_strength(name, train, valid)


def is_deterministic(name: str, chosen: dict[str, Any]) -> bool:
    """Whether all seeds give the same model, so that one fit is enough."""
    return is_baseline(name) and name != "fasttext" and chosen.get("solver") != SGD


def build_model(
    name: str, train: pd.DataFrame, seed: int, chosen: dict[str, Any] | None = None
) -> Model:
    """Unfitted model for a row of the table.

    Parameters
    ----------
    name : str
        Row of the table, as returned by `model_rows`.

    train : DataFrame
        Training rows. Some parameters depend on their columns and their alphabet.

    seed : int
        Random seed.

    chosen : dict, default=None
        Result of `search_baseline`, for a baseline.

    Returns
    -------
    Model
        An unfitted model.
    """
    if not is_baseline(name):
        model = TunedContextMemory if name.startswith(TUNED) else ContextMemory
        return model(name, train, seed)
    assert chosen is not None
    if name == "fasttext":
        return FastText(seed, **chosen)
    if name == "crf":
        return CRF(**chosen)
    several = isinstance(targets(train), pd.DataFrame)
    return LinearBaseline(LinearChoice(**chosen), name == "lr-window", seed, several)
