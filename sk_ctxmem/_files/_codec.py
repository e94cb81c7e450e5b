"""Encoding of objects as plain data, and decoding.

Plain data consists of JSON-serializable values, arrays and lists of strings. Decoding imports no
names from the data: it only creates instances of the classes that the caller lists, by their
constructors, and sets plain values as attributes.
"""

from inspect import signature

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

PLAIN_SCALARS = (bool, int, float, str)
DTYPES = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
DTYPES |= {"float16", "float32", "float64"}
MAX_TEXT_BYTES = 100_000_000  # of an array of str, whose elements all have the longest length
LOSSY_SCALARS = (np.void, np.datetime64, np.timedelta64)  # item() returns another type
MT19937_KEY_SIZE = 624


def _is_number(value):
    """Return whether a value is an integer within the range of int64."""
    is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return is_integer and -(2**63) <= int(value) < 2**63


def _names_in_files(cls):
    """Return the names in files of attributes that were renamed since, by current name."""
    return getattr(cls, "_names_in_files", {})


def _is_usual(name, value, usual):
    """Return whether a parameter that older versions do not have has its default value."""
    return name in usual and type(value) is type(usual[name]) and value == usual[name]


class PlainWriter:
    """Encoder of objects as plain data.

    Parameters
    ----------
    known : dict of str to class
        Classes whose instances can be encoded, by their names in the data.
    objects : dict of str to object or None, default=None
        Dict to which instances of other classes are added, by name. If None, they raise.
    check : callable or None, default=None
        Function called with each instance of a known class. It raises ValueError to refuse it.

    Attributes
    ----------
    arrays : dict of str to ndarray
        Arrays referenced by the data, by name.
    vocabularies : dict of str to list of str
        Keys of the dicts of str to int, by name.
    """

    def __init__(self, known, objects=None, check=None):
        self.known = known
        self.names = {cls: name for name, cls in known.items()}
        self.objects = objects
        self.check = check
        self.arrays = {}
        self.vocabularies = {}

    def write(self, value, name):
        """Encode a value as plain data.

        Parameters
        ----------
        value : object
            Value to encode.
        name : str
            Name of the value in error messages, arrays, vocabularies and objects.

        Raises
        ------
        TypeError
            If the value, or a part of it, cannot be encoded.
        """
        if isinstance(value, np.generic) and not isinstance(value, LOSSY_SCALARS):
            value = value.item()
        if value is None or type(value) in PLAIN_SCALARS:
            return self._write_scalar(value)
        if isinstance(value, str):  # subclasses; str() of a member of an Enum is "Color.RED"
            return str.__str__(value)
        writers = {
            list: self._write_list,
            tuple: self._write_list,
            set: self._write_list,
            frozenset: self._write_list,
            dict: self._write_dict,
            np.ndarray: self._write_array,
            np.memmap: self._write_array,
            pd.DataFrame: self._write_frame,
            np.random.RandomState: self._write_random_state,
            type: self._write_type,
        }
        writer = self._write_object if type(value) in self.names else writers.get(type(value))
        if writer is not None:
            return writer(value, name)
        return self._write_other(value, name)

    def _write_scalar(self, value):
        if isinstance(value, float) and not np.isfinite(value):
            return {"is": "float", "of": repr(value)}
        return value

    def _write_list(self, value, name):
        items = value
        if isinstance(value, set | frozenset):
            items = sorted(value, key=lambda item: (type(item).__name__, repr(item)))
        written = [self.write(item, f"{name}[{place}]") for place, item in enumerate(items)]
        return written if type(value) is list else {"is": type(value).__name__, "of": written}

    def _write_dict(self, value, name):
        are_words = len(value) > 0 and all(type(key) is str for key in value)
        if are_words and all(_is_number(number) for number in value.values()):
            name = self._keep(np.array(list(value.values()), dtype=np.int64), name)
            self.vocabularies[name] = list(value)
            return {"is": "vocabulary", "of": name}
        keys = [self.write(key, f"key of {name}") for key in value]
        items = [self.write(item, f"{name}.{key!s:.60}") for key, item in value.items()]
        return {"is": "dict", "of": [list(pair) for pair in zip(keys, items, strict=True)]}

    def _keep(self, array, name):
        """Store an array under a unique name and return the name."""
        while name in self.arrays:
            name += "'"
        self.arrays[name] = np.asarray(array)  # without the file of a memmap
        return name

    def _write_array(self, value, name):
        if value.dtype.name in DTYPES:
            return {"is": "array", "of": self._keep(value, name)}
        if value.dtype.kind in "mM":
            unit = value.dtype.name
            return {"is": "times", "of": [self._keep(value.astype(np.int64), name), unit]}
        if value.ndim == 1 and value.dtype.kind in "OU":
            items = [self.write(item, f"{name}[{place}]") for place, item in enumerate(value)]
            return {"is": "object" if value.dtype.kind == "O" else "text", "of": items}
        return self._write_other(value, name)

    def _write_frame(self, value, name):
        columns = {column: value[column].to_numpy() for column in value.columns}
        return {"is": "frame", "of": self._write_dict(columns, name)}

    def _write_random_state(self, value, name):
        state = value.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            return self._write_other(value, name)
        keys, position = state["state"]["key"], state["state"]["pos"]
        gauss = [int(state["has_gauss"]), float(state["gauss"])]
        return {"is": "random state", "of": [self._keep(keys, name), int(position), *gauss]}

    def _write_type(self, value, name):
        if value in (bool, int, float, str):
            return {"is": "type", "of": value.__name__}
        if issubclass(value, np.generic) and np.dtype(value).name in DTYPES:
            return {"is": "dtype", "of": np.dtype(value).name}
        return self._write_other(value, name)

    def _write_object(self, value, name):
        try:
            if self.check is not None:
                self.check(value)
        except ValueError as error:
            if self.objects is None:
                raise TypeError(
                    f"{name} cannot be written to a model file: {error} Pickle the classifier "
                    "instead."
                ) from error
            return self._write_other(value, name)
        parameters = {}
        if isinstance(value, BaseEstimator):
            parameters = value.get_params(deep=False)
        usual = getattr(type(value), "_added_parameters", {})
        written = {key: item for key, item in parameters.items() if not _is_usual(key, item, usual)}
        stored = _names_in_files(type(value))
        learned = {
            stored.get(key, key): item for key, item in vars(value).items() if key not in parameters
        }
        return {
            "is": "known",
            "of": self.names[type(value)],
            "parameters": self._write_members(written, name),
            "learned": self._write_members(learned, name),
        }

    def _write_members(self, members, name):
        return [[key, self.write(item, f"{name}.{key}")] for key, item in members.items()]

    def _write_other(self, value, name):
        if isinstance(value, np.dtype) and value.name in DTYPES:
            return {"is": "np.dtype", "of": value.name}
        if self.objects is None:
            self._refuse(name, value)
        while name in self.objects:
            name += "'"
        self.objects[name] = value
        return {"is": "other", "of": name}

    def _refuse(self, name, value):
        kind = type(value)
        remedy = "convert it to numbers or str"
        if isinstance(value, np.ndarray):
            remedy = "convert it to a plain array of numbers or str, such as with numpy.array"
        if callable(getattr(value, "fit", None)) or callable(value):
            known = (n for n in self.known if n.endswith(("Vectorizer", "Union")))
            remedy = f"use one of {', '.join(sorted(known))} without functions as parameters"
        raise TypeError(
            f"{name}={value!r:.100} of type {kind.__module__}.{kind.__qualname__} is not plain "
            f"data, and a model file contains no code; {remedy}, or pickle the classifier, which "
            "only people who trust you should load."
        )


