"""Validation of X and groups: texts, features and DataFrames.

Only this module uses private names of scikit-learn.
"""

from collections.abc import Hashable, Iterator, Mapping, MappingView, Sequence, Set
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from .._messages import doc_link
from ._arrays import (
    as_array,
    as_native,
    as_numbers,
    as_objects,
    check_float32_range,
    check_hashable,
    check_storage,
    find_missing,
    is_missing,
    is_text,
    refuse_mask,
)
from ._feature_columns import choose_feature_columns, refuse_missing_columns
from ._frames import (
    as_table,
    column_names,
    column_values,
    describe_records,
    is_frame,
    rank_categories,
    role_values,
    take_columns,
)
from ._order import read_order
from ._sequences import flatten_sequences


@dataclass
class InputRows:
    """Validated rows of X.

    Parameters
    ----------
    kind : {"text", "features", "sequences"}
        Kind of the values.
    values : list of str, ndarray or csr_array of shape (n_rows, n_features), or TextSequences
        The texts or features of the rows.
    groups, order, speakers : ndarray of shape (n_rows,) or None
        Group, order value and speaker of each row.
    text_name : object, default="text"
        Name of the column of texts.
    columns : DataFrame of n_rows or None, default=None
        Columns of features beside the texts. None if there are none.
    lengths : ndarray of shape (n_sequences,), int64, or None, default=None
        Number of rows of each sequence, one below another, if a sample of X is a sequence. Its
        groups are then the numbers of the sequences. None if a sample is a row.
    """

    kind: str
    values: Any
    groups: np.ndarray | None = None
    order: np.ndarray | None = None
    speakers: np.ndarray | None = None
    text_name: Any = "text"
    columns: pd.DataFrame | None = None
    lengths: np.ndarray | None = None

    @property
    def n_rows(self):
        """Number of rows."""
        return len(self.values) if self.kind == "text" else self.values.shape[0]

    @property
    def n_samples(self):
        """Number of samples: sequences, or rows if there are none."""
        return self.n_rows if self.lengths is None else len(self.lengths)

    def spread(self, values):
        """Return values of samples as values of rows: each row has that of its sequence."""
        return values if self.lengths is None else np.repeat(values, self.lengths, axis=0)


@dataclass(frozen=True)
class InputSchema:
    """Kind and columns of the X of a fit, which the X of predict must match.

    Parameters
    ----------
    kind : {"text", "features", "sequences"}
        Kind of the values.
    columns : dict of str to str or None
        Column names by role: text, group, order and speaker.
    n_features_in : int or None
        Number of columns of X. None if X was a sequence of texts.
    feature_names_in : ndarray of shape (n_features,) or None
        Column names of X. None unless all are strings.
    estimator_name : str
        Name of the estimator for error messages.
    column_names : list or None, default=None
        Names of all columns of texts, if `feature_names_in` lacks some: because not all are
        strings, or because only columns with a role were read, from files.
    features : list or None, default=None
        Names of the columns of features beside the texts.
    of_sequences : bool, default=False
        Whether a sample of X was a sequence of rows.
    """

    kind: str
    columns: dict[str, Any]
    n_features_in: int | None
    feature_names_in: np.ndarray | None
    estimator_name: str
    column_names: list | None = None
    features: list | None = None
    of_sequences: bool = False

    def roles(self):
        """Return the column of each role, that of a single text column included.

        Returns
        -------
        roles : dict of str to str, or None
            Column names by role, without roles that no column has. None if unknown: files of the
            first versions have no names of columns unless all are strings.
        """
        roles = {role: name for role, name in self.columns.items() if name is not None}
        if self.kind != "text" or "text" in roles or self.n_features_in is None:
            return roles
        rest = self._columns_without_role(roles)
        return None if rest is None else dict(zip(["text"], rest, strict=False)) | roles

    def ignored_columns(self):
        """Return the names of the columns that are not read, or None if unknown, see `roles`."""
        roles = self.roles()
        is_read = self.kind != "text" or self.n_features_in is None
        return [] if is_read else roles and self._columns_without_role(roles)

    def _columns_without_role(self, roles):
        names = self.feature_names_in if self.column_names is None else self.column_names
        read = [*roles.values(), *(self.features or ())]
        return None if names is None else [name for name in names if name not in read]

    def check_kind(self, rows):
        """Raise ValueError if the kind of rows differs from that of the fit."""
        self._check_samples(rows)
        if rows.kind != self.kind:
            names = {"text": "texts", "features": "features", "sequences": "TextSequences"}
            raise ValueError(
                f"X contains {names[rows.kind]}, but the classifier was fitted on "
                f"{names[self.kind]}; pass the same kind of input to fit and predict."
                + doc_link("kinds-of-input")
            )

    def _check_samples(self, rows):
        """Raise ValueError if the samples are rows and those of the fit were sequences, or so."""
        if self.of_sequences and rows.lengths is None:
            raise ValueError(
                f"X contains {rows.n_rows} row(s), but the classifier was fitted on sequences; "
                "pass a list of sequences, such as [X] if X is one." + doc_link("kinds-of-input")
            )
        if rows.lengths is not None and not self.of_sequences:
            raise ValueError(
                f"X contains {rows.n_samples} sequence(s), but the classifier was fitted on rows; "
                "pass the rows of all sequences, with group_column or groups= if fit had groups."
                + doc_link("kinds-of-input")
            )


