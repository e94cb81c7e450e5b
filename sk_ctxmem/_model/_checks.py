"""What holds of everything that a fit has learned: checks of what comes out of a file."""

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from .._features._scaler import RowNormScaler
from .._features._sequences import TextSequences
from ._build import LARGEST_SIZE

HISTORY = ["epoch", "train_loss", "valid_loss", "valid_score", "seconds"]
ROLES = {"text", "group", "order", "speaker"}


def check_learned(learned):
    """Raise unless the parts of a fitted classifier agree with one another.

    Parameters
    ----------
    learned : SimpleNamespace
        The parts, by the names that files have.

    Raises
    ------
    AttributeError, KeyError, TypeError, ValueError
        If one is missing, or of another kind or size than the others need.
    """
    sizes, reading = learned._sizes, learned._reading
    n_classes, history = len(learned.classes_), learned.history_
    holds = {
        "classes_": n_classes == sizes["n_classes"] > 1 and _are_sorted(learned.classes_),
        "n_iter_": type(learned.n_iter_) is int and 0 < learned.n_iter_ <= len(history),
        "n_features_in_": _has_room(learned, sizes),
        "stop_reason_": isinstance(learned.stop_reason_, str),
        "temperature_": 0 < float(learned.temperature_) < np.inf,
        "history_": isinstance(history, pd.DataFrame) and list(history) == HISTORY,
        "speakers_": _are_numbers_below(learned.speakers_, sizes["n_speakers"]),
        "scaler_": _fits(learned.scaler_, sizes),
        "vectorizer_": _reads_words(learned, sizes["n_words"]),
        "_reading": reading == {"context": sizes["context"], "word_memory": sizes["n_words"] > 0},
        "_columns": set(learned._columns) == ROLES,
        "_input_kind": learned._input_kind in ("text", "features", "sequences"),
        "_has_groups": type(learned._has_groups) is bool,
        "_wants_context": type(learned._wants_context) is bool,
    }
    wrong = [name for name, is_right in holds.items() if not is_right]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} cannot be what a fit has learned")


def _are_sorted(classes):
    """Tell whether these are classes, each once."""
    return classes.ndim == 1 and np.array_equal(np.unique(classes), classes)


def _has_room(learned, sizes):
    """Tell whether features have the columns that the scaler reads."""
    if learned._input_kind == "text":
        n_columns = learned.vectorizer_.transform(["a b"]).shape[1]
    else:
        n_columns = learned.n_features_in_
    scaler = learned.scaler_
    if not sizes["sparse"]:
        return n_columns == sizes["n_features"]
    return type(n_columns) is int and scaler.columns_.max(initial=-1) < n_columns <= LARGEST_SIZE


def _are_numbers_below(speakers, n_speakers):
    numbers = speakers.values()
    return all(type(number) is int and 0 < number < n_speakers for number in numbers)


def _fits(scaler, sizes):
    """Tell whether a scaler returns what the network reads."""
    if sizes["sparse"]:
        return isinstance(scaler, RowNormScaler) and scaler.n_columns_ == sizes["n_features"]
    return isinstance(scaler, StandardScaler) and scaler.mean_.shape == (sizes["n_features"],)


def _reads_words(learned, n_words):
    """Tell whether there is a vectorizer where there must be, and its words are known."""
    if learned._input_kind != "text":
        return learned.vectorizer_ is None
    if n_words == 0:
        return hasattr(learned.vectorizer_, "transform")
    values = learned.vectorizer_.transform(["a"])
    return isinstance(values, TextSequences) and values.vocabulary_size == n_words
