"""Counts of n-grams, made from numbers instead of strings.

The counts are those of scikit-learn's CountVectorizer, which joins each n-gram to a string and
looks that up in a dict: most of the time of a fit on short texts. Here each token is looked up
once, and an n-gram is a pair of numbers: that of its first n - 1 tokens, and its last token's.
"""

import numpy as np
import pandas as pd

from ._csr import count_pairs
from ._tokens import UNKNOWN, check_numbering, learn_tokens, read_tokens

LONGEST_WORD = 1000  # characters that n-grams inside a word are made of: more are no word


class TokenNGrams:
    """Counts of the n-grams of tokens.

    Columns are ordered by n and, for each n, by the tokens of the n-grams.

    Parameters
    ----------
    ngram_range : tuple of (int, int)
        Smallest and largest n.
    """

    parameter = "ngram_range"

    def __init__(self, ngram_range):
        self.ngram_range = ngram_range

    def fit_counts(self, tokens, n_tokens):
        """Learn the n-grams of tokens, of which there are `n_tokens` kinds, and count them.

        Returns
        -------
        counts : csr_array of shape (n_texts, n_ngrams), float32
            How often each n-gram stands in each text.
        """
        self.n_tokens = n_tokens
        self.pairs = []  # for each n from 2 its n-grams, sorted, as beginning * n_tokens + last
        return self._count(tokens, self._learn)

    def counts(self, tokens):
        """Count the n-grams that were learned."""
        return self._count(tokens, self._find)

    def _count(self, tokens, number):
        smallest, largest = self.ngram_range
        ngrams, texts, n_columns = tokens.numbers, tokens.texts, 0
        rows, columns = [texts[:0]], [ngrams[:0]]
        for n in range(1, largest + 1):
            if n > 1:
                ngrams = self._lengthen(ngrams, tokens.numbers, texts, n, number)
            found = ngrams >= 0
            if n >= smallest:
                rows.append(texts[found])
                columns.append(ngrams[found] + np.int32(n_columns))
                n_columns += self._n_ngrams(n)
            if not found.any():  # all texts are shorter than n, or hold nothing known
                break
        shape = (len(tokens.lengths), self.n_columns)
        return count_pairs(np.concatenate(rows), np.concatenate(columns), shape)

    @property
    def n_columns(self):
        """Number of n-grams that are counted."""
        smallest, longest = self.ngram_range[0], len(self.pairs) + 1  # longer ones are in no text
        return sum(map(self._n_ngrams, range(smallest, longest + 1)))

    def _n_ngrams(self, n):
        if n == 1:
            return self.n_tokens
        return len(self.pairs[n - 2]) if n - 2 < len(self.pairs) else 0

    def keep(self, columns):
        """Forget the n-grams of other columns, but for single tokens and beginnings.

        Returns
        -------
        columns : ndarray of shape (n_kept,)
            The same columns, by their new numbers.
        """
        smallest, n_levels = self.ngram_range[0], len(self.pairs) + 1
        sizes = [self._n_ngrams(n) if n >= smallest else 0 for n in range(1, n_levels + 1)]
        firsts = np.cumsum(sizes) - sizes
        is_kept = np.zeros(sum(sizes), dtype=bool)
        is_kept[columns] = True
        wanted = [np.ones(self.n_tokens, dtype=bool)]
        for n, pairs in enumerate(self.pairs, start=2):
            of_level = is_kept[firsts[n - 1] : firsts[n - 1] + sizes[n - 1]]
            wanted.append(of_level if n >= smallest else np.zeros(len(pairs), dtype=bool))
        for n in range(n_levels, 2, -1):
            wanted[n - 2][self.pairs[n - 2][wanted[n - 1]] // self.n_tokens] = True
        return self._renumber(wanted, columns, firsts)

    def _renumber(self, wanted, columns, firsts):
        """Keep the wanted n-grams of each n, and return the new numbers of columns."""
        ranks = [np.cumsum(level, dtype=np.int64) - 1 for level in wanted]
        for n, level in enumerate(wanted[1:], start=2):
            beginnings, lasts = np.divmod(self.pairs[n - 2][level], self.n_tokens)
            self.pairs[n - 2] = ranks[n - 2][beginnings] * self.n_tokens + lasts
        numbers, n_before = [], 0
        for n in range(self.ngram_range[0], len(wanted) + 1):
            first, end = np.searchsorted(columns, firsts[n - 1] + np.array([0, len(wanted[n - 1])]))
            numbers.append(n_before + ranks[n - 1][columns[first:end] - firsts[n - 1]])
            n_before += self._n_ngrams(n)
        return np.concatenate(numbers)

    def _lengthen(self, ngrams, tokens, texts, n, number):
        """Return the n-gram that begins at each token, or UNKNOWN, from those of n - 1 tokens."""
        begins, ends = slice(None, max(0, len(tokens) - n + 1)), slice(n - 1, None)
        exists = (texts[begins] == texts[ends]) & (ngrams[begins] >= 0) & (tokens[ends] >= 0)
        places = np.flatnonzero(exists)
        longer = np.full(len(tokens), UNKNOWN, dtype=np.int32)
        pairs = ngrams[places].astype(np.int64) * self.n_tokens + tokens[places + n - 1]
        longer[places] = number(pairs, n)
        return longer

    def _learn(self, pairs, n):
        found, kinds = pd.factorize(pairs)
        order = np.argsort(kinds)
        rank = np.empty(len(kinds), dtype=np.int32)
        rank[order] = np.arange(len(kinds))
        self.pairs.append(kinds[order])
        return rank[found]

    def _find(self, pairs, n):
        known = self.pairs[n - 2]
        kinds, found = np.unique(pairs, return_inverse=True)  # sorted look-ups stay in the cache
        places = np.searchsorted(known, kinds)
        is_known = known[np.minimum(places, len(known) - 1)] == kinds if len(known) else False
        return np.where(is_known, places, UNKNOWN)[found]

    def _check_learned(self):
        """Raise ValueError unless this is what `fit_counts` can have learned."""
        smallest, largest = self.ngram_range
        n_before = self.n_tokens
        are_all = len(self.pairs) == largest - 1 or not len(self.pairs) or not len(self.pairs[-1])
        are_right = 1 <= smallest <= largest and n_before >= 0 and are_all
        for pairs in self.pairs:
            inside = pairs.size == 0 or 0 <= pairs[0] <= pairs[-1] < n_before * self.n_tokens
            is_sorted = pairs.ndim == 1 and bool((pairs[1:] > pairs[:-1]).all())
            are_right &= pairs.dtype == np.int64 and is_sorted and bool(inside)
            n_before = len(pairs)
        if not are_right:
            raise ValueError("the n-grams are none that texts can have")

    def names(self, token_names, separator):
        """Return the n-grams as strings, in the order of the columns."""
        smallest = self.ngram_range[0]
        level, names = token_names, []
        for n in range(1, len(self.pairs) + 2):
            if n > 1:
                beginnings, lasts = np.divmod(self.pairs[n - 2], self.n_tokens)
                pairs = zip(beginnings.tolist(), lasts.tolist(), strict=True)
                level = [level[first] + separator + token_names[last] for first, last in pairs]
            if n >= smallest:
                names += level
        return names

    def name(self, column, token_names, separator):
        """Return the n-gram of one column as a string."""
        n = self.ngram_range[0]
        while column >= self._n_ngrams(n):
            column -= self._n_ngrams(n)
            n += 1
        tokens = []
        for pairs in reversed(self.pairs[: n - 1]):
            column, last = divmod(int(pairs[column]), self.n_tokens)
            tokens.append(last)
        return separator.join(token_names[token] for token in [column, *reversed(tokens)])


class InsideNGrams:
    """Counts of n-grams of characters inside words, as of ``analyzer="char_wb"``.

    A word has a space before and after it. Each different word is taken apart once; the counts
    of a text are the sum of those of its words. Words shorter than the shortest n-grams have
    none, where scikit-learn makes one of each. Of longer words than LONGEST_WORD, the beginning
    counts: a text without a space may be of any size.

    Parameters
    ----------
    ngram_range : tuple of (int, int)
        Smallest and largest number of characters.
    """

    parameter = "char_ngram_range"

    def __init__(self, ngram_range):
        self.ngram_range = ngram_range
        self.ngrams = TokenNGrams(ngram_range)

    def fit_counts(self, texts):
        """Learn the n-grams inside the words of texts, and count them."""
        words, names = self._words(texts)
        tokens, self.characters = learn_tokens(names, tuple)
        return words @ self.ngrams.fit_counts(tokens, len(self.characters))

    def counts(self, texts):
        """Count the n-grams that were learned."""
        words, names = self._words(texts)
        return words @ self.ngrams.counts(read_tokens(names, tuple, self.characters))

    @property
    def n_columns(self):
        """Number of n-grams that are counted."""
        return self.ngrams.n_columns

    def keep(self, columns):
        """Forget the n-grams of other columns, and return the new numbers of these."""
        return self.ngrams.keep(columns)

    def _check_learned(self):
        """Raise ValueError unless this is what `fit_counts` can have learned."""
        check_numbering(self.characters, self.ngrams.n_tokens)

    def _words(self, texts):
        tokens, numbers = learn_tokens(texts, str.split)
        shape = (len(tokens.lengths), len(numbers))
        words = count_pairs(tokens.texts, tokens.numbers, shape)
        return words, [f" {name[:LONGEST_WORD]} " for name in numbers]

    def names(self):
        """Return the n-grams in the order of the columns."""
        return self.ngrams.names(list(self.characters), "")

    def name(self, column):
        """Return the n-gram of one column."""
        return self.ngrams.name(column, list(self.characters), "")
