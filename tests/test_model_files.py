"""Tests of what a file or a state may make of a classifier."""

import copy
import json
import pickle
import re
import warnings
from pathlib import Path
from threading import Event, Thread, current_thread

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import MaxAbsScaler, Normalizer, StandardScaler

from benchmarks.reliability.golden import read_golden
from benchmarks.reliability.mutations import read_members, write_members
from sk_ctxmem import ContextMemoryClassifier, ModelFileError, TextSequenceVectorizer
from sk_ctxmem._messages import doc_link
from sk_ctxmem._model._fitted_model import FittedModel

GOLDEN = Path(__file__).parent / "golden" / "v1"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.ctxmem"))


def load(name="everything"):
    """Return the classifier of a golden file."""
    return ContextMemoryClassifier.load(GOLDEN / f"{name}.ctxmem")


def says(error, message):
    """Expect an error with this message and no other."""
    return pytest.raises(error, match=f"^{re.escape(message)}$")


# --- whole files


@pytest.mark.parametrize("name", NAMES)
def test_a_file_comes_back_the_same(name, tmp_path):
    """Check that a classifier that was loaded answers as it should, and writes the same."""
    rows, expected, probabilities = read_golden(GOLDEN / f"{name}.ctxmem")
    classifier = load(name)
    assert classifier.predict(rows).tolist() == expected
    assert_allclose(classifier.predict_proba(rows), probabilities, atol=1e-5)
    assert classifier._stream is None
    classifier.save(tmp_path / "again")
    ContextMemoryClassifier.load(tmp_path / "again").save(tmp_path / "third")
    content = (tmp_path / "again").read_bytes()
    assert (tmp_path / "third").read_bytes() == content
    members = read_members(content)
    golden = read_members((GOLDEN / f"{name}.ctxmem").read_bytes())
    for member in ("vocabulary.json", "weights.safetensors"):
        assert members[member] == golden[member]


@pytest.mark.parametrize("name", NAMES)
def test_a_state_is_plain_and_comes_back(name):
    """Check what a pickle holds, and that a classifier made of it answers the same."""
    classifier = load(name)
    rows, _, _ = read_golden(GOLDEN / f"{name}.ctxmem")
    state = classifier.__getstate__()
    assert state.keys() == {"plain", "arrays", "vocabularies", "objects", "weights"}
    assert state["objects"] == {}
    assert {weight.dtype for weight in state["weights"].values()} == {np.dtype(np.float32)}
    json.dumps([state["plain"], state["vocabularies"]], allow_nan=False)
    assert not {"_network", "_device", "_weights"} & dict(state["plain"]["of"]).keys()
    again = ContextMemoryClassifier.__new__(ContextMemoryClassifier)
    again.__setstate__(state)
    assert vars(again).keys() == vars(classifier).keys()
    assert_array_equal(again.predict_proba(rows), classifier.predict_proba(rows))


def test_a_state_keeps_what_a_file_cannot_hold():
    """Check that objects of other classes are in a pickle as they are, and named in a file."""
    classifier = load()
    classifier.vectorizer = print
    state = classifier.__getstate__()
    assert state["objects"] == {"ContextMemoryClassifier.vectorizer": print}
    again = ContextMemoryClassifier()
    again.__setstate__(state)
    assert again.vectorizer is print
    with pytest.raises(TypeError, match="^ContextMemoryClassifier.vectorizer=<built-in function"):
        classifier.save("nowhere")


@pytest.mark.parametrize(
    "part",
    [
        CountVectorizer(),
        FeatureUnion([("words", TfidfVectorizer())]),
        HashingVectorizer(),
        MaxAbsScaler(),
        Normalizer(),
        Pipeline([("words", TfidfVectorizer())]),
        StandardScaler(),
        TextSequenceVectorizer(),
        TfidfTransformer(),
        TfidfVectorizer(),
    ],
    ids=lambda part: type(part).__name__,
)
def test_classes_that_a_file_may_name(part):
    """Check that each of these is plain data, and comes back with its parameters."""
    state = ContextMemoryClassifier(part).__getstate__()
    assert state["objects"] == {}
    again = ContextMemoryClassifier()
    again.__setstate__(state)
    assert type(again.vectorizer) is type(part)
    assert repr(again.vectorizer) == repr(part)


