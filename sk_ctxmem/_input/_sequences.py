"""Sequences: an X whose samples are conversations or series of steps, laid out as rows.

A sequence is one sample, and each of its steps is a row. `flatten_sequences` puts the rows of all
sequences one below another, in the forms that rows have anyway, so that nothing after it asks how
the user passed them.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from numbers import Number
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from scipy import sparse

from .._messages import doc_link
from ._arrays import as_array, as_numbers, is_missing, is_text
from ._frames import as_table, column_names, is_frame

# what elements of X are; the first four are sequences
NAMES = {
    "texts": "texts",
    "frame": "a frame",
    "array": "an array of steps",
    "sparse": "a sparse matrix",
    "numbers": "numbers",
    "empty": "empty",
    "missing": "missing",
    None: "something else",
}
NOTHING = ("empty", "missing")
NOT_FINITE = re.compile(r"^Input X contains (NaN|infinity)")
PADDING = (
    " If steps only pad a sequence, leave them out: a list of arrays may have any length each."
    + doc_link("kinds-of-input")
)
ROW = re.compile(r"(?<=\bin )row (\d+)\b")


@dataclass
class Sequences:
    """Rows of all sequences, one below another.

    Parameters
    ----------
    rows : list of str, ndarray or CSR matrix of shape (n_rows, n_features), or DataFrame
        The rows.
    lengths : ndarray of shape (n_sequences,), int64
        Number of rows of each sequence.
    kind : {"texts", "frame", "array", "sparse"}
        What the sequences are.
    """

    rows: Any
    lengths: np.ndarray
    kind: str

    @property
    def groups(self):
        """Number of the sequence of each row."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def place(self, row):
        """Return the step and the sequence of a row in words."""
        ends = np.cumsum(self.lengths)
        number = int(np.searchsorted(ends, row, side="right"))
        return f"step {row - int(ends[number] - self.lengths[number])} of sequence {number}"

    def locate(self, error):
        """Return an error about rows as one about the steps of sequences.

        Parameters
        ----------
        error : TypeError or ValueError
            What was raised for the rows.

        Returns
        -------
        error : TypeError or ValueError
            The same, in which "row 17" is "step 2 of sequence 5".
        """
        message = ROW.sub(self._place_of, str(error), count=1)
        found = NOT_FINITE.search(message)
        if found and (row := _find_not_finite(self.rows, found[1])) is not None:
            message = message.replace(found[0], f"{found[0]} in {self.place(row)}", 1)
            if found[1] == "NaN":
                message += PADDING
        return (TypeError if isinstance(error, TypeError) else ValueError)(message)

    def _place_of(self, row):
        """Return the place of a match of ROW, unless it is a number in a value of the user."""
        number = int(row[1])
        return self.place(number) if number < self.lengths.sum() else row[0]


def flatten_sequences(X):
    """Lay sequences out as rows.

    Parameters
    ----------
    X : object
        User input, as `as_table` returns it. Sequences are a list, tuple, object array or Series
        of lists of str, of frames, or of arrays or sparse matrices of shape (n_steps, n_features),
        or an array of shape (n_sequences, n_steps, n_features).

    Returns
    -------
    sequences : Sequences or None
        The rows. None if X is something else, such as a list of texts, or is empty.

    Raises
    ------
    TypeError, ValueError
        If a sequence is empty, of another kind than the first, or has other features.
    """
    if getattr(X, "is_text_sequences", False) or sparse.issparse(X):
        return None
    n_dimensions = len(getattr(X, "shape", ()))
    if n_dimensions > 2:
        return _flatten_array(as_array(X, "X"))
    elements = _elements(X)
    kind = next((kind for kind in map(_kind_of, elements or ()) if kind not in NOTHING), None)
    if kind == "numbers":
        _refuse_other_lengths(elements)
    if elements and all(isinstance(each, list | tuple) and not each for each in elements):
        _count_steps(elements)
    if kind not in JOIN:
        return None
    _check_kinds(elements, kind)
    lengths = _count_steps(elements)
    return Sequences(JOIN[kind](elements), lengths, kind)


