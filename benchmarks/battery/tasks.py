"""The tasks of the battery: dense columns, sparse columns and texts, mostly synthetic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse
from sklearn import datasets
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.model_selection import train_test_split

from sk_ctxmem.datasets import load_docstring_sections


@dataclass
class Task:
    """Rows to learn from, and rows to test on.

    Parameters
    ----------
    X, X_test : ndarray, csr_matrix or list of str
        Features or texts.
    y, y_test : ndarray
        Classes.
    balanced : bool
        Whether class 1 is rare. Then classes are balanced by weights, and the score is F1 of
        class 1; otherwise, it is the accuracy.
    """

    X: Any
    y: np.ndarray
    X_test: Any
    y_test: np.ndarray
    balanced: bool = False


def list_tasks() -> dict[str, Callable[[int], Task]]:
    """Return, by name, functions from a seed to a task."""
    return {
        "iris, 90 rows": partial(split_known, datasets.load_iris),
        "wine, 107 rows": partial(split_known, datasets.load_wine),
        "breast cancer, 341 rows": partial(split_known, datasets.load_breast_cancer),
        "digits, 300 rows": partial(split_known, datasets.load_digits, n_rows=300),
        "digits, 1,078 rows": partial(split_known, datasets.load_digits),
        "dense, 40 rows": partial(make_dense, 40),
        "dense, 1,000 rows": partial(make_dense, 1000),
        "dense, 20,000 rows": partial(make_dense, 20_000),
        "dense, 50 classes": partial(make_dense, 3000, n_classes=50),
        "dense, scales of 1e-4 to 1e4": partial(make_dense, 1000, scales=4.0),
        "dense, correlated": partial(make_dense, 1000, spread=0.1),
        "dense, 20 % of labels wrong": partial(make_dense, 1000, noise=0.2),
        "dense, 200 columns of noise": partial(make_dense, 1000, n_noise=200),
        "dense, 10 of 10,000 positive": partial(make_rare_dense, 10),
        "dense, 100 of 10,000 positive": partial(make_rare_dense, 100),
        "half filled CSR, 500 rows": partial(make_half_filled, 500),
        "half filled CSR, 2,000 rows": partial(make_half_filled, 2000),
        "a third filled CSR, counts": partial(make_half_filled, 2000, filled=0.3, counts=True),
        "one telling word of 320": make_telling_words,
        "hashed words": make_hashed,
        "TF-IDF, 50 classes, 1,000 rows": partial(make_words, 1000, 50),
        "TF-IDF, 200 rows": partial(make_words, 200, 4),
        "TF-IDF, 20 % of labels wrong": partial(make_words, 2000, 4, noise=0.2),
        "TF-IDF, 20 of 10,000 positive": partial(make_rare_words, 20),
        "TF-IDF, 100 of 10,000 positive": partial(make_rare_words, 100),
        "texts, 100 rows": partial(take_texts, 100),
        "texts, 1,000 rows": partial(take_texts, 1000),
        "texts, 5,000 rows": partial(take_texts, 5000),
    }


def split_known(load: Callable[..., Any], seed: int, n_rows: int | None = None) -> Task:
    """Return a data set of scikit-learn, with 60 % or `n_rows` of its rows for training."""
    X, y = load(return_X_y=True)
    parts = train_test_split(X, y, train_size=n_rows or 0.6, stratify=y, random_state=seed)
    return Task(parts[0], parts[2], parts[1], parts[3])


def make_dense(
    n_rows: int,
    seed: int,
    n_classes: int = 3,
    scales: float = 0.0,
    spread: float = 1.0,
    noise: float = 0.0,
    n_noise: int = 0,
) -> Task:
    """Return normal columns whose classes are told by linear functions of them.

    Parameters
    ----------
    n_rows, n_classes : int
        Numbers of training rows and of classes.
    seed : int
        Seed of the rows.
    scales : float
        The decimal logarithm of the scales of the columns is between minus this number and it.
    spread : float
        Standard deviation of a column around what all columns have in common; below 1, columns
        are correlated, and the classes are told by what they do not have in common.
    noise : float
        Share of the training rows with a random class.
    n_noise : int
        Number of further columns that tell nothing.
    """
    random = np.random.RandomState(seed)
    n_all, n_columns = n_rows + 3000, 20
    own = random.standard_normal((n_all, n_columns))
    weights = random.standard_normal((n_columns, n_classes))
    y = (own @ weights + random.gumbel(size=(n_all, n_classes))).argmax(axis=1)
    common = random.standard_normal((n_all, 1)) * np.sqrt(1 - spread**2)
    X = np.hstack([common + spread * own, random.standard_normal((n_all, n_noise))])
    X *= 10.0 ** random.uniform(-scales, scales, X.shape[1])
    return _split(X, y, n_rows, _mislabel(y, n_rows, noise, random))


def make_rare_dense(n_positive: int, seed: int) -> Task:
    """Return 20 normal columns, three of which are higher in the rows of a rare class."""
    random = np.random.RandomState(seed)
    n_rows, n_all = 10_000, 40_000
    X = random.standard_normal((n_all, 20))
    y = _choose_rare(n_all, n_rows, n_positive, random)
    X[y == 1, :3] += 3.0
    return _split(X, y, n_rows, balanced=True)


def make_half_filled(n_rows: int, seed: int, filled: float = 0.5, counts: bool = False) -> Task:
    """Return CSR with 300 columns, whose classes are told by linear functions of them."""
    random = np.random.RandomState(seed)
    shape = (n_rows + 2000, 300)
    values = random.poisson(2.0, shape) + 1.0 if counts else random.uniform(size=shape)
    X = values * (random.uniform(size=shape) < filled)
    scores = (X - X.mean(axis=0)) / X.std() @ random.standard_normal((300, 2))
    y = scores.argmax(axis=1)
    return _split(sparse.csr_matrix(X), y, n_rows)


def make_telling_words(seed: int) -> Task:
    """Return TF-IDF of frequent words and one of 320 rare words, which alone tells the class."""
    random = np.random.RandomState(seed)
    rare, y_of_rare = random.randint(320, size=5500), random.randint(2, size=320)
    fill = random.zipf(1.3, size=(5500, 8)) % 2000
    texts = [
        f"r{word} " + " ".join(f"f{i}" for i in row) for word, row in zip(rare, fill, strict=True)
    ]
    return _vectorized(texts, y_of_rare[rare], 2500, TfidfVectorizer())


def make_hashed(seed: int) -> Task:
    """Return words hashed into 2**20 columns."""
    random = np.random.RandomState(seed)
    texts, y = _draw_texts(5000, 4, random, n_words=3000)
    return _vectorized(texts, y, 3000, HashingVectorizer(n_features=2**20))


def make_words(n_rows: int, n_classes: int, seed: int, noise: float = 0.0) -> Task:
    """Return TF-IDF of words, some of which are more frequent in some classes."""
    random = np.random.RandomState(seed)
    texts, y = _draw_texts(n_rows + 3000, n_classes, random)
    y_noisy = _mislabel(y, n_rows, noise, random)
    return _vectorized(texts, y, n_rows, TfidfVectorizer(), y_noisy)


def make_rare_words(n_positive: int, seed: int) -> Task:
    """Return TF-IDF of random words; nine in ten rows of a rare class have two of their own."""
    random = np.random.RandomState(seed)
    n_rows, n_all = 10_000, 40_000
    words = random.randint(2000, size=(n_all, 8)).astype(str).astype(object)
    y = _choose_rare(n_all, n_rows, n_positive, random)
    words[np.flatnonzero(y & (random.uniform(size=n_all) < 0.9)), :2] = "alarm", "urgent"
    texts = [" ".join(row) for row in words]
    task = _vectorized(texts, y, n_rows, TfidfVectorizer(token_pattern=r"\S+"))
    task.balanced = True
    return task


def take_texts(n_rows: int, seed: int) -> Task:
    """Return lines of docstrings of NumPy, whose classes are the sections that they are in."""
    frame = load_docstring_sections(packages=("numpy",)).frame
    frame = frame.sample(n_rows + 5000, random_state=seed)
    return _split(frame["text"].tolist(), frame["target"].to_numpy(), n_rows)


def _draw_texts(
    n_rows: int, n_classes: int, random: np.random.RandomState, n_words: int = 2000
) -> tuple[list[str], np.ndarray]:
    """Return texts of twelve words, four of which are drawn from those of the class."""
    y = random.randint(n_classes, size=n_rows)
    of_class = random.randint(n_words, size=(n_classes, 60))
    any_words = random.zipf(1.2, size=(n_rows, 8)) % n_words
    telling = of_class[y[:, np.newaxis], random.randint(60, size=(n_rows, 4))]
    rows = np.hstack([any_words, telling])
    return [" ".join(f"w{word}" for word in row) for row in rows], y


def _choose_rare(
    n_all: int, n_rows: int, n_positive: int, random: np.random.RandomState
) -> np.ndarray:
    """Return classes with `n_positive` rows of class 1 among each `n_rows`."""
    y = np.zeros((n_all // n_rows, n_rows), dtype=int)
    for part in y:
        part[random.permutation(n_rows)[:n_positive]] = 1
    return y.ravel()


def _mislabel(
    y: np.ndarray, n_rows: int, share: float, random: np.random.RandomState
) -> np.ndarray:
    """Return the classes of training rows, a share of which are random."""
    is_wrong = random.uniform(size=n_rows) < share
    return np.where(is_wrong, random.permutation(y)[:n_rows], y[:n_rows])


def _vectorized(
    texts: list[str], y: np.ndarray, n_rows: int, vectorizer: Any, y_train: np.ndarray | None = None
) -> Task:
    """Return a task of texts as sparse features."""
    task = _split(texts, y, n_rows, y_train)
    task.X, task.X_test = vectorizer.fit_transform(task.X), vectorizer.transform(task.X_test)
    return task


def _split(
    X: Any, y: np.ndarray, n_rows: int, y_train: np.ndarray | None = None, balanced: bool = False
) -> Task:
    """Return a task whose first `n_rows` rows are for training."""
    y_train = y[:n_rows] if y_train is None else y_train
    return Task(X[:n_rows], y_train, X[n_rows:], y[n_rows:], balanced)
