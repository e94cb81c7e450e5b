"""Tests of CachedEmbedder: each text is embedded once, in memory and in a folder."""

import os
import pickle
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest
from _embedding import NotingEmbedder, make_texts
from sklearn.base import clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from sk_ctxmem import CachedEmbedder
from sk_ctxmem._dense import _cached, _disk_cache
from sk_ctxmem._dense._memory_cache import MAX_RECENT_BYTES

SCRIPT = Path(__file__).parent / "_embedding.py"
FILE = _disk_cache.FILE_NAME


@pytest.fixture
def embedder(tmp_path):
    """Return an embedder that notes each text that it embeds."""
    return NotingEmbedder(tmp_path / "texts.txt")


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    """Embed few texts at once, so that there are several chunks."""
    monkeypatch.setattr(_cached, "TEXTS_AT_ONCE", 8)


def start(folder, path, first, n_texts, seconds=0.0):
    """Start a process that embeds texts."""
    arguments = [str(part) for part in (folder, path, first, n_texts, seconds)]
    return subprocess.Popen([sys.executable, str(SCRIPT), *arguments])


def test_each_text_is_embedded_once(embedder, tmp_path):
    """Check repeated texts, other objects and the order of the vectors."""
    texts = [*make_texts(0, 30), *make_texts(10, 30), "", "\ud800"]
    embedder.encode = lambda some: NotingEmbedder.encode(
        embedder, [text.encode("utf-8", "replace").decode() for text in some]
    )
    cached = CachedEmbedder(embedder, folder=tmp_path / "cache", max_bytes=10**6)
    vectors = cached.transform(texts)
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors[10:30], vectors[30:50])
    assert vectors[0].tolist() == NotingEmbedder.encode(embedder, texts[:1])[0].tolist()
    cached.clear()
    np.testing.assert_array_equal(clone(cached).transform(texts[::-1]), vectors[::-1])
    assert sorted(embedder.texts()) == sorted([*make_texts(0, 40), "", "?", texts[0]])


def test_threads_embed_each_text_once(embedder, tmp_path):
    """Check threads that ask for the same texts at the same time, also of clones."""
    embedder.seconds = 1e-3
    texts = make_texts(0, 100)
    for folder in (None, tmp_path / "cache"):
        caches = [CachedEmbedder(embedder, folder=folder) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda cached: cached.transform(texts), caches))
        np.testing.assert_array_equal(found[0], found[3])
        assert sorted(embedder.texts()) == sorted(texts)
        Path(embedder.path).unlink()


def test_known_texts_do_not_wait_for_unknown_ones(embedder):
    """Check that a live conversation goes on while another thread embeds a corpus."""
    cached = CachedEmbedder(embedder)
    cached.transform(["known"])
    begun, go_on = threading.Event(), threading.Event()

    def encode(texts):
        begun.set()
        assert go_on.wait(60)
        return np.zeros((len(texts), 9))

    embedder.encode = encode
    cached._opened[0]._read = encode
    thread = threading.Thread(target=cached.transform, args=(make_texts(0, 3),))
    thread.start()
    begun.wait(60)
    cached.transform(["known"])
    go_on.set()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.slow
def test_processes_embed_each_text_once(embedder, tmp_path):
    """Check two processes that share a folder, whose texts overlap."""
    folder = tmp_path / "cache"
    processes = [start(folder, embedder.path, first, 60, 1e-3) for first in (0, 20)]
    assert [process.wait(120) for process in processes] == [0, 0]
    assert sorted(embedder.texts()) == sorted(make_texts(0, 80))
    CachedEmbedder(embedder, folder=folder).transform(make_texts(0, 80))
    assert len(embedder.texts()) == 80