def _holds_text(column):
    """Return whether a one-dimensional array, Series or list contains texts."""
    if getattr(getattr(column, "dtype", None), "kind", "O") in "biufcmM":
        return False
    first = next((value for value in column if not is_missing(value)), "")
    # a column whose values are all missing is treated as texts
    return is_text(first) or any(map(is_text, column))


def looks_like_texts(X):
    """Return whether X is a sequence of texts or has a single column of texts."""
    if is_text(X) or sparse.issparse(X):
        return False
    X = as_table(X)
    if is_frame(X):
        names = column_names(X)
        return len(names) == 1 and _holds_text(column_values(X, names[0]))
    if hasattr(X, "shape"):
        if len(X.shape) == 2:
            return X.shape[1] == 1 and _holds_text(np.asarray(X)[:, 0])
        return len(X.shape) == 1 and _holds_text(X)
    return isinstance(X, Sequence) and _holds_text(X)


def _refuse_unordered(X, name):
    """Raise if the rows of X have no order, or can be read only once."""
    if isinstance(X, Iterator | Set | Mapping | MappingView) and not sparse.issparse(X):
        raise TypeError(
            f"{name} is a {type(X).__name__}, whose rows cannot be indexed; pass a list, array, "
            f"Series or DataFrame, such as list({name})."
        )


def check_texts(X, name="X"):
    """Validate texts and convert them to a list of str.

    Parameters
    ----------
    X : list, tuple, ndarray, Series, or DataFrame of one column, of n_rows str
        The texts.

    name : str, default="X"
        Name of the argument for error messages.

    Returns
    -------
    texts : list of str
        Validated texts.

    Raises
    ------
    TypeError
        If X is one string or an element is not a string.
    ValueError
        If an element is missing, or X is empty.
    """
    X = as_table(X, name)
    _refuse_unordered(X, name)
    if is_text(X):
        raise TypeError(
            f"{name} is one string, {X[:40]!r}, but a list of texts was expected; "
            f"pass [{name}] for a single text." + doc_link("kinds-of-input")
        )
    if is_frame(X):
        names = column_names(X)
        if len(names) != 1:
            raise ValueError(
                f"{name} has the columns {names}, but one column of texts was "
                "expected; pass that column, or set text_column to its name."
            )
        X = column_values(X, names[0])
    if getattr(X, "shape", ())[1:] == (1,) and not sparse.issparse(X):
        refuse_mask(X, name)
        X = np.asarray(X)[:, 0]
    if not hasattr(type(X), "__len__") or sparse.issparse(X) or len(getattr(X, "shape", (0,))) != 1:
        raise TypeError(f"{name} must be a list, array or Series of texts, not {type(X).__name__}.")
    texts = list(X)
    if not texts:
        raise ValueError(f"{name} is empty: found 0 sample(s) while a minimum of 1 is required.")
    if set(map(type, texts)) != {str}:
        texts = [_check_text(text, row, name) for row, text in enumerate(texts)]
    return texts


