"""explain: contributions to predictions, as a DataFrame."""

from collections.abc import Hashable

import numpy as np
import pandas as pd
from scipy import sparse

from .._features._featurize import features_of, join_dense, scale, scale_heavy_columns
from .._features._heavy_columns import HeavyColumnScaler
from .._features._scaler import RowNormScaler
from .._features._text_reader import unfrozen
from .._features._vectorizer import TextSequenceVectorizer
from .._input._arrays import as_column
from .._input._frames import as_table
from .._runtime import torch_defaults
from ._attribution import METHODS
from ._dense_parts import find_dense_parts
from ._scorer import Scorer, find_context_windows
from ._table import NO_INDEX, SOURCES, explain_rows, find_entries
from ._windows import choose_windows, cut_into_chunks, warn_of_long_work

CHUNK_ROWS = 1024  # rows of the windows that are explained in one batch


def explain(model, X, *, target=None, groups=None, rows=None, method="integrated_gradients"):
    """Explain predictions of a model, see ContextMemoryClassifier.explain."""
    check_method(method)
    reader = model.reader
    inputs = reader.read_inputs(X, groups)
    values = reader.vectorize(inputs)
    explained = check_explained(rows, inputs.n_samples)
    targets = check_targets(target, model.classes, len(explained))
    row_set = reader.build_rows(inputs, values)
    warn_of_long_work(find_context_windows(row_set, explained), method)
    features, empty = features_of(values), _empty_features(reader, inputs, values)
    parts = []
    with torch_defaults():
        scaled_empty = scale(empty, reader.scaler)
        dense = join_dense(scale_heavy_columns(empty, reader.scaler), _mean_of_dense(reader))
        scorer = Scorer(model.network, row_set, scaled_empty, model.temperature, dense)
        windows = choose_windows(scorer, explained, targets)
        for some in cut_into_chunks(windows, CHUNK_ROWS):
            classes = None if targets is None else targets[some]
            chosen = row_set.rows[windows[some].indices[windows[some].own]]
            entries = find_entries(features, empty, reader.scaler, chosen)
            with_words = method == "leave_one_out"
            beside = find_dense_parts(reader, row_set, inputs.values, chosen, with_words=with_words)
            words = _name_words(reader, inputs, values, chosen)
            lines = explain_rows(scorer, windows[some], classes, entries, beside, words, method)
            parts.append(lines.assign(number=some[lines["number"]]))
    return _to_frame(model, pd.concat(parts), explained, inputs.lengths)


def _empty_features(reader, inputs, values):
    """Return the baseline: the features of an empty text, the means of dense features, or zeros."""
    scaler = reader.scaler
    if inputs.kind == "text":
        return features_of(reader.vectorize_values([""]))
    if isinstance(scaler, RowNormScaler):
        return sparse.csr_array((1, values.shape[1]), dtype=np.float32)
    if isinstance(scaler, HeavyColumnScaler):
        empty = np.zeros((1, values.shape[1]))
        empty[0, scaler.dense_columns_] = scaler.dense_scaler_.mean_
        return sparse.csr_array(empty)
    return scaler.mean_[np.newaxis]


def _mean_of_dense(reader):
    """Return the baseline of dense features beside those of texts: their scaled means."""
    n_features = 0 if reader.dense is None else reader.dense.n_features
    return np.zeros((1, n_features), dtype=np.float32) if n_features else None


def _name_words(reader, inputs, values, explained):
    """Return the words of rows, or their ids; an empty list if there is no word memory."""
    if not reader.word_memory:
        return []
    vectorizer = unfrozen(reader.vectorizer)
    if isinstance(vectorizer, TextSequenceVectorizer):
        return [vectorizer._words_of(inputs.values[row]) for row in explained]
    bounds = zip(values.offsets[explained], values.offsets[explained + 1], strict=True)
    return [list(map(str, values.words[start:end])) for start, end in bounds]


