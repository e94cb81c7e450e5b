"""Models to compare: TF-IDF with logistic regression, alone and on windows, and context memory.

A model has ``fit(frame, y)``, ``predict(frame)`` and ``parameters``, a dict for the results.
A baseline also has ``search``, which chooses its regularisation; the search is not timed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import accuracy_score
from threadpoolctl import threadpool_limits

from benchmarks._corpora import Corpus, feature_columns, group_keys

MODELS = ("lr", "lr-window", "context-memory")
CONTEXTS = ("past", "both", "none")

LOGISTIC_REGRESSION = "LogisticRegression"
SGD = "SGDClassifier(log_loss)"
GRIDS = {
    LOGISTIC_REGRESSION: (1.0, 10.0, 100.0),
    SGD: (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7),  # whole decades cost swda about a point
}

# One lbfgs step over 1e8 (non-zero feature, class) pairs takes 1 to 3 seconds on one core and a
# fit takes 50 to 300 steps: above this, SGD stands in for it.
MAX_LBFGS_WORK = 1e8

WINDOW = (-2, -1, 0, 1, 2)
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")  # Japanese kana and Chinese characters


class Model(Protocol):
    """What a job needs of a model."""

    parameters: dict[str, Any]

    def fit(self, frame: pd.DataFrame, y: pd.Series) -> Any:
        """Learn from rows."""

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""


@dataclass(frozen=True)
class Choice:
    """What the search of a baseline found: a solver and its regularisation."""

    solver: str
    strength: float

    @property
    def parameters(self) -> dict[str, Any]:
        """What goes into the results."""
        name = "C" if self.solver == LOGISTIC_REGRESSION else "alpha"
        return {"solver": self.solver, name: self.strength}

    @property
    def is_deterministic(self) -> bool:
        """Whether every seed gives the same model."""
        return self.solver == LOGISTIC_REGRESSION


def model_rows(models: Iterable[str], contexts: Sequence[str], corpus: Corpus) -> list[str]:
    """Names of the rows of the table: which variants of `models` make sense for the corpus."""
    rows = []
    for model in models:
        if model == "context-memory" and corpus.has_groups:
            rows += [f"context-memory ({context})" for context in contexts]
        elif model != "lr-window" or corpus.has_groups:
            rows.append(model)
    return rows


def is_baseline(name: str) -> bool:
    """Whether a row of the table has a regularisation to search."""
    return name in ("lr", "lr-window")


def build_model(name: str, train: pd.DataFrame, seed: int, choice: Choice | None) -> Model:
    """Unfitted model for a row of the table.

    Parameters
    ----------
    name : str
        One of the names that `model_rows` gives.

    train : DataFrame
        The training rows: their columns and alphabet decide some parameters.

    seed : int
        Seed of the models that draw random numbers.

    choice : Choice or None
        Result of the search for a baseline.

    Returns
    -------
    Model
        An object with `fit`, `predict` and `parameters`.
    """
    if is_baseline(name):
        assert choice is not None
        return LinearBaseline(choice, window=name == "lr-window", seed=seed)
    return ContextMemory(name, train, seed)


class LinearBaseline:
    """TF-IDF features of a row, or of a window of rows, and a linear model.

    Parameters
    ----------
    choice : Choice
        Solver and regularisation.

    window : bool
        Whether a row also gets the features of the two rows before and after it in its group.

    seed : int
        Seed of the SGD solver.
    """

    def __init__(self, choice: Choice, window: bool, seed: int):
        self.window = window
        self.linear = make_linear_model(choice.solver, choice.strength, seed)
        self.parameters = choice.parameters

    def fit(self, frame: pd.DataFrame, y: pd.Series) -> LinearBaseline:
        """Learn the vocabulary and the weights."""
        self.vectorizer = make_vectorizer(frame["text"])
        features = self.vectorizer.fit_transform(frame["text"])
        with one_blas_thread():
            self.linear.fit(widen(features, frame, self.window), y)
        return self

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""
        features = self.vectorizer.transform(frame["text"])
        return self.linear.predict(widen(features, frame, self.window))


def search_baseline(name: str, train: pd.DataFrame, valid: pd.DataFrame) -> Choice:
    """Choose the solver by the amount of work and its regularisation by accuracy on `valid`.

    Parameters
    ----------
    name : {"lr", "lr-window"}
        Which baseline.

    train, valid : DataFrame
        Rows to learn from and rows to score on.

    Returns
    -------
    Choice
        The solver and the best strength; of equal ones, the first in the grid.
    """
    window = name == "lr-window"
    vectorizer = make_vectorizer(train["text"])
    X_train = widen(vectorizer.fit_transform(train["text"]), train, window)
    X_valid = widen(vectorizer.transform(valid["text"]), valid, window)
    solver = choose_solver(X_train.nnz, train["label"].nunique())
    scores = {}
    for strength in GRIDS[solver]:
        with one_blas_thread():
            linear = make_linear_model(solver, strength, seed=0).fit(X_train, train["label"])
        scores[strength] = accuracy_score(valid["label"], linear.predict(X_valid))
    return Choice(solver, max(scores, key=scores.__getitem__))


def choose_solver(n_nonzero: int, n_classes: int) -> str:
    """Logistic regression, or SGD where the lbfgs solver would take minutes."""
    n_weights_per_feature = 1 if n_classes == 2 else n_classes
    return SGD if n_nonzero * n_weights_per_feature > MAX_LBFGS_WORK else LOGISTIC_REGRESSION


def make_linear_model(solver: str, strength: float, seed: int) -> Any:
    """Linear model with C, or alpha for SGD, set to `strength`."""
    if solver == LOGISTIC_REGRESSION:
        return LogisticRegression(C=strength, max_iter=1000)
    return SGDClassifier(loss="log_loss", alpha=strength, random_state=seed, n_jobs=-1)


def one_blas_thread() -> threadpool_limits:
    """Context in which linear algebra keeps to one thread.

    The vectors of lbfgs are short: with a thread per core it waits at barriers, and on a busy
    machine a fit takes many times as long. SGD runs classes in parallel and is not held back.
    """
    return threadpool_limits(1, user_api="blas")


def make_vectorizer(texts: pd.Series) -> TfidfVectorizer:
    """TF-IDF of words and pairs of words, or of characters where words are not set apart."""
    if lacks_spaces(texts):
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    pattern = r"\w+|[^\w\s]"
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=pattern)


def lacks_spaces(texts: pd.Series) -> bool:
    """Whether the first thousand texts are mostly Chinese or Japanese."""
    sample = "".join(texts.iloc[:1000])
    return len(CJK.findall(sample)) > 0.3 * len(sample)


def widen(features: sparse.csr_matrix, frame: pd.DataFrame, window: bool) -> sparse.csr_matrix:
    """Features of the rows, beside those of their neighbours when `window` is true."""
    if not window:
        return features
    order = pd.factorize(frame["order"], sort=True)[0] if "order" in frame else None
    return window_features(features, group_keys(frame), order)


def window_features(
    features: sparse.csr_matrix, groups: np.ndarray, order: np.ndarray | None = None
) -> sparse.csr_matrix:
    """Features of a row beside those of the two rows before and the two after it in its group.

    Parameters
    ----------
    features : sparse matrix of shape (n_rows, n_features)
        Features of each row.

    groups : ndarray of shape (n_rows,)
        Group of each row; the rows of a group need not stand together.

    order : ndarray of shape (n_rows,), default=None
        What rows are sorted by within their group; None keeps the order that they have.

    Returns
    -------
    csr_matrix of shape (n_rows, 5 * n_features)
        Blocks for the rows 2 before, 1 before, itself, 1 after and 2 after; zero outside.
    """
    n_rows = len(groups)
    within = np.arange(n_rows) if order is None else order
    sequence = np.lexsort((within, groups))
    blocks = []
    for shift in WINDOW:
        position = np.arange(max(0, -shift), min(n_rows, n_rows - shift))
        row, neighbour = sequence[position], sequence[position + shift]
        same = groups[row] == groups[neighbour]
        pick = sparse.csr_matrix(
            (np.ones(same.sum()), (row[same], neighbour[same])), shape=(n_rows, n_rows)
        )
        blocks.append(pick @ features)
    return sparse.hstack(blocks, format="csr")


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
        """Fit the classifier; it holds out a validation part of its own."""
        self.classifier.fit(self._input(frame), y)
        return self

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""
        return self.classifier.predict(self._input(frame))

    def _input(self, frame: pd.DataFrame) -> pd.DataFrame | list[str]:
        """Frame with its context columns, or the plain texts where there is no context."""
        return frame[feature_columns(frame)] if "group" in frame else frame["text"].tolist()
