"""Validation of targets with several labels for each row: matrices of 0 and 1."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
from scipy import sparse

from .._messages import doc_link
from ._arrays import as_array, as_numbers, check_storage, find_missing, refuse_mask
from ._frames import as_table, is_frame


def has_several_labels(y):
    """Return whether y has several columns, each for a label.

    Parameters
    ----------
    y : object
        Target, as `as_table` returns it.

    Returns
    -------
    several : bool
        False for a column, for a list of the labels of rows, and for anything that is no table.
    """
    shape = getattr(y, "shape", None)
    if shape is None and isinstance(y, Sequence) and not isinstance(y, str | bytes):
        shape = (len(y), *_width_of_rows(y))
    return shape is not None and len(shape) == 2 and shape[1] != 1


def _width_of_rows(y):
    """Return the number of numbers in each row of a list, as a tuple; () if rows are no such."""
    if not len(y) or not all(isinstance(row, list | tuple | np.ndarray) for row in y):
        return ()
    widths = {np.shape(row) if isinstance(row, np.ndarray) else (len(row),) for row in y}
    is_ragged = len(widths) > 1
    return () if is_ragged or not all(map(_are_numbers, y)) else widths.pop()


def _are_numbers(row):
    """Return whether the labels of a row are numbers, which may be 0 and 1."""
    if isinstance(row, np.ndarray):
        return row.dtype.kind in "biufcO"
    return all(np.ndim(value) == 0 and not isinstance(value, str | bytes) for value in row)


def read_indicators(y, n_rows):
    """Validate a target of several columns.

    Parameters
    ----------
    y : object
        Target for which `has_several_labels` is True.
    n_rows : int
        Number of rows of X.

    Returns
    -------
    labels : ndarray of shape (n_labels,)
        Names of the columns of a frame, else their numbers.
    indicators : ndarray of shape (n_rows, n_labels), uint8
        1 where a row has a label, else 0.

    Raises
    ------
    TypeError, ValueError
        If y has values other than 0 and 1, no column, or another number of rows.
    """
    y = as_table(y, "y")
    refuse_mask(y, "y")
    labels = _name_labels(y)
    check_storage(y, "y")
    values = y.toarray() if sparse.issparse(y) else _as_matrix(y)
    if not values.shape[1]:
        raise ValueError("y has no columns; pass a column of 0 and 1 for each label.")
    if len(values) != n_rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has {n_rows} rows, "
            f"y has {len(values)}; pass one row of y for each row of X."
        )
    return labels, _check_zero_one(values)


def _name_labels(y):
    """Return the names of the columns of a frame, else their numbers."""
    if not is_frame(y):
        return np.arange(y.shape[1] if hasattr(y, "shape") else len(y[0]))
    names = list(y.columns)
    if len(set(names)) < len(names):
        again = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"y has several columns {again!r}; give each label its own name.")
    if all(isinstance(name, Integral) and not isinstance(name, bool) for name in names):
        return np.array(names, dtype=np.int64)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(
            f"y has the columns {names!r:.200}; name labels by str or int, such as by "
            "y.columns = list(map(str, y.columns))."
        )
    return np.fromiter(map(str, names), dtype=object, count=len(names))


def _as_matrix(y):
    """Return the values of a frame, an array or a list of rows."""
    return as_array(y.to_numpy() if hasattr(y, "to_numpy") else y, "y")


def _check_zero_one(values):
    """Return values as uint8; raise unless all are 0 or 1."""
    if values.dtype.kind == "O":
        missing = find_missing(values.ravel(), "y")
        if len(missing):
            _refuse_missing(missing[0] // values.shape[1])
    if values.dtype.kind not in "biufO":
        refuse_labels(f"y has several columns of dtype {values.dtype}")
    try:
        numbers = as_numbers(values, "y")
    except (TypeError, ValueError):
        refuse_labels(f"y has several columns with values such as {values.flat[0]!r:.60}")
    missing = np.isnan(numbers) if numbers.dtype.kind == "f" else np.zeros(1, bool)
    if missing.any():
        _refuse_missing(np.flatnonzero(missing)[0] // numbers.shape[1])
    is_one = numbers == 1
    others = np.argwhere(~is_one & (numbers != 0))
    if len(others):
        row, column = others[0].tolist()
        refuse_labels(
            "y has several columns with values other than 0 and 1, "
            f"{numbers[row, column].item()!r} in row {row}, as in multiclass-multioutput data"
        )
    return is_one.astype(np.uint8)


def _refuse_missing(row):
    raise ValueError(f"Input y contains NaN or None, first in row {row}; drop such rows.")


def refuse_labels(found, kind=ValueError):
    """Raise for several labels in a row that are not columns of 0 and 1.

    Parameters
    ----------
    found : str
        What y has.
    kind : type, default=ValueError
        Class of the exception.
    """
    raise kind(
        f"{found}; y must have one class label for each row, or a column of 0 and 1 for each "
        "label. From a list of the labels of each row, "
        "sklearn.preprocessing.MultiLabelBinarizer().fit_transform(y) makes such columns; for "
        "several columns of classes, use scikit-learn's MultiOutputClassifier(clf)."
        + doc_link("several-labels")
    )


def find_labels(y, n_rows, names, known):
    """Validate the target of a chunk, or of rows to score, and return labels and indicators.

    Parameters
    ----------
    y : array-like of shape (n_rows, n_labels)
        0 and 1 for each label.
    n_rows : int
        Number of rows of X.
    names : array-like of shape (n_labels,) or None
        Names of the labels, in the order of the columns; those of y if None.
    known : ndarray of shape (n_labels,) or None
        Labels of the fit, or of the first chunk. None if this is the first one.

    Returns
    -------
    labels, indicators : see `read_indicators`
        Names of the labels, and the indicators.

    Raises
    ------
    TypeError, ValueError
        If y is invalid, or its columns are not those of the first chunk.
    """
    y = as_table(y, "y")
    if not has_several_labels(y):
        raise ValueError(
            "The classifier was fitted with several labels for each row; pass y as in fit: a "
            "column of 0 and 1 for each label." + doc_link("several-labels")
        )
    found, indicators = read_indicators(y, n_rows)
    if names is not None:
        names = _read_names(names)
        _check_same_labels(names, found, "classes", names_count=is_frame(y))
        found = names
    if known is not None:
        _check_same_labels(found, known, "y", names_count=is_frame(y) or names is not None)
        return known, indicators
    return found, indicators


def _read_names(names):
    """Return the names of labels as an array, of dtype object if they are strings."""
    values = as_array(as_table(names, "classes"), "classes")
    if values.ndim != 1 or len(set(values.tolist())) < len(values):
        raise ValueError(
            f"classes={names!r:.200} must be the name of each column of y, each once; omit it to "
            "take those of y."
        )
    return values if values.dtype.kind in "iu" else values.astype(object)


def _check_same_labels(found, expected, name, *, names_count):
    """Raise unless labels are as many as expected and, if their names count, the same."""
    if len(found) == len(expected) and not (names_count and found.tolist() != expected.tolist()):
        return
    raise ValueError(
        f"{name} has the labels {found.tolist()!r:.200}, but {expected.tolist()!r:.200} were "
        "expected; pass the same columns in the same order."
    )
