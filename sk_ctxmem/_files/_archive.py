"""Files that hold data only: a zip of JSON documents and arrays, written whole or not at all.

Members are stored without compression. So a file cannot unfold to more than its own size, and
every size in it can be held against that of the file before memory is taken.
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
LARGEST_MANIFEST = 100_000  # bytes
EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)  # of zip: the same model gives the same bytes


def write_archive(path, kind, documents, arrays):
    """Write documents and arrays into one file, whole or not at all.

    Parameters
    ----------
    path : str or path-like
        The file; an older one stays as it is until the new one is complete.
    kind : str
        What the file holds, such as "model".
    documents : dict of str to object
        What json can write, by name.
    arrays : dict of str to ndarray
        Numbers or bools.

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
            archive.writestr(zipfile.ZipInfo(name, EARLIEST_DATE), content)


def read_archive(path, kind, documents):
    """Read what `write_archive` has written.

    Parameters
    ----------
    path : str or path-like
        The file.
    kind : str
        What it should hold.
    documents : tuple of str
        Names of the documents that it should hold.

    Returns
    -------
    documents : dict of str to object
        The documents by name.
    arrays : dict of str to ndarray
        The arrays.

    Raises
    ------
    ModelFileError
        If the file holds anything else, is damaged, or is of a later format.
    OSError
        If it cannot be opened.
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
        except Exception as error:  # what the three parsers may raise on bytes made up by anybody
            raise ModelFileError(
                f"{os.fspath(path)!r} is no sk_ctxmem {kind}, or is damaged "
                f"({type(error).__name__}: {error}); write it anew, or fetch it again." + advice
            ) from error
    return contents, arrays


def _read_members(file, kind, documents):
    """Return the content of each member but the manifest, all checked against it."""
    with zipfile.ZipFile(file) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        _check_members(archive.infolist(), [MANIFEST, WEIGHTS, *documents])
        if infos[MANIFEST].file_size > LARGEST_MANIFEST:
            raise ModelFileError(f"has a manifest of more than {LARGEST_MANIFEST} bytes.")
        manifest = _from_json(archive.read(MANIFEST))
        _check_manifest(manifest, kind)
        members = {name: archive.read(name) for name in [WEIGHTS, *documents]}
    for name, content in members.items():
        if manifest["members"][name] != _fingerprint(content):
            raise ModelFileError(
                f"is damaged: {name} is not what its checksum says; write it anew, or fetch it "
                "again."
            )
    return members


def _check_members(infos, expected):
    """Raise unless the members are those expected, each once and as they were written."""
    names = sorted(info.filename for info in infos)
    if names != sorted(expected):
        raise ModelFileError(f"has the members {names[:9]}, but {sorted(expected)} were expected.")
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
            raise ModelFileError(f"has the compressed member {info.filename}; none may be.")


def _check_manifest(manifest, kind):
    """Raise unless a manifest is that of a file which can be read here."""
    if manifest["format"] != f"sk_ctxmem {kind}":
        raise ModelFileError(f"holds {manifest['format']!r:.60}, not 'sk_ctxmem {kind}'.")
    version = manifest["format_version"]
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"is of format version {version!r:.20}, written by {manifest['versions']!r:.200}; this "
            f"version of sk_ctxmem reads version {FORMAT_VERSION}: use that one, or a newer one."
        )


def _to_json(content):
    # ASCII, as a text may hold half of a surrogate pair, which no encoding can write
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def _from_json(content):
    def refuse(constant):
        raise ModelFileError(f"has {constant} in a document, where a finite number was expected.")

    return json.loads(content, parse_constant=refuse)


def _to_safetensors(arrays):
    plain = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return safetensors.numpy.save(plain)


def _fingerprint(content):
    return {"size": len(content), "sha256": sha256(content).hexdigest()}


def versions():
    """Return the versions of what makes a file here, by name."""
    packages = ("numpy", "safetensors", "scikit-learn", "torch")
    theirs = {name: metadata.version(name) for name in packages}
    return {"sk_ctxmem": __version__, "python": sys.version.split()[0], **theirs}


@contextmanager
def replacing(path):
    """Give a new file in the same folder, which takes the place of `path` when all went well.

    Its content is on the disk before it takes that place: whatever ends the process, there is
    either the old file or the new one. An error leaves nothing behind; a process that is killed
    leaves the unfinished file, named ``.sk_ctxmem-<random>.tmp``.
    """
    path = Path(os.path.realpath(path))  # or a link would be replaced, not what it points to
    if path.is_dir():
        raise IsADirectoryError(f"{os.fspath(path)!r} is a folder; give the name of a file in it.")
    if path.exists() and not path.is_file():
        raise OSError(f"{os.fspath(path)!r} is a device or a pipe; give the name of a file.")
    unfinished = path.with_name(f".sk_ctxmem-{secrets.token_hex(8)}.tmp")
    try:
        with open(unfinished, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, unfinished)
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder):
    """Have the new name of a file on the disk, where the system can."""
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
