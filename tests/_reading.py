"""What the tests of the checks at the door share."""

import re
from dataclasses import replace

import pytest

from sk_ctxmem._input._rows import InputSchema, read_rows, read_training_rows

NO_COLUMNS = {"text": None, "group": None, "order": None, "speaker": None}
ROLES = {name: name for name in NO_COLUMNS}
FRAME = {
    "text": ["b", "a", "c"],
    "group": [2, 1, 2],
    "order": [3.0, 1.0, 2.0],
    "speaker": ["x", None, "y"],
}
EMPTY = InputSchema("text", NO_COLUMNS, None, None, "Reader")


class Reader:
    """Keeps the form of the X of the last fit, as an estimator does."""

    schema = EMPTY

    @property
    def learned(self):
        """Number and names of the features, where there are some."""
        names = self.schema.feature_names_in
        found = {
            "n_features_in_": self.schema.n_features_in,
            "feature_names_in_": None if names is None else names.tolist(),
        }
        return {name: value for name, value in found.items() if value is not None}


def says(error, message):
    """Expect an error with this message and no other."""
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def read(X, groups=None, *, reader=None, reset=True, kind=None, **columns):
    """Read X as a fit does, or as a prediction after a fit on X of some kind."""
    reader = Reader() if reader is None else reader
    columns = NO_COLUMNS | columns
    if reset:
        rows, reader.schema = read_training_rows(X, groups, columns, "Reader")
        return rows
    schema = replace(reader.schema, columns=columns, kind=kind or reader.schema.kind)
    return read_rows(X, groups, schema)
