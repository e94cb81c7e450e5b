"""Tests of files of documents and arrays by themselves: their bytes, and every message in full."""

import json
import os
import re
import stat
import sys
import zipfile
from hashlib import sha256
from importlib import metadata

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import sk_ctxmem
from benchmarks.reliability.mutations import read_members, write_members
from sk_ctxmem import ModelFileError
from sk_ctxmem._files._archive import read_archive, replacing, write_archive
from sk_ctxmem._messages import doc_link

DOCUMENTS = {"config": {"a": [1, 2.5, None]}, "vocabulary": {"v": ["\ud800", "ü"]}}
ARRAYS = {"one": np.arange(6.0).reshape(2, 3), "two": np.array([True, False])}
NAMES = ("config", "vocabulary")


@pytest.fixture
def path(tmp_path):
    """Return the path of a file of two documents and two arrays."""
    path = tmp_path / "model"
    write_archive(path, "model", DOCUMENTS, ARRAYS)
    return path


ADVICE = doc_link("model-files")


def refuses(path, rest, advice=ADVICE):
    """Expect an error of this file with this message and no other."""
    message = f"{os.fspath(path)!r} {rest}{advice}"
    return pytest.raises(ModelFileError, match=f"^{re.escape(message)}$")


def change(path, **members):
    """Give members of the file another content, with checksums that fit."""
    old = read_members(path.read_bytes())
    members = {name.replace("_", "."): content for name, content in members.items()}
    path.write_bytes(write_members(old | members, forged="manifest.json" not in members))


def change_manifest(path, **changes):
    """Give the file another manifest."""
    manifest = json.loads(read_members(path.read_bytes())["manifest.json"]) | changes
    change(path, manifest_json=json.dumps(manifest).encode())


def test_what_is_written_is_read(path):
    """Check documents and arrays, and that a path may be a string."""
    for form in (path, str(path)):
        documents, arrays = read_archive(form, "model", NAMES)
        assert documents == DOCUMENTS
        assert arrays.keys() == ARRAYS.keys()
        for name, array in arrays.items():
            assert array.dtype == ARRAYS[name].dtype
            assert_array_equal(array, ARRAYS[name])


def test_arrays_of_any_storage_are_written(tmp_path):
    """Check that arrays in the order of Fortran, and parts of others, come back the same."""
    arrays = {"f": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "part": np.arange(9)[::2]}
    write_archive(tmp_path / "model", "model", {}, arrays)
    _, found = read_archive(tmp_path / "model", "model", ())
    for name, array in arrays.items():
        assert_array_equal(found[name], array)


def test_the_members_are_plain_files_of_a_zip(path):
    """Check order, date, storage and format of the members, and what the manifest says."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        members = {info.filename: archive.read(info) for info in infos}
    assert [info.filename for info in infos] == [
        "manifest.json",
        "config.json",
        "vocabulary.json",
        "weights.safetensors",
    ]
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}
    assert members["config.json"] == b'{"a":[1,2.5,null]}'
    assert json.loads(members.pop("manifest.json")) == {
        "format": "sk_ctxmem model",
        "format_version": 1,
        "versions": {
            "sk_ctxmem": sk_ctxmem.__version__,
            "python": ".".join(map(str, sys.version_info[:3])),
            **{
                name: metadata.version(name)
                for name in ("numpy", "safetensors", "scikit-learn", "torch")
            },
        },
        "members": {
            name: {"size": len(content), "sha256": sha256(content).hexdigest()}
            for name, content in members.items()
        },
    }


def test_numbers_that_json_has_not_are_not_written(tmp_path):
    """Check that NaN in a document is an error, and leaves no file."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_archive(tmp_path / "model", "model", {"config": float("nan")}, {})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_has_not_are_not_read(path, constant):
    """Check that a document made up with them is refused."""
    change(path, config_json=f"[{constant}]".encode())
    with refuses(path, f"has {constant} in a document, but a finite number was expected."):
        read_archive(path, "model", NAMES)


