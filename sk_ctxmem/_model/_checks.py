"""Consistency checks of the fitted attributes that are read from a file."""

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from .._dense._columns import from_plain
from .._dense._fingerprint import Fingerprint
from .._dense._reader import DenseReader
from .._features._heavy_columns import HeavyColumnScaler
from .._features._scaler import RowNormScaler
from .._features._sequences import TextSequences
from .._features._text_reader import FORMS, TextReader
from .._messages import doc_link
from ..exceptions import ModelFileError
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
        "classes_": n_classes == sizes["n_classes"] > 1 and _are_classes(fitted.classes_, sizes),
        "n_iter_": type(fitted.n_iter_) is int and 0 < fitted.n_iter_ <= len(history),
        "n_features_in_": _has_columns(fitted, sizes),
        "stop_reason_": isinstance(fitted.stop_reason_, str),
        "temperature_": 0 < float(fitted.temperature_) < np.inf,
        "history_": isinstance(history, pd.DataFrame) and list(history) == HISTORY_COLUMNS,
        "speakers_": _are_speaker_ids(fitted.speakers_, sizes["n_speakers"]),
        "scaler_": _scaler_matches(fitted, sizes),
        "vectorizer_": _vectorizer_matches(fitted, sizes["n_words"]),
        "_reading": reading == _reading_of(sizes),
        "_sparse_labels": type(getattr(fitted, "_sparse_labels", False)) is bool,
        "_longest_group": _is_length(getattr(fitted, "_longest_group", None)),
        "_expected_speakers": _are_expected_speakers(fitted),
        "_columns": set(fitted._columns) == ROLES,
        "_column_names": _are_columns(fitted),
        "_input_kind": fitted._input_kind in ("text", "features", "sequences"),
        "_has_groups": type(fitted._has_groups) is bool,
        "_wants_context": type(fitted._wants_context) is bool,
    }
    invalid = [name for name, is_valid in valid.items() if not is_valid]
    if invalid:
        raise ValueError(f"{', '.join(invalid)} cannot be the result of a fit")


def restore_texts(fitted):
    """Return the reader of the texts of a fitted classifier, or None if it reads features."""
    if fitted._input_kind != "text":
        return None
    form, name = getattr(fitted, "_text_form", ("list", "text"))
    if form not in FORMS:
        raise ValueError(f"texts have no form {form!r:.60}")
    reader = TextReader(fitted.vectorizer_, form, name)
    return replace(reader, n_columns=reader.read(["a b"]).shape[1])


def restore_dense(state):
    """Return the reader of the dense features beside those of texts, or None if there are none.

    Raises
    ------
    ModelFileError
        If the embedder is missing, or is not that of the fit.
    """
    scaler, fingerprint = state.get("_dense_scaler"), state.get("_fingerprint")
    if fingerprint is None and state.get("embedder_") is not None:
        raise ModelFileError(
            "The classifier was fitted without an embedder, but embedder= was given; load it "
            "without." + doc_link("embedders-and-files")
        )
    if scaler is None:
        return None
    plain = state.get("_feature_columns")
    columns = None if plain is None else from_plain(plain)
    embedder = None if fingerprint is None else _restore_embedder(state, fingerprint)
    return DenseReader(embedder, columns, scaler)


def _restore_embedder(state, fingerprint):
    """Return the embedder of the fit, or raise ModelFileError if it is missing or another."""
    embedder, expected = state.get("embedder_"), Fingerprint(**fingerprint)
    if embedder is None:
        raise ModelFileError(
            f"The classifier was fitted with the embedder {expected.name}, which its file does not "
            "contain; pass the same embedder: ContextMemoryClassifier.load(path, embedder=...)."
            + doc_link("embedders-and-files")
        )
    found = embedder.fingerprint
    if not found.has_vectors_of(expected):
        raise ModelFileError(
            f"The embedder {found.name} gives other vectors (of {found.width} values) than that of "
            f"the fit, {expected.name} ({expected.width} values); pass the embedder of the fit, "
            "with the same weights and settings." + doc_link("embedders-and-files")
        )
    return embedder


