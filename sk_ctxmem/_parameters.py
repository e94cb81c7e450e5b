"""Tables of legal parameter values, and the checks against them."""

import os
from numbers import Integral

import numpy as np


class Choice:
    """One of some strings."""

    def __init__(self, *values, or_none=False):
        self.values = values
        self.or_none = or_none

    def check(self, name, value):
        """Raise unless the value is one of the strings."""
        if self.or_none and value is None:
            return
        if not isinstance(value, str) or value not in self.values:
            names = " or ".join(map(repr, self.values)) + (" or None" if self.or_none else "")
            kind = ValueError if isinstance(value, str) else TypeError
            raise kind(f"{name}={value!r} must be {names}; use {self.values[0]!r} if unsure.")


class Number:
    """A number of a kind, within bounds."""

    def __init__(self, kind, low, high, usual, *, closed="both", or_none=False, or_bool=False):
        self.kind = kind
        self.low = low
        self.high = high
        self.usual = usual
        self.closed = closed
        self.or_none = or_none
        self.or_bool = or_bool

    def _contains(self, value):
        if self.closed == "neither":
            return self.low < value < self.high
        return self.low <= value <= self.high and value < np.inf

    def _expectation(self):
        kind = "an integer" if self.kind is Integral else "a number"
        or_none = " or None" if self.or_none else ""
        if self.closed == "neither":
            bounds = f"above {self.low}" + ("" if self.high == np.inf else f", below {self.high}")
        elif self.high == np.inf:
            bounds = f"of at least {self.low}"
        else:
            bounds = f"from {self.low} to {self.high}"
        return f"must be {kind} {bounds}{or_none}; use {self.usual} if unsure."

    def check(self, name, value):
        """Raise unless the value is such a number."""
        if self.or_none and value is None:
            return
        if not isinstance(value, self.kind) or (isinstance(value, bool) and not self.or_bool):
            raise TypeError(f"{name}={value!r} {self._expectation()}")
        if not self._contains(value):
            raise ValueError(f"{name}={value!r} {self._expectation()}")


class Flag:
    """True or False."""

    def check(self, name, value):
        """Raise unless the value is a bool."""
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name}={value!r} must be True or False.")


def check_parameters(estimator, table):
    """Hold the parameters of an estimator against a table of legal values."""
    for name, legal in table.items():
        legal.check(name, getattr(estimator, name))


def check_ngram_range(name, value):
    """Raise unless the value is a pair 1 <= shortest <= longest."""
    try:
        shortest, longest = value
    except (TypeError, ValueError):
        shortest = longest = None
    if any(not isinstance(n, Integral) or isinstance(n, bool) for n in (shortest, longest)):
        raise TypeError(f"{name}={value!r} must be a pair of integers; use (1, 2) if unsure.")
    if not 1 <= int(shortest) <= int(longest):
        raise ValueError(
            f"{name}={value!r} must be a pair with 1 <= shortest <= longest; use (1, 2) if unsure."
        )


def check_folder(name, value):
    """Raise unless the value is None or can be the path of a folder."""
    if value is None:
        return
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name}={value!r} must be the path of a folder, or None.")
    if os.path.exists(value) and not os.path.isdir(value):
        raise ValueError(f"{name}={value!r} is a file; give the path of a folder, or None.")
