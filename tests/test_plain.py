"""Tests of objects as plain data by themselves: what comes back, and what is refused."""

import json
import re
from enum import Enum

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline

from sk_ctxmem._files._codec import PlainReader, PlainWriter


class Part:
    """A class that may be written, and is no estimator."""

    def __init__(self, needed):
        raise AssertionError("read by its constructor")


class Word(str):
    """A text that is more than one."""


class Color(str, Enum):
    """Names of colors, of which str() is not the value."""

    RED = "red"


class Checked(BaseEstimator):
    """An estimator that checks what it has learned."""

    method = None

    def __init__(self, size=1, memory=None, *, name="x"):
        self.size = size
        self.memory = memory
        self.name = name

    def _check_learned(self):
        if getattr(self, "learned_", 0) < 0:
            raise ValueError("learned too little")


KNOWN = {cls.__name__: cls for cls in (Part, Checked, CountVectorizer, Pipeline, FeatureUnion)}


def refuse_memory(value):
    """Raise for one parameter, as the check of what is harmless does for more."""
    if getattr(value, "memory", None) is not None:
        raise ValueError(f"memory={value.memory!r} must be None.")


def write(value, objects=None, check=None):
    """Return plain data and the writer that holds the parts."""
    writer = PlainWriter(KNOWN, objects, check)
    return writer.write(value, "name"), writer


def reader(arrays=None, vocabularies=None, objects=None, check=None):
    """Return a reader of these parts."""
    return PlainReader(KNOWN, arrays or {}, vocabularies or {}, objects, check)


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
    *(bool, int, float, str, np.float16, np.float32, np.int8, np.bool_),
    *(np.dtype("float32"), np.dtype("int8")),
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
        (Color.RED, "red"),
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
        np.array([1.5, 2], dtype=np.float16),
        np.array(["2020-01-31", "NaT"], dtype="datetime64[D]"),
        np.array([[1, 2]], dtype="timedelta64[ns]"),
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


def test_parts_of_one_place_have_names_of_their_own():
    """Check that arrays, vocabularies and objects do not take the place of one another."""
    for one, other in ((np.ones(1), np.zeros(2)), ({"x": 1}, {"y": 2, "z": 3})):
        value = {"a": {"b": one}, "a.b": other, "a.b'": one}
        data, writer = write(value)
        assert set(writer.arrays) == {"name.a.b", "name.a.b'", "name.a.b''"}
        found = there_and_back(value)
        assert_array_equal(found["a"]["b"], one)
        assert_array_equal(found["a.b"], other)
        assert_array_equal(found["a.b'"], one)
    data, writer = write({"a": {"b": len}, "a.b": print}, objects={})
    assert writer.objects == {"name.a.b": len, "name.a.b'": print}
    assert reader(objects=writer.objects).read(data) == {"a": {"b": len}, "a.b": print}


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


VALUE = "convert it to numbers or str"
ARRAY = "convert it to a plain array of numbers or str, such as with numpy.array"
CODE = "use one of CountVectorizer, FeatureUnion without functions as parameters"
OTHERS = {
    "object": (SystemExit(), "name=SystemExit() of type builtins.SystemExit", VALUE),
    "function": ([len], "name[0]=<built-in function len> of type builtins.builtin_function", CODE),
    "in a dict": ({"a": [1, len]}, "name.a[1]=<built-in function len> of type builtins.", CODE),
    "key": ({len: 1}, "key of name=<built-in function len> of type builtins.", CODE),
    "class": (dict, "name=<class 'dict'> of type builtins.type", CODE),
    "type of numpy": (np.complex64, "name=<class 'numpy.complex64'> of type builtins.type", CODE),
    "dtype": (np.dtype("complex64"), "name=dtype('complex64') of type numpy.", VALUE),
    "complex": (1j, "name=1j of type builtins.complex", VALUE),
    "complex array": (np.array([1j]), "name=array([0.+1.j]) of type numpy.ndarray", ARRAY),
    "two dimensions": (np.array([["a"]]), "name=array([['a']], dtype='<U1') of type numpy.", ARRAY),
    "bytes": (np.array([b"a"]), "name=array([b'a'], dtype='|S1') of type numpy.ndarray", ARRAY),
    "void": (np.zeros(1, dtype="i4,i4")[0], "name=np.void((0, 0), dtype=", VALUE),
    "random": (np.random.RandomState(np.random.PCG64(1)), "name=RandomState(PCG64) at 0x", VALUE),
    "in an array": (np.array([len], dtype=object), "name[0]=<built-in function len> of type", CODE),
    "in an estimator": (Checked(size=len), "name.size=<built-in function len> of type", CODE),
    "unknown": (TfidfVectorizer(), "name=TfidfVectorizer() of type sklearn.feature_extr", CODE),
    "long": (["x", b"y" * 200], f"name[1]=b'{'y' * 98} of type builtins.bytes", VALUE),
}


@pytest.mark.parametrize(("value", "start", "remedy"), OTHERS.values(), ids=OTHERS)
def test_what_is_not_plain_is_named_with_its_place(value, start, remedy):
    """Check that the message says where it stands, what it is and what to do."""
    end = (
        f" is not plain data, and a model file contains no code; {remedy}, or pickle the "
        "classifier, which only people who trust you should load."
    )
    with pytest.raises(TypeError, match=f"^{re.escape(start)}.*{re.escape(end)}$"):
        write(value)