@pytest.mark.slow
def test_workers_of_joblib_embed_each_text_once(embedder, tmp_path):
    """Check that vectors in a folder reach workers, which have copies of the embedder."""
    cached = CachedEmbedder(embedder, folder=tmp_path / "cache")
    jobs = joblib.Parallel(n_jobs=2)(
        joblib.delayed(cached.transform)(make_texts(0, n_texts)) for n_texts in (30, 30, 40, 40)
    )
    assert [len(vectors) for vectors in jobs] == [30, 30, 40, 40]
    assert sorted(embedder.texts()) == sorted(make_texts(0, 40))


@pytest.mark.slow
def test_a_killed_process_leaves_what_it_has_embedded(embedder, tmp_path):
    """Check a process that is killed while it embeds: the next one goes on, without waiting."""
    folder = tmp_path / "cache"
    process = start(folder, embedder.path, 0, 5000, 2e-3)
    end = time.monotonic() + 60
    while time.monotonic() < end and not (folder / FILE).exists():
        time.sleep(0.01)
    time.sleep(0.5)
    process.kill()
    process.wait(60)
    done = len(set(embedder.texts()))
    CachedEmbedder(embedder, folder=folder).transform(make_texts(0, 5000))
    assert 0 < done < 5000
    assert len(set(embedder.texts())) == 5000
    assert len(embedder.texts()) <= 5000 + 1024  # the chunk that was lost


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # Python 3.12
def test_a_child_that_is_forked_while_a_thread_embeds_does_not_hang(embedder, tmp_path):
    """Check a fork at a time at which another thread holds the locks of the cache."""
    embedder.seconds = 2e-3
    cached = CachedEmbedder(embedder, folder=tmp_path / "cache")
    cached.transform(["first"])
    thread = threading.Thread(target=cached.transform, args=(make_texts(0, 300),))
    thread.start()
    results = []
    for number in range(5):
        child = os.fork()
        if not child:
            try:
                some = CachedEmbedder(embedder, folder=tmp_path / "cache")
                some.transform([f"of child {number}", "first"])
                os._exit(0)
            finally:
                os._exit(1)
        end = time.monotonic() + 60
        while time.monotonic() < end and not (done := os.waitpid(child, os.WNOHANG))[0]:
            time.sleep(0.01)
        if not done[0]:
            os.kill(child, 9)
            os.waitpid(child, 0)
        results.append(done[1] if done[0] else None)
    thread.join(60)
    assert results == [0] * 5
    assert len(set(embedder.texts())) == len(embedder.texts()) == 306


def test_an_interrupt_keeps_the_chunks_that_are_done(embedder):
    """Check that Ctrl-C loses one chunk."""
    cached = CachedEmbedder(embedder)
    cached.fit(None)
    read, n_calls = cached._opened[0]._read, []

    def interrupted(texts):
        n_calls.append(len(texts))
        if len(n_calls) == 3:
            raise KeyboardInterrupt
        return read(texts)

    cached._opened[0]._read = interrupted
    with pytest.raises(KeyboardInterrupt):
        cached.transform(make_texts(0, 40))
    cached._opened[0]._read = read
    cached.transform(make_texts(0, 40))
    assert sorted(embedder.texts()) == sorted(make_texts(0, 40))


def test_two_embedders_share_a_folder(tmp_path):
    """Check that the texts of one are not those of the other, also of like ones."""
    folder, texts = tmp_path, make_texts(0, 20)
    first = CachedEmbedder(KeywordEmbedder("1"), folder=folder)
    second = CachedEmbedder(KeywordEmbedder("2"), folder=folder)
    for cached, word in ((first, "1"), (second, "2"), (first, "1")):
        cached.clear()
        expected = [[text.count(word)] for text in texts]
        np.testing.assert_array_equal(cached.transform(texts), expected)


class KeywordEmbedder:
    """Embeds a text by the number of times that it has a word."""

    def __init__(self, word):
        self.word = word

    def encode(self, texts):
        """Return vectors of one number."""
        return np.array([[text.count(self.word)] for text in texts])


