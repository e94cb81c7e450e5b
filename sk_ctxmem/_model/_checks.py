"""What holds of everything that a fit has learned: checks of what comes out of a file."""

from inspect import signature

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from .._features._scaler import RowNormScaler
from .._features._sequences import TextSequences
from .._network._net import ContextMemoryNet

HISTORY = ["epoch", "train_loss", "valid_loss", "valid_score", "seconds"]
ROLES = {"text", "group", "order", "speaker"}
LARGEST_SIZE = 2**31 - 1


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


def check_network_sizes(sizes, shapes):
    """Raise unless the sizes of a network are those of its weights.

    Parameters
    ----------
    sizes : dict of str to object
        The arguments of ContextMemoryNet.
    shapes : dict of str to tuple of int
        The shapes of the weights. They lie in memory already, so that a network of these sizes
        takes no more of it than a small multiple.

    Raises
    ------
    KeyError, TypeError, ValueError
        If they are not; some smaller weights are left for torch to check.
    """
    if set(sizes) != set(signature(ContextMemoryNet.__init__).parameters) - {"self"}:
        raise ValueError(f"the sizes {sorted(sizes)!r:.200} are not those of a network")
    counts = {name: sizes[name] for name in sizes if name.startswith("n_") or name == "width"}
    for name, count in counts.items():
        if type(count) is not int or not 0 <= count <= LARGEST_SIZE:
            raise ValueError(f"{name}={count!r:.60} is no size")
    if type(sizes["sparse"]) is not bool or not 0 <= float(sizes["dropout_rate"]) < 1:
        raise ValueError("the sizes hold something else than sizes")
    remembers = sizes["context"] != "none" or sizes["n_words"] > 0
    if remembers and sizes["width"] ** 2 > sum(int(np.prod(shape)) for shape in shapes.values()):
        raise ValueError(f"width={sizes['width']} is more than the weights of a memory have")
    for name, shape in _expected_shapes(**sizes).items():
        if shapes.get(name) != shape:
            raise ValueError(f"{name} has the shape {shapes.get(name)}, where {shape} was expected")


def _expected_shapes(
    n_features, n_classes, n_extras, n_speakers, width, n_words, context, **others
):
    """Return the shapes of the weights whose sizes can be large."""
    shapes = {"table.weight": (n_features, width + n_classes), "encoder.bias": (width,)}
    if n_extras:
        shapes["extras.weight"] = (width, n_extras)
    if n_speakers > 1:
        shapes["speakers.weight"] = (n_speakers, width)
    if n_words:
        shapes["reader.table.weight"] = (n_words, width)
    if context != "none":
        shapes["labels.transitions"] = (n_classes + 1, n_classes)
    return shapes
