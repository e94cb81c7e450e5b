"""Vectors of texts in memory, shared by all embedders of a process that give the same vectors."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np

from ._embedder import OpenEmbedder
from ._fingerprint import Fingerprint

BYTES_BESIDE = 200  # of a vector as an object of Python and its place in the cache, measured


class MemoryCache:
    """Vectors by text, of which those that were not asked for longest are dropped.

    Parameters
    ----------
    fingerprint : Fingerprint
        That of the embedder.
    folder : str or None
        Folder that has all these vectors too, if there is one.

    Attributes
    ----------
    lock : threading.RLock
        To be held while texts are embedded, so that no two threads embed the same text. Vectors
        that are known can be found meanwhile.
    """

    def __init__(self, fingerprint: Fingerprint, folder: str | None) -> None:
        self.fingerprint = fingerprint
        self.folder = folder
        self.renew_locks()
        self._vectors: OrderedDict[str, np.ndarray] = OrderedDict()
        self._n_bytes = 0

    def renew_locks(self) -> None:
        """Make new locks, in a forked process: another thread may have held the old ones."""
        self.lock = threading.RLock()
        self._change = threading.Lock()

    def __len__(self) -> int:
        return len(self._vectors)

    @property
    def n_bytes(self) -> int:
        """Memory of the texts and vectors, approximately."""
        return self._n_bytes

    def find(self, texts: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the known vectors among those of different texts."""
        with self._change:
            found = {text: self._vectors[text] for text in texts if text in self._vectors}
            for text in found:
                self._vectors.move_to_end(text)
        return found

    def add(self, vectors: dict[str, np.ndarray], max_bytes: float) -> None:
        """Keep copies of vectors, and drop others while the cache is larger than `max_bytes`."""
        with self._change:
            for text, vector in vectors.items():
                if text not in self._vectors:
                    self._vectors[text] = vector.copy()  # a row would hold the array of its chunk
                    self._n_bytes += _size(text, vector)
            while self._vectors and self._n_bytes > max_bytes:
                self._n_bytes -= _size(*self._vectors.popitem(last=False))

    def clear(self) -> None:
        """Drop all vectors."""
        with self._change:
            self._vectors.clear()
            self._n_bytes = 0


def _size(text: str, vector: np.ndarray) -> int:
    return sys.getsizeof(text) + vector.nbytes + BYTES_BESIDE


# A cache lives as long as an embedder that uses it, or a classifier that was fitted with it. Those
# that were used last live on: the candidates of a search and the tasks of a worker have copies of
# an embedder, one after another, and between two of them there may be none.
MAX_RECENT, MAX_RECENT_BYTES = 16, 2**29
_CACHES: weakref.WeakSet[MemoryCache] = weakref.WeakSet()
_HOLDERS: weakref.WeakKeyDictionary[Any, MemoryCache] = weakref.WeakKeyDictionary()
_RECENT: list[MemoryCache] = []
_registry_lock = threading.RLock()
# Raised by objects without hash, without weak references, or that compare as arrays do.
NO_KEY = (TypeError, ValueError)


def find_cache(model: OpenEmbedder, folder: str | None) -> MemoryCache:
    """Return the cache of all embedders with the same vectors and folder, or a new one."""
    cache = _find_held(model, folder)
    if cache is None:
        fingerprint = model.take_fingerprint()
    with _registry_lock:
        if cache is None:
            of_folder = [each for each in _CACHES if each.folder == folder]
            same = (each for each in of_folder if each.fingerprint.is_same(fingerprint))
            cache = next(same, None) or MemoryCache(fingerprint, folder)
        _CACHES.add(cache)
        _keep_recent(cache)
        with suppress(*NO_KEY):
            _HOLDERS[model.embedder] = cache
        return cache


def _find_held(model: OpenEmbedder, folder: str | None) -> MemoryCache | None:
    """Return the cache of this very object, unless it gives other vectors by now."""
    with _registry_lock, suppress(*NO_KEY):
        cache = _HOLDERS.get(model.embedder)
        if cache is not None and cache.folder == folder:
            found = Fingerprint("", model.probes)
            return cache if cache.fingerprint.has_vectors_of(found) else None
    return None


def _keep_recent(cache: MemoryCache) -> None:
    """Hold the caches that were used last, within a size."""
    _RECENT[:] = [cache, *(each for each in _RECENT if each is not cache)][:MAX_RECENT]
    while len(_RECENT) > 1 and sum(each.n_bytes for each in _RECENT) > MAX_RECENT_BYTES:
        _RECENT.pop()


def _renew_locks() -> None:
    """Make new locks in a forked process: another thread may have held the old ones."""
    global _registry_lock
    _registry_lock = threading.RLock()
    for cache in list(_CACHES):
        cache.renew_locks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
