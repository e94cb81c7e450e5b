"""Callbacks of skorch that the user passes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from skorch import NeuralNet
from skorch.callbacks import Callback

from ._early_stopping import Stop


def check_callbacks(callbacks: Any) -> list[Callback]:
    """Return copies of callbacks, ready for a fit.

    A copy shares what it was made with, such as a writer of TensorBoard, but what a fit sets in it
    is not seen in the original.

    Parameters
    ----------
    callbacks : list of Callback or of (str, Callback), or None
        What the user passed.

    Returns
    -------
    copies : list of Callback
        In the same order.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if callbacks is None:
        return []
    if not isinstance(callbacks, list | tuple):
        raise TypeError(
            f"callbacks={callbacks!r:.200} must be a list of callbacks of skorch, or None; pass "
            "callbacks=[...]."
        )
    return [_copy_callback(item, place) for place, item in enumerate(callbacks)]


def _copy_callback(item: Any, place: int) -> Callback:
    is_pair = isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], str)
    callback = item[1] if is_pair else item
    if not isinstance(callback, Callback):
        remedy = "pass an instance of a class that inherits from skorch.callbacks.Callback"
        if isinstance(callback, type) and issubclass(callback, Callback):
            remedy = f"pass an instance of it, such as {callback.__name__}()"
        elif hasattr(callback, "on_fit_task_end"):
            remedy = "this is one of scikit-learn: pass it to set_callbacks"
        raise TypeError(
            f"callbacks[{place}]={item!r:.200} is no callback of skorch, nor a pair of a name and "
            f"one; {remedy}."
        )
    copied = copy.copy(callback)
    copied.initialize()
    return copied


def _forward(name: str) -> Callable[..., None]:
    """Return a method that tells all callbacks what happened."""

    def tell(self: UserCallbacks, net: NeuralNet, **kwargs: Any) -> None:
        for callback in self.callbacks:
            try:
                getattr(callback, name)(net, **kwargs)
            except KeyboardInterrupt:
                if self.stop.interrupts:  # a second Ctrl-C
                    raise
                kind, epoch = type(callback).__name__, len(net.history)
                self.stop.ask(f"stopped by the callback {kind} in epoch {epoch}")

    return tell


class UserCallbacks(Callback):
    """Tell the callbacks of the user what happens, and end training where one of them wants to.

    They want to by a KeyboardInterrupt, as in skorch.

    Parameters
    ----------
    callbacks : list of Callback
        The callbacks.
    stop : Stop
        What is asked to end training.
    """

    def __init__(self, callbacks: list[Callback], stop: Stop) -> None:
        self.callbacks = callbacks
        self.stop = stop

    on_train_begin = _forward("on_train_begin")
    on_train_end = _forward("on_train_end")
    on_epoch_begin = _forward("on_epoch_begin")
    on_epoch_end = _forward("on_epoch_end")
    on_batch_begin = _forward("on_batch_begin")
    on_batch_end = _forward("on_batch_end")
