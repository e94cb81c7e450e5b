"""Fresh processes of one thread each, and what they send back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
VALUE, ERROR, END = "value", "error", "end"


class Child:
    """Fresh process that runs a generator function and sends what it yields, one at a time.

    Used in a ``with`` statement, at the end of which the process is stopped if it still runs.

    Parameters
    ----------
    function : callable
        Generator function of a module, so that the process can import it.

    *arguments : Any
        What it is called with.
    """

    def __init__(self, function: Callable[..., Iterator[Any]], *arguments: Any):
        context = get_context("spawn")
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=send_values, args=(sender, function, arguments))
        with environment(ONE_THREAD):
            self._process.start()
        # Only when no other copy is open does the end of the process end a wait for a value.
        sender.close()

    def receive(self, limit: float | None = None) -> Any:
        """Wait for the next value.

        Parameters
        ----------
        limit : float or None, default=None
            Seconds to wait at most.

        Returns
        -------
        Any
            What the function yielded.

        Raises
        ------
        StopIteration
            If the function has returned.
        TimeoutError
            If nothing came in time.
        Exception
            What the function raised.
        """
        if not self._receiver.poll(limit):
            raise TimeoutError(f"nothing came in {limit:g} seconds")
        try:
            kind, value = self._receiver.recv()
        except EOFError:
            message = "the process was killed, perhaps for lack of memory"
            raise RuntimeError(message) from None
        if kind == ERROR:
            raise value
        if kind == END:
            raise StopIteration
        return value

    def __iter__(self) -> Iterator[Any]:
        """Return this object, whose values are received one after the other."""
        return self

    def __next__(self) -> Any:
        """Return the next value."""
        return self.receive()

    def __enter__(self) -> Child:
        """Return this object, whose process runs already."""
        return self

    def __exit__(self, *error: object) -> None:
        """Stop the process if it still runs."""
        self._process.kill()
        self._process.join()
        self._receiver.close()


def send_values(sender: Connection, function: Callable[..., Any], arguments: tuple) -> None:
    """Send each value that the function yields, and how it ended; runs in the child."""
    try:
        for value in function(*arguments):
            sender.send((VALUE, value))
    except Exception as error:  # whatever it is, it is raised again where values are received
        sender.send((ERROR, error))
    else:
        sender.send((END, None))


def call_in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a fresh process and return what it returns."""
    with Child(yield_result, function, arguments) as child:
        return child.receive()


def yield_result(function: Callable[..., Any], arguments: tuple) -> Iterator[Any]:
    """Yield what a function returns."""
    yield function(*arguments)


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Context in which environment variables are set, for processes that are started in it."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