def _check_text(text, row, name):
    if isinstance(text, str):
        return str(text)
    if is_missing(text):
        raise ValueError(
            f"{name} has no text in row {row}: {text!r}; drop the row, or replace the value by ''."
            + doc_link("missing-texts")
        )
    remedy = "convert it with str(), or bytes with .decode()"
    if isinstance(text, list | np.ndarray) and len(text) and isinstance(text[0], Mapping):
        remedy = "make a row of each of its messages, such as with DataFrame.explode"
    elif isinstance(text, list | tuple):
        remedy = "pass a list of texts for each sample, if samples are sequences, or a str for each"
    raise TypeError(
        f"{name} has {text!r} of type {type(text).__name__} in row {row}, but a str was "
        f"expected; {remedy}."
    )


def check_row_ids(groups, n_rows, name="groups"):
    """Convert groups or order values to an array of one value per row; raise if one is missing."""
    groups = as_table(groups, name)
    if hasattr(groups, "to_numpy") and hasattr(groups, "dtype"):
        ids = groups.to_numpy()
    elif isinstance(groups, Sequence) and not is_text(groups):
        ids = as_objects(groups)  # np.asarray converts a NaN among strings to "nan"
    else:
        ids = as_array(groups, name, None if hasattr(groups, "dtype") else object)
    if ids.shape != (n_rows,):
        raise ValueError(
            f"{name} has shape {ids.shape}, but X has {n_rows} rows; pass one value for each row."
        )
    missing = find_missing(ids, name)
    if len(missing):
        raise ValueError(
            f"{name} has no value in row {missing[0]}: {ids.tolist()[missing[0]]!r}; give each row "
            "a value. A row that belongs to no group needs a group id of its own; its order value "
            "may be 0."
        )
    return as_native(ids)


class _FeatureRecord(BaseEstimator):
    """Object on which `validate_data` of scikit-learn sets and checks feature names and counts."""


@cache
def _record_class(estimator_name):
    """Return a subclass with the name of the estimator, which scikit-learn uses in messages."""
    return type(estimator_name, (_FeatureRecord,), {})


def read_training_rows(X, groups, columns, estimator_name, feature_columns=None):
    """Validate the X and groups of a fit, and return their schema.

    Parameters
    ----------
    X : see ContextMemoryClassifier.fit
        The rows.
    groups : array-like of shape (n_rows,) or None
        Group id of each row.
    columns : dict of str to str or None
        Column names by role: text, group, order and speaker.
    estimator_name : str
        Name of the estimator for error messages.
    feature_columns : str, list or None, default=None
        Columns of features beside the texts, as the parameter of the classifier.

    Returns
    -------
    rows : InputRows
        Validated rows.
    schema : InputSchema
        Kind and columns of X.
    """
    record = _record_class(estimator_name)()
    rows = _read(record, X, groups, columns, feature_columns, reset=True)
    n_features, names, other_names = (
        getattr(record, name, None)
        for name in ("n_features_in_", "feature_names_in_", "column_names")
    )
    features = None if rows.columns is None else list(rows.columns)
    return rows, InputSchema(
        rows.kind,
        columns,
        n_features,
        names,
        estimator_name,
        other_names,
        features,
        of_sequences=rows.lengths is not None,
    )


def read_rows(X, groups, schema):
    """Validate X and groups, and compare them with the schema of the fit.

    Parameters
    ----------
    X : see ContextMemoryClassifier.predict
        The rows.
    groups : array-like of shape (n_rows,) or None
        Group id of each row.
    schema : InputSchema
        Kind and columns of the X of the fit.

    Returns
    -------
    rows : InputRows
        Validated rows.

    Raises
    ------
    TypeError, ValueError
        If X or groups are invalid, or the kind of X differs from that of the fit.
    """
    record = _record_class(schema.estimator_name)()
    if schema.n_features_in is not None:
        record.n_features_in_ = schema.n_features_in
    if schema.feature_names_in is not None:
        record.feature_names_in_ = schema.feature_names_in
    rows = _read(record, X, groups, schema.columns, schema.features, reset=False)
    schema.check_kind(rows)
    return rows


def _read(record, X, groups, columns, feature_columns, *, reset):
    """Validate X and groups."""
    X = as_table(X)
    sequences = flatten_sequences(X)
    if sequences is None:
        return _read_samples(record, X, groups, columns, feature_columns, reset=reset)
    _refuse_outside_sequences(sequences, groups, columns, feature_columns)
    try:
        rows = _read_samples(record, sequences.rows, None, columns, feature_columns, reset=reset)
    except (TypeError, ValueError) as error:
        raise sequences.locate(error) from error
    rows.lengths, rows.groups = sequences.lengths, sequences.groups
    return rows


