"""Logits of a trained network, computed in batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from .._network._net import ContextMemoryNet
from .._rows._row_set import RowSet
from .._runtime import torch_defaults

PREDICTION_BATCH_SIZE = 4096


def batch_logits(
    network: ContextMemoryNet, rows: RowSet, device: str
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the row indices and the logits of each batch, in double precision."""
    for indices, batch in rows.batches(PREDICTION_BATCH_SIZE, window=network.window):
        with torch_defaults(), torch.inference_mode():
            logits = network(batch.to(device))[0].cpu().double().numpy()
        yield indices, logits


def predict_logits(network: ContextMemoryNet, rows: RowSet, device: str) -> np.ndarray:
    """Compute the logits of all rows.

    Parameters
    ----------
    network : ContextMemoryNet
        Trained network, on `device`.
    rows : RowSet
        The rows.
    device : str
        torch device.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_classes), float64
        Logits, in the order of X.

    Raises
    ------
    ValueError
        If a logit is not finite.
    """
    logits = np.zeros((len(rows), network.decoder.out_features))
    for indices, of_batch in batch_logits(network, rows, device):
        logits[indices] = of_batch
    overflowing = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(overflowing):
        raise ValueError(
            f"X has values in row {overflowing[0]} whose logits overflow single precision; scale "
            "the features as in fit, or drop the row."
        )
    return logits
