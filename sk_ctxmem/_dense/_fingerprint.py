"""Fingerprint: what tells an embedder from others."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from itertools import combinations
from types import CodeType, FunctionType
from typing import Any
from uuid import uuid4

import joblib
import numpy as np

# Their vectors tell embedders apart. They have what embedders differ in: cases, scripts, length.
PROBES = (
    "The meeting is on Monday.",
    "NO!",
    "¿Qué tal? Ça va, 你好吗, привет",
    "a sentence that goes on and on, as some do, until nobody remembers how it began",
)
# Vectors of the same embedder differ by rounding, on other machines and in other batches.
SAME_VECTORS = 1e-3  # largest difference, relative to the root mean square of the values
# Larger embedders are networks and tables, which the probes tell apart: 64 MB take .2 seconds.
MAX_BYTES_TO_DIGEST = 2**26


@dataclass(frozen=True)
class Fingerprint:
    """What tells an embedder from others: its name, and its vectors of the probe texts.

    Parameters
    ----------
    name : str
        Class of the embedder, or name of the function.
    vectors : ndarray of shape (n_probes, width), float32
        Vectors of PROBES.
    digest : str, default=""
        Digest of the parameters and of the code of a small embedder: those that look for some
        words give the same vectors of texts that have none of them.
    """

    name: str
    vectors: np.ndarray
    digest: str = ""

    @property
    def width(self) -> int:
        """Number of values of a vector."""
        return self.vectors.shape[1]

    def has_vectors_of(self, other: Fingerprint) -> bool:
        """Return whether two embedders give the same vectors of the probes, up to rounding."""
        if self.vectors.shape != other.vectors.shape:
            return False
        size = np.sqrt(np.mean(np.square(self.vectors, dtype=np.float64)))
        return bool(np.abs(self.vectors - other.vectors).max() <= SAME_VECTORS * size)

    def is_same(self, other: Fingerprint) -> bool:
        """Return whether two embedders give the same vectors of all texts, as far as we can see."""
        return self.digest == other.digest and self.has_vectors_of(other)


def take_fingerprint(embedder: Any, vectors: np.ndarray) -> Fingerprint:
    """Return the fingerprint of an embedder, given its vectors of the probes."""
    digest = _digest_of(embedder)
    if digest is None:
        tell = all(not np.array_equal(*pair) for pair in combinations(vectors, 2))
        digest = name_of(embedder) if tell else uuid4().hex  # then it is like no other object
    return Fingerprint(name_of(embedder), vectors, digest)


def name_of(embedder: Any) -> str:
    """Return the name of a function, or of the class of an embedder."""
    kind = type(embedder)
    if hasattr(embedder, "__qualname__") and hasattr(embedder, "__module__"):
        return f"{embedder.__module__}.{embedder.__qualname__}"
    return f"{kind.__module__}.{kind.__qualname__}"


def _digest_of(embedder: Any) -> str | None:
    """Return a digest of a small embedder, or None if it is large or cannot be pickled."""
    try:
        if isinstance(embedder, FunctionType):
            return joblib.hash(_parts_of(embedder))
        pickle.Pickler(_Limit(), pickle.HIGHEST_PROTOCOL).dump(embedder)
        kind, code = type(embedder), []
        if kind.__module__ == "__main__":  # a class that may be defined again in a notebook
            methods = (getattr(value, "__func__", value) for value in vars(kind).values())
            code = [_parts_of(each) for each in methods if isinstance(each, FunctionType)]
        return joblib.hash((embedder, code))
    except Exception:  # of any class
        return None


def _parts_of(function: FunctionType) -> list[Any]:
    """Return what a function does, as plain values: its code and the values that it refers to."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    held = [_parts_of(each) if isinstance(each, FunctionType) else _held(each) for each in cells]
    defaults = [_held(each) for each in (function.__defaults__, function.__kwdefaults__)]
    return [name_of(function), _code_of(function.__code__), held, defaults]


def _held(value: Any) -> str:
    """Return a digest of a value that a function holds, such as a table or a large model."""
    digest = _digest_of(value)
    return name_of(value) if digest is None else digest


def _code_of(code: CodeType) -> list[Any]:
    constants = [_code_of(each) if isinstance(each, CodeType) else each for each in code.co_consts]
    return [code.co_code, code.co_names, list(map(repr, constants))]


class _Limit:
    """File that forgets what is written, and refuses what is large."""

    def __init__(self) -> None:
        self.n_bytes = 0

    def write(self, data: Any) -> int:
        """Count some bytes."""
        n_bytes = memoryview(data).nbytes
        self.n_bytes += n_bytes
        if self.n_bytes > MAX_BYTES_TO_DIGEST:
            raise ValueError("larger than the limit")
        return n_bytes
