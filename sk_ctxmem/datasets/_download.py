"""Files of public corpora: downloaded once, checked by their sha256, kept in a folder."""

import os
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from .._messages import import_optional

VARIABLE = "SK_CTXMEM_DATA"
TIMEOUT = 30  # seconds without an answer


class RemoteFile(NamedTuple):
    """A file at an address that names a commit, and the sha256 of what stood there."""

    url: str
    sha256: str

    @property
    def name(self):
        """Return the last part of the address, the file's name in the cache folder."""
        return self.url.rpartition("/")[2]


def import_pooch():
    """Import pooch, which only downloads and the default folder need."""
    return import_optional("pooch", "datasets", "Fetching a corpus")


def data_folder(data_home):
    """Return the cache folder: the argument, else the variable, else the user's own cache."""
    if data_home is None:
        data_home = os.environ.get(VARIABLE) or import_pooch().os_cache("sk_ctxmem")
    if not isinstance(data_home, str | os.PathLike):
        raise TypeError(
            f"data_home={data_home!r} must be a str, a path or None; use None if unsure."
        )
    return Path(data_home).expanduser().absolute()


def _sha256(path):
    return sha256(Path(path).read_bytes()).hexdigest()


@contextmanager
def _silent(logger):
    """Keep pooch from writing "Downloading data from ..." to standard error."""
    # Not setLevel(): a logger that was made without getLogger(), as pooch's is, remembers which
    # levels it writes.
    disabled = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = disabled


def _check_download(remote, path):
    """Raise an error if a file just downloaded is not the one that was pinned."""
    found = _sha256(path)
    if found != remote.sha256:
        raise OSError(
            f"{remote.name} from {remote.url} has the sha256 {found}, but {remote.sha256} is "
            "expected. The download was deleted. Try again; if the same sha256 is found again, "
            "the file at that address has changed: please report it."
        )


def _retrieve(pooch, remote, path, progressbar):
    """Let pooch download into a temporary file, which it renames if all is well, else deletes."""

    def download_and_check(url, output_file, caller):
        download = pooch.HTTPDownloader(progressbar=progressbar, timeout=TIMEOUT)
        download(url, output_file, caller)
        _check_download(remote, output_file)

    with nullcontext() if progressbar else _silent(pooch.get_logger()):
        pooch.retrieve(
            remote.url,
            known_hash=f"sha256:{remote.sha256}",
            fname=path.name,
            path=path.parent,
            downloader=download_and_check,
        )


def _download(remote, path, progressbar):
    """Download a file, or say what to do if that fails."""
    pooch = import_pooch()
    from requests.exceptions import RequestException  # pooch brings requests

    try:
        _retrieve(pooch, remote, path, progressbar)
    except RequestException as error:
        raise OSError(
            f"{remote.url} cannot be downloaded ({type(error).__name__}). Check the connection, "
            f"or save that file by hand as {path.name} in the folder {path.parent}."
        ) from error
    except PermissionError as error:
        raise PermissionError(
            f"The folder {path.parent} is not writable; pass another data_home, or set the "
            f"environment variable {VARIABLE}."
        ) from error


def fetch_file(remote, folder, *, download_if_missing, progressbar):
    """Return the path of a file in the folder, downloaded if it is not there yet."""
    path = folder / remote.name
    found = _sha256(path) if path.is_file() else None
    if found == remote.sha256:
        return path
    if not download_if_missing:
        state = "is missing" if found is None else f"has the sha256 {found}, not {remote.sha256}"
        raise OSError(
            f"{path} {state}, and download_if_missing=False; pass download_if_missing=True, or "
            f"save {remote.url} by hand as {path.name} in the folder {path.parent}."
        )
    _download(remote, path, progressbar)
    return path