def _refuse_outside_sequences(sequences, groups, columns, feature_columns):
    """Raise for groups or columns that sequences do not have."""
    if groups is not None or columns["group"] is not None:
        given = "groups=" if groups is not None else f"group_column={columns['group']!r}"
        raise ValueError(
            f"X contains {len(sequences.lengths)} sequence(s), each of which is a group by itself, "
            f"but {given} was passed too; leave it out, or pass one frame of all rows."
            + doc_link("kinds-of-input")
        )
    if sequences.kind != "frame":
        parameters = {f"{role}_column": name for role, name in columns.items()}
        for parameter, name in (parameters | {"feature_columns": feature_columns}).items():
            if name is not None:
                raise ValueError(
                    f"{parameter}={name!r:.200} needs X to be a list of DataFrames, one for each "
                    f"sequence, but the sequences have no columns; pass DataFrames, or set "
                    f"{parameter}=None." + doc_link("columns")
                )


def _read_samples(record, X, groups, columns, feature_columns, *, reset):
    """Validate rows and groups."""
    named = _read_names(columns)
    if is_frame(X):
        features = choose_feature_columns(feature_columns, column_names(X), named)
        rows = _read_frame(record, X, named, features, reset=reset)
    else:
        parameters = {f"{role}_column": name for role, name in named.items()}
        if feature_columns is not None:
            parameters["feature_columns"] = feature_columns
        _refuse_records(X, parameters)
        rows = _read_plain(record, X, reset=reset)
    if groups is not None:
        if rows.groups is not None:
            raise ValueError(
                f"groups= and group_column={columns['group']!r} both define the groups; pass only "
                "one of them."
            )
        rows.groups = check_row_ids(groups, rows.n_rows)
        check_hashable(rows.groups, "groups")
    return rows


def _refuse_records(X, parameters):
    """Raise if columns are named but X has none, or if X has columns but is no DataFrame."""
    description, remedy = describe_records(X)
    if parameters:
        parameter, name = next(iter(parameters.items()))
        if description is None and isinstance(X, str | Iterator):
            description = f"a {type(X).__name__}"
            remedy = "pass a DataFrame of its rows, such as pandas."
            remedy += "read_csv(X)" if isinstance(X, str) else "DataFrame(list(X))"
        elif description is None:
            description = f"a {type(X).__name__} without columns"
            remedy = f"pass a DataFrame, or pass the group ids as groups= and set {parameter}=None"
        raise ValueError(
            f"{parameter}={name!r:.200} needs X to be a DataFrame, but X is {description}; "
            f"{remedy}." + doc_link("columns")
        )
    if description is not None and not getattr(X, "dtype", np.dtype(float)).names:
        raise TypeError(f"X is {description}; {remedy}." + doc_link("columns"))


def _read_names(columns):
    """Return the column names that are set, by role."""
    named = {role: name for role, name in columns.items() if name is not None}
    for role, name in named.items():
        if not isinstance(name, Hashable):
            raise TypeError(f"{role}_column={name!r} must be the name of one column, or None.")
    if len(set(named.values())) < len(named):
        shown = ", ".join(f"{role}_column={name!r}" for role, name in named.items())
        raise ValueError(f"A column can have one role only, but {shown}; name each column once.")
    return named


def _read_plain(record, X, *, reset):
    """Read X without columns: texts, TextSequences or features."""
    if getattr(X, "is_text_sequences", False):
        _check_n_features(record, X, reset=reset)
        return InputRows("sequences", X)
    _refuse_unordered(X, "X")
    if is_text(X) or looks_like_texts(X):
        name = getattr(X, "name", None)  # of a Series
        is_name = isinstance(name, str) and name
        return InputRows("text", check_texts(X), text_name=name if is_name else "text")
    return _read_numbers(record, as_numbers(as_array(X, "X"), "X"), reset=reset)


def _read_numbers(record, X, *, reset):
    """Validate numeric features."""
    check_storage(X)
    values = validate_data(record, X, accept_sparse="csr", reset=reset, dtype="numeric")
    return InputRows("features", check_float32_range(values))


