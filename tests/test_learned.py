"""Tests of the checks of fitted attributes, on the golden files."""

import copy
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.preprocessing import StandardScaler

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem._features._scaler import RowNormScaler
from sk_ctxmem._model._checks import check_fitted_attributes
from sk_ctxmem._model._file import model_state

GOLDEN = Path(__file__).parent / "golden" / "v1"


def load(name):
    """Return what the classifier of a golden file has learned, by the names that files have."""
    classifier = ContextMemoryClassifier.load(GOLDEN / f"{name}.ctxmem")
    training = {name: getattr(classifier, name) for name in ("n_iter_", "stop_reason_", "history_")}
    return SimpleNamespace(**model_state(classifier._model), **training)


def says(error, message):
    """Expect an error with this message and no other."""
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def no_columns(scaler):
    """Return a scaler of sparse features with another number of columns."""
    scaler = copy.copy(scaler)
    scaler.n_columns_ += 1
    return scaler


MANY = [f"word{number}" for number in range(9_999)]  # more than the features of any golden file
WRONG = [
    ("texts", "classes_", lambda _: np.array(["a", "b", "c", "d", "e", "f", "g"])),
    ("texts", "classes_", lambda classes: classes[:, None]),
    ("texts", "classes_", lambda classes: classes[::-1]),
    ("texts", "classes_", lambda classes: classes[[0, *range(len(classes) - 1)]]),
    *(("texts", "n_iter_", lambda _, n=n: n) for n in (-1, 0, 1.0, True, 10**6)),
    *(("texts", "temperature_", lambda _, t=t: t) for t in (0, -1.0, np.inf, np.nan)),
    ("texts", "history_", lambda history: history[["epoch", "train_loss"]]),
    ("texts", "history_", lambda history: list(history.index)),
    *(("everything", "speakers_", lambda _, n=n: {"a": 1, "b": n}) for n in (0, 1.0, 3, -1)),
    ("texts", "scaler_", no_columns),
    ("numbers", "scaler_", lambda _: StandardScaler().fit(np.eye(2))),
    ("numbers", "scaler_", lambda _: RowNormScaler()),
    ("numbers", "vectorizer_", lambda _: CountVectorizer()),
    ("everything", "vectorizer_", lambda _: HashingVectorizer()),  # returns no words
    ("everything", "vectorizer_", lambda _: TextSequenceVectorizer().fit(MANY)),
    ("texts", "_reading", lambda reading: reading | {"context": "past"}),
    ("texts", "_reading", lambda reading: reading | {"word_memory": True}),
    ("everything", "_reading", lambda reading: reading | {"word_memory": False}),
    ("everything", "_reading", lambda reading: reading | {"word_memory": "convolution"}),
    ("texts", "_reading", lambda reading: reading | {"more": 1}),
    ("texts", "_columns", lambda _: {"text": None, "group": None, "order": None}),
    ("texts", "_has_groups", lambda _: None),
    ("texts", "_wants_context", lambda _: 1),
]


@pytest.mark.parametrize(("name", "part", "change"), WRONG)
def test_a_part_that_no_fit_learns_is_named(name, part, change):
    """Check that each part is held to its kind, and to the sizes of the network."""
    learned = load(name)
    check_fitted_attributes(learned)
    setattr(learned, part, change(getattr(learned, part)))
    with says(ValueError, f"{part} cannot be the result of a fit"):
        check_fitted_attributes(learned)


@pytest.mark.parametrize("vectorizer", [CountVectorizer(), TextSequenceVectorizer()])
def test_a_vectorizer_of_few_columns_is_named(vectorizer):
    """Check that it is held to the columns that the scaler reads, and to the words."""
    learned = load("everything")
    learned.vectorizer_ = vectorizer.fit(["ab"])
    with says(ValueError, "n_features_in_, vectorizer_ cannot be the result of a fit"):
        check_fitted_attributes(learned)


def test_a_part_without_what_others_read_is_an_error():
    """Check that neither a missing vectorizer nor a scaler of dense features gets through."""
    learned = load("texts")
    scaler, learned.scaler_ = learned.scaler_, StandardScaler().fit(np.eye(3))
    with says(AttributeError, "'StandardScaler' object has no attribute 'columns_'"):
        check_fitted_attributes(learned)
    learned.scaler_, learned.vectorizer_ = scaler, None
    with says(AttributeError, "'NoneType' object has no attribute 'transform'"):
        check_fitted_attributes(learned)


@pytest.mark.parametrize("name", ["numbers", "sparse"])
def test_features_have_the_columns_that_the_scaler_reads(name):
    """Check the smallest and the largest number of columns, and those beside them."""
    learned = load(name)
    if name == "numbers":
        smallest = largest = learned._sizes["n_features"]
    else:
        smallest, largest = int(learned.scaler_.columns_.max()) + 1, 2**31 - 1
    for n_columns in (smallest, largest):
        learned.n_features_in_ = n_columns
        check_fitted_attributes(learned)
    wrong = [smallest - 1, largest + 1, None] + [float(smallest)] * (name == "sparse")
    for n_columns in wrong:
        learned.n_features_in_ = n_columns
        with says(ValueError, "n_features_in_ cannot be the result of a fit"):
            check_fitted_attributes(learned)


def test_all_wrong_parts_are_named():
    """Check that the message has each of them, and that a wrong kind of input is one."""
    learned = load("numbers")
    learned._input_kind = "numbers"
    learned.n_iter_ = None
    with says(ValueError, "n_iter_, _input_kind cannot be the result of a fit"):
        check_fitted_attributes(learned)


def test_one_class_is_not_learned():
    """Check that there are two classes at least, though the sizes say one."""
    learned = load("texts")
    learned.classes_, learned._sizes["n_classes"] = learned.classes_[:1], 1
    with says(ValueError, "classes_ cannot be the result of a fit"):
        check_fitted_attributes(learned)


def test_two_classes_and_one_word_are_legal():
    """Check the smallest number of classes, and that one word makes a memory of words."""
    learned = load("texts")
    learned.classes_, learned._sizes["n_classes"] = learned.classes_[:2], 2
    check_fitted_attributes(learned)
    learned._sizes["n_words"], learned._reading["word_memory"] = 1, True
    with says(ValueError, "vectorizer_ cannot be the result of a fit"):  # it knows no words
        check_fitted_attributes(learned)


@pytest.mark.parametrize("kind", ["text", "features", "sequences"])
def test_each_kind_of_input_is_legal(kind):
    """Check the three kinds, the smallest and largest number of epochs, and no speakers."""
    learned = load("everything" if kind == "text" else "numbers")
    learned._input_kind, learned.speakers_ = kind, {}
    for n_iter in (1, len(learned.history_)):
        learned.n_iter_ = n_iter
        check_fitted_attributes(learned)
    learned.n_iter_ += 1
    with says(ValueError, "n_iter_ cannot be the result of a fit"):
        check_fitted_attributes(learned)
