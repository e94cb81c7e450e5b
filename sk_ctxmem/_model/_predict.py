"""Logits of a trained network, batch by batch."""

from __future__ import annotations

import numpy as np
import torch

from .._network._net import ContextMemoryNet
from .._rows._row_set import RowSet
from .._runtime import one_thread

PREDICTION_BATCH_SIZE = 4096


def batch_logits(
    network: ContextMemoryNet, rows: RowSet, device: str
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the numbers of the rows of each batch, and their logits in double precision."""
    with one_thread(), torch.inference_mode():
        return [
            (numbers, network(batch.to(device))[0].cpu().double().numpy())
            for numbers, batch in rows.batches(PREDICTION_BATCH_SIZE)
        ]


def predict_logits(network: ContextMemoryNet, rows: RowSet, device: str) -> np.ndarray:
    """Return the logits of all rows.

    Parameters
    ----------
    network : ContextMemoryNet
        A trained network, on `device`.
    rows : RowSet
        The rows.
    device : str
        A device of torch.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_classes), float64
        In the caller's order.

    Raises
    ------
    ValueError
        If they are not finite.
    """
    logits = np.empty((len(rows), network.decoder.out_features))
    for numbers, of_batch in batch_logits(network, rows, device):
        logits[numbers] = of_batch
    wrong = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(wrong):
        raise ValueError(
            f"X has numbers in row {wrong[0]} that are too far from those of fit for single "
            "precision; scale them as those of fit, or drop the row."
        )
    return logits