def test_an_unfitted_state_has_no_weights():
    """Check that parameters alone make a state, and come back."""
    state = ContextMemoryClassifier(hidden_size=3).__getstate__()
    assert state["weights"] is None
    again = ContextMemoryClassifier()
    again.__setstate__(state)
    assert again.hidden_size == 3
    assert vars(again).keys() == vars(ContextMemoryClassifier()).keys()


def test_a_moved_network_is_written_in_single_precision():
    """Check that the precision that predictions were made in is not that of a state."""
    classifier = load("texts")
    classifier._model.network.double()
    weights = classifier.__getstate__()["weights"]
    assert {weight.dtype for weight in weights.values()} == {np.dtype(np.float32)}


def test_loading_leaves_torch_alone():
    """Check that no random number is drawn, and that the precision of torch does not matter."""
    before = torch.random.get_rng_state()
    default = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)
        classifier = load()
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(default)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert {weight.dtype for weight in classifier._model.network.parameters()} == {torch.float32}


def refuse_device(device):
    """Raise as choose_device does where there is no such device."""
    raise ValueError("no such device")


def test_a_device_that_is_not_here_is_replaced(monkeypatch):
    """Check that the CPU is taken with a warning that names the parameter."""
    monkeypatch.setattr("sk_ctxmem._model._file.choose_device", refuse_device)
    message = "device='cpu' is not available; the classifier uses the CPU instead."
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        assert load("texts")._model.device == "cpu"


def test_the_warning_of_a_device_points_to_the_line_that_loads(monkeypatch):
    """Check that the file of the caller is named, whether it loads a file or a pickle."""
    pickled = pickle.dumps(load("texts"))
    monkeypatch.setattr("sk_ctxmem._model._file.choose_device", refuse_device)
    with pytest.warns(UserWarning, match="is not available") as caught:
        ContextMemoryClassifier.load(GOLDEN / "texts.ctxmem")
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="is not available") as caught:
        pickle.loads(pickled)
    assert caught[0].filename == __file__


def test_a_device_that_is_here_is_taken(monkeypatch):
    """Check that the device follows from the parameter."""
    monkeypatch.setattr("sk_ctxmem._model._file.choose_device", lambda device: f"{device}:0")
    assert load("texts")._model.device == "cpu:0"


# --- files made up


def made_up(tmp_path, edit, name="texts"):
    """Write a golden file whose pairs of names and values were edited."""
    members = read_members((GOLDEN / f"{name}.ctxmem").read_bytes())
    config = json.loads(members["config.json"])
    pairs = dict(config["of"])
    edit(pairs)
    config["of"] = [list(pair) for pair in pairs.items()]
    path = tmp_path / "model"
    members["config.json"] = json.dumps(config).encode()
    path.write_bytes(write_members(members, forged=True))
    return path


def refuses(path, kind, part):
    """Expect an error of a file that does not contain a valid classifier, for this reason."""
    reason = f"{str(path)!r} does not contain a valid classifier ({kind}: {part}"
    remedy = "); save it again, or download it again." + doc_link("model-files")
    return pytest.raises(ModelFileError, match=f"(?s)^{re.escape(reason)}.*{re.escape(remedy)}$")


@pytest.mark.parametrize(
    ("name", "value", "kind", "part"),
    [
        ("predict", 1, "ValueError", "a classifier has no attribute 'predict'"),
        ("__class__", 1, "ValueError", "a classifier has no attribute '__class__'"),
        ("no name", 1, "ValueError", "a classifier has no attribute 'no name'"),
        ("hidden_size", -1, "ValueError", "hidden_size=-1 must be"),
        ("n_iter_", -1, "ValueError", "n_iter_ cannot be the result of a fit"),
        ("_sizes", {"is": "dict", "of": []}, "KeyError", "'n_classes'"),
    ],
)
def test_a_config_made_up_is_refused(tmp_path, name, value, kind, part):
    """Check names, parameters and learned values, and that the cause is kept."""
    path = made_up(tmp_path, lambda pairs: pairs.update({name: value}))
    with refuses(path, kind, part) as info:
        ContextMemoryClassifier.load(path)
    assert type(info.value.__cause__).__name__ == kind