def _check_n_features(record, X, *, reset):
    """Set or compare `n_features_in_` for TextSequences."""
    if reset:
        record.n_features_in_ = X.shape[1]
    elif X.shape[1] != getattr(record, "n_features_in_", X.shape[1]):
        raise ValueError(
            f"X has {X.shape[1]} features, but {type(record).__name__} is expecting "
            f"{record.n_features_in_} features as input; use the vectorizer that it was "
            "fitted with."
        )


def _read_frame(record, X, named, features, *, reset):
    """Read a DataFrame by column roles; columns without a role are features."""
    present = column_names(X)
    for role, name in named.items():
        if name not in present:
            raise ValueError(
                f"{role}_column={name!r} is not a column of X, which has {present}; "
                + ("give the name of one of them." if reset else "add the column to X, as in fit.")
                + doc_link("columns")
            )
    refuse_missing_columns(features or (), present, reset=reset)
    roles = {role: role_values(X, name) for role, name in named.items() if role != "text"}
    if "order" in roles:
        roles["order"] = rank_categories(X[named["order"]], roles["order"])
    if "text" in named:
        texts = check_texts(column_values(X, named["text"]), f"column {named['text']!r}")
        _keep_columns(record, present, reset=reset)
        rows = InputRows("text", texts, text_name=named["text"])
    else:
        taken = [*named.values(), *(features or ())]
        rest = [name for name in present if name not in taken]
        rows = _read_features(record, X, rest, reset=reset)
    if features is not None:
        rows.columns = _read_beside(X, features, rows.kind)
    _set_roles(rows, roles, named)
    return rows


def _set_roles(rows, roles, named):
    """Validate groups, order and speakers, and set them."""
    for role, attribute in (("group", "groups"), ("order", "order"), ("speaker", "speakers")):
        if role in roles:
            values = roles[role]
            if role != "speaker":
                values = check_row_ids(values, rows.n_rows, f"column {named[role]!r}")
            if role == "order":
                values = read_order(values, f"column {named[role]!r}")
            if role != "order":
                check_hashable(values, f"column {named[role]!r}")
            setattr(rows, attribute, values)


def _read_beside(X, names, kind):
    """Return the columns of features beside texts."""
    if kind != "text":
        raise ValueError(
            f"feature_columns={names!r:.200} are columns beside texts, but X has no column of "
            "texts; pass feature_columns=None: without texts, columns of numbers are the features."
            + doc_link("columns")
        )
    return take_columns(X, names)


def _read_features(record, X, names, *, reset):
    """Read the columns without a role: a single text column, or numeric features."""
    columns = {name: column_values(X, name) for name in names}
    texts = [name for name in names if _holds_text(columns[name])]
    if texts == names and len(names) == 1:
        _keep_columns(record, column_names(X), reset=reset)
        read = check_texts(columns[names[0]], f"column {names[0]!r}")
        return InputRows("text", read, text_name=names[0])
    if texts:
        raise ValueError(
            f"X has the columns {names}, of which {texts} contain text; set text_column to the one "
            "to classify." + doc_link("columns")
        )
    if not names:
        raise ValueError(
            "X has no column left for the features; set text_column to the column of texts."
            + doc_link("columns")
        )
    _refuse_columns_of_sequences(columns)
    numbers = {name: as_numbers(column, f"column {name!r}") for name, column in columns.items()}
    as_they_are = all(numbers[name] is columns[name] for name in names)
    is_whole = isinstance(X, pd.DataFrame) and as_they_are
    return _read_numbers(record, X[names] if is_whole else pd.DataFrame(numbers), reset=reset)


def _refuse_columns_of_sequences(columns):
    """Raise if a column has sequences in its cells, where a frame is rows."""
    for name, column in columns.items():
        first = column[0] if len(column) and column.dtype == object else None
        if isinstance(first, list | tuple) or len(getattr(first, "shape", ())) > 0:
            raise TypeError(
                f"column {name!r} of X has values of type {type(first).__name__}; if each is a "
                f"sequence with one label, pass the column alone, X[{name!r}], in place of a frame."
                + doc_link("kinds-of-input")
            )


def _keep_columns(record, present, *, reset):
    """Store the columns of a DataFrame of texts; at predict, only those with a role are needed."""
    if reset:
        record.n_features_in_ = len(present)
        if all(isinstance(name, str) for name in present):
            record.feature_names_in_ = np.asarray(present, dtype=object)
        else:
            record.column_names = present
