"""From the features of rows to the inputs of the encoder and of the wide path, as a graph.

Shape letters: N rows, V stored values of sparse features, F features, D width, C classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .._features._heavy_columns import HeavyColumnScaler
from .._features._scaler import LARGEST_NORM, RowNormScaler
from .._model._fitted_model import FittedModel
from ._columns import read_columns
from ._graph import END, Graph, Value
from ._weights import Weights

DOUBLE = np.float64
BLOCK = 32  # stored values of a row that are read at once


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
    read, wide = mapped.split(network.table.widths)
    return read, wide, n_rows


def _read_sparse(
    graph: Graph, model: FittedModel, weights: Weights
) -> tuple[Value, Value | None, Value]:
    """Return the product of sparse features and their table, and the heavy columns."""
    scaler, width = model.reader.scaler, count_features(model)
    has_heavy = isinstance(scaler, HeavyColumnScaler)
    ids = graph.input("ids", np.int64, ["values"])
    values = graph.input("values", DOUBLE if has_heavy else np.float32, ["values"])
    offsets = graph.input("offsets", np.int64, ["rows + 1"])
    heavy = None
    if has_heavy:
        heavy = _take_heavy(graph, scaler, ids, values, offsets)
        values = values.cast(np.float32)
        scaler = scaler.sparse_scaler_
    columns, merge_weights, values = _map_columns(graph, scaler, ids, values, width)
    array = weights.array("table.weight")
    if not len(array):  # all columns are heavy, and other ones are multiplied by 0
        array = np.zeros((1, array.shape[1]), dtype=np.float32)
    table = weights.put("table.weight", array)
    sums = _sum_rows(graph, table, columns, values * merge_weights, offsets)
    factors = _scale_rows(graph.segment_sums((values * values).unsqueeze(1), offsets), scaler)
    return sums.cast(np.float32) * factors, heavy, offsets.size(0) - 1


def _map_columns(
    graph: Graph, scaler: RowNormScaler, ids: Value, values: Value, width: int
) -> tuple[Value, Value, Value]:
    """Return the rows of the table, their weights, and the values without unknown columns."""
    columns, factors = np.zeros(width, dtype=np.int32), np.zeros(width, dtype=np.float32)
    columns[scaler.columns_], factors[scaler.columns_] = scaler.column_map_, scaler.merge_weights_
    if len(scaler.columns_) < width:
        is_known = np.zeros(width, dtype=np.float32)
        is_known[scaler.columns_] = 1
        values = values * graph.weight("scaler.is_known", is_known).gather(ids)
    column_map = graph.weight("scaler.column_map", columns)
    merge_weights = graph.weight("scaler.merge_weights", factors)
    return column_map.gather(ids), merge_weights.gather(ids), values


def _sum_rows(graph: Graph, table: Value, columns: Value, values: Value, offsets: Value) -> Value:
    """Return the weighted sums of rows of a table: (V,), (V,) -> (N, D + C).

    The stored values of a row are read in blocks, whose products with the table are those of
    matrices: running sums of all of them would take three times as long.
    """
    starts, ends = offsets.slice(0, -1), offsets.slice(1, END)
    n_blocks = ((ends - starts + (BLOCK - 1)) / BLOCK).maximum(1)  # (N,)
    numbers = graph.range(n_blocks.largest())
    is_block = (numbers < n_blocks.unsqueeze(1)).reshape(-1)
    firsts = starts.unsqueeze(1) + numbers * BLOCK
    ends = ends.unsqueeze(1).expand_as(firsts).reshape(-1, 1).compress(is_block)  # (B, 1)
    places = firsts.reshape(-1, 1).compress(is_block) + np.arange(BLOCK)  # (B, BLOCK)
    places = graph.where(places < ends, places, columns.size(0))  # beyond them is one of weight 0
    columns = graph.concatenate([columns, np.zeros(1, dtype=np.int32)], axis=0).gather(places)
    values = graph.concatenate([values, np.zeros(1, dtype=np.float32)], axis=0).gather(places)
    products = values.unsqueeze(1) @ table.gather(columns)  # (B, 1, D + C)
    running = graph.apply("CumSum", n_blocks, 0)
    block_offsets = graph.concatenate([[0], running], axis=0)
    return graph.segment_sums(products.squeeze(1), block_offsets)


def _scale_rows(squares: Value, scaler: RowNormScaler) -> Value:
    """Return the factor of each row that RowNormScaler multiplies it with, (N, 1)."""
    norm = float(scaler.norm_)
    norms = (squares.cast(np.float32).sqrt() / norm).maximum(LARGEST_NORM)
    return (LARGEST_NORM / norms) / norm


def _take_heavy(graph: Graph, scaler: Any, ids: Value, values: Value, offsets: Value) -> Value:
    """Return the standardized heavy columns, (N, number of these)."""
    heavy = graph.weight("scaler.heavy", scaler.dense_columns_.astype(np.int64))
    is_heavy = ids.unsqueeze(1).equals(heavy).cast(DOUBLE)  # (V, number of heavy columns)
    sums = graph.segment_sums(is_heavy * values.unsqueeze(1), offsets)
    return _standardize(graph, sums, scaler.dense_scaler_, "scaler.dense")


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
    if dense.columns is not None:
        raw.append(read_columns(graph, dense.columns))
    if dense.n_embedded:
        embeddings = graph.input("embeddings", np.float32, ["rows", dense.n_embedded])
        raw.append(embeddings.cast(DOUBLE))
    return graph.concatenate(raw, axis=1)
