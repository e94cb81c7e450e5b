"""Small fitted classifiers of every kind of input, for tests of files and threads."""

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem.datasets import make_conversations

SMALL = {"hidden_size": 8, "max_epochs": 3, "random_state": 0, "device": "cpu"}
ROLES = {"text_column": "text", "group_column": "group", "order_column": "order"}


def make_rows(n_groups=40):
    """Return conversations with a speaker column, and their classes as strings."""
    talks = make_conversations(n_groups, random_state=0)
    speaker = np.where(np.arange(len(talks.frame)) % 3, "client", "agent")
    frame = talks.frame[["text", "group", "order"]].assign(speaker=speaker)
    return frame, np.asarray(talks.target).astype(str)


def make_inputs(kind, frame):
    """Convert rows to the input of a kind of classifier."""
    texts = frame["text"].tolist()
    if kind == "texts":
        return texts
    if kind == "sequences":
        return [list(talk) for _, talk in frame.groupby("group", sort=False)["text"]]
    if kind == "numbers":
        lengths = [[len(text), text.count(" "), text.count("e")] for text in texts]
        return np.array(lengths, dtype=float)
    if kind == "sparse":
        return TfidfVectorizer(vocabulary=["red", "blue", "green", "the", "you"]).fit_transform(
            texts
        )
    return frame


def make_target(kind, frame, target):
    """Return the target of a kind of classifier: classes, those of sequences, or several labels."""
    if kind == "sequences":
        lengths = frame.groupby("group", sort=False).size()
        return np.where(lengths > lengths.mean(), "long", "short")
    if kind == "labels":
        words = frame["text"].str
        return pd.DataFrame({word: words.contains(word) for word in ("the", "you")}).astype(int)
    return target


MODELS = {
    "frame": ROLES,
    "everything": ROLES
    | {"speaker_column": "speaker", "word_memory": True, "context": "both", "memory": "lstm"},
    "limited": ROLES | {"vectorizer": TextSequenceVectorizer(max_features=20, min_df=2)},
    "scikit-learn": ROLES | {"vectorizer": TfidfVectorizer(ngram_range=(1, 2)), "memory": "mingru"},
    "convolution": ROLES | {"speaker_column": "speaker", "word_memory": "convolution"},
    "texts": {},
    "numbers": {},
    "sparse": {},
    "sequences": {"context": "past"},
    "labels": ROLES,
}


def fit_models(names=tuple(MODELS), n_groups=40):
    """Return fitted classifiers and inputs of their predict, by name."""
    frame, target = make_rows(n_groups)
    models = {}
    for name in names:
        inputs = make_inputs(name, frame)
        y = make_target(name, frame, target)
        classifier = ContextMemoryClassifier(**SMALL, **MODELS[name]).fit(inputs, y)
        shown = inputs[:50] if not isinstance(inputs, pd.DataFrame) else inputs.iloc[:50]
        models[name] = (classifier, shown)
    return models