def _count_functions():
    """Return two functions of one name, as cells of a notebook that was changed define them."""

    def count(texts):
        return np.array([[text.count("1")] for text in texts])

    first = count

    def count(texts):
        return np.array([[text.count("2")] for text in texts])

    count.__qualname__ = first.__qualname__
    return first, count


@pytest.mark.parametrize(
    "pair",
    [
        (KeywordEmbedder("1"), KeywordEmbedder("2")),
        _count_functions(),
        tuple(lambda texts, w=w: np.array([[text.count(w)] for text in texts]) for w in "12"),
        tuple(KeywordEmbedder(word).encode for word in "12"),
    ],
    ids=["objects", "functions", "lambdas", "methods"],
)
def test_embedders_that_look_alike_have_caches_of_their_own(pair):
    """Check embedders that give the same vectors to the texts by which they are told apart."""
    texts = make_texts(0, 20)
    for embedder, word in zip(pair, "12", strict=True):
        expected = [[text.count(word)] for text in texts]
        np.testing.assert_array_equal(CachedEmbedder(embedder).transform(texts), expected)


def test_transformers_of_several_folds_have_caches_of_their_own():
    """Check transformers that were fitted to texts without the words of the probes."""
    texts = [f"w{number} w{number % 7} w{number % 5}" for number in range(40)]
    folds = [texts[:20], texts[20:]]
    for fold in folds:
        fitted = make_pipeline(TfidfVectorizer(), TruncatedSVD(3, random_state=0)).fit(fold)
        expected = fitted.transform(texts).astype(np.float32)
        np.testing.assert_array_equal(CachedEmbedder(fitted).transform(texts), expected)


def test_an_embedder_that_changes_gets_another_cache(embedder):
    """Check an object whose weights were trained further between two fits."""
    first = CachedEmbedder(embedder).transform(["a text"])
    embedder.encode = lambda texts: 2 * NotingEmbedder.encode(embedder, texts)
    np.testing.assert_array_equal(CachedEmbedder(embedder).transform(["a text"]), 2 * first)


@pytest.mark.parametrize("max_bytes", [0, 20_000, 200_000])
def test_sizes_are_held(embedder, tmp_path, max_bytes):
    """Check that memory and file stay small, shrink, and keep the vectors that were added last."""
    folder = tmp_path / "cache"
    texts = make_texts(0, 1500)
    CachedEmbedder(embedder, folder=folder).transform(texts[:1000])
    cached = CachedEmbedder(embedder, folder=folder, max_bytes=max_bytes)
    expected = np.array(NotingEmbedder.encode(embedder, texts), dtype=np.float32)
    np.testing.assert_array_equal(cached.transform(texts), expected)
    assert cached._opened[1].n_bytes <= max_bytes
    assert (folder / FILE).stat().st_size <= max(max_bytes, 6 * 16384)  # without any vectors
    np.testing.assert_array_equal(cached.transform(texts), expected)
    if max_bytes == 200_000:
        n_noted = len(embedder.texts())
        cached.clear()
        cached.transform(texts[:100])  # shorter ones are embedded later
        assert len(embedder.texts()) == n_noted


def test_caches_of_former_embedders_are_dropped():
    """Check that embedders of a program that makes many do not fill the memory."""
    from sk_ctxmem._dense import _memory_cache

    for number in range(40):
        CachedEmbedder(KeywordEmbedder(str(number))).transform(["a text"])
    assert len(_memory_cache._RECENT) <= _memory_cache.MAX_RECENT
    assert sum(cache.n_bytes for cache in _memory_cache._RECENT) <= MAX_RECENT_BYTES


