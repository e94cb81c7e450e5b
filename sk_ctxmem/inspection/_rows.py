"""The rows that a Display shows: finding the classifier and the conversation, and checks."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted, column_or_1d

from .._input import _frames
from .._input._frames import as_table, is_frame
from .._input._indicators import find_labels
from .._input._rows import looks_like_texts, read_rows
from .._model._fitted_model import fitted_model
from .._rows._arrange import order_numbers

MAX_IDS_SHOWN = 5  # in messages


@dataclass
class Conversation:
    """The rows of one conversation, in their order.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        The fitted classifier, taken out of its pipeline.
    X : of n_turns rows
        Input of the classifier.
    groups : ndarray of shape (n_turns,) or None
        Argument `groups` of the classifier; None if a column of X holds the ids.
    rows : ndarray of shape (n_turns,)
        Position of each turn in the X of the user.
    texts : list of str
        The text to show for each turn.
    speakers : ndarray of shape (n_turns,) or None
        The speaker of each turn.
    has_groups : bool
        Whether X came with groups, in a column or as an argument.
    n_rows : int
        Number of rows, or of sequences, in the X of the user.
    sequence : int or None, default=None
        Number of the sequence in X, if a sample of X is a sequence. The rows are then those of this
        sequence alone.
    """

    classifier: Any
    X: Any
    groups: np.ndarray | None
    rows: np.ndarray
    texts: list[str]
    speakers: np.ndarray | None
    has_groups: bool
    n_rows: int
    sequence: int | None = None

    def explain(self, target=None, rows=None):
        """Return the explanation of turns, by default of all."""
        return self.classifier.explain(self.X, target=target, groups=self.groups, rows=rows)

    def predict_proba(self):
        """Return the probabilities of all turns."""
        return self.classifier.predict_proba(self.X, groups=self.groups)

    def forecast(self):
        """Return the probabilities of a sequence after each of its turns."""
        model = fitted_model(self.classifier)
        if model.reader.context != "both":
            return model.forecasts(self.X)[0]
        (sequence,) = self.X  # backwards, memory starts from the end of what was seen
        ends = range(1, len(self.rows) + 1)
        return self.classifier.predict_proba([take_rows(sequence, self.rows[:end]) for end in ends])


def find_classifier(estimator, X, needed):
    """Return the classifier inside a pipeline or search, and X transformed by the earlier steps.

    Parameters
    ----------
    estimator : ContextMemoryClassifier, Pipeline that ends in one, or search over these
        The fitted estimator.
    X : of n_rows
        Input of the estimator, or None.
    needed : str
        Name of a method or attribute that the Display needs.

    Returns
    -------
    classifier : ContextMemoryClassifier
        The fitted classifier.
    X : of n_rows
        Input of the classifier; a frame as `as_table` returns it, which reads its rows once.
    """
    estimator = getattr(estimator, "best_estimator_", estimator)
    if isinstance(estimator, type):
        raise TypeError(f"estimator is the class {estimator.__name__}; pass a fitted instance.")
    check_is_fitted(estimator)
    if isinstance(estimator, Pipeline):
        if X is not None and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        estimator = getattr(estimator[-1], "best_estimator_", estimator[-1])
    if not hasattr(estimator, needed):
        raise TypeError(
            f"estimator has no {needed!r}: a {type(estimator).__name__} was passed, but a "
            "ContextMemoryClassifier, or a Pipeline that ends in one, was expected."
        )
    return estimator, as_table(X)


# The functions below are the only ones that read private state of the fitted classifier. They read
# what `fit` stored, never the constructor parameters, which `set_params` may have changed since.


def read_inputs(classifier, X, groups):
    """Read X and groups with the columns that the classifier was fitted with.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        The fitted classifier.
    X, groups : see ContextMemoryClassifier.predict
        The input.

    Returns
    -------
    inputs : InputRows
        The input in one form.
    """
    return read_rows(X, groups, fitted_model(classifier).reader.schema)


def fitted_group_column(classifier):
    """Return the name of the column of group ids that the classifier was fitted with, or None."""
    return fitted_model(classifier).columns["group"]


def uses_context(classifier):
    """Return whether the classifier was fitted to use other rows of a group."""
    return fitted_model(classifier).reader.context != "none"


def has_several_labels(classifier):
    """Return whether the rows of a classifier may have several labels each."""
    return fitted_model(classifier).multilabel


def refuse_sequences(classifier, tool, remedy):
    """Raise ValueError if a classifier was fitted on sequences, which a tool does not show.

    Parameters
    ----------
    classifier : ContextMemoryClassifier
        The fitted classifier.
    tool, remedy : str
        Name of the tool, and what to use instead, for the message.
    """
    if fitted_model(classifier).of_sequences:
        raise ValueError(
            f"{tool} needs rows that have a label each, but the classifier was fitted on "
            f"sequences, which have one label; {remedy}."
        )


def order_of_rows(inputs):
    """Return the rank of each row, which sorts the rows of a group into their order."""
    ranks = np.empty(inputs.n_rows, dtype=np.int64)
    ranks[np.argsort(order_numbers(inputs), kind="stable")] = np.arange(inputs.n_rows)
    return ranks


def take_rows(X, rows):
    """Return rows of X, which may be a list, an array, a sparse matrix or a DataFrame."""
    if is_frame(X):
        return _frames.take_rows(X, rows)
    if hasattr(X, "iloc"):
        return X.iloc[rows]
    if sparse.issparse(X):
        return X.tocsr()[rows]  # other formats do not support indexing by rows
    if hasattr(X, "shape"):
        return X[rows]
    return [X[row] for row in rows]


def read_conversation(estimator, X, groups, *, group=None, row=None):
    """Return the conversation with an id, or the conversation of a row.

    Parameters
    ----------
    estimator, X, groups : see ContextAttributionDisplay.from_estimator
        The classifier and its input.
    group : hashable or None, default=None
        Id of the conversation; None if there is only one, or if `row` is given.
    row : int or None, default=None
        Position in X of a row of the conversation, or of a sequence.

    Returns
    -------
    conversation : Conversation
        Its rows in order; without groups, `row` alone or, if it is None, all rows.
    """
    classifier, X_read = find_classifier(estimator, X, "explain")
    inputs = read_inputs(classifier, X_read, groups)
    if row is not None:
        row = check_row(row, inputs.n_samples)
    if inputs.lengths is not None:
        return _read_sequence(classifier, X, X_read, inputs, group if row is None else row)
    members = _find_members(inputs, group, row)
    rows = members[np.argsort(order_of_rows(inputs)[members], kind="stable")]
    texts = show_rows(X, inputs)
    return Conversation(
        classifier,
        take_rows(X_read, rows),
        None if groups is None else inputs.groups[rows],
        rows,
        [texts[turn] for turn in rows],
        None if inputs.speakers is None else inputs.speakers[rows],
        inputs.groups is not None,
        inputs.n_rows,
    )


def _read_sequence(classifier, X, X_read, inputs, number):
    """Return a sequence as a conversation of its own."""
    members = _find_members(inputs, number, None)
    number = int(inputs.groups[members[0]])
    rows = members[np.argsort(order_of_rows(inputs)[members], kind="stable")]
    texts = show_rows(X, inputs)
    return Conversation(
        classifier,
        take_rows(X_read, [number]),
        None,
        rows - members[0],
        [texts[row] for row in rows],
        None if inputs.speakers is None else inputs.speakers[rows],
        has_groups=True,
        n_rows=inputs.n_samples,
        sequence=number,
    )


def check_row(row, n_rows, name="row"):
    """Return the position of a row from 0; negative ones count from the end."""
    if isinstance(row, bool | np.bool_) or not isinstance(row, Integral):
        raise TypeError(f"{name}={row!r} must be an integer, the position of a row of X.")
    if not -n_rows <= row < n_rows:
        raise ValueError(
            f"{name}={row} is not a row of X, which has {n_rows}; the last one is {n_rows - 1}."
        )
    return int(row) % n_rows


def check_labels(y, n_rows, name="y"):
    """Return the class of each row as an array.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Classes.
    n_rows : int
        Number of rows.
    name : str, default="y"
        Name of the argument, for messages.

    Returns
    -------
    labels : ndarray of shape (n_rows,)
        The classes.
    """
    labels = column_or_1d(as_table(y, name))
    if len(labels) != n_rows:
        raise ValueError(
            f"{name} has {len(labels)} values, but there are {n_rows} rows; pass one for each."
        )
    return labels


def check_truth(y, n_rows, model, name="y"):
    """Return the class of each row or, of several labels, the indicators, as an array.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_labels)
        Classes, or indicators of labels.
    n_rows : int
        Number of rows.
    model : FittedModel
        The model that predicts them.
    name : str, default="y"
        Name of the argument, for messages.

    Returns
    -------
    truth : ndarray of shape (n_rows,) or (n_rows, n_labels)
        The classes, or the indicators.
    """
    if model.multilabel:
        return find_labels(y, n_rows, None, model.classes)[1]
    return check_labels(y, n_rows, name)


def read_truth(y, n_rows, classifier, name="y"):
    """Return the class of each row, or the names of its labels, to show beside predictions.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_labels)
        Classes, or indicators of labels.
    n_rows : int
        Number of rows.
    classifier : ContextMemoryClassifier
        The fitted classifier.
    name : str, default="y"
        Name of the argument, for messages.

    Returns
    -------
    shown : ndarray of shape (n_rows,)
        Classes, or names of labels as `name_labels` returns them.
    """
    model = fitted_model(classifier)
    truth = check_truth(y, n_rows, model, name)
    return name_labels(truth, model.classes) if model.multilabel else truth


def name_labels(indicators, labels):
    """Return the names of the labels of each row.

    Parameters
    ----------
    indicators : ndarray of shape (n_rows, n_labels)
        0 and 1 for each label.
    labels : ndarray of shape (n_labels,)
        Names of the labels.

    Returns
    -------
    names : ndarray of shape (n_rows,), object
        The name of the only label, several names with commas, or "no label".
    """
    names = np.empty(len(indicators), dtype=object)
    for row, of_row in enumerate(np.asarray(indicators) > 0):
        found = labels[of_row].tolist()
        names[row] = found[0] if len(found) == 1 else ", ".join(map(str, found)) or "no label"
    return names


def check_table(table, columns, name, expected):
    """Raise unless a table is a DataFrame with certain columns.

    Parameters
    ----------
    table : object
        The argument of the user.
    columns : tuple of str
        The columns that it must have.
    name : str
        Name of the argument, for messages.
    expected : str
        Description of a valid argument, for messages.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"{name} is a {type(table).__name__}, but must be {expected}.")
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ValueError(
            f"{name} has no columns {missing}, only {list(table.columns)}; pass {expected}."
        )


