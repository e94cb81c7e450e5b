"""`export_model`: the folder that programs without torch read."""

from __future__ import annotations

import os
import secrets
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from .._files._archive import describe, to_json, to_safetensors
from .._messages import import_optional, refuse_url
from .._model._fitted_model import FittedModel
from .._version import __version__
from ._columns import describe_columns
from ._conformance import conformance_of
from ._graph import OPSET
from ._models import make_rows_graph, make_step_graph, states_of
from ._vectorizer import arrays_of, check_vectorizer, describe_vectorizer, vocabularies_of

FORMAT = "sk_ctxmem export 1"
CONFIG = "model.json"
RUNTIME = "runtime.py"
PLAIN = (str, bool, int, float)


def export_model(model: FittedModel, folder: Any, *, vectorizer: bool = True) -> str:
    """Write a fitted model to a folder, see ContextMemoryClassifier.export.

    Parameters
    ----------
    model : FittedModel
        Fitted model.
    folder : str or path-like
        Path of the folder.
    vectorizer : bool, default=True
        Whether to write what turns texts into features.

    Returns
    -------
    digest : str
        SHA-256 of ``model.json``.
    """
    import_optional("onnx", "onnx", "export")
    path = _check_folder(folder)
    files = make_files(model, vectorizer=vectorizer)
    _write_folder(path, files)
    return sha256(files[CONFIG]).hexdigest()


def make_files(model: FittedModel, *, vectorizer: bool = True) -> dict[str, bytes]:
    """Return the content of the files of an export, by name."""
    _check_model(model)
    reads_texts = model.input_kind == "text" and model.reader.vectorizer is not None
    if reads_texts and vectorizer:
        check_vectorizer(model.reader.vectorizer)
    classes = [_as_plain("class", each) for each in model.classes.tolist()]
    speakers = [[_as_plain("speaker", name), i] for name, i in model.reader.speakers.items()]
    graph = make_rows_graph(model)
    files = {"rows.onnx": graph.to_bytes("sk_ctxmem")}
    states = []
    if model.reader.context == "past":
        files["step.onnx"] = make_step_graph(model).to_bytes("sk_ctxmem")
        states = states_of(model)
    config = {
        "format": FORMAT,
        "sk_ctxmem": __version__,
        "opset": OPSET,
        "classes": classes,
        "multilabel": model.multilabel,
        "sequences": model.of_sequences,
        "groups": model.reader.context != "none" or model.of_sequences,
        "context": model.reader.context,
        "speakers": speakers,
        "columns": describe_columns(getattr(model.reader.dense, "columns", None)),
        "inputs": {key: kind for key, kind in graph.input_types.items() if key != "groups"},
        "state": {each.name: [each.shape, each.dtype, each.first] for each in states},
        "vectorizer": None,
    }
    if reads_texts and vectorizer:
        fitted = model.reader.vectorizer
        config["vectorizer"] = describe_vectorizer(fitted)
        files["vocabulary.json"] = to_json(vocabularies_of(fitted))
        files["vectorizer.safetensors"] = to_safetensors(arrays_of(fitted))
        texts, arrays = conformance_of(fitted)
        files["conformance.json"] = to_json(texts)
        files["conformance.safetensors"] = to_safetensors(arrays)
    files[RUNTIME] = Path(__file__).with_name(RUNTIME).read_bytes()
    digests = {name: sha256(content).hexdigest() for name, content in files.items()}
    return files | {CONFIG: to_json(config | {"digests": digests}, indent=1)}


def _check_model(model: FittedModel) -> None:
    """Raise ValueError if the network has parts that are not exported."""
    if model.network.reader is not None:
        raise ValueError(
            f"It was fitted with word_memory={model.reader.word_memory!r}, which cannot "
            "be exported; fit with word_memory=False, or use save."
        )


def _as_plain(role: str, value: Any) -> Any:
    """Return a value that JSON has; raise TypeError for others."""
    value = value.item() if isinstance(value, np.generic) else value
    if type(value) not in PLAIN:
        raise TypeError(
            f"The {role} {value!r:.60} is of type {type(value).__name__}, but exported models have "
            "str, bool, int and float; convert it to str before fit."
        )
    return value


def _check_folder(folder: Any) -> Path:
    """Return the path of a folder that can be written or replaced."""
    if not isinstance(folder, str | os.PathLike):
        raise TypeError(f"folder={folder!r:.60} must be the path of a folder, a str or a Path.")
    refuse_url(folder, "folder", "export to a local folder, and copy it")
    path = Path(os.path.realpath(folder))
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{describe(folder)} is in a folder that does not exist; create {str(path.parent)!r}."
        )
    if path.exists() and not path.is_dir():
        raise FileExistsError(f"{describe(folder)} is a file; pass the path of a folder.")
    if path.is_dir() and any(path.iterdir()) and not (path / CONFIG).is_file():
        raise FileExistsError(
            f"{describe(folder)} has files that are not of an export; pass a new or empty folder."
        )
    return path


def _write_folder(path: Path, files: dict[str, bytes]) -> None:
    """Write files to a new folder, which then takes the place of `path`."""
    suffix = secrets.token_hex(8)
    new, old = (path.with_name(f".sk_ctxmem-{suffix}.{each}") for each in ("new", "old"))
    new.mkdir()
    try:
        for name, content in files.items():
            (new / name).write_bytes(content)
        if path.exists():
            path.rename(old)
        new.rename(path)
    except BaseException:
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(new, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
