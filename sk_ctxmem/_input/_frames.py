"""DataFrames and columns of any library, read by narwhals or as a stream of Arrow.

A DataFrame of pandas stays what it is. One of another library becomes a DataFrame of narwhals,
whose columns are converted when they are read, and a column of another library an array.
"""

from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from importlib.util import find_spec
from os import PathLike

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
from narwhals.exceptions import DuplicateError
from scipy import sparse
from sklearn.utils import _safe_indexing, indexable

from .._messages import doc_link, import_optional
from ._arrays import as_native

PLAIN = (np.ndarray, list, tuple, str, bytes, pd.DataFrame, pd.Series, pd.Index)
READ_COLUMN_BY_COLUMN = ("POLARS", "PYARROW")  # narwhals converts other libraries to pandas
# types of narwhals whose arrays are not those of pandas: of other values, or of two dimensions
WITHOUT_ARRAYS = (nw.Time, nw.Decimal, nw.Struct, nw.Unknown)
# keys of the speaker and the text in the messages of chat models
CHAT_KEYS = (("role", "content"), ("from", "value"), ("speaker", "text"))
TO_PANDAS = "pass the result of its method to_pandas()"
# methods of data sets, queries, scans and connections
CONVERSIONS = ("to_pandas", "to_table", "to_dataframe", "toPandas", "df", "compute")
ON_SPARK = "pass the result of its method toPandas(), or call predict_spark to predict its rows"
LAZY_REMEDIES = {
    "POLARS": "pass the result of its method collect()",
    "DASK": "pass the result of its method compute(), or call predict_dask to predict its rows",
    "IBIS": TO_PANDAS,
    "PYSPARK": ON_SPARK,
    "PYSPARK_CONNECT": ON_SPARK,
    "SQLFRAME": "pass the result of its method toPandas()",
}


def as_table(X, name="X"):
    """Convert a frame to a DataFrame of pandas or narwhals, and a column to an array.

    Parameters
    ----------
    X : object
        User input.
    name : str, default="X"
        Name of the argument for error messages.

    Returns
    -------
    table : DataFrame of pandas or narwhals, ndarray, or object
        Anything that is neither a frame nor a column of a library other than pandas is unchanged,
        such as a list, an array or a Series of pandas.

    Raises
    ------
    TypeError, ValueError
        If X is a query that has not been computed, two of its columns have one name, or it cannot
        be read.
    """
    if isinstance(X, PLAIN) or sparse.issparse(X):
        return X
    X = nw.to_native(X, pass_through=True)
    if isinstance(X, PLAIN):
        return X
    try:
        table = _open(_from_hugging_face(X, name), name)
    except DuplicateError as error:
        raise ValueError(
            f"{name} has several columns of the same name ({error!s:.200}); give each its own name."
        ) from error
    if isinstance(table, nw.Series):
        return _series_values(table)
    if isinstance(table, nw.DataFrame) and table.implementation.name not in READ_COLUMN_BY_COLUMN:
        return table.to_pandas()
    return table


def is_frame(X):
    """Return whether X is a DataFrame of pandas, or of another library that narwhals reads."""
    return isinstance(X, pd.DataFrame | nw.DataFrame) or nw.dependencies.is_into_dataframe(X)


def _from_hugging_face(X, name):
    """Return the Arrow table of a Dataset of Hugging Face, and the list of one of its columns."""
    if type(X).__module__.partition(".")[0] != "datasets" or isinstance(X, Mapping):
        return X
    if hasattr(X, "with_format"):
        if not hasattr(X, "__len__"):
            raise TypeError(
                f"{name} is a {_full_name(X)}, whose rows can only be read one after the other; "
                f"pass pandas.DataFrame(list({name}))."
            )
        return X.with_format("arrow")[:]  # its attribute `data` ignores what was selected
    return X[:] if type(X).__name__ == "Column" else X


def _open(X, name):
    """Return a frame or column as narwhals has it; anything else is unchanged."""
    table = nw.from_native(X, pass_through=True, allow_series=True)
    if isinstance(table, nw.LazyFrame):
        if table.implementation.name != "DUCKDB":
            _refuse_query(table.implementation.name, X, name)
        table = X  # the rows of a relation are a stream
    if isinstance(table, nw.DataFrame | nw.Series) or hasattr(X, "ndim"):
        return table  # arrays of two dimensions would become one long column of Arrow
    if hasattr(X, "__arrow_c_stream__") or hasattr(X, "__arrow_c_array__"):
        return _from_arrow(X, name)
    if hasattr(X, "columns") or not hasattr(X, "__array__"):
        _refuse_convertible(X, name)
    return table


def _refuse_convertible(X, name):
    """Raise for an object that has a method to convert it to a frame."""
    for method in CONVERSIONS:
        if callable(getattr(type(X), method, None)) and not isinstance(X, Mapping):
            raise TypeError(
                f"{name} is a {_full_name(X)}; pass the result of its method {method}()."
            )


