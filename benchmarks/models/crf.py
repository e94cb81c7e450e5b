"""Conditional random field over the rows of a group; needs python-crfsuite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score

from benchmarks.corpora.corpus import sequences
from benchmarks.models.features import make_tokenizer

GRID = (0.3, 1.0, 3.0, 10.0, 30.0)  # c2, the weight of the L2 penalty

# An iteration on 200,000 rows with 41 classes takes one to two seconds, so the number of iterations
# is limited and features that occur once with a class are dropped. csabstruct converges in 150 to
# 190 iterations.
MAX_ITERATIONS = 200
MIN_FREQUENCY = 2

N_POSITIONS = 5


class CRF:
    """Linear-chain CRF, trained with L-BFGS.

    The features of a row are its words and word pairs, those of the row before and of the row
    after it, its position from the start and from the end of its group, and the fifth of the group
    that it is in.

    Parameters
    ----------
    c2 : float
        Weight of the L2 penalty.
    """

    def __init__(self, c2: float):
        self.parameters: dict[str, Any] = {
            "c2": c2,
            "max_iterations": MAX_ITERATIONS,
            "feature.minfreq": MIN_FREQUENCY,
        }

    def fit(self, frame: pd.DataFrame, y: pd.Series) -> CRF:
        """Learn the weights, and add the number of iterations to the parameters."""
        self.tokenizer = make_tokenizer(frame["text"])
        return self._train(group_features(frame, self.tokenizer), sequences(frame), y)

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Predict the most likely sequence of labels for each group."""
        numbers = np.empty(len(frame), dtype=int)
        places = sequences(frame)
        for rows, items in zip(places, group_features(frame, self.tokenizer), strict=True):
            numbers[rows] = np.array(self.tagger.tag(items), dtype=int)
        return np.asarray(self.classes)[numbers]

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Marginal probability of each class for each row."""
        known = set(self.tagger.labels())
        probabilities = np.zeros((len(frame), len(self.classes)))
        places = sequences(frame)
        for rows, items in zip(places, group_features(frame, self.tokenizer), strict=True):
            self.tagger.set(items)
            for number in range(len(self.classes)):
                if str(number) in known:
                    marginals = [self.tagger.marginal(str(number), i) for i in range(len(rows))]
                    probabilities[rows, number] = marginals
        return probabilities / probabilities.sum(axis=1, keepdims=True)

    def _train(self, features: list[Any], places: list[np.ndarray], y: pd.Series) -> CRF:
        """Train on the features of groups, whose rows have the positions `places` in `y`."""
        import pycrfsuite

        numbers, self.classes = pd.factorize(y)
        names = numbers.astype(str)
        trainer = pycrfsuite.Trainer("lbfgs", self.parameters, verbose=False)
        for rows, items in zip(places, features, strict=True):
            trainer.append(items, names[rows].tolist())
        with TemporaryDirectory() as folder:
            path = Path(folder) / "model.crfsuite"
            trainer.train(str(path))
            self.model = path.read_bytes()  # the tagger holds no reference to it
        self.tagger = pycrfsuite.Tagger()
        self.tagger.open_inmemory(self.model)
        self.parameters["iterations"] = len(trainer.logparser.iterations)
        return self


def group_features(frame: pd.DataFrame, tokenizer: Callable[[str], list[str]]) -> list[Any]:
    """Features of the rows of each group, as sequences of crfsuite."""
    import pycrfsuite

    texts = frame["text"].to_numpy()
    items = []
    for rows in sequences(frame):
        terms = [words_and_pairs(tokenizer(text.lower())) for text in texts[rows]]
        features = [row_features(terms, place) for place in range(len(rows))]
        items.append(pycrfsuite.ItemSequence(features))
    return items


def words_and_pairs(words: list[str]) -> list[str]:
    """Words and pairs of adjacent words, each once, in a fixed order."""
    pairs = [f"{first} {second}" for first, second in zip(words, words[1:], strict=False)]
    return list(dict.fromkeys([*words, *pairs]))


def row_features(terms: list[list[str]], place: int) -> list[str]:
    """Features of the row at a position of its group, given the terms of all rows of the group."""
    features = ["bias", f"from start={min(place, 5)}", f"from end={min(len(terms) - 1 - place, 5)}"]
    features.append(f"part={N_POSITIONS * place // len(terms)}")
    for shift, prefix in ((-1, "before:"), (0, "here:"), (1, "after:")):
        if 0 <= place + shift < len(terms):
            features += [prefix + term for term in terms[place + shift]]
    return features


def search_crf(train: pd.DataFrame, valid: pd.DataFrame) -> dict[str, Any]:
    """Choose the penalty by accuracy on `valid`.

    Parameters
    ----------
    train, valid : DataFrame
        Training rows and validation rows.

    Returns
    -------
    dict
        Arguments of `CRF`: the first of the best ones in the grid.
    """
    tokenizer = make_tokenizer(train["text"])
    features = group_features(train, tokenizer)
    scores = {}
    for c2 in GRID:
        model = CRF(c2)
        model.tokenizer = tokenizer
        model._train(features, sequences(train), train["label"])
        scores[c2] = accuracy_score(valid["label"], model.predict(valid))
    return {"c2": max(scores, key=scores.__getitem__)}
