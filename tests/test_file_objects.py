"""Tests of what may be passed to save and load, and of folders that offer less than others."""

import errno
import gzip
import io
import os
import re
import stat
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from benchmarks.reliability.models import SMALL, fit_models
from sk_ctxmem import ContextMemoryClassifier, ModelFileError
from sk_ctxmem._files import _archive
from sk_ctxmem._files._archive import read_archive, replacing, write_archive
from sk_ctxmem.datasets import fetch_trec

load = ContextMemoryClassifier.load


@pytest.fixture(scope="module")
def classifier():
    """Return a fitted classifier."""
    return fit_models(["numbers"])["numbers"][0]


@pytest.fixture(scope="module")
def content(classifier, tmp_path_factory):
    """Return the content of its file."""
    path = tmp_path_factory.mktemp("saved") / "model"
    classifier.save(path)
    return path.read_bytes()


def saved_to(file, classifier):
    """Save to an open file, and return its content."""
    classifier.save(file)
    file.flush()
    file.seek(0)
    return file.read()


def is_same(loaded, classifier):
    """Return whether two classifiers predict the same."""
    X = np.arange(12.0).reshape(4, 3)
    return np.array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


# --- open files


def test_open_files_have_the_bytes_of_a_path(classifier, content, tmp_path):
    """Check BytesIO, and files with and without a buffer, from a position that is not 0."""
    for file in (io.BytesIO(), open(tmp_path / "a", "w+b"), open(tmp_path / "b", "w+b", 0)):
        with file:
            file.write(b"before")
            assert saved_to(file, classifier) == b"before" + content
            file.seek(6)
            assert is_same(load(file), classifier)
            assert file.read() == b""
            assert not file.closed


def test_streams_without_positions_are_written_and_read(classifier, tmp_path):
    """Check gzip and a pipe."""
    with gzip.open(tmp_path / "zipped", "wb") as file:
        classifier.save(file)
    with gzip.open(tmp_path / "zipped", "rb") as file:
        assert is_same(load(file), classifier)
    reading, writing = os.pipe()
    with open(reading, "rb") as source, open(writing, "wb") as sink:
        thread = threading.Thread(target=lambda: (classifier.save(sink), sink.close()))
        thread.start()
        assert is_same(load(source), classifier)
        thread.join()


def test_a_file_that_takes_a_part_at_a_time_gets_all(classifier, content):
    """Check a raw file whose write takes seven bytes, and one that would have to wait."""

    class Slow(io.RawIOBase):
        written = b""

        def writable(self):
            return True

        def write(self, part):
            self.written += bytes(part[:7000])
            return len(part[:7000])

    slow = Slow()
    classifier.save(slow)
    assert slow.written == content
    slow.write = lambda part: None if len(part) else 0
    with pytest.raises(BlockingIOError, match="Slow does not wait until all is written"):
        classifier.save(slow)


