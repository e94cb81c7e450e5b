"""Time, memory and accuracy of fits and predictions with the defaults of the classifier."""

import numpy as np

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import load_docstring_sections, make_conversations

COLUMNS = {"text_column": "text", "group_column": "group", "order_column": "order"}


def split_conversations():
    """Return synthetic conversations: 300 to learn from, 100 to predict."""
    return [make_conversations(size, random_state=seed) for seed, size in enumerate((300, 100))]


def split_docstrings():
    """Return lines of docstrings of NumPy: about 5,000 to learn from, and 2,000 to predict."""
    parts = [
        load_docstring_sections(subset=name, packages=("numpy",)) for name in ("train", "test")
    ]
    for part, n_rows in zip(parts, (5000, 2000), strict=True):
        for name in ("data", "target", "groups"):
            part[name] = part[name][:n_rows]
    return parts


SPLITS = {"conversations": split_conversations, "docstrings": split_docstrings}


def fit(train):
    """Return a classifier with its defaults, fitted on one thread."""
    return ContextMemoryClassifier(random_state=0, **COLUMNS).fit(train.data, train.target)


class Fit:
    """Fits, the vectorizer included."""

    params = list(SPLITS)
    param_names = ["data"]
    timeout = 300

    def setup(self, data):
        """Make the rows, outside of what is measured."""
        self.train, _ = SPLITS[data]()

    def time_fit(self, data):
        """Time a fit."""
        fit(self.train)

    def peakmem_fit(self, data):
        """Measure the largest memory of a process with one fit."""
        fit(self.train)


class Predict:
    """Predictions of classifiers that are fitted once."""

    params = list(SPLITS)
    param_names = ["data"]
    timeout = 300

    def setup_cache(self):
        """Fit a classifier on each data, and return it with the rows to predict."""
        parts = {data: split() for data, split in SPLITS.items()}
        return {data: (fit(train), test) for data, (train, test) in parts.items()}

    def setup(self, fitted, data):
        """Choose the classifier and the rows."""
        self.classifier, self.test = fitted[data]

    def time_predict(self, fitted, data):
        """Time the prediction of all test rows."""
        self.classifier.predict(self.test.data)

    def time_turn(self, fitted, data):
        """Time the first turn of a session."""
        self.classifier.session().predict_one("is it red or is it blue?")

    def track_accuracy(self, fitted, data):
        """Return the accuracy on test rows, in %."""
        return 100 * np.mean(self.classifier.predict(self.test.data) == self.test.target)
