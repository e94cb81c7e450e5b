"""Counts and positions of n-grams, found by numbers instead of strings.

The counts equal those of scikit-learn's CountVectorizer, which joins each n-gram to a string and
looks up the string in a dict; this takes most of the time of a fit on short texts. Here each
token is looked up once, and an n-gram is a pair of numbers: the number of its first n - 1 tokens
and the number of its last token.

One look-up, `TokenNGrams._look_up`, serves fit, many texts, a single text and explanations.
"""

import re
from collections import Counter

import numpy as np
import pandas as pd

from ._csr import count_pairs, find_firsts
from ._tokens import UNKNOWN, Tokens, check_numbering, learn_tokens, read_tokens

LONGEST_WORD = 1000  # characters of a word that char n-grams read: longer strings are no words
MOST_UNSORTED = 2_000  # pairs to look up unsorted; for more, sorting makes better use of caches


class TokenNGrams:
    """Counts of the n-grams of tokens.

    Columns are sorted by n and, for each n, by the tokens of the n-grams.

    Parameters
    ----------
    ngram_range : tuple of (int, int)
        Smallest and largest n.

    Attributes
    ----------
    n_tokens : int
        Number of distinct tokens.
    pairs : list of ndarray, int64
        For each n from 2, the sorted n-grams: the number of the first n - 1 tokens among the
        (n - 1)-grams, times `n_tokens`, plus the number of the last token.
    """

    parameter = "ngram_range"

    def __init__(self, ngram_range):
        self.ngram_range = ngram_range

    def fit_counts(self, tokens, n_tokens):
        """Learn the n-grams of tokens, and count them.

        Parameters
        ----------
        tokens : Tokens
            The tokens of the texts.
        n_tokens : int
            Number of distinct tokens.

        Returns
        -------
        counts : csr_array of shape (n_texts, n_ngrams), float32
            Number of occurrences of each n-gram in each text.
        """
        self.n_tokens = n_tokens
        self.pairs = []
        return self._count(tokens, self._learn)

    def counts(self, tokens):
        """Count the learned n-grams in texts."""
        return self._count(tokens, self._find)

    def _count(self, tokens, encode):
        texts = tokens.texts
        rows, columns = [texts[:0]], [tokens.numbers[:0]]
        for _, found, begins in self._look_up(tokens.numbers, encode):
            rows.append(texts[begins])
            columns.append(found.astype(np.int32, copy=False))
        shape = (len(tokens.lengths), self.n_columns)
        return count_pairs(np.concatenate(rows), np.concatenate(columns), shape)

    def counts_of_one(self, tokens):
        """Return the row that `counts` returns for a single text, without a matrix.

        Returns
        -------
        columns, counts : ndarray of shape (n_found,)
            The columns of the n-grams, sorted, and their numbers of occurrences.
        ranks : ndarray of shape (n_found,)
            Sorting by these gives the order of the entries in the matrix of `counts`.
        """
        columns, _ = self._find_all(tokens.numbers)
        columns.sort()
        firsts = find_firsts(columns)
        counts = np.append(firsts[1:], len(columns)) - firsts
        columns = columns[firsts]
        return columns, counts, columns

    def find(self, numbers):
        """Find the learned n-grams.

        Parameters
        ----------
        numbers : ndarray of shape (n_numbers,), int32
            The numbers of the tokens of one or more texts, as in Tokens.

        Yields
        ------
        n : int
            Length of the n-grams in tokens.
        columns : ndarray of shape (n_found,), int32 or int64
            The column of each n-gram of this length.
        begins : ndarray of shape (n_found,), int64
            The positions of their first tokens, ascending.
        """
        return self._look_up(numbers, self._find)

    def _find_all(self, numbers):
        """Return the columns and positions that `find` yields, concatenated."""
        columns, begins = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for _, columns_of_n, begins_of_n in self.find(numbers):
            columns.append(columns_of_n)
            begins.append(begins_of_n)
        return np.concatenate(columns), np.concatenate(begins)

    def _look_up(self, numbers, encode):
        """Yield length, columns and positions of n-grams; `encode` learns or finds pairs."""
        smallest, largest = self.ngram_range
        begins = (numbers >= 0).nonzero()[0]
        ngrams, n_before = numbers[begins], 0
        for n in range(1, largest + 1):
            if n > 1:
                begins, ngrams = self._lengthen(begins, ngrams, numbers, n, encode)
            if n >= smallest:
                yield n, ngrams + n_before, begins
                n_before += self._n_ngrams(n)
            if not len(begins):  # no text contains a learned n-gram of this length
                break

    @property
    def n_columns(self):
        """Number of n-grams that are counted."""
        smallest, longest = self.ngram_range[0], len(self.pairs) + 1  # longer ones do not exist
        return sum(map(self._n_ngrams, range(smallest, longest + 1)))

    def _n_ngrams(self, n):
        if n == 1:
            return self.n_tokens
        return len(self.pairs[n - 2]) if n - 2 < len(self.pairs) else 0

    def keep(self, columns):
        """Remove the n-grams of other columns, except single tokens and prefixes of kept n-grams.

        Returns
        -------
        columns : ndarray of shape (n_kept,)
            The new numbers of the same columns.
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
        """Keep the wanted n-grams of each n, and return the new numbers of the columns."""
        ranks = [np.cumsum(level, dtype=np.int64) - 1 for level in wanted]
        for n, level in enumerate(wanted[1:], start=2):
            prefixes, lasts = np.divmod(self.pairs[n - 2][level], self.n_tokens)
            self.pairs[n - 2] = ranks[n - 2][prefixes] * self.n_tokens + lasts
        numbers, n_before = [], 0
        for n in range(self.ngram_range[0], len(wanted) + 1):
            first, end = np.searchsorted(columns, firsts[n - 1] + np.array([0, len(wanted[n - 1])]))
            numbers.append(n_before + ranks[n - 1][columns[first:end] - firsts[n - 1]])
            n_before += self._n_ngrams(n)
        return np.concatenate(numbers)

    def _lengthen(self, begins, ngrams, numbers, n, encode):
        """Append the next token to (n - 1)-grams, and return those that are learned n-grams."""
        lasts = numbers[begins + (n - 1)]
        known = lasts >= 0
        pairs = ngrams[known].astype(np.int64, copy=False) * self.n_tokens + lasts[known]
        chosen, longer = encode(pairs, n)
        return begins[known][chosen], longer

    def _learn(self, pairs, n):
        """Add pairs as n-grams; return which pairs are n-grams, here all, and their numbers."""
        codes, distinct = pd.factorize(pairs)
        order = np.argsort(distinct)
        rank = np.empty(len(distinct), dtype=np.int32)
        rank[order] = np.arange(len(distinct))
        self.pairs.append(distinct[order])
        return slice(None), rank[codes]

    def _find(self, pairs, n):
        """Return which pairs are learned n-grams, and their numbers."""
        if len(pairs) <= MOST_UNSORTED:
            return self._search(pairs, n)
        distinct, inverse = np.unique(pairs, return_inverse=True)
        is_known, known = self._search(distinct, n)
        found = np.full(len(distinct), UNKNOWN, dtype=np.int32)
        found[is_known] = known
        found = found[inverse]
        is_known = found >= 0
        return is_known, found[is_known]

    def _search(self, pairs, n):
        known = self.pairs[n - 2]
        if not len(known):
            return slice(0), pairs[:0]
        found = known.searchsorted(pairs)
        is_known = known.take(found, mode="clip") == pairs
        return is_known, found[is_known]

    def _check_learned(self):
        """Raise ValueError unless `fit_counts` can have learned these attributes."""
        smallest, largest = self.ngram_range
        n_before = self.n_tokens
        is_last = not len(self.pairs[-1]) if self.pairs else not self.n_tokens
        are_all = len(self.pairs) == largest - 1 or is_last
        are_right = 1 <= smallest <= largest and n_before >= 0 and are_all
        for pairs in self.pairs:
            in_range = pairs.size == 0 or 0 <= pairs[0] <= pairs[-1] < n_before * self.n_tokens
            is_sorted = pairs.ndim == 1 and bool((pairs[1:] > pairs[:-1]).all())
            are_right &= pairs.dtype == np.int64 and is_sorted and bool(in_range)
            n_before = len(pairs)
        if not are_right:
            raise ValueError("the n-grams cannot be those of any texts")

    def names(self, token_names, separator):
        """Return the n-grams as strings, in the order of the columns."""
        smallest = self.ngram_range[0]
        level, names = token_names, []
        for n in range(1, len(self.pairs) + 2):
            if n > 1:
                prefixes, lasts = np.divmod(self.pairs[n - 2], self.n_tokens)
                pairs = zip(prefixes.tolist(), lasts.tolist(), strict=True)
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
    """Counts of character n-grams inside words, as with ``analyzer="char_wb"``.

    Words are padded with a space on both sides. Each distinct word is split into n-grams once;
    the counts of a text are the sum of the counts of its words. Padded words that are shorter
    than the shortest n-grams have no n-grams, whereas scikit-learn makes each of them an n-gram.
    Only the first LONGEST_WORD characters of a word are read, since a text without spaces may be
    of any size.

    Parameters
    ----------
    ngram_range : tuple of (int, int)
        Smallest and largest number of characters.

    Attributes
    ----------
    ngrams : TokenNGrams
        The n-grams, whose tokens are characters and whose texts are words.
    characters : dict of str to int
        The number of each character.
    """

    parameter = "char_ngram_range"

    def __init__(self, ngram_range):
        self.ngram_range = ngram_range
        self.ngrams = TokenNGrams(ngram_range)

    def fit_counts(self, texts):
        """Learn the n-grams inside the words of texts, and count them."""
        words, names = self._words(texts)
        tokens, self.characters = learn_tokens(map(_pad, names), str)
        return words @ self.ngrams.fit_counts(tokens, len(self.characters))

    def counts(self, texts):
        """Count the learned n-grams in texts."""
        words, names = self._words(texts)
        return words @ self.ngrams.counts(self._read_characters(names))

    def counts_of_one(self, text):
        """Return the row that `counts` returns for a single text, without a matrix.

        Returns
        -------
        columns, counts, ranks : ndarray of shape (n_found,)
            As in TokenNGrams.
        """
        words = sorted(Counter(text.split()).items())
        tokens = self._read_characters([name for name, _ in words])
        columns, begins = self.ngrams._find_all(tokens.numbers)
        if not len(columns):
            return columns, columns, columns
        keys = np.sort(columns * len(words) + tokens.texts[begins])
        columns, owners = np.divmod(keys, len(words))
        firsts = find_firsts(columns)
        n_words = np.array([count for _, count in words], dtype=np.int64)
        counts, columns = np.add.reduceat(n_words[owners], firsts), columns[firsts]
        # The product of sparse matrices in `counts` stores the columns of the first words last.
        return columns, counts, -(owners[firsts] * self.n_columns + columns)

    def find(self, numbers):
        """Find the learned n-grams in the numbers of characters, as TokenNGrams does."""
        return self.ngrams.find(numbers)

    def read_spans(self, text):
        """Return the characters of all words of a text and their positions in the text.

        Returns
        -------
        numbers : ndarray of shape (n_numbers,), int32
            The numbers of the characters, for `find`.
        spans : ndarray of shape (n_numbers, 2)
            Start and end of each character; they are equal for the spaces that pad words.
        """
        words = [match.span() for match in re.finditer(r"\S+", text)]
        tokens = self._read_characters([text[start:end] for start, end in words])
        edges = []
        for start, end in words:
            end = min(end, start + LONGEST_WORD)
            edges += [start, *range(start, end + 1), end]
        edges.append(0)  # no n-gram ends here
        return tokens.numbers, np.column_stack([edges[:-1], edges[1:]])

    def _read_characters(self, words):
        """Return the characters of padded words as Tokens whose texts are the words."""
        padded = [_pad(word) for word in words]
        # No word contains a line break, so it is UNKNOWN and separates words as END does.
        joined = read_tokens(["\n".join(padded)], str, self.characters)
        return Tokens(joined.numbers, np.array([len(word) for word in padded], dtype=np.int64))

    @property
    def n_columns(self):
        """Number of n-grams that are counted."""
        return self.ngrams.n_columns

    def keep(self, columns):
        """Remove the n-grams of other columns, and return the new numbers of these columns."""
        return self.ngrams.keep(columns)

    def _check_learned(self):
        """Raise ValueError unless `fit_counts` can have learned these attributes."""
        check_numbering(self.characters, self.ngrams.n_tokens)

    def _words(self, texts):
        """Return the count of each distinct word in each text, and the words."""
        tokens, numbers = learn_tokens(texts, str.split)
        shape = (len(tokens.lengths), len(numbers))
        words = count_pairs(tokens.texts, tokens.numbers, shape)
        return words, numbers

    def names(self):
        """Return the n-grams as strings, in the order of the columns."""
        return self.ngrams.names(list(self.characters), "")

    def name(self, column):
        """Return the n-gram of one column as a string."""
        return self.ngrams.name(column, list(self.characters), "")


def _pad(word):
    """Return the part of a word that is read, padded with spaces."""
    return f" {word[:LONGEST_WORD]} "