def show_rows(X, inputs):
    """Return the text of each row, or its position if the input is not text."""
    if inputs.kind == "text":
        return inputs.values
    X = as_table(X)
    if looks_like_texts(X):  # the texts before the pipeline vectorized them
        if is_frame(X):
            return list(_frames.column_values(X, _frames.column_names(X)[0]))
        return list(X if len(getattr(X, "shape", ())) < 2 else np.asarray(X)[:, 0])
    if inputs.lengths is not None:
        return [f"step {step}" for length in inputs.lengths for step in range(length)]
    return [f"row {row}" for row in range(inputs.n_rows)]


def _find_members(inputs, group, row):
    """Return the positions of the rows of a group, or of the group of a row."""
    if inputs.groups is None:
        if group is not None:
            raise ValueError(
                f"group={group!r} was passed, but X comes without groups; pass groups=, or fit "
                "with group_column=."
            )
        return np.arange(inputs.n_rows) if row is None else np.array([row])
    is_time = inputs.groups.dtype.kind in "mM"  # tolist would return plain numbers
    ids = list(inputs.groups) if is_time else inputs.groups.tolist()
    if row is not None:
        group = ids[row]
    known = list(dict.fromkeys(ids))
    if group is None and len(known) > 1:
        raise ValueError(
            f"group=None, but X has {len(known)} groups: {_list_some(known)}; pass the id of the "
            "one to show."
        )
    group = known[0] if group is None else group
    members = [position for position, other in enumerate(ids) if other == group]
    if not members:
        raise ValueError(f"group={group!r} is not a group of X, which has {_list_some(known)}.")
    return np.array(members)


def _list_some(ids):
    """Return the first ids for a message."""
    rest = f" and {len(ids) - MAX_IDS_SHOWN} more" * (len(ids) > MAX_IDS_SHOWN)
    return ", ".join(map(repr, ids[:MAX_IDS_SHOWN])) + rest


def clean(value):
    """Return a value as a str of the same length, with NUL and lone surrogates replaced."""
    return str(value).encode("utf-8", "replace").decode("utf-8").replace("\0", "\ufffd")


def shorten(value, width):
    """Return a value as one line of at most `width` characters, with an ellipsis if it is cut."""
    line = " ".join(clean(value).split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"
