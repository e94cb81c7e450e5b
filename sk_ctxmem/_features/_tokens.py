"""Tokens of texts as numbers."""

from array import array
from collections import defaultdict
from itertools import repeat

import numpy as np

from ._csr import count_pairs

UNKNOWN = -1
END = -2  # follows the last token of each text, so that no n-gram continues into the next text


class Tokens:
    """The tokens of all texts as numbers, text after text.

    Parameters
    ----------
    numbers : ndarray of shape (n_tokens + n_texts,), int32
        The number of each token, UNKNOWN for tokens that were not seen in training, and END
        after each text.
    lengths : ndarray of shape (n_texts,), int64
        Number of tokens of each text.
    """

    def __init__(self, numbers, lengths):
        self.numbers = numbers
        self.lengths = lengths

    @property
    def n_tokens(self):
        """Number of tokens of all texts."""
        return len(self.numbers) - len(self.lengths)

    @property
    def texts(self):
        """Index of the text of each number."""
        return np.repeat(np.arange(len(self.lengths), dtype=np.int32), self.lengths + 1)

    def without_ends(self):
        """Return the numbers of the tokens, without END."""
        return self.numbers[self.numbers != END]


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
        The number of each token, from 0.
    """
    found: defaultdict = defaultdict()
    found.default_factory = found.__len__
    tokens = _read(texts, tokenize, lambda names: map(found.__getitem__, names))
    names = sorted(found)
    rank = np.empty(len(names) - END, dtype=np.int32)
    rank[[found[name] for name in names]] = np.arange(len(names))
    rank[END] = END
    tokens.numbers = rank[tokens.numbers]
    return tokens, {name: number for number, name in enumerate(names)}


def read_tokens(texts, tokenize, numbers):
    """Return the tokens of texts, with the numbers that were learned."""
    return _read(texts, tokenize, lambda names: map(numbers.get, names, repeat(UNKNOWN)))


def _read(texts, tokenize, number):
    flat, lengths = array("i"), array("q")
    for text in texts:
        names = tokenize(text)
        flat.extend(number(names))
        flat.append(END)
        lengths.append(len(names))
    return Tokens(np.array(flat, dtype=np.int32), np.array(lengths, dtype=np.int64))


def count_texts(tokens, n_tokens):
    """Return the number of texts that contain each token."""
    counts = count_pairs(tokens.texts, tokens.numbers, (len(tokens.lengths), n_tokens))
    return np.bincount(counts.indices, minlength=n_tokens)


def check_numbering(numbers, n_tokens):
    """Raise ValueError unless tokens are numbered from 0, without gaps."""
    if len(numbers) != n_tokens or list(numbers.values()) != list(range(n_tokens)):
        raise ValueError("the tokens are not numbered from 0 without gaps")