def _to_frame(model, lines, explained, lengths):
    """Replace ids by names, and positions of rows by those in their sequence, if there are any."""
    lines = lines.sort_values(["number", "source"], kind="stable", ignore_index=True)
    columns, inverse = np.unique(lines["column"], return_inverse=True)
    names = _name_features(model.reader, columns[columns != NO_INDEX])
    names = np.array([None] * (len(columns) - len(names)) + names, dtype=object)[inverse]
    feature = np.where(lines["word"].isna(), names, lines["word"])
    row, from_row = explained[lines["number"]], lines["from_row"].to_numpy()
    if lengths is not None:
        starts = np.cumsum(lengths) - lengths
        from_row = np.where(from_row == NO_INDEX, NO_INDEX, from_row - starts[row])
    return pd.DataFrame(
        {
            "row": row,
            "target": as_column(model.classes[lines["target"]]),
            "source": SOURCES[lines["source"]],
            "feature": pd.Series(feature, dtype=object),  # None where there is none
            "from_row": from_row,
            "contribution": lines["contribution"],
            "attention": lines["attention"],
        }
    )


def _name_features(reader, columns):
    """Return the names of features: n-grams, column names or column indices."""
    if reader.schema.kind == "sequences":
        return [str(column) for column in columns]
    if reader.schema.kind == "features":
        names = reader.schema.feature_names_in
        return [f"x{column}" if names is None else str(names[column]) for column in columns]
    vectorizer = unfrozen(reader.vectorizer)
    if isinstance(vectorizer, TextSequenceVectorizer):
        return vectorizer._names_of(columns)
    try:
        names = vectorizer.get_feature_names_out()
    except (AttributeError, TypeError, ValueError):
        names = []  # HashingVectorizer, and pipelines with one, have no names
    if len(names) != reader.texts.n_columns:
        return [str(column) for column in columns]
    return [str(names[column]) for column in columns]


def check_method(method):
    """Raise ValueError unless the method is one of METHODS."""
    if not isinstance(method, str) or method not in METHODS:
        raise ValueError(f"method={method!r:.100} must be one of {', '.join(map(repr, METHODS))}.")


def check_explained(rows, n_rows):
    """Validate the positions or the mask of the rows to explain, and return positions."""
    if rows is None:
        return np.arange(n_rows)
    found = np.asarray(as_table(rows, "rows"))
    if found.ndim > 1 or (found.size and found.dtype.kind not in "biu"):
        raise TypeError(
            f"rows={rows!r:.100} must be integers, the positions in X of the rows to explain, or "
            "a boolean mask of the rows of X."
        )
    if found.dtype.kind == "b":
        if found.shape != (n_rows,):
            raise ValueError(
                f"rows is a mask of {found.size} rows, but X has {n_rows}; pass one value for each "
                "row, or positions."
            )
        found = np.flatnonzero(found)
    found = np.atleast_1d(found).astype(np.int64)
    if not found.size:
        raise ValueError("rows selects no row; pass at least one position, or None for all rows.")
    outside = found[(found < 0) | (found >= n_rows)]
    if outside.size:
        raise ValueError(
            f"rows has {outside[0]}, but X has the rows 0 to {n_rows - 1}; pass positions in X, "
            "not index labels."
        )
    if len(np.unique(found)) < len(found):
        raise ValueError("rows contains a row twice; pass each position once.")
    return found


def check_targets(target, classes, n_explained):
    """Return the class index to explain for each row. None stands for the predicted classes."""
    if target is None:
        return None
    target = as_table(target, "target")
    is_one = np.ndim(target) == 0
    one = target[()] if is_one and isinstance(target, np.ndarray) else target
    targets = [one] * n_explained if is_one else list(target)
    if len(targets) != n_explained:
        raise ValueError(
            f"target has {len(targets)} classes, but {n_explained} rows are explained; pass one "
            "class for all rows, or one for each."
        )
    numbers = {name: number for number, name in enumerate(classes)}
    for name in targets:
        if not isinstance(name, Hashable):
            raise TypeError(f"target={name!r:.100} must be a class label, such as {classes[0]!r}.")
        if name not in numbers:
            raise ValueError(
                f"target={name!r:.100} is not a class of the classifier; pass one of "
                f"{classes.tolist()!r:.300}."
            )
    return np.array([numbers[name] for name in targets], dtype=np.int64)
