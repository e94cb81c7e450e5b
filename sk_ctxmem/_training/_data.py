"""The data of a fit: validated, and read as the network reads them."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import sparse

from .._input._rows import InputRows, InputSchema, read_training_rows
from .._input._targets import check_sample_weight, check_target, refuse_labels_of_steps
from .._model._fitted_model import FittedModel
from .._rows._arrange import encode_groups
from .._rows._reader import RowReader, fit_reader, make_reader
from .._rows._row_set import RowSet
from ._warm_start import fitted_parts


@dataclass(frozen=True)
class CheckedData:
    """Validated data of a fit.

    Parameters
    ----------
    inputs : InputRows
        Rows, or the rows of sequences.
    schema : InputSchema
        Kind and columns of X.
    classes : ndarray of shape (n_classes,)
        Sorted class labels, or the names of the labels of which a row has several.
    targets : ndarray of shape (n_samples,), int64, or (n_samples, n_labels), uint8
        Class numbers, or indicators of labels.
    weights : ndarray of shape (n_samples,)
        Weights, with those of the classes.
    sparse_labels : bool
        Whether the indicators of labels were sparse.
    """

    inputs: InputRows
    schema: InputSchema
    classes: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    sparse_labels: bool


def check_data(
    X: Any, y: Any, sample_weight: Any, groups: Any, params: SimpleNamespace
) -> CheckedData:
    """Validate the data of a fit, see ContextMemoryClassifier.fit."""
    inputs, schema = read_training_rows(
        X, groups, role_columns(params), params.estimator_name, params.feature_columns
    )
    refuse_labels_of_steps(y, inputs.lengths)
    classes, targets = check_target(y, inputs.n_samples)
    weights = check_sample_weight(sample_weight, params.class_weight, classes, targets)
    return CheckedData(inputs, schema, classes, targets, weights, sparse.issparse(y))


@dataclass(frozen=True)
class ReadData:
    """Rows of a fit as the network reads them, and the reader that was fitted on them.

    Parameters
    ----------
    data : CheckedData
        The validated data.
    reader : RowReader
        Fitted reader of rows.
    rows : RowSet
        The rows.
    group_codes : ndarray of shape (n_rows,), int64
        Group index of each row.
    values : TextSequences, csr_array or ndarray of n_rows
        Features of the rows before scaling.
    """

    data: CheckedData
    reader: RowReader
    rows: RowSet
    group_codes: np.ndarray
    values: Any


def read_data(
    data: CheckedData, params: SimpleNamespace, *, more_to_come: bool = False
) -> ReadData:
    """Fit a reader of rows, and read the rows with it."""
    inputs, targets = data.inputs, data.targets
    group_codes = encode_groups(inputs)
    labels = inputs.spread(targets if targets.ndim == 2 else data.classes[targets])
    weights = inputs.spread(data.weights)
    reader, values, beside = fit_reader(
        inputs, labels, data.schema, params, weights, group_codes, more_to_come=more_to_come
    )
    rows = reader.build_rows(inputs, values, group_codes, beside)
    return ReadData(data, reader, rows, group_codes, values)


def read_again(data: CheckedData, params: SimpleNamespace, model: FittedModel) -> ReadData:
    """Read the rows with the reader of a fitted model, for a warm start."""
    group_codes = encode_groups(data.inputs)
    reader = make_reader(data.inputs, data.schema, params, *fitted_parts(model))
    reader = reader.with_groups_of(group_codes)
    reader.check_speakers(data.inputs)
    values = reader.vectorize(data.inputs)
    rows = reader.build_rows(data.inputs, values, group_codes)
    return ReadData(data, reader, rows, group_codes, values)


def role_columns(params: SimpleNamespace) -> dict[str, Any]:
    """Return the column names by role."""
    return {
        "text": params.text_column,
        "group": params.group_column,
        "order": params.order_column,
        "speaker": params.speaker_column,
    }
