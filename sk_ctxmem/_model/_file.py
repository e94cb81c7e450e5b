"""A fitted model as plain data, for files and pickles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np

from .._dense._cached import CachedEmbedder
from .._files._archive import describe, read_archive, write_archive
from .._files._codec import PlainReader, PlainWriter, from_state, to_state
from .._input._rows import InputSchema
from .._messages import doc_link, warn_caller
from .._network._attention import FORMER_WINDOW
from .._rows._reader import RowReader
from .._rows._speakers import EXPECT_KNOWN, ExpectedSpeakers
from .._runtime import choose_device, torch_defaults
from ..exceptions import ModelFileError
from ._build import build_network
from ._checks import check_fitted_attributes, restore_dense, restore_texts
from ._fitted_model import FittedModel, ready_to_predict
from ._trusted_classes import TRUSTED_CLASSES, check_safe_params

# Parameters of networks that older versions do not know, as they are there.
FORMER_SIZES = {
    "n_dense": 0,
    "n_kept": 0,
    "n_embedded": 0,
    "window": FORMER_WINDOW,
    "n_turns": 0,
    "word_width": 0,
    "pools": False,
    "multilabel": False,
}
DOCUMENTS = ("config", "vocabulary")
# Parameters that older versions do not have, which are written only if they are set.
LATER_PARAMETERS = {"feature_columns": None, "feature_transformer": None}
# A folder to write to, and code; an embedder, whose weights have files of their own; then the state
# of partial_fit, metadata requests and callbacks of scikit-learn, which predictions do not need.
NOT_IN_FILES = (
    "checkpoint",
    "callbacks",
    "embedder",
    "embedder_",
    "_stream",
    "_metadata_request",
    "_skl_callbacks",
)
# Names of parts of the model that are not attributes of a classifier.
ONLY_IN_FILES = (
    "_input_kind",
    "_columns",
    "_has_groups",
    "_wants_context",
    "_expected_speakers",
    "_reading",
    "_sizes",
    "_longest_group",
    "_column_names",
    "_text_form",
    "_dense_scaler",
    "_fingerprint",
    "_feature_columns",
    "_sparse_labels",
)


def write_model(path: Any, name: str, attributes: dict[str, Any], model: FittedModel) -> None:
    """Write a fitted classifier to a file that contains data only.

    Parameters
    ----------
    path : str, bytes, path-like or binary file
        Path of the file, or an open file.
    name : str
        Class name of the classifier, for messages.
    attributes : dict of str to object
        Attributes of the classifier except its model, parameters included.
    model : FittedModel
        Its model.

    Raises
    ------
    TypeError
        If a value is not plain data, or not allowed in a file.
    OSError
        If the file cannot be written.
    """
    kept = {
        key: value
        for key, value in attributes.items()
        if key not in NOT_IN_FILES and not (key in LATER_PARAMETERS and value is None)
    }
    state = kept | {"device": str(attributes["device"])} | model_state(model)
    writer = PlainWriter(TRUSTED_CLASSES, check=check_safe_params)
    config = writer.write(state, name)
    documents = {"config": config, "vocabulary": writer.vocabularies}
    arrays = {f"network.{key}": array for key, array in weights_of(model).items()}
    write_archive(path, "model", documents, writer.arrays | arrays)


def warn_of_fitted_embedder(embedder: Any, model: FittedModel) -> None:
    """Warn before a file is written without an embedder that the fit has fitted."""
    fitted = None if model.reader.dense is None else model.reader.dense.embedder
    if fitted is None or embedder is fitted or embedder is fitted.embedder:
        return
    warn_caller(
        f"The file will not contain the {type(fitted.embedder).__name__} that fit has "
        "fitted, and load needs it: keep clf.embedder_ too, such as by joblib.dump."
        + doc_link("embedders-and-files"),
        UserWarning,
    )


def read_model_file(path: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read the documents and arrays of the file of `write_model`."""
    return read_archive(path, "model", DOCUMENTS)


