"""Vectors of texts in memory, shared by all embedders of a process that give the same vectors."""

from __future__ import annotations

import os
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np

from ._embedder import Fingerprint

BYTES_BESIDE = 200  # of a text and its vector as objects of Python


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
        To be held while texts are embedded, so that no two threads embed the same text.
    """

    def __init__(self, fingerprint: Fingerprint, folder: str | None) -> None:
        self.fingerprint = fingerprint
        self.folder = folder
        self.lock = threading.RLock()
        self._vectors: OrderedDict[str, np.ndarray] = OrderedDict()
        self._n_bytes = 0

    def __len__(self) -> int:
        return len(self._vectors)

    def __bool__(self) -> bool:
        return True

    @property
    def n_bytes(self) -> int:
        """Memory of the texts and vectors, approximately."""
        return self._n_bytes

    def find(self, texts: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the known vectors among those of different texts."""
        with self.lock:
            found = {text: self._vectors[text] for text in texts if text in self._vectors}
            for text in found:
                self._vectors.move_to_end(text)
        return found

    def add(self, vectors: dict[str, np.ndarray], max_bytes: float) -> None:
        """Keep vectors, and drop others while the cache is larger than `max_bytes`."""
        with self.lock:
            for text, vector in vectors.items():
                if text not in self._vectors:
                    self._vectors[text] = vector
                    self._n_bytes += _size(text, vector)
            while self._vectors and self._n_bytes > max_bytes:
                self._n_bytes -= _size(*self._vectors.popitem(last=False))

    def clear(self) -> None:
        """Drop all vectors."""
        with self.lock:
            self._vectors.clear()
            self._n_bytes = 0


def _size(text: str, vector: np.ndarray) -> int:
    return len(text) + vector.nbytes + BYTES_BESIDE


# A cache lives as long as an embedder that uses it, or a classifier that was fitted with it. The
# one that was used last lives on: the candidates of a search and the tasks of a worker have copies
# of an embedder, one after another, and between two of them there may be none.
_CACHES: weakref.WeakSet[MemoryCache] = weakref.WeakSet()
_HOLDERS: weakref.WeakKeyDictionary[Any, MemoryCache] = weakref.WeakKeyDictionary()
_LAST: deque[MemoryCache] = deque(maxlen=1)
_registry_lock = threading.Lock()


def find_cache(embedder: Any, fingerprint: Fingerprint, folder: str | None) -> MemoryCache:
    """Return the cache of all embedders with the same vectors and folder, or a new one."""
    with _registry_lock:
        of_folder = [cache for cache in _CACHES if cache.folder == folder]
        same = (cache for cache in of_folder if cache.fingerprint.is_same(fingerprint))
        cache = next(same, None) or MemoryCache(fingerprint, folder)
        _CACHES.add(cache)
        _LAST.append(cache)
        with suppress(TypeError):  # an object without hash, or to which nothing can refer weakly
            _HOLDERS[embedder] = cache
        return cache


def _renew_locks() -> None:
    """Make new locks in a forked process: another thread may have held the old ones."""
    global _registry_lock
    _registry_lock = threading.Lock()
    for cache in list(_CACHES):
        cache.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
