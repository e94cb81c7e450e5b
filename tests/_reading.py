"""What the tests of the checks at the door share."""

import re

import pytest
from sklearn.base import BaseEstimator

from sk_ctxmem._input._rows import read_rows

NO_COLUMNS = {"text": None, "group": None, "order": None, "speaker": None}
ROLES = {name: name for name in NO_COLUMNS}
FRAME = {
    "text": ["b", "a", "c"],
    "group": [2, 1, 2],
    "order": [3.0, 1.0, 2.0],
    "speaker": ["x", None, "y"],
}


class Reader(BaseEstimator):
    """What read_rows learns the features into."""


def says(error, message):
    """Expect an error with this message and no other."""
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def read(X, groups=None, *, reader=None, reset=True, **columns):
    """Read X as a fit does."""
    reader = Reader() if reader is None else reader
    return read_rows(reader, X, groups, NO_COLUMNS | columns, reset=reset)
