"""Texts to n-gram features and word sequences, in one container."""

import re
from itertools import islice
from numbers import Integral

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

from ._parameters import Choice, Flag, Number, check_ngram_range, check_parameters
from ._validation import check_texts

WORD_PATTERN = r"\w+|[^\w\s]"  # words, and each punctuation mark by itself
CHARACTER_PATTERN = r"\S"
UNKNOWN_WORD = 0


class TextSequences:
    """Rows of n-gram features together with the words in their order.

    What :class:`TextSequenceVectorizer` returns. Rows can be taken with a number, a slice, a
    mask or an array of numbers, which is all that scikit-learn's splitters, searches and caches
    need. The parts are not copied, and should not be changed.

    Parameters
    ----------
    features : csr_array of shape (n_rows, n_features), float32
        The n-gram features.

    words : ndarray of shape (n_words,), int32
        Numbers of the words of all rows, row after row; 0 stands for an unknown word.

    offsets : ndarray of shape (n_rows + 1,), int64
        Row i has the words ``words[offsets[i]:offsets[i + 1]]``.

    vocabulary_size : int
        One more than the largest number that a word can have.

    Examples
    --------
    >>> from sk_ctxmem import TextSequenceVectorizer
    >>> sequences = TextSequenceVectorizer().fit_transform(["yes", "and then ?", ""])
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
    def shape(self):
        """Number of rows and of features."""
        return self.features.shape

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        if isinstance(rows, tuple):  # scikit-learn asks for [rows, ...]
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
        """Refuse: the words would be lost."""
        raise TypeError(
            "TextSequences cannot become an array; pass it to ContextMemoryClassifier as it is, "
            "or use its n-grams alone: sequences.features"
        )

    def __repr__(self):
        return (
            f"TextSequences(n_rows={self.shape[0]}, n_features={self.shape[1]}, "
            f"n_words={len(self.words)})"
        )


class TextSequenceVectorizer(  # type: ignore[call-arg]
    TransformerMixin, BaseEstimator, auto_wrap_output_keys=None
):
    """Turn texts into TF-IDF weighted n-grams and into sequences of words.

    The n-grams are made by scikit-learn's
    :class:`~sklearn.feature_extraction.text.TfidfVectorizer`, with sublinear counts; the
    sequences keep the order that n-grams lose.

    Parameters
    ----------
    analyzer : {"word", "char"}, default="word"
        What texts are made of: words and punctuation marks, or single characters. Use "char"
        for languages without spaces, such as Chinese, with ``ngram_range=(1, 3)``.

    ngram_range : tuple of (int, int), default=(1, 2)
        Shortest and longest n-grams of words, or of characters for ``analyzer="char"``.

    char_ngram_range : tuple of (int, int) or None, default=None
        Shortest and longest n-grams of characters inside words, beside those of words. They
        help where words are rare or misspelt, such as ``(2, 5)``, and cost several times as
        much time.

    lowercase : bool, default=True
        Whether to convert texts to lower case.

    min_df : int, default=1
        Number of texts that an n-gram must occur in to become a feature.

    max_features : int or None, default=None
        Largest number of features of each kind of n-grams, the most frequent ones; None for
        no limit.

    max_length : int, default=2048
        Number of words, or characters, of a text that are read; what follows is ignored.

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Number of each word of the sequences, from 1. Words in a single text are not in it:
        they share the number 0 with the words never seen.

    ngram_vectorizer_ : TfidfVectorizer
        The fitted vectorizer of the n-grams.

    char_vectorizer_ : TfidfVectorizer or None
        That of the n-grams of characters inside words, if asked for.

    See Also
    --------
    ContextMemoryClassifier : Takes what this transformer returns.

    Examples
    --------
    >>> from sk_ctxmem import TextSequenceVectorizer
    >>> vectorizer = TextSequenceVectorizer(ngram_range=(1, 1))
    >>> sequences = vectorizer.fit_transform(["yes , please", "yes", "no , thanks"])
    >>> vectorizer.get_feature_names_out()
    array([',', 'no', 'please', 'thanks', 'yes'], dtype=object)
    >>> sequences.features.shape
    (3, 5)
    >>> sequences.words
    array([2, 1, 0, 2, 0, 1, 0], dtype=int32)
    """

    _legal_values = {
        "analyzer": Choice("word", "char"),
        "lowercase": Flag(),
        "min_df": Number(Integral, 1, np.inf, 1),
        "max_features": Number(Integral, 1, np.inf, None, or_none=True),
        "max_length": Number(Integral, 1, np.inf, 2048),
    }

    def __init__(
        self,
        *,
        analyzer="word",
        ngram_range=(1, 2),
        char_ngram_range=None,
        lowercase=True,
        min_df=1,
        max_features=None,
        max_length=2048,
    ):
        self.analyzer = analyzer
        self.ngram_range = ngram_range
        self.char_ngram_range = char_ngram_range
        self.lowercase = lowercase
        self.min_df = min_df
        self.max_features = max_features
        self.max_length = max_length

    def fit(self, X, y=None):
        """Learn the n-grams, their weights and the words.

        Parameters
        ----------
        X : list, tuple, ndarray, Series, or frame of one column, of n_rows str
            The texts.

        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        self : TextSequenceVectorizer
            The fitted vectorizer.
        """
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X, y=None):
        """Learn from texts and convert them, in less time than one after the other.

        Parameters
        ----------
        X : list, tuple, ndarray, Series, or frame of one column, of n_rows str
            The texts.

        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        sequences : TextSequences of n_rows rows
            N-gram features and words.

        Raises
        ------
        TypeError, ValueError
            If a parameter is not legal, X is not made of texts, or no text has a word.
        """
        self._check_parameters()
        texts = self._clean(check_texts(X))
        tokens, lengths = self._tokenize(texts)
        if not tokens:
            raise ValueError("X has no word in any of its texts; at least one is needed.")
        if self.min_df > len(texts):
            raise ValueError(
                f"min_df={self.min_df!r} is more than the {len(texts)} texts of X; lower it."
            )
        self.vocabulary_ = _count_words(tokens, lengths)
        self.ngram_vectorizer_, self.char_vectorizer_ = self._make_vectorizers()
        parts = [self.ngram_vectorizer_.fit_transform(texts)]
        if self.char_vectorizer_ is not None:
            parts.append(self.char_vectorizer_.fit_transform(texts))
        return self._pack(parts, tokens, lengths)

    def transform(self, X):
        """Convert texts; n-grams that were not seen are left out.

        Parameters
        ----------
        X : list, tuple, ndarray, Series, or frame of one column, of n_rows str
            The texts. An empty one is legal: it has no features and no words.

        Returns
        -------
        sequences : TextSequences of n_rows rows
            N-gram features and words.
        """
        check_is_fitted(self)
        texts = self._clean(check_texts(X))
        parts = [self.ngram_vectorizer_.transform(texts)]
        if self.char_vectorizer_ is not None:
            parts.append(self.char_vectorizer_.transform(texts))
        return self._pack(parts, *self._tokenize(texts))

    def get_feature_names_out(self, input_features=None):
        """Return the n-grams in the order of the columns.

        Parameters
        ----------
        input_features : Ignored
            Not used, present for consistency.

        Returns
        -------
        names : ndarray of shape (n_features,) of str
            The n-grams. Where there are two kinds, they begin with ``word__`` and ``char__``.
        """
        check_is_fitted(self)
        names = self.ngram_vectorizer_.get_feature_names_out()
        if self.char_vectorizer_ is None:
            return names
        inside = self.char_vectorizer_.get_feature_names_out()
        both = [f"word__{name}" for name in names] + [f"char__{name}" for name in inside]
        return np.array(both, dtype=object)

    def _check_parameters(self):
        check_parameters(self, self._legal_values)
        check_ngram_range("ngram_range", self.ngram_range)
        if self.char_ngram_range is not None:
            check_ngram_range("char_ngram_range", self.char_ngram_range)

    def _make_vectorizers(self):
        """Return scikit-learn's vectorizers, the second None where not asked for."""
        common = {
            "lowercase": self.lowercase,
            "min_df": self.min_df,
            "max_features": self.max_features,
            "sublinear_tf": True,
            "dtype": np.float32,
        }
        ngrams = TfidfVectorizer(
            analyzer=self.analyzer,
            ngram_range=tuple(self.ngram_range),
            token_pattern=WORD_PATTERN if self.analyzer == "word" else None,
            **common,
        )
        if self.char_ngram_range is None:
            return ngrams, None
        return ngrams, TfidfVectorizer(
            analyzer="char_wb", ngram_range=tuple(self.char_ngram_range), **common
        )

    @property
    def _pattern(self):
        return re.compile(WORD_PATTERN if self.analyzer == "word" else CHARACTER_PATTERN)

    def _clean(self, texts):
        """Convert to lower case, and cut each text after its `max_length` words."""
        if self.lowercase:
            texts = [text.lower() for text in texts]
        pattern, limit = self._pattern, self.max_length  # most are seen to be short enough
        return [text if len(text) <= limit else _cut_after(text, pattern, limit) for text in texts]

    def _tokenize(self, texts):
        """Return the words of all texts in one list, and the number of each text's."""
        find = self._pattern.findall
        tokens, lengths = [], np.empty(len(texts), dtype=np.int64)
        for row, text in enumerate(texts):
            found = find(text)
            lengths[row] = len(found)
            tokens += found
        return tokens, lengths

    def _pack(self, parts, tokens, lengths):
        features = parts[0] if len(parts) == 1 else sparse.hstack(parts, format="csr")
        number = self.vocabulary_.get
        words = np.fromiter(
            (number(token, UNKNOWN_WORD) for token in tokens), dtype=np.int32, count=len(tokens)
        )
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return TextSequences(sparse.csr_array(features), words, offsets, len(self.vocabulary_) + 1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _cut_after(text, pattern, n_tokens):
    """Cut a text after its first tokens, without reading the rest."""
    end = 0
    for match in islice(pattern.finditer(text), n_tokens):
        end = match.end()
    return text[:end]


def _count_words(tokens, lengths):
    """Assign numbers to the words that occur in two texts or more, from 1."""
    codes, names = pd.factorize(np.array(tokens, dtype=object))
    rows = np.repeat(np.arange(len(lengths)), lengths)
    pairs = np.unique(codes * np.int64(len(lengths)) + rows)  # each word once a text
    n_texts = np.bincount(pairs // len(lengths), minlength=len(names))
    kept = sorted(names[n_texts > 1])
    return {name: number for number, name in enumerate(kept, start=1)}
