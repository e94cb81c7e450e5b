"""A TextSequenceVectorizer as data, from which any language turns texts into ids and values."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._features._ngrams import TokenNGrams
from .._features._tfidf import WeightedNGrams
from .._features._vectorizer import TextSequenceVectorizer

REMEDY = "pass vectorizer=False to export a model that takes features, and compute them otherwise"


def check_vectorizer(vectorizer: Any) -> None:
    """Raise TypeError unless a vectorizer can be written as data."""
    if type(vectorizer) is not TextSequenceVectorizer:
        raise TypeError(
            f"The vectorizer is a {type(vectorizer).__name__}, but only TextSequenceVectorizer can "
            f"be exported; {REMEDY}."
        )
    for name in ("tokenizer", "strip_accents"):
        value = getattr(vectorizer, name)
        if callable(value):
            raise TypeError(
                f"The vectorizer has {name}={value!r:.100}, but functions cannot be exported; "
                f"{REMEDY}."
            )


def describe_vectorizer(vectorizer: TextSequenceVectorizer) -> dict[str, Any]:
    """Return how texts are read, as plain values."""
    is_word = vectorizer.analyzer == "word"
    ranges = {name: kind.counter.ngram_range for name, kind in _kinds(vectorizer).items()}
    return {
        "analyzer": vectorizer.analyzer,
        "lowercase": bool(vectorizer.lowercase),
        "strip_accents": vectorizer.strip_accents,
        "token_pattern": vectorizer.token_pattern if is_word else None,
        "stop_words": sorted(vectorizer._stop_words()) if is_word else [],
        "max_length": int(vectorizer.max_length),
        "ngram_ranges": {name: list(map(int, sizes)) for name, sizes in ranges.items()},
    }


def vocabularies_of(vectorizer: TextSequenceVectorizer) -> dict[str, list[str]]:
    """Return the tokens, and the characters of n-grams inside words, in their order."""
    kind = vectorizer._char_ngrams
    characters = [] if kind is None else list(kind.counter.characters)
    return {"tokens": list(vectorizer._token_numbers), "characters": characters}


def arrays_of(vectorizer: TextSequenceVectorizer) -> dict[str, np.ndarray]:
    """Return the n-grams of each kind as a trie, and their columns and weights."""
    arrays: dict[str, np.ndarray] = {}
    for name, kind in _kinds(vectorizer).items():
        ngrams = getattr(kind.counter, "ngrams", kind.counter)
        parts = _trie(ngrams) | {"columns": _columns(kind, ngrams), "idf": kind.idf}
        arrays |= {f"{name}.{key}": array for key, array in parts.items()}
    return arrays


def _kinds(vectorizer: TextSequenceVectorizer) -> dict[str, WeightedNGrams]:
    return dict(zip(("word", "char"), vectorizer._kinds, strict=False))


def _trie(ngrams: TokenNGrams) -> dict[str, np.ndarray]:
    """Return, for each length of n-grams, where those of a prefix start, and their last tokens."""
    arrays, n_prefixes = {}, ngrams.n_tokens
    for n, pairs in enumerate(ngrams.pairs, start=2):
        prefixes, lasts = np.divmod(pairs, max(ngrams.n_tokens, 1))
        counts = np.bincount(prefixes, minlength=n_prefixes)
        arrays[f"starts.{n}"] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        arrays[f"lasts.{n}"] = lasts.astype(np.int32)
        n_prefixes = len(pairs)
    return arrays


def _columns(kind: WeightedNGrams, ngrams: TokenNGrams) -> np.ndarray:
    """Return the column of each counted n-gram, or -1 if it is not a feature."""
    columns = np.full(ngrams.n_columns, -1, dtype=np.int32)
    kept = slice(None) if kind.columns is None else kind.columns
    columns[kept] = np.arange(len(kind.idf))
    return columns
