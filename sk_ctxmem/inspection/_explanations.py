"""Tables that `explain` returns, checked and summed up for the Displays."""

import numpy as np
import pandas as pd

COLUMNS = ("row", "target", "source", "feature", "from_row", "contribution", "attention")
OWN_SOURCES = ("ngram", "wide", "word")
NOT_TEXT = -1  # from_row of what no text tells


def check_explanation(explanation):
    """Raise unless this is a table with the columns of `explain`, and rows.

    Parameters
    ----------
    explanation : DataFrame
        What the user passed.
    """
    if not isinstance(explanation, pd.DataFrame):
        raise TypeError(
            f"explanation is a {type(explanation).__name__}, but the DataFrame that "
            "ContextMemoryClassifier.explain returns was expected."
        )
    missing = [name for name in COLUMNS if name not in explanation.columns]
    if missing:
        raise ValueError(
            f"explanation has no columns {missing}, only {list(explanation.columns)}; pass what "
            "ContextMemoryClassifier.explain returns, all columns of it."
        )
    if explanation.empty:
        raise ValueError("explanation has no lines; explain at least one row.")


def rows_of(explanation, n_rows):
    """Return the positions of the rows that an explanation is about, those they look at included.

    Parameters
    ----------
    explanation : DataFrame
        What `explain` returned.
    n_rows : int
        Number of texts that there are.

    Returns
    -------
    rows : ndarray
        Sorted positions.
    """
    rows = np.union1d(explanation["row"], explanation["from_row"])
    rows = rows[rows != NOT_TEXT].astype(np.int64)
    if rows.min() < 0 or rows.max() >= n_rows:
        raise ValueError(
            f"explanation is about the rows {rows.min()} to {rows.max()}, but there are "
            f"{n_rows} texts; pass the texts of all rows that were given to explain."
        )
    return rows


def sum_by_row(explanation, rows, value="contribution"):
    """Return what each row has from each row, NaN where the explanation has no line.

    Parameters
    ----------
    explanation : DataFrame
        What `explain` returned.
    rows : ndarray of shape (n_turns,)
        Positions of the rows.
    value : {"contribution", "attention"}, default="contribution"
        What to sum.

    Returns
    -------
    values : ndarray of shape (n_turns, n_turns)
        Line i is about row i, column j says what comes from row j.
    """
    sums = explanation.groupby(["row", "from_row"])[value].sum(min_count=1).unstack()
    return sums.reindex(index=rows, columns=rows).to_numpy(dtype=float)


def sum_of_structure(explanation, rows):
    """Return what each row has from all that is not text: its place, its speaker, the rest.

    Returns
    -------
    values : ndarray of shape (n_turns,)
        NaN for rows that are not explained.
    """
    is_text = explanation["from_row"] != NOT_TEXT
    values = explanation["contribution"].mask(is_text, 0.0)
    return values.groupby(explanation["row"]).sum().reindex(rows).to_numpy(dtype=float)


def targets_of(explanation, rows):
    """Return the class that is explained for each row, None for rows that are not.

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
        Knows the order of the classes.
    probabilities : ndarray of shape (n_rows, n_classes)
        Of all classes.
    targets : array-like of shape (n_rows,)
        The class of each row.

    Returns
    -------
    chosen : ndarray of shape (n_rows,)
        Their probabilities.
    """
    columns = pd.Index(classifier.classes_).get_indexer(list(targets))
    return probabilities[np.arange(len(columns)), columns]
