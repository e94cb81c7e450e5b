"""Counts of n-grams, made from numbers instead of strings.

The counts are those of scikit-learn's CountVectorizer, which joins each n-gram to a string and
looks that up in a dict: most of the time of a fit on short texts. Here each token is looked up
once, and an n-gram is a pair of numbers: that of its first n - 1 tokens, and its last token's.
"""

from array import array
from collections import defaultdict
from itertools import repeat

import numpy as np
import pandas as pd
from scipy import sparse

from ._csr import squared_norms

UNKNOWN = -1
LONGEST_WORD = 1000  # characters that n-grams inside a word are made of: more are no word


class Tokens:
    """The tokens of all texts as numbers, text after text.

    Parameters
    ----------
    numbers : ndarray of shape (n_tokens,), int32
        Number of each token, UNKNOWN for one that was not seen in training.
    lengths : ndarray of shape (n_texts,), int64
        Number of tokens of each text.
    """

    def __init__(self, numbers, lengths):
        self.numbers = numbers
        self.lengths = lengths

    @property
    def texts(self):
        """Number of the text that each token stands in."""
        return np.repeat(np.arange(len(self.lengths), dtype=np.int32), self.lengths)


def learn_tokens(texts, tokenize):
    """Learn the tokens of texts, and number them in the order of their strings.

    Parameters
    ----------
    texts : iterable of str
        The texts.
    tokenize : callable
        Splits a text into a sequence of str.

    Returns
    -------
    tokens : Tokens
        The tokens of the texts.
    numbers : dict of str to int
        Number of each token, from 0.
    """
    found: defaultdict = defaultdict()
    found.default_factory = found.__len__
    tokens = _read(texts, tokenize, lambda names: map(found.__getitem__, names))
    names = sorted(found)
    rank = np.empty(len(names), dtype=np.int32)
    rank[[found[name] for name in names]] = np.arange(len(names))
    tokens.numbers = rank[tokens.numbers]
    return tokens, {name: number for number, name in enumerate(names)}


def read_tokens(texts, tokenize, numbers):
    """Return the tokens of texts by the numbers that were learned."""
    return _read(texts, tokenize, lambda names: map(numbers.get, names, repeat(UNKNOWN)))


def _read(texts, tokenize, number):
    flat, lengths = array("i"), array("q")
    for text in texts:
        names = tokenize(text)
        flat.extend(number(names))
        lengths.append(len(names))
    return Tokens(np.array(flat, dtype=np.int32), np.array(lengths, dtype=np.int64))


def count_texts(tokens, n_tokens):
    """Return the number of texts that each token stands in."""
    counts = _count_pairs(tokens.texts, tokens.numbers, (len(tokens.lengths), n_tokens))
    return np.bincount(counts.indices, minlength=n_tokens)


def check_numbering(numbers, n_tokens):
    """Raise ValueError unless tokens are numbered from 0, without gaps."""
    if len(numbers) != n_tokens or list(numbers.values()) != list(range(n_tokens)):
        raise ValueError("the tokens are not numbered from 0, one after another")


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
        return _count_pairs(np.concatenate(rows), np.concatenate(columns), shape)

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
        words = _count_pairs(tokens.texts, tokens.numbers, shape)
        return words, [f" {name[:LONGEST_WORD]} " for name in numbers]

    def names(self):
        """Return the n-grams in the order of the columns."""
        return self.ngrams.names(list(self.characters), "")

    def name(self, column):
        """Return the n-gram of one column."""
        return self.ngrams.name(column, list(self.characters), "")


def _count_pairs(rows, columns, shape):
    """Count pairs of a row and a column; a column UNKNOWN does not count."""
    known = columns >= 0
    if not known.all():
        rows, columns = rows[known], columns[known]
    ones = np.ones(len(columns), dtype=np.float32)
    return sparse.coo_array((ones, (rows, columns)), shape=shape).tocsr()


