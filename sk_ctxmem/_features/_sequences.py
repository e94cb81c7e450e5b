"""TextSequences, the container of n-gram features and words."""

from __future__ import annotations

from typing import Any

import numpy as np


class TextSequences:
    """Rows of n-gram features together with their words in order.

    :class:`TextSequenceVectorizer` returns this container. Rows are indexed by an integer, a
    slice, a mask or an array of integers, as scikit-learn's splitters, searches and caches
    require. The arrays are not copied and should not be modified.

    Parameters
    ----------
    features : csr_array of shape (n_rows, n_features), float32
        The n-gram features.

    words : ndarray of shape (n_words,), int32
        Numbers of the words of all rows, row after row; 0 is an unknown word.

    offsets : ndarray of shape (n_rows + 1,), int64
        The words of row i are ``words[offsets[i]:offsets[i + 1]]``.

    vocabulary_size : int
        One more than the largest possible number of a word.

    Examples
    --------
    >>> from sk_ctxmem import TextSequenceVectorizer
    >>> vectorizer = TextSequenceVectorizer(char_ngram_range=None)
    >>> sequences = vectorizer.fit_transform(["yes", "and then ?", ""])
    >>> sequences
    TextSequences(n_rows=3, n_features=6, n_words=4)
    >>> sequences[[1, 2]].shape
    (2, 6)
    """

    is_text_sequences = True

    def __init__(self, features, words, offsets, vocabulary_size):
        self.features = features
        self.words = words
        self.offsets = offsets
        self.vocabulary_size = vocabulary_size

    @property
    def ndim(self) -> int:
        """Number of dimensions, 2: a ColumnTransformer asks for it before it calls `__array__`."""
        return 2

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of features."""
        return self.features.shape

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> TextSequences:
        if isinstance(rows, tuple):  # scikit-learn indexes with [rows, ...]
            rows, *rest = rows
            if any(part not in (Ellipsis, slice(None)) for part in rest):
                raise IndexError("Only rows of TextSequences can be taken; see .features.")
        if not isinstance(rows, slice) and np.ndim(rows) == 0:
            rows = [rows]
        rows = np.arange(len(self))[rows]
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        shift = np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        words = self.words[np.arange(offsets[-1]) + shift]
        return TextSequences(self.features[rows], words, offsets, self.vocabulary_size)

    def __array__(self, dtype=None, copy=None):
        """Raise TypeError, since an array would lose the words."""
        raise TypeError(
            "TextSequences cannot become an array; pass it to ContextMemoryClassifier unchanged, "
            "or use only its n-gram features: sequences.features, or "
            "TextSequenceVectorizer(output='sparse')"
        )

    def __repr__(self):
        return (
            f"TextSequences(n_rows={self.shape[0]}, n_features={self.shape[1]}, "
            f"n_words={len(self.words)})"
        )