def _refuse_query(library, X, name):
    """Raise for a frame whose rows have not been computed."""
    remedy = LAZY_REMEDIES.get(library, "compute it first, such as with its method collect()")
    raise TypeError(f"{name} is a {_full_name(X)}; {remedy}." + doc_link("kinds-of-input"))


def _full_name(X):
    """Return the library and the class of an object for a message, such as polars LazyFrame."""
    return f"{type(X).__module__.partition('.')[0]} {type(X).__name__}"


def _from_arrow(X, name):
    """Return an object of the Arrow PyCapsule protocol as a DataFrame or Series of narwhals."""
    is_polars = find_spec("pyarrow") is None and find_spec("polars") is not None
    library = import_optional("polars" if is_polars else "pyarrow", "arrow", _full_name(X))
    as_frame, as_column = (
        (library.DataFrame, library.Series) if is_polars else (library.table, library.chunked_array)
    )
    try:
        try:
            native = as_frame(X)
        except Exception:  # of the library: the rows have one value, not several with names
            native = as_column(X)
    except Exception as error:
        raise ValueError(
            f"{name} is a {_full_name(X)} that cannot be read as Arrow data ({error!s:.200}); "
            f"{TO_PANDAS}."
        ) from error
    return nw.from_native(native, allow_series=True)


def describe_records(X):
    """Describe rows that are no DataFrame, and how to make one of them.

    Parameters
    ----------
    X : object
        User input, which is no frame.

    Returns
    -------
    description : str or None
        Description of X, such as "a list of dicts". None if X is something else.
    remedy : str or None
        How to make a DataFrame of it.
    """
    kind = type(X).__name__
    if isinstance(X, Mapping):
        return _describe_mapping(X, kind)
    if isinstance(X, PathLike):
        return f"a {kind}", "pass a DataFrame of its rows, such as pandas.read_csv(X)"
    if isinstance(X, pd.api.typing.DataFrameGroupBy):
        return f"a {kind}", "pass its frame, X.obj, with group_column set to the key"
    names = getattr(getattr(X, "dtype", None), "names", None)
    if names:
        return f"a {kind} that has dtype {X.dtype!s:.100}", "pass pandas.DataFrame(X)"
    is_list = isinstance(X, Sequence) and not isinstance(X, str | bytes | bytearray | memoryview)
    is_column = isinstance(X, np.ndarray | pd.Series) and X.dtype == object and X.ndim == 1
    if not (is_list or is_column) or not len(X):
        return None, None
    return _describe_rows(X.iloc[0] if isinstance(X, pd.Series) else X[0], kind)


def _describe_mapping(X, kind):
    """Describe a mapping of frames, such as the splits of a data set, or of columns."""
    values = list(X.values())
    first = next(iter(X), None)
    if values and all(is_frame(value) or hasattr(value, "column_names") for value in values):
        return f"a {kind} of frames", f"pass one of them, such as X[{first!r}]"
    are_columns = (hasattr(value, "__len__") and not isinstance(value, str) for value in values)
    if values and all(are_columns):
        return f"a {kind} of columns", "pass pandas.DataFrame(X)"
    return None, None


def _describe_rows(first, kind):
    """Describe rows by the first of them."""
    if isinstance(first, Mapping):
        return f"a {kind} of dicts", "pass pandas.DataFrame(list(X))" + _name_keys(first)
    is_list = isinstance(first, list | tuple)
    if is_list and first and isinstance(first[0], Mapping):
        return f"a {kind} of lists of dicts", (
            "pass a DataFrame of one row for each dict, such as pandas.DataFrame([row | "
            "{'group': group} for group, rows in enumerate(X) for row in rows]), with "
            "group_column='group'"
            + _name_keys(first[0]).replace(", with", " and")
            + "; or, for one label for each list, a list of frames, such as "
            "[pandas.DataFrame(rows) for rows in X]"
        )
    if isinstance(first, pd.Series) or is_dataclass(first) or hasattr(first, "_fields"):
        return f"a {kind} of {type(first).__name__} objects", "pass pandas.DataFrame(X)"
    if isinstance(first, tuple) and len(first) > 1 and any(isinstance(v, str) for v in first):
        remedy = "pass pandas.DataFrame(X, columns=[...]) with the name of each column"
        return f"a {kind} of tuples", remedy
    return None, None


def _name_keys(row):
    """Return the parameters for the keys of a chat message, for the end of a remedy."""
    for speaker, text in CHAT_KEYS:
        if speaker in row and text in row:
            return f", with text_column={text!r} and speaker_column={speaker!r}"
    return ", with text_column set to the key of the texts"


def column_names(frame):
    """Return the names of the columns of a DataFrame as a list."""
    return list(frame.columns)


