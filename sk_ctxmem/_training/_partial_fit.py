"""partial_fit_model: fit a model to a chunk of rows."""

from __future__ import annotations

import copy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from .._input._frames import as_table
from .._input._indicators import find_labels, has_several_labels
from .._input._rows import read_training_rows
from .._input._targets import (
    check_chunk_weights,
    check_classes,
    find_classes,
    refuse_labels_of_steps,
)
from .._model._fitted_model import FitResult, FittedModel
from .._rows._arrange import encode_groups
from .._rows._row_set import RowSet
from .._runtime import choose_device, torch_defaults
from ._chunk import new_stream, train_chunk
from ._data import CheckedData, read_data, role_columns
from ._dataset import TrainingRows
from ._fit import ONE_PROCESS, Fit
from ._user_callbacks import FitSetting, check_callbacks


def partial_fit_model(
    X: Any,
    y: Any,
    classes: Any,
    sample_weight: Any,
    groups: Any,
    params: SimpleNamespace,
    *,
    start: FitResult | None,
) -> FitResult:
    """Train for one epoch on a chunk of rows.

    Parameters
    ----------
    X, y, classes, sample_weight, groups : see ContextMemoryClassifier.partial_fit
        The chunk.
    params : SimpleNamespace
        Validated parameters of the classifier, and its `estimator_name`.
    start : FitResult or None
        Result of the previous call. None on the first call.

    Returns
    -------
    result : FitResult
        Fitted model, with the state that the next call continues from.
    """
    model = None if start is None else start.model
    several = has_several_labels(as_table(y, "y")) if model is None else model.multilabel
    if not several:
        classes = _check_classes(classes, model)
    if model is None:
        inputs, schema = read_training_rows(
            X, groups, role_columns(params), params.estimator_name, params.feature_columns
        )
    else:
        inputs = model.reader.read_inputs(X, groups)
    refuse_labels_of_steps(y, inputs.lengths)
    if several:
        known = None if model is None else model.classes
        classes, targets = find_labels(y, inputs.n_samples, classes, known)
    else:
        targets = find_classes(y, inputs.n_samples, classes)
    weights = check_chunk_weights(sample_weight, params.class_weight, classes, targets)
    fit = Fit(params, classes, choose_device(params.device), ONE_PROCESS, start)
    as_sparse = sparse.issparse(y) if model is None else model.sparse_labels
    fit.expect_labels(targets, as_sparse=as_sparse)
    if model is None:
        data = CheckedData(inputs, schema, classes, targets, weights, as_sparse)
        read = read_data(data, params, more_to_come=True)
        fit.use(read, more_to_come=True)
        rows = read.rows
    else:
        fit.reader, fit.network_params = model.reader, model.network_params
        group_codes = encode_groups(inputs)
        fit.reader = fit.reader.with_groups_of(group_codes)
        rows = fit.reader.build_rows(inputs, fit.reader.vectorize(inputs), group_codes)
    return _train_on_chunk(fit, rows, inputs.spread(targets), inputs.spread(weights))


def _check_classes(classes: Any, model: FittedModel | None) -> np.ndarray:
    """Validate `classes`, and return the class labels of all chunks."""
    if model is None:
        return check_classes(classes)
    if classes is not None and not np.array_equal(check_classes(classes), model.classes):
        raise ValueError(
            f"classes={np.asarray(classes).tolist()!r:.200} are not those of the first call, "
            f"{model.classes.tolist()!r:.200}; omit classes, or use a new classifier."
        )
    return model.classes


@torch_defaults()
def _train_on_chunk(fit: Fit, rows: RowSet, targets: np.ndarray, weights: np.ndarray) -> FitResult:
    """Train on a chunk; the result has the running mean of the weights."""
    params, start = fit.params, fit.start
    stream = None if start is None else start.stream
    random = _copy_random_state(stream, params)
    chunk = TrainingRows(rows, targets, weights, random)
    chunk.far_places = fit.choose_far_places(rows)
    callbacks = check_callbacks(params.callbacks, FitSetting(holds_out=False, is_chunk=True))
    seed = random.randint(2**31 - 1)
    with fit.seeded(seed):
        network = fit.new_network()
        fit.expect_label_shares(network, chunk)
        mean = copy.deepcopy(network).to(fit.device)
        if stream is None:
            fit.choose_penalties(chunk)
            stream = new_stream(network, chunk, int(params.batch_size))
        trained, stream = train_chunk(
            network,
            mean,
            chunk,
            stream,
            learning_rate=float(params.learning_rate),
            device=fit.device,
            callbacks=callbacks,
            history=None if start is None else start.history,
            label_weights=fit.label_weights,
        )
    result = fit.result(mean, trained)
    n_iter = len(result.history)
    return replace(result, n_iter=n_iter, interrupted=False, stream=stream | {"random": random})


def _copy_random_state(
    stream: dict[str, Any] | None, params: SimpleNamespace
) -> np.random.RandomState:
    """Return a copy of the random state of the chunks, so that a failed call does not change it."""
    if stream is None:
        return np.random.RandomState(check_random_state(params.random_state).randint(2**31 - 1))
    return copy.deepcopy(stream["random"])
