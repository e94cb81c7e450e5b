"""The n-grams of one text, without the matrices that many texts need.

A turn of a live conversation is one text, and most of the time of making its features would go
into scipy's checks. What comes out is, bit for bit, what `_ngrams` makes of it.
"""

from collections import Counter
from itertools import repeat

import numpy as np

from ._csr import find_firsts, squared_norms
from ._ngrams import LONGEST_WORD
from ._tokens import UNKNOWN


def weigh_one(numbers, text, ngrams, inside):
    """Return the weighted n-grams of one text.

    Parameters
    ----------
    numbers : ndarray of shape (n_tokens,), int32
        Numbers of its tokens.
    text : str
        The text.
    ngrams : WeightedNGrams
        Has learned n-grams of tokens, by TokenNGrams.
    inside : WeightedNGrams or None
        Has learned n-grams of characters, by InsideNGrams.

    Returns
    -------
    columns : ndarray of shape (n_found,), int32
        Columns of the n-grams of the text that were learned, sorted.
    values : ndarray of shape (n_found,), float32
        Their weights.
    """
    columns, values = _weigh_tokens(ngrams, numbers)
    if inside is not None:
        more_columns, more_values = _weigh_inside(inside, text)
        columns = np.concatenate([columns, more_columns + len(ngrams.idf)])
        values = np.concatenate([values, more_values])
    return columns.astype(np.int32), values


def _weigh_tokens(weighted, numbers):
    """Return columns, sorted, and weights of the n-grams of tokens."""
    columns, _ = _find(weighted.counter, numbers)
    columns.sort()
    firsts = find_firsts(columns)
    counts = np.append(firsts[1:], len(columns)) - firsts
    columns = columns[firsts]
    return _weigh(weighted, columns, counts, columns)


def _weigh_inside(weighted, text):
    """Return columns, sorted, and weights of the n-grams inside words."""
    counter, words = weighted.counter, sorted(Counter(text.split()).items())
    numbers, owners = _read_characters(counter.characters, [name for name, _ in words])
    columns, begins = _find(counter.ngrams, numbers)
    if not len(columns):
        return columns, np.empty(0, dtype=np.float32)
    columns, owners = np.divmod(np.sort(columns * len(words) + owners[begins]), len(words))
    firsts = find_firsts(columns)
    n_words = np.array([count for _, count in words], dtype=np.int64)
    counts, columns = np.add.reduceat(n_words[owners], firsts), columns[firsts]
    # what a product of sparse matrices has last: columns of the first words
    places = -(owners[firsts] * counter.n_columns + columns)
    return _weigh(weighted, columns, counts, places)


def _read_characters(known, words):
    """Return the number of each character, UNKNOWN after each word, and the word that it is in."""
    numbers: list[int] = []
    lengths = []
    for word in words:
        spelled = f" {word[:LONGEST_WORD]} "
        numbers += map(known.get, spelled, repeat(UNKNOWN))
        numbers.append(UNKNOWN)  # so that no n-gram goes on into the next word
        lengths.append(len(spelled) + 1)
    owners = np.repeat(np.arange(len(words)), lengths)
    return np.array(numbers, dtype=np.int32), owners


def _find(counter, numbers):
    """Return the column of each n-gram that was learned, and the token that it begins with."""
    smallest = counter.ngram_range[0]
    longest = 1 + len(counter.pairs)  # that was learned: the range may have no end
    numbers = np.concatenate([numbers, np.full(longest, UNKNOWN)])  # int64
    begins = np.flatnonzero(numbers >= 0)
    ngrams, n_before = numbers[begins], 0
    columns, places = [], []
    for n, pairs in enumerate([None, *counter.pairs], start=1):
        if pairs is not None:
            begins, ngrams = _lengthen(begins, ngrams, numbers[begins + n - 1], pairs, counter)
        if n >= smallest:
            columns.append(ngrams + n_before)
            places.append(begins)
            n_before += counter.n_tokens if pairs is None else len(pairs)
    if not columns:  # all texts of fit were shorter than n
        return begins[:0], begins[:0]
    return np.concatenate(columns), np.concatenate(places)


def _lengthen(begins, ngrams, lasts, pairs, counter):
    """Return those n-grams that the next token makes one that was learned, and where they begin."""
    known = lasts >= 0
    begins, wanted = begins[known], ngrams[known] * counter.n_tokens + lasts[known]
    if not len(pairs):
        return begins[:0], begins[:0]
    found = pairs.searchsorted(wanted)
    known = pairs.take(found, mode="clip") == wanted
    return begins[known], found[known]


def _weigh(weighted, columns, counts, places):
    """Return the columns that were kept, and the weights of their counts.

    Parameters
    ----------
    weighted : WeightedNGrams
        Knows the columns that were kept, and their weights.
    columns, counts : ndarray of shape (n_ngrams,)
        Columns and counts of n-grams.
    places : ndarray of shape (n_ngrams,)
        The order in which the norm is summed up, to the last bit.
    """
    if weighted.columns is not None:
        found = weighted.columns.searchsorted(columns)
        kept = weighted.columns.take(found, mode="clip") == columns
        columns, counts, places = found[kept], counts[kept], places[kept]
    values = (np.log(counts.astype(np.float32)) + 1) * weighted.idf[columns]
    squares = squared_norms(values[np.argsort(places)], np.array([0, len(values)]))
    return columns, values / np.sqrt(squares).astype(np.float32)
