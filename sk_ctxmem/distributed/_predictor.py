"""Serialization of a classifier for workers, and predictions on pandas DataFrames."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd

from .._classifier import ContextMemoryClassifier
from .._input._frames import rank_categories
from .._input._order import read_order
from .._model._file import write_model
from .._model._fitted_model import fitted_model
from .._model._outputs import outputs_of
from .._rows._arrange import rank

ROWS_AT_ONCE = 10_000  # larger batches need more memory and are not faster
MODELS_OF_A_PROCESS = 2  # the current model and the previous one
KINDS_OF_CLASSES = ("string", "integer", "boolean", "floating")


@dataclass(frozen=True)
class PackedModel:
    """Content of a file of `save`, compared by its digest.

    Parameters
    ----------
    digest : str
        SHA-256 of the payload.
    payload : bytes
        Content of the file.
    embedder : bytes or None, default=None
        The embedder, pickled, so that it is made once per process and not with each predictor.
    """

    digest: str
    payload: bytes = field(compare=False, repr=False)
    embedder: bytes | None = field(default=None, compare=False, repr=False)


def pack(clf):
    """Serialize a fitted classifier to bytes that contain no code, and its embedder by pickle."""
    file = BytesIO()
    write_model(file, type(clf).__name__, clf._attributes(), fitted_model(clf))
    payload, embedder = file.getvalue(), None
    if clf.embedder_ is not None:
        embedder = _pickle_embedder(clf.embedder_)
    digest = hashlib.sha256(payload + (embedder or b"")).hexdigest()
    return PackedModel(digest, payload, embedder)


def _pickle_embedder(embedder):
    """Pickle an embedder; functions of a notebook or script are pickled by value."""
    try:
        return _find_pickler().dumps(embedder)
    except Exception as error:  # of any class
        raise TypeError(
            f"The embedder {embedder.embedder!r:.100} cannot be pickled ({error}), but each worker "
            "needs it; pass a function that makes it when it is called first."
        ) from error


def _find_pickler():
    """Return cloudpickle, which Dask and Spark have, or else pickle."""
    for name in ("cloudpickle", "pyspark.cloudpickle"):
        with suppress(ImportError):
            return import_module(name)
    return pickle


@lru_cache(maxsize=MODELS_OF_A_PROCESS)
def load_once(model):
    """Load a classifier, once per process."""
    file = BytesIO(model.payload)
    if model.embedder is None:
        return ContextMemoryClassifier.load(file)
    return ContextMemoryClassifier.load(file, embedder=pickle.loads(model.embedder))


class FramePredictor:
    """Picklable predictor of a fitted classifier for the workers of distributed engines.

    It is called with pandas DataFrames. Its pickle contains the content of a file of
    :meth:`~sk_ctxmem.ContextMemoryClassifier.save`, which is data only, and the embedder, if there
    is one, as it is pickled itself. Each process loads both once.
    :func:`predict_dask` and :func:`predict_spark` use this class. For other
    engines, call it with DataFrames of whole conversations.

    Parameters
    ----------
    clf : ContextMemoryClassifier
        Fitted classifier. If it uses groups, it must have been fitted with `group_column`.

    order_column : str or None, default=None
        Column that orders the rows of a conversation, if the classifier was fitted without
        `order_column`. If None, the `order_column` of the classifier, or else the order of the
        rows in the frame.

    columns : list or None, default=None
        Columns of the frame to keep in the result. If None, all columns.

    probabilities : bool, default=True
        Whether to add a column with the probability of each class.

    See Also
    --------
    predict_dask : Predictions for Dask DataFrames.
    predict_spark : Predictions for Spark DataFrames.

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

    def __init__(
        self, clf: Any, *, order_column: Any = None, columns: Any = None, probabilities: bool = True
    ) -> None:
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
        self._predictions = ["prediction"]
        if model.multilabel:
            self._predictions = [f"prediction_{name}" for name in self._classes]
        self._model = pack(clf)

    def __call__(self, frame: Any) -> pd.DataFrame:
        """Predict the rows of a DataFrame of whole conversations.

        Parameters
        ----------
        frame : pandas.DataFrame
            Rows with the columns that the classifier was fitted on. Other columns are ignored.

        Returns
        -------
        predictions : pandas.DataFrame
            The kept columns, ``prediction``, and ``probability_<class>`` for each class, with the
            index and the order of `frame`. With several labels for each row, ``prediction_<label>``
            is 0 or 1 for each label.

        Raises
        ------
        TypeError
            If `frame` is not a pandas DataFrame.
        ValueError
            If `frame` lacks a column or already has one of the new columns, or if the group or
            the order value of a row is missing.
        """
        if not isinstance(frame, pd.DataFrame):
            raise TypeError(
                f"frame is a {type(frame).__name__}, but a pandas DataFrame was expected; "
                'set the batch format of the engine, such as batch_format="pandas" in Ray.'
            )
        self._check_columns(frame.columns)
        predicted = self._predict(frame).set_index(frame.index)
        return pd.concat([frame[self._kept_of(frame.columns)], predicted], axis=1)

    @property
    def _new(self):
        """Names of the new columns."""
        return [*self._predictions, *self._probabilities]

    def _kept_of(self, present):
        return list(present) if self._kept is None else self._kept

    def _read_of(self, present):
        """Names of the columns that the classifier reads."""
        if self._features is None:  # fitted without feature names: reads all columns
            return [name for name in present if name != self._order]
        return [*self._roles, *self._features]

    def _needed_of(self, present):
        """Names of the columns that are kept, read or sorted by, in the order of the frame."""
        needed = {*self._kept_of(present), *self._read_of(present)}
        return [name for name in present if name in needed or name == self._order]

    def _check_columns(self, present):
        """Raise if a frame lacks a column, has duplicate columns, or has one of the new columns."""
        present = list(present)
        needed = [*self._roles, *(self._features or ()), *(self._kept or ())]
        missing = [name for name in [*needed, self._order] if name not in {*present, None}]
        if missing:
            raise ValueError(
                f"The frame has the columns {present}, but {missing} are needed; add them, as in "
                "fit, or rename columns."
            )
        read = [name for name in self._read_of(present) if name not in self._roles]
        if self._features is None and len(read) != self._n_features:
            raise ValueError(
                f"The frame has {len(read)} feature columns, {read}, but the classifier was fitted "
                f"on {self._n_features} features without names; drop the other columns, or fit on "
                "a DataFrame."
            )
        repeated = sorted({str(name) for name in present if present.count(name) > 1})
        if repeated:
            raise ValueError(f"The frame has several columns {repeated}; give each its own name.")
        taken = [name for name in self._new if name in self._kept_of(present)]
        if taken:
            raise ValueError(
                f"The frame already has the columns {taken}, which are names of new columns; "
                "rename them, or exclude them with columns=."
            )

    def _predict(self, frame):
        """Return the new columns of a frame."""
        probabilities = np.empty((len(frame), len(self._classes)))
        if len(frame):
            clf, read = load_once(self._model), self._read_of(frame.columns)
            for rows in self._pieces(frame):
                probabilities[rows] = clf.predict_proba(frame.iloc[rows][read])
        columns = self._decide(probabilities)
        for number, name in enumerate(self._probabilities):
            columns[name] = probabilities[:, number]
        return pd.DataFrame(columns)

    def _decide(self, probabilities):
        """Return the column of predicted classes, or 0 and 1 in a column for each label."""
        found = outputs_of(len(self._predictions) > 1).decide(probabilities)
        if found.ndim == 2:
            return dict(zip(self._predictions, found.T, strict=True))
        return {"prediction": self._classes.take(found).array}

    def _pieces(self, frame):
        """Return the indices of the rows of each batch: whole groups, sorted by order."""
        if self._group is None:
            return np.split(np.arange(len(frame)), range(ROWS_AT_ONCE, len(frame), ROWS_AT_ONCE))
        codes = pd.factorize(_check_complete(frame[self._group]))[0]
        rows = np.lexsort((_ranks(frame, self._order), codes))
        ends = np.cumsum(np.bincount(codes))
        pieces = (ends - 1) // ROWS_AT_ONCE
        return np.split(rows, ends[:-1][pieces[1:] > pieces[:-1]])


