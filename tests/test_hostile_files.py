"""Tests of model files that somebody made up who knows the format, with right checksums."""

import json
import time

import numpy as np
import pytest
import safetensors.numpy
from numpy.testing import assert_array_equal
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.pipeline import FeatureUnion, make_pipeline

from benchmarks.measuring.resources import peak_bytes, reset_peak, resident_bytes
from benchmarks.reliability.models import SMALL, make_rows
from benchmarks.reliability.mutations import read_members, write_members
from sk_ctxmem import ContextMemoryClassifier, ModelFileError, TextSequenceVectorizer

VECTORIZERS = {
    "own": TextSequenceVectorizer(max_features=60),
    "words": TfidfVectorizer(),
    "union": FeatureUnion(
        [("counts", CountVectorizer()), ("hashes", HashingVectorizer(n_features=64))]
    ),
    "steps": make_pipeline(CountVectorizer(), TfidfTransformer()),
    "pipeline": make_pipeline(TfidfVectorizer(), "passthrough"),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the content of a file for each kind of vectorizer, and of one with numbers."""
    frame, target = make_rows(10)
    texts = frame["text"].tolist()
    contents = {}
    for name, vectorizer in VECTORIZERS.items():
        classifier = ContextMemoryClassifier(vectorizer, random_state=np.random.RandomState(0))
        classifier.set_params(hidden_size=8, max_epochs=1).fit(texts, target)
        path = tmp_path_factory.mktemp("files") / name
        classifier.save(path)
        contents[name] = path.read_bytes()
    numbers = np.random.RandomState(0).normal(size=(len(target), 3))
    ContextMemoryClassifier(**SMALL).fit(numbers, target).save(path)
    return contents | {"numbers": path.read_bytes()}


def forge(content, edit):
    """Return a file whose config, vocabularies and arrays an edit has changed."""
    members = read_members(content)
    config = json.loads(members["config.json"])
    vocabularies = json.loads(members["vocabulary.json"])
    arrays = safetensors.numpy.load(members["weights.safetensors"])
    edit(config, vocabularies, arrays)
    members["config.json"] = json.dumps(config).encode()
    members["vocabulary.json"] = json.dumps(vocabularies).encode()
    members["weights.safetensors"] = safetensors.numpy.save(arrays)
    return write_members(members, forged=True)


def objects_in(node):
    """Yield the objects of known classes anywhere in a config."""
    if isinstance(node, dict) and node.get("is") == "known":
        yield node
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from objects_in(child)


def set_member(node, name, value):
    """Set an attribute of the classifier, or a member of an object."""
    pairs = node["of"] if node["is"] == "dict" else node["parameters"]
    for pair in pairs:
        if pair[0] == name:
            pair[1] = value
            return
    pairs.append([name, value])


def with_parameter(class_name, name, value):
    """Return an edit that sets a parameter of all objects of a class."""

    def edit(config, vocabularies, arrays):
        found = [node for node in objects_in(config) if node["of"] == class_name]
        assert found
        for node in found:
            set_member(node, name, value)

    return edit


def moved_to_learned(class_name, name, value):
    """Return an edit that takes a parameter for something that was learned."""

    def edit(config, vocabularies, arrays):
        for node in objects_in(config):
            if node["of"] == class_name:
                node["parameters"] = [pair for pair in node["parameters"] if pair[0] != name]
                node["learned"].append([name, value])

    return edit


def with_attribute(name, value):
    """Return an edit that sets an attribute of the classifier."""
    return lambda config, vocabularies, arrays: set_member(config, name, value)


def with_array(ending, change):
    """Return an edit that changes the array whose name has an ending."""

    def edit(config, vocabularies, arrays):
        (name,) = (name for name in arrays if name.endswith(ending))
        arrays[name] = change(arrays[name])

    return edit


def one_vocabulary_many_times(config, vocabularies, arrays):
    """Name one vocabulary a thousand times."""
    name = next(iter(vocabularies))
    many = [[number, {"is": "vocabulary", "of": name}] for number in range(1000)]
    set_member(config, "class_weight", {"is": "dict", "of": many})


def wide_strings(config, vocabularies, arrays):
    """Have one long string among many short ones: numpy gives each as much room."""
    texts = ["x" * 20_000] + [""] * 20_000
    set_member(config, "classes_", {"is": "text", "of": texts})


def many_tokens(config, vocabularies, arrays):
    """Claim tokens that are not there."""
    for node in objects_in(config):
        node["learned"] = [[k, 60_000_000 if k == "n_tokens" else v] for k, v in node["learned"]]


def random_state_anywhere(config, vocabularies, arrays):
    """Have numpy read its random numbers far outside of their state."""
    state = next(value for name, value in config["of"] if name == "random_state")
    state["of"][1] = 2_000_000_000


def last_is_first(array):
    """Return an array whose last element is its first."""
    return np.r_[array[:-1], array[:1]]


TEXT, NUMBER = {"is": "text", "of": ["a", "a", "b"]}, 200_000_000
FORGED = {
    "cache of pickles": ("pipeline", with_parameter("Pipeline", "memory", "/tmp/cache")),
    "hidden cache": ("pipeline", moved_to_learned("Pipeline", "memory", "/tmp/cache")),
    "file names": ("words", with_parameter("TfidfVectorizer", "input", "filename")),
    "hidden file names": ("words", moved_to_learned("TfidfVectorizer", "input", "filename")),
    "method": ("words", moved_to_learned("TfidfVectorizer", "transform", 1)),
    "processes": ("union", with_parameter("FeatureUnion", "n_jobs", 1000)),
    "slow pattern": ("words", with_parameter("TfidfVectorizer", "token_pattern", "(?:|){60}c")),
    "slower pattern": ("words", with_parameter("TfidfVectorizer", "token_pattern", "a?" * 60)),
    "no pattern": ("words", with_parameter("TfidfVectorizer", "token_pattern", [])),
    "n-grams below 0": (
        "words",
        with_parameter("TfidfVectorizer", "ngram_range", {"is": "tuple", "of": [-(10**9), 2]}),
    ),
    "long n-grams": (
        "words",
        with_parameter("TfidfVectorizer", "ngram_range", {"is": "tuple", "of": [1, 10**9]}),
    ),
    "columns": ("union", with_parameter("HashingVectorizer", "n_features", 10**12)),
    "unknown parameter": ("words", with_parameter("TfidfVectorizer", "code", "x")),
    "words outside": ("words", with_array("vocabulary_", lambda a: np.r_[a[:-1], 2**31 - 1])),
    "weights of words": ("words", with_array("idf_", lambda a: a[:3])),
    "weights of columns": ("steps", with_array("idf_", lambda a: a[:3])),
    "change of X": ("numbers", with_parameter("StandardScaler", "copy", False)),
    "word twice": ("words", with_array("vocabulary_", last_is_first)),
    "vocabulary many times": ("words", one_vocabulary_many_times),
    "wide strings": ("words", wide_strings),
    "many tokens": ("own", many_tokens),
    "random state": ("own", random_state_anywhere),
    "classes twice": ("own", with_attribute("classes_", TEXT)),
    "epochs": ("own", with_attribute("n_iter_", 99)),
    "no room": ("numbers", with_attribute("n_features_in_", NUMBER)),
    "folder": ("own", with_attribute("checkpoint", "/tmp/planted")),
    "parameter": ("own", with_attribute("memory", "rnn")),
    "shadow": ("own", with_attribute("predict", "shadowed")),
    "temperature": ("own", with_attribute("temperature_", 0)),
    "columns outside": ("own", with_array("scaler_.columns_", lambda a: a + 10**6)),
    "n-grams unsorted": ("own", with_array("counter.pairs[0]", lambda a: np.r_[a, a[:1]])),
    "weights": ("own", with_array("network.decoder.bias", lambda a: a * np.float32(np.nan))),
}


@pytest.mark.parametrize(("kind", "edit"), FORGED.values(), ids=FORGED)
def test_forged_files_are_refused_before_they_do_harm(files, kind, edit, tmp_path):
    """Check that each is a ModelFileError at once, without memory, process or file."""
    path = tmp_path / "model"
    path.write_bytes(forge(files[kind], edit))
    reset_peak()
    before, start = resident_bytes(), time.perf_counter()
    with pytest.raises(ModelFileError, match="does not contain a valid classifier"):
        ContextMemoryClassifier.load(path)
    assert time.perf_counter() - start < 5
    assert peak_bytes() - before < 1e9
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]


def test_an_edit_that_changes_nothing_is_no_forgery(files, tmp_path):
    """Check that what the edits above start from loads."""
    for content in files.values():
        (tmp_path / "model").write_bytes(forge(content, lambda *_: None))
        assert ContextMemoryClassifier.load(tmp_path / "model").n_iter_ > 0


def test_loading_draws_no_random_number(files, tmp_path):
    """Check that a fit in another thread would not notice a load beside it."""
    torch = pytest.importorskip("torch")
    (tmp_path / "model").write_bytes(files["own"])
    before = torch.get_rng_state()
    ContextMemoryClassifier.load(tmp_path / "model")
    assert_array_equal(torch.get_rng_state(), before)
