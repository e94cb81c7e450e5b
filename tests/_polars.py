"""Columns and frames of polars for tests, which skip where it is not installed."""

import pytest


def polars_series(values):
    """Return values as a Series of polars."""
    return pytest.importorskip("polars").Series(values)


def polars_frame(texts):
    """Return texts as the one column of a frame of polars."""
    return pytest.importorskip("polars").DataFrame({"said": texts})


def polars_from_pandas(frame):
    """Return a frame of pandas as one of polars, which needs pyarrow for it."""
    pytest.importorskip("pyarrow")
    return pytest.importorskip("polars").from_pandas(frame)
