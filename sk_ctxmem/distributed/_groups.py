"""Process groups of torch.distributed for a fit."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from numbers import Real
from typing import Any

import torch.distributed as dist
from torch.distributed.rendezvous import rendezvous

from .._input._parameters import Number
from .._runtime import torch_defaults
from .._training._processes import OneProcess
from ..exceptions import ProcessLostError
from ._many_processes import ManyProcesses

TIMEOUT = Number(Real, 0, 10**8, 300, closed="neither")
NUMBERS = count()  # of the process groups opened so far, the same in all processes
RENDEZVOUS: list[tuple[Any, int, int]] = []  # store, rank and number of processes
SET_BY_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@contextmanager
def many_processes(function: str, timeout: float) -> Iterator[ManyProcesses]:
    """Open a process group of the processes of torchrun, or of the open default group.

    Parameters
    ----------
    function : str
        Name of the calling function.
    timeout : float
        Seconds that a process waits for another.

    Yields
    ------
    processes : ManyProcesses
        Process group. If the default group was opened for it, it is closed at the end.
    """
    TIMEOUT.check("timeout", timeout)
    was_ready = dist.is_initialized()
    if not was_ready:
        _check_environment(function)
        with _meeting(function, timeout):
            _open_group(timeout)
    try:
        with _meeting(function, timeout):
            group = dist.new_group(timeout=timedelta(seconds=float(timeout)))
        try:
            with torch_defaults():
                yield ManyProcesses(group)
        finally:
            dist.destroy_process_group(group)  # so that other processes notice an error immediately
    finally:
        if not was_ready:
            dist.destroy_process_group()


@contextmanager
def all_processes(function: str, timeout: float) -> Iterator[OneProcess]:
    """Open a process group, or return this single process if torchrun has not started it."""
    TIMEOUT.check("timeout", timeout)
    if not dist.is_initialized() and _missing_variables():
        yield OneProcess()
        return
    with many_processes(function, timeout) as processes:
        yield processes


@contextmanager
def _meeting(function: str, timeout: float) -> Iterator[None]:
    """Raise ProcessLostError if not all processes arrive in time."""
    try:
        yield
    except RuntimeError as error:
        raise ProcessLostError(
            f"Not all processes called {function} within {timeout} seconds; start the number of "
            f"processes passed to torchrun, and call {function} in each of them. ({error})"
        ) from error


def _open_group(timeout: float) -> None:
    limit = timedelta(seconds=float(timeout))
    store, rank, n_processes = _rendezvous(limit)
    store.set_timeout(limit)
    own = dist.PrefixStore(f"sk_ctxmem/{next(NUMBERS)}", store)
    dist.init_process_group(store=own, rank=rank, world_size=n_processes, timeout=limit)


def _rendezvous(limit: timedelta) -> tuple[Any, int, int]:
    """Return the store shared by the processes, the rank, and the number of processes.

    The store stays open for later fits. Otherwise a process that finishes early could connect to
    the store of the last fit, which the first process has not closed yet.
    """
    if not RENDEZVOUS:
        RENDEZVOUS.append(next(rendezvous("env://", timeout=limit)))
    return RENDEZVOUS[0]


def _missing_variables() -> list[str]:
    return [name for name in SET_BY_TORCHRUN if name not in os.environ]


def _check_environment(function: str) -> None:
    missing = _missing_variables()
    if missing:
        raise RuntimeError(
            f"{function} runs in several processes: start the script with `torchrun "
            "--nproc-per-node=2 script.py`, or call torch.distributed.init_process_group first; "
            f"the environment variables {', '.join(missing)} are not set. In a single process, "
            "call clf.fit."
        )
