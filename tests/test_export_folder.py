"""Tests of the folder of an export: what is refused, replaced and found damaged."""

import json
import shutil
import warnings
from hashlib import sha256

import numpy as np
import onnx
import pytest
import torch
from _exported import fit, make_talks
from sklearn.exceptions import NotFittedError

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem._export import _export, runtime

FILES = {
    "model.json",
    "rows.onnx",
    "step.onnx",
    "vocabulary.json",
    "vectorizer.safetensors",
    "conformance.json",
    "conformance.safetensors",
    "runtime.py",
}


@pytest.fixture(scope="module")
def talks():
    """Return conversations."""
    return make_talks(20)


@pytest.fixture(scope="module")
def clf(talks):
    """Return a fitted classifier."""
    return fit(talks)


@pytest.fixture
def folder(tmp_path, clf):
    """Return the folder of an export."""
    clf.export(tmp_path / "model")
    return tmp_path / "model"


def test_files(folder):
    """Check the names of the files, and that nothing else is left."""
    assert {path.name for path in folder.iterdir()} == FILES
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_digest(tmp_path, clf):
    """Check that the result is the digest of model.json, which has those of the others."""
    digest = clf.export(str(tmp_path / "model"))
    content = (tmp_path / "model/model.json").read_bytes()
    assert sha256(content).hexdigest() == digest
    digests = json.loads(content)["digests"]
    assert digests.keys() == FILES - {"model.json"}
    assert runtime.Model(tmp_path / "model", digest=digest).digest == digest
    with pytest.raises(ValueError, match="model.json was changed"):
        runtime.Model(tmp_path / "model", digest="0" * 64)


BAD_FOLDERS = {
    "number": (5, TypeError, "must be the path of a folder"),
    "URL": ("s3://bucket/model", ValueError, "is a URL"),
}


@pytest.mark.parametrize(("folder", "kind", "match"), BAD_FOLDERS.values(), ids=BAD_FOLDERS)
def test_no_folder(clf, folder, kind, match):
    """Check that other values are refused."""
    with pytest.raises(kind, match=match):
        clf.export(folder)


def test_folders_that_cannot_be_written(tmp_path, clf):
    """Check that nothing of the user is replaced."""
    with pytest.raises(FileNotFoundError, match="create"):
        clf.export(tmp_path / "a" / "b")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError, match="is a file"):
        clf.export(tmp_path / "file")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("mine")
    with pytest.raises(FileExistsError, match="has files that are not of an export"):
        clf.export(tmp_path / "full")
    assert (tmp_path / "full/file").read_text() == "mine"


def test_an_earlier_export_is_replaced(folder, talks, monkeypatch):
    """Check that the old one stays until the new one is complete."""
    before = (folder / "model.json").read_bytes()
    other = fit(talks, context="both")

    def fail(*arguments):
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(_export.Path, "write_bytes", fail)
        with pytest.raises(OSError, match="disk full"):
            other.export(folder)
    assert (folder / "model.json").read_bytes() == before
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    other.export(folder)
    assert {path.name for path in folder.iterdir()} == FILES - {"step.onnx"}
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_not_fitted(tmp_path):
    """Check that an unfitted classifier says so."""
    with pytest.raises(NotFittedError, match="not fitted"):
        ContextMemoryClassifier().export(tmp_path / "model")


def test_without_onnx(tmp_path, clf, monkeypatch):
    """Check that the message has the command that installs it."""
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "sk-ctxmem\[onnx\]"'):
        clf.export(tmp_path / "model")


@pytest.mark.parametrize("word_memory", [True, "convolution"])
def test_word_memory_is_refused(tmp_path, talks, word_memory):
    """Check that the parameter is named."""
    clf = fit(talks, word_memory=word_memory, max_epochs=1)
    with pytest.raises(ValueError, match="word_memory=False, or use save"):
        clf.export(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["tokenizer", "strip_accents"])
def test_functions_are_refused(tmp_path, talks, name):
    """Check that functions of the user are named."""
    function = str.split if name == "tokenizer" else str.title
    clf = fit(talks, vectorizer=TextSequenceVectorizer(**{name: function}), max_epochs=1)
    with pytest.raises(TypeError, match=f"{name}=.*functions cannot be exported"):
        clf.export(tmp_path / "model")


def test_speakers_that_json_has_not(tmp_path, talks):
    """Check that speakers of other types are named."""
    frame = talks.assign(speaker=[("A", 1)] * len(talks))
    clf = fit(frame, speaker_column="speaker", max_epochs=1)
    with pytest.raises(TypeError, match="speaker .* is of type tuple"):
        clf.export(tmp_path / "model")


def use(folder):
    """Read all files of a model."""
    model = runtime.Model(folder)
    model.predict(["yes"], groups=[1])
    model.session().predict_one("yes")


@pytest.mark.parametrize("name", sorted(FILES - {"model.json", "runtime.py"}))
@pytest.mark.parametrize("damage", ["byte", "cut", "missing"])
def test_damaged_files_are_named(folder, name, damage):
    """Check that each changed file is found before it is used, and named."""
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    damaged = {"byte": content, "cut": content[:-1]}
    if damage == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(damaged[damage])
    if name.startswith("conformance"):  # which the runtime does not read
        use(folder)
        return
    kind = FileNotFoundError if damage == "missing" else ValueError
    with pytest.raises(kind, match=name):
        use(folder)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"format": "sk_ctxmem export 2"}'])
def test_other_formats_are_refused(folder, content):
    """Check that another model.json is named."""
    (folder / "model.json").write_bytes(content)
    with pytest.raises(ValueError, match="model.json is not that of an export"):
        runtime.Model(folder)


def forge(folder, name, content):
    """Replace a file and its digest."""
    (folder / name).write_bytes(content)
    config = json.loads((folder / "model.json").read_bytes())
    config["digests"][name] = sha256(content).hexdigest()
    (folder / "model.json").write_text(json.dumps(config))


def test_weights_in_other_files_are_refused(folder):
    """Check a forged graph that reads a file outside the folder, with fitting digests."""
    (folder.parent / "secret").write_bytes(bytes(2**20))
    model = onnx.load(folder / "rows.onnx")
    weight = next(each for each in model.graph.initializer if each.name == "encoder.bias")
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../secret")
    forge(folder, "rows.onnx", model.SerializeToString())
    with pytest.raises(ValueError, match="reads other files"):
        use(folder)


def test_no_global_effects(tmp_path, clf):
    """Check random state, threads, warning filters and torch's defaults."""
    np.random.seed(3)
    expected = np.random.get_state()[1].copy()
    before = torch.get_num_threads(), torch.get_rng_state().clone(), list(warnings.filters)
    clf.export(tmp_path / "model")
    use(tmp_path / "model")
    assert torch.get_num_threads() == before[0]
    assert (torch.get_rng_state() == before[1]).all()
    assert list(warnings.filters) == before[2]
    assert (np.random.get_state()[1] == expected).all()


def test_works_in_other_places(folder, tmp_path_factory):
    """Check a folder that was copied."""
    copied = tmp_path_factory.mktemp("elsewhere") / "copied"
    shutil.copytree(folder, copied)
    use(copied)