def to_state(value, name, known, check=None):
    """Encode a value for a pickle; instances of other classes are pickled as they are."""
    writer = PlainWriter(known, objects={}, check=check)
    plain = writer.write(value, name)
    return {
        "plain": plain,
        "arrays": writer.arrays,
        "vocabularies": writer.vocabularies,
        "objects": writer.objects,
    }


def from_state(state, known, check=None):
    """Decode the result of `to_state`; the arrays are copied.

    joblib maps arrays from a file that may change, and other libraries unpickle read-only arrays.
    """
    arrays = {name: np.array(array) for name, array in state["arrays"].items()}
    reader = PlainReader(known, arrays, state["vocabularies"], state["objects"], check)
    return reader.read(state["plain"])


class PlainReader:
    """Decoder of plain data.

    Parameters
    ----------
    known, arrays, vocabularies, objects : dict
        As in PlainWriter.
    check : callable or None, default=None
        Function called with each instance of a known class. It raises ValueError to refuse it.

    Notes
    -----
    Each array, vocabulary and object can be referenced once. Otherwise a small forged file could
    reference one many times and exhaust memory.
    """

    def __init__(self, known, arrays, vocabularies, objects=None, check=None):
        self.known = known
        self.check = check
        self.arrays = arrays
        self.vocabularies = vocabularies
        self.objects = objects
        self.used = set()

    def read(self, data):
        """Decode plain data.

        Parameters
        ----------
        data : object
            Result of `write`, or forged data.

        Raises
        ------
        ValueError, TypeError, KeyError
            If the data was not written by `write`.
        """
        if data is None or type(data) in PLAIN_SCALARS:
            return data
        if type(data) is list:
            return [self.read(item) for item in data]
        readers = {
            "float": self._read_float,
            "tuple": lambda items: tuple(self.read(items)),
            "set": lambda items: set(self.read(items)),
            "frozenset": lambda items: frozenset(self.read(items)),
            "vocabulary": self._read_vocabulary,
            "dict": lambda pairs: {self.read(key): self.read(item) for key, item in pairs},
            "array": lambda name: self._take("array", self.arrays, name),
            "times": lambda parts: self._take("array", self.arrays, parts[0]).astype(parts[1]),
            "object": self._read_objects,
            "text": self._read_texts,
            "frame": lambda columns: pd.DataFrame(self.read(columns)),
            "random state": self._read_random_state,
            "type": lambda name: {"bool": bool, "int": int, "float": float, "str": str}[name],
            "dtype": self._read_dtype,
            "np.dtype": lambda name: np.dtype(self._read_dtype(name)),
            "other": lambda name: self._take("object", self.objects, name),
        }
        if data["is"] == "known":
            return self._read_known(data)
        return readers[data["is"]](data["of"])

    def _take(self, kind, store, name):
        """Return the element with a name; raise the second time."""
        if (kind, name) in self.used:
            raise ValueError(f"the {kind} {name!r:.60} is referenced twice")
        self.used.add((kind, name))
        return store[name]

    def _read_texts(self, items):
        longest = max(map(len, items), default=0)
        if 4 * longest * len(items) > MAX_TEXT_BYTES or not all(type(i) is str for i in items):
            raise ValueError("an array of str is too large, or has elements of other types")
        return np.array(items, dtype=str)

    def _read_float(self, text):
        return {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}[text]

    def _read_vocabulary(self, name):
        words = self.vocabularies[name]
        numbers = self._take("array", self.arrays, name).tolist()
        if not all(type(word) is str for word in words):
            raise ValueError(f"the vocabulary {name!r:.60} has words that are not str")
        read = dict(zip(words, numbers, strict=True))
        if len(read) < len(words) or not all(type(number) is int for number in numbers):
            raise ValueError(
                f"the vocabulary {name!r:.60} has a duplicate word, or values that are not int"
            )
        return read

    def _read_objects(self, items):
        values = np.empty(len(items), dtype=object)
        values[:] = self.read(items)
        return values

    def _read_random_state(self, parts):
        name, position, has_gauss, gauss = parts
        keys = self._take("array", self.arrays, name)
        # numpy does not check the position, and would read out of bounds
        is_valid = keys.shape == (MT19937_KEY_SIZE,) and keys.dtype == np.uint32
        if not is_valid or type(position) is not int or not 0 <= position <= MT19937_KEY_SIZE:
            raise ValueError("a random state is not a valid state of MT19937")
        random = np.random.RandomState()
        random.set_state(("MT19937", keys, position, has_gauss, gauss))
        return random

    def _read_dtype(self, name):
        if name not in DTYPES:
            raise ValueError(f"{name!r:.60} is not a supported dtype")
        return np.dtype(name).type

    def _read_known(self, data):
        cls = self.known[data["of"]]
        parameters = {key: self.read(item) for key, item in data["parameters"]}
        names = set(signature(cls.__init__).parameters) if issubclass(cls, BaseEstimator) else set()
        if parameters.keys() - names:
            raise ValueError(
                f"{cls.__name__} has no parameters {sorted(parameters)!r:.200} in this version"
            )
        value = cls(**parameters) if names else cls.__new__(cls)
        attributes = {stored: name for name, stored in _names_in_files(cls).items()}
        for stored, item in data["learned"]:
            name = attributes.get(stored, stored)
            if name in names or hasattr(cls, name) or not name.isidentifier():
                raise ValueError(f"{cls.__name__} has no fitted attribute {name!r:.60}")
            setattr(value, name, self.read(item))
        if hasattr(value, "_check_learned"):
            value._check_learned()
        if self.check is not None:
            self.check(value)
        return value
