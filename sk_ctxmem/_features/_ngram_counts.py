"""Counts of n-grams of tokens, in bounded memory, that can be merged with others."""

from dataclasses import dataclass

import numpy as np

LEFT_AFTER_FORGETTING = 0.5  # of the n-grams that are remembered, so that forgetting is rare
BITS_OF_LAST = 32  # a pair is the number of the beginning, then that of the last token


@dataclass
class Level:
    """The n-grams of one length, sorted by their keys.

    Parameters
    ----------
    keys : ndarray of shape (n_ngrams,), int64
        The number of a single token; else that of the n-gram without its last token among those
        one shorter, and the number of that token.
    n_texts, totals : ndarray of shape (n_ngrams,), int64
        Number of texts with it, and how often it stands there.
    missed : ndarray of shape (n_ngrams,), int64
        Number of texts with it that may not be among `n_texts`, at the most.
    """

    keys: np.ndarray
    n_texts: np.ndarray
    totals: np.ndarray
    missed: np.ndarray

    def __len__(self):
        return len(self.keys)

    def take(self, chosen):
        """Return some of the n-grams."""
        return Level(*(part[chosen] for part in self._parts()))

    def _parts(self):
        return self.keys, self.n_texts, self.totals, self.missed


def _empty_level(size=0, missed=0):
    none, before = np.zeros((3, size), dtype=np.int64), np.full(size, missed)
    return Level(none[0], none[1], none[2], before)


def _merge_levels(ours, theirs, bounds):
    """Merge n-grams of one length, the other ones in any order of their keys.

    Parameters
    ----------
    ours, theirs : Level
        N-grams, with keys that mean the same.
    bounds : tuple of (int, int)
        Number of texts that n-grams forgotten by either have at the most.

    Returns
    -------
    merged : Level
        The n-grams of both.
    places : tuple of two ndarray
        Where the n-grams of each are in it.
    """
    order = np.argsort(theirs.keys)
    keys = theirs.keys[order]
    before = np.searchsorted(ours.keys, keys)
    is_new = ~_stands_at(ours.keys, before, keys)
    inserted = np.cumsum(np.bincount(before[is_new], minlength=len(ours) + 1))
    our_places = np.arange(len(ours)) + inserted[: len(ours)]
    their_places = np.empty(len(keys), dtype=np.int64)
    their_places[order] = before + np.cumsum(is_new) - is_new
    size = len(ours) + int(is_new.sum())
    merged = _empty_level(size, sum(bounds))
    for part, places, bound in zip((ours, theirs), (our_places, their_places), bounds, strict=True):
        merged.keys[places] = part.keys
        merged.n_texts[places] += part.n_texts
        merged.totals[places] += part.totals
        merged.missed[places] += part.missed - bound
    return merged, (our_places, their_places)


