"""Data-parallel fit in several processes."""

from __future__ import annotations

from typing import Any

from .._classifier import ContextMemoryClassifier, get_fit_result, set_fit_result, validated_params
from .._input._frames import as_table
from .._input._indicators import has_several_labels
from .._input._sequences import flatten_sequences
from .._runtime import array_defaults
from .._training._fit import fit_model, warn_if_interrupted
from ._groups import many_processes


@array_defaults()
def fit_distributed(
    clf: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    groups: Any = None,
    *,
    timeout: float = 300.0,
) -> ContextMemoryClassifier:
    """Fit one classifier in several processes, on one or several machines.

    All processes call this function with the same rows. Groups are distributed over the processes
    such that each has about the same number of rows. After each batch, the gradients of all
    processes are summed, which gives the gradient of the whole batch, and all take the same step.
    `batch_size` is the number of rows of all processes, so that the number of processes changes
    the speed of the fit, but not the result, except for random numbers. Start the script with
    ``torchrun``::

        torchrun --nproc-per-node=2 train.py

    Parameters
    ----------
    clf : ContextMemoryClassifier
        Classifier with the same parameters in all processes. It is fitted in place.

    X : {list, ndarray, Series, DataFrame, sparse matrix, TextSequences} of n_rows
        Rows, as for `fit`.

    y : array-like of shape (n_rows,)
        Class label of each row.

    sample_weight : array-like of shape (n_rows,) or None, default=None
        Sample weights.

    groups : array-like of shape (n_rows,) or None, default=None
        Group of each row, such as a conversation or document, if X has no group column.

    timeout : float, default=300.0
        Seconds that a process waits for another process that is alive but does not answer. A
        process that ends is noticed immediately.

    Returns
    -------
    clf : ContextMemoryClassifier
        Fitted classifier, identical in all processes.

    Raises
    ------
    ProcessLostError
        If another process ends or does not answer in time. The classifier is unchanged.
    RuntimeError
        If the process was not started by torchrun and has not called
        `torch.distributed.init_process_group`.
    TypeError, ValueError
        If the input is invalid, differs between processes, or has fewer groups than there are
        processes.

    See Also
    --------
    fit_parquet : Fit to files larger than memory.

    Notes
    -----
    In training, long conversations are split into pieces of at most 32 rows, and of at most the
    rows of one process in a batch. `batch_size` should therefore be at least 32 times the number
    of processes. With fewer than 19,200 rows the batches are smaller, see `batch_size`, and a
    single process is more accurate.

    Each process vectorizes the texts. On GPUs, ``device="auto"`` selects the GPU of the
    LOCAL_RANK of the process. Only the first process shows the progress bar of `verbose`, calls
    the `callbacks`, and reads and writes `checkpoint`. If a callback or Ctrl-C stops training, it
    ends after the current epoch. scikit-learn callbacks are not called.

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
    if has_several_labels(as_table(y, "y")):
        raise ValueError(
            "fit_distributed fits one class for each row, but y has several columns; use clf.fit, "
            "in one process, or fit a classifier for each column."
        )
    if flatten_sequences(as_table(X)) is not None:
        raise ValueError(
            "fit_distributed fits rows that have a label each, but X contains sequences; use "
            "clf.fit, in one process."
        )
    with many_processes("fit_distributed", timeout) as processes:
        params = validated_params(clf)
        start = get_fit_result(clf) if params.warm_start else None
        result = fit_model(X, y, sample_weight, groups, params, start=start, processes=processes)
    warn_if_interrupted(result, params)
    set_fit_result(clf, result)
    return clf
