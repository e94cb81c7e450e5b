"""What the tests of hostile input share."""

import re
import traceback
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import sklearn.utils

import sk_ctxmem
from sk_ctxmem import ContextMemoryClassifier

# Tests of odd values that numpy 1.26, pandas 2.2 or torch 2.6 read in another way than today's.
MISREAD_BEFORE_NUMPY_2 = {
    "test_labels_of_any_kind_come_back[enumeration of strings]",
    "test_bad_labels_are_named[bytes]",
    "test_bad_labels_are_named[bytes in a list]",
    "test_bad_labels_are_named[records]",
    "test_groups_in_any_form_are_those_of_numbers[records]",
    "test_groups_in_any_form_are_those_of_numbers[strings with NUL]",
    "test_groups_in_any_form_are_those_of_numbers[lone surrogates]",
    "test_ids_of_any_kind_tell_groups_apart[strings with NUL]",
    "test_ids_of_any_kind_tell_groups_apart[lone surrogates]",
    "test_speakers_of_any_kind_are_known_again[lone surrogates]",
    "test_bad_frames_are_named[numbers in the place of texts]",
    "test_bad_features_are_named[sparse tensor]",
    "test_bad_columns_are_named[pyarrow null]",
}
OURS = [Path(sk_ctxmem.__file__).parent, Path(sklearn.utils.__file__).parent]


def string_dtype(**params):
    """Return numpy's type for strings of any length, that of objects before numpy 2."""
    return np.dtypes.StringDType(**params) if hasattr(np.dtypes, "StringDType") else object


def small(**params):
    """Return a classifier that fits at once."""
    settings = {"hidden_size": 8, "max_epochs": 1, "random_state": 0}
    return ContextMemoryClassifier(**(settings | params))


@contextmanager
def refused(error, *parts):
    """Expect an error that this package, or scikit-learn's validation, raises on purpose.

    The message must hold the parts in their order. The last line of the traceback must be one
    that raises: an IndexError that numpy throws out of a line of ours does not count.
    """
    with pytest.raises(error, match="(?s)" + ".*".join(map(re.escape, parts))) as info:
        yield
    last = traceback.extract_tb(info.tb)[-1]
    is_ours = any(Path(last.filename).is_relative_to(folder) for folder in OURS)
    assert is_ours, f"raised in {last.filename}"
    assert last.line.startswith("raise "), f"not raised on purpose: {last.line}"


def assert_probabilities(found, n_rows, n_classes):
    """Raise unless these are probabilities of so many rows and classes."""
    assert found.shape == (n_rows, n_classes)
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)


def objects(values):
    """Return an array that has each value as one object, be it a list or a tuple."""
    return np.fromiter(values, dtype=object, count=len(values))


class Unhashable:
    """Something that no dict takes as a key."""

    __hash__ = None

    def __repr__(self):
        return "Unhashable()"


class Unordered:
    """Something that cannot be compared."""

    def __repr__(self):
        return "Unordered()"
