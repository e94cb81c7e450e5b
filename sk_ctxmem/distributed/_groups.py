"""The processes that torchrun has started, as those of a fit."""

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
from .._training._processes import OneProcess
from ..exceptions import ProcessLostError
from ._many_processes import ManyProcesses

TIMEOUT = Number(Real, 0, 10**8, 300, closed="neither")
NUMBERS = count()  # of the groups that were opened; all processes count alike
MEETING_PLACE: list[tuple[Any, int, int]] = []  # once there is one
SET_BY_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@contextmanager
def many_processes(function: str, timeout: float) -> Iterator[ManyProcesses]:
    """Give the processes that torchrun has started, or that of an open process group.

    Parameters
    ----------
    function : str
        Name of the function that needs them.
    timeout : float
        Seconds that one waits for another.

    Yields
    ------
    processes : ManyProcesses
        The processes. A group of torch.distributed that is opened for them is closed at the end.
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
            yield ManyProcesses(group)
        finally:
            dist.destroy_process_group(group)  # so that others see at once if an error ends this
    finally:
        if not was_ready:
            dist.destroy_process_group()


@contextmanager
def all_processes(function: str, timeout: float) -> Iterator[OneProcess]:
    """Give the processes that torchrun has started, or this one alone if it has not."""
    TIMEOUT.check("timeout", timeout)
    if not dist.is_initialized() and _missing_variables():
        yield OneProcess()
        return
    with many_processes(function, timeout) as processes:
        yield processes


@contextmanager
def _meeting(function: str, timeout: float) -> Iterator[None]:
    """Say what it means that another process does not come."""
    try:
        yield
    except RuntimeError as error:
        raise ProcessLostError(
            f"This process did not meet all others within {timeout} seconds; start as many as "
            f"torchrun was told, and let each of them call {function}. ({error})"
        ) from error


def _open_group(timeout: float) -> None:
    limit = timedelta(seconds=float(timeout))
    store, rank, n_processes = _meeting_place(limit)
    store.set_timeout(limit)
    own = dist.PrefixStore(f"sk_ctxmem/{next(NUMBERS)}", store)
    dist.init_process_group(store=own, rank=rank, world_size=n_processes, timeout=limit)


def _meeting_place(limit: timedelta) -> tuple[Any, int, int]:
    """Return where the processes find each other, their rank, and their number.

    It stays open for fits to come: a process that is done earlier would look for that of the next
    fit while the first process still has that of the last.
    """
    if not MEETING_PLACE:
        MEETING_PLACE.append(next(rendezvous("env://", timeout=limit)))
    return MEETING_PLACE[0]


def _missing_variables() -> list[str]:
    return [name for name in SET_BY_TORCHRUN if name not in os.environ]


def _check_environment(function: str) -> None:
    missing = _missing_variables()
    if missing:
        raise RuntimeError(
            f"{function} runs in several processes: start the script by `torchrun "
            "--nproc-per-node=2 script.py`, or call torch.distributed.init_process_group before; "
            f"the environment lacks {', '.join(missing)}. In a single process, call clf.fit."
        )
