"""Data-only files: zip archives of JSON documents and arrays, written atomically.

Members are stored without compression. Reading a file therefore never needs more memory than its
own size, and all sizes are checked before memory is allocated.
"""

import errno
import io
import json
import os
import secrets
import shutil
import stat
import sys
import zipfile
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib import metadata
from pathlib import Path

import numpy as np
import safetensors.numpy

from .._messages import doc_link, refuse_url, warn_caller
from .._version import __version__
from ..exceptions import ModelFileError

FORMAT_VERSION = 1
MANIFEST, WEIGHTS = "manifest.json", "weights.safetensors"
MAX_MANIFEST_BYTES = 100_000
# Answers of folders on shares, which do not offer fsync, chmod or opening a folder.
NOT_OFFERED = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF}
NOT_OFFERED |= {errno.EPERM, errno.EACCES}
NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # constant date: the same model gives the same bytes


def write_archive(path, kind, documents, arrays):
    """Write documents and arrays to one file atomically.

    Parameters
    ----------
    path : str, bytes, path-like or binary file
        Path of the file. An existing file is replaced once the new one is complete. An open file
        is written to at its position.
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
    members = {f"{name}.json": to_json(content) for name, content in documents.items()}
    members[WEIGHTS] = to_safetensors(arrays)
    manifest = {
        "format": f"sk_ctxmem {kind}",
        "format_version": FORMAT_VERSION,
        "versions": versions(),
        "members": {name: _fingerprint(content) for name, content in members.items()},
    }
    with _opened_for_writing(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, content in {MANIFEST: to_json(manifest), **members}.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_EPOCH), content)


def read_archive(path, kind, documents):
    """Read a file written by `write_archive`.

    Parameters
    ----------
    path : str, bytes, path-like or binary file
        Path of the file. An open file is read from its position to its end.
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
    with _opened_for_reading(path) as file:
        try:
            members = _read_members(file, kind, [f"{name}.json" for name in documents])
            arrays = safetensors.numpy.load(members.pop(WEIGHTS))
            contents = {name.removesuffix(".json"): _from_json(m) for name, m in members.items()}
        except ModelFileError as error:
            raise ModelFileError(f"{describe(path)} {error}{advice}") from error.__cause__
        except MemoryError:
            raise
        except Exception as error:  # the three parsers raise various errors on forged bytes
            raise ModelFileError(
                f"{describe(path)} is not a sk_ctxmem {kind} file, or is corrupt "
                f"({type(error).__name__}: {error}); save or download it again." + advice
            ) from error
    return contents, arrays


def _read_members(file, kind, documents):
    """Return the content of all members except the manifest, verified against it."""
    with zipfile.ZipFile(file) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        _check_members(archive.infolist(), [MANIFEST, WEIGHTS, *documents])
        if min(info.header_offset for info in infos.values()):
            raise ModelFileError(
                "has other content before the last archive, such as another model; write each to "
                "a file of its own, or pass a file that is at the start of the archive."
            )
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


def to_json(content, indent=None):
    """Return a document as bytes, in one line or with its lines indented."""
    # ASCII, because texts may contain lone surrogates, which UTF-8 cannot encode
    separators = (",", ":") if indent is None else None
    return json.dumps(content, allow_nan=False, indent=indent, separators=separators).encode(
        "ascii"
    )


def _from_json(content):
    def refuse(constant):
        raise ModelFileError(f"has {constant} in a document, but a finite number was expected.")

    return json.loads(content, parse_constant=refuse)


def to_safetensors(arrays):
    """Return arrays by name as the content of a file."""
    plain = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return safetensors.numpy.save(plain)


def _fingerprint(content):
    return {"size": len(content), "sha256": sha256(content).hexdigest()}


def versions():
    """Return the versions of Python and of the packages that write files, by name."""
    packages = ("numpy", "safetensors", "scikit-learn", "torch")
    theirs = {name: metadata.version(name) for name in packages}
    return {"sk_ctxmem": __version__, "python": sys.version.split()[0], **theirs}


def describe(path):
    """Return the name of a path or an open file for error messages."""
    if isinstance(path, str | bytes | os.PathLike):
        return repr(os.fsdecode(path))
    name = getattr(path, "name", None)
    return type(path).__name__ if name is None else f"{type(path).__name__} {name!r}"


def _read_path(path):
    """Return a path as a str; raise unless it may be the path of a local file."""
    if not isinstance(path, str | bytes | os.PathLike):
        raise TypeError(
            f"path={path!r:.100} must be the path of a file, or a file that is open in binary mode."
        )
    name = os.fsdecode(path)
    if isinstance(path, bytes) and path.startswith(b"PK"):  # as every zip does
        raise ValueError(
            f"path={path!r:.30}... is the content of a file; pass the path of a file, or "
            "io.BytesIO(content)."
        )
    refuse_url(name, "path", "open it, such as with fsspec.open, and pass the open file")
    if not name or "\0" in name:
        state = "contains a NUL" if name else "is empty"
        raise ValueError(f"path={name!r} {state}; pass the path of a file.")
    if os.path.isdir(name) or name.endswith(("/", os.sep)):
        raise IsADirectoryError(f"{name!r} is a folder; pass the path of a file.")
    return name


