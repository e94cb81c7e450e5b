"""Arrays out of what a user passes.

Where numpy, pandas or scipy would fail, or go on in silence, an error here names what it is about.
"""

import numpy as np
import pandas as pd
from scipy import sparse

LARGEST = float(np.finfo(np.float32).max)


def as_array(values, name, dtype=None):
    """Return values as an array, arrays and sparse matrices as they are.

    Parameters
    ----------
    values : array-like
        What the user passed.
    name : str
        What to call it in messages.
    dtype : dtype, default=None
        Type of the array, where numpy has to make one.

    Returns
    -------
    array : ndarray or sparse matrix
        The values.

    Raises
    ------
    TypeError, ValueError
        If they cannot become an array, or are masked.
    """
    refuse_mask(values, name)
    if isinstance(values, np.ndarray) or sparse.issparse(values):
        return values
    try:
        return np.asarray(values, dtype=dtype)
    except Exception as error:  # of numpy, or of the class of the values
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(
            f"{name} is a {type(values).__name__} that cannot become an array ({error}); pass one "
            "str for each row, or numbers, as many in each row."
        ) from error


def as_objects(values):
    """Return the elements of a sequence as an array of objects, tuples as one object each."""
    return np.fromiter(values, dtype=object, count=len(values))


def refuse_mask(values, name):
    """Raise if a masked array hides some values: arrays made of it would show them again."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        row = np.argwhere(np.ma.getmaskarray(values))[0][0]
        raise ValueError(
            f"{name} has a masked value in row {row}; fill it with .filled(), or drop the row."
        )


def refuse_tables(X, name):
    """Raise if values are of a library whose tables have to be converted first."""
    kind, library = type(X).__name__, type(X).__module__.partition(".")[0]
    if library == "pyarrow" or (library == "polars" and kind == "LazyFrame"):
        remedy = "to_pandas()" if library == "pyarrow" else "collect()"
        raise TypeError(f"{name} is a {kind} of {library}; pass what its method {remedy} returns.")


def as_numbers(values, name):
    """Return an array of objects as numbers, one of numbers as it is; missing ones are NaN."""
    if sparse.issparse(values) or values.dtype.kind in "biufc":
        return values
    if values.dtype.kind != "O":
        raise TypeError(
            f"{name} has the type {values.dtype}, where numbers were expected; convert it, or pass "
            "texts as a list of one str for each row."
        )
    try:
        return np.where(pd.isna(values), np.nan, values).astype(np.float64)
    except (TypeError, ValueError, ArithmeticError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            f"{name} holds what is no number ({error}); pass numbers, or texts as a list of one "
            "str for each row."
        ) from error


def find_missing(values, name):
    """Return the rows in which None, NaN, NaT or NA stand."""
    try:
        return np.flatnonzero(pd.isna(values))
    except ArithmeticError as error:  # of a signalling NaN
        raise ValueError(
            f"{name} has a value that cannot be compared ({error}); drop its row."
        ) from error


def check_hashable(values, name):
    """Raise if rows cannot be told apart by a value, as by a list."""
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


def check_storage(X):
    """Raise if a sparse matrix has entries outside of it: reading those would corrupt memory."""
    if not sparse.issparse(X):
        return
    if X.ndim > 2:
        raise ValueError(
            f"X has {X.ndim} dimensions; pass a sparse matrix of two, rows and columns."
        )
    if X.format not in ("csr", "csc", "bsr"):
        return
    try:
        parts = (X.data, X.indices, X.indptr)
        type(X)(parts, shape=X.shape).check_format(full_check=True)  # which may change its own
    except (ValueError, IndexError) as error:
        raise ValueError(
            f"X is a damaged {type(X).__name__} ({error}); make it anew from its entries, such as "
            "by coo_array."
        ) from error


def check_sizes(X):
    """Return features that single precision has room for, or raise."""
    values = X.data if sparse.issparse(X) else X
    if values.dtype.kind == "f" and values.size and values.dtype.itemsize > 4:
        largest = max(values.max(), -values.min())
        if largest > LARGEST:
            raise ValueError(
                f"X has {float(largest):.3g} as its largest number in size, which is too large for "
                f"single precision; divide X by a constant."
            )
    return X.astype(np.float32) if values.dtype == np.float16 else X
