"""Fresh processes with one thread each, which send values back."""

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
    """Fresh process that runs a generator function and sends its values, one at a time.

    It is a context manager, at whose end the process is stopped if it still runs.

    Parameters
    ----------
    function : callable
        Generator function of a module that the process can import.

    *arguments : Any
        Arguments of the function.
    """

    def __init__(self, function: Callable[..., Iterator[Any]], *arguments: Any):
        context = get_context("spawn")
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=send_values, args=(sender, function, arguments))
        with environment(ONE_THREAD):
            self._process.start()
        # The end of the process ends a wait for a value only if no other copy is open.
        sender.close()

    def receive(self, limit: float | None = None) -> Any:
        """Wait for the next value.

        Parameters
        ----------
        limit : float or None, default=None
            Maximum number of seconds to wait. If None, there is no limit.

        Returns
        -------
        Any
            Value of the generator.

        Raises
        ------
        StopIteration
            If the function has returned.
        TimeoutError
            If no value arrived within the limit.
        Exception
            Error of the function.
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
    """Send each value of the function, then its end or its error; runs in the child process."""
    try:
        for value in function(*arguments):
            sender.send((VALUE, value))
    except Exception as error:  # any error is raised again in the parent process
        sender.send((ERROR, error))
    else:
        sender.send((END, None))


def call_in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a fresh process, and return its result."""
    with Child(yield_result, function, arguments) as child:
        return child.receive()


def yield_result(function: Callable[..., Any], arguments: tuple) -> Iterator[Any]:
    """Yield the result of a function."""
    yield function(*arguments)


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Context with environment variables for the processes that start in it."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
