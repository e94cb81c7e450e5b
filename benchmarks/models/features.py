"""Features of texts for the baselines: words, n-grams and windows of rows."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.corpora.corpus import group_keys, order_keys

WINDOW = (-2, -1, 0, 1, 2)
CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")  # Japanese kana and Chinese characters


def make_vectorizer(texts: pd.Series) -> TfidfVectorizer:
    """TF-IDF of words and pairs of words, or of characters for texts without spaces."""
    if lacks_spaces(texts):
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
    pattern = r"\w+|[^\w\s]"
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=pattern)


def make_tokenizer(texts: pd.Series) -> Callable[[str], list[str]]:
    """Make a function that splits a text into the words, or characters, of `make_vectorizer`."""
    vectorizer = make_vectorizer(texts)
    is_of_words = vectorizer.analyzer == "word"
    return vectorizer.build_tokenizer() if is_of_words else re.compile(r"\S").findall


def lacks_spaces(texts: pd.Series) -> bool:
    """Whether the first thousand texts are mostly Chinese or Japanese."""
    sample = "".join(texts.iloc[:1000])
    return len(CJK.findall(sample)) > 0.3 * len(sample)


def widen(features: sparse.csr_matrix, frame: pd.DataFrame, window: bool) -> sparse.csr_matrix:
    """Features of the rows, together with those of their neighbors if `window` is true."""
    if not window:
        return features
    return window_features(features, group_keys(frame), order_keys(frame))


def window_features(
    features: sparse.csr_matrix, groups: np.ndarray, order: np.ndarray | None = None
) -> sparse.csr_matrix:
    """Features of a row, and of the two rows before and the two rows after it in its group.

    Parameters
    ----------
    features : sparse matrix of shape (n_rows, n_features)
        Features of each row.

    groups : ndarray of shape (n_rows,)
        Group of each row; the rows of a group need not be adjacent.

    order : ndarray of shape (n_rows,), default=None
        Sort key of the rows within their group. If None, rows keep their order.

    Returns
    -------
    csr_matrix of shape (n_rows, 5 * n_features)
        Blocks of the second row before, the row before, the row itself, the row after and the
        second row after; zero outside the group.
    """
    n_rows = len(groups)
    within = np.arange(n_rows) if order is None else order
    sequence = np.lexsort((within, groups))
    blocks = []
    for shift in WINDOW:
        position = np.arange(max(0, -shift), min(n_rows, n_rows - shift))
        row, neighbor = sequence[position], sequence[position + shift]
        same = groups[row] == groups[neighbor]
        pick = sparse.csr_matrix(
            (np.ones(same.sum()), (row[same], neighbor[same])), shape=(n_rows, n_rows)
        )
        blocks.append(pick @ features)
    return sparse.hstack(blocks, format="csr")
