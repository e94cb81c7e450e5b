"""Random numbers of the network, from a generator that belongs to one fit.

The default generator of torch is shared by all threads: fits in several threads would mix their
random numbers, and a process that is forked while another thread draws would wait for ever for
its lock. Therefore each thread can draw from a generator of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

CREATING = {torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn}  # of the default dtype
FILLING = "uniform_ normal_ random_ bernoulli_ exponential_ geometric_ cauchy_ log_normal_"
SAMPLING = "rand randn randint randperm bernoulli multinomial normal poisson"
INITIALIZING = "uniform_ normal_ trunc_normal_ kaiming_uniform_ kaiming_normal_"
DRAWING = {
    getattr(owner, name)
    for owner, names in ((Tensor, FILLING), (torch, SAMPLING), (nn.init, INITIALIZING))
    for name in names.split()
}
DRAWING_LIKE = {torch.rand_like: Tensor.uniform_, torch.randn_like: Tensor.normal_}


class _Source(local):
    """The generator of each thread."""

    generator: torch.Generator | None = None


_SOURCE = _Source()


def cpu_generator() -> torch.Generator:
    """Return the generator that this thread draws from on a CPU."""
    return _SOURCE.generator or torch.default_generator


def generator_for(device: torch.device | str) -> torch.Generator | None:
    """Return the generator to draw from on a device; None for the default one of a GPU."""
    return cpu_generator() if torch.device(device).type == "cpu" else None


@contextmanager
def drawing_from(generator: torch.Generator) -> Iterator[None]:
    """Draw from a generator of the CPU inside the context, in the current thread only."""
    before = _SOURCE.generator
    _SOURCE.generator = generator
    try:
        yield
    finally:
        _SOURCE.generator = before


class OwnDefaults(TorchFunctionMode):
    """Make functions of torch draw from the generator of this thread, in single precision.

    This is for code that does not pass a generator and a dtype, such as the initial weights of the
    modules of torch. The default dtype of torch is shared by all threads, so that setting it would
    change other threads.

    Examples
    --------
    >>> import torch
    >>> from sk_ctxmem._network._random import OwnDefaults, drawing_from
    >>> state = torch.get_rng_state()
    >>> with drawing_from(torch.Generator().manual_seed(0)), OwnDefaults():
    ...     layer = torch.nn.Linear(3, 2)
    >>> torch.equal(torch.get_rng_state(), state)
    True
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Call the function with the missing arguments."""
        kwargs = kwargs or {}
        generator = generator_for(_device_of(args, kwargs))
        if func in DRAWING_LIKE:
            return DRAWING_LIKE[func](torch.empty_like(*args, **kwargs), generator=generator)
        defaults: dict[str, Any] = {}
        if func in CREATING:
            defaults["dtype"] = torch.float32
        if func in DRAWING:
            defaults["generator"] = generator
        missing = {key: value for key, value in defaults.items() if kwargs.get(key) is None}
        return func(*args, **kwargs | missing)


def _device_of(args: tuple, kwargs: dict[str, Any]) -> torch.device | str:
    """Return the device on which a function computes."""
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]
    return kwargs.get("device") or (tensors[0].device if tensors else "cpu")
