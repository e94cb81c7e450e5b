"""CachedEmbedder, which embeds each text once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone

from .._input._parameters import Number, check_folder
from .._input._rows import check_texts
from ._embedder import OpenEmbedder, check_embedder, is_learned
from ._fingerprint import Fingerprint
from ._memory_cache import MemoryCache, find_cache

if TYPE_CHECKING:
    from ._disk_cache import DiskCache

TEXTS_AT_ONCE = 1024  # texts that are embedded before they are stored
MAX_BYTES = 2**29
_BYTES = Number(Integral, 0, np.inf, MAX_BYTES)


class CachedEmbedder(TransformerMixin, BaseEstimator):
    """Embedder that embeds each text once, and keeps the vectors in memory and in a folder.

    The classifier wraps its `embedder` in one of these. Make one yourself to keep the vectors on
    disk, for later runs and for other processes, or to change the size of the cache.

    All embedders of a process that give the same vectors share the vectors in memory: those of all
    folds, of all candidates of a search, and of predictions. Vectors are found by text and by a
    fingerprint of the embedder, its vectors of a few short texts.

    Parameters
    ----------
    embedder : object
        A transformer of scikit-learn that is fitted or stateless, an object with a method `encode`
        (SentenceTransformer, StaticModel of model2vec) or `embed` (fastembed), or a function from a
        list of str to an array of shape (n_texts, width).

    folder : str, path-like or None, default=None
        Folder in which vectors are kept, in a file of SQLite. Processes can share it: while one
        embeds a text, others wait for its vector. Not for network drives, where SQLite's locks may
        fail. If None, vectors are in memory only.

    max_bytes : int, default=536870912
        Largest size of the vectors in memory, and of the file. If it is reached, the vectors that
        were added first are dropped from the file, and those that were used last stay in memory.

    Attributes
    ----------
    n_features_out_ : int
        Number of values of a vector. Only defined after `fit`.

    See Also
    --------
    ContextMemoryClassifier : Reads the vectors beside n-grams, with its parameter `embedder`.

    Notes
    -----
    Clones share the embedder, which is not copied. A pickle contains the embedder, as it is
    pickled itself, and no vectors. A transformer in it has to be fitted.

    Embedders are told apart by their vectors of four short texts, and those of less than 64 MB by
    a digest of their parameters as well, or of the code of a function. While one thread embeds
    texts, others find known vectors. If embedding is interrupted, the texts that are done, up to
    the last 1,024, are kept.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_ctxmem import CachedEmbedder
    >>> def count_letters(texts):
    ...     return np.array([[text.count(letter) for letter in "aeiou"] for text in texts])
    >>> embedder = CachedEmbedder(count_letters)
    >>> embedder.transform(["a text", "another text"])
    array([[1., 1., 0., 0., 0.],
           [1., 2., 0., 1., 0.]], dtype=float32)
    """

    def __init__(self, embedder: Any, *, folder: Any = None, max_bytes: int = MAX_BYTES) -> None:
        self.embedder = embedder
        self.folder = folder
        self.max_bytes = max_bytes

    def fit(self, X: Any, y: Any = None) -> CachedEmbedder:
        """Check the parameters, and embed a few short texts to see how long a vector is.

        Parameters
        ----------
        X : list, ndarray, Series or DataFrame of one column, of n_texts str
            Not used.

        y : Ignored
            Not used.

        Returns
        -------
        self : CachedEmbedder
            The embedder itself.
        """
        self.n_features_out_ = self._open()[0].width
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Embed texts.

        Parameters
        ----------
        X : list, ndarray, Series or DataFrame of one column, of n_texts str
            The texts.

        Returns
        -------
        vectors : ndarray of shape (n_texts, width), float32
            The vector of each text.

        Raises
        ------
        TypeError, ValueError
            If a parameter is invalid, a text is no str, or a vector has a value that is not finite.
        OSError
            If the folder cannot be used.
        """
        return self.embed(check_texts(X))

    def embed(self, texts: list[str]) -> np.ndarray:
        """Embed texts that are a list of str already, without the checks of `transform`.

        Parameters
        ----------
        texts : list of str
            The texts.

        Returns
        -------
        vectors : ndarray of shape (n_texts, width), float32
            The vector of each text.
        """
        model, memory = self._open()
        numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        vectors = np.empty((len(numbers), model.width), dtype=np.float32)
        for found in self._find_or_embed(model, memory, list(numbers)):
            for text, vector in found.items():
                vectors[numbers[text]] = vector
        if len(numbers) == len(texts):
            return vectors
        return vectors[[numbers[text] for text in texts]]

    @property
    def fingerprint(self) -> Fingerprint:
        """What tells the embedder from others."""
        return self._open()[1].fingerprint

    def clear(self) -> None:
        """Drop the vectors in memory. Delete the folder to drop those on disk."""
        self._open()[1].clear()

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return names of the values of a vector.

        Parameters
        ----------
        input_features : None, default=None
            Not used.

        Returns
        -------
        names : ndarray of shape (width,), object
            "embedding0", "embedding1" and so on.
        """
        width = self._open()[0].width
        return np.array([f"embedding{number}" for number in range(width)], dtype=object)

    def _find_or_embed(
        self, model: OpenEmbedder, memory: MemoryCache, texts: list[str]
    ) -> Iterator[dict[str, np.ndarray]]:
        """Yield the vectors of texts, those in memory first, and keep the others there."""
        known = memory.find(texts)
        yield known
        missing = [text for text in texts if text not in known] if len(known) < len(texts) else []
        if not missing:
            return
        disk = self._open_folder(memory.fingerprint)
        # texts of about one length are embedded together, which saves padding
        missing.sort(key=len, reverse=True)
        for first in range(0, len(missing), TEXTS_AT_ONCE):
            some = missing[first : first + TEXTS_AT_ONCE]
            with memory.lock:
                found = memory.find(some)  # another thread may have embedded them
                if len(found) < len(some):
                    found |= self._embed_new(
                        model, disk, [text for text in some if text not in found]
                    )
                memory.add(found, self.max_bytes)
            yield found

    def _open_folder(self, fingerprint: Fingerprint) -> DiskCache | None:
        """Return the cache in the folder, or None without one."""
        if self.folder is None:
            return None
        from ._disk_cache import DiskCache  # imports SQLite, which only a folder needs

        return DiskCache(self.folder, fingerprint)

    def _embed_new(
        self, model: OpenEmbedder, disk: DiskCache | None, texts: list[str]
    ) -> dict[str, np.ndarray]:
        """Return the vectors of texts that are not in memory; other processes wait meanwhile."""
        if disk is None:
            return dict(zip(texts, model.read(texts), strict=True))
        found = disk.find(texts)
        if len(found) == len(texts):
            return found
        with disk.lock():
            # another process may have embedded them
            found |= disk.find([text for text in texts if text not in found])
            missing = [text for text in texts if text not in found]
            new = dict(zip(missing, model.read(missing), strict=True)) if missing else {}
            disk.add(new, self.max_bytes)
        return found | new

    def _open(self) -> tuple[OpenEmbedder, MemoryCache]:
        """Return the embedder, which was tried on a few texts, and the vectors in memory."""
        check_folder("folder", self.folder)
        _BYTES.check("max_bytes", self.max_bytes)
        folder = None if self.folder is None else os.path.abspath(self.folder)
        model, memory = vars(self).get("_opened", (None, None))
        if model is None or model.embedder is not self.embedder or memory.folder != folder:
            self._check()
            model = OpenEmbedder(self.embedder)
            memory = find_cache(model, folder)
            self._opened = (model, memory)
        return model, memory

    def _check(self) -> None:
        """Raise unless the parameters are valid."""
        if self.embedder is None:
            raise TypeError("embedder=None cannot embed texts; pass an embedder.")
        if isinstance(self.embedder, CachedEmbedder):
            raise TypeError(
                "embedder is a CachedEmbedder itself; pass the embedder in it, and one folder."
            )
        check_embedder("embedder", self.embedder)

    def __getstate__(self):
        """Leave out the vectors."""
        return {name: value for name, value in super().__getstate__().items() if name != "_opened"}

    def __sklearn_clone__(self):
        """Return a clone that shares the embedder, and the vectors in memory."""
        cloned = type(self)(self.embedder, folder=self.folder, max_bytes=self.max_bytes)
        if "_opened" in vars(self):
            cloned._opened = self._opened
        return cloned

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = False
        return tags


def as_cached(embedder: Any) -> CachedEmbedder:
    """Return a CachedEmbedder of an embedder that is ready to embed, unless it is one."""
    return embedder if isinstance(embedder, CachedEmbedder) else CachedEmbedder(embedder)


def share_embedder(embedder: Any) -> Any:
    """Return a clone of an embedder that a fit learns, and any other embedder itself.

    A frozen embedder may have hundreds of megabytes of weights, which `clone` would copy.
    """
    is_cached = isinstance(embedder, CachedEmbedder)  # its clones share what it wraps
    return clone(embedder, safe=False) if is_cached or is_learned(embedder) else embedder
