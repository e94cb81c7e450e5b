"""Any embedder as a function from texts to vectors, and what tells it from other embedders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags

from .._features._text_reader import check_dense_output, fit_text_reader, open_text_reader

# Their vectors tell embedders apart. They have what embedders differ in: cases, scripts, length.
PROBES = (
    "The meeting is on Monday.",
    "NO!",
    "¿Qué tal? Ça va, 你好吗, привет",
    "a sentence that goes on and on, as some do, until nobody remembers how it began",
)
# Vectors of the same embedder differ by rounding, on other machines and in other batches.
SAME_VECTORS = 1e-3  # largest difference, relative to the root mean square of the values
METHODS = ("encode", "embed")  # of SentenceTransformer and StaticModel, and of fastembed


EXPECTED = (
    "an object that turns texts into vectors was expected: a transformer of scikit-learn, an "
    "object with a method encode or embed, or a function"
)


def check_embedder(name: str, value: Any) -> None:
    """Raise TypeError unless an object can embed texts, or is None."""
    if value is None:
        return
    if isinstance(value, str):
        raise TypeError(
            f"{name}={value!r:.100} is the name of a model, but {EXPECTED}; load the model, such "
            f"as SentenceTransformer({value!r:.100})."
        )
    if isinstance(value, type):
        raise TypeError(
            f"{name}={value.__name__} is a class, but {EXPECTED}; pass an instance of it."
        )
    if not is_transformer(value) and _find_method(value) is None:
        raise TypeError(
            f"{name}={value!r:.100} of type {type(value).__name__} has none of the methods encode, "
            f"embed and transform and cannot be called, but {EXPECTED}."
        )


def is_transformer(embedder: Any) -> bool:
    """Return whether an embedder is a transformer of scikit-learn."""
    has_other = any(callable(getattr(embedder, name, None)) for name in METHODS)
    return callable(getattr(embedder, "transform", None)) and not has_other


def is_learned(embedder: Any) -> bool:
    """Return whether each fit has to fit a copy of an embedder, as of any transformer."""
    if not is_transformer(embedder) or not hasattr(embedder, "fit"):
        return False
    if isinstance(embedder, FrozenEstimator):
        return False
    try:
        return bool(get_tags(embedder).requires_fit)
    except (AttributeError, TypeError):  # not derived from BaseEstimator
        return True


def share_embedder(embedder: Any) -> Any:
    """Return a clone of an embedder that a fit learns, and any other embedder itself.

    A frozen embedder may have hundreds of megabytes of weights, which `clone` would copy.
    """
    return clone(embedder) if is_learned(embedder) else embedder


def fit_embedder(embedder: Any, texts: list[str], labels: np.ndarray, name: Any) -> Any:
    """Return an embedder that is ready to embed: a copy that is fitted, if each fit fits one."""
    if not is_learned(embedder):
        return embedder
    return fit_text_reader(embedder, texts, labels, name, role="embedder")[0].vectorizer


@dataclass(frozen=True)
class Fingerprint:
    """What tells an embedder from others: its name, and its vectors of the probe texts.

    Parameters
    ----------
    name : str
        Class of the embedder, or name of the function.
    vectors : ndarray of shape (n_probes, width), float32
        Vectors of PROBES.
    """

    name: str
    vectors: np.ndarray

    @property
    def width(self) -> int:
        """Number of values of a vector."""
        return self.vectors.shape[1]

    def is_same(self, other: Fingerprint) -> bool:
        """Return whether two embedders give the same vectors, up to rounding."""
        if self.vectors.shape != other.vectors.shape:
            return False
        size = np.sqrt(np.mean(np.square(self.vectors, dtype=np.float64)))
        return bool(np.abs(self.vectors - other.vectors).max() <= SAME_VECTORS * size)


class OpenEmbedder:
    """An embedder that is ready to embed, with its fingerprint.

    Parameters
    ----------
    embedder : object
        The embedder. A transformer must be fitted.
    name : object, default="text"
        Name of the texts, for transformers that read columns.

    Attributes
    ----------
    fingerprint : Fingerprint
        Name, and vectors of the probe texts.
    """

    def __init__(self, embedder: Any, name: Any = "text") -> None:
        self.embedder = embedder
        self._read: Callable[[list[str]], Any]
        probes = list(PROBES)
        if is_transformer(embedder):
            reader, vectors = open_text_reader(embedder, probes, name, role="embedder")
            self._read = reader.read
        else:
            method = _find_method(embedder)
            if method is None:
                raise TypeError(f"{embedder!r:.100} cannot embed texts")
            self._read = method
            vectors = self._read(probes)
        vectors = check_dense_output(vectors, embedder, len(probes))
        self.fingerprint = Fingerprint(name_of(embedder), vectors)

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """Return the vector of each text, (n_texts, width), float32."""
        texts = list(texts)
        output = self._read(texts)
        return check_dense_output(output, self.embedder, len(texts), self.fingerprint.width)


def name_of(embedder: Any) -> str:
    """Return the name of a function, or of the class of an embedder."""
    kind = type(embedder)
    if hasattr(embedder, "__qualname__") and hasattr(embedder, "__module__"):
        return f"{embedder.__module__}.{embedder.__qualname__}"
    return f"{kind.__module__}.{kind.__qualname__}"


def _find_method(embedder: Any) -> Callable[[list[str]], Any] | None:
    """Return the function or method that embeds a list of texts, or None."""
    for name in METHODS:
        method = getattr(embedder, name, None)
        if callable(method):
            return method
    return embedder if callable(embedder) else None
