"""Tests of the runtime of exported models."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from _exported import fit, inputs_of, load_runtime, make_talks
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem._export import runtime
from sk_ctxmem._export._conformance import CASES, N_TEXTS, SCRIPTS, make_texts
from sk_ctxmem._export._export import make_files

MOST_LINES = 300
TEXTS = ["Yes, I do.", "The naïve café isn't", "好的，谢谢 你", "a1 b2_c3 ÀÉ", "no no no", "Σ ΟΔΟΣ"]
VECTORIZERS = {
    "default": {},
    "frequent": {"min_df": 2},
    "few": {"max_features": 7},
    "long": {"ngram_range": (2, 4)},
    "words": {"char_ngram_range": None},
    "characters": {"analyzer": "char", "ngram_range": (1, 3)},
    "characters inside": {"ngram_range": (1, 1), "char_ngram_range": (2, 6), "min_df": 2},
    "stop words": {"stop_words": "english"},
    "ascii": {"strip_accents": "ascii"},
    "unicode": {"strip_accents": "unicode", "analyzer": "char"},
    "upper case": {"lowercase": False},
    "group": {"token_pattern": r"(?i)\b([a-z]+)\d?"},
    "cut": {"max_length": 3},
    "cut characters": {"max_length": 5, "analyzer": "char"},
}


def export_vectorizer(params):
    """Return a fitted vectorizer, and the one of the runtime."""
    texts = TEXTS + make_texts(["yes", "no", "thanks"])[:200]
    labels = [number % 2 for number in range(len(texts))]
    vectorizer = TextSequenceVectorizer(**params)
    clf = ContextMemoryClassifier(
        vectorizer=vectorizer, hidden_size=2, max_epochs=1, context="none"
    )
    files = make_files(clf.fit(texts, labels)._model)
    config = json.loads(files["model.json"])["vectorizer"]
    return clf.vectorizer_, runtime.Vectorizer(files.__getitem__, config)


def assert_same(vectorizer, exported, texts):
    """Check that ids and values are equal, of all texts together."""
    expected = vectorizer.transform(texts).features
    ids, values, offsets = exported.transform(texts)
    np.testing.assert_array_equal(offsets, expected.indptr)
    np.testing.assert_array_equal(ids, expected.indices)
    np.testing.assert_allclose(values, expected.data, rtol=1e-6)


@pytest.mark.parametrize("params", VECTORIZERS.values(), ids=VECTORIZERS)
def test_vectorizer(params):
    """Check all parameters, over texts of many scripts, together and one by one."""
    vectorizer, exported = export_vectorizer(params)
    texts = TEXTS + make_texts(list(vectorizer._token_numbers))
    assert_same(vectorizer, exported, texts)
    for text in texts[::50] + CASES:
        assert_same(vectorizer, exported, [text])


DEFAULT = export_vectorizer({})


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(), max_size=40), min_size=1, max_size=5))
def test_any_texts(texts):
    """Check any code points, lone surrogates included."""
    assert_same(*DEFAULT, texts)


def test_conformance_texts(tmp_path):
    """Check the texts of an export, their number, and that they hit the vocabulary."""
    talks = make_talks(20)
    fit(talks).export(tmp_path / "model")
    texts = json.loads((tmp_path / "model/conformance.json").read_text())
    arrays = load_file(tmp_path / "model/conformance.safetensors")
    model = load_runtime(tmp_path / "model").Model()
    model.predict_proba(["yes"], groups=[1])
    ids, values, offsets = model._vectorizer.transform(texts)
    assert len(texts) == N_TEXTS
    assert np.mean(np.diff(offsets) > 0) > 0.4
    np.testing.assert_array_equal(ids, arrays["ids"])
    np.testing.assert_array_equal(offsets, arrays["offsets"])
    np.testing.assert_allclose(values, arrays["values"], rtol=1e-6)


@pytest.mark.parametrize("ranges", SCRIPTS.values(), ids=SCRIPTS)
def test_ranges_of_scripts(ranges):
    """Check that ranges are in order."""
    assert len(ranges) % 2 == 0
    assert all(first <= last for first, last in zip(ranges[::2], ranges[1::2], strict=True))


def test_more_words_than_are_kept(monkeypatch):
    """Check that forgotten words are read again."""
    vectorizer, exported = export_vectorizer({})
    monkeypatch.setattr(runtime, "MOST_WORDS", 10)
    for start in range(0, 200, 20):
        assert_same(vectorizer, exported, make_texts(["yes"])[start : start + 20])


def test_length():
    """Check that the runtime can be read at one sitting."""
    content = Path(runtime.__file__).read_text(encoding="utf-8")
    assert content.count("\n") <= MOST_LINES


def test_needs_numpy_and_onnxruntime_alone(tmp_path):
    """Check a process in which nothing else can be imported."""
    talks = make_talks(20)
    clf = fit(talks, speaker_column="speaker")
    clf.export(tmp_path / "model")
    program = f"""
