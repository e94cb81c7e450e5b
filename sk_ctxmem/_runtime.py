"""Where and how torch runs: device, threads and random state, all restored afterwards."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock, current_thread, main_thread
from types import FrameType

import torch
from threadpoolctl import ThreadpoolController

from ._doc_links import doc_link

RANDOM_STATE_LOCK = RLock()


def choose_device(device: str | torch.device) -> str:
    """Return the device of torch that "auto" stands for, or check a named one."""
    if not isinstance(device, str | torch.device):
        raise TypeError(f"device={device!r} must be a string such as 'cpu'; use 'auto' if unsure.")
    if device != "auto":
        try:
            torch.zeros(1, device=device).cpu()
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device={device!r} cannot be used here ({error}); use device='auto'."
            ) from error
        return str(device)
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


@cache
def _thread_pools() -> ThreadpoolController:
    """Return what sets the number of threads of the libraries that are loaded, found once."""
    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread for a while, as far as this thread is concerned.

    The matrices of a step are small: a second thread gains little on an idle machine, and on a
    busy one the threads wait for each other far longer than they work. torch.set_num_threads
    would change what threads begin with that start in the meantime.
    """
    # asked for in any case: torch sets up the number of a new thread when it is first needed
    if torch.get_num_threads() == 1:
        yield
        return
    with _thread_pools().limit(limits=1, user_api="openmp"):
        yield


@contextmanager
def forked_random_state(seed: int, device: str) -> Iterator[None]:
    """Seed torch for a while, and leave its generators as they were.

    torch draws from generators that all threads share: fits in several threads wait for one
    another here, or their seeds would mix.
    """
    on_gpu = torch.device(device).type == "cuda"
    with RANDOM_STATE_LOCK, torch.random.fork_rng(devices=[device] if on_gpu else []):
        seed_torch(seed, device)
        yield


def seed_torch(seed: int, device: str) -> None:
    """Seed the generators of the CPU and of a device."""
    torch.default_generator.manual_seed(seed)
    if torch.device(device).type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


@contextmanager
def single_precision() -> Iterator[None]:
    """Make torch's default type of numbers the usual one for a while."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def first_interrupt_waits() -> Iterator[list[int]]:
    """Note the first Ctrl-C in a list instead of raising KeyboardInterrupt; the second raises.

    In other threads than the main one, and where the program handles SIGINT in its own way,
    nothing is changed and nothing noted.
    """
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if noted:
            signal.default_int_handler(number, frame)
        noted.append(number)

    in_main = current_thread() is main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield noted
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def explained_memory_errors(advice: str) -> Iterator[None]:
    """Raise MemoryError with an advice where numpy or torch find no memory."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        ran_out = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not ran_out and "allocate memory" not in str(error):
            raise
        raise MemoryError(f"Memory ran out; {advice} ({error}).{doc_link('memory')}") from error
