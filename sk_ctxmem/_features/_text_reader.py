"""TextReader: any vectorizer, the form of the texts that it takes, and checks of its output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from .._input._arrays import as_numbers, check_float32_range, check_storage, refuse_mask
from ._sequences import TextSequences
from ._vectorizer import TextSequenceVectorizer

FORMS = ("list", "Series", "array", "DataFrame", "2-D array")  # in the order of trying them
# These do not come from the form of the texts: no other form is tried, which may take long.
OTHER_ERRORS = (MemoryError, NotFittedError, OSError, RuntimeError, Warning)


@dataclass(frozen=True)
class TextReader:
    """A fitted vectorizer, and what `fit` found out about it.

    Parameters
    ----------
    vectorizer : transformer
        Fitted vectorizer.
    form : {"list", "Series", "array", "DataFrame", "2-D array"}, default="list"
        What the vectorizer takes: a list of str, a Series, an array of objects, or a DataFrame or
        an array of one column.
    name : object, default="text"
        Name of the Series, or of the column.
    n_columns : int or None, default=None
        Number of columns that the vectorizer returned in `fit`. None if not known.
    role : {"vectorizer", "embedder"}, default="vectorizer"
        Parameter of the classifier, which messages name.
    """

    vectorizer: Any
    form: str = "list"
    name: Any = "text"
    n_columns: int | None = None
    role: str = "vectorizer"

    def read(self, texts: list[str]) -> Any:
        """Convert texts to TextSequences, or to a checked csr_array or ndarray."""
        output = self.vectorizer.transform(_put_in_form(texts, self.form, self.name))
        if type(self.vectorizer) is TextSequenceVectorizer:
            return output
        return check_output(output, self.vectorizer, len(texts), self.n_columns, self.role)


def fit_text_reader(vectorizer, texts, labels, name="text", role="vectorizer"):
    """Fit a copy of a vectorizer to texts and class labels, as a Pipeline does.

    Parameters
    ----------
    vectorizer : transformer or None
        The vectorizer; None for a TextSequenceVectorizer.
    texts : list of str
        The texts.
    labels : ndarray of shape (n_texts,)
        Class label of each text.
    name : object, default="text"
        Name of the texts, for vectorizers that read columns.
    role : {"vectorizer", "embedder"}, default="vectorizer"
        Parameter of the classifier, which messages name.

    Returns
    -------
    reader : TextReader
        Reads texts with the fitted copy.
    values : TextSequences, csr_array or ndarray of n_texts
        Features of the texts.
    """
    if vectorizer is None:
        vectorizer = TextSequenceVectorizer()
    _check_transformer(vectorizer, role)

    def fit(form):
        fitted = clone(vectorizer)
        return fitted, _fit_transform(fitted, _put_in_form(texts, form, name), labels)

    return _make_reader(vectorizer, texts, name, role, fit)


def open_text_reader(vectorizer, texts, name="text", role="vectorizer"):
    """Return the TextReader of a vectorizer that is already fitted, and the features of texts."""
    return _make_reader(
        vectorizer,
        texts,
        name,
        role,
        lambda form: (vectorizer, vectorizer.transform(_put_in_form(texts, form, name))),
    )


def unfrozen(vectorizer):
    """Return the vectorizer inside a FrozenEstimator; others as they are."""
    return vectorizer.estimator if isinstance(vectorizer, FrozenEstimator) else vectorizer


def _make_reader(vectorizer, texts, name, role, use):
    """Find the form of texts that a vectorizer takes; `use` returns its fit and its output."""
    form, (fitted, output) = _try_forms(vectorizer, len(texts), role, use)
    values = check_output(output, fitted, len(texts), role=role)
    return TextReader(fitted, form, name, values.shape[1], role), values


def _try_forms(vectorizer, n_rows, role, use):
    """Return the first form of texts that a vectorizer takes, and the result of `use`.

    A form after the first counts only if the output has a row for each text: a vectorizer that
    iterates over a DataFrame reads the names of its columns.
    """
    declared = _declared_form(vectorizer)
    if declared is not None:
        return declared, use(declared)
    errors = {}
    for form in FORMS:
        try:
            found = use(form)
        except OTHER_ERRORS:
            raise
        except Exception as error:  # of any library
            errors[form] = error
            continue
        if not errors or _n_rows(found[1]) == n_rows:
            return form, found
    first, *others = errors.items()
    reasons = [first, *((form, error) for form, error in others if str(error) != str(first[1]))]
    shown = "; ".join(f"{form}: {type(error).__name__}: {error!s:.300}" for form, error in reasons)
    kind = TypeError if isinstance(first[1], TypeError) else ValueError
    raise kind(
        f"The {_name(vectorizer, role)} takes the texts neither as a list of str nor as a "
        f"Series, an array, or a DataFrame or array of one column ({shown})."
    ) from first[1]


def _declared_form(vectorizer):
    """Return the form of texts that the first step of a vectorizer declares, or None."""
    while isinstance(getattr(vectorizer, "steps", None), list):
        vectorizer = vectorizer.steps[0][1]
    if getattr(vectorizer, "__single_column_transformer__", False):  # a convention of skrub
        return "Series"
    if isinstance(vectorizer, ColumnTransformer):
        return "DataFrame"
    try:
        tags = vectorizer.__sklearn_tags__().input_tags
    except AttributeError:  # not derived from BaseEstimator
        return None
    return "list" if tags.string and not tags.two_d_array else None


def _put_in_form(texts, form, name):
    """Return a list of texts in another form."""
    if form == "list":
        return texts
    series = pd.Series(texts, name=name, dtype=object)  # str dtype fails on lone surrogates
    if form == "Series":
        return series
    values = series.to_frame() if form == "DataFrame" else series.to_numpy(copy=True)
    return values[:, np.newaxis] if form == "2-D array" else values


def _check_transformer(vectorizer, role):
    """Raise TypeError unless a vectorizer can be fitted, can transform, and can be cloned."""
    can_fit = hasattr(vectorizer, "fit_transform") or hasattr(vectorizer, "fit")
    if isinstance(vectorizer, type) or not can_fit or not hasattr(vectorizer, "transform"):
        raise TypeError(
            f"{role}={vectorizer!r} must be a transformer of texts, such as "
            "TextSequenceVectorizer() or TfidfVectorizer(), or None."
        )
    if not hasattr(vectorizer, "get_params") and not hasattr(vectorizer, "__sklearn_clone__"):
        raise TypeError(
            f"{role}={vectorizer!r:.200} has no get_params, so that it cannot be copied before "
            "it is fitted; derive its class from sklearn.base.BaseEstimator."
        )


def _fit_transform(vectorizer, texts, labels):
    """Fit a vectorizer in place, as a Pipeline fits a step, and return its output."""
    has_both = hasattr(vectorizer, "fit_transform")
    method = vectorizer.fit_transform if has_both else vectorizer.fit
    output = method(texts, labels) if _takes_labels(method) else method(texts)
    return output if has_both else vectorizer.transform(texts)


def _takes_labels(method):
    """Return whether the second argument of a method may be y: it is required, or None."""
    try:
        parameters = signature(method).parameters.values()
    except ValueError:  # compiled, without a signature
        return True
    by_place = [each for each in parameters if each.kind != Parameter.KEYWORD_ONLY]
    if any(each.kind == Parameter.VAR_POSITIONAL for each in by_place[:2]):
        return True
    by_place = [each for each in by_place if each.kind != Parameter.VAR_KEYWORD]
    return len(by_place) > 1 and by_place[1].default in (Parameter.empty, None)


def check_output(output, vectorizer, n_rows, n_columns=None, role="vectorizer"):
    """Validate the output of a vectorizer: numbers, and one row for each text.

    Parameters
    ----------
    output : object
        Output of the vectorizer.
    vectorizer : transformer
        The vectorizer, which messages name.
    n_rows : int
        Number of texts.
    n_columns : int or None, default=None
        Number of columns in fit; None for any.
    role : {"vectorizer", "embedder"}, default="vectorizer"
        Parameter of the classifier, which messages name.

    Returns
    -------
    values : TextSequences, csr_array or ndarray of shape (n_rows, n_columns)
        Finite numbers.

    Raises
    ------
    TypeError, ValueError
        If the output is anything else.
    """
    name = _name(vectorizer, role)
    is_text = isinstance(output, TextSequences)
    values = output if is_text or sparse.issparse(output) else _as_array(output, name)
    _check_shape(values.shape, name, n_rows, n_columns)
    return values if is_text else _check_numbers(values, name)


def check_dense_output(output, embedder, n_rows, n_columns=None):
    """Validate the output of an embedder, as `check_output` does, and return it as float32.

    Raises
    ------
    TypeError, ValueError
        If the output is anything else, or sparse.
    """
    name = _name(embedder, "embedder")
    if sparse.issparse(output) or isinstance(output, TextSequences):
        raise TypeError(
            f"The {name} returned sparse features, but vectors were expected; pass it as "
            "vectorizer=, or reduce its features by TruncatedSVD in a Pipeline."
        )
    values = check_output(output, embedder, n_rows, n_columns, "embedder")
    return np.ascontiguousarray(values, dtype=np.float32)


def _name(vectorizer, role):
    return f"{role} {getattr(vectorizer, '__qualname__', type(vectorizer).__name__)}"


def _output_of(name):
    return f"the output of the {name}"


def _n_rows(output):
    """Return the number of rows of any output, or None."""
    shape = getattr(output, "shape", None)
    if shape is None:
        return len(output) if hasattr(output, "__len__") else None
    return shape[0] if len(shape) else None


def _as_array(output, name):
    """Convert dense output, which may be a frame, a tensor, or a list of rows, to an array."""
    if isinstance(output, Iterator):
        output = list(output)
    refuse_mask(output, _output_of(name))
    try:
        if isinstance(output, list | tuple):
            output = [_leave_torch(row) for row in output]
        values = np.asarray(_leave_torch(output))
        if not values.ndim:
            raise TypeError("it has no rows")
        return values
    except Exception as error:  # raised by numpy, or by the class of the output
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(
            f"The {name} returned a {type(output).__name__} that cannot be converted to "
            f"an array ({error}); return an array, or a sparse matrix, of one row for each text."
        ) from error


def _leave_torch(values):
    """Return a tensor, which may have a gradient or be on a GPU, as an array; others as they are.

    This module must not import torch.
    """
    if not hasattr(values, "detach"):
        return values
    values = values.detach().cpu()
    try:
        return values.numpy()
    except TypeError:  # bfloat16, which numpy does not have
        return values.float().numpy()


def _check_shape(shape, name, n_rows, n_columns):
    """Raise ValueError unless there is a row for each text, and the columns are those of fit."""
    if len(shape) != 2:
        raise ValueError(
            f"The {name} returned an array of shape {tuple(shape)}, but one of 2 "
            f"dimensions, ({n_rows}, n_features), was expected; return one vector for each text, "
            "such as the mean over its tokens, or reshape(-1, 1) for one number."
        )
    if shape[0] != n_rows:
        raise ValueError(
            f"The {name} returned {shape[0]} rows for {n_rows} texts, but one row for "
            "each text was expected; average the rows of a text that it splits, and return a row "
            "of zeros for a text that it skips."
        )
    if not shape[1] or n_columns not in (None, shape[1]):
        wanted = "at least one was" if n_columns is None else f"{n_columns}, as in fit, were"
        raise ValueError(
            f"The {name} returned {shape[1]} columns, but {wanted} expected; return the "
            "same columns for any texts."
        )


def _check_numbers(values, name):
    """Return an ndarray or csr_array of finite numbers that fit in single precision."""
    subject = _output_of(name)
    is_sparse = sparse.issparse(values)
    if values.dtype == object and not is_sparse:
        values = as_numbers(values, subject)
    if values.dtype.kind not in "biuf":
        raise TypeError(
            f"The {name} returned values of dtype {values.dtype}, but real numbers were "
            "expected; convert them."
        )
    if is_sparse:
        check_storage(values, subject)
        values = sparse.csr_array(values)
    _check_finite(values, name)
    return check_float32_range(values, subject)


def _check_finite(values, name):
    """Raise ValueError if a value is NaN or infinite."""
    is_sparse = sparse.issparse(values)
    is_bad = ~np.isfinite(values.data if is_sparse else values)
    if not is_bad.any():
        return
    place = np.argwhere(is_bad)[0]
    row = int(values.indptr.searchsorted(place[0], side="right") - 1 if is_sparse else place[0])
    value = (values.data if is_sparse else values)[tuple(place)]
    raise ValueError(
        f"The {name} returned {value} for text {row}, but finite numbers were expected; "
        "return zeros for a text that has no features."
    )