def _ranks(frame, order_column):
    """Return the ranks of the values of a column; zeros if it is None."""
    if order_column is None:
        return np.zeros(len(frame))
    column = _check_complete(frame[order_column])
    values = rank_categories(column, column.to_numpy())
    return rank(read_order(values, f"column {order_column!r}"))


def _check_complete(column):
    """Return a column; raise if it has missing values."""
    missing = np.flatnonzero(column.isna())
    if len(missing):
        raise ValueError(
            f"column {column.name!r} has no value in {len(missing)} of {len(column)} rows of a "
            "batch; give each row a value, or drop these rows."
        )
    return column


def _check_classifier(clf):
    """Raise unless `clf` is a fitted ContextMemoryClassifier of rows."""
    if type(clf) is not ContextMemoryClassifier:
        raise TypeError(
            f"clf is a {type(clf).__name__}, but a ContextMemoryClassifier was expected, because "
            "other estimators cannot be serialized as plain data; for a search, pass its "
            "best_estimator_, and for a Pipeline, its last step and a frame of transformed rows."
        )
    if fitted_model(clf).of_sequences:
        raise ValueError(
            "The classifier was fitted on sequences, but partitions of a frame are rows; predict "
            "on each machine by clf.predict, with a list of sequences that to_sequences makes."
        )


