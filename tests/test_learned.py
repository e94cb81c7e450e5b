"""Tests of what holds of everything that a fit has learned, on the golden files."""

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
from sk_ctxmem._model._checks import check_learned, check_network_sizes
from sk_ctxmem._model._file import OF_TRAINING, model_state

GOLDEN = Path(__file__).parent / "golden" / "v1"


def load(name):
    """Return what the classifier of a golden file has learned, by the names that files have."""
    classifier = ContextMemoryClassifier.load(GOLDEN / f"{name}.ctxmem")
    training = {name: getattr(classifier, name) for name in OF_TRAINING}
    return SimpleNamespace(**model_state(classifier._model), **training)


def says(error, message):
    """Expect an error with this message and no other."""
    return pytest.raises(error, match=f"^{re.escape(message)}$")


# --- what a fit has learned


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
    ("texts", "_reading", lambda reading: reading | {"more": 1}),
    ("texts", "_columns", lambda _: {"text": None, "group": None, "order": None}),
    ("texts", "_has_groups", lambda _: None),
    ("texts", "_wants_context", lambda _: 1),
]


@pytest.mark.parametrize(("name", "part", "change"), WRONG)
def test_a_part_that_no_fit_learns_is_named(name, part, change):
    """Check that each part is held to its kind, and to the sizes of the network."""
    learned = load(name)
    check_learned(learned)
    setattr(learned, part, change(getattr(learned, part)))
    with says(ValueError, f"{part} cannot be what a fit has learned"):
        check_learned(learned)


@pytest.mark.parametrize("vectorizer", [CountVectorizer(), TextSequenceVectorizer()])
def test_a_vectorizer_of_few_columns_is_named(vectorizer):
    """Check that it is held to the columns that the scaler reads, and to the words."""
    learned = load("everything")
    learned.vectorizer_ = vectorizer.fit(["ab"])
    with says(ValueError, "n_features_in_, vectorizer_ cannot be what a fit has learned"):
        check_learned(learned)


def test_a_part_without_what_others_read_is_an_error():
    """Check that neither a missing vectorizer nor a scaler of dense features gets through."""
    learned = load("texts")
    scaler, learned.scaler_ = learned.scaler_, StandardScaler().fit(np.eye(3))
    with says(AttributeError, "'StandardScaler' object has no attribute 'columns_'"):
        check_learned(learned)
    learned.scaler_, learned.vectorizer_ = scaler, None
    with says(AttributeError, "'NoneType' object has no attribute 'transform'"):
        check_learned(learned)


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
        check_learned(learned)
    wrong = [smallest - 1, largest + 1, None] + [float(smallest)] * (name == "sparse")
    for n_columns in wrong:
        learned.n_features_in_ = n_columns
        with says(ValueError, "n_features_in_ cannot be what a fit has learned"):
            check_learned(learned)


def test_all_wrong_parts_are_named():
    """Check that the message has each of them, and that a wrong kind of input is one."""
    learned = load("numbers")
    learned._input_kind = "numbers"
    learned.n_iter_ = None
    with says(ValueError, "n_iter_, _input_kind cannot be what a fit has learned"):
        check_learned(learned)


def test_one_class_is_not_learned():
    """Check that there are two classes at least, though the sizes say one."""
    learned = load("texts")
    learned.classes_, learned._sizes["n_classes"] = learned.classes_[:1], 1
    with says(ValueError, "classes_ cannot be what a fit has learned"):
        check_learned(learned)


def test_two_classes_and_one_word_are_legal():
    """Check the smallest number of classes, and that one word makes a memory of words."""
    learned = load("texts")
    learned.classes_, learned._sizes["n_classes"] = learned.classes_[:2], 2
    check_learned(learned)
    learned._sizes["n_words"], learned._reading["word_memory"] = 1, True
    with says(ValueError, "vectorizer_ cannot be what a fit has learned"):  # it knows no words
        check_learned(learned)


@pytest.mark.parametrize("kind", ["text", "features", "sequences"])
def test_each_kind_of_input_is_legal(kind):
    """Check the three kinds, the smallest and largest number of epochs, and no speakers."""
    learned = load("everything" if kind == "text" else "numbers")
    learned._input_kind, learned.speakers_ = kind, {}
    for n_iter in (1, len(learned.history_)):
        learned.n_iter_ = n_iter
        check_learned(learned)
    learned.n_iter_ += 1
    with says(ValueError, "n_iter_ cannot be what a fit has learned"):
        check_learned(learned)


# --- the sizes of a network


