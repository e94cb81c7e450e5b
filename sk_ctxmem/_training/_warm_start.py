"""What a fit with ``warm_start=True`` takes over, and which fits it can continue."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._dense._reader import is_embedder_of
from .._input._rows import InputSchema
from .._model._fitted_model import FittedModel


def check_warm_start(
    model: FittedModel, schema: InputSchema, classes: np.ndarray, embedder: Any
) -> None:
    """Raise unless a fit can continue from a model."""
    if not np.array_equal(classes, model.classes):
        raise ValueError(
            f"warm_start=True needs the classes of the last fit, {model.classes.tolist()}, "
            f"but y has {classes.tolist()}; set warm_start=False to start a new fit."
        )
    embedder_before = None if model.reader.dense is None else model.reader.dense.embedder
    if (embedder_before is None) != (embedder is None):
        had = "none" if embedder_before is None else "one"
        raise ValueError(
            f"warm_start=True needs the embedder of the last fit, which had {had}, but embedder is "
            f"{embedder!r:.100}; set warm_start=False to start a new fit."
        )
    if embedder_before is not None and not is_embedder_of(embedder, embedder_before):
        raise ValueError(
            f"warm_start=True needs the embedder of the last fit, "
            f"{embedder_before.fingerprint.name}, but embedder={embedder!r:.100} gives other "
            "vectors; pass that one, or set warm_start=False to start a new fit."
        )
    before = model.reader.schema
    if schema.features != before.features:
        raise ValueError(
            f"warm_start=True needs the feature_columns of the last fit, {before.features}, but "
            f"found {schema.features}; pass the same ones, or set warm_start=False."
        )
    if schema.kind == "text":
        return
    names, names_before = (
        None if each.feature_names_in is None else each.feature_names_in.tolist()
        for each in (schema, before)
    )
    if (schema.n_features_in, names) != (before.n_features_in, names_before):
        had, has = (f"{each} " if each else "" for each in (names_before, names))
        raise ValueError(
            f"warm_start=True needs the features of the last fit, {had}({before.n_features_in} "
            f"columns), but X has {has}({schema.n_features_in} columns); pass the same "
            "columns in the same order, or set warm_start=False."
        )


def fitted_parts(model: FittedModel) -> tuple[Any, ...]:
    """Return the fitted parts of a model that `make_reader` takes."""
    reader = model.reader
    return (
        reader.texts,
        reader.scaler,
        reader.speakers,
        reader.expected_speakers,
        reader.longest_group,
        reader.dense,
    )