def frequent_columns(n_texts, totals, min_df, max_features):
    """Choose the n-grams that stand in enough texts and, of these, the most frequent.

    Parameters
    ----------
    n_texts, totals : ndarray of shape (n_ngrams,)
        Number of texts with each n-gram, and how often it stands there.
    min_df : int
        Number of texts that an n-gram must stand in.
    max_features : int or None
        Largest number of n-grams; of equally frequent ones the first are kept.

    Returns
    -------
    columns : ndarray of shape (n_columns,) or None
        The chosen columns in their order, None for all of them.
    """
    if min_df <= 1 and (max_features is None or max_features >= len(n_texts)):
        return None
    columns = np.flatnonzero(n_texts >= min_df)
    if max_features is not None:
        columns = np.sort(columns[np.argsort(-totals[columns], kind="stable")[:max_features]])
    return columns


def inverse_frequencies(n_texts, n_all):
    """Return the weights of n-grams that stand in so many of all texts, as scikit-learn's."""
    return np.log(np.float32(n_all + 1) / (n_texts.astype(np.float32) + 1)) + np.float32(1)


class WeightedNGrams:
    """TF-IDF weights of counted n-grams, with sublinear counts.

    Parameters
    ----------
    counter : TokenNGrams or InsideNGrams
        Counts the n-grams.
    min_df, max_features : int
        As in TextSequenceVectorizer.
    """

    def __init__(self, counter, min_df, max_features):
        self.counter = counter
        self.min_df = min_df
        self.max_features = max_features

    def fit_transform(self, *inputs):
        """Learn n-grams and their weights from what the counter takes, and weight it."""
        counts = self.counter.fit_counts(*inputs)
        n_texts = np.bincount(counts.indices, minlength=counts.shape[1])
        totals = n_texts
        if self.max_features is not None:
            totals = np.bincount(counts.indices, counts.data, minlength=counts.shape[1])
        columns = self.learn(n_texts, totals, counts.shape[0])
        return self._weight(counts if columns is None else counts[:, columns])

    def learn(self, n_texts, totals, n_all):
        """Choose among the n-grams of the counter, and learn their weights.

        Parameters
        ----------
        n_texts, totals : ndarray of shape (n_ngrams,)
            Number of texts with each n-gram, and how often it stands there.
        n_all : int
            Number of all texts.

        Returns
        -------
        columns : ndarray of shape (n_columns,) or None
            Those that were chosen, None for all of them.
        """
        if not len(n_texts):
            raise ValueError(
                f"{self.counter.parameter}={self.counter.ngram_range!r} leaves no n-gram: all "
                "texts of X are shorter than that; lower it."
            )
        columns = frequent_columns(n_texts, totals, self.min_df, self.max_features)
        if columns is not None and not len(columns):
            raise ValueError(
                f"min_df={self.min_df!r} leaves no n-gram: none stands in that many of the "
                f"{n_all} texts of X; lower it."
            )
        self.columns = None if columns is None else self.counter.keep(columns)
        self.idf = inverse_frequencies(n_texts if columns is None else n_texts[columns], n_all)
        return columns

    def transform(self, *inputs):
        """Weight what the counter takes."""
        counts = self.counter.counts(*inputs)
        return self._weight(counts if self.columns is None else counts[:, self.columns])

    def _weight(self, counts):
        """Turn counts into weights in place: what TfidfTransformer does, without its checks."""
        counts.data = (np.log(counts.data) + 1) * self.idf[counts.indices]
        norms = np.sqrt(squared_norms(counts.data, counts.indptr)).astype(np.float32)
        counts.data /= np.repeat(norms, np.diff(counts.indptr))
        return counts

    def _check_learned(self):
        """Raise ValueError unless this is what `fit_transform` can have learned."""
        n_columns = self.counter.n_columns
        kept = self.columns
        if kept is not None:
            inside = kept.size == 0 or 0 <= kept.min() <= kept.max() < n_columns
            if kept.ndim != 1 or kept.dtype.kind != "i" or not inside:
                raise ValueError("the columns that were kept are none of those there are")
            n_columns = len(kept)
        if self.idf.shape != (n_columns,) or not np.isfinite(self.idf).all():
            raise ValueError("the weights of the n-grams are not one finite number for each")

    def names(self, *arguments):
        """Return the n-grams that were kept, in the order of the columns."""
        names = np.array(self.counter.names(*arguments), dtype=object)
        return names if self.columns is None else names[self.columns]

    def name(self, column, *arguments):
        """Return the n-gram of one column."""
        kept = column if self.columns is None else int(self.columns[column])
        return self.counter.name(kept, *arguments)
