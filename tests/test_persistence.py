"""Tests of save and load, of pickles, and of files that should not be believed."""

import copy
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.pipeline import FeatureUnion, make_pipeline

from benchmarks.reliability import fuzz
from benchmarks.reliability.golden import read_golden
from benchmarks.reliability.models import MODELS, ROLES, SMALL, fit_models, make_rows
from benchmarks.reliability.mutations import read_members, write_members
from sk_ctxmem import (
    TRUSTED_TYPES,
    ContextMemoryClassifier,
    ModelFileError,
    TextSequenceVectorizer,
)


@pytest.fixture(scope="module")
def models():
    """Fitted classifiers of every kind, each with rows to predict."""
    return fit_models()


@pytest.fixture(scope="module")
def saved(models, tmp_path_factory):
    """Return the content of the file of one of them."""
    path = tmp_path_factory.mktemp("saved") / "model"
    models["everything"][0].save(path)
    return path.read_bytes()


def load_bytes(content, folder):
    """Write a file and load it."""
    path = folder / "model.ctxmem"
    path.write_bytes(content)
    return ContextMemoryClassifier.load(path)


def by_pickle(classifier):
    """Return the classifier from a pickle of itself."""
    return pickle.loads(pickle.dumps(classifier))


def by_joblib(classifier):
    """Return the classifier from a joblib file of itself."""
    file = io.BytesIO()
    joblib.dump(classifier, file)
    file.seek(0)
    return joblib.load(file)


def by_skops(classifier):
    """Return the classifier from a skops file, trusting what the package names."""
    skops_io = pytest.importorskip("skops.io")
    return skops_io.loads(skops_io.dumps(classifier), trusted=TRUSTED_TYPES)


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_classifier_is_the_one_saved(models, name, tmp_path):
    """Check that it predicts the same to the last bit, and has the same attributes."""
    classifier, X = models[name]
    classifier.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    assert_array_equal(loaded.predict(X), classifier.predict(X))
    pd.testing.assert_frame_equal(loaded.history_, classifier.history_)
    assert vars(loaded).keys() == vars(classifier).keys() - {"_net"}
    assert str(loaded.get_params()) == str(classifier.get_params())
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("way", [by_pickle, by_joblib, by_skops, copy.deepcopy, copy.copy])
def test_the_net_of_skorch_stays_where_it_was_trained(models, way):
    """Check that no copy has it, and that the error says why."""
    classifier, _ = models["everything"]
    assert len(classifier.net_.history) == classifier.n_iter_
    with pytest.raises(AttributeError, match="loaded, unpickled or copied .* use history_"):
        way(classifier).net_  # noqa: B018