def test_what_a_check_refuses_is_named_with_its_place():
    """Check that each object of a known class is checked, and its reason is in the message."""
    assert write([Checked()], check=refuse_memory)[0][0]["is"] == "known"
    with says(
        TypeError,
        "name[1].size cannot be written to a model file: memory='cache' must be None. Pickle the "
        "classifier instead.",
    ) as info:
        write([Checked(), Checked(size=Checked(memory="cache"))], check=refuse_memory)
    assert type(info.value.__cause__) is ValueError


@pytest.mark.parametrize("value", [len, 1j, dict, np.array([1j]), Checked(memory="cache")])
def test_what_is_not_plain_may_lie_beside_the_data(value):
    """Check that it is kept as it is, by its name, where objects may be."""
    data, writer = write([value], objects={}, check=refuse_memory)
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
    "no dtype": ({"is": "dtype", "of": "object"}, ValueError, "'object' is not a supported dtype"),
    "unknown parameter": (
        {"is": "known", "of": "Checked", "parameters": [["b", 1], ["a", 1]], "learned": []},
        ValueError,
        "Checked has no parameters ['a', 'b'] in this version",
    ),
    "no np.dtype": ({"is": "np.dtype", "of": "O"}, ValueError, "'O' is not a supported dtype"),
    "no estimator": (
        {"is": "known", "of": "Part", "parameters": [["needed", 1]], "learned": []},
        ValueError,
        "Part has no parameters ['needed'] in this version",
    ),
    "cache": (
        {"is": "known", "of": "Checked", "parameters": [["memory", "x"]], "learned": []},
        ValueError,
        "memory='x' must be None.",
    ),
    "other text": (
        {"is": "text", "of": ["a", 1.5]},
        TypeError,
        "object of type 'float' has no len()",
    ),
    "list as text": (
        {"is": "text", "of": ["a", ["b"]]},
        ValueError,
        "an array of str is too large, or has elements of other types",
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
            f"Checked has no fitted attribute {name!r}",
        )
        for name in ("size", "memory", "method", "get_params", "__class__", "not a name")
    },
}


@pytest.mark.parametrize(("data", "error", "message"), MADE_UP.values(), ids=MADE_UP)
def test_data_made_up_is_refused(data, error, message):
    """Check that nothing but what is listed can come out of data."""
    with says(error, message):
        reader(check=refuse_memory).read(data)


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("array", {"is": "array", "of": "x"}),
        ("array", {"is": "times", "of": ["x", "datetime64[s]"]}),
        ("array", {"is": "vocabulary", "of": "x"}),
        ("object", {"is": "other", "of": "x"}),
    ],
    ids=lambda part: part if isinstance(part, str) else part["is"],
)
def test_a_part_named_twice_is_refused(kind, part):
    """Check that a small file cannot make much of one part, and that two kinds are two parts."""
    parts = reader({"x": np.array([1])}, {"x": ["a"]}, {"x": len})
    other = {"is": "array", "of": "x"} if kind == "object" else {"is": "other", "of": "x"}
    assert len(parts.read([part, other])) == 2
    with says(ValueError, f"the {kind} 'x' is referenced twice"):
        parts.read(part)


KEYS = np.arange(624, dtype=np.uint32)


@pytest.mark.parametrize(
    ("keys", "position"),
    [
        (KEYS[1:], 5),
        (KEYS[None], 5),
        (KEYS.astype(np.int64), 5),
        *((KEYS, position) for position in (-1, 625, 5.0, True, None)),
    ],
)
def test_a_random_state_made_up_is_refused(keys, position):
    """Check that numpy is given no keys and no position that it does not have itself."""
    with says(ValueError, "a random state is not a valid state of MT19937"):
        reader({"x": keys}).read({"is": "random state", "of": ["x", position, 0, 0.0]})


@pytest.mark.parametrize("position", [0, 624])
def test_a_random_state_may_be_at_either_end(position):
    """Check that the first and the last position are legal, and are kept."""
    random = reader({"x": KEYS}).read({"is": "random state", "of": ["x", position, 1, 0.5]})
    _, keys, found, has_gauss, gauss = random.get_state()
    assert_array_equal(keys, KEYS)
    assert (found, has_gauss, gauss) == (position, 1, 0.5)


def test_an_array_of_strings_is_held_to_its_size(monkeypatch):
    """Check that what is large is the longest string, as often as there are strings."""
    data = {"is": "text", "of": ["abc", "d"]}  # 2 strings of 3 letters of 4 bytes
    monkeypatch.setattr("sk_ctxmem._files._codec.MAX_TEXT_BYTES", 24)
    assert reader().read(data).tolist() == ["abc", "d"]
    monkeypatch.setattr("sk_ctxmem._files._codec.MAX_TEXT_BYTES", 23)
    with says(ValueError, "an array of str is too large, or has elements of other types"):
        reader().read(data)


@pytest.mark.parametrize(
    ("words", "numbers", "part"),
    [
        (["a", 1], [0, 1], "has words that are not str"),
        (["a", "a"], [0, 1], "has a duplicate word, or values that are not int"),
        (["a", "b"], [0.0, 1.0], "has a duplicate word, or values that are not int"),
        (["a", "b"], [[0], [1]], "has a duplicate word, or values that are not int"),
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
