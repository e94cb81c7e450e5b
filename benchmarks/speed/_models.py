"""Models to time, all on one thread: those of the comparison, and fastText."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._models import (
    GRIDS,
    LOGISTIC_REGRESSION,
    SGD,
    Choice,
    ContextMemory,
    LinearBaseline,
    Model,
    make_vectorizer,
)

MODELS = ("lr", "linear", "fasttext", "ours")
SOLVERS = {"lr": LOGISTIC_REGRESSION, "linear": SGD}

# No word holds both a "#" and a ":", as each is a token of its own: no text can name a class.
LABEL = "#:"

# lbfgs has all of its memory when ten steps are done, and the weights take the same time to
# apply however good they are.
FEW_STEPS = 15


def installed_models() -> tuple[str, ...]:
    """Names of the models that can be timed here."""
    missing = () if find_spec("fasttext") else ("fasttext",)
    return tuple(name for name in MODELS if name not in missing)


def fasttext_version() -> str:
    """Version of the package that brings fastText, or "not installed"."""
    return version("fasttext-numpy2") if find_spec("fasttext") else "not installed"


def make_model(name: str, train: pd.DataFrame, strengths: Mapping[str, float], seed: int) -> Model:
    """Make an unfitted model.

    Parameters
    ----------
    name : {"lr", "linear", "fasttext", "ours"}
        Which model.

    train : DataFrame
        The training rows: their columns and alphabet decide some parameters.

    strengths : mapping of str to float
        C of LogisticRegression and alpha of SGDClassifier, under the names in `SOLVERS`.

    seed : int
        Seed of the models that draw random numbers.

    Returns
    -------
    Model
        An object with `fit`, `predict` and `parameters`.
    """
    if name == "ours":
        return Ours(train, seed)
    if name == "fasttext":
        return FastText(seed)
    return Linear(SOLVERS[name], strengths[SOLVERS[name]], seed)


def make_short_regression() -> Linear:
    """Logistic regression of a few steps, to measure memory and prediction by."""
    model = Linear(LOGISTIC_REGRESSION, GRIDS[LOGISTIC_REGRESSION][0], seed=0)
    model.linear.set_params(max_iter=FEW_STEPS)
    return model


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
        super().__init__(Choice(solver, strength), window=False, seed=seed)
        if solver == SGD:
            self.linear.set_params(n_jobs=1)

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the probability of each class for each row."""
        return self.linear.predict_proba(self.vectorizer.transform(frame["text"]))


class Ours(ContextMemory):
    """`ContextMemoryClassifier` with its defaults.

    Parameters
    ----------
    train : DataFrame
        The training rows.

    seed : int
        Value of `random_state`.
    """

    def __init__(self, train: pd.DataFrame, seed: int):
        super().__init__("context-memory (past)", train, seed)

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the probability of each class for each row."""
        return self.classifier.predict_proba(self._input(frame))


class FastText:
    """Supervised fastText on the words that the other models see.

    Parameters
    ----------
    seed : int
        Seed of the weights.
    """

    def __init__(self, seed: int):
        self.parameters: dict[str, Any] = {
            "wordNgrams": 2,
            "epoch": 25,
            "lr": 0.5,
            "dim": 100,
            "thread": 1,
            "seed": seed,
        }

    def fit(self, frame: pd.DataFrame, y: pd.Series) -> FastText:
        """Write the file that fastText reads, and train on it."""
        import fasttext

        self.tokenizer = make_tokenizer(frame["text"])
        numbers, self.classes = pd.factorize(y)
        lines = zip(numbers, self._lines(frame["text"]), strict=True)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            content = "".join(f"{LABEL}{number} {line}\n" for number, line in lines)
            path.write_text(content, encoding="utf-8")
            self.model = fasttext.train_supervised(
                str(path), label=LABEL, verbose=0, **self.parameters
            )
        return self

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row; the most frequent one where there is no known word."""
        labels = self.model.predict(self._lines(frame["text"]))[0]
        fallback = self.model.get_labels()[0]
        numbers = [(found[0] if found else fallback).removeprefix(LABEL) for found in labels]
        return np.asarray(self.classes)[np.array(numbers, dtype=int)]

    def _lines(self, texts: pd.Series) -> list[str]:
        """Words of each text with spaces between them."""
        return [" ".join(self.tokenizer(text.lower())) for text in texts]


def make_tokenizer(texts: pd.Series) -> Callable[[str], list[str]]:
    """Make a function that cuts a text into the words, or characters, that all models see."""
    vectorizer = make_vectorizer(texts)
    is_of_words = vectorizer.analyzer == "word"
    return vectorizer.build_tokenizer() if is_of_words else re.compile(r"\S").findall