def test_a_new_name_is_no_harm(tmp_path):
    """Check that a file may hold what a later version learns beside the rest."""
    path = made_up(tmp_path, lambda pairs: pairs.update({"later_": 3}))
    assert ContextMemoryClassifier.load(path).later_ == 3


def test_a_file_whose_classifier_cannot_predict_is_refused(tmp_path, monkeypatch):
    """Check that a prediction is tried, and that its error is that of the file."""

    def fail(classifier):
        raise FloatingPointError("overflow")

    path = made_up(tmp_path, dict)
    monkeypatch.setattr(FittedModel, "smoke_test", fail)
    with refuses(path, "FloatingPointError", "overflow"):
        ContextMemoryClassifier.load(path)


def test_numbers_of_the_trial_do_not_warn(monkeypatch):
    """Check that a numeric warning of the trial is neither shown nor an error."""
    results = []

    def overflow(network, rows, device):
        results.append(np.float32(1e38) * np.float32(10))

    monkeypatch.setattr("sk_ctxmem._model._fitted_model.predict_logits", overflow)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load("texts")
    assert results == [np.inf]


def test_loads_in_threads_leave_warning_filters_alone(monkeypatch):
    """Check that two loads, of which the first ends while the second runs, keep all filters."""
    second_began, first_ended = Event(), Event()
    first, second = Thread(target=load, args=["texts"]), Thread(target=load, args=["texts"])

    def wait(model):
        if current_thread() is first:
            second.start()
            second_began.wait(60)
        else:
            second_began.set()
            first_ended.wait(60)

    monkeypatch.setattr(FittedModel, "smoke_test", wait)
    before = list(warnings.filters)
    with warnings.catch_warnings():  # restores them if the test fails
        first.start()
        first.join()
        first_ended.set()
        second.join()
        assert list(warnings.filters) == before


def test_a_warning_that_is_an_error_is_no_damage(monkeypatch):
    """Check that it comes out as it is where the user made errors of warnings."""
    monkeypatch.setattr("sk_ctxmem._model._file.choose_device", refuse_device)
    message = "device='cpu' is not available; the classifier uses the CPU instead."
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with says(UserWarning, message):
            load("texts")


def test_memory_that_runs_out_is_no_damage(monkeypatch):
    """Check that MemoryError comes out as it is, from every step."""

    def run_out(*args, **kwargs):
        raise MemoryError("no memory")

    for step in ("_model._file.PlainReader.read", "_files._archive.json.loads"):
        with monkeypatch.context() as patch:
            patch.setattr(f"sk_ctxmem.{step}", run_out)
            with says(MemoryError, "no memory"):
                load()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda a: a.astype(float), ValueError, "^weights..decoder.bias.. must be finite numbers"),
        (lambda a: a * np.inf, ValueError, "^weights..decoder.bias.. must be finite numbers"),
        (lambda a: a[:0], RuntimeError, "size mismatch for decoder.bias"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_weights_made_up_are_refused(change, error, message):
    """Check that weights must be finite, of single precision, and fit the network."""
    state = load("texts").__getstate__()
    state["weights"]["decoder.bias"] = change(state["weights"]["decoder.bias"])
    with pytest.raises(error, match=message):
        ContextMemoryClassifier().__setstate__(state)


def test_a_state_does_not_share_its_weights():
    """Check that what is done to a classifier does not change the state that it came from."""
    state = load("texts").__getstate__()
    before = copy.deepcopy(state["weights"])
    again = ContextMemoryClassifier()
    again.__setstate__(state)
    with torch.no_grad():
        for weight in again._model.network.parameters():
            weight.add_(1)
    for name, weight in state["weights"].items():
        assert_array_equal(weight, before[name])
