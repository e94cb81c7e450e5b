"""The classifier as engines send it around, and its predictions on frames of theirs."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from .._classifier import ContextMemoryClassifier
from .._input._rows import rank_categories
from .._model._fitted_model import fitted_model
from .._rows._arrange import rank

ROWS_AT_ONCE = 10_000  # more take more memory and are no faster
MODELS_OF_A_PROCESS = 2  # one that is used, and the one before
KINDS_OF_CLASSES = ("string", "integer", "boolean", "floating")


@dataclass(frozen=True)
class PackedModel:
    """The bytes of a file of `save`, told apart by their digest.

    Parameters
    ----------
    digest : str
        SHA-256 of the payload.
    payload : bytes
        Content of the file.
    """

    digest: str
    payload: bytes = field(compare=False, repr=False)


def pack(clf):
    """Return a fitted classifier as bytes that run no code when they are loaded."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.ctxmem")
        clf.save(path)
        payload = path.read_bytes()
    return PackedModel(hashlib.sha256(payload).hexdigest(), payload)


@lru_cache(maxsize=MODELS_OF_A_PROCESS)
def load_once(model):
    """Load a classifier, the first time that this process is asked for it."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.ctxmem")
        path.write_bytes(model.payload)
        return ContextMemoryClassifier.load(path)


class FramePredictor:
    """A fitted classifier that engines for many processes can send to their workers.

    It is a function of DataFrames that can be pickled: what travels is the content of a file of
    :meth:`~sk_ctxmem.ContextMemoryClassifier.save`, which is data only. Each process loads it once.
    :func:`predict_dask` and :func:`predict_spark` use it; for other engines, call it on frames
    that hold whole conversations.

    Parameters
    ----------
    clf : ContextMemoryClassifier
        A fitted classifier. If rows of a conversation count for one another, it must have been
        fitted with `group_column`.

    order_column : str or None, default=None
        Column that orders the rows of a conversation, where the classifier was fitted without
        one. None for its own, or else for their order in the frame.

    columns : list or None, default=None
        Columns of the frame to keep beside the predictions; None for all.

    probabilities : bool, default=True
        Whether to add the probabilities of the classes too.

    See Also
    --------
    predict_dask : Predictions for a frame of Dask.
    predict_spark : Predictions for a frame of Spark.

    Examples
    --------
    >>> from sk_ctxmem import ContextMemoryClassifier
    >>> from sk_ctxmem.datasets import make_conversations
    >>> from sk_ctxmem.distributed import FramePredictor
    >>> talks = make_conversations(20, random_state=0)
    >>> clf = ContextMemoryClassifier(text_column="text", group_column="group", random_state=0)
    >>> predictor = FramePredictor(clf.fit(talks.data, talks.target), columns=["group"])
    >>> predictor(talks.data).columns.tolist()
    ['group', 'prediction', 'probability_blue', 'probability_green', 'probability_red']
    """

    def __init__(self, clf, *, order_column=None, columns=None, probabilities=True):
        _check_classifier(clf)
        model = fitted_model(clf)
        self._classes, self._kind = _classes_of(model)
        self._group = _group_of(model)
        self._roles = [name for name in model.columns.values() if name is not None]
        self._features = _features_of(model)
        self._n_features = model.n_features or 1
        self._order = _order_to_sort_by(model, order_column)
        self._kept = _check_kept(columns)
        self._probabilities = (
            [f"probability_{name}" for name in self._classes] if probabilities else []
        )
        self._model = pack(clf)

    def __call__(self, frame):
        """Predict the rows of a frame that holds whole conversations.

        Parameters
        ----------
        frame : DataFrame of pandas
            Rows of the kind that the classifier was fitted on; more columns do not matter.

        Returns
        -------
        predictions : DataFrame of pandas
            The columns that are kept, ``prediction``, and ``probability_<class>`` for each class,
            with the index and the order of the frame.

        Raises
        ------
        TypeError
            If this is no DataFrame of pandas.
        ValueError
            If a column is not there, or one of the new columns is there already; if a row has no
            value in the column of the group or of the order.
        """
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(
                f"frame is a {type(frame).__name__}, but a DataFrame of pandas was expected; "
                'ask the engine for those, such as by batch_format="pandas" in Ray.'
            )
        self._check_columns(frame.columns)
        predicted = self._predict(frame).set_index(frame.index)
        return pd.concat([frame[self._kept_of(frame.columns)], predicted], axis=1)

    @property
    def _new(self):
        """Names of the columns that are added."""
        return ["prediction", *self._probabilities]

    def _kept_of(self, present):
        return list(present) if self._kept is None else self._kept

    def _read_of(self, present):
        """Names of the columns that the classifier is given."""
        if self._features is None:  # it knows no names, and takes all that there are
            return [name for name in present if name != self._order]
        return [*self._roles, *self._features]

    def _needed_of(self, present):
        """Names of the columns that are needed, in the order of the frame."""
        needed = {*self._kept_of(present), *self._read_of(present)}
        return [name for name in present if name in needed or name == self._order]

    def _check_columns(self, present):
        """Raise unless a frame has the columns that are needed, once each, and room for ours."""
        present = list(present)
        needed = [*self._roles, *(self._features or ()), *(self._kept or ())]
        missing = [name for name in [*needed, self._order] if name not in {*present, None}]
        if missing:
            raise ValueError(
                f"The frame has the columns {present}, but {missing} are needed; add them, as in "
                "fit, or rename what is meant."
            )
        read = [name for name in self._read_of(present) if name not in self._roles]
        if self._features is None and len(read) != self._n_features:
            raise ValueError(
                f"The frame has {len(read)} columns to read, {read}, but the classifier was fitted "
                f"on {self._n_features} without names; leave out the other columns, or fit on a "
                "DataFrame."
            )
        repeated = sorted({str(name) for name in present if present.count(name) > 1})
        if repeated:
            raise ValueError(f"The frame has several columns {repeated}; give each its own name.")
        taken = [name for name in self._new if name in self._kept_of(present)]
        if taken:
            raise ValueError(
                f"The frame has columns {taken} already, which predictions are to be named; rename "
                "them, or leave them out by columns=."
            )

    def _predict(self, frame):
        """Return the new columns for the rows of a frame."""
        probabilities = np.empty((len(frame), len(self._classes)))
        if len(frame):
            clf, read = load_once(self._model), self._read_of(frame.columns)
            for rows in self._pieces(frame):
                probabilities[rows] = clf.predict_proba(frame.iloc[rows][read])
        columns = {"prediction": self._classes.take(probabilities.argmax(axis=1)).array}
        for number, name in enumerate(self._probabilities):
            columns[name] = probabilities[:, number]
        return pd.DataFrame(columns)

    def _pieces(self, frame):
        """Return the places of rows to predict together: whole groups, each in its order."""
        if self._group is None:
            return np.split(np.arange(len(frame)), range(ROWS_AT_ONCE, len(frame), ROWS_AT_ONCE))
        codes = pd.factorize(_check_complete(frame[self._group]))[0]
        rows = np.lexsort((_ranks(frame, self._order), codes))
        ends = np.cumsum(np.bincount(codes))
        pieces = (ends - 1) // ROWS_AT_ONCE
        return np.split(rows, ends[:-1][pieces[1:] > pieces[:-1]])


def _ranks(frame, order_column):
    """Return numbers that sort as a column does, all the same without one."""
    if order_column is None:
        return np.zeros(len(frame))
    column = _check_complete(frame[order_column])
    return rank(rank_categories(column, column.to_numpy()))


def _check_complete(column):
    """Return a column, or raise if it lacks a value that a row needs."""
    missing = np.flatnonzero(column.isna())
    if len(missing):
        raise ValueError(
            f"column {column.name!r} has no value in {len(missing)} of {len(column)} rows that "
            "were read together; give each row one, or leave these rows out."
        )
    return column


def _check_classifier(clf):
    """Raise unless this is a fitted classifier of ours."""
    if type(clf) is not ContextMemoryClassifier:
        raise TypeError(
            f"clf is a {type(clf).__name__}, but a ContextMemoryClassifier was expected, as no "
            "other can be sent as plain data; of a search, pass best_estimator_, and of a "
            "Pipeline its last step, with a frame of what the others return."
        )


def _classes_of(model):
    """Return the classes as a Series, and which of the types it has that all engines know."""
    classes = pd.Series(model.classes.tolist())
    kind = pd.api.types.infer_dtype(classes, skipna=False)
    if kind not in KINDS_OF_CLASSES:
        raise TypeError(
            f"classes_ holds values such as {classes.iloc[0]!r} ({kind}), but a column of "
            "predictions holds strings, integers, booleans or floats; fit with y.astype(str)."
        )
    return classes, kind


def _group_of(model):
    """Return the column that says which rows belong together, None if each stands alone."""
    if model.reader.context == "none":
        return None
    if model.columns["group"] is None:
        raise ValueError(
            "The classifier was fitted with groups= beside X, but rows that are sent around need "
            "their group with them; fit with group_column= and a DataFrame that has the column."
        )
    return model.columns["group"]


def _features_of(model):
    """Return the columns without a role that are read, None if the names are not known."""
    if model.columns["text"] is not None:
        return []
    names = model.reader.schema.feature_names_in
    if names is None:
        return None
    roles = set(model.columns.values())
    return [name for name in names.tolist() if name not in roles]


def _order_to_sort_by(model, order_column):
    """Return the column that orders rows for a classifier that knows of none itself."""
    if not isinstance(order_column, str | int | None):
        raise TypeError(f"order_column={order_column!r} must be the name of one column, or None.")
    own = model.columns["order"]
    if own is None or order_column in (None, own):
        return order_column if own is None else None
    raise ValueError(
        f"order_column={order_column!r} is not the column of the order that the classifier was "
        f"fitted with, {own!r}; leave it out, or fit with order_column={order_column!r}."
    )


def _check_kept(columns):
    """Return the columns to keep as a list, or None for all."""
    if columns is None:
        return None
    is_list = isinstance(columns, Iterable) and not isinstance(columns, str | bytes)
    names = list(columns) if is_list else [None]  # once, as it may be a generator
    if not all(isinstance(name, str | int) for name in names):
        raise TypeError(f"columns={columns!r} must be a list of names of columns, or None for all.")
    return list(dict.fromkeys(names))