@pytest.mark.parametrize("mode", ["w", "r", "closed"])
def test_how_to_open_a_file_for_save_is_said(classifier, mode, tmp_path):
    """Check a file of text, one for reading alone, and one that is closed."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    error, message = {
        "w": (TypeError, "is open in text mode; open it with mode 'wb'"),
        "r": (io.UnsupportedOperation, "is not open for writing; open it with mode 'wb'"),
        "closed": (ValueError, "is closed; open it with mode 'wb'"),
    }[mode]
    with open(path, "w" if mode == "w" else "rb") as file:
        if mode == "closed":
            file.close()
        with pytest.raises(error, match=f"{re.escape(repr(str(path)))} {message}"):
            classifier.save(file)
    with pytest.raises(TypeError, match="StringIO is open in text mode"):
        classifier.save(io.StringIO())


@pytest.mark.parametrize("mode", ["r", "wb", "closed"])
def test_how_to_open_a_file_for_load_is_said(content, mode, tmp_path):
    """Check a file of text, one for writing alone, and one that is closed."""
    path = tmp_path / "file"
    path.write_bytes(content)
    error, message = {
        "r": (TypeError, "is open in text mode; open it with mode 'rb'"),
        "wb": (io.UnsupportedOperation, "is not open for reading; open it with mode 'rb'"),
        "closed": (ValueError, "is closed; open it with mode 'rb'"),
    }[mode]
    with open(path, mode if mode != "closed" else "rb") as file:
        if mode == "closed":
            file.close()
        with pytest.raises(error, match=f"{re.escape(repr(str(path)))} {message}"):
            load(file)


def test_a_file_at_its_end_is_named(classifier):
    """Check that a missing seek(0) is said, and damage of an open file too."""
    file = io.BytesIO()
    classifier.save(file)
    with pytest.raises(ModelFileError, match=r"BytesIO has nothing to read .* call .*seek\(0\)"):
        load(file)
    with pytest.raises(ModelFileError, match="^BytesIO is not a sk_ctxmem model file"):
        load(io.BytesIO(b"other"))


def test_the_last_of_two_models_is_not_taken_for_the_first(content):
    """Check that a file of two models, or of something else before one, is refused."""
    for before in (content, b"something"):
        with pytest.raises(ModelFileError, match="has other content before the last archive"):
            load(io.BytesIO(before + content))


def test_a_refused_model_leaves_an_open_file_alone():
    """Check that nothing is written before all is known to be plain data."""
    file = io.BytesIO()
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_archive(file, "model", {"config": float("nan")}, {})
    assert file.getvalue() == b""


# --- paths


def test_paths_of_every_kind_are_taken(classifier, content, tmp_path, monkeypatch):
    """Check str, bytes and path-like, relative ones too."""
    monkeypatch.chdir(tmp_path)
    for path in ("model", b"model", Path("model"), os.fsencode(tmp_path / "model")):
        classifier.save(path)
        assert Path("model").read_bytes() == content
        assert is_same(load(path), classifier)
        os.remove(path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("s3://bucket/model", "is a URL, but a local path was expected; open it"),
        ("https://example.org/model", "is a URL"),
        (Path("s3://bucket/model"), "is a URL"),
        ("file:///model", "is a URL"),
        (b"hf://model", "is a URL"),
        ("", "path='' is empty; pass the path of a file"),
        (b"", "path='' is empty"),
        ("a\0b", "contains a NUL"),
        (
            b"PK" + b"1" * 99,
            "... is the content of a file; pass the path of a file, or io.BytesIO(",
        ),
    ],
    ids=str,
)
def test_what_is_no_local_path_is_named(classifier, path, message, tmp_path, monkeypatch):
    """Check that URLs and empty names are refused, and that no folder of theirs is made."""
    monkeypatch.chdir(tmp_path)
    for call in (classifier.save, load):
        with pytest.raises(ValueError, match=re.escape(message)) as info:
            call(path)
        assert type(info.value) is ValueError
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [None, 3, ["a"], {"a": 1}], ids=str)
def test_other_objects_are_refused(classifier, value):
    """Check that numbers of open files are not taken for paths."""
    for call in (classifier.save, load):
        with pytest.raises(TypeError, match="must be the path of a file, or a file that is open"):
            call(value)


def test_a_folder_with_a_colon_is_no_url(classifier, tmp_path, monkeypatch):
    """Check that a folder which exists is used, whatever its name."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("ab:")
    classifier.save("ab:/model")
    assert is_same(load("ab:/model"), classifier)


def test_folders_and_missing_paths_are_named(classifier, content, tmp_path):
    """Check folders, also to be made, missing folders, and files in the place of folders."""
    (tmp_path / "file").write_bytes(content)
    for path in (tmp_path, f"{tmp_path}/new/"):
        for call in (classifier.save, load):
            with pytest.raises(IsADirectoryError, match="is a folder; pass the path of a file"):
                call(path)
    for folder in ("missing", "file"):
        with pytest.raises(FileNotFoundError, match=f"create the folder .*{folder}'"):
            classifier.save(tmp_path / folder / "model")
    with pytest.raises(FileNotFoundError, match="missing' does not exist; check the path"):
        load(tmp_path / "missing")


