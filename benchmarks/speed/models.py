"""Models to time, all on one thread."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline, make_union

from benchmarks.models.build import Model
from benchmarks.models.context_memory import ContextMemory
from benchmarks.models.fasttext import FastText
from benchmarks.models.linear import LinearBaseline
from sk_ctxmem import TextSequenceVectorizer
from sk_ctxmem.comparison import (
    GRIDS,
    LOGISTIC_REGRESSION,
    SGD,
    LinearChoice,
    make_linear_model,
    make_tfidf,
)

MODELS = ("lr", "linear", "linear_same", "fasttext", "words", "ours")
RATIOS = (
    ("words", "lr"),
    ("words", "linear"),
    ("ours", "linear_same"),
    ("ours", "lr"),
    ("ours", "linear"),
    ("ours", "fasttext"),
)
SOLVERS = {"lr": LOGISTIC_REGRESSION, "linear": SGD}

CharRange = tuple[int, int] | None

# lbfgs has allocated all of its memory after ten steps, and the time of a prediction does not
# depend on the values of the weights.
FEW_STEPS = 15


def installed_models() -> tuple[str, ...]:
    """Names of the models whose packages are installed."""
    missing = () if find_spec("fasttext") else ("fasttext",)
    return tuple(name for name in MODELS if name not in missing)


def make_model(name: str, train: pd.DataFrame, strengths: Mapping[str, float], seed: int) -> Model:
    """Make an unfitted model.

    Parameters
    ----------
    name : {"lr", "linear", "linear_same", "fasttext", "words", "ours"}
        Name of the model; "words" is "ours" with the n-grams of "lr" and "linear", and
        "linear_same" is "linear" with the n-grams of "ours".

    train : DataFrame
        Training rows. Some parameters depend on their columns and their alphabet.

    strengths : mapping of str to float
        C of LogisticRegression and alpha of SGDClassifier, by solver.

    seed : int
        Random seed.

    Returns
    -------
    Model
        An unfitted model.
    """
    if name in ("ours", "words"):
        return Ours(train, seed, words_only=name == "words")
    if name == "fasttext":
        return FastText(seed)
    if name == "linear_same":
        return SameNGrams(train, SGD, strengths[SGD], seed, find_char_range(train))
    return Linear(SOLVERS[name], strengths[SOLVERS[name]], seed)


def make_short_regression() -> Linear:
    """Logistic regression with a few steps, to measure memory and prediction."""
    model = Linear(LOGISTIC_REGRESSION, GRIDS[LOGISTIC_REGRESSION][0], seed=0)
    model.linear.set_params(max_iter=FEW_STEPS)
    return model


def make_short_same(train: pd.DataFrame, char_ngram_range: CharRange) -> SameNGrams:
    """Logistic regression with a few steps on the n-grams of context memory."""
    strength = GRIDS[LOGISTIC_REGRESSION][0]
    model = SameNGrams(train, LOGISTIC_REGRESSION, strength, 0, char_ngram_range)
    model.pipeline[-1].set_params(max_iter=FEW_STEPS)
    return model


def find_char_range(train: pd.DataFrame) -> CharRange:
    """Range of the character n-grams of context memory with its defaults on these texts."""
    return Ours(train, seed=0).char_ngram_range(train)


def make_same_ngrams(
    train: pd.DataFrame, solver: str, strength: float, seed: int, char_ngram_range: CharRange
) -> Pipeline:
    """Linear model on n-grams of words and, if a range is given, of characters inside words."""
    vectorizers = [make_tfidf(train["text"])]
    if char_ngram_range:
        kind = {"analyzer": "char_wb", "ngram_range": char_ngram_range}
        vectorizers.append(TfidfVectorizer(sublinear_tf=True, **kind))
    linear = make_linear_model(solver, strength, seed)
    if solver == SGD:
        linear.set_params(n_jobs=1)
    return make_pipeline(make_union(*vectorizers), linear)


class SameNGrams:
    """Linear model on all n-grams of context memory.

    Parameters
    ----------
    train : DataFrame
        The training rows.

    solver : str
        Name of the linear model.

    strength : float
        C, or alpha for SGD.

    seed : int
        Seed of the SGD solver.

    char_ngram_range : tuple of (int, int) or None
        Range of the character n-grams of context memory.
    """

    def __init__(
        self,
        train: pd.DataFrame,
        solver: str,
        strength: float,
        seed: int,
        char_ngram_range: CharRange,
    ):
        self.pipeline = make_same_ngrams(train, solver, strength, seed, char_ngram_range)
        self.parameters = {"solver": solver, "strength": strength}

    def fit(self, frame: pd.DataFrame, y: pd.Series) -> SameNGrams:
        """Learn the vocabulary and the weights."""
        self.pipeline.fit(frame["text"], y)
        return self

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""
        return self.pipeline.predict(frame["text"])

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the probability of each class for each row."""
        return self.pipeline.predict_proba(frame["text"])


class Linear(LinearBaseline):
    """TF-IDF features and a linear model, on one thread.

    Parameters
    ----------
    solver : str
        Name of the linear model.

    strength : float
        C, or alpha for SGD.

    seed : int
        Seed of the SGD solver.
    """

    def __init__(self, solver: str, strength: float, seed: int):
        super().__init__(LinearChoice(solver, strength), window=False, seed=seed)
        if solver == SGD:
            self.linear.set_params(n_jobs=1)


class Ours(ContextMemory):
    """`ContextMemoryClassifier` with its defaults.

    Parameters
    ----------
    train : DataFrame
        The training rows.

    seed : int
        Value of `random_state`.

    words_only : bool, default=False
        Whether to leave out the n-grams of characters inside words, which TfidfVectorizer does not
        have by default.
    """

    def __init__(self, train: pd.DataFrame, seed: int, words_only: bool = False):
        super().__init__("context-memory (past)", train, seed)
        if words_only:
            self.classifier.set_params(vectorizer__char_ngram_range=None)

    def char_ngram_range(self, train: pd.DataFrame) -> tuple[int, int] | None:
        """Range of the character n-grams of the vectorizer on these texts."""
        vectorizer = self.classifier.vectorizer or TextSequenceVectorizer()
        return vectorizer.fit(train["text"].tolist()).char_ngram_range_


AnyModel = Linear | SameNGrams | Ours