@pytest.mark.parametrize("way", [by_pickle, by_joblib, by_skops, copy.deepcopy, copy.copy])
@pytest.mark.parametrize("name", MODELS)
def test_every_copy_predicts_the_same(models, name, way):
    """Check that pickles, copies and skops files give the same probabilities to the last bit."""
    classifier, X = models[name]
    assert_array_equal(way(classifier).predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize("name", MODELS)
def test_a_clone_fits_to_the_same(models, name):
    """Check that a clone of a loaded classifier is unfitted, and fits to the same."""
    classifier, _ = models[name]
    again = clone(by_pickle(classifier))
    with pytest.raises(NotFittedError, match="not fitted"):
        again.predict(["a"])
    assert str(again.get_params()) == str(classifier.get_params())


@pytest.mark.parametrize("name", MODELS)
def test_skops_asks_to_trust_our_class_alone(models, name):
    """Check that a skops file needs trust in ContextMemoryClassifier and in nothing else."""
    skops_io = pytest.importorskip("skops.io")
    untrusted = skops_io.get_untrusted_types(data=skops_io.dumps(models[name][0]))
    assert untrusted == ["sk_ctxmem._classifier.ContextMemoryClassifier"]
    assert set(untrusted) <= set(TRUSTED_TYPES)


def test_skops_asks_to_trust_our_two_classes_of_a_pipeline():
    """Check that a Pipeline with the vectorizer as a step needs the types that are named."""
    skops_io = pytest.importorskip("skops.io")
    frame, target = make_rows(10)
    texts = frame["text"].tolist()
    pipeline = make_pipeline(TextSequenceVectorizer(), ContextMemoryClassifier(**SMALL))
    pipeline.fit(texts, target)
    data = skops_io.dumps(pipeline)
    assert sorted(skops_io.get_untrusted_types(data=data)) == sorted(TRUSTED_TYPES)
    loaded = skops_io.loads(data, trusted=TRUSTED_TYPES)
    assert_array_equal(loaded.predict_proba(texts), pipeline.predict_proba(texts))


def test_an_unfitted_classifier_survives_a_pickle():
    """Check that parameters alone can be pickled, and that save wants a fit."""
    classifier = ContextMemoryClassifier(memory="lstm", vectorizer=TfidfVectorizer(min_df=2))
    assert str(by_pickle(classifier).get_params()) == str(classifier.get_params())
    with pytest.raises(NotFittedError, match="not fitted"):
        classifier.save("nowhere")
    assert not os.path.exists("nowhere")


def test_copies_keep_what_no_file_would(models):
    """Check that pickles keep dates as keys, other generators, and folders, each as it was."""
    classifier, X = models["texts"]
    weights = {date(2020, 1, 1): 5, date(2020, 1, 2): 1, "a.b": 10**30, 1: np.ones(2)}
    generator = np.random.RandomState(np.random.PCG64(0))
    odd = copy.deepcopy(classifier).set_params(
        class_weight=weights,
        random_state=generator,
        checkpoint=Path("folder"),
        vectorizer=TfidfVectorizer(stop_words=frozenset([1, "a"]), dtype=np.dtype("f4")),
    )
    for one in (copy.deepcopy(odd), by_pickle(odd)):
        assert one.class_weight.keys() == weights.keys()
        assert one.class_weight[date(2020, 1, 1)] == 5
        assert one.random_state.randint(10**6) == copy.deepcopy(generator).randint(10**6)
        assert one.checkpoint == Path("folder")
        assert one.vectorizer.get_params() == odd.vectorizer.get_params()
        assert_array_equal(one.predict_proba(X), classifier.predict_proba(X))


def test_speakers_and_classes_of_many_kinds_come_back(tmp_path):
    """Check dates as classes, in files, and as speakers, in pickles: files hold only plain ones."""
    frame, target = make_rows(10)
    y = np.array([f"2020-01-0{1 + len(label) % 3}" for label in target], dtype="datetime64[D]")
    days = [np.datetime64(f"2020-01-0{1 + n % 3}", "ns") for n in range(len(frame))]
    named = {"speaker_column": "speaker"}
    by_day = frame.assign(speaker=pd.Series(days, dtype=object))
    classifier = ContextMemoryClassifier(**ROLES, **SMALL).fit(frame, y)
    classifier.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    assert loaded.classes_.dtype == classifier.classes_.dtype
    assert_array_equal(loaded.predict(frame), classifier.predict(frame))
    classifier = ContextMemoryClassifier(**ROLES, **SMALL, **named).fit(by_day, target)
    assert len(classifier.speakers_) == 3
    assert_array_equal(
        by_pickle(classifier).predict_proba(by_day), classifier.predict_proba(by_day)
    )
    with pytest.raises(TypeError, match="speakers_.* is not plain data.*convert it to numbers"):
        classifier.save(tmp_path / "other")


def test_a_file_names_no_folder_to_write_into(models, tmp_path):
    """Check that parameters which are of no use elsewhere stay out of files."""
    classifier = by_pickle(models["texts"][0])
    classifier.set_params(checkpoint=tmp_path / "folder", device=torch.device("cpu"))
    with config_context(enable_metadata_routing=True):
        classifier.set_fit_request(groups=True)
    classifier.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    assert loaded.checkpoint is None
    assert loaded.device == "cpu"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs os.mkfifo")
def test_save_does_not_replace_a_pipe(models, tmp_path):
    """Check that what is no file stays what it is."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="is a device or a pipe; pass the path of a file"):
        models["texts"][0].save(tmp_path / "pipe")
    assert (tmp_path / "pipe").is_fifo()


def test_a_warning_on_the_way_is_no_damage(models, tmp_path):
    """Check that where warnings are errors, a missing device is not taken for a bad file."""
    classifier = by_pickle(models["texts"][0]).set_params(device="cuda:9")
    classifier.save(tmp_path / "model")
    with pytest.raises(UserWarning, match="is not available"):  # as pytest is told to do
        ContextMemoryClassifier.load(tmp_path / "model")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU to run on")
def test_what_comes_from_a_gpu_runs_on_the_cpu(models, tmp_path):
    """Check that files and pickles of a classifier on a GPU say that they run on the CPU here."""
    classifier, X = models["frame"]
    from_gpu = copy.deepcopy(classifier).set_params(device="cuda:1")
    from_gpu.save(tmp_path / "model")
    content = pickle.dumps(from_gpu)
    message = "device='cuda:1' is not available; the classifier uses the CPU instead"
    with pytest.warns(UserWarning, match=message):
        loaded = ContextMemoryClassifier.load(tmp_path / "model")
    with pytest.warns(UserWarning, match=message):
        unpickled = pickle.loads(content)
    for one in (loaded, unpickled):
        assert_array_equal(one.predict_proba(X), classifier.predict_proba(X))


def test_a_warm_start_goes_on_from_a_file(models, tmp_path):
    """Check that a loaded classifier fits on as the one saved does."""
    frame, target = make_rows()
    classifier = by_pickle(models["frame"][0]).set_params(warm_start=True)
    classifier.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    expected = classifier.fit(frame, target).predict_proba(frame)
    assert_array_equal(loaded.fit(frame, target).predict_proba(frame), expected)


@pytest.mark.parametrize(
    "labels",
    [[3, 7], [True, False], [1.0, 2.0], np.array(["a", "b"], dtype=object), ["a\ud800", "ü"]],
    ids=str,
)
def test_labels_keep_their_type(labels, tmp_path):
    """Check that classes of every kind come back as they were, half surrogates included."""
    y = np.asarray(labels)[np.arange(40) % 2]
    texts = [f"{'yes' if number % 2 else 'no'} \ud83d {number}" for number in range(40)]
    classifier = ContextMemoryClassifier(class_weight="balanced", **SMALL).fit(texts, y)
    classifier.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    assert loaded.classes_.dtype == classifier.classes_.dtype
    assert loaded.predict(texts).tolist() == classifier.predict(texts).tolist()


def test_parameters_of_every_kind_come_back(tmp_path):
    """Check weights by class, a RandomState, numbers of numpy and a vectorizer never used."""
    texts, y = ["yes it is", "no it was"] * 20, [0, 1] * 20
    classifier = ContextMemoryClassifier(
        TfidfVectorizer(stop_words=["x"], dtype=np.float32),
        class_weight={0: 2, 1: np.float64(0.5)},
        random_state=np.random.RandomState(3),
        hidden_size=np.int64(8),
        max_epochs=1,
    ).fit(texts, y)
    classifier.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    assert loaded.class_weight == {0: 2, 1: 0.5}
    assert loaded.vectorizer.get_params() == classifier.vectorizer.get_params()
    assert loaded.random_state.randint(1000) == classifier.random_state.randint(1000)
    assert_array_equal(loaded.predict_proba(texts), classifier.predict_proba(texts))


VECTORIZERS = {
    "union": FeatureUnion(
        [
            ("words", TfidfVectorizer(use_idf=False)),
            ("counts", make_pipeline(CountVectorizer(binary=True), "passthrough")),
            ("hashes", HashingVectorizer(n_features=32)),
        ],
        transformer_weights={"words": 2},
    ),
    "own": TextSequenceVectorizer(analyzer="char", ngram_range=(1, 3)),
}


@pytest.mark.parametrize("vectorizer", VECTORIZERS.values(), ids=VECTORIZERS)
def test_vectorizers_of_scikit_learn_come_back(vectorizer, tmp_path):
    """Check that unions, pipelines, counts and hashes of scikit-learn are plain data."""
    frame, target = make_rows(10)
    texts = frame["text"].tolist()
    classifier = ContextMemoryClassifier(vectorizer, **SMALL).fit(texts, target)
    classifier.save(tmp_path / "model")
    loaded = ContextMemoryClassifier.load(tmp_path / "model")
    assert_array_equal(loaded.predict_proba(texts), classifier.predict_proba(texts))


class OwnVectorizer(TfidfVectorizer):
    """A class that no file may name."""


def split_text(text):
    """Return the words of a text."""
    return text.split()


REFUSED = {
    "class": (
        OwnVectorizer(),
        r"vectorizer.*=OwnVectorizer\(\).*OwnVectorizer is not plain data.*no code.*or pickle",
    ),
    "function": (
        TfidfVectorizer(tokenizer=split_text, token_pattern=None),
        "vectorizer.tokenizer=<function split_text.*is not plain data",
    ),
    "analyzer": (
        TfidfVectorizer(analyzer=split_text),
        "vectorizer cannot be written.*analyzer=<function.*one of .*Pickle the classifier",
    ),
    "file names": (
        CountVectorizer(input="filename"),
        "vectorizer cannot be written.*input='filename' must be 'content'",
    ),
    "cache": (
        make_pipeline(TfidfVectorizer(), memory="cache"),
        "vectorizer cannot be written.*memory='cache' must be None",
    ),
    "slow pattern": (
        TfidfVectorizer(token_pattern=r"(a+)+"),
        "vectorizer cannot be written.*must be a pattern without groups and of at most 2",
    ),
}


@pytest.mark.parametrize(("vectorizer", "message"), REFUSED.values(), ids=REFUSED)
def test_save_names_what_is_no_plain_data(models, vectorizer, message, tmp_path):
    """Check that a vectorizer with code in it is named, and that no file is made."""
    classifier = by_pickle(models["texts"][0])
    classifier.set_params(vectorizer=vectorizer)
    with pytest.raises(TypeError, match=message):
        classifier.save(tmp_path / "model")
    assert not os.listdir(tmp_path)
    again = by_pickle(classifier)  # which may hold code
    assert type(again.vectorizer) is type(vectorizer)


def test_the_same_classifier_makes_the_same_bytes(models, saved, tmp_path):
    """Check that files can be compared, and hold the members that are documented."""
    models["everything"][0].save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == saved
    members = read_members(saved)
    assert sorted(members) == [
        "config.json",
        "manifest.json",
        "vocabulary.json",
        "weights.safetensors",
    ]
    manifest = json.loads(members["manifest.json"])
    assert manifest["format_version"] == 1
    assert manifest["versions"].keys() >= {"sk_ctxmem", "scikit-learn", "numpy", "torch"}
    assert all(b"pickle" not in member for member in members.values())


GOLDEN = sorted((Path(__file__).parent / "golden").glob("v*/*.ctxmem"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: f"{path.parent.name} {path.stem}")
def test_files_of_earlier_versions_predict_what_they_did(path):
    """Check that a file written by an earlier version loads, and gives its answers of then."""
    rows, expected, probabilities = read_golden(path)
    loaded = ContextMemoryClassifier.load(path)
    assert loaded.predict(rows).tolist() == expected
    assert_allclose(loaded.predict_proba(rows), probabilities, atol=1e-5)


def test_there_are_golden_files_of_every_kind_of_model():
    """Check that each kind of model has a file of each format version."""
    assert {(path.parent.name, path.stem) for path in GOLDEN} == {("v1", name) for name in MODELS}


# --- writing


def test_a_failed_save_leaves_the_old_file_and_no_other(models, monkeypatch, tmp_path):
    """Check that an error while writing changes nothing in the folder."""
    path = tmp_path / "model"
    models["texts"][0].save(path)
    before = path.read_bytes()

    def full(number):
        raise OSError("no space left on device")

    monkeypatch.setattr("sk_ctxmem._files._archive.os.fsync", full)
    with pytest.raises(OSError, match="no space left"):
        models["frame"][0].save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_save_that_is_killed_leaves_the_old_file(saved, tmp_path):
    """Check that a process killed before the last step has changed nothing."""
    path = tmp_path / "model"
    path.write_bytes(saved)
    code = (
        "import os, signal, sys\n"
        "from sk_ctxmem import ContextMemoryClassifier\n"
        "from sk_ctxmem._files import _archive\n"
        "classifier = ContextMemoryClassifier.load(sys.argv[1])\n"
        "_archive.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "classifier.set_params(verbose=1).save(sys.argv[1])\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(path)])
    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes() == saved


@pytest.mark.skipif(os.name == "nt", reason="on Windows, links need a right that few users have")
def test_save_keeps_links_and_rights(models, tmp_path):
    """Check that a link goes on pointing to the file, and who may read it does not change."""
    path, link = tmp_path / "model", tmp_path / "link"
    models["texts"][0].save(path)
    path.chmod(0o640)
    link.symlink_to(path)
    models["frame"][0].save(link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert_array_equal(ContextMemoryClassifier.load(path).classes_, models["frame"][0].classes_)


def test_paths_that_cannot_be_are_named(models, tmp_path):
    """Check that a folder, a missing folder and a missing file are said to be so."""
    classifier = models["texts"][0]
    with pytest.raises(IsADirectoryError, match="is a folder; pass the path of a file"):
        classifier.save(tmp_path)
    with pytest.raises(FileNotFoundError, match="missing"):
        classifier.save(tmp_path / "missing" / "model")
    with pytest.raises(FileNotFoundError, match="missing"):
        ContextMemoryClassifier.load(tmp_path / "missing")


# --- reading


@pytest.mark.slow
def test_mutated_files_are_refused_or_give_the_same():
    """Check 400 mutated files: none crashes, hangs, takes much memory or runs code."""
    counts, worst = fuzz.fuzz(first=0, n_files=400)
    assert worst["failures"] == []
    assert sum(counts.values()) == 400
    assert sum(n for (_, outcome), n in counts.items() if outcome == "refused") > 300


def test_a_pickle_in_the_place_of_a_model_is_not_run(tmp_path):
    """Check that no kind of pickle is opened, whatever it is called."""
    path = tmp_path / "canary"

    class Canary:
        def __reduce__(self):
            return open, (str(path), "w")

    with pytest.raises(ModelFileError, match="is not a sk_ctxmem model file, or is corrupt"):
        load_bytes(pickle.dumps(Canary()), tmp_path)
    assert not path.exists()


def test_damage_is_named(saved, tmp_path):
    """Check that the message says which member is damaged, and what to do."""
    members = read_members(saved)
    members["vocabulary.json"] = members["vocabulary.json"][:-1] + b" }"
    with pytest.raises(
        ModelFileError, match="is corrupt: the checksum of vocabulary.json.*download it again"
    ):
        load_bytes(write_members(members, forged=False), tmp_path)


def change_manifest(saved, **changes):
    """Return the file with another manifest."""
    members = read_members(saved)
    manifest = json.loads(members["manifest.json"]) | changes
    members["manifest.json"] = json.dumps(manifest).encode()
    return write_members(members, forged=False)


def test_a_later_format_is_named_with_what_wrote_it(saved, tmp_path):
    """Check that a file of a format to come says which version reads it."""
    later = change_manifest(saved, format_version=2, versions={"sk_ctxmem": "9.0"})
    with pytest.raises(ModelFileError, match="format version 2, written by {'sk_ctxmem': '9.0'}"):
        load_bytes(later, tmp_path)


def test_another_kind_of_file_is_named(saved, tmp_path):
    """Check that an archive of ours which is no model says what it is."""
    other = change_manifest(saved, format="sk_ctxmem checkpoint")
    with pytest.raises(
        ModelFileError, match="contains 'sk_ctxmem checkpoint', not 'sk_ctxmem model'"
    ):
        load_bytes(other, tmp_path)


def test_a_compressed_member_is_refused(saved, tmp_path):
    """Check that nothing is unpacked that could be larger than its file."""
    with pytest.raises(ModelFileError, match="has the compressed member"):
        load_bytes(write_members(read_members(saved), forged=True, compressed=True), tmp_path)


@pytest.mark.parametrize("name", ["../../config.json", "/tmp/config.json", "data.pkl"])
def test_other_members_are_refused(saved, tmp_path, name):
    """Check that a member more, wherever it wants to go, is named and goes nowhere."""
    with pytest.raises(ModelFileError, match="has the members .* were expected"):
        load_bytes(write_members(read_members(saved) | {name: b""}, forged=True), tmp_path)
    assert os.listdir(tmp_path) == ["model.ctxmem"]


def test_a_member_twice_is_refused(saved, tmp_path):
    """Check that two members of one name are not taken for one."""
    file = io.BytesIO(saved)
    with (
        zipfile.ZipFile(file, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        archive.writestr("config.json", b"{}")
    with pytest.raises(ModelFileError, match="has the members"):
        load_bytes(file.getvalue(), tmp_path)


def test_a_network_larger_than_the_file_takes_no_memory(saved, tmp_path):
    """Check that sizes are held against the weights before a network is made."""
    members = read_members(saved)
    for name, size in (("width", 10**6), ("n_features", 2**40), ("n_classes", 10**6)):
        config = members["config.json"].replace(
            *(f'["{name}",{value}'.encode() for value in (find_size(members, name), size))
        )
        assert config != members["config.json"]
        with pytest.raises(ModelFileError, match="does not contain a valid classifier"):
            load_bytes(write_members(members | {"config.json": config}, forged=True), tmp_path)


def change_array(content, ending, change):
    """Return a file in which the array whose name has this ending is changed."""
    members = read_members(content)
    arrays = safetensors.numpy.load(members["weights.safetensors"])
    (name,) = (name for name in arrays if name.endswith(ending))
    arrays[name] = change(arrays[name])
    members["weights.safetensors"] = safetensors.numpy.save(arrays)
    return write_members(members, forged=True)


@pytest.mark.parametrize("number", [-1, 0, 2**31 - 1, 2**40])
def test_words_with_numbers_of_no_column_are_refused(models, number, tmp_path):
    """Check a vocabulary of scikit-learn whose numbers lie outside the matrices it makes."""
    models["scikit-learn"][0].save(tmp_path / "model.ctxmem")
    content = (tmp_path / "model.ctxmem").read_bytes()

    def change(numbers):
        changed = numbers.copy()
        changed[-1] = number if number else changed[0]
        return changed

    with pytest.raises(ModelFileError, match="are not numbered from 0 without gaps"):
        load_bytes(change_array(content, "vocabulary_", change), tmp_path)


@pytest.mark.parametrize(
    ("ending", "value"),
    [("scaler_.places_", 10**6), ("scaler_.columns_", -1), ("_word_numbers", 10**6)],
)
def test_columns_outside_the_tables_are_refused(saved, ending, value, tmp_path):
    """Check arrays that would have the network read outside of its tables."""

    def change(array):
        changed = array.copy()
        changed[0] = value
        return changed

    with pytest.raises(ModelFileError, match="does not contain a valid classifier"):
        load_bytes(change_array(saved, ending, change), tmp_path)


def find_size(members, name):
    """Return a size of the network as a config has it."""
    text = members["config.json"].decode()
    start = text.index(f'["{name}",') + len(name) + 4
    return text[start : text.index("]", start)]


def test_a_failed_setstate_is_an_error_too(models):
    """Check that pickles whose weights do not fit the network are refused."""
    state = models["frame"][0].__getstate__()
    state["weights"] = state["weights"] | {"decoder.weight": np.zeros((9, 9), dtype=np.float32)}
    with pytest.raises(RuntimeError, match="size mismatch for decoder.weight"):
        ContextMemoryClassifier().__setstate__(state)


def test_memory_that_runs_out_is_no_damage(saved, tmp_path, monkeypatch):
    """Check that MemoryError is not taken for a file that is damaged."""

    def run_out(*_):
        raise MemoryError("no memory")

    monkeypatch.setattr("sk_ctxmem._model._file.PlainReader.read", run_out)
    with pytest.raises(MemoryError, match="no memory"):
        load_bytes(saved, tmp_path)