def test_missing_permissions_are_named(classifier, tmp_path, monkeypatch):
    """Check a folder and a file that this user may not use."""

    def refuse(path, *_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(_archive, "open", refuse, raising=False)
    with pytest.raises(PermissionError, match="model' cannot be written, as this user may not"):
        classifier.save(tmp_path / "model")
    with pytest.raises(PermissionError, match="model' may not be read by this user"):
        load(tmp_path / "model")


def test_urls_as_folders_are_refused(tmp_path, monkeypatch):
    """Check the folder of checkpoints and the one of corpora."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="checkpoint='s3://bucket' is a URL"):
        ContextMemoryClassifier(checkpoint="s3://bucket", **SMALL).fit(["a", "b"], [0, 1])
    with pytest.raises(ValueError, match="data_home='s3://bucket' is a URL"):
        fetch_trec(data_home="s3://bucket")
    assert os.listdir(tmp_path) == []


# --- folders that offer less


def answering(number, function, only=lambda *_: True):
    """Return a function that fails with an error number."""

    def answer(*arguments, **options):
        if only(*arguments):
            raise OSError(number, os.strerror(number))
        return function(*arguments, **options)

    return answer


def is_folder(number):
    """Return whether an open file is a folder."""
    return stat.S_ISDIR(os.fstat(number).st_mode)


REFUSALS = [errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EPERM, errno.EACCES, errno.ENOSYS]


@pytest.mark.parametrize("number", REFUSALS, ids=errno.errorcode.get)
@pytest.mark.parametrize("what", ["folder", "both", "open", "chmod"])
def test_a_share_that_offers_less_is_written_to(number, what, tmp_path, monkeypatch):
    """Check that a file is replaced where fsync, chmod or opening a folder is refused."""
    path = tmp_path / "model"
    path.write_bytes(b"old")
    if what == "open":
        monkeypatch.setattr(_archive.os, "open", answering(number, os.open))
    elif what == "chmod":
        monkeypatch.setattr(_archive.os, "chmod", answering(number, os.chmod))
    else:
        only = is_folder if what == "folder" else lambda *_: True
        monkeypatch.setattr(_archive.os, "fsync", answering(number, os.fsync, only))
    with replacing(path) as file:
        file.write(b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_permissions_that_are_lost_are_told(tmp_path, monkeypatch):
    """Check the warning where a private file cannot be made private again."""
    path = tmp_path / "model"
    path.write_bytes(b"old")
    path.chmod(0o600)
    monkeypatch.setattr(_archive.os, "chmod", answering(errno.EPERM, os.chmod))
    with pytest.warns(UserWarning, match="permissions 600 could not be set"), replacing(path) as f:
        f.write(b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT], ids=errno.errorcode.get)
def test_a_full_disk_leaves_the_old_file(number, tmp_path, monkeypatch):
    """Check that errors of the content are raised, also if the new file cannot be deleted."""
    path = tmp_path / "model"
    path.write_bytes(b"old")
    monkeypatch.setattr(_archive.os, "fsync", answering(number, os.fsync))
    with pytest.raises(OSError, match=os.strerror(number)):
        write_archive(path, "model", {}, {})
    assert os.listdir(tmp_path) == ["model"]
    monkeypatch.setattr(Path, "unlink", answering(errno.EPERM, os.unlink))
    with pytest.raises(OSError, match=os.strerror(number)):
        write_archive(path, "model", {}, {})
    assert path.read_bytes() == b"old"


def test_a_replacement_that_is_refused_leaves_the_old_file(tmp_path, monkeypatch):
    """Check a target that cannot be replaced, such as a file mounted by itself."""
    path = tmp_path / "model"
    path.write_bytes(b"old")
    monkeypatch.setattr(_archive.os, "replace", answering(errno.EBUSY, os.replace))
    with pytest.raises(OSError, match=os.strerror(errno.EBUSY)):
        write_archive(path, "model", {}, {})
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model"]


def test_a_fit_with_checkpoints_goes_on_where_a_share_offers_less(tmp_path, monkeypatch):
    """Check that the fit ends, with the same bits, and says what it could not delete."""
    X, y = ["yes it is", "no it was"] * 20, [0, 1] * 20
    expected = ContextMemoryClassifier(**SMALL).fit(X, y)
    monkeypatch.setattr(_archive.os, "fsync", answering(errno.EINVAL, os.fsync))
    monkeypatch.setattr(_archive.os, "chmod", answering(errno.EPERM, os.chmod))
    monkeypatch.setattr(Path, "unlink", answering(errno.EPERM, os.unlink))
    classifier = ContextMemoryClassifier(**SMALL, checkpoint=tmp_path)
    with pytest.warns(UserWarning, match="The fit is complete, but its checkpoint .* delete it"):
        classifier.fit(X, y)
    assert_array_equal(classifier.predict_proba(X), expected.predict_proba(X))
    (left,) = tmp_path.iterdir()
    assert read_archive(left, "checkpoint", ("state", "vocabulary"))[1]
