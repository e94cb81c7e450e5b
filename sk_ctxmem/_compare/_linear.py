"""Linear baselines on TF-IDF features: logistic regression, on windows of rows, and an SVM."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from .._input._frames import take_samples
from .._input._rows import read_training_rows
from .._rows._arrange import encode_groups
from ._window import WindowTfidfVectorizer, make_tfidf

LOGISTIC_REGRESSION = "LogisticRegression"
SGD = "SGDClassifier(log_loss)"
SVM = "LinearSVC"
# Values of C, or of alpha for SGD: whole decades of alpha lose about a point on swda.
GRIDS = {
    LOGISTIC_REGRESSION: (1.0, 3.0, 10.0, 30.0, 100.0),
    SGD: (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7),
    SVM: (0.03, 0.1, 0.3, 1.0, 3.0),
}
# One lbfgs step over 1e8 (non-zero feature, class) pairs takes 1 to 3 seconds on one core and a
# fit takes 50 to 300 steps. Above this amount of work, SGD replaces it.
MAX_LBFGS_WORK = 1e8
SETTINGS = {  # solver and window of each of BASELINES
    "lr": (LOGISTIC_REGRESSION, (0, 0)),
    "lr-window": (LOGISTIC_REGRESSION, (2, 2)),
    "svm": (SVM, (0, 0)),
}
N_HELD_OUT = 5  # a fifth of the training rows decides between the values of a grid


@dataclass(frozen=True)
class LinearChoice:
    """Result of the search of a linear baseline.

    Parameters
    ----------
    solver : str
        One of the keys of `GRIDS`.

    strength : float
        C of LogisticRegression and LinearSVC, alpha of SGDClassifier.
    """

    solver: str
    strength: float

    @property
    def parameters(self) -> dict[str, Any]:
        """Solver, and C or alpha."""
        return {"solver": self.solver, "alpha" if self.solver == SGD else "C": self.strength}


def make_features(
    texts: Sequence[str], solver: str, window: tuple[int, int] = (0, 0), **columns: Any
) -> WindowTfidfVectorizer:
    """Return the unfitted features of a baseline.

    Parameters
    ----------
    texts : sequence of str
        Texts, whose language decides between words and characters.

    solver : str
        One of the keys of `GRIDS`. An SVM also has n-grams of characters inside words.

    window : tuple of (int, int), default=(0, 0)
        Number of rows before and after a row whose features it has too.

    **columns : str or None
        Columns of :class:`~sk_ctxmem.WindowTfidfVectorizer`.

    Returns
    -------
    features : WindowTfidfVectorizer
        The features.
    """
    vectorizer = make_tfidf(texts)
    if solver == SVM:
        characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
        vectorizer = FeatureUnion([("words", vectorizer), ("characters", characters)])
    return WindowTfidfVectorizer(window, vectorizer=vectorizer, **columns)


def choose_solver(n_nonzero: int, n_classes: int) -> str:
    """Return logistic regression, or SGD where the lbfgs solver would take minutes.

    Parameters
    ----------
    n_nonzero : int
        Number of non-zero features of all rows.

    n_classes : int
        Number of classes.

    Returns
    -------
    solver : str
        One of the keys of `GRIDS`.
    """
    n_weights_per_feature = 1 if n_classes == 2 else n_classes
    return SGD if n_nonzero * n_weights_per_feature > MAX_LBFGS_WORK else LOGISTIC_REGRESSION


def make_linear_model(solver: str, strength: float, seed: int, several: bool = False) -> Any:
    """Return an unfitted linear model.

    Parameters
    ----------
    solver : str
        One of the keys of `GRIDS`.

    strength : float
        C, or alpha for SGD.

    seed : int
        Seed of SGD.

    several : bool, default=False
        Whether rows have several labels: each then has a model of its own, against the rest.

    Returns
    -------
    model : classifier
        The model.
    """
    if several:
        return OneVsRestClassifier(make_linear_model(solver, strength, seed))
    if solver == LOGISTIC_REGRESSION:
        return LogisticRegression(C=strength, max_iter=1000)
    if solver == SVM:
        return LinearSVC(C=strength, random_state=0)
    return SGDClassifier(loss="log_loss", alpha=strength, random_state=seed, n_jobs=-1)


def fit_linear(model: Any, X: Any, y: Any) -> None:
    """Fit a linear model, with one thread for linear algebra.

    A label that all rows of a part have, or none, is predicted as such.

    Parameters
    ----------
    model : classifier
        The model.

    X : csr_matrix of shape (n_rows, n_features)
        Features.

    y : array-like of shape (n_rows,) or (n_rows, n_labels)
        Classes or indicators of labels.
    """
    with warnings.catch_warnings(), one_blas_thread():
        warnings.filterwarnings("ignore", message="Label .* is present in all training examples")
        model.fit(X, np.asarray(y))


def one_blas_thread() -> threadpool_limits:
    """Return a context in which linear algebra uses one thread.

    The vectors of lbfgs are short: with one thread per core, threads wait for one another, and a
    fit on a busy machine takes many times as long. SGD fits classes in parallel and is not
    affected.

    Returns
    -------
    context : threadpool_limits
        The context manager.
    """
    return threadpool_limits(1, user_api="blas")


def search_linear(
    features: WindowTfidfVectorizer, solver: str, X: Any, y: Any, X_valid: Any, y_valid: Any
) -> LinearChoice:
    """Choose the regularization of a linear model on held-out rows.

    Parameters
    ----------
    features : WindowTfidfVectorizer
        Features, which are fitted to X.

    solver : str
        One of the keys of `GRIDS`. Logistic regression becomes SGD where there is much work.

    X : list of str, or DataFrame
        Training rows.

    y : array-like of shape (n_rows,) or (n_rows, n_labels)
        Their classes, or indicators of labels.

    X_valid, y_valid : as X and y
        Held-out rows, and their classes.

    Returns
    -------
    choice : LinearChoice
        The solver, and the first of the values in its grid with the highest accuracy, or micro F1
        if rows have several labels.
    """
    y, y_valid = np.asarray(y), np.asarray(y_valid)
    several = y.ndim == 2
    X, X_valid = features.fit_transform(X), features.transform(X_valid)
    if solver == LOGISTIC_REGRESSION:
        solver = choose_solver(X.nnz, y.shape[1] if several else len(np.unique(y)))
    scores = {}
    for strength in GRIDS[solver]:
        model = make_linear_model(solver, strength, seed=0, several=several)
        fit_linear(model, X, y)
        scores[strength] = _score(y_valid, model.predict(X_valid))
    return LinearChoice(solver, max(scores, key=scores.__getitem__))


def _score(y, predicted):
    """Return the accuracy, or micro F1 of several labels."""
    if y.ndim == 2:
        return f1_score(y, predicted, average="micro", zero_division=0)
    return accuracy_score(y, predicted)


class LinearBaseline(ClassifierMixin, BaseEstimator):
    """Linear model on TF-IDF features that is tuned within the rows of `fit`.

    A fifth of the rows, in whole groups, decides between five values of C, or seven of alpha; the
    best one is fitted on all rows.

    Parameters
    ----------
    name : {"lr", "lr-window", "svm"}, default="lr"
        Logistic regression, alone or on the features of two rows before and after too, or a linear
        SVM, which also reads n-grams of characters.

    text_column, group_column, order_column : str or None, default=None
        Columns of X, see :class:`~sk_ctxmem.WindowTfidfVectorizer`.

    random_state : int, default=0
        Seed of the held-out rows, and of SGD.
    """

    def __init__(
        self, name="lr", *, text_column=None, group_column=None, order_column=None, random_state=0
    ):
        self.name = name
        self.text_column = text_column
        self.group_column = group_column
        self.order_column = order_column
        self.random_state = random_state

    def fit(self, X, y):
        """Choose the regularization, and fit the model on all rows."""
        solver, window = SETTINGS[self.name]
        columns = {"text": self.text_column, "group": self.group_column, "order": self.order_column}
        inputs, _ = read_training_rows(X, None, columns | {"speaker": None}, type(self).__name__)
        named = {f"{role}_column": name for role, name in columns.items()}
        features = make_features(inputs.values, solver, window, **named)
        start = perf_counter()
        self.choice_ = self._search(features, solver, X, np.asarray(y), inputs)
        self.search_time_ = perf_counter() - start
        self.features_ = features
        self.model_ = make_linear_model(*self._settings())
        fit_linear(self.model_, features.fit_transform(X), y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        """Predict the class of each row."""
        return self.model_.predict(self.features_.transform(X))

    def predict_proba(self, X):
        """Predict probabilities; None for the SVM, which has none."""
        if not hasattr(self.model_, "predict_proba"):
            return None
        return self.model_.predict_proba(self.features_.transform(X))

    def _settings(self):
        return self.choice_.solver, self.choice_.strength, self.random_state

    def _search(self, features, solver, X, y, inputs):
        """Choose on held-out rows; the middle of the grid if no part of them has two classes."""
        from .._tuning._splits import split_evenly  # imports skorch

        blocks, numbers = encode_groups(inputs), np.unique(y, return_inverse=True)[1]
        grouped = inputs.groups is not None
        if blocks.max() > 0:
            options = {"grouped": grouped}
            splits = split_evenly(blocks, numbers, N_HELD_OUT, self.random_state, **options)
            for train, valid in splits:
                if len(np.unique(y[train])) > 1:
                    parts = [take_samples(X, train), y[train], take_samples(X, valid), y[valid]]
                    return search_linear(features, solver, *parts)
        return LinearChoice(solver, GRIDS[solver][len(GRIDS[solver]) // 2])
