"""Device, threads and signals; settings of torch and numpy; all changes are undone."""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from threading import RLock, current_thread, main_thread
from types import FrameType
from typing import Any

import numpy as np
import torch
from sklearn import config_context, get_config
from threadpoolctl import ThreadpoolController

from ._messages import doc_link

GPU_LOCK = RLock()
KINDS = ("cpu", "cuda", "mps", "xpu")  # of devices, for torch.autocast
SMALLEST_NORMAL = sys.float_info.min


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
def _thread_pools() -> list[Any]:
    """Return the controllers of the OpenMP libraries that are loaded, which are found once."""
    pools = ThreadpoolController().lib_controllers
    return [pool for pool in pools if pool.user_api == "openmp"]


@cache
def _limit_mkl() -> Callable[[int], int]:
    """Return the function of MKL that sets its threads in the current thread.

    It returns the number before, 0 for that of OpenMP. After torch.set_num_threads, MKL ignores the
    number of OpenMP. Builds of torch without MKL get a function that does nothing.
    """
    try:
        return ctypes.PyDLL(torch._C.__file__).MKL_Set_Num_Threads_Local
    except (AttributeError, OSError):
        return lambda number: number


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit torch to one thread inside the context, for the current thread only.

    The matrices of a step are small: on an idle machine a second thread gains little, and on a
    busy machine the threads wait for each other far longer than they compute. A forked process
    would even wait for ever, if its parent has used a second thread: the pool of OpenMP does not
    survive a fork. torch.set_num_threads is not used, since it also sets the default of threads
    that start in the meantime.
    """
    # call this in any case: torch sets the number of a new thread at the first call
    many = [] if torch.get_num_threads() == 1 else _thread_pools()
    numbers = [pool.num_threads for pool in many]
    limit_mkl = _limit_mkl()
    of_mkl = limit_mkl(1)
    for pool in many:
        pool.set_num_threads(1)
    try:
        yield
    finally:
        limit_mkl(of_mkl)
        for pool, number in zip(many, numbers, strict=True):
            pool.set_num_threads(number)


@contextmanager
def torch_defaults() -> Iterator[None]:
    """Run torch in one thread and with its default settings, for the current thread only.

    The settings of the user, such as torch.inference_mode, torch.autocast or a default device, are
    restored afterwards. The default dtype is not changed, as other threads share it: code inside
    the context passes a dtype where it matters.
    """
    with one_thread():
        changes = _find_changes()
        if not changes:
            yield
            return
        with ExitStack() as stack:
            for change in changes:
                stack.enter_context(change)
            yield


@contextmanager
def array_defaults() -> Iterator[None]:
    """Use numpy's default reaction to numeric errors, and arrays as outputs of scikit-learn.

    The settings of the user, such as numpy.errstate(all="raise"), are restored afterwards. An
    underflow, as in the softmax of a confident prediction, is no error.
    """
    with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"):
        if get_config()["transform_output"] == "default":
            yield
            return
        with config_context(transform_output="default"):
            yield


def _find_changes() -> list[Any]:
    """Return contexts that set the settings which differ from the defaults of torch."""
    changes: list[Any] = []
    if torch.is_inference_mode_enabled():
        changes.append(torch.inference_mode(False))
    if not torch.is_grad_enabled():
        changes.append(torch.enable_grad())
    changes += [torch.autocast(kind, enabled=False) for kind in KINDS if _casts(kind)]
    if torch.empty(0).device.type != "cpu":
        changes.append(torch.device("cpu"))
    if SMALLEST_NORMAL / 2 == 0:
        changes.append(_denormal_numbers())
    return changes


def _casts(kind: str) -> bool:
    """Return whether torch.autocast is switched on for a kind of device."""
    return torch.is_autocast_enabled(kind)


@contextmanager
def _denormal_numbers() -> Iterator[None]:
    """Undo torch.set_flush_denormal, which applies to the current thread, inside the context."""
    torch.set_flush_denormal(False)
    try:
        yield
    finally:
        torch.set_flush_denormal(True)


@contextmanager
def seeded_gpu(seed: int, device: str) -> Iterator[None]:
    """Seed the generator of a GPU inside the context, and restore it afterwards.

    All threads share it, and the dropout of torch takes no other: fits on a GPU wait for each
    other. A forked process cannot use the GPU of its parent, nor reach the lock. On a CPU, each
    fit draws from a generator of its own, and nothing happens here.
    """
    if torch.device(device).type != "cuda":
        yield
        return
    with GPU_LOCK:
        before = torch.cuda.get_rng_state(device)
        try:
            seed_gpu(seed, device)
            yield
        finally:
            torch.cuda.set_rng_state(before, device)


def seed_gpu(seed: int, device: str) -> None:
    """Seed the generator of a GPU; on a CPU, do nothing."""
    if torch.device(device).type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


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