def read_model(
    documents: dict[str, Any],
    arrays: dict[str, np.ndarray],
    name: str,
    embedder: CachedEmbedder | None = None,
) -> tuple[dict[str, Any], FittedModel]:
    """Decode the content of the file of `write_model`, and check that the model can predict.

    Parameters
    ----------
    documents, arrays : dict
        Content of the file.
    name : str
        Class name of the classifier, for messages.
    embedder : CachedEmbedder or None, default=None
        The embedder of the fit, which a file does not contain.

    Returns
    -------
    attributes : dict of str to object
        Attributes of the classifier except its model. Their names are those of the file.
    model : FittedModel
        Its model.
    """
    prefix = "network."
    weights = {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}
    reader = PlainReader(TRUSTED_CLASSES, arrays, documents["vocabulary"], check=check_safe_params)
    state = reader.read(documents["config"])
    if state.keys() & set(NOT_IN_FILES):
        raise ValueError(f"a file must not contain {sorted(state.keys() & set(NOT_IN_FILES))}")
    state["embedder_"] = embedder
    attributes, model = _restore(state, weights, name)
    model.smoke_test()
    return attributes | {"_stream": None}, model


def check_attribute_names(attributes: dict[str, Any], estimator_class: Any) -> None:
    """Raise ValueError for a name that is not an identifier, or that the class defines."""
    parameters = estimator_class._get_param_names()
    for key in attributes:
        is_taken = hasattr(estimator_class, key) and key not in parameters
        if is_taken or key in ("_model", "_net") or not key.isidentifier():
            raise ValueError(f"a classifier has no attribute {key!r:.60}")


@contextmanager
def model_file_errors(path: Any) -> Iterator[None]:
    """Raise ModelFileError for any error that the content of a file causes."""
    try:
        yield
    except (MemoryError, OSError, Warning, ModelFileError):  # a filter may raise warnings
        raise
    except Exception as error:
        raise ModelFileError(
            f"{describe(path)} does not contain a valid classifier ({type(error).__name__}: "
            f"{error!s:.300}); save it again, or download it again." + doc_link("model-files")
        ) from error


def to_pickle(attributes: dict[str, Any], model: FittedModel | None, name: str) -> dict[str, Any]:
    """Return the state of a classifier for a pickle; untrusted classes are pickled as they are.

    Parameters
    ----------
    attributes : dict of str to object
        Attributes of the classifier except its model.
    model : FittedModel or None
        Its model. None if it is not fitted.
    name : str
        Class name of the classifier.
    """
    state = attributes if model is None else attributes | model_state(model)
    plain = to_state(state, name, TRUSTED_CLASSES, check_safe_params)
    return plain | {"weights": None if model is None else weights_of(model)}


def from_pickle(state: dict[str, Any], name: str) -> tuple[dict[str, Any], FittedModel | None]:
    """Return the arguments `attributes` and `model` of `to_pickle`."""
    attributes = from_state(state, TRUSTED_CLASSES, check_safe_params)
    if state["weights"] is None:
        return attributes, None
    return _restore(attributes, state["weights"], name)


def _restore(
    state: dict[str, Any], weights: dict[str, np.ndarray], name: str
) -> tuple[dict[str, Any], FittedModel]:
    """Return the attributes of a classifier except its model, and the model."""
    # missing in files and pickles of older versions
    state = {"stop_reason_": ""} | LATER_PARAMETERS | state
    state["_sizes"] = FORMER_SIZES | state["_sizes"]
    model = restore_model(state, weights, state["device"], name)
    attributes = {key: state[key] for key in state if key not in ONLY_IN_FILES}
    dense = model.reader.dense
    return attributes | {"embedder_": None if dense is None else dense.embedder}, model


