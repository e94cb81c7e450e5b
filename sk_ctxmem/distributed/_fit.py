"""One fit in several processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from numbers import Real
from typing import Any

import numpy as np
import torch.distributed as dist

from .._classifier import ContextMemoryClassifier
from .._parameters import Number
from .._validation import unchanged_on_error
from ._many_processes import ManyProcesses

TIMEOUT = Number(Real, 0, np.inf, 300, closed="neither")
SET_BY_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def fit_distributed(clf, X, y, sample_weight=None, groups=None, *, timeout=300.0):
    """Fit one classifier in several processes, on one machine or many.

    All processes call this with the same rows. Each trains on whole groups of its own, of about
    as many rows in all of them, and after each batch all take the same step: that of the sum of
    their gradients, which is the gradient of the whole batch. `batch_size` counts the rows of all
    processes, so that their number changes how fast a fit is, not what is learned but for other
    random numbers. Start the script by ``torchrun``::

        torchrun --nproc-per-node=2 train.py

    Parameters
    ----------
    clf : ContextMemoryClassifier
        The classifier, with the same parameters in all processes. It is fitted in place.

    X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
        All rows, as for `fit`.

    y : array-like of shape (n_rows,)
        Their classes.

    sample_weight : array-like of shape (n_rows,) or None, default=None
        Weights of the rows.

    groups : array-like of shape (n_rows,) or None, default=None
        Which conversation or document each row belongs to, if no column says so.

    timeout : float, default=300.0
        Seconds that a process waits for another one that is alive, but does not answer. One that
        ends is noticed at once.

    Returns
    -------
    clf : ContextMemoryClassifier
        The fitted classifier, the same in every process.

    Raises
    ------
    ProcessLostError
        If another process ends or does not answer in time. The classifier is as it was.
    RuntimeError
        If the process was not started by torchrun, nor has called
        `torch.distributed.init_process_group`.
    TypeError, ValueError
        If the input is not legal, differs between processes, or has fewer groups than there are
        processes.

    See Also
    --------
    fit_parquet : Fit rows that no memory holds.

    Notes
    -----
    Text is turned into features in each process. On GPUs, ``device="auto"`` takes the one of the
    process's LOCAL_RANK. The first process alone writes: it shows the bar of `verbose`, tells the
    `callbacks`, and reads and writes `checkpoint`. What a callback or Ctrl-C ends, ends
    with the epoch. Callbacks of scikit-learn are not told.

    References
    ----------
    Li, S. et al. (2020). PyTorch distributed: experiences on accelerating data parallel training.
    Proceedings of the VLDB Endowment 13 (12), 3005-3018.

    Examples
    --------
    >>> from sk_ctxmem import ContextMemoryClassifier
    >>> from sk_ctxmem.distributed import fit_distributed
    >>> fit_distributed(ContextMemoryClassifier(), ["yes", "no"], [1, 0])
    Traceback (most recent call last):
    RuntimeError: fit_distributed runs in several processes: ...
    """
    if not isinstance(clf, ContextMemoryClassifier):
        raise TypeError(f"clf={clf!r:.200} must be a ContextMemoryClassifier.")
    TIMEOUT.check("timeout", timeout)
    with unchanged_on_error(clf), _process_group(timeout) as group:
        if clf._fit(X, y, sample_weight, groups, ManyProcesses(group)):
            clf._warn_of_interrupt()
    return clf


@contextmanager
def _process_group(timeout: float) -> Iterator[Any]:
    """Return a group of all processes of its own, and end what was begun for it."""
    was_ready = dist.is_initialized()
    if not was_ready:
        _check_environment()
        dist.init_process_group()
    try:
        group = dist.new_group(timeout=timedelta(seconds=float(timeout)))
        try:
            yield group
        finally:
            dist.destroy_process_group(group)  # so that others see at once if an error ends this
    finally:
        if not was_ready:
            dist.destroy_process_group()


def _check_environment() -> None:
    missing = [name for name in SET_BY_TORCHRUN if name not in os.environ]
    if missing:
        raise RuntimeError(
            "fit_distributed runs in several processes: start the script by `torchrun "
            "--nproc-per-node=2 script.py`, or call torch.distributed.init_process_group before; "
            f"the environment lacks {', '.join(missing)}. In a single process, call clf.fit."
        )
