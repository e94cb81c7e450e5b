"""One fit in several processes."""

from .._classifier import ContextMemoryClassifier, checked_params, fit_result, keep_result
from .._training._fit import fit_model, warn_if_interrupted
from ._groups import many_processes


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
    Long conversations are trained on in pieces, of at most 32 rows and of no more than a process's
    part of a batch: let `batch_size` be 32 times the number of processes or more. On fewer than
    19,200 rows steps are smaller, see `batch_size`; there, one process learns more.

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
    with many_processes("fit_distributed", timeout) as processes:
        params = checked_params(clf)
        start = fit_result(clf) if params.warm_start and clf.__sklearn_is_fitted__() else None
        result = fit_model(X, y, sample_weight, groups, params, start=start, processes=processes)
    keep_result(clf, result)
    warn_if_interrupted(result, params)
    return clf
