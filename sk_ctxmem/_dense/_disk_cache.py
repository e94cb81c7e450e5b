"""Vectors of texts in a folder, which several processes may share."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path

import numpy as np

from ._embedder import PROBES, Fingerprint

FILE_NAME, LOCK_NAME = "vectors.sqlite3", "lock.sqlite3"
SECONDS_TO_WAIT = 600.0  # for other processes, which hold the file while they write a chunk
SECONDS_BETWEEN_TRIES = 0.05
DROPPED_AT_ONCE = 0.1  # share of the vectors that are dropped when the file is full
TEXTS_PER_QUERY = 500  # SQLite before 3.32 allows 999 values in a query
DIGEST_SIZE = 20
TABLES = """
    CREATE TABLE IF NOT EXISTS embedders (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, width INTEGER NOT NULL, probes BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS vectors (
        embedder INTEGER NOT NULL, text BLOB NOT NULL, used INTEGER NOT NULL, vector BLOB NOT NULL,
        PRIMARY KEY (embedder, text)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS by_use ON vectors (used);
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
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path = self.folder / FILE_NAME
        self.width = fingerprint.width
        with self._open() as file:
            file.executescript(TABLES)
            self.embedder = _find_embedder(file, fingerprint)

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
                    if len(vector) == 4 * self.width:
                        found[by_digest[digest]] = np.frombuffer(vector, dtype=np.float32)
        return found

    def add(self, vectors: dict[str, np.ndarray], max_bytes: float) -> None:
        """Keep vectors, and drop the oldest if the file is larger than `max_bytes`."""
        now = int(time.time())
        rows = [
            (self.embedder, _digest(text), now, np.asarray(vector, dtype=np.float32).tobytes())
            for text, vector in vectors.items()
        ]
        with self._open() as file:
            file.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?)", rows)
            while _n_bytes(file) > max_bytes and _drop_oldest(file):
                pass

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold off the other processes that embed texts for this folder, until the end.

        The lock is that of a file of SQLite: a process that is killed holds it no longer.
        """
        path = self.folder / LOCK_NAME
        with _errors_of(path), closing(sqlite3.connect(path, isolation_level=None)) as file:
            _wait_for(file)
            try:
                yield
            finally:
                file.execute("ROLLBACK")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction."""
        with (
            _errors_of(self.path),
            closing(sqlite3.connect(self.path, timeout=SECONDS_TO_WAIT)) as file,
            file,
        ):
            yield file


def _wait_for(file: sqlite3.Connection) -> None:
    """Begin an exclusive transaction as soon as no other process has one, however long it takes."""
    file.execute("PRAGMA busy_timeout=0")
    while True:
        try:
            file.execute("BEGIN EXCLUSIVE")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
        time.sleep(SECONDS_BETWEEN_TRIES)


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    """Raise an OSError that names the file for errors of SQLite."""
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(
            f"The cache of embeddings in {str(path)!r} cannot be used ({error}); delete the file, "
            "or pass another folder to CachedEmbedder."
        ) from error


def _find_embedder(file: sqlite3.Connection, fingerprint: Fingerprint) -> int:
    """Return the number of an embedder with the same vectors, which is added if it is new."""
    file.execute("BEGIN IMMEDIATE")
    rows = file.execute("SELECT id, probes FROM embedders WHERE width=?", [fingerprint.width])
    for number, probes in rows:
        vectors = np.frombuffer(probes, dtype=np.float32)
        if len(vectors) == fingerprint.vectors.size:
            vectors = vectors.reshape(len(PROBES), -1)
            if Fingerprint("", vectors).is_same(fingerprint):
                return number
    values = [fingerprint.name, fingerprint.width, fingerprint.vectors.tobytes()]
    query = "INSERT INTO embedders (name, width, probes) VALUES (?, ?, ?)"
    return int(file.execute(query, values).lastrowid or 0)


def _digest(text: str) -> bytes:
    """Return a digest of a text, which may have lone surrogates."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_SIZE).digest()


def _n_bytes(file: sqlite3.Connection) -> int:
    """Return the size of the pages in use."""
    n_pages, n_free, size = (
        file.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (n_pages - n_free) * size


def _drop_oldest(file: sqlite3.Connection) -> int:
    """Drop a share of the vectors, and return how many."""
    n_rows = file.execute("SELECT COUNT(*) FROM vectors").fetchone()[0]
    query = (
        "DELETE FROM vectors WHERE (embedder, text) IN "
        "(SELECT embedder, text FROM vectors ORDER BY used LIMIT ?)"
    )
    return file.execute(query, [-int(-DROPPED_AT_ONCE * n_rows // 1)]).rowcount
