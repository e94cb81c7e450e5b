"""What Python computes for the texts and conversations on which JavaScript has to agree."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.browser.model import encode_array
from benchmarks.browser.texts import make_conversations, make_texts
from sk_ctxmem import ContextMemoryClassifier


def make_vectors(classifier: ContextMemoryClassifier) -> dict[str, Any]:
    """Return texts with their features, and conversations with the probabilities of their turns.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        The fitted classifier, whose table is rounded.
    """
    texts = make_texts(sorted(classifier.vectorizer_.vocabulary_))
    lengths, ids, values = _read_features(classifier, texts)
    talks = make_conversations(texts)
    probabilities = [_predict(classifier, talk) for talk in talks]
    return {
        "texts": texts,
        "lengths": lengths.tolist(),
        "ids": encode_array(ids),
        "values": encode_array(values),
        "talks": talks,
        "probabilities": encode_array(np.concatenate(probabilities)),
    }


def _read_features(
    classifier: ContextMemoryClassifier, texts: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the number of features of each text, their columns and their scaled values."""
    scaler = classifier.scaler_
    scaled = scaler.transform(classifier.vectorizer_.transform(texts).features)
    columns = np.argsort(scaler.column_map_)[scaled.indices]  # as the vectorizer numbers them
    lengths = np.diff(scaled.indptr)
    order = np.lexsort((columns, np.repeat(np.arange(len(texts)), lengths)))
    return lengths, columns[order].astype(np.uint16), scaled.data[order].astype(np.float32)


def _predict(classifier: ContextMemoryClassifier, talk: list[tuple[str, str | None]]) -> np.ndarray:
    """Return the probabilities of the turns of a conversation, one row for each."""
    session = classifier.session()
    rows = [session.predict_proba_one(text, speaker=speaker) for text, speaker in talk]
    return np.array(rows, dtype=np.float32)
