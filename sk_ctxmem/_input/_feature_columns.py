"""feature_columns: which columns of X are features beside the texts."""

from collections.abc import Hashable, Mapping, Set

import numpy as np
import pandas as pd

from .._messages import doc_link

REST = "rest"  # all columns without a role


def check_feature_columns(value):
    """Raise unless a value can name the columns of features.

    Parameters
    ----------
    value : object
        The parameter `feature_columns`.

    Raises
    ------
    TypeError, ValueError
        If the value is neither None, nor a name, nor a list of different names.
    """
    if value is None or isinstance(value, str):
        return
    wanted = "must be a list of the names of columns, 'rest' or None"
    if not isinstance(value, list | tuple | np.ndarray | pd.Index) or np.ndim(value) == 0:
        raise TypeError(f"feature_columns={value!r:.200} {wanted}.")
    names = list(value)
    if not names:
        raise ValueError(f"feature_columns={value!r} is empty; pass None to read no columns.")
    for name in names:
        if not isinstance(name, Hashable) or isinstance(name, Set | Mapping):
            raise TypeError(f"feature_columns has {name!r:.100}, but {wanted}.")
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"feature_columns={names!r:.200} names {twice} twice; name each once.")


def choose_feature_columns(value, present, named):
    """Return the names of the columns that are features.

    Parameters
    ----------
    value : str, list or None
        The validated parameter `feature_columns`.
    present : list
        Names of the columns of X.
    named : dict of str to str
        Column names by role.

    Returns
    -------
    names : list or None
        The names, None if there are no features beside the texts.

    Raises
    ------
    ValueError
        If a column has a role, or no column is left.
    """
    if value is None:
        return None
    if isinstance(value, str) and value == REST:
        return _choose_rest(present, named)
    names = [value] if isinstance(value, str) else list(value)
    for role, name in named.items():
        if name in names:
            raise ValueError(
                f"feature_columns has {name!r}, but {role}_column={name!r}: a column has one role "
                "only; leave it out of feature_columns." + doc_link("columns")
            )
    return names


def _choose_rest(present, named):
    """Return the columns without a role."""
    if "text" not in named:
        raise ValueError(
            "feature_columns='rest' needs text_column, the column that is not among the rest; set "
            "it to the column of texts." + doc_link("columns")
        )
    names = [name for name in present if name not in named.values()]
    if not names:
        raise ValueError(
            f"feature_columns='rest', but all columns of X, {present}, have a role; add columns, "
            "or pass feature_columns=None." + doc_link("columns")
        )
    return names


def refuse_missing_columns(names, present, *, reset):
    """Raise ValueError if X lacks columns of features."""
    missing = [name for name in names if name not in present]
    if missing:
        raise ValueError(
            f"feature_columns has {missing}, which X, with the columns {present}, does not have; "
            + ("give names of its columns." if reset else "add them to X, as in fit.")
            + doc_link("columns")
        )
