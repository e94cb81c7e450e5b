"""Counts of n-grams in bounded memory, which can be merged."""

from dataclasses import dataclass

import numpy as np

LEFT_AFTER_FORGETTING = 0.5  # share of the limit that is kept, so that pruning is rare
BITS_OF_LAST = 32  # the low bits of a key hold the last token, the high bits the prefix


@dataclass
class Level:
    """The n-grams of one length, sorted by their keys.

    Parameters
    ----------
    keys : ndarray of shape (n_ngrams,), int64
        The number of a single token; for longer n-grams the index of the prefix, which is the
        n-gram without its last token, in its level, and the number of the last token.
    n_texts, totals : ndarray of shape (n_ngrams,), int64
        Number of texts that contain each n-gram, and number of its occurrences.
    missed : ndarray of shape (n_ngrams,), int64
        Largest number of texts by which `n_texts` may be too low.
    """

    keys: np.ndarray
    n_texts: np.ndarray
    totals: np.ndarray
    missed: np.ndarray

    def __len__(self):
        return len(self.keys)

    def take(self, chosen):
        """Return a selection of the n-grams."""
        return Level(*(array[chosen] for array in self.arrays()))

    def arrays(self):
        """Return the arrays in the order of the parameters."""
        return self.keys, self.n_texts, self.totals, self.missed


def _zero_level(size=0, missed=0):
    zeros = np.zeros((3, size), dtype=np.int64)
    return Level(zeros[0], zeros[1], zeros[2], np.full(size, missed))


def _merge_levels(ours, theirs, bounds):
    """Merge two levels of n-grams of the same length.

    Parameters
    ----------
    ours, theirs : Level
        N-grams whose keys use the same numbers; those of `theirs` need not be sorted.
    bounds : tuple of (int, int)
        Largest number of texts of a pruned n-gram, for each level.

    Returns
    -------
    merged : Level
        The n-grams of both.
    indices : tuple of two ndarray
        The index in `merged` of each n-gram of `ours` and of `theirs`.
    """
    order = np.argsort(theirs.keys)
    keys = theirs.keys[order]
    before = np.searchsorted(ours.keys, keys)
    is_new = ~_holds_at(ours.keys, before, keys)
    inserted = np.cumsum(np.bincount(before[is_new], minlength=len(ours) + 1))
    our_indices = np.arange(len(ours)) + inserted[: len(ours)]
    their_indices = np.empty(len(keys), dtype=np.int64)
    their_indices[order] = before + np.cumsum(is_new) - is_new
    size = len(ours) + int(is_new.sum())
    merged = _zero_level(size, sum(bounds))
    indices = our_indices, their_indices
    for level, at, bound in zip((ours, theirs), indices, bounds, strict=True):
        merged.keys[at] = level.keys
        merged.n_texts[at] += level.n_texts
        merged.totals[at] += level.totals
        merged.missed[at] += level.missed - bound
    return merged, indices


