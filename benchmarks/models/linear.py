"""Linear baselines: logistic regression, alone and on windows of rows, and a linear SVM."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from benchmarks.corpora.corpus import targets
from benchmarks.models.features import make_vectorizer, widen

LOGISTIC_REGRESSION = "LogisticRegression"
SGD = "SGDClassifier(log_loss)"
SVM = "LinearSVC"
GRIDS = {
    LOGISTIC_REGRESSION: (1.0, 3.0, 10.0, 30.0, 100.0),
    SGD: (
        1e-4,
        3e-5,
        1e-5,
        3e-6,
        1e-6,
        3e-7,
        1e-7,
    ),  # whole decades lose about a point on swda
    SVM: (0.03, 0.1, 0.3, 1.0, 3.0),
}

# One lbfgs step over 1e8 (non-zero feature, class) pairs takes 1 to 3 seconds on one core and a
# fit takes 50 to 300 steps. Above this amount of work, SGD replaces it.
MAX_LBFGS_WORK = 1e8


@dataclass(frozen=True)
class Choice:
    """Result of the search of a linear baseline: a solver and its regularization."""

    solver: str
    strength: float

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters for the table of results."""
        return {"solver": self.solver, "alpha" if self.solver == SGD else "C": self.strength}


class LinearBaseline:
    """Linear model on TF-IDF features of a row, or of a window of rows.

    Parameters
    ----------
    choice : Choice
        Solver and regularization. An SVM also has n-grams of characters.

    window : bool
        Whether a row also has the features of the two rows before and the two rows after it in
        its group.

    seed : int
        Seed of the SGD solver.

    several : bool, default=False
        Whether rows have several labels: each then has a model of its own, against the rest.
    """

    def __init__(self, choice: Choice, window: bool, seed: int, several: bool = False):
        self.window = window
        self.solver = choice.solver
        self.linear = make_linear_model(choice.solver, choice.strength, seed, several)
        self.parameters = choice.parameters

    def fit(self, frame: pd.DataFrame, y: pd.Series | pd.DataFrame) -> LinearBaseline:
        """Learn the vocabulary and the weights."""
        self.vectorizer = make_features(self.solver, frame["text"])
        features = self.vectorizer.fit_transform(frame["text"])
        with one_blas_thread():
            fit_linear(self.linear, widen(features, frame, self.window), y)
        self.classes = self.linear.classes_
        return self

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row."""
        return self.linear.predict(self._features(frame))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Probability of each class for each row; None for the SVM."""
        return None if self.solver == SVM else self.linear.predict_proba(self._features(frame))

    def _features(self, frame: pd.DataFrame) -> Any:
        """Features of new rows."""
        return widen(self.vectorizer.transform(frame["text"]), frame, self.window)


def search_linear(name: str, train: pd.DataFrame, valid: pd.DataFrame) -> dict[str, Any]:
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
        Fields of `Choice`: the solver, and the first of the best strengths in the grid.
    """
    window = name == "lr-window"
    solver = SVM if name == "svm-char" else LOGISTIC_REGRESSION
    vectorizer = make_features(solver, train["text"])
    X_train = widen(vectorizer.fit_transform(train["text"]), train, window)
    X_valid = widen(vectorizer.transform(valid["text"]), valid, window)
    y_train, y_valid = targets(train), targets(valid)
    several = isinstance(y_train, pd.DataFrame)
    if solver == LOGISTIC_REGRESSION:
        n_classes = y_train.shape[1] if several else y_train.nunique()
        solver = choose_solver(X_train.nnz, n_classes)
    scores = {}
    for strength in GRIDS[solver]:
        linear = make_linear_model(solver, strength, seed=0, several=several)
        with one_blas_thread():
            fit_linear(linear, X_train, y_train)
        predicted = linear.predict(X_valid)
        if several:
            scores[strength] = f1_score(y_valid, predicted, average="micro", zero_division=0)
        else:
            scores[strength] = accuracy_score(y_valid, predicted)
    return asdict(Choice(solver, max(scores, key=scores.__getitem__)))


def choose_solver(n_nonzero: int, n_classes: int) -> str:
    """Return logistic regression, or SGD where the lbfgs solver would take minutes."""
    n_weights_per_feature = 1 if n_classes == 2 else n_classes
    return SGD if n_nonzero * n_weights_per_feature > MAX_LBFGS_WORK else LOGISTIC_REGRESSION


def make_features(solver: str, texts: pd.Series) -> Any:
    """Vectorizer of words and word pairs; for an SVM also of n-grams of characters inside words."""
    words = make_vectorizer(texts)
    if solver != SVM:
        return words
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    return FeatureUnion([("words", words), ("characters", characters)])


def make_linear_model(solver: str, strength: float, seed: int, several: bool = False) -> Any:
    """Linear model whose C, or alpha for SGD, is `strength`; one for each label if `several`."""
    if several:
        return OneVsRestClassifier(make_linear_model(solver, strength, seed))
    if solver == LOGISTIC_REGRESSION:
        return LogisticRegression(C=strength, max_iter=1000)
    if solver == SVM:
        return LinearSVC(C=strength, random_state=0)
    return SGDClassifier(loss="log_loss", alpha=strength, random_state=seed, n_jobs=-1)


def fit_linear(linear: Any, X: Any, y: pd.Series | pd.DataFrame) -> None:
    """Fit a linear model; a label that all rows of a part have, or none, is predicted as such."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Label .* is present in all training examples")
        linear.fit(X, y.to_numpy() if isinstance(y, pd.DataFrame) else y)


def one_blas_thread() -> threadpool_limits:
    """Context in which linear algebra uses one thread.

    The vectors of lbfgs are short: with one thread per core, threads wait for one another, and a
    fit on a busy machine takes many times as long. SGD fits classes in parallel and is not
    affected.
    """
    return threadpool_limits(1, user_api="blas")
