"""Device, threads, random state, precision and signals of torch; all changes are undone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import RLock, current_thread, main_thread
from types import FrameType

import torch
from threadpoolctl import ThreadpoolController

from ._messages import doc_link

RANDOM_STATE_LOCK = RLock()


def choose_device(device: str | torch.device) -> str:
    """Return the fastest available device for "auto", or check the given device."""
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
    """Return a controller for the thread pools of the loaded libraries, which are found once."""
    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch to one thread inside the context, for the current thread only.

    The matrices of a step are small: on an idle machine a second thread gains little, and on a
    busy machine the threads wait for each other far longer than they compute.
    torch.set_num_threads is not used, since it also sets the default of threads that start in
    the meantime.
    """
    # call this in any case: torch sets the number of a new thread at the first call
    if torch.get_num_threads() == 1:
        yield
        return
    with _thread_pools().limit(limits=1, user_api="openmp"):
        yield


@contextmanager
def forked_random_state(seed: int, device: str) -> Iterator[None]:
    """Seed torch inside the context, and restore its generators afterwards.

    The generators of torch are shared by all threads. A lock makes fits in several threads wait
    for each other, since otherwise their random numbers would mix.
    """
    on_gpu = torch.device(device).type == "cuda"
    with RANDOM_STATE_LOCK, torch.random.fork_rng(devices=[device] if on_gpu else []):
        seed_torch(seed, device)
        yield


def seed_torch(seed: int, device: str) -> None:
    """Seed the generators of the CPU and of the device."""
    torch.default_generator.manual_seed(seed)
    if torch.device(device).type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


@contextmanager
def single_precision() -> Iterator[None]:
    """Set the default dtype of torch to float32 inside the context."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def first_interrupt_waits() -> Iterator[list[int]]:
    """Append the first Ctrl-C to a list instead of raising KeyboardInterrupt; the second raises.

    Outside the main thread, or if the program has its own handler of SIGINT, nothing is changed
    and the list stays empty.
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
    """Raise MemoryError with advice if numpy or torch run out of memory."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        ran_out = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not ran_out and "allocate memory" not in str(error):
            raise
        raise MemoryError(f"Memory ran out; {advice} ({error}).{doc_link('memory')}") from error
