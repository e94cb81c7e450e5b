"""Conversion of user input to arrays.

Raises errors that name the argument where numpy, pandas or scipy would raise without naming it, or
accept a bad value silently.
"""

import numpy as np
import pandas as pd
from scipy import sparse

FLOAT32_MAX = float(np.finfo(np.float32).max)


def is_text(value):
    """Return whether a value is a str or bytes."""
    return isinstance(value, str | bytes | bytearray | memoryview)


def is_missing(value):
    """Return whether a scalar is None, NaN, NaT or NA."""
    if isinstance(value, float | np.floating | np.datetime64):
        return bool(value != value)
    return any(value is missing for missing in (None, pd.NA, pd.NaT, np.ma.masked))


def as_array(values, name, dtype=None):
    """Convert values to an array; arrays and sparse matrices are returned unchanged.

    Parameters
    ----------
    values : array-like
        User input.
    name : str
        Name of the argument for error messages.
    dtype : dtype, default=None
        Dtype of the array if `values` has to be converted.

    Returns
    -------
    array : ndarray or sparse matrix
        Converted values.

    Raises
    ------
    TypeError, ValueError
        If the values cannot be converted to an array, or contain masked values.
    """
    refuse_mask(values, name)
    if isinstance(values, np.ndarray) or sparse.issparse(values):
        return values
    try:
        return np.asarray(values, dtype=dtype)
    except Exception as error:  # raised by numpy, or by the class of the values
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(
            f"{name} is a {type(values).__name__} that cannot be converted to an array ({error}); "
            "pass one str for each row, or the same number of numeric features for each row."
        ) from error


def as_objects(values):
    """Convert a sequence to an object array; each tuple becomes one element."""
    return np.fromiter(values, dtype=object, count=len(values))


def as_native(values):
    """Convert an array of another byte order, such as of a mapped file: pandas refuses it."""
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


def refuse_mask(values, name):
    """Raise if an array contains masked values: conversion to ndarray would unmask them."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        row = np.argwhere(np.ma.getmaskarray(values))[0][0]
        raise ValueError(
            f"{name} has a masked value in row {row}; fill it with .filled(), or drop the row."
        )


def as_numbers(values, name):
    """Convert an object array to float; numeric arrays are returned unchanged.

    Missing values become NaN.
    """
    if sparse.issparse(values) or values.dtype.kind in "biufc":
        return values
    if values.dtype.kind != "O":
        remedy = f"convert it, or pass {_form_of_texts(values)}"
        if values.dtype.names:
            remedy = f"pass pandas.DataFrame({name})"
        raise TypeError(f"{name} has dtype {values.dtype}, but numbers were expected; {remedy}.")
    try:
        return np.where(pd.isna(values), np.nan, values).astype(np.float64)
    except (TypeError, ValueError, ArithmeticError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{name} contains values that are not numbers ({error}); pass numbers, or "
            f"{_form_of_texts(values)}."
        ) from error


def _form_of_texts(values):
    """Return how to pass texts; numpy makes an array of lists of them that are of one length."""
    form = "texts as a list of one str for each row"
    is_table = values.ndim == 2 and values.shape[1] > 1
    return form + ", or a list of lists of str if samples are sequences" * is_table


def find_missing(values, name):
    """Return the indices of the rows whose value is None, NaN, NaT or NA."""
    try:
        return np.flatnonzero(pd.isna(values))
    except ArithmeticError as error:  # raised for a signalling NaN
        raise ValueError(
            f"{name} has a value that cannot be compared ({error}); drop its row."
        ) from error


def check_hashable(values, name):
    """Raise if a value is not hashable, such as a list."""
    if values.dtype != object or set(map(type, values)) <= {str, int, float}:
        return
    for row, value in enumerate(values):
        try:
            hash(value)
        except TypeError as error:
            raise TypeError(
                f"{name} has {value!r} in row {row}, of type {type(value).__name__}, which is not "
                "hashable; convert it to a str, a number or a tuple."
            ) from error


def check_storage(X, name="X"):
    """Raise if a sparse matrix has indices out of bounds: reading them would corrupt memory."""
    if not sparse.issparse(X):
        return
    if X.ndim > 2:
        raise ValueError(
            f"{name} has {X.ndim} dimensions; pass a sparse matrix of shape (n_samples, "
            "n_features)."
        )
    if X.format not in ("csr", "csc", "bsr"):
        return
    try:
        parts = (X.data, X.indices, X.indptr)
        type(X)(parts, shape=X.shape).check_format(full_check=True)  # may modify its matrix
    except (ValueError, IndexError) as error:
        raise ValueError(
            f"{name} is a corrupt {type(X).__name__} ({error}); build it again from its entries, "
            "for example with coo_array."
        ) from error


def check_float32_range(X, name="X"):
    """Raise if a feature overflows float32; return X, converted to float32 if it is float16."""
    values = X.data if sparse.issparse(X) else X
    if values.dtype.kind == "f" and values.size and values.dtype.itemsize > 4:
        largest = max(values.max(), -values.min())
        if largest > FLOAT32_MAX:
            raise ValueError(
                f"{name} has a value of magnitude {float(largest):.3g}, which is too large for "
                f"float32; divide {name} by a constant."
            )
    return X.astype(np.float32) if values.dtype == np.float16 else X


def as_column(values):
    """Return values as a Series; of dtype object if a str has a lone surrogate.

    The str dtype of pandas raises UnicodeEncodeError for lone surrogates, which names of classes
    and texts may have.
    """
    try:
        return pd.Series(values)
    except UnicodeEncodeError:
        return pd.Series(values, dtype=object)