def _flatten_array(X):
    """Return the rows of an array of three dimensions."""
    if X.ndim > 3:
        raise ValueError(
            f"X has the shape {X.shape}; sequences have three dimensions, (n_sequences, n_steps, "
            "n_features): reshape X, so that each step has one row of features."
            + doc_link("kinds-of-input")
        )
    lengths = _count_steps(X)
    rows = X.reshape(X.shape[0] * X.shape[1], X.shape[2])
    try:
        rows = as_numbers(rows, "X")
    except (TypeError, ValueError) as error:
        raise (TypeError if isinstance(error, TypeError) else ValueError)(
            f"X is an array of shape {X.shape} and dtype {X.dtype}, but not of numbers. numpy "
            "makes such an array of frames or lists of one length: pass a list of them."
            + doc_link("kinds-of-input")
        ) from error
    return Sequences(rows, lengths, "array")


def _elements(X):
    """Return the elements of a list, object array or Series that may be sequences, or None."""
    is_column = isinstance(X, np.ndarray | pd.Series) and X.ndim == 1 and X.dtype.kind == "O"
    if not is_column and (is_text(X) or not isinstance(X, Sequence)):
        return None
    elements = X.tolist() if isinstance(X, np.ndarray | pd.Series) else X
    first = next((each for each in elements if not is_missing(each)), None)
    if first is None or _is_single(first):
        return None  # without a look at each of many texts or numbers
    if set(map(type, elements)) <= {list, tuple, np.ndarray, pd.DataFrame}:
        return elements
    return [as_table(each, f"sequence {number} of X") for number, each in enumerate(elements)]


def _is_single(value):
    """Return whether a value is a text, a number or a mapping, and no sequence."""
    return is_text(value) or isinstance(value, Number | np.generic | Mapping)


def _kind_of(element):
    """Return what an element of X is, a key of NAMES."""
    if isinstance(element, list | tuple):
        return _kind_of_list(element)
    # the two most common kinds first: the steps below take longer than to join them
    if isinstance(element, pd.DataFrame):
        return "frame"
    if type(element) is np.ndarray and element.ndim > 1:
        return "array"
    if isinstance(element, pd.Series):  # one of several types is rather a row of a frame
        return "texts" if all(map(_is_text_or_missing, element)) else None
    if is_missing(element):
        return "missing"
    if _is_single(element) or getattr(element, "is_text_sequences", False):
        return None
    if is_frame(element):
        return "frame"
    n_dimensions = len(getattr(element, "shape", ()))
    if n_dimensions == 1 and not sparse.issparse(element):
        return _kind_of_list(element.tolist())
    if n_dimensions < 2:
        return None
    return "sparse" if sparse.issparse(element) else "array"


def _kind_of_list(element):
    """Return what a list or tuple is, by its first value that is not missing."""
    if not element:
        return "empty"
    first = next((value for value in element if not is_missing(value)), None)
    if first is None:
        return "missing"
    if is_text(first):
        # a named tuple, or a tuple of a text and a number, is rather a row of a table
        is_row = isinstance(element, tuple) and not all(map(_is_text_or_missing, element))
        return None if is_row or hasattr(element, "_fields") else "texts"
    if isinstance(first, Number | np.generic):
        return "numbers"
    is_list = isinstance(first, list | tuple) or len(getattr(first, "shape", ())) > 0
    return "array" if is_list else None


def _is_text_or_missing(value):
    return isinstance(value, str) or is_missing(value)


def _refuse_other_lengths(elements):
    """Raise if lists of numbers have different lengths; those of one length are features."""
    if not all(hasattr(each, "__len__") for each in elements):
        return
    lengths = list(map(len, elements))
    if len(set(lengths)) < 2 or not {"numbers", *NOTHING}.issuperset(map(_kind_of, elements)):
        return
    other = next(number for number, length in enumerate(lengths) if length != lengths[0])
    raise ValueError(
        f"X has {lengths[0]} numbers in element 0, but {lengths[other]} in element {other}. Rows "
        "of features need the same number of features each; sequences of one number a step need "
        "two dimensions: pass [numpy.reshape(sequence, (-1, 1)) for sequence in X]."
        + doc_link("kinds-of-input")
    )


