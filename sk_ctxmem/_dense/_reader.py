"""DenseReader: the dense features of rows beside those of their texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from ._cached import CachedEmbedder, as_cached
from ._embedder import fit_embedder


@dataclass(frozen=True)
class DenseReader:
    """Reads the dense features of rows: the vectors of their texts.

    Parameters
    ----------
    embedder : CachedEmbedder
        Embeds the texts.
    scaler : StandardScaler
        Fitted scaler of all dense features.
    """

    embedder: CachedEmbedder
    scaler: StandardScaler

    @property
    def n_features(self) -> int:
        """Number of dense features."""
        return len(self.scaler.mean_)

    def read(self, texts: list[str]) -> np.ndarray:
        """Return the scaled dense features of validated texts, (n_rows, n_features), float32."""
        return self.scale(self.embedder.embed(texts))

    def scale(self, values: np.ndarray) -> np.ndarray:
        """Scale embeddings to rows of norm 1 on average, as n-grams have it."""
        with np.errstate(over="ignore"):  # predictions that are not finite raise an error
            scaled = self.scaler.transform(values) / np.sqrt(self.n_features)
            return np.ascontiguousarray(scaled, dtype=np.float32)


def fit_dense_reader(
    inputs: Any, labels: np.ndarray, embedder: Any, weights: np.ndarray
) -> DenseReader | None:
    """Fit a DenseReader to the rows of a fit; None if there are no dense features beside texts.

    Parameters
    ----------
    inputs : InputRows
        The input of a fit.
    labels : ndarray of shape (n_rows,)
        Class label of each row, for embedders that learn from them.
    embedder : object or None
        The embedder of the classifier.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.

    Raises
    ------
    ValueError
        If there is an embedder, but X contains no texts.
    """
    if embedder is None:
        return None
    if inputs.kind != "text":
        raise ValueError(
            f"embedder={embedder!r:.100} needs texts, but X contains only features; pass texts, or "
            "embedder=None."
        )
    ready = as_cached(fit_embedder(embedder, inputs.values, labels, inputs.text_name))
    scaler = StandardScaler().fit(ready.embed(inputs.values), sample_weight=weights)
    return DenseReader(ready, scaler)