def column_values(frame, name):
    """Return a column of a DataFrame as a one-dimensional array.

    Raises
    ------
    ValueError
        If several columns have the name.
    TypeError
        If the column has several values in each row.
    """
    column = frame[name]
    if isinstance(column, pd.DataFrame):
        raise ValueError(f"X has {column.shape[1]} columns named {name!r}; give each its own name.")
    values = _pandas_values(column) if isinstance(column, pd.Series) else _series_values(column)
    if values.ndim != 1:
        raise TypeError(
            f"column {name!r} of X has several values in each row; split it into one column each."
        )
    return as_native(values)


def role_values(frame, name):
    """Return `column_values`, with dates as objects, as pandas has them: other days have hours."""
    values = column_values(frame, name)
    return values.astype(object) if values.dtype == np.dtype("datetime64[D]") else values


def take_columns(frame, names):
    """Return some columns as a DataFrame of pandas with the index 0, 1, 2, ...

    Columns of pandas keep their types; those of other libraries have those of their arrays.
    """
    values = {name: column_values(frame, name) for name in names}  # which checks each
    if isinstance(frame, pd.DataFrame):
        return frame[names].reset_index(drop=True)
    return pd.DataFrame(
        {name: pd.Series(array, dtype=array.dtype) for name, array in values.items()}
    )


def _pandas_values(column):
    """Return the values of a Series of pandas; integers beside NA are not rounded to floats."""
    is_nullable = isinstance(column.dtype, pd.api.extensions.ExtensionDtype)
    if is_nullable and column.dtype.kind in "iu" and column.hasnans:
        return column.to_numpy(dtype=object)
    return column.to_numpy()


def _series_values(column):
    """Return the values of a Series of narwhals, equal to those of the same column of pandas."""
    dtype, library = column.dtype, column.implementation.name
    if library not in READ_COLUMN_BY_COLUMN:
        return _pandas_values(column.to_pandas())
    if isinstance(dtype, nw.Datetime) and dtype.time_zone is not None:
        instants = pd.DatetimeIndex(column.to_numpy()).tz_localize("UTC")
        return instants.tz_convert(dtype.time_zone).to_numpy()
    has_null_value = dtype.is_float() or dtype in (nw.String, nw.Date, nw.Datetime, nw.Duration)
    is_lossy = column.null_count() and not has_null_value  # rounds integers, drops nulls
    is_wide = dtype == nw.String and library == "POLARS"  # each as wide as the longest
    has_fields = isinstance(dtype, nw.List) and isinstance(dtype.inner, nw.Struct)
    if is_lossy or is_wide or has_fields or dtype in WITHOUT_ARRAYS:
        values = column.to_list()
        return np.fromiter(values, dtype=object, count=len(values))
    return column.to_numpy()


def rank_categories(column, values):
    """Convert ordered categories to ranks; other values are unchanged.

    Parameters
    ----------
    column : Series of pandas or narwhals
        Column of an order.
    values : ndarray of shape (n_rows,)
        Its values.
    """
    categories = _ordered_categories(column)
    if categories is None:
        return values
    codes = pd.Categorical(values, categories=categories).codes
    return np.where(codes < 0, np.nan, codes)


def _ordered_categories(column):
    """Return the categories of a column in their order, or None if they have none."""
    if isinstance(column, pd.Series):
        return column.cat.categories if getattr(column.dtype, "ordered", False) else None
    if isinstance(column.dtype, nw.Enum):
        return column.dtype.categories
    if getattr(getattr(column.to_native(), "type", None), "ordered", False):  # of pyarrow
        return column.to_native().to_pandas().cat.categories
    return None


def take_rows(frame, rows):
    """Return the rows of a DataFrame at these positions, of the library that it is of."""
    if isinstance(frame, pd.DataFrame):
        return frame.iloc[rows]
    if frame.implementation.is_pyarrow():
        frame = _without_string_views(frame)
    return frame[rows].to_native()


def take_samples(values, samples):
    """Return some samples of X, y, weights or groups, of any kind that `fit` takes."""
    values = as_table(values)
    if is_frame(values):
        return take_rows(values, samples)
    return _safe_indexing(*indexable(values), samples)


def _without_string_views(frame):
    """Return a frame of pyarrow, which cannot take rows of a string_view, with plain strings."""
    schema = frame.to_native().schema
    names = [field.name for field in schema if str(field.type) == "string_view"]
    return frame.with_columns(nw.col(*names).cast(nw.String())) if names else frame


def with_column(frame, name, values):
    """Return a copy of a DataFrame with one column replaced."""
    if isinstance(frame, pd.DataFrame):
        frame = frame.copy()
        frame[name] = values  # unlike assign, this takes names that are not str
        return frame
    column = nw.new_series(name, values, backend=frame.implementation)
    return frame.with_columns(column).to_native()