def _check_kinds(elements, kind):
    """Raise if a sequence is of another kind than the first."""
    if kind == "texts" and set(map(type, elements)) <= {list, tuple}:
        return  # each text is checked later
    for number, each in enumerate(elements):
        found = _kind_of(each)
        if found not in (kind, "empty"):
            shown = " ".join(repr(each).split())
            raise TypeError(
                f"X mixes kinds of sequences: the first of them is {NAMES[kind]}, but sequence "
                f"{number} is {NAMES[found]}, {shown:.60} of type {type(each).__name__}; pass "
                "sequences of one kind." + doc_link("kinds-of-input")
            )


def _count_steps(elements):
    """Return the number of steps of each sequence; raise if one is empty."""
    counts = (each.shape[0] if sparse.issparse(each) else len(each) for each in elements)
    lengths = np.fromiter(counts, dtype=np.int64, count=len(elements))
    empty = np.flatnonzero(lengths == 0)
    if len(empty):
        raise ValueError(
            f"X has no step in {len(empty)} of {len(lengths)} sequences, the first of them "
            f"sequence {empty[0]}; drop it and its label, or give it a step."
            + doc_link("kinds-of-input")
        )
    return lengths


def _join_texts(elements):
    """Return the texts of all sequences."""
    return list(chain.from_iterable(elements))


def _join_arrays(elements):
    """Return one array of the arrays of all sequences."""
    arrays = [_as_steps(each, f"sequence {number} of X") for number, each in enumerate(elements)]
    _check_shapes(arrays)
    return np.concatenate(arrays)


def _as_steps(element, name):
    """Return an array of steps; one of objects may be a column of lists of another library."""
    is_column = isinstance(element, np.ndarray) and element.dtype == object and element.ndim == 1
    return as_array(element.tolist() if is_column else element, name)


def _join_sparse(elements):
    """Return one sparse matrix of those of all sequences."""
    _check_shapes(elements)
    return sparse.vstack(elements, format="csr")


def _check_shapes(arrays):
    """Raise unless all arrays have two dimensions and the same number of columns."""
    for number, array in enumerate(arrays):
        if array.ndim != 2:
            raise ValueError(
                f"sequence {number} of X has the shape {array.shape}, but (n_steps, n_features) "
                "was expected; pass one row of features for each step." + doc_link("kinds-of-input")
            )
        if array.shape[1] != arrays[0].shape[1]:
            raise ValueError(
                f"sequence {number} of X has {array.shape[1]} features, but sequence 0 has "
                f"{arrays[0].shape[1]}; give each step of all sequences the same features. If time "
                "is the second axis, pass [x.T for x in X]." + doc_link("kinds-of-input")
            )


def _join_frames(elements):
    """Return one frame of those of all sequences, of their library if that can join their types."""
    names = column_names(elements[0])
    frames = [_with_columns(each, names, number) for number, each in enumerate(elements)]
    if not any(isinstance(frame, pd.DataFrame) for frame in frames):
        with suppress(Exception):  # of the library: columns of other types, such as int and float
            return nw.concat(frames, how="vertical")
    frames = [each if isinstance(each, pd.DataFrame) else each.to_pandas() for each in frames]
    return pd.concat(frames, ignore_index=True)


def _with_columns(frame, names, number):
    """Return a frame with its columns in the order of the first; raise if it has others."""
    present = column_names(frame)
    if present == names:
        return frame
    missing = [name for name in names if name not in present]
    others = [name for name in present if name not in names]
    if missing or others or len(present) != len(names):
        raise ValueError(
            f"sequence {number} of X has other columns than sequence 0: it lacks {missing} and "
            f"has {others} besides; give all frames the same columns." + doc_link("columns")
        )
    return frame[names]


def _find_not_finite(rows, kind):
    """Return the first row with NaN or infinity, or None if it is not found."""
    is_wrong = np.isnan if kind == "NaN" else np.isinf
    if sparse.issparse(rows):
        wrong = np.flatnonzero(is_wrong(rows.data))
        return int(np.searchsorted(rows.indptr, wrong[0], side="right")) - 1 if len(wrong) else None
    if isinstance(rows, nw.DataFrame):
        rows = rows.to_pandas()
    if isinstance(rows, pd.DataFrame):
        rows = rows.select_dtypes("number").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(is_wrong(as_numbers(rows, "X")).any(axis=1))
    return int(wrong[0]) if len(wrong) else None


JOIN = {
    "texts": _join_texts,
    "frame": _join_frames,
    "array": _join_arrays,
    "sparse": _join_sparse,
}
