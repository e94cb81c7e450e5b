"""Checks and sums of the DataFrames that `explain` returns."""

import numpy as np
import pandas as pd

from .._input._arrays import as_column
from ._rows import check_row, check_table, shorten

COLUMNS = ("row", "target", "source", "feature", "from_row", "contribution", "attention")
MOST_COLUMNS, COLUMN_WIDTH = 5, 24  # named in the HTML, and characters of a name
NOT_TEXT = -1  # from_row of contributions that come from no text


def check_explanation(explanation):
    """Raise unless this is a DataFrame with the columns of `explain`, and not empty.

    Parameters
    ----------
    explanation : DataFrame
        The argument of the user.
    """
    expected = "the DataFrame that ContextMemoryClassifier.explain returns, with all its columns"
    check_table(explanation, COLUMNS, "explanation", expected)
    if explanation.empty:
        raise ValueError("explanation has no lines; explain at least one row.")
    if explanation.loc[explanation["source"] != "row", "attention"].notna().any():
        raise ValueError(
            "explanation is of sequences, whose lines do not say which row of X they belong to; "
            "use ConversationDisplay.from_estimator or TokenAttributionDisplay.from_estimator."
        )


def choose_rows(explanation, n_rows, rows=None):
    """Return the rows to show, by default those in the explanation.

    Parameters
    ----------
    explanation : DataFrame
        Output of `explain`.
    n_rows : int
        Number of texts.
    rows : array-like of int or None, default=None
        Positions of the rows to show; None for the explained rows and those that contributed.

    Returns
    -------
    rows : ndarray
        Positions, sorted if `rows` is None.
    """
    if rows is not None:
        if isinstance(rows, str) or np.ndim(rows) != 1:
            raise TypeError(f"rows={rows!r:.100} must be a list of integers, positions of rows.")
        if not len(rows):
            raise ValueError("rows is empty; pass at least one position, or None for all rows.")
        return np.array([check_row(row, n_rows, "rows") for row in rows])
    rows = np.union1d(explanation["row"], explanation["from_row"])
    rows = rows[rows != NOT_TEXT].astype(np.int64)
    if rows.min() < 0 or rows.max() >= n_rows:
        raise ValueError(
            f"explanation has rows {rows.min()} to {rows.max()}, but there are {n_rows} texts; "
            "pass the texts of all rows that were passed to explain."
        )
    return rows


def sum_by_column(lines):
    """Sum the contributions of the columns of a row, strongest first.

    Parameters
    ----------
    lines : DataFrame
        Lines of `explain` for the row itself.

    Returns
    -------
    sums : dict of str to float
        Contribution of each column.
    """
    of_columns = lines[lines["source"] == "column"]
    sums = of_columns.groupby("feature", sort=False)["contribution"].sum()
    return sums.sort_values(key=abs, ascending=False, kind="stable").to_dict()


def label_column(name):
    """Return the short name of a column that tells it from a word."""
    return f"{shorten(name, COLUMN_WIDTH)} (column)"


def name_columns(columns):
    """Return the contributions of columns to write: those of the strongest, and of all others."""
    names, shown = list(columns), {}
    for name in names[:MOST_COLUMNS]:
        label = label_column(name)
        # names may differ in their ends alone
        shown[f"{name} (column)" if label in shown else label] = columns[name]
    others = [columns[name] for name in names[MOST_COLUMNS:]]
    return shown | ({f"{len(others)} other columns": sum(others)} if others else {})


def sum_by_row(explanation, rows, value="contribution"):
    """Sum the contributions of each row to each row, NaN where the explanation has no line.

    Parameters
    ----------
    explanation : DataFrame
        Output of `explain`.
    rows : ndarray of shape (n_turns,)
        Positions of the rows.
    value : {"contribution", "attention"}, default="contribution"
        The column to sum.

    Returns
    -------
    values : ndarray of shape (n_turns, n_turns)
        Element (i, j) is the contribution of row j to row i.
    """
    sums = explanation.groupby(["row", "from_row"])[value].sum(min_count=1).unstack()
    return sums.reindex(index=rows, columns=rows).to_numpy(dtype=float)


def sum_of_structure(explanation, rows):
    """Sum the contributions to each row that come from no text, such as position and speaker.

    Returns
    -------
    values : ndarray of shape (n_turns,)
        NaN for rows that are not explained.
    """
    is_text = explanation["from_row"] != NOT_TEXT
    values = explanation["contribution"].mask(is_text, 0.0)
    return values.groupby(explanation["row"]).sum().reindex(rows).to_numpy(dtype=float)


def sum_by_source(explanation, rows):
    """Sum the contributions to each row that come from no other row, by their source.

    Returns
    -------
    values : DataFrame of shape (n_turns, n_sources)
        NaN where the explanation has no line.
    """
    of_others = explanation["source"] == "row"
    lines = explanation[~of_others].groupby(["row", "source"], sort=False)["contribution"].sum()
    return lines.unstack("source").reindex(rows)


def targets_of(explanation, rows):
    """Return the explained class of each row, None for rows that are not explained.

    Returns
    -------
    targets : ndarray of shape (n_turns,), object
        The classes.
    """
    first = explanation.drop_duplicates("row").set_index("row")["target"].to_dict()
    targets = np.empty(len(rows), dtype=object)
    targets[:] = [first.get(row) for row in rows]
    return targets


def probabilities_of(classifier, probabilities, targets):
    """Return the probability of one class of each row.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        The fitted classifier, for the order of its classes.
    probabilities : ndarray of shape (n_rows, n_classes)
        Probabilities of all classes.
    targets : array-like of shape (n_rows,)
        The class of each row.

    Returns
    -------
    chosen : ndarray of shape (n_rows,)
        Their probabilities.
    """
    columns = pd.Index(as_column(classifier.classes_)).get_indexer(as_column(list(targets)))
    return probabilities[np.arange(len(columns)), columns]