def _are_classes(classes, sizes):
    """Return whether classes are one-dimensional, unique and, unless they are labels, sorted."""
    found = np.unique(classes)
    if sizes.get("multilabel", False):
        return classes.ndim == 1 and len(found) == len(classes)
    return classes.ndim == 1 and np.array_equal(found, classes)


def _has_columns(fitted, sizes):
    """Return whether X, or the output of the vectorizer, has the columns that the scaler reads."""
    if fitted._input_kind == "text":
        n_columns = restore_texts(fitted).n_columns
    else:
        n_columns = fitted.n_features_in_
    scaler = fitted.scaler_
    if not sizes["sparse"]:
        return n_columns == sizes["n_features"]
    largest = _split_scaler(scaler)[0].columns_.max(initial=-1)
    if isinstance(scaler, HeavyColumnScaler):
        largest = max(largest, scaler.dense_columns_.max(initial=-1))
    return type(n_columns) is int and largest < n_columns <= MAX_SIZE


def _is_length(longest):
    return longest is None or (type(longest) is int and longest > 0)


def _are_speaker_ids(speakers, n_speakers):
    ids = speakers.values()
    return all(type(number) is int and 0 < number < n_speakers for number in ids)


def _are_columns(fitted):
    """Return whether the names of columns, which most files lack, are a list of plain names."""
    names = getattr(fitted, "_column_names", None)
    if names is None:
        return True
    return type(names) is list and len(names) >= fitted.n_features_in_ and all(map(_is_name, names))


def _is_name(name):
    if type(name) is tuple:
        return all(map(_is_name, name))
    return name is None or type(name) in (bool, int, float, str)


def _are_expected_speakers(fitted):
    """Return whether the speakers to expect, if there are any, have valid values."""
    expected = getattr(fitted, "_expected_speakers", {"known": 0.0, "missing": False})
    is_known = type(expected["known"]) is float and 0 <= expected["known"] <= 1
    return (
        expected.keys() == {"known", "missing"} and is_known and type(expected["missing"]) is bool
    )


def _scaler_matches(fitted, sizes):
    """Return whether the output of the scalers matches the input of the network."""
    of_sparse, n_dense = _split_scaler(fitted.scaler_)
    beside = getattr(fitted, "_dense_scaler", None)
    if beside is not None:
        n_dense += len(beside.mean_)
        if not isinstance(beside, StandardScaler) or beside.scale_.shape != beside.mean_.shape:
            return False
    if n_dense != sizes.get("n_dense", 0):
        return False
    if not sizes["sparse"]:
        scaler = fitted.scaler_
        return isinstance(scaler, StandardScaler) and scaler.mean_.shape == (sizes["n_features"],)
    return isinstance(of_sparse, RowNormScaler) and of_sparse.n_columns_ == sizes["n_features"]


def _split_scaler(scaler):
    """Return the scaler of sparse features, and the number of dense features beside them."""
    if not isinstance(scaler, HeavyColumnScaler):
        return scaler, 0
    return scaler.sparse_scaler_, len(scaler.dense_columns_)


def _reading_of(sizes):
    """Return what the rows must have, given the sizes of the network that reads them."""
    kind = "convolution" if sizes.get("word_width", 0) else True
    return {"context": sizes["context"], "word_memory": sizes["n_words"] > 0 and kind}


def _vectorizer_matches(fitted, n_words):
    """Return whether the vectorizer matches the kind of X and the vocabulary of the network."""
    if fitted._input_kind != "text":
        return fitted.vectorizer_ is None
    if n_words == 0:
        return hasattr(fitted.vectorizer_, "transform")
    values = restore_texts(fitted).read(["a"])
    return isinstance(values, TextSequences) and values.vocabulary_size == n_words
