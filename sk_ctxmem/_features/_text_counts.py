"""What a TextSequenceVectorizer learns, counted over texts that come chunk by chunk.

Counts of two parts of the texts can be merged into those of both, and make a fitted
TextSequenceVectorizer.
"""

from typing import Any

import numpy as np
from sklearn.base import clone

from .._input._parameters import read_ngram_range
from ._ngram_counts import Level, NGramCounts, count_ngrams
from ._ngrams import InsideNGrams, TokenNGrams
from ._tfidf import WeightedNGrams
from ._tokens import count_texts, learn_tokens

# Of each kind of n-grams. A number more of these takes 32 bytes, and some 200 for the string of
# a word: at the most about a gigabyte while they are counted.
MOST_COUNTED = 4_000_000


class TextCounts:
    """What a TextSequenceVectorizer learns from texts, counted chunk by chunk.

    Parameters
    ----------
    vectorizer : TextSequenceVectorizer
        Has the parameters; it is not changed.
    most_counted : int, default=MOST_COUNTED
        Largest number of n-grams of each kind that are remembered.

    Attributes
    ----------
    n_texts, n_tokens : int
        Number of texts and of tokens until now.
    words : NGramCounts or None
        Those of words, or of characters for ``analyzer="char"``; None before the first text.
    inside : NGramCounts or None
        Those of characters inside words, where they are wanted.
    """

    def __init__(self, vectorizer, most_counted=MOST_COUNTED):
        vectorizer._check_parameters()
        self.vectorizer = vectorizer
        self.most_counted = most_counted
        self.n_texts = self.n_tokens = 0
        self.words: NGramCounts | None = None
        self.inside: NGramCounts | None = None

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
        """Take over the counts of other texts, made for the same parameters.

        Parameters
        ----------
        other : TextCounts
            The counts, which are not to be used any more.
        """
        self.n_texts += other.n_texts
        self.n_tokens += other.n_tokens
        for name in ("words", "inside"):
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours is None or theirs is None:
                setattr(self, name, theirs if ours is None else ours)
            else:
                ours.merge(theirs)
        if self._char_ngram_range() is None:
            self.inside = None
        for counts in (self.words, self.inside):
            if counts is not None:
                counts.limit(self.most_counted)

    def _char_ngram_range(self):
        """Return the n-grams of characters to take beside those of the words until now."""
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
            inside = InsideNGrams(wanted)
            counts = inside.fit_counts(vectorizer._cut(texts))
            no_texts = np.zeros(len(inside.characters), dtype=np.int64)
            chunk.inside = count_ngrams(inside.ngrams, inside.characters, counts, no_texts)
        return chunk

    def make_vectorizer(self, most_features=None):
        """Return a vectorizer that was fitted to all texts that were counted.

        Parameters
        ----------
        most_features : int or None, default=None
            Largest number of features of each kind, if its `max_features` is not lower.

        Returns
        -------
        vectorizer : TextSequenceVectorizer
            The one that ``fit`` makes of the texts, where no n-gram was forgotten.
        """
        vectorizer = clone(self.vectorizer)
        words = self.words.in_order() if self.words is not None else NGramCounts(1, [], [])
        vectorizer._check_counts(words.tokens, self.n_texts)
        most = [number for number in (vectorizer.max_features, most_features) if number is not None]
        limits = (vectorizer.min_df, min(most, default=None))
        ngrams = TokenNGrams(read_ngram_range("ngram_range", vectorizer.ngram_range))
        ngrams = self._weigh(words, ngrams, ngrams, limits)
        inside = None
        if self.inside is not None:
            characters = self.inside.in_order()
            inside = InsideNGrams(self._char_ngram_range())
            inside.characters = characters.tokens
            inside = self._weigh(characters, inside, inside.ngrams, limits)
        vectorizer._keep(words.tokens, words.levels[0].n_texts, ngrams, inside)
        return vectorizer

    def _weigh(self, counts, counter, ngrams, limits):
        """Return the weights of the n-grams of a counter, whose n-grams are these."""
        counts.hand_over(ngrams)
        weighted = WeightedNGrams(counter, *limits)
        weighted.learn(counts.wanted("n_texts"), counts.wanted("totals"), self.n_texts)
        return weighted

    def as_plain(self) -> dict[str, Any]:
        """Return the counts as numbers, arrays and lists of strings, to be sent elsewhere."""
        plain: dict[str, Any] = {"n_texts": self.n_texts, "n_tokens": self.n_tokens}
        for name in ("words", "inside"):
            counts = getattr(self, name)
            if counts is not None:
                levels = [np.stack(level._parts()) for level in counts.levels]
                plain[name] = (list(counts.tokens), levels, counts.smallest, counts.forgotten)
        return plain

    def merge_plain(self, plain):
        """Take over counts that `as_plain` returned elsewhere."""
        other = TextCounts(self.vectorizer, self.most_counted)
        other.n_texts, other.n_tokens = plain["n_texts"], plain["n_tokens"]
        for name in ("words", "inside"):
            if name in plain:
                tokens, levels, smallest, forgotten = plain[name]
                counts = NGramCounts(smallest, tokens, [Level(*part) for part in levels], forgotten)
                setattr(other, name, counts)
        self.merge(other)
