"""Constraints of parameters and their validation."""

import os
import re
from numbers import Integral, Real

import numpy as np

from .._messages import refuse_url


class Choice:
    """Constraint: one of several strings."""

    def __init__(self, *values, or_none=False):
        self.values = values
        self.or_none = or_none

    def check(self, name, value):
        """Raise if the value is not one of the strings."""
        if self.or_none and value is None:
            return
        if not isinstance(value, str) or value not in self.values:
            names = " or ".join(map(repr, self.values)) + (" or None" if self.or_none else "")
            kind = ValueError if isinstance(value, str) else TypeError
            raise kind(f"{name}={value!r} must be {names}; use {self.values[0]!r} if unsure.")


class Number:
    """Constraint: a number of a type, within bounds."""

    def __init__(self, kind, low, high, usual, *, closed="both", or_none=False, or_bool=False):
        self.kind = kind
        self.low = low
        self.high = high
        self.usual = usual
        self.closed = closed
        self.or_none = or_none
        self.or_bool = or_bool

    def _contains(self, value):
        if self.kind is Real:
            try:
                value = float(value)
            except OverflowError:  # an integer too large for float
                return False
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
        """Raise if the value is not a number of the type and within the bounds."""
        if self.or_none and value is None:
            return
        is_bool = isinstance(value, bool | np.bool_)
        if not (self.or_bool if is_bool else isinstance(value, self.kind)):
            raise TypeError(f"{name}={value!r} {self._expectation()}")
        if not self._contains(value):
            raise ValueError(f"{name}={value!r} {self._expectation()}")


class ShareOrCount:
    """Constraint: a float from 0 to 1, a share, or an integer of at least 1, a number."""

    def __init__(self, usual):
        self.usual = usual

    def check(self, name, value):
        """Raise if the value is neither a share nor a number of texts."""
        is_count = isinstance(value, Integral)
        is_number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
        if not is_number or not (value >= 1 if is_count else 0 <= value <= 1):
            raise (ValueError if is_number else TypeError)(
                f"{name}={value!r} must be a share of the texts, a float from 0.0 to 1.0, or a "
                f"number of texts, an integer of at least 1; use {self.usual} if unsure."
            )


class FunctionOr:
    """Constraint: a function, one of several strings, or None."""

    def __init__(self, *values):
        self.values = values

    def check(self, name, value):
        """Raise if the value is not callable, not one of the strings, and not None."""
        if value is None or callable(value) or (isinstance(value, str) and value in self.values):
            return
        wanted = ", ".join(map(repr, self.values)) + ", " * bool(self.values)
        kind = ValueError if self.values and isinstance(value, str) else TypeError
        raise kind(f"{name}={value!r} must be {wanted}a function or None; use None if unsure.")


class WordsOr:
    """Constraint: a list or set of str, one string, or None."""

    def __init__(self, value):
        self.value = value

    def check(self, name, value):
        """Raise if the value is none of these."""
        if value is None or (isinstance(value, str) and value == self.value):
            return
        is_list = isinstance(value, list | tuple | set | frozenset)
        if not is_list or not all(isinstance(word, str) for word in value):
            kind = ValueError if isinstance(value, str) else TypeError
            raise kind(
                f"{name}={value!r:.100} must be {self.value!r}, a list of str, or None; use None "
                "if unsure."
            )


class Pattern:
    """Constraint: a regular expression with at most one group, or None."""

    def __init__(self, usual):
        self.usual = usual

    def check(self, name, value):
        """Raise if the value is not a str that can be compiled, and not None."""
        if value is None:
            return
        expected = f"must be a regular expression, a str; use {self.usual!r} if unsure"
        if not isinstance(value, str):
            raise TypeError(f"{name}={value!r:.100} {expected}.")
        try:
            n_groups = re.compile(value).groups
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"{name}={value!r:.100} {expected} ({error}).") from error
        if n_groups > 1:
            raise ValueError(
                f"{name}={value!r:.100} has {n_groups} groups, but at most one, which is the word, "
                "was expected; write the others as (?:...)."
            )


class Flag:
    """Constraint: True or False, or a third value, which is a string."""

    def __init__(self, or_value=None):
        self.or_value = or_value

    def check(self, name, value):
        """Raise if the value is neither a bool nor the string."""
        if isinstance(value, bool | np.bool_):
            return
        if self.or_value is None:
            raise TypeError(f"{name}={value!r} must be True or False.")
        is_text = isinstance(value, str)
        if not is_text or value != self.or_value:
            raise (ValueError if is_text else TypeError)(
                f"{name}={value!r} must be True, False or {self.or_value!r}; use False if unsure."
            )


class Seed:
    """Constraint: an argument of check_random_state.

    The error of numpy for an integer out of range does not name the parameter.
    """

    def check(self, name, value):
        """Raise if the value is an integer out of the range of seeds."""
        if isinstance(value, Integral) and not 0 <= int(value) < 2**32:
            raise ValueError(f"{name}={value!r} must be from 0 to 2**32 - 1; use 0 if unsure.")


def check_parameters(estimator, table):
    """Validate the parameters of an estimator against a dict of constraints."""
    for name, constraint in table.items():
        constraint.check(name, getattr(estimator, name))


def read_ngram_range(name, value):
    """Return the pair (shortest, longest) of int, or raise unless 1 <= shortest <= longest."""
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
    return int(shortest), int(longest)


def check_folder(name, value):
    """Raise if the value is neither None nor a possible path of a folder."""
    if value is None:
        return
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name}={value!r} must be the path of a folder, or None.")
    if not os.fspath(value):
        raise ValueError(f"{name}={value!r} is empty; give the path of a folder, or None.")
    refuse_url(value, name, "give the path of a folder, or None")
    if os.path.exists(value) and not os.path.isdir(value):
        raise ValueError(f"{name}={value!r} is a file; give the path of a folder, or None.")