def test_other_members_are_named(path):
    """Check that the message has the members that there are, and those that there should be."""
    with refuses(
        path,
        "has the members ['config.json', 'manifest.json', 'vocabulary.json', "
        "'weights.safetensors'], but ['config.json', 'manifest.json', 'weights.safetensors'] were "
        "expected.",
    ):
        read_archive(path, "model", ["config"])


def test_a_message_has_nine_members_at_most(path):
    """Check that a file of many members does not flood the message."""
    members = {f"m{number:02}": b"" for number in range(20)}
    path.write_bytes(write_members(members, forged=False))
    with refuses(
        path,
        f"has the members {sorted(members)[:9]}, but ['manifest.json', 'weights.safetensors'] were "
        "expected.",
    ):
        read_archive(path, "model", ())


def test_damage_is_named(path):
    """Check that each member is held against its checksum."""
    members = read_members(path.read_bytes())
    for name in ("config.json", "vocabulary.json", "weights.safetensors"):
        changed = members | {name: members[name][:-1] + b" "}
        path.write_bytes(write_members(changed, forged=False))
        with refuses(
            path,
            f"is corrupt: the checksum of {name} does not match; save or download it again.",
        ):
            read_archive(path, "model", NAMES)


def test_another_kind_is_named(path):
    """Check that the message has the kind of the file, cut short, and the one expected."""
    with refuses(path, "contains 'sk_ctxmem model', not 'sk_ctxmem checkpoint'.", advice=""):
        read_archive(path, "checkpoint", NAMES)
    change_manifest(path, format="x" * 100)
    with refuses(path, f"contains '{'x' * 59}, not 'sk_ctxmem model'."):
        read_archive(path, "model", NAMES)


@pytest.mark.parametrize("version", [0, 2, "1"])
def test_another_format_is_named(path, version):
    """Check that the message has both versions, and what to do."""
    change_manifest(path, format_version=version, versions={"sk_ctxmem": "9"})
    with refuses(
        path,
        f"has format version {version!r}, written by {{'sk_ctxmem': '9'}}, but this version of "
        "sk_ctxmem reads format version 1; install the version of sk_ctxmem that wrote the file, "
        "or a newer one.",
    ):
        read_archive(path, "model", NAMES)


def test_a_compressed_member_is_named(path):
    """Check that nothing is unpacked, whether a member says that it is compressed or not."""
    path.write_bytes(write_members(read_members(path.read_bytes()), forged=True, compressed=True))
    with refuses(path, "has the compressed member manifest.json; members must be uncompressed."):
        read_archive(path, "model", NAMES)


@pytest.mark.parametrize("what", ["method", "size"])
def test_a_member_that_claims_to_be_stored_is_refused(path, what, monkeypatch):
    """Check that both the method and the sizes must be those of a stored member."""
    infolist = zipfile.ZipFile.infolist

    def claim(archive):
        infos = infolist(archive)
        if what == "method":
            infos[1].compress_type = zipfile.ZIP_DEFLATED
        else:
            infos[1].file_size += 1
        return infos

    monkeypatch.setattr(zipfile.ZipFile, "infolist", claim)
    with refuses(path, "has the compressed member config.json; members must be uncompressed."):
        read_archive(path, "model", NAMES)


@pytest.mark.parametrize(("size", "is_read"), [(100_000, True), (100_001, False)])
def test_a_large_manifest_is_not_read(path, size, is_read):
    """Check that a manifest may have 100,000 bytes and no more."""
    manifest = read_members(path.read_bytes())["manifest.json"]
    change(path, manifest_json=manifest + b" " * (size - len(manifest)))
    if is_read:
        assert read_archive(path, "model", NAMES)[0] == DOCUMENTS
    else:
        with refuses(path, "has a manifest of more than 100000 bytes."):
            read_archive(path, "model", NAMES)


