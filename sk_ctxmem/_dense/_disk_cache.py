"""Vectors of texts in a folder, which several processes may share."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path
from zlib import crc32

import numpy as np

from ._fingerprint import PROBES, Fingerprint
from ._lock import lock_file

FILE_NAME, LOCK_NAME = "vectors.sqlite3", "embedder{}.lock"
SECONDS_TO_WAIT = 600.0  # for other processes, which hold the file while they write a chunk
DROPPED_AT_ONCE = 0.1  # share of the vectors that are dropped when the file is full
TEXTS_PER_QUERY = 500  # SQLite before 3.32 allows 999 values in a query
DIGEST_SIZE = 20
BYTES_BESIDE = 100  # of a vector in the file, its digest and place in the index
# Large pages waste less: with 4 kB, a file of vectors of 1,536 bytes is a third larger.
TABLES = """
    PRAGMA page_size = 16384;
    PRAGMA auto_vacuum = INCREMENTAL;
    CREATE TABLE IF NOT EXISTS embedders (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, probes BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS vectors (
        added INTEGER PRIMARY KEY, embedder INTEGER NOT NULL, text BLOB NOT NULL,
        vector BLOB NOT NULL, UNIQUE (embedder, text)
    );
"""


class DiskCache:
    """Vectors by text in a file of SQLite, of which the oldest are dropped.

    The file holds numbers and digests of texts, no texts and no code. Each call opens the file
    anew, so that threads, forked processes and those of joblib can share a cache.

    Parameters
    ----------
    folder : str or path-like
        Folder of the file, which is made if it does not exist.
    fingerprint : Fingerprint
        That of the embedder. Embedders with other vectors have their own rows in the file.
    """

    def __init__(self, folder: str | os.PathLike, fingerprint: Fingerprint) -> None:
        self.folder = Path(folder)
        self.path = self.folder / FILE_NAME
        self.width = fingerprint.width
        with _errors_of(self.path):
            self.folder.mkdir(parents=True, exist_ok=True)
        with self._open() as file:
            if file.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
                file.executescript(TABLES)  # which a folder that is read-only does not allow
            self.embedder = _find_embedder(file, fingerprint) or _add_embedder(file, fingerprint)

    def find(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the known vectors among those of different texts."""
        by_digest = {_digest(text): text for text in texts}
        digests = list(by_digest)
        found = {}
        with self._open() as file:
            for first in range(0, len(digests), TEXTS_PER_QUERY):
                some = digests[first : first + TEXTS_PER_QUERY]
                places = ",".join("?" * len(some))
                query = f"SELECT text, vector FROM vectors WHERE embedder=? AND text IN ({places})"
                for digest, vector in file.execute(query, [self.embedder, *some]):
                    values = _read_values(vector, self.width)
                    if values is not None:
                        found[by_digest[digest]] = values
        return found

    def add(self, vectors: dict[str, np.ndarray], max_bytes: float) -> None:
        """Keep vectors; the oldest are dropped so that the file has at most `max_bytes`."""
        rows = [
            (self.embedder, _digest(text), _with_checksum(vector))
            for text, vector in vectors.items()
        ]
        n_bytes = len(rows) * (4 * self.width + BYTES_BESIDE)
        query = "INSERT OR REPLACE INTO vectors (embedder, text, vector) VALUES (?, ?, ?)"
        with self._open() as file:
            _make_room(file, max_bytes - n_bytes)
            file.executemany(query, rows)
            _make_room(file, max_bytes)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold off others that embed texts with this embedder for this folder, until the end."""
        path = self.folder / LOCK_NAME.format(self.embedder)
        with _errors_of(path, PermissionError), lock_file(path):
            yield

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction."""
        with (
            _one_at_a_time,
            _errors_of(self.path),
            closing(sqlite3.connect(self.path, timeout=SECONDS_TO_WAIT)) as file,
            file,
        ):
            # without it, a text takes 60 ms; checksums tell what a power failure left behind
            file.execute("PRAGMA synchronous = OFF")
            yield file


# A process must not be forked while a connection is open: SQLite would take the locks of the
# parent for those of the child, which waits for them forever.
_one_at_a_time = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_one_at_a_time.acquire,
        after_in_parent=_one_at_a_time.release,
        after_in_child=_one_at_a_time.release,
    )


@contextmanager
def _errors_of(path: Path, kind: type[Exception] = OSError) -> Iterator[None]:
    """Raise an OSError that names the file and a remedy, for errors of SQLite and of a kind."""
    try:
        yield
    except (sqlite3.Error, kind) as error:
        raise OSError(
            f"The cache of embeddings in {str(path)!r} cannot be used ({error}); delete the file, "
            "or pass another folder to CachedEmbedder."
        ) from error


def _find_embedder(file: sqlite3.Connection, fingerprint: Fingerprint) -> int | None:
    """Return the number of an embedder with the same vectors, or None."""
    query = "SELECT id, probes FROM embedders WHERE digest=?"
    for number, probes in file.execute(query, [fingerprint.digest]):
        vectors = _read_values(probes, fingerprint.vectors.size)
        if vectors is not None:
            known = Fingerprint("", vectors.reshape(len(PROBES), -1))
            if known.has_vectors_of(fingerprint):
                return number
    return None


def _add_embedder(file: sqlite3.Connection, fingerprint: Fingerprint) -> int | None:
    """Add an embedder, unless another process has added it meanwhile, and return its number."""
    file.execute("BEGIN IMMEDIATE")
    values = [fingerprint.name, fingerprint.digest, _with_checksum(fingerprint.vectors)]
    query = "INSERT INTO embedders (name, digest, probes) VALUES (?, ?, ?)"
    return _find_embedder(file, fingerprint) or file.execute(query, values).lastrowid


def _with_checksum(values: np.ndarray) -> bytes:
    """Return numbers as they are in the file."""
    content = np.asarray(values, dtype=np.float32).tobytes()
    return content + crc32(content).to_bytes(4, "little")


def _read_values(values: object, n_values: int) -> np.ndarray | None:
    """Return numbers from the file, or None if they are damaged or anything else."""
    if not isinstance(values, bytes) or len(values) != 4 * n_values + 4:
        return None
    content, checksum = values[:-4], values[-4:]
    is_whole = crc32(content).to_bytes(4, "little") == checksum
    return np.frombuffer(content, dtype=np.float32) if is_whole else None


def _digest(text: str) -> bytes:
    """Return a digest of a text, which may have lone surrogates."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_SIZE).digest()


def _make_room(file: sqlite3.Connection, max_bytes: float) -> None:
    """Drop the oldest vectors until the file has at most `max_bytes`, and shrink it to that."""
    while _n_bytes(file, in_use=True) > max_bytes and _drop_oldest(file):
        pass
    if _n_bytes(file, in_use=False) > max(0, max_bytes):
        file.executescript("PRAGMA incremental_vacuum")  # execute() would free one page


def _n_bytes(file: sqlite3.Connection, *, in_use: bool) -> int:
    """Return the size of the file, or of its pages in use."""
    n_pages, n_free, size = (
        file.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (n_pages - n_free * in_use) * size


def _drop_oldest(file: sqlite3.Connection) -> int:
    """Drop a share of the vectors, and return how many."""
    n_rows = file.execute("SELECT COUNT(*) FROM vectors").fetchone()[0]
    query = "DELETE FROM vectors WHERE added IN (SELECT added FROM vectors ORDER BY added LIMIT ?)"
    return file.execute(query, [-int(-DROPPED_AT_ONCE * n_rows // 1)]).rowcount