def _write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _write_foreign_tables(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as file:
        file.execute("CREATE TABLE embedders (number INTEGER)")
    file.close()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: _write(path, b"no database at all, of more than a few bytes" * 10),
        lambda path: _write(path, path.read_bytes()[:20_000]),
        lambda path: _write(path, b"SQLite format 3\0" + bytes(5000)),
        lambda path: (path.unlink(), _write_foreign_tables(path)),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["no database", "cut", "zeros", "foreign tables", "folder"],
)
def test_a_damaged_file_is_named(embedder, tmp_path, spoil):
    """Check the error for each kind of file that is not a cache."""
    cached = CachedEmbedder(embedder, folder=tmp_path / "cache")
    cached.transform(make_texts(0, 100))
    spoil(tmp_path / "cache" / FILE)
    cached.clear()
    with pytest.raises(OSError, match=r"cache of embeddings in .*vectors.*delete the file"):
        cached.transform(make_texts(0, 200))


def test_damaged_vectors_are_embedded_again(embedder, tmp_path):
    """Check that checksums find vectors that something has changed."""
    cached = CachedEmbedder(embedder, folder=tmp_path / "cache")
    expected = cached.transform(make_texts(0, 10))
    with sqlite3.connect(tmp_path / "cache" / FILE) as file:
        file.execute("UPDATE vectors SET vector = zeroblob(length(vector)) WHERE added % 2")
    file.close()
    cached.clear()
    np.testing.assert_array_equal(cached.transform(make_texts(0, 10)), expected)
    assert len(embedder.texts()) == 15


def test_folders_that_cannot_be_used_are_named(embedder, tmp_path):
    """Check a folder below a file, a file, an address and a number."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="cannot be used"):
        CachedEmbedder(embedder, folder=tmp_path / "file" / "below").transform(["a"])
    with pytest.raises(ValueError, match="is a file"):
        CachedEmbedder(embedder, folder=tmp_path / "file").transform(["a"])
    with pytest.raises(TypeError, match="folder=3 must be the path"):
        CachedEmbedder(embedder, folder=3).transform(["a"])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_is_read_only_can_be_read(embedder, tmp_path):
    """Check that known vectors are found, and that unknown ones raise an error."""
    cached = CachedEmbedder(embedder, folder=tmp_path / "cache")
    cached.transform(["a"])
    cached.clear()
    for path in (*(tmp_path / "cache").iterdir(), tmp_path / "cache"):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        cached.transform(["a"])
        with pytest.raises(OSError, match="cannot be used"):
            cached.transform(["b"])
    finally:
        (tmp_path / "cache").chmod(0o755)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"embedder": None}, "embedder=None cannot embed texts"),
        ({"embedder": CachedEmbedder(len)}, "is a CachedEmbedder itself"),
        ({"max_bytes": -1}, "max_bytes=-1"),
        ({"max_bytes": "1"}, "max_bytes='1'"),
    ],
)
def test_invalid_parameters_are_named(embedder, params, message):
    """Check the messages, also after the parameters were valid."""
    cached = CachedEmbedder(embedder)
    cached.transform(["a"])
    with pytest.raises((TypeError, ValueError), match=message):
        cached.set_params(**params).transform(["a"])


def test_a_transformer_that_is_not_fitted_is_named():
    """Check the remedy."""
    cached = CachedEmbedder(make_pipeline(TfidfVectorizer(), TruncatedSVD(2)))
    with pytest.raises(ValueError, match="embedder Pipeline is not fitted, but .* fit it first"):
        cached.transform(["a text"])


def test_clones_and_pickles(embedder, tmp_path):
    """Check that a clone shares the embedder, and that a pickle has no vectors."""
    cached = CachedEmbedder(embedder, folder=str(tmp_path / "cache"), max_bytes=10**5)
    cached.transform(make_texts(0, 100))
    cloned = clone(cached)
    assert cloned.embedder is embedder
    assert cloned.get_params() == cached.get_params()
    assert len(pickle.dumps(cached)) < 1000
    again = pickle.loads(pickle.dumps(cached))
    np.testing.assert_array_equal(again.transform(["a"]), cached.transform(["a"]))
    assert "NotingEmbedder" in repr(cached)
    assert cached.get_feature_names_out()[:2].tolist() == ["embedding0", "embedding1"]
    assert cached.fit(None).n_features_out_ == 9