import sys
class Refuse:
    def find_spec(self, name, *others):
        if name.partition(".")[0] in {{"torch", "sklearn", "pandas", "scipy", "sk_ctxmem"}}:
            raise AssertionError(name)
sys.meta_path.insert(0, Refuse())
sys.path.insert(0, {str(tmp_path / "model")!r})
from runtime import Model
model = Model()
print(*model.session().predict_proba_one("yes please", "A").tolist())
print(*model.predict(["yes please", "no"], groups=["a", "b"], speakers=["A", "B"]))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    first, second = done.stdout.splitlines()
    expected = clf.session().predict_proba_one("yes please", "A")
    np.testing.assert_allclose([float(each) for each in first.split()], expected, atol=1e-5)
    assert len(second.split()) == 2


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return an exported model with speakers."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    fit(make_talks(20), speaker_column="speaker").export(folder)
    return runtime.Model(folder)


def test_a_session_goes_on_from_its_state(model):
    """Check that a state holds all of a conversation, and is not changed by turns."""
    session = model.session()
    session.predict_one("hello", "A")
    state = session.state()
    before = {name: array.copy() for name, array in state.items()}
    expected = session.predict_proba_one("yes", "B")
    assert all((state[name] == before[name]).all() for name in before)
    np.testing.assert_array_equal(model.session(state).predict_proba_one("yes", "B"), expected)


BAD_STATES = {
    "another model": ("model", lambda array: array[::-1], "another model"),
    "shape": ("memory", lambda array: array[:-1], "memory"),
    "dtype": ("memory", lambda array: array.astype(np.float64), "memory"),
    "not finite": ("classes", lambda array: array * np.nan, "classes"),
}


@pytest.mark.parametrize(("name", "change", "match"), BAD_STATES.values(), ids=BAD_STATES)
def test_states_that_no_session_can_have(model, name, change, match):
    """Check that damaged states are refused by name."""
    state = model.session().state()
    with pytest.raises(ValueError, match=match):
        model.session(state | {name: change(state[name])})


def test_a_turn_that_fails_does_not_change_the_session(model):
    """Check that the state stays as it was."""
    session = model.session()
    with pytest.raises(TypeError, match="text=5 is of type int; pass str"):
        session.predict_one(5)
    assert session.state()["n_turns"] == 0


BAD_INPUTS = {
    "one text": ("yes", {"groups": [1]}, "must be a list"),
    "no groups": (["yes"], {}, "needs groups"),
    "fewer groups": (["yes", "no"], {"groups": [1]}, "pass 2 values"),
    "fewer speakers": (["yes", "no"], {"groups": [1, 1], "speakers": ["A"]}, "pass 2 values"),
}


@pytest.mark.parametrize(("X", "inputs", "match"), BAD_INPUTS.values(), ids=BAD_INPUTS)
def test_inputs_of_other_forms(model, X, inputs, match):
    """Check that inputs are refused by name."""
    with pytest.raises(ValueError, match=match):
        model.predict(X, **inputs)


def test_models_without_turns(tmp_path):
    """Check that a model of both directions has no sessions, and says so."""
    fit(make_talks(20), context="both").export(tmp_path / "model")
    with pytest.raises(ValueError, match="does not read conversations turn by turn; use predict"):
        load_runtime(tmp_path / "model").Model().session()


@pytest.mark.parametrize("kind", [str, int, float, bool])
def test_classes_of_any_type(tmp_path, kind):
    """Check that predictions have the types of the classes."""
    talks = make_talks(20)
    y = [kind(number % 2) for number in range(len(talks))]
    clf = fit(talks, y)
    clf.export(tmp_path / "model")
    found = (
        load_runtime(tmp_path / "model")
        .Model()
        .predict(talks["text"].tolist(), groups=talks["group"].tolist())
    )
    assert (found == clf.predict(talks)).all()
    assert type(found[0].item()) is kind


def test_no_overflow_is_silent(tmp_path):
    """Check that features far beyond those of fit are refused."""
    generator = np.random.default_rng(0)
    X = generator.normal(size=(40, 3))
    clf = ContextMemoryClassifier(hidden_size=4, max_epochs=1, context="none")
    clf.fit(X, [number % 2 for number in range(40)]).export(tmp_path / "model")
    model = load_runtime(tmp_path / "model").Model()
    with pytest.raises(ValueError, match="overflow single precision"):
        model.predict(X * 1e300)


def test_inputs_of_model_match_inputs_of_frame(model):
    """Check that a group may be any value with a hash, in any order."""
    talks = make_talks(20)
    texts, inputs = talks["text"].tolist(), inputs_of(talks)
    expected = model.predict_proba(texts, **inputs)
    named = inputs | {"groups": [("call", group) for group in inputs["groups"]]}
    np.testing.assert_allclose(model.predict_proba(texts, **named), expected, atol=1e-6)
