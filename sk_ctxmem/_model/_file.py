"""A fitted model as plain data, and its file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from .._files._archive import read_archive, write_archive
from .._files._codec import PlainReader, PlainWriter, from_state, to_state
from .._input._rows import InputSchema
from .._messages import doc_link, warn_caller
from .._rows._reader import RowReader
from .._runtime import choose_device
from ..exceptions import ModelFileError
from ._build import build_network
from ._checks import check_learned
from ._fitted_model import FitResult, FittedModel, ready_to_predict
from ._trusted_classes import TRUSTED_CLASSES, check_safe_params

DOCUMENTS = ("config", "vocabulary")
NOT_IN_FILES = ("checkpoint", "callbacks")  # a folder to write into, and code
OF_TRAINING = ("n_iter_", "stop_reason_", "history_")
OF_MODEL = (
    "n_features_in_",
    "feature_names_in_",
    "vectorizer_",
    "scaler_",
    "speakers_",
    "classes_",
    "temperature_",
)
ONLY_IN_FILES = ("_input_kind", "_columns", "_has_groups", "_wants_context", "_reading", "_sizes")


def write_model(path: Any, name: str, params: dict[str, Any], result: FitResult) -> None:
    """Write a fitted classifier to a file that holds data only.

    Parameters
    ----------
    path : str or path-like
        The file.
    name : str
        Name of the class of the classifier, for messages.
    params : dict of str to object
        Parameters of the classifier.
    result : FitResult
        What it has learned.

    Raises
    ------
    TypeError
        If something is not plain data, or must not be in a file.
    OSError
        If the file cannot be written.
    """
    kept = {key: value for key, value in params.items() if key not in NOT_IN_FILES}
    state = kept | {"device": str(params["device"])} | model_state(result.model)
    state |= dict(
        zip(OF_TRAINING, (result.n_iter, result.stop_reason, result.history), strict=True)
    )
    writer = PlainWriter(TRUSTED_CLASSES, check=check_safe_params)
    config = writer.write(state, name)
    documents = {"config": config, "vocabulary": writer.vocabularies}
    arrays = {f"network.{key}": array for key, array in weights_of(result.model).items()}
    write_archive(path, "model", documents, writer.arrays | arrays)


def read_model(path: Any, name: str, param_names: list[str]) -> tuple[dict[str, Any], FitResult]:
    """Read what `write_model` has written, and try the model out.

    Parameters
    ----------
    path : str or path-like
        The file.
    name : str
        Name of the class of the classifier, for messages.
    param_names : list of str
        Names of its parameters.

    Returns
    -------
    params : dict of str to object
        Parameters of the classifier.
    result : FitResult
        What it has learned.
    """
    documents, arrays = read_archive(path, "model", DOCUMENTS)
    prefix = "network."
    weights = {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
    reader = PlainReader(TRUSTED_CLASSES, arrays, documents["vocabulary"], check=check_safe_params)
    state = reader.read(documents["config"])
    if state.keys() & set(NOT_IN_FILES):
        raise ValueError(f"a file must not hold {sorted(state.keys() & set(NOT_IN_FILES))}")
    _check_names(state, {*param_names, *OF_MODEL, *OF_TRAINING, *ONLY_IN_FILES})
    params = {key: state.pop(key) for key in param_names if key in state}
    state = {"stop_reason_": ""} | state  # older files have none
    model = restore_model(state, weights, params["device"], name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.smoke_test()
    history, n_iter, reason = state["history_"], state["n_iter_"], state["stop_reason_"]
    return params, FitResult(model, history, n_iter, reason)


def _check_names(state: dict[str, Any], known: set[str]) -> None:
    """Raise ValueError for names that neither this version nor a later one gives an attribute."""
    for key in state:
        is_learned = key.isidentifier() and key.endswith("_") and not key.startswith("_")
        if key not in known and not is_learned:
            raise ValueError(f"a classifier cannot have {key!r:.60}")


@contextmanager
def model_file_errors(path: Any) -> Iterator[None]:
    """Raise ModelFileError for whatever the content of a file leads to."""
    try:
        yield
    except (MemoryError, OSError, Warning, ModelFileError):  # a Warning where these are errors
        raise
    except Exception as error:
        raise ModelFileError(
            f"{str(path)!r} holds no whole classifier ({type(error).__name__}: "
            f"{error!s:.300}); save it anew, or fetch it again." + doc_link("model-files")
        ) from error


def to_pickle(attributes: dict[str, Any], model: FittedModel | None, name: str) -> dict[str, Any]:
    """Return arrays and plain values, and the objects of classes that are not known here.

    Parameters
    ----------
    attributes : dict of str to object
        All attributes of a classifier but its model.
    model : FittedModel or None
        Its model, if it is fitted.
    name : str
        Name of its class.
    """
    state = attributes if model is None else attributes | model_state(model)
    plain = to_state(state, name, TRUSTED_CLASSES, check_safe_params)
    return plain | {"weights": None if model is None else weights_of(model)}


def from_pickle(state: dict[str, Any], name: str) -> tuple[dict[str, Any], FittedModel | None]:
    """Return the attributes and the model that `to_pickle` was given."""
    attributes = from_state(state, TRUSTED_CLASSES, check_safe_params)
    if state["weights"] is None:
        return attributes, None
    model = restore_model(attributes, state["weights"], attributes["device"], name)
    return {key: attributes[key] for key in attributes if key not in ONLY_IN_FILES}, model


def model_state(model: FittedModel) -> dict[str, Any]:
    """Return a model but for its weights, by the names that files and pickles have."""
    reader, schema = model.reader, model.reader.schema
    features = {
        "n_features_in_": schema.n_features_in,
        "feature_names_in_": schema.feature_names_in,
    }
    return {name: value for name, value in features.items() if value is not None} | {
        "vectorizer_": reader.vectorizer,
        "scaler_": reader.scaler,
        "speakers_": reader.speakers,
        "_input_kind": schema.kind,
        "classes_": model.classes,
        "_columns": schema.columns,
        "_has_groups": reader.has_groups,
        "_wants_context": reader.wants_context,
        "_reading": {"context": reader.context, "word_memory": reader.word_memory},
        "_sizes": model.network_params,
        "temperature_": model.temperature,
    }


def weights_of(model: FittedModel) -> dict[str, np.ndarray]:
    """Return the weights of the network in single precision."""
    weights = model.network.state_dict().items()
    return {name: weight.float().cpu().numpy() for name, weight in weights}


def restore_model(
    state: Mapping[str, Any], weights: dict[str, np.ndarray], device: Any, name: str
) -> FittedModel:
    """Make a model of its state and weights, on the device that there is now.

    Raises
    ------
    AttributeError, KeyError, TypeError, ValueError, RuntimeError
        If its parts cannot be what a fit has learned.
    """
    learned = SimpleNamespace(**state)
    check_learned(learned)
    schema = InputSchema(
        kind=learned._input_kind,
        columns=learned._columns,
        n_features_in=state.get("n_features_in_"),
        feature_names_in=state.get("feature_names_in_"),
        estimator_name=name,
    )
    reader = RowReader(
        schema=schema,
        has_groups=learned._has_groups,
        wants_context=learned._wants_context,
        vectorizer=learned.vectorizer_,
        scaler=learned.scaler_,
        speakers=learned.speakers_,
        **learned._reading,
    )
    network = build_network(learned._sizes, weights)
    found = _find_device(device)
    return FittedModel(
        reader=reader,
        classes=learned.classes_,
        temperature=learned.temperature_,
        network=ready_to_predict(network, found),
        network_params=learned._sizes,
        device=found,
    )


def _find_device(device: Any) -> str:
    """Return the device of this machine that comes nearest to the parameter."""
    try:
        return choose_device(device)
    except ValueError:
        warn_caller(
            f"device={device!r} is not to be had here: the classifier runs on the CPU.",
            UserWarning,
        )
        return "cpu"
