"""Counts from which a TextSequenceVectorizer is fitted, for texts that are read in chunks.

Counts of different texts can be merged.
"""

from typing import Any

import numpy as np
from sklearn.base import clone

from .._input._parameters import read_ngram_range
from ._ngram_counts import Level, NGramCounts, count_ngrams
from ._ngrams import InsideNGrams, TokenNGrams
from ._tfidf import WeightedNGrams
from ._tokens import count_texts, learn_tokens

# For each kind of n-grams. An n-gram takes 32 bytes, and the string of a word about 200, so that
# the counts take about a gigabyte at most.
MOST_COUNTED = 4_000_000


class TextCounts:
    """Counts of n-grams from which a TextSequenceVectorizer is fitted.

    Parameters
    ----------
    vectorizer : TextSequenceVectorizer
        The vectorizer whose parameters are used; it is not changed.
    most_counted : int, default=MOST_COUNTED
        Largest number of n-grams of each kind that are kept.

    Attributes
    ----------
    n_texts, n_tokens : int
        Number of texts and of tokens so far.
    words : NGramCounts or None
        Counts of n-grams of words, or of characters if ``analyzer="char"``; None before the first
        text.
    char_ngrams : NGramCounts or None
        Counts of character n-grams inside words; None if they are not used.
    """

    def __init__(self, vectorizer, most_counted=MOST_COUNTED):
        vectorizer._check_parameters()
        self.vectorizer = vectorizer
        self.most_counted = most_counted
        self.n_texts = self.n_tokens = 0
        self.words: NGramCounts | None = None
        self.char_ngrams: NGramCounts | None = None

    def add(self, texts):
        """Count texts.

        Parameters
        ----------
        texts : list of str
            The texts.
        """
        if texts:
            self.merge(self._count(texts))

    def merge(self, other):
        """Add the counts of other texts, made with the same parameters.

        Parameters
        ----------
        other : TextCounts
            The counts; do not use them afterwards, since arrays are shared.
        """
        self.n_texts += other.n_texts
        self.n_tokens += other.n_tokens
        for name in ("words", "char_ngrams"):
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours is None or theirs is None:
                setattr(self, name, theirs if ours is None else ours)
            else:
                ours.merge(theirs)
        if self._char_ngram_range() is None:
            self.char_ngrams = None
        for counts in (self.words, self.char_ngrams):
            if counts is not None:
                counts.limit(self.most_counted)

    def _char_ngram_range(self):
        """Return the range of character n-grams for the number of tokens so far."""
        return self.vectorizer._choose_char_ngram_range(self.n_tokens)

    def _count(self, texts):
        """Return the counts of one chunk."""
        vectorizer, chunk = self.vectorizer, TextCounts(self.vectorizer)
        texts = vectorizer._clean(texts)
        tokens, numbers = learn_tokens(texts, vectorizer._tokenizer())
        ngrams = TokenNGrams(read_ngram_range("ngram_range", vectorizer.ngram_range))
        counts = ngrams.fit_counts(tokens, len(numbers))
        token_texts = count_texts(tokens, len(numbers)) if ngrams.ngram_range[0] > 1 else None
        chunk.words = count_ngrams(ngrams, numbers, counts, token_texts)
        chunk.n_texts, chunk.n_tokens = len(texts), tokens.n_tokens
        wanted = vectorizer._choose_char_ngram_range(self.n_tokens + chunk.n_tokens)
        if wanted is not None:
            char_ngrams = InsideNGrams(wanted)
            counts = char_ngrams.fit_counts(vectorizer._cut(texts))
            characters = char_ngrams.characters
            no_texts = np.zeros(len(characters), dtype=np.int64)
            chunk.char_ngrams = count_ngrams(char_ngrams.ngrams, characters, counts, no_texts)
        return chunk

    def make_vectorizer(self, most_features=None):
        """Return a vectorizer that is fitted to all counted texts.

        Parameters
        ----------
        most_features : int or None, default=None
            Largest number of features of each kind, if `max_features` is not lower.

        Returns
        -------
        vectorizer : TextSequenceVectorizer
            The vectorizer; equal to the result of ``fit`` if no n-gram was pruned.
        """
        vectorizer = clone(self.vectorizer)
        words = self.words.in_order() if self.words is not None else NGramCounts(1, [], [])
        vectorizer._check_counts(words.tokens, self.n_texts)
        limits = [limit for limit in (vectorizer.max_features, most_features) if limit is not None]
        selection = (vectorizer.min_df, min(limits, default=None))
        ngrams = TokenNGrams(read_ngram_range("ngram_range", vectorizer.ngram_range))
        weighted = self._weigh(words, ngrams, ngrams, selection)
        weighted_chars = None
        if self.char_ngrams is not None:
            counts = self.char_ngrams.in_order()
            char_ngrams = InsideNGrams(self._char_ngram_range())
            char_ngrams.characters = counts.tokens
            weighted_chars = self._weigh(counts, char_ngrams, char_ngrams.ngrams, selection)
        vectorizer._keep(words.tokens, words.levels[0].n_texts, weighted, weighted_chars)
        return vectorizer

    def _weigh(self, counts, counter, ngrams, selection):
        """Copy counted n-grams to those of a counter, and return the counter with weights."""
        counts.copy_to(ngrams)
        weighted = WeightedNGrams(counter, *selection)
        n_texts, totals = counts.wanted("n_texts"), counts.wanted("totals")
        weighted.learn(n_texts, totals, self.n_texts, self.vectorizer.max_df)
        return weighted

    def as_plain(self) -> dict[str, Any]:
        """Return the counts as numbers, arrays and lists of strings, for other processes."""
        plain: dict[str, Any] = {"n_texts": self.n_texts, "n_tokens": self.n_tokens}
        for name in ("words", "char_ngrams"):
            counts = getattr(self, name)
            if counts is not None:
                levels = [np.stack(level.arrays()) for level in counts.levels]
                plain[name] = (list(counts.tokens), levels, counts.smallest, counts.forgotten)
        return plain

    def merge_plain(self, plain):
        """Add counts that `as_plain` returned in another process."""
        other = TextCounts(self.vectorizer, self.most_counted)
        other.n_texts, other.n_tokens = plain["n_texts"], plain["n_tokens"]
        for name in ("words", "char_ngrams"):
            if name in plain:
                tokens, levels, smallest, forgotten = plain[name]
                counts = NGramCounts(
                    smallest, tokens, [Level(*arrays) for arrays in levels], forgotten
                )
                setattr(other, name, counts)
        self.merge(other)