def _holds_at(keys, indices, wanted):
    """Return whether the sorted keys hold each wanted key at its index."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=bool)
    return keys[np.minimum(indices, len(keys) - 1)] == wanted


class NGramCounts:
    """Counts of n-grams of tokens, of which only a limited number is kept (lossy counting).

    If there are more, the n-grams that occur in the fewest texts are pruned. A pruned n-gram that
    occurs again may have occurred in up to `forgotten` texts before. So all n-grams that occur in
    more than `forgotten` texts are kept, and no count is too low by more than `forgotten`.

    Parameters
    ----------
    smallest : int
        Length of the shortest n-grams that become features. Of shorter n-grams, single tokens
        are counted; the others are kept only as prefixes of longer n-grams.
    tokens : iterable of str
        The tokens.
    levels : list of Level
        The n-grams of each length, from 1.
    forgotten : int, default=0
        Largest number of texts in which a pruned n-gram may have occurred.

    References
    ----------
    Manku, G. and Motwani, R. (2002). Approximate frequency counts over data streams. VLDB 2002.
    """

    def __init__(self, smallest, tokens, levels, forgotten=0):
        self.smallest = smallest
        self.tokens = {token: number for number, token in enumerate(tokens)}
        self.levels = levels
        self.forgotten = forgotten

    def __len__(self):
        return sum(len(level) for n, level in enumerate(self.levels, 1) if self._counts(n))

    def _counts(self, n):
        """Return whether n-grams of this length are counted, and not only kept as prefixes."""
        return n == 1 or n >= self.smallest

    def merge(self, other):
        """Add the counts of other texts."""
        numbers = self.tokens
        tokens = [numbers.setdefault(token, len(numbers)) for token in other.tokens]
        their_tokens = np.array(tokens, dtype=np.int64)
        bounds = (self.forgotten, other.forgotten)
        ours = theirs = None
        merged: list[Level] = []
        for n in range(1, max(len(self.levels), len(other.levels)) + 1):
            our_level, their_level = _level(self, n), _level(other, n)
            if n == 1:
                their_level = _with_keys(their_level, their_tokens)
            else:
                our_level = _renumber(our_level, ours, None)
                their_level = _renumber(their_level, theirs, their_tokens)
            level, (ours, theirs) = _merge_levels(our_level, their_level, bounds)
            merged.append(level)
        self.levels, self.forgotten = merged, sum(bounds)

    def limit(self, most):
        """Prune the n-grams that occur in the fewest texts if there are more than `most`."""
        if len(self) <= most:
            return
        n_left = int(LEFT_AFTER_FORGETTING * most)
        levels = [level for n, level in enumerate(self.levels, 1) if self._counts(n)]
        n_texts = np.concatenate([_bound(level) for level in levels])
        rank = len(n_texts) - n_left - 1
        self.forget(int(np.partition(n_texts, rank)[rank]))

    def forget(self, n_texts):
        """Prune all n-grams that occur in at most `n_texts` texts."""
        self.forgotten = max(self.forgotten, n_texts)
        wanted = [
            (_bound(level) > n_texts) & self._counts(n) for n, level in enumerate(self.levels, 1)
        ]
        for n in range(len(wanted), 1, -1):
            prefixes, lasts = _split(self.levels[n - 1].keys[wanted[n - 1]])
            wanted[n - 2][prefixes] = True
            wanted[0][lasts] = True
        self._keep(wanted)

    def _keep(self, wanted):
        """Keep the wanted n-grams of each length; prefixes of wanted n-grams must be wanted."""
        ranks = [np.cumsum(level) - 1 for level in wanted]
        names = [token for token, kept in zip(self.tokens, wanted[0].tolist(), strict=True) if kept]
        self.tokens = {token: number for number, token in enumerate(names)}
        levels = [level.take(kept) for level, kept in zip(self.levels, wanted, strict=True)]
        self.levels = [_with_keys(levels[0], np.arange(len(names)))]
        for n, level in enumerate(levels[1:], start=2):
            self.levels.append(_renumber(level, ranks[n - 2], ranks[0]))

    def in_order(self):
        """Return the same counts, with tokens numbered in the order of their strings."""
        names = sorted(self.tokens)
        order = np.array([self.tokens[name] for name in names], dtype=np.int64)
        tokens = ranks = _invert(order)
        levels = [_with_keys(self.levels[0].take(order), np.arange(len(order)))]
        for level in self.levels[1:]:
            level = _renumber(level, ranks, tokens)
            order = np.argsort(level.keys)
            ranks = _invert(order)
            levels.append(level.take(order))
        return NGramCounts(self.smallest, names, levels, self.forgotten)

    def copy_to(self, ngrams):
        """Set the n-grams of TokenNGrams to these; call it on the result of `in_order`."""
        ngrams.n_tokens, ngrams.pairs = len(self.tokens), []
        for level in self.levels[1:]:
            prefixes, lasts = _split(level.keys)
            ngrams.pairs.append(prefixes * ngrams.n_tokens + lasts)
            if not len(level):  # there are no longer n-grams
                break

    def wanted(self, name):
        """Return `n_texts` or `totals` of the n-grams that become features, by length and key."""
        arrays = [getattr(level, name) for level in self.levels[self.smallest - 1 :]]
        return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int64)


def _level(counts, n):
    return counts.levels[n - 1] if n <= len(counts.levels) else _zero_level()


def _bound(level):
    """Return the largest possible number of texts of each n-gram."""
    return level.n_texts + level.missed


def _split(keys):
    """Return the prefixes and last tokens of keys."""
    return keys >> BITS_OF_LAST, keys & (2**BITS_OF_LAST - 1)


def _with_keys(level, keys):
    return Level(keys, level.n_texts, level.totals, level.missed)


def _renumber(level, new_prefixes, new_tokens):
    """Replace prefixes and tokens in the keys by their new numbers; None keeps the numbers."""
    prefixes, lasts = _split(level.keys)
    prefixes = prefixes if new_prefixes is None else new_prefixes[prefixes]
    lasts = lasts if new_tokens is None else new_tokens[lasts]
    return _with_keys(level, (prefixes << BITS_OF_LAST) | lasts)


def _invert(order):
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def count_ngrams(ngrams, tokens, counts, token_texts):
    """Return the counts of one chunk of texts.

    Parameters
    ----------
    ngrams : TokenNGrams
        The n-grams of the chunk.
    tokens : iterable of str
        The tokens in the order of their numbers.
    counts : csr_array of shape (n_texts, n_ngrams)
        Number of occurrences of each n-gram in each text.
    token_texts : ndarray of shape (n_tokens,) or None
        Number of texts that contain each token; None if single tokens are features.
    """
    n_texts = np.bincount(counts.indices, minlength=counts.shape[1])
    totals = np.bincount(counts.indices, counts.data, minlength=counts.shape[1]).astype(np.int64)
    n_tokens, smallest = ngrams.n_tokens, ngrams.ngram_range[0]
    levels, first = [], 0
    for n in range(1, len(ngrams.pairs) + 2):
        keys = np.arange(n_tokens)
        if n > 1:
            prefixes, lasts = np.divmod(ngrams.pairs[n - 2], n_tokens)
            keys = (prefixes << BITS_OF_LAST) | lasts
        zeros = np.zeros(len(keys), dtype=np.int64)
        if n >= smallest:
            columns = slice(first, first + len(keys))
            level, first = Level(keys, n_texts[columns], totals[columns], zeros), columns.stop
        else:
            level = Level(keys, token_texts if n == 1 else zeros, zeros, zeros)
        levels.append(level)
    return NGramCounts(smallest, tokens, levels)
