"""From the features of rows to the inputs of the encoder and of the wide path, as a graph.

Shape letters: N rows, V stored values of sparse features, F features, D width, C classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._features._heavy_columns import HeavyColumnScaler
from .._features._scaler import LARGEST_NORM, RowNormScaler
from .._model._fitted_model import FittedModel
from ._graph import Graph, Value
from ._weights import Weights

DOUBLE = np.float64


def count_features(model: FittedModel) -> int:
    """Return the number of features before scaling."""
    texts = model.reader.texts
    if texts is None:
        return int(model.n_features or 0)
    if texts.n_columns is not None:
        return int(texts.n_columns)
    return int(texts.vectorizer._n_columns)


def read_features(graph: Graph, model: FittedModel, weights: Weights) -> tuple[Value, Value, Value]:
    """Add the inputs of features, and read them as `ContextMemoryNet.read` does.

    Returns
    -------
    read : Value of shape (N, D)
        Inputs of the encoder.
    wide : Value of shape (N, C)
        Logits of the wide path.
    n_rows : Value of shape ()
        Number of rows.
    """
    network = model.network
    heavy = None
    if network.sparse:
        mapped, heavy, n_rows = _read_sparse(graph, model, weights)
    else:
        features = graph.input("features", DOUBLE, ["rows", count_features(model)])
        n_rows = features.size(0)
        scaled = _standardize(graph, features, model.reader.scaler, "scaler")
        mapped = scaled @ weights.take("table.weight")
    for name, part in _dense_parts(graph, model, heavy):
        mapped = mapped + part @ weights.take(f"{name}.weight")
    return *mapped.split(network.table.widths), n_rows


def _read_sparse(
    graph: Graph, model: FittedModel, weights: Weights
) -> tuple[Value, Value | None, Value]:
    """Return the product of sparse features and their table, and the heavy columns."""
    scaler = model.reader.scaler
    has_heavy = isinstance(scaler, HeavyColumnScaler)
    dtype = DOUBLE if has_heavy else np.float32
    ids = graph.input("ids", np.int64, ["values"])
    values = graph.input("values", dtype, ["values"])
    offsets = graph.input("offsets", np.int64, ["rows + 1"])
    n_rows = offsets.size(0) - 1
    rows = _rows_of_values(graph, ids, offsets)
    heavy = None
    if has_heavy:
        heavy = _take_heavy(graph, scaler, (ids, values, rows), n_rows, count_features(model))
        values = values.cast(np.float32)
        scaler = scaler.sparse_scaler_
    columns, scaled = _scale(graph, scaler, (ids, values, rows), n_rows, count_features(model))
    table = weights.take("table.weight")
    product = table.gather(columns) * scaled.unsqueeze(1)  # (V, D + C)
    width = sum(model.network.table.widths)
    return graph.sums_by_row(product, rows, n_rows, width), heavy, n_rows


def _rows_of_values(graph: Graph, ids: Value, offsets: Value) -> Value:
    """Return the row of each stored value, (V,): how many rows end before it."""
    starts = offsets.slice(1, -1)  # those of all rows but the first
    n_values = ids.size(0)
    ones = (starts * 0) + 1
    begins = graph.sums_by_row(ones, starts, n_values + 1, dtype=np.int64)
    return graph.apply("CumSum", begins.slice(0, -1), 0)


def _scale(
    graph: Graph,
    scaler: RowNormScaler,
    stored: tuple[Value, Value, Value],
    n_rows: Value,
    width: int,
) -> tuple[Value, Value]:
    """Scale stored values as RowNormScaler does: columns of the table, and values."""
    ids, values, rows = stored
    columns, factors = np.zeros(width, dtype=np.int32), np.zeros(width, dtype=np.float32)
    columns[scaler.columns_], factors[scaler.columns_] = scaler.column_map_, scaler.merge_weights_
    if len(scaler.columns_) < width:  # the norm is that of the known columns
        is_known = np.zeros(width, dtype=np.float32)
        is_known[scaler.columns_] = 1
        values = values * graph.weight("scaler.is_known", is_known).gather(ids)
    norm = float(scaler.norm_)
    squares = graph.sums_by_row(values * values, rows, n_rows)
    norms = (squares.sqrt() / norm).maximum(LARGEST_NORM)  # (N,)
    factor = (LARGEST_NORM / norms) / norm
    scaled = (
        values * factor.gather(rows) * graph.weight("scaler.merge_weights", factors).gather(ids)
    )
    return graph.weight("scaler.column_map", columns).gather(ids), scaled


def _take_heavy(
    graph: Graph, scaler: Any, stored: tuple[Value, Value, Value], n_rows: Value, width: int
) -> Value:
    """Return the standardized heavy columns, (N, number of these)."""
    ids, values, rows = stored
    n_heavy = len(scaler.dense_columns_)
    places = np.full(width, n_heavy, dtype=np.int64)  # the last one is dropped
    places[scaler.dense_columns_] = np.arange(n_heavy)
    flat = rows * (n_heavy + 1) + graph.weight("scaler.heavy", places).gather(ids)
    sums = graph.sums_by_row(values, flat, n_rows * (n_heavy + 1), dtype=DOUBLE)
    dense = sums.reshape(n_rows, n_heavy + 1).slice(0, n_heavy, axis=1)
    return _standardize(graph, dense, scaler.dense_scaler_, "scaler.dense")


def _standardize(graph: Graph, values: Value, scaler: Any, name: str) -> Value:
    """Return dense features scaled in double precision, as StandardScaler does."""
    means = graph.weight(f"{name}.mean", scaler.mean_)
    return ((values - means) / graph.weight(f"{name}.scale", scaler.scale_)).cast(np.float32)


def _dense_parts(graph: Graph, model: FittedModel, heavy: Value | None) -> list[tuple[str, Value]]:
    """Return the dense features beside others, each with the name of its table."""
    dense = model.reader.dense
    parts: dict[str, list[Value]] = {"dense": [], "embedded": []}
    if heavy is not None:
        parts["dense"].append(heavy)
    if dense is not None:
        scaled = _standardize(graph, _raw_dense(graph, dense), dense.scaler, "beside")
        names = {"dense": len(dense.owners), "embedded": dense.n_embedded}
        names = {name: size for name, size in names.items() if size}
        for name, part in zip(names, scaled.split(list(names.values())), strict=True):
            parts[name].append(part)
    return [(name, graph.concatenate(found, axis=1)) for name, found in parts.items() if found]


def _raw_dense(graph: Graph, dense: Any) -> Value:
    """Add the inputs of columns and of embeddings, and return them side by side."""
    raw = []
    if dense.owners:
        raw.append(graph.input("columns", DOUBLE, ["rows", len(dense.owners)]))
    if dense.n_embedded:
        embeddings = graph.input("embeddings", np.float32, ["rows", dense.n_embedded])
        raw.append(embeddings.cast(DOUBLE))
    return graph.concatenate(raw, axis=1)
