"""Supervised fastText, an optional package, on the words that the other models see."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score

from benchmarks.models.features import make_tokenizer

# Corpora of many classes learn next to nothing in few epochs at a low rate.
GRID = ((10, 0.5), (25, 0.5), (25, 1.0), (100, 0.5), (100, 1.0))  # epochs and learning rate

# One core reads one to two million words a second: a trial takes a few minutes at most.
MAX_WORDS = 200_000_000

# No word holds both a "#" and a ":", as each is a token of its own: no text can name a class.
LABEL = "#:"


def fasttext_version() -> str:
    """Version of the package that brings fastText, or "not installed"."""
    return version("fasttext-numpy2") if find_spec("fasttext") else "not installed"


class FastText:
    """Supervised fastText with word pairs, on one thread.

    Parameters
    ----------
    seed : int
        Seed of the weights.

    epoch : int, default=25
        Number of passes over the training rows.

    lr : float, default=0.5
        Learning rate at the start.

    most_epochs : int, default=None
        What the search was limited to, for the results only.
    """

    def __init__(self, seed: int, epoch: int = 25, lr: float = 0.5, most_epochs: int | None = None):
        self.options: dict[str, Any] = {
            "wordNgrams": 2,
            "epoch": epoch,
            "lr": lr,
            "dim": 100,
            "thread": 1,
            "seed": seed,
        }
        limit = {} if most_epochs is None else {"most_epochs": most_epochs}
        self.parameters = self.options | limit

    def fit(self, frame: pd.DataFrame, y: pd.Series) -> FastText:
        """Write the file that fastText reads, and train on it."""
        import fasttext

        self.tokenizer = make_tokenizer(frame["text"])
        numbers, self.classes = pd.factorize(y)
        self.shares = np.bincount(numbers) / len(numbers)
        lines = zip(numbers, self._lines(frame["text"]), strict=True)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            content = "".join(f"{LABEL}{number} {line}\n" for number, line in lines)
            path.write_text(content, encoding="utf-8")
            self.model = fasttext.train_supervised(
                str(path), label=LABEL, verbose=0, **self.options
            )
        return self

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row; the most frequent one where there is no known word."""
        labels = self.model.predict(self._lines(frame["text"]))[0]
        fallback = self.model.get_labels()[0]
        numbers = class_numbers([found[0] if found else fallback for found in labels])
        return np.asarray(self.classes)[numbers]

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Probability of each class for each row; the class's share where no word is known."""
        probabilities = np.tile(self.shares, (len(frame), 1))
        labels, values = self.model.predict(self._lines(frame["text"]), k=-1)
        for row, (found, of_row) in enumerate(zip(labels, values, strict=True)):
            if found:
                probabilities[row, class_numbers(found)] = of_row
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def _lines(self, texts: pd.Series) -> list[str]:
        """Words of each text with spaces between them."""
        return [" ".join(self.tokenizer(text.lower())) for text in texts]


def class_numbers(labels: Iterable[str]) -> np.ndarray:
    """Class numbers of labels as fastText writes them."""
    return np.array([label.removeprefix(LABEL) for label in labels], dtype=int)


def search_fasttext(train: pd.DataFrame, valid: pd.DataFrame) -> dict[str, Any]:
    """Choose epochs and learning rate by accuracy on `valid`.

    Parameters
    ----------
    train, valid : DataFrame
        Rows to learn from and rows to score on.

    Returns
    -------
    dict
        Arguments of `FastText`; of equally good ones, the first in the grid.
    """
    tokenizer = make_tokenizer(train["text"])
    n_words = sum(len(tokenizer(text)) for text in train["text"])
    grid = limited_grid(n_words)
    scores = {}
    for epoch, rate in grid:
        model = FastText(0, epoch, rate).fit(train, train["label"])
        scores[epoch, rate] = accuracy_score(valid["label"], model.predict(valid))
    epoch, rate = max(scores, key=scores.__getitem__)
    return {"epoch": epoch, "lr": rate, "most_epochs": max(epoch for epoch, _ in grid)}


def limited_grid(n_words: int) -> list[tuple[int, float]]:
    """Trials for a corpus of so many words: no more epochs than `MAX_WORDS` allows."""
    most = max(1, MAX_WORDS // max(1, n_words))
    return list(dict.fromkeys((min(epoch, most), rate) for epoch, rate in GRID))