def test_what_is_no_archive_is_named(path):
    """Check that the message has the cause and what to do, and that the cause is kept."""
    path.write_bytes(b"no zip")
    with refuses(
        path,
        "is not a sk_ctxmem model file, or is corrupt (BadZipFile: File is not a zip file); save "
        "or download it again.",
    ) as info:
        read_archive(path, "model", NAMES)
    assert type(info.value.__cause__) is zipfile.BadZipFile


# --- one file in the place of another


def test_a_new_file_takes_the_place_of_the_old_when_it_is_whole(tmp_path):
    """Check that the old content stays until the end, beside a hidden file, and the rights too."""
    path = tmp_path / "model"
    path.write_bytes(b"old")
    path.chmod(0o604)
    mode = path.stat().st_mode  # on Windows, that of any file
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
        (unfinished,) = set(os.listdir(tmp_path)) - {"model"}
        assert re.fullmatch(r"\.sk_ctxmem-[0-9a-f]{16}\.tmp", unfinished)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode == mode
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.skipif(os.name == "nt", reason="on Windows, links need a right that few users have")
def test_a_link_goes_on_pointing_to_the_file(tmp_path):
    """Check that what a link points to is replaced, in the folder where that is."""
    (tmp_path / "folder").mkdir()
    path, link = tmp_path / "folder" / "model", tmp_path / "link"
    link.symlink_to(path)
    for content in (b"old", b"new"):
        with replacing(link) as file:
            file.write(content)
        assert link.is_symlink()
        assert path.read_bytes() == content
    assert os.listdir(path.parent) == ["model"]


def test_a_missing_folder_is_named(tmp_path):
    """Check that the error is the one of the new file, not of taking it away."""
    with (
        pytest.raises(FileNotFoundError, match="missing") as info,
        replacing(tmp_path / "missing/a"),
    ):
        raise AssertionError("a file was made")
    assert info.value.__context__ is None


def write_and_fail(path, error):
    """Begin a new file, and raise an error in the middle of it."""
    with replacing(path) as file:
        file.write(b"new")
        raise error


def test_an_error_leaves_the_old_file_alone(tmp_path):
    """Check that an error, and a stop by hand, leave nothing behind."""
    path = tmp_path / "model"
    path.write_bytes(b"old")
    for error in (OSError("full"), KeyboardInterrupt("stop")):
        with pytest.raises(type(error), match=str(error)):
            write_and_fail(path, error)
        assert path.read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["model"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no fsync of folders")
def test_the_content_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    """Check that file and folder are synchronised, in this order, and the folder is closed."""
    calls, fsync, replace = [], os.fsync, os.replace

    def note_fsync(number):
        calls.append(
            "folder" if stat.S_ISDIR(os.fstat(number).st_mode) else os.fstat(number).st_size
        )
        numbers.append(number)
        fsync(number)

    def note_replace(*paths):
        calls.append("replace")
        replace(*paths)

    numbers = []
    monkeypatch.setattr("sk_ctxmem._files._archive.os.fsync", note_fsync)
    monkeypatch.setattr("sk_ctxmem._files._archive.os.replace", note_replace)
    with replacing(tmp_path / "model") as file:
        file.write(b"new")
    assert calls == [3, "replace", "folder"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(numbers[-1])


def test_no_file_takes_the_place_of_a_folder(tmp_path):
    """Check that the message names the folder."""
    message = f"{os.fspath(tmp_path)!r} is a folder; pass the path of a file."
    with pytest.raises(IsADirectoryError, match=f"^{re.escape(message)}$"), replacing(tmp_path):
        raise AssertionError("a file was made")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs os.mkfifo")
def test_no_file_takes_the_place_of_a_pipe(tmp_path):
    """Check that the message names what is no file, and that it stays."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    message = f"{os.fspath(path)!r} is a device or a pipe; pass the path of a file."
    with pytest.raises(OSError, match=f"^{re.escape(message)}$"), replacing(path):
        raise AssertionError("a file was made")
    assert os.listdir(tmp_path) == ["pipe"]