def _classes_of(model):
    """Return the classes as a Series, and their type, which all engines must support."""
    classes = pd.Series(model.classes.tolist())
    kind = pd.api.types.infer_dtype(classes, skipna=False)
    if kind not in KINDS_OF_CLASSES:
        raise TypeError(
            f"classes_ contains values such as {classes.iloc[0]!r} ({kind}), but predictions must "
            "be strings, integers, booleans or floats; fit with y.astype(str)."
        )
    return classes, kind


def _group_of(model):
    """Return the column of the groups, or None if the classifier does not use groups."""
    if model.reader.context == "none":
        return None
    if model.columns["group"] is None:
        raise ValueError(
            "The classifier was fitted with groups=, but distributed predictions need groups in a "
            "column; fit with group_column= and a DataFrame that has the column."
        )
    return model.columns["group"]


def _features_of(model):
    """Return the feature columns, or None if the classifier was fitted without names."""
    if model.columns["text"] is not None:
        return list(model.reader.schema.features or ())
    names = model.reader.schema.feature_names_in
    if names is None:
        return None
    roles = set(model.columns.values())
    return [name for name in names.tolist() if name not in roles]


def _order_to_sort_by(model, order_column):
    """Return the column to sort by, or None if the classifier sorts by its own."""
    if not isinstance(order_column, str | int | None):
        raise TypeError(f"order_column={order_column!r} must be the name of one column, or None.")
    own = model.columns["order"]
    if own is None or order_column in (None, own):
        return order_column if own is None else None
    raise ValueError(
        f"order_column={order_column!r} differs from the order_column that the classifier was "
        f"fitted with, {own!r}; omit it, or fit with order_column={order_column!r}."
    )


def _check_kept(columns):
    """Return the columns to keep as a list, or None for all."""
    if columns is None:
        return None
    is_list = isinstance(columns, Iterable) and not isinstance(columns, str | bytes)
    names = list(columns) if is_list else [None]  # read once, because it may be a generator
    if not all(isinstance(name, str | int) for name in names):
        raise TypeError(f"columns={columns!r} must be a list of column names, or None for all.")
    return list(dict.fromkeys(names))
