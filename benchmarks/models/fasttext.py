"""Supervised fastText on the words of the other models; needs fasttext-numpy2."""

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

# A few epochs at a low rate learn next to nothing on corpora with many classes.
GRID = ((10, 0.5), (25, 0.5), (25, 1.0), (100, 0.5), (100, 1.0))  # epochs and learning rate

# One core reads one to two million words per second, so a trial takes a few minutes at most.
MAX_WORDS = 200_000_000

# "#" and ":" are tokens of their own, so no word of a text starts like a label.
LABEL = "#:"


def fasttext_version() -> str:
    """Version of the package of fastText, or "not installed"."""
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
        Initial learning rate.

    most_epochs : int, default=None
        Limit of the epochs in the search, for the table of results only.
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
        """Write the training file of fastText, and train on it."""
        import fasttext

        self.tokenizer = make_tokenizer(frame["text"])
        numbers, self.classes = pd.factorize(y)
        self.class_frequencies = np.bincount(numbers) / len(numbers)
        lines = list(zip(numbers, self._lines(frame["text"]), strict=True))
        # It reads rows as they stand: 21 % on newsgroups20, whose rows are sorted by class.
        order = np.random.default_rng(self.options["seed"]).permutation(len(lines))
        with TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            content = "".join(f"{LABEL}{lines[row][0]} {lines[row][1]}\n" for row in order)
            path.write_text(content, encoding="utf-8")
            self.model = fasttext.train_supervised(
                str(path), label=LABEL, verbose=0, **self.options
            )
        return self

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict a label for each row; the most frequent one for rows without a known word."""
        labels = self.model.predict(self._lines(frame["text"]))[0]
        fallback = self.model.get_labels()[0]
        numbers = class_numbers([found[0] if found else fallback for found in labels])
        return np.asarray(self.classes)[numbers]

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Probability of each class for each row; class frequencies where no word is known."""
        probabilities = np.tile(self.class_frequencies, (len(frame), 1))
        labels, values = self.model.predict(self._lines(frame["text"]), k=-1)
        for row, (found, values_of_row) in enumerate(zip(labels, values, strict=True)):
            if found:
                probabilities[row, class_numbers(found)] = values_of_row
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def _lines(self, texts: pd.Series) -> list[str]:
        """Words of each text, separated by spaces."""
        return [" ".join(self.tokenizer(text.lower())) for text in texts]


def class_numbers(labels: Iterable[str]) -> np.ndarray:
    """Class numbers of labels of fastText."""
    return np.array([label.removeprefix(LABEL) for label in labels], dtype=int)


def search_fasttext(train: pd.DataFrame, valid: pd.DataFrame) -> dict[str, Any]:
    """Choose epochs and learning rate by accuracy on `valid`.

    Parameters
    ----------
    train, valid : DataFrame
        Training rows and validation rows.

    Returns
    -------
    dict
        Arguments of `FastText`: the first of the best ones in the grid.
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
    """Trials for a corpus of `n_words` words, with at most `MAX_WORDS` words read in each."""
    most = max(1, MAX_WORDS // max(1, n_words))
    return list(dict.fromkeys((min(epoch, most), rate) for epoch, rate in GRID))
