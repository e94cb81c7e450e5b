"""Features of texts that all baselines share: words, n-grams and windows of rows."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.corpora.corpus import group_keys

WINDOW = (-2, -1, 0, 1, 2)
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")  # Japanese kana and Chinese characters


def make_vectorizer(texts: pd.Series) -> TfidfVectorizer:
    """TF-IDF of words and pairs of words, or of characters where words are not set apart."""
    if lacks_spaces(texts):
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    pattern = r"\w+|[^\w\s]"
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=pattern)


def make_tokenizer(texts: pd.Series) -> Callable[[str], list[str]]:
    """Make a function that cuts a text into the words, or characters, that all models see."""
    vectorizer = make_vectorizer(texts)
    is_of_words = vectorizer.analyzer == "word"
    return vectorizer.build_tokenizer() if is_of_words else re.compile(r"\S").findall


def lacks_spaces(texts: pd.Series) -> bool:
    """Whether the first thousand texts are mostly Chinese or Japanese."""
    sample = "".join(texts.iloc[:1000])
    return len(CJK.findall(sample)) > 0.3 * len(sample)


def sequences(frame: pd.DataFrame) -> list[np.ndarray]:
    """Positions of the rows of each group, in the order that they have within it."""
    groups = group_keys(frame)
    in_order = np.lexsort((within_groups(frame), groups))
    return np.split(in_order, np.flatnonzero(np.diff(groups[in_order])) + 1)


def within_groups(frame: pd.DataFrame) -> np.ndarray:
    """One integer per row by which the rows of a group are sorted."""
    if "order" not in frame:
        return np.arange(len(frame))
    return pd.factorize(frame["order"], sort=True)[0]


def widen(features: sparse.csr_matrix, frame: pd.DataFrame, window: bool) -> sparse.csr_matrix:
    """Features of the rows, beside those of their neighbours when `window` is true."""
    if not window:
        return features
    return window_features(features, group_keys(frame), within_groups(frame))


def window_features(
    features: sparse.csr_matrix, groups: np.ndarray, order: np.ndarray | None = None
) -> sparse.csr_matrix:
    """Features of a row beside those of the two rows before and the two after it in its group.

    Parameters
    ----------
    features : sparse matrix of shape (n_rows, n_features)
        Features of each row.

    groups : ndarray of shape (n_rows,)
        Group of each row; the rows of a group need not stand together.

    order : ndarray of shape (n_rows,), default=None
        What rows are sorted by within their group; None keeps the order that they have.

    Returns
    -------
    csr_matrix of shape (n_rows, 5 * n_features)
        Blocks for the rows 2 before, 1 before, itself, 1 after and 2 after; zero outside.
    """
    n_rows = len(groups)
    within = np.arange(n_rows) if order is None else order
    sequence = np.lexsort((within, groups))
    blocks = []
    for shift in WINDOW:
        position = np.arange(max(0, -shift), min(n_rows, n_rows - shift))
        row, neighbour = sequence[position], sequence[position + shift]
        same = groups[row] == groups[neighbour]
        pick = sparse.csr_matrix(
            (np.ones(same.sum()), (row[same], neighbour[same])), shape=(n_rows, n_rows)
        )
        blocks.append(pick @ features)
    return sparse.hstack(blocks, format="csr")