def _stands_at(keys, places, wanted):
    """Return whether each key stands at its place of sorted keys."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=bool)
    return keys[np.minimum(places, len(keys) - 1)] == wanted


class NGramCounts:
    """Counts of one kind of n-grams of tokens; at most so many are remembered.

    Where there are more, those of the fewest texts are forgotten (lossy counting). One that is
    forgotten and comes again may have been in `forgotten` texts before, at the most: all n-grams
    in more texts than that are here, and the count of none is lower by more.

    Parameters
    ----------
    smallest : int
        Length of the shortest n-grams that are wanted; of shorter ones, single tokens are
        counted, and the others only carry longer ones.
    tokens : iterable of str
        The tokens.
    levels : list of Level
        The n-grams of each length, from 1.
    forgotten : int, default=0
        Largest number of texts that a forgotten n-gram may have.

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
        """Tell whether n-grams of this length are counted for themselves."""
        return n == 1 or n >= self.smallest

    def merge(self, other):
        """Take over the counts of other texts."""
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
        """Forget the n-grams of the fewest texts if there are more than `most`."""
        if len(self) <= most:
            return
        n_left = int(LEFT_AFTER_FORGETTING * most)
        levels = [level for n, level in enumerate(self.levels, 1) if self._counts(n)]
        n_texts = np.concatenate([_bound(level) for level in levels])
        place = len(n_texts) - n_left - 1
        self.forget(int(np.partition(n_texts, place)[place]))

    def forget(self, n_texts):
        """Forget all n-grams that are in at most `n_texts` texts."""
        self.forgotten = max(self.forgotten, n_texts)
        wanted = [
            (_bound(level) > n_texts) & self._counts(n) for n, level in enumerate(self.levels, 1)
        ]
        for n in range(len(wanted), 1, -1):
            beginnings, lasts = _split(self.levels[n - 1].keys[wanted[n - 1]])
            wanted[n - 2][beginnings] = True
            wanted[0][lasts] = True
        self._keep(wanted)

    def _keep(self, wanted):
        """Keep the n-grams of each length that are wanted, with what they begin with."""
        ranks = [np.cumsum(level) - 1 for level in wanted]
        names = [token for token, kept in zip(self.tokens, wanted[0].tolist(), strict=True) if kept]
        self.tokens = {token: number for number, token in enumerate(names)}
        levels = [level.take(kept) for level, kept in zip(self.levels, wanted, strict=True)]
        self.levels = [_with_keys(levels[0], np.arange(len(names)))]
        for n, level in enumerate(levels[1:], start=2):
            self.levels.append(_renumber(level, ranks[n - 2], ranks[0]))

    def in_order(self):
        """Return the same counts with tokens numbered in the order of their strings."""
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

    def hand_over(self, ngrams):
        """Have `ngrams`, of the class TokenNGrams, know these n-grams; tokens are in order."""
        ngrams.n_tokens, ngrams.pairs = len(self.tokens), []
        for level in self.levels[1:]:
            beginnings, lasts = _split(level.keys)
            ngrams.pairs.append(beginnings * ngrams.n_tokens + lasts)
            if not len(level):  # and no longer ones
                break

    def wanted(self, part):
        """Return `n_texts` or `totals` of the n-grams that are wanted, by length and key."""
        parts = [getattr(level, part) for level in self.levels[self.smallest - 1 :]]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _level(counts, n):
    return counts.levels[n - 1] if n <= len(counts.levels) else _empty_level()


def _bound(level):
    """Return the number of texts that n-grams are in, at the most."""
    return level.n_texts + level.missed


def _split(keys):
    return keys >> BITS_OF_LAST, keys & (2**BITS_OF_LAST - 1)


def _with_keys(level, keys):
    return Level(keys, level.n_texts, level.totals, level.missed)


def _renumber(level, beginnings, tokens):
    """Change keys to the new numbers of beginnings and tokens; None leaves them."""
    before, lasts = _split(level.keys)
    before = before if beginnings is None else beginnings[before]
    lasts = lasts if tokens is None else tokens[lasts]
    return _with_keys(level, (before << BITS_OF_LAST) | lasts)


def _invert(order):
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def count_ngrams(ngrams, tokens, counts, token_texts):
    """Return the counts of one chunk.

    Parameters
    ----------
    ngrams : TokenNGrams
        What has learned the n-grams of the chunk.
    tokens : iterable of str
        The tokens by their numbers.
    counts : csr_array of shape (n_texts, n_ngrams)
        How often each n-gram stands in each text.
    token_texts : ndarray of shape (n_tokens,)
        Number of texts of each token.
    """
    n_texts = np.bincount(counts.indices, minlength=counts.shape[1])
    totals = np.bincount(counts.indices, counts.data, minlength=counts.shape[1]).astype(np.int64)
    n_tokens, smallest = ngrams.n_tokens, ngrams.ngram_range[0]
    levels, first = [], 0
    for n in range(1, len(ngrams.pairs) + 2):
        keys = np.arange(n_tokens)
        if n > 1:
            beginnings, lasts = np.divmod(ngrams.pairs[n - 2], n_tokens)
            keys = (beginnings << BITS_OF_LAST) | lasts
        none = np.zeros(len(keys), dtype=np.int64)
        if n >= smallest:
            part = slice(first, first + len(keys))
            level, first = Level(keys, n_texts[part], totals[part], none), part.stop
        else:
            level = Level(keys, token_texts if n == 1 else none, none, none)
        levels.append(level)
    return NGramCounts(smallest, tokens, levels)
