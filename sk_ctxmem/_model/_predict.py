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
    network: ContextMemoryNet, rows: RowSet, device: str, *, every_row: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the row indices and the logits of each batch, in double precision.

    Of sequences, the rows are the last ones, unless `every_row` is true.
    """
    batches = rows.batches(PREDICTION_BATCH_SIZE, window=network.window, every_row=every_row)
    for indices, batch in batches:
        with torch_defaults(), torch.inference_mode():
            logits = network(batch.to(device))[0].cpu().double().numpy()
        yield indices, logits


def predict_logits(
    network: ContextMemoryNet, rows: RowSet, device: str, *, every_row: bool = False
) -> np.ndarray:
    """Compute the logits of all rows.

    Parameters
    ----------
    network : ContextMemoryNet
        Trained network, on `device`.
    rows : RowSet
        The rows.
    device : str
        torch device.
    every_row : bool, default=False
        Whether to compute the logits of a sequence after each of its rows.

    Returns
    -------
    logits : ndarray of shape (n_rows, n_classes), float64
        Logits, in the order of X. Of sequences, those of rows that are not the last one are zeros,
        unless `every_row` is true.

    Raises
    ------
    ValueError
        If a logit is not finite.
    """
    logits = np.zeros((len(rows), network.decoder.out_features))
    for indices, of_batch in batch_logits(network, rows, device, every_row=every_row):
        logits[indices] = of_batch
    overflowing = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if len(overflowing):
        raise ValueError(
            f"X has values in row {overflowing[0]} whose logits overflow single precision; scale "
            "the features as in fit, or drop the row."
        )
    return logits