def sizes_and_shapes(name="everything"):
    """Return the sizes of the network of a golden file, and the shapes of its weights."""
    model = ContextMemoryClassifier.load(GOLDEN / f"{name}.ctxmem")._model
    weights = model.network.state_dict()
    return dict(model.network_params), {key: tuple(w.shape) for key, w in weights.items()}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (name, (-1, 1.5, True, None, 2**31))
        for name in ("n_features", "n_classes", "n_extras", "n_speakers", "n_words", "width")
    ],
)
def test_sizes_are_whole_numbers(name, values):
    """Check that each size is named where it is none."""
    sizes, shapes = sizes_and_shapes()
    check_network_sizes(sizes, shapes)
    for value in values:
        with says(ValueError, f"{name}={value!r} is no size"):
            check_network_sizes(sizes | {name: value}, shapes)


def test_the_largest_size_is_one():
    """Check that the limits themselves are legal, and are held against the weights then."""
    sizes, shapes = sizes_and_shapes("numbers")
    width = sizes["width"] + sizes["n_classes"]
    for n_features in (2**31 - 1, 0):
        with says(
            ValueError,
            f"table.weight has the shape {shapes['table.weight']}, where {(n_features, width)} was "
            "expected",
        ):
            check_network_sizes(sizes | {"n_features": n_features}, shapes)


@pytest.mark.parametrize(
    "change", [{"sparse": 1}, {"sparse": None}, {"dropout_rate": 1.0}, {"dropout_rate": -0.1}]
)
def test_other_sizes_have_their_kind(change):
    """Check whether features are sparse, and the share that is dropped."""
    sizes, shapes = sizes_and_shapes()
    check_network_sizes(sizes | {"dropout_rate": 0}, shapes)
    with says(ValueError, "the sizes hold something else than sizes"):
        check_network_sizes(sizes | change, shapes)


def test_sizes_are_those_of_a_network():
    """Check that one more and one less are refused."""
    sizes, shapes = sizes_and_shapes()
    more = sizes | {"more": 1}
    with says(ValueError, f"the sizes {repr(sorted(more))[:200]} are not those of a network"):
        check_network_sizes(more, shapes)
    del sizes["width"]
    with pytest.raises(ValueError, match="are not those of a network$"):
        check_network_sizes(sizes, shapes)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("table.weight", [["n_features"], ["width", "n_classes"]]),
        ("encoder.bias", [["width"]]),
        ("extras.weight", [["width"], ["n_extras"]]),
        ("speakers.weight", [["n_speakers"], ["width"]]),
        ("reader.table.weight", [["n_words"], ["width"]]),
        ("labels.transitions", [["n_classes", 1], ["n_classes"]]),
    ],
)
def test_weights_are_of_the_sizes(name, expected):
    """Check that the large weights are named where one is missing or of another shape."""
    sizes, shapes = sizes_and_shapes()
    shape = tuple(
        sum(part if isinstance(part, int) else sizes[part] for part in size) for size in expected
    )
    assert shapes.pop(name) == shape
    with says(ValueError, f"{name} has the shape None, where {shape} was expected"):
        check_network_sizes(sizes, shapes)
    with says(ValueError, f"{name} has the shape (1, 1, 1), where {shape} was expected"):
        check_network_sizes(sizes, shapes | {name: (1, 1, 1)})


def test_weights_without_a_size_are_not_expected():
    """Check that a network of rows that stand alone has none of the others."""
    sizes, shapes = sizes_and_shapes("numbers")
    small = sizes | {"n_extras": 0, "n_speakers": 1, "n_words": 0, "context": "none"}
    check_network_sizes(small, {key: shapes[key] for key in ("table.weight", "encoder.bias")})
    check_network_sizes(small | {"n_speakers": 0}, shapes)
    expected = (2, sizes["width"])
    with says(ValueError, f"speakers.weight has the shape None, where {expected} was expected"):
        check_network_sizes(small | {"n_speakers": 2}, shapes)


SMALL = {"n_features": 2, "n_classes": 2, "width": 8, "n_words": 0, "context": "none"}


@pytest.mark.parametrize(
    ("change", "shapes"),
    [
        ({"context": "past"}, {"labels.transitions": (3, 2), "others": (30,)}),
        ({"n_words": 1}, {"reader.table.weight": (1, 8), "others": (28,)}),
    ],
)
def test_a_memory_has_the_weights_that_its_width_needs(change, shapes):
    """Check that the width is held to all weights together, 64 here, where there is a memory."""
    sizes, shapes = sizes_and_shapes("numbers")[0] | SMALL, dict(shapes)
    shapes |= {"table.weight": (2, 10), "encoder.bias": (8,)}
    check_network_sizes(sizes | change, shapes)
    shapes["others"] = (shapes["others"][0] - 1,)
    check_network_sizes(sizes, shapes)
    with says(ValueError, "width=8 is more than the weights of a memory have"):
        check_network_sizes(sizes | change, shapes)
