"""Data-only files: zip archives of JSON documents and arrays, written atomically.

Members are stored without compression. Reading a file therefore never needs more memory than its
own size, and all sizes are checked before memory is allocated.
"""

import json
import os
import secrets
import shutil
import sys
import zipfile
from contextlib import contextmanager
from hashlib import sha256
from importlib import metadata
from pathlib import Path

import numpy as np
import safetensors.numpy

from .._messages import doc_link
from .._version import __version__
from ..exceptions import ModelFileError

FORMAT_VERSION = 1
MANIFEST, WEIGHTS = "manifest.json", "weights.safetensors"
MAX_MANIFEST_BYTES = 100_000
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # constant date: the same model gives the same bytes


def write_archive(path, kind, documents, arrays):
    """Write documents and arrays to one file atomically.

    Parameters
    ----------
    path : str or path-like
        Path of the file. An existing file is replaced once the new one is complete.
    kind : str
        Kind of the content, such as "model".
    documents : dict of str to object
        JSON-serializable objects by name.
    arrays : dict of str to ndarray
        Numeric or boolean arrays by name.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    members = {f"{name}.json": _to_json(content) for name, content in documents.items()}
    members[WEIGHTS] = _to_safetensors(arrays)
    manifest = {
        "format": f"sk_ctxmem {kind}",
        "format_version": FORMAT_VERSION,
        "versions": versions(),
        "members": {name: _fingerprint(content) for name, content in members.items()},
    }
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {MANIFEST: _to_json(manifest), **members}.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), content)


def read_archive(path, kind, documents):
    """Read a file written by `write_archive`.

    Parameters
    ----------
    path : str or path-like
        Path of the file.
    kind : str
        Expected kind of the content.
    documents : tuple of str
        Names of the expected documents.

    Returns
    -------
    documents : dict of str to object
        Documents by name.
    arrays : dict of str to ndarray
        Arrays by name.

    Raises
    ------
    ModelFileError
        If the file has another kind or other members, is corrupt, or has a newer format.
    OSError
        If the file cannot be opened.
    """
    advice = doc_link("model-files") if kind == "model" else ""
    with open(path, "rb") as file:
        try:
            members = _read_members(file, kind, [f"{name}.json" for name in documents])
            arrays = safetensors.numpy.load(members.pop(WEIGHTS))
            contents = {name.removesuffix(".json"): _from_json(m) for name, m in members.items()}
        except ModelFileError as error:
            raise ModelFileError(f"{os.fspath(path)!r} {error}{advice}") from error.__cause__
        except MemoryError:
            raise
        except Exception as error:  # the three parsers raise various errors on forged bytes
            raise ModelFileError(
                f"{os.fspath(path)!r} is not a sk_ctxmem {kind} file, or is corrupt "
                f"({type(error).__name__}: {error}); save or download it again." + advice
            ) from error
    return contents, arrays


def _read_members(file, kind, documents):
    """Return the content of all members except the manifest, verified against it."""
    with zipfile.ZipFile(file) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        _check_members(archive.infolist(), [MANIFEST, WEIGHTS, *documents])
        if infos[MANIFEST].file_size > MAX_MANIFEST_BYTES:
            raise ModelFileError(f"has a manifest of more than {MAX_MANIFEST_BYTES} bytes.")
        manifest = _from_json(archive.read(MANIFEST))
        _check_manifest(manifest, kind)
        members = {name: archive.read(name) for name in [WEIGHTS, *documents]}
    for name, content in members.items():
        if manifest["members"][name] != _fingerprint(content):
            raise ModelFileError(
                f"is corrupt: the checksum of {name} does not match; save or download it again."
            )
    return members


def _check_members(infos, expected):
    """Raise unless each expected member occurs once, uncompressed, and there are no others."""
    names = sorted(info.filename for info in infos)
    if names != sorted(expected):
        raise ModelFileError(f"has the members {names[:9]}, but {sorted(expected)} were expected.")
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise ModelFileError(
                f"has the compressed member {info.filename}; members must be uncompressed."
            )


def _check_manifest(manifest, kind):
    """Raise unless the manifest has the expected kind and a supported format version."""
    if manifest["format"] != f"sk_ctxmem {kind}":
        raise ModelFileError(f"contains {manifest['format']!r:.60}, not 'sk_ctxmem {kind}'.")
    version = manifest["format_version"]
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"has format version {version!r:.20}, written by {manifest['versions']!r:.200}, but "
            f"this version of sk_ctxmem reads format version {FORMAT_VERSION}; install the version "
            "of sk_ctxmem that wrote the file, or a newer one."
        )


def _to_json(content):
    # ASCII, because texts may contain lone surrogates, which UTF-8 cannot encode
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def _from_json(content):
    def refuse(constant):
        raise ModelFileError(f"has {constant} in a document, but a finite number was expected.")

    return json.loads(content, parse_constant=refuse)


def _to_safetensors(arrays):
    plain = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return safetensors.numpy.save(plain)


def _fingerprint(content):
    return {"size": len(content), "sha256": sha256(content).hexdigest()}


def versions():
    """Return the versions of Python and of the packages that write files, by name."""
    packages = ("numpy", "safetensors", "scikit-learn", "torch")
    theirs = {name: metadata.version(name) for name in packages}
    return {"sk_ctxmem": __version__, "python": sys.version.split()[0], **theirs}


@contextmanager
def replacing(path):
    """Open a temporary file in the same folder that replaces `path` if the block succeeds.

    The content is synced to disk before the replacement, so that a crash leaves either the old
    file or the new one. If the block raises, the temporary file is deleted. A process that is
    killed leaves it behind, named ``.sk_ctxmem-<random>.tmp``.
    """
    path = Path(os.path.realpath(path))  # replace the target of a link, not the link
    if path.is_dir():
        raise IsADirectoryError(f"{os.fspath(path)!r} is a folder; pass the path of a file.")
    if path.exists() and not path.is_file():
        raise OSError(f"{os.fspath(path)!r} is a device or a pipe; pass the path of a file.")
    temporary = path.with_name(f".sk_ctxmem-{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder):
    """Sync the entries of a folder to disk, on systems that support it."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