@contextmanager
def _opened_for_reading(path):
    """Open a path, or the rest of an open file, as a binary file."""
    if hasattr(path, "read") and not isinstance(path, os.PathLike):
        yield io.BytesIO(_read_rest(path))
        return
    name = _read_path(path)
    try:
        file = open(name, "rb")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{name!r} does not exist; check the path.") from error
    except PermissionError as error:
        raise PermissionError(f"{name!r} may not be read by this user ({error}).") from error
    with file:
        yield file


@contextmanager
def _opened_for_writing(path):
    """Open a file that replaces a path, or is written to an open file, if the block succeeds."""
    if hasattr(path, "write") and not isinstance(path, os.PathLike):
        with _file_errors(path, "writing", "wb"):
            path.write(b"")
        buffer = io.BytesIO()
        yield buffer
        _write_all(path, buffer.getvalue())
    else:
        with replacing(path) as file:
            yield file


@contextmanager
def _file_errors(file, purpose, mode):
    """Raise errors that say how an open file must be opened."""
    advice = f"open it with mode {mode!r}"
    if getattr(file, "closed", False):
        raise ValueError(f"{describe(file)} is closed; {advice}.")
    try:
        yield
    except io.UnsupportedOperation as error:
        raise io.UnsupportedOperation(
            f"{describe(file)} is not open for {purpose}; {advice}."
        ) from error
    except TypeError as error:  # raised by files of text
        raise TypeError(f"{describe(file)} is open in text mode; {advice}.") from error


def _read_rest(file):
    """Return the content of an open file from its position."""
    with _file_errors(file, "reading", "rb"):
        if isinstance(file.read(0), str):
            raise TypeError("str")
        content = file.read()
    if not content:
        raise ModelFileError(
            f"{describe(file)} has nothing to read at its position; call its method seek(0) first."
        )
    return content


def _write_all(file, content):
    """Write to an open file, which may take a part of it at a time if it has no buffer."""
    while content:
        n_written = file.write(content)
        if n_written is None and isinstance(file, io.RawIOBase):
            raise BlockingIOError(f"{describe(file)} does not wait until all is written.")
        content = b"" if n_written is None else content[n_written:]


@contextmanager
def replacing(path):
    """Open a temporary file in the same folder that replaces `path` if the block succeeds.

    The content is synced to disk before the replacement, so that a crash leaves either the old
    file or the new one. If the block raises, the temporary file is deleted. A process that is
    killed leaves it behind, named ``.sk_ctxmem-<random>.tmp``. Where a folder does not offer to
    sync or to change permissions, as on some shares, this is left out.
    """
    path = Path(os.path.realpath(_read_path(path)))  # replace the target of a link, not the link
    _check_target(path)
    temporary = path.with_name(f".sk_ctxmem-{secrets.token_hex(8)}.tmp")
    try:
        with _create(temporary, path) as file:
            yield file
            file.flush()
            with _where_offered():
                os.fsync(file.fileno())
        mode = _copy_mode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):  # the other error counts
            temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)
    if mode is not None:
        warn_caller(
            f"{os.fspath(path)!r} was replaced, but its permissions {mode:o} could not be set: "
            "the folder does not offer that. Check who may read it.",
            UserWarning,
        )


def _check_target(path):
    """Raise unless a file can be at a path."""
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{os.fspath(path)!r} is in a folder that does not exist; create the folder "
            f"{os.fspath(path.parent)!r}, or pass another path."
        )
    if os.path.exists(path) and not path.is_file():
        raise OSError(f"{os.fspath(path)!r} is a device or a pipe; pass the path of a file.")


def _create(temporary, path):
    """Open the temporary file of a path."""
    try:
        return open(temporary, "xb")
    except OSError as error:
        if error.errno not in NO_PERMISSION:
            raise
        raise PermissionError(
            f"{os.fspath(path)!r} cannot be written, as this user may not create files in its "
            f"folder ({error.strerror}); pass another path."
        ) from error


@contextmanager
def _where_offered():
    """Ignore errors of a file system that does not offer an operation."""
    try:
        yield
    except OSError as error:
        if error.errno not in NOT_OFFERED:
            raise


def _copy_mode(path, temporary):
    """Copy the permissions of a file, if it exists; return them if that is not offered."""
    if not path.exists():
        return None
    with _where_offered():
        shutil.copymode(path, temporary)
    mode = stat.S_IMODE(path.stat().st_mode)
    return None if mode == stat.S_IMODE(temporary.stat().st_mode) else mode


def _sync_folder(folder):
    """Sync the entries of a folder to disk, on systems that support it."""
    if os.name == "posix":
        with _where_offered():
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
