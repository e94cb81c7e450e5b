"""Consistency checks of the fitted attributes that are read from a file."""

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from .._features._scaler import RowNormScaler
from .._features._sequences import TextSequences
from ._build import MAX_SIZE

HISTORY_COLUMNS = ["epoch", "train_loss", "valid_loss", "valid_score", "seconds"]
ROLES = {"text", "group", "order", "speaker"}


def check_fitted_attributes(fitted):
    """Raise unless the fitted attributes of a classifier are valid and consistent.

    Parameters
    ----------
    fitted : SimpleNamespace
        Fitted attributes, by their names in files.

    Raises
    ------
    AttributeError, KeyError, TypeError, ValueError
        If an attribute is missing, or its type or size does not match the others.
    """
    sizes, reading = fitted._sizes, fitted._reading
    n_classes, history = len(fitted.classes_), fitted.history_
    valid = {
        "classes_": n_classes == sizes["n_classes"] > 1 and _are_sorted(fitted.classes_),
        "n_iter_": type(fitted.n_iter_) is int and 0 < fitted.n_iter_ <= len(history),
        "n_features_in_": _has_columns(fitted, sizes),
        "stop_reason_": isinstance(fitted.stop_reason_, str),
        "temperature_": 0 < float(fitted.temperature_) < np.inf,
        "history_": isinstance(history, pd.DataFrame) and list(history) == HISTORY_COLUMNS,
        "speakers_": _are_speaker_ids(fitted.speakers_, sizes["n_speakers"]),
        "scaler_": _scaler_matches(fitted.scaler_, sizes),
        "vectorizer_": _vectorizer_matches(fitted, sizes["n_words"]),
        "_reading": reading == {"context": sizes["context"], "word_memory": sizes["n_words"] > 0},
        "_expected_speakers": _are_expected_speakers(fitted),
        "_columns": set(fitted._columns) == ROLES,
        "_input_kind": fitted._input_kind in ("text", "features", "sequences"),
        "_has_groups": type(fitted._has_groups) is bool,
        "_wants_context": type(fitted._wants_context) is bool,
    }
    invalid = [name for name, is_valid in valid.items() if not is_valid]
    if invalid:
        raise ValueError(f"{', '.join(invalid)} cannot be the result of a fit")


def _are_sorted(classes):
    """Return whether classes are one-dimensional, sorted and unique."""
    return classes.ndim == 1 and np.array_equal(np.unique(classes), classes)


def _has_columns(fitted, sizes):
    """Return whether X, or the output of the vectorizer, has the columns that the scaler reads."""
    if fitted._input_kind == "text":
        n_columns = fitted.vectorizer_.transform(["a b"]).shape[1]
    else:
        n_columns = fitted.n_features_in_
    scaler = fitted.scaler_
    if not sizes["sparse"]:
        return n_columns == sizes["n_features"]
    return type(n_columns) is int and scaler.columns_.max(initial=-1) < n_columns <= MAX_SIZE


def _are_speaker_ids(speakers, n_speakers):
    ids = speakers.values()
    return all(type(number) is int and 0 < number < n_speakers for number in ids)


def _are_expected_speakers(fitted):
    """Return whether the speakers to expect, if there are any, have valid values."""
    expected = getattr(fitted, "_expected_speakers", {"known": 0.0, "missing": False})
    is_known = type(expected["known"]) is float and 0 <= expected["known"] <= 1
    return (
        expected.keys() == {"known", "missing"} and is_known and type(expected["missing"]) is bool
    )


def _scaler_matches(scaler, sizes):
    """Return whether the output of a scaler matches the input of the network."""
    if sizes["sparse"]:
        return isinstance(scaler, RowNormScaler) and scaler.n_columns_ == sizes["n_features"]
    return isinstance(scaler, StandardScaler) and scaler.mean_.shape == (sizes["n_features"],)


def _vectorizer_matches(fitted, n_words):
    """Return whether the vectorizer matches the kind of X and the vocabulary of the network."""
    if fitted._input_kind != "text":
        return fitted.vectorizer_ is None
    if n_words == 0:
        return hasattr(fitted.vectorizer_, "transform")
    values = fitted.vectorizer_.transform(["a"])
    return isinstance(values, TextSequences) and values.vocabulary_size == n_words
