"""Objects as plain data and back: what JSON can write, arrays, and lists of strings.

No name in the data is ever imported: the only objects that can come out are those of the classes
that the caller lists, made by their constructors and filled with plain values.
"""

from inspect import signature

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

PLAIN_SCALARS = (bool, int, float, str)
DTYPES = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
DTYPES |= {"float32", "float64"}
# Parameters of others that read files, or run what they find in them, unless they have this value.
HARMLESS = {"input": "content", "memory": None}


def _is_integer(value):
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


class PlainWriter:
    """Turns objects into plain data.

    Parameters
    ----------
    known : dict of str to class
        The classes whose objects can be written, by the names that stand for them.
    objects : dict of str to object or None, default=None
        Where objects of other classes go, by name; None to refuse them.

    Attributes
    ----------
    arrays : dict of str to ndarray
        The arrays that the data points to, by name.
    vocabularies : dict of str to list of str
        The keys of dicts of strings to integers, by name.
    """

    def __init__(self, known, objects=None):
        self.known = known
        self.names = {cls: name for name, cls in known.items()}
        self.objects = objects
        self.arrays = {}
        self.vocabularies = {}

    def write(self, value, name):
        """Return plain data for a value.

        Parameters
        ----------
        value : object
            The value.
        name : str
            What it is called: in messages, and where it has a part of its own.

        Raises
        ------
        TypeError
            If it is, or holds, what is not plain.
        """
        if isinstance(value, np.generic) and not isinstance(value, np.void):
            value = value.item()
        if value is None or type(value) in PLAIN_SCALARS:
            return self._write_scalar(value)
        if isinstance(value, str):  # np.str_ and others, which are equal to what they hold
            return str(value)
        writers = {
            list: self._write_list,
            tuple: self._write_list,
            set: self._write_list,
            frozenset: self._write_list,
            dict: self._write_dict,
            np.ndarray: self._write_array,
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
        items = sorted(value) if isinstance(value, set | frozenset) else value
        written = [self.write(item, f"{name}[{place}]") for place, item in enumerate(items)]
        return written if type(value) is list else {"is": type(value).__name__, "of": written}

    def _write_dict(self, value, name):
        are_words = len(value) > 0 and all(type(key) is str for key in value)
        if are_words and all(_is_integer(number) for number in value.values()):
            self.vocabularies[name] = list(value)
            self.arrays[name] = np.array(list(value.values()), dtype=np.int64)
            return {"is": "vocabulary", "of": name}
        keys = [self.write(key, f"key of {name}") for key in value]
        items = [self.write(item, f"{name}.{key}") for key, item in value.items()]
        return {"is": "dict", "of": [list(pair) for pair in zip(keys, items, strict=True)]}

    def _write_array(self, value, name):
        if value.dtype.name in DTYPES:
            self.arrays[name] = value
            return {"is": "array", "of": name}
        if value.ndim == 1 and value.dtype.kind in "OU":
            items = [self.write(item, f"{name}[{place}]") for place, item in enumerate(value)]
            return {"is": "object" if value.dtype.kind == "O" else "text", "of": items}
        return self._write_other(value, name)

    def _write_frame(self, value, name):
        columns = {column: value[column].to_numpy() for column in value.columns}
        return {"is": "frame", "of": self._write_dict(columns, name)}

    def _write_random_state(self, value, name):
        _, keys, position, has_gauss, gauss = value.get_state()
        self.arrays[name] = keys
        return {"is": "random state", "of": [name, int(position), int(has_gauss), float(gauss)]}

    def _write_type(self, value, name):
        if value in (bool, int, float, str):
            return {"is": "type", "of": value.__name__}
        if issubclass(value, np.generic) and np.dtype(value).name in DTYPES:
            return {"is": "dtype", "of": np.dtype(value).name}
        return self._write_other(value, name)

    def _write_object(self, value, name):
        parameters = {}
        if isinstance(value, BaseEstimator):
            parameters = value.get_params(deep=False)
        for parameter, harmless in HARMLESS.items():
            if parameters.get(parameter, harmless) != harmless:
                if self.objects is None:
                    self._refuse(f"{name}.{parameter}", parameters[parameter])
                return self._write_other(value, name)
        learned = {key: item for key, item in vars(value).items() if key not in parameters}
        return {
            "is": "known",
            "of": self.names[type(value)],
            "parameters": self._write_members(parameters, name),
            "learned": self._write_members(learned, name),
        }

    def _write_members(self, members, name):
        return [[key, self.write(item, f"{name}.{key}")] for key, item in members.items()]

    def _write_other(self, value, name):
        if self.objects is None:
            self._refuse(name, value)
        self.objects[name] = value
        return {"is": "other", "of": name}

    def _refuse(self, name, value):
        kind = type(value)
        raise TypeError(
            f"{name}={value!r:.100} of type {kind.__module__}.{kind.__qualname__} is not plain "
            "data, and a model file holds no code; take a vectorizer out of "
            f"{', '.join(sorted(n for n in self.known if n.endswith(('Vectorizer', 'Union'))))} "
            "without functions as parameters, or keep the classifier by pickle, which only those "
            "should open who trust you."
        )


class PlainReader:
    """Turns plain data into objects.

    Parameters
    ----------
    known, arrays, vocabularies, objects : dict
        As in PlainWriter.
    check : callable or None, default=None
        Gets each object of a known class, and raises ValueError if it cannot be what was written.
    """

    def __init__(self, known, arrays, vocabularies, objects=None, check=None):
        self.known = known
        self.check = check
        self.arrays = arrays
        self.vocabularies = vocabularies
        self.objects = objects

    def read(self, data):
        """Return the value that plain data stands for.

        Parameters
        ----------
        data : object
            What `write` returned, or what somebody made up.

        Raises
        ------
        ValueError, TypeError, KeyError
            If it is not such data.
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
            "array": lambda name: self.arrays[name],
            "object": self._read_objects,
            "text": lambda items: np.array([str(item) for item in items], dtype=str),
            "frame": lambda columns: pd.DataFrame(self.read(columns)),
            "random state": self._read_random_state,
            "type": lambda name: {"bool": bool, "int": int, "float": float, "str": str}[name],
            "dtype": self._read_dtype,
            "other": lambda name: self.objects[name],
        }
        if data["is"] == "known":
            return self._read_known(data)
        return readers[data["is"]](data["of"])

    def _read_float(self, text):
        return {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}[text]

    def _read_vocabulary(self, name):
        words, numbers = self.vocabularies[name], self.arrays[name].tolist()
        if not all(type(word) is str for word in words):
            raise ValueError(f"the vocabulary {name!r:.60} has words that are no strings")
        read = dict(zip(words, numbers, strict=True))
        if len(read) < len(words) or not all(type(number) is int for number in numbers):
            raise ValueError(f"the vocabulary {name!r:.60} has a word twice, or no numbers")
        return read

    def _read_objects(self, items):
        values = np.empty(len(items), dtype=object)
        values[:] = self.read(items)
        return values

    def _read_random_state(self, parts):
        name, position, has_gauss, gauss = parts
        random = np.random.RandomState()
        random.set_state(("MT19937", self.arrays[name], position, has_gauss, gauss))
        return random

    def _read_dtype(self, name):
        if name not in DTYPES:
            raise ValueError(f"{name!r:.60} is no type of numbers")
        return np.dtype(name).type

    def _read_known(self, data):
        cls = self.known[data["of"]]
        parameters = {key: self.read(item) for key, item in data["parameters"]}
        if issubclass(cls, BaseEstimator):
            unknown = parameters.keys() - signature(cls.__init__).parameters.keys()
            if unknown:
                raise ValueError(f"{cls.__name__} has no parameters {sorted(unknown)} here")
            value = cls(**parameters)
        else:
            value = cls.__new__(cls)
        for name, harmless in HARMLESS.items():
            if parameters.get(name, harmless) != harmless:
                raise ValueError(f"{cls.__name__} has {name}={parameters[name]!r:.60}")
        for name, item in data["learned"]:
            if name in parameters or hasattr(cls, name) or not name.isidentifier():
                raise ValueError(f"{cls.__name__} cannot have learned {name!r:.60}")
            setattr(value, name, self.read(item))
        if hasattr(value, "_check_learned"):
            value._check_learned()
        if self.check is not None:
            self.check(value)
        return value
