"""Tests of objects as plain data by themselves: what comes back, and what is refused."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline

from sk_ctxmem._plain import PlainReader, PlainWriter


class Part:
    """A class that may be written, and is no estimator."""

    def __init__(self, needed):
        raise AssertionError("read by its constructor")


class Word(str):
    """A text that is more than one."""


class Checked(BaseEstimator):
    """An estimator that checks what it has learned."""

    method = None

    def __init__(self, size=1, memory=None, *, name="x"):
        self.size = size
        self.memory = memory
        self.name = name

    def _check_learned(self):
        if self.learned_ < 0:
            raise ValueError("learned too little")


KNOWN = {cls.__name__: cls for cls in (Part, Checked, CountVectorizer, Pipeline, FeatureUnion)}


def write(value, objects=None):
    """Return plain data and the writer that holds the parts."""
    writer = PlainWriter(KNOWN, objects)
    return writer.write(value, "name"), writer


def reader(arrays=None, vocabularies=None, objects=None):
    """Return a reader of these parts."""
    return PlainReader(KNOWN, arrays or {}, vocabularies or {}, objects)


def there_and_back(value, objects=None):
    """Return what comes out of plain data that went through JSON."""
    data, writer = write(value, objects)
    data, words = json.loads(json.dumps([data, writer.vocabularies], allow_nan=False))
    return PlainReader(KNOWN, writer.arrays, words, writer.objects).read(data)


def says(error, message):
    """Expect an error with this message and no other."""
    return pytest.raises(error, match=f"^{re.escape(message)}$")


PLAIN = [
    *(None, True, 3, 0.5, "text", ""),
    *([1, [2, "a"]], [], (1, (2, 3)), (), {1, 2}, frozenset({"a"})),
    *({}, {"a": 1, "b": 2}, {"a": 1.5}, {"a": True}, {"a": None, "b": [1]}, {1: 2, "a": 3}),
    *({(1, 2): {"x": (3,)}}, {None: float("inf")}),
    *(float("inf"), -float("inf")),
    *(bool, int, float, str, np.float32, np.int8, np.bool_),
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_come_back_as_they_were(value):
    """Check value and type of everything that is plain."""
    found = there_and_back(value)
    assert found == value
    assert type(found) is type(value)
    assert repr(found) == repr(value)


def test_not_a_number_comes_back():
    """Check that NaN, which JSON has not, is written by its name."""
    assert np.isnan(there_and_back(float("nan")))
    assert write(float("nan"))[0] == {"is": "float", "of": "nan"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (Word("a"), "a"),
        (np.float64("inf"), float("inf")),
    ],
    ids=repr,
)
def test_scalars_of_numpy_become_those_of_python(value, expected):
    """Check that a number of numpy, and a str that is more than one, come back as plain ones."""
    found = there_and_back(value)
    assert found == expected
    assert type(found) is type(expected)


def test_sets_are_written_in_order():
    """Check that the same set gives the same data, whatever order it has in memory."""
    values = {f"word {number}" for number in range(20)}
    for kind in (set, frozenset):
        assert write(kind(values))[0] == {"is": kind.__name__, "of": sorted(values)}


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1.5, np.nan]]),
        np.array([1, 2], dtype=np.uint8),
        np.array([True, False]),
        np.array(["a", "bcd"]),
        np.array(["a", 1, None, (2, 3)], dtype=object),
        np.array([[1], [2, 3], None], dtype=object)[:2],
        np.array([], dtype=object),
        np.array([], dtype="U1"),
    ],
    ids=repr,
)
def test_arrays_come_back_as_they_were(array):
    """Check dtype, shape and values of arrays of numbers, texts and objects."""
    found = there_and_back(array)
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert_array_equal(found, array)


def test_arrays_and_words_lie_beside_the_data():
    """Check where numbers and words go, and that each part is named by its place."""
    value = {"list": [np.ones(2), {"a": 1, "b": np.int32(0)}], 3: (np.zeros(1),)}
    data, writer = write(value)
    assert set(writer.arrays) == {"name.list[0]", "name.list[1]", "name.3[0]"}
    assert writer.arrays["name.list[1]"].dtype == np.int64
    assert writer.arrays["name.list[1]"].tolist() == [1, 0]
    assert writer.vocabularies == {"name.list[1]": ["a", "b"]}
    assert data["is"] == "dict"
    assert data["of"][0] == [
        "list",
        [{"is": "array", "of": "name.list[0]"}, {"is": "vocabulary", "of": "name.list[1]"}],
    ]
    assert data["of"][1] == [3, {"is": "tuple", "of": [{"is": "array", "of": "name.3[0]"}]}]


def test_words_with_whole_numbers_are_a_vocabulary():
    """Check that one word is enough, and that numbers of any size are written alike."""
    data, writer = write({"a": np.int8(1)})
    assert data == {"is": "vocabulary", "of": "name"}
    assert writer.arrays["name"].dtype == np.int64
    assert write({})[0] == {"is": "dict", "of": []}
    assert write({"a": True})[0] == {"is": "dict", "of": [["a", True]]}


def test_a_large_vocabulary_keeps_its_order():
    """Check that a dict of words to numbers comes back in its order, with its numbers."""
    words = {f"w{number}": 50 - number for number in range(50)}
    found = there_and_back({"vocabulary": words, "more": [dict(words)]})
    assert list(found["vocabulary"].items()) == list(words.items())
    assert found["more"] == [words]


def test_frames_come_back():
    """Check the columns of a frame, and their types."""
    frame = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, np.nan], "odd": [True, False]})
    pd.testing.assert_frame_equal(there_and_back(frame), frame)
    empty = there_and_back(pd.DataFrame({"epoch": np.array([], dtype=np.int64)}))
    assert list(empty) == ["epoch"]


@pytest.mark.parametrize("n_drawn", [0, 3])
def test_a_random_state_goes_on(n_drawn):
    """Check that the numbers after are those that would have come, normal ones too."""
    random = np.random.RandomState(5)
    random.normal(size=n_drawn)  # an odd number of them leaves one for later
    found = there_and_back(random)
    assert_array_equal(found.normal(size=4), random.normal(size=4))
    assert found.randint(10**9) == random.randint(10**9)


def test_an_estimator_is_made_by_its_constructor():
    """Check parameters, and what was learned, of an estimator and of another known object."""
    estimator = Checked(size=np.int64(4), name="y")
    estimator.learned_ = 2
    estimator.part_ = Part.__new__(Part)
    estimator.part_.rows = np.arange(3)
    found = there_and_back([estimator])[0]
    assert type(found) is Checked
    assert found.get_params() == {"size": 4, "memory": None, "name": "y"}
    assert found.learned_ == 2
    assert type(found.part_) is Part
    assert vars(found.part_).keys() == {"rows"}
    assert_array_equal(found.part_.rows, [0, 1, 2])
    data, writer = write(estimator)
    assert (data["is"], data["of"]) == ("known", "Checked")
    assert data["parameters"] == [["memory", None], ["name", "y"], ["size", 4]]
    assert [key for key, _ in data["learned"]] == ["learned_", "part_"]
    assert list(writer.arrays) == ["name.part_.rows"]


def test_an_estimator_in_an_estimator_comes_back():
    """Check that the parameters of a parameter are its own."""
    estimator = Checked(size=Checked(size=3))
    estimator.learned_ = estimator.size.learned_ = 1
    assert there_and_back(estimator).get_params()["size__size"] == 3


REMEDY = (
    " is not plain data, and a model file holds no code; take a vectorizer out of CountVectorizer, "
    "FeatureUnion without functions as parameters, or keep the classifier by pickle, which only "
    "those should open who trust you."
)
OTHERS = {
    "object": (SystemExit(), "name=SystemExit() of type builtins.SystemExit"),
    "function": ([len], "name[0]=<built-in function len> of type builtins.builtin_function"),
    "in a dict": ({"a": [1, len]}, "name.a[1]=<built-in function len> of type builtins."),
    "key": ({len: 1}, "key of name=<built-in function len> of type builtins."),
    "class": (dict, "name=<class 'dict'> of type builtins.type"),
    "type of numpy": (np.complex64, "name=<class 'numpy.complex64'> of type builtins.type"),
    "complex": (1j, "name=1j of type builtins.complex"),
    "complex array": (np.array([1j]), "name=array([0.+1.j]) of type numpy.ndarray"),
    "two dimensions": (np.array([["a"]]), "name=array([['a']], dtype='<U1') of type numpy.ndarray"),
    "bytes": (np.array([b"a"]), "name=array([b'a'], dtype='|S1') of type numpy.ndarray"),
    "void": (np.zeros(1, dtype="i4,i4")[0], "name=np.void((0, 0), dtype="),
    "in an array": (np.array([len], dtype=object), "name[0]=<built-in function len> of type"),
    "in an estimator": (Checked(size=len), "name.size=<built-in function len> of type builtins."),
    "file names": (CountVectorizer(input="file"), "name.input='file' of type builtins.str"),
    "cache": (Checked(memory="cache"), "name.memory='cache' of type builtins.str"),
    "unknown": (TfidfVectorizer(), "name=TfidfVectorizer() of type sklearn.feature_extraction"),
    "long": (["x", b"y" * 200], f"name[1]=b'{'y' * 98} of type builtins.bytes"),
}


@pytest.mark.parametrize(("value", "start"), OTHERS.values(), ids=OTHERS)
def test_what_is_not_plain_is_named_with_its_place(value, start):
    """Check that the message says where it stands, what it is and what to do."""
    with pytest.raises(TypeError, match=f"^{re.escape(start)}.*{re.escape(REMEDY)}$"):
        write(value)


@pytest.mark.parametrize("value", [len, 1j, dict, np.array([1j]), CountVectorizer(input="file")])
def test_what_is_not_plain_may_lie_beside_the_data(value):
    """Check that it is kept as it is, by its name, where objects may be."""
    data, writer = write([value], objects={})
    assert data == [{"is": "other", "of": "name[0]"}]
    assert writer.objects == {"name[0]": value}
    assert reader(objects=writer.objects).read(data)[0] is value


# --- data that somebody made up


MADE_UP = {
    "unknown kind": ({"is": "code", "of": "x"}, KeyError, "'code'"),
    "unknown class": ({"is": "known", "of": "os"}, KeyError, "'os'"),
    "unknown type": ({"is": "type", "of": "object"}, KeyError, "'object'"),
    "unknown float": ({"is": "float", "of": "1"}, KeyError, "'1'"),
    "unknown array": ({"is": "array", "of": "x"}, KeyError, "'x'"),
    "no dtype": ({"is": "dtype", "of": "object"}, ValueError, "'object' is no type of numbers"),
    "unknown parameter": (
        {"is": "known", "of": "Checked", "parameters": [["b", 1], ["a", 1]], "learned": []},
        ValueError,
        "Checked has no parameters ['a', 'b'] here",
    ),
    "file names": (
        {
            "is": "known",
            "of": "CountVectorizer",
            "parameters": [["input", "filename"]],
            "learned": [],
        },
        ValueError,
        "CountVectorizer has input='filename'",
    ),
    "cache": (
        {"is": "known", "of": "Checked", "parameters": [["memory", "/tmp"]], "learned": []},
        ValueError,
        "Checked has memory='/tmp'",
    ),
    "check": (
        {"is": "known", "of": "Checked", "parameters": [], "learned": [["learned_", -1]]},
        ValueError,
        "learned too little",
    ),
    **{
        f"learned {name}": (
            {"is": "known", "of": "Checked", "parameters": [["size", 2]], "learned": [[name, 1]]},
            ValueError,
            f"Checked cannot have learned {name!r}",
        )
        for name in ("size", "method", "get_params", "__class__", "not a name")
    },
}


@pytest.mark.parametrize(("data", "error", "message"), MADE_UP.values(), ids=MADE_UP)
def test_data_made_up_is_refused(data, error, message):
    """Check that nothing but what is listed can come out of data."""
    with says(error, message):
        reader().read(data)


@pytest.mark.parametrize(
    ("words", "numbers", "part"),
    [
        (["a", 1], [0, 1], "has words that are no strings"),
        (["a", "a"], [0, 1], "has a word twice, or no numbers"),
        (["a", "b"], [0.0, 1.0], "has a word twice, or no numbers"),
        (["a", "b"], [[0], [1]], "has a word twice, or no numbers"),
    ],
)
def test_a_vocabulary_made_up_is_refused(words, numbers, part):
    """Check that a vocabulary has different strings, and whole numbers."""
    made_up = reader({"v": np.array(numbers)}, {"v": words})
    with says(ValueError, f"the vocabulary 'v' {part}"):
        made_up.read({"is": "vocabulary", "of": "v"})


def test_a_vocabulary_with_a_number_less_is_refused():
    """Check that no word is left without a number."""
    with pytest.raises(ValueError, match="shorter"):
        reader({"v": np.array([1])}, {"v": ["a", "b"]}).read({"is": "vocabulary", "of": "v"})


def test_pairs_with_a_part_more_are_refused():
    """Check that a dict is read from pairs alone."""
    with pytest.raises(ValueError, match="too many values"):
        reader().read({"is": "dict", "of": [["a", 1, 2]]})