def model_state(model: FittedModel) -> dict[str, Any]:
    """Return a model without its weights, by the names in files and pickles."""
    reader, schema = model.reader, model.reader.schema
    features: dict[str, Any] = {
        "n_features_in_": schema.n_features_in,
        "feature_names_in_": schema.feature_names_in,
        "_longest_group": reader.longest_group,
    }
    if model.sparse_labels:
        features["_sparse_labels"] = True
    if schema.column_names is not None:
        features["_column_names"] = [_as_plain(name) for name in schema.column_names]
    if reader.texts is not None and reader.texts.form != "list":  # older versions know lists alone
        features["_text_form"] = (reader.texts.form, reader.texts.name)
    if reader.dense is not None:
        features["_dense_scaler"] = reader.dense.scaler
        if reader.dense.embedder is not None:
            found = reader.dense.embedder.fingerprint
            features["_fingerprint"] = {"name": found.name, "vectors": found.vectors}
        if reader.dense.columns is not None:
            features["_feature_columns"] = reader.dense.columns.to_plain()
    expected = reader.expected_speakers
    if expected not in (None, EXPECT_KNOWN):
        features["_expected_speakers"] = vars(expected)
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
        "_sizes": _sizes_in_files(model.network_params),
        "temperature_": model.temperature,
    }


def _sizes_in_files(network_params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a network, without those that are as in older versions."""
    former = FORMER_SIZES.items()
    return {name: size for name, size in network_params.items() if (name, size) not in former}


def _as_plain(name: Any) -> Any:
    """Return the name of a column as a file can hold it: dates and others become strings."""
    if isinstance(name, tuple):
        return tuple(map(_as_plain, name))
    return name if name is None or isinstance(name, bool | int | float | str) else str(name)


@torch_defaults()
def weights_of(model: FittedModel) -> dict[str, np.ndarray]:
    """Return the weights of the network in single precision."""
    weights = model.network.state_dict().items()
    return {name: weight.float().cpu().numpy() for name, weight in weights}


@torch_defaults()
def restore_model(
    state: Mapping[str, Any], weights: dict[str, np.ndarray], device: Any, name: str
) -> FittedModel:
    """Build a model from its state and weights, on an available device.

    Raises
    ------
    AttributeError, KeyError, TypeError, ValueError, RuntimeError
        If the state and weights cannot be the result of a fit.
    """
    fitted = SimpleNamespace(**state)
    check_fitted_attributes(fitted)
    dense = restore_dense(state)
    columns = None if dense is None else dense.columns
    schema = InputSchema(
        kind=fitted._input_kind,
        columns=fitted._columns,
        n_features_in=state.get("n_features_in_"),
        feature_names_in=state.get("feature_names_in_"),
        estimator_name=name,
        column_names=state.get("_column_names"),
        features=None if columns is None else columns.names,
        of_sequences=fitted._sizes["pools"],
    )
    reader = RowReader(
        schema=schema,
        has_groups=fitted._has_groups,
        wants_context=fitted._wants_context,
        texts=restore_texts(fitted),
        scaler=fitted.scaler_,
        speakers=fitted.speakers_,
        longest_group=state.get("_longest_group"),  # missing in files of older versions
        expected_speakers=_expected_speakers(state),
        dense=dense,
        **fitted._reading,
    )
    network = build_network(fitted._sizes, weights)
    available = _find_available_device(device)
    return FittedModel(
        reader=reader,
        classes=fitted.classes_,
        temperature=fitted.temperature_,
        network=ready_to_predict(network, available),
        network_params=fitted._sizes,
        device=available,
        sparse_labels=state.get("_sparse_labels", False),
    )


def _expected_speakers(state: Mapping[str, Any]) -> ExpectedSpeakers | None:
    """Return the speakers to expect, which files of older versions do not contain."""
    if state["_columns"]["speaker"] is None:
        return None
    if "_expected_speakers" not in state:
        return EXPECT_KNOWN
    return ExpectedSpeakers(**state["_expected_speakers"])


def _find_available_device(device: Any) -> str:
    """Return the device of the parameter or, if it is not available, the CPU."""
    try:
        return choose_device(device)
    except ValueError:
        warn_caller(
            f"device={device!r} is not available; the classifier uses the CPU instead.",
            UserWarning,
        )
        return "cpu"
