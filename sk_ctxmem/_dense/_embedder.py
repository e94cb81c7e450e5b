"""Any embedder as a function from texts to vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._features._text_reader import check_dense_output, fit_text_reader, open_text_reader
from ._fingerprint import PROBES, Fingerprint, take_fingerprint

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
    """Return whether each fit has to fit a copy of an embedder, as of any transformer.

    Not of those that declare that they need no fit, nor of those that transform texts and have no
    fitted attributes, such as the classes of embetter.
    """
    if not is_transformer(embedder) or not hasattr(embedder, "fit"):
        return False
    if isinstance(embedder, FrozenEstimator):
        return False
    try:
        if not get_tags(embedder).requires_fit:
            return False
        check_is_fitted(embedder)
    except NotFittedError:
        return not _can_transform(embedder)
    except (AttributeError, TypeError):  # not derived from BaseEstimator
        pass
    return True


def _can_transform(embedder: Any) -> bool:
    """Return whether a transformer that was not fitted can transform texts."""
    try:
        open_text_reader(embedder, list(PROBES), role="embedder")
    except Exception:  # of any class
        return False
    return True


def fit_embedder(embedder: Any, texts: list[str], labels: np.ndarray, name: Any) -> Any:
    """Return an embedder that is ready to embed: a copy that is fitted, if each fit fits one."""
    if not is_learned(embedder):
        return embedder
    return fit_text_reader(embedder, texts, labels, name, role="embedder")[0].vectorizer


class OpenEmbedder:
    """An embedder that is ready to embed, with its vectors of a few texts.

    Parameters
    ----------
    embedder : object
        The embedder. A transformer must be fitted.

    Attributes
    ----------
    probes : ndarray of shape (n_probes, width), float32
        Vectors of PROBES.
    """

    def __init__(self, embedder: Any) -> None:
        self.embedder = embedder
        self._read: Callable[[list[str]], Any]
        probes = list(PROBES)
        if is_transformer(embedder):
            reader, vectors = _open_transformer(embedder, probes)
            self._read = reader.read
        else:
            method = _find_method(embedder)
            if method is None:
                raise TypeError(f"{embedder!r:.100} cannot embed texts")
            self._read = method
            vectors = self._read(probes)
        # a copy: some embedders fill the same array in each call
        self.probes = check_dense_output(vectors, embedder, len(probes)).copy()

    @property
    def width(self) -> int:
        """Number of values of a vector."""
        return self.probes.shape[1]

    def take_fingerprint(self) -> Fingerprint:
        """Return what tells this embedder from others."""
        return take_fingerprint(self.embedder, self.probes)

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """Return the vector of each text, (n_texts, width), float32."""
        texts = list(texts)
        return check_dense_output(self._read(texts), self.embedder, len(texts), self.width)


def _open_transformer(embedder: Any, texts: list[str]) -> Any:
    """Return the reader of a fitted transformer, and its output for some texts."""
    names = list(getattr(embedder, "feature_names_in_", []))  # a ColumnTransformer needs them
    name = names[0] if len(names) == 1 else "text"
    try:
        return open_text_reader(embedder, texts, name, role="embedder")
    except NotFittedError as error:
        raise NotFittedError(
            f"The embedder {type(embedder).__name__} is not fitted, but an embedder that is ready "
            "was expected; fit it first, or pass it to the classifier as it is, without "
            "CachedEmbedder, so that each fit fits a copy."
        ) from error


def _find_method(embedder: Any) -> Callable[[list[str]], Any] | None:
    """Return the function or method that embeds a list of texts, or None."""
    for name in METHODS:
        method = getattr(embedder, name, None)
        if callable(method):
            return method
    return embedder if callable(embedder) else None
