"""Download of a corpus's files: once, verified by their sha256, into a cache folder."""

import os
from contextlib import contextmanager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from .._messages import import_optional, refuse_url

VARIABLE = "SK_CTXMEM_DATA"
TIMEOUT = 30  # seconds without a response


class RemoteFile(NamedTuple):
    """A file to download: its URL and the expected sha256."""

    url: str
    sha256: str

    @property
    def name(self):
        """Return the last part of the URL, which is the name of the file in the cache folder."""
        return self.url.rpartition("/")[2]


def import_pooch():
    """Import pooch, which only downloads and the default folder need."""
    return import_optional("pooch", "datasets", "Fetching a corpus")


def data_folder(data_home):
    """Return the cache folder: `data_home`, the environment variable, or the user's cache."""
    if data_home is None:
        data_home = os.environ.get(VARIABLE) or import_pooch().os_cache("sk_ctxmem")
    if not isinstance(data_home, str | os.PathLike):
        raise TypeError(
            f"data_home={data_home!r} must be a str, a path or None; use None if unsure."
        )
    refuse_url(data_home, "data_home", "pass the path of a folder")
    return Path(data_home).expanduser().absolute()


def _sha256(path):
    return sha256(Path(path).read_bytes()).hexdigest()


@contextmanager
def _silent(logger):
    """Keep pooch from writing "Downloading data from ..." to standard error."""
    # setLevel() has no effect: pooch creates its logger without getLogger(), and such a logger
    # caches which levels are enabled.
    disabled = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = disabled


def _check_download(remote, path):
    """Raise an error if a downloaded file does not have the expected sha256."""
    found = _sha256(path)
    if found != remote.sha256:
        raise OSError(
            f"{remote.name} from {remote.url} has the sha256 {found}, but {remote.sha256} is "
            "expected. The download was deleted. Try again; if the sha256 is the same again, "
            "the file at that URL has changed: please report it."
        )


def _retrieve(pooch, remote, path, progressbar):
    """Download with pooch into a temporary file, which replaces `path` if its sha256 is right."""

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
    """Download a file, or raise an error that says how to get it."""
    pooch = import_pooch()
    from requests.exceptions import RequestException  # a dependency of pooch

    try:
        _retrieve(pooch, remote, path, progressbar)
    except RequestException as error:
        raise OSError(
            f"{remote.url} cannot be downloaded ({type(error).__name__}). Check the connection, "
            f"or save that file manually as {path.name} in the folder {path.parent}."
        ) from error
    except PermissionError as error:
        raise PermissionError(
            f"The folder {path.parent} is not writable; pass another data_home, or set the "
            f"environment variable {VARIABLE}."
        ) from error


def fetch_file(remote, folder, *, download_if_missing, progressbar):
    """Return the path of a file in the folder; download it if it is missing or damaged."""
    path = folder / remote.name
    found = _sha256(path) if path.is_file() else None
    if found == remote.sha256:
        return path
    if not download_if_missing:
        state = "is missing" if found is None else f"has the sha256 {found}, not {remote.sha256}"
        raise OSError(
            f"{path} {state}, and download_if_missing=False; pass download_if_missing=True, or "
            f"save {remote.url} manually as {path.name} in the folder {path.parent}."
        )
    _download(remote, path, progressbar)
    return path
