"""Predictions of an exported model, by NumPy and ONNX Runtime alone: see Model."""

import hashlib
import json
import re
import unicodedata
from datetime import date, datetime, timedelta
from itertools import chain, islice, repeat
from pathlib import Path

import numpy as np
import onnxruntime

END = -2  # follows the last token of a text; -1 is an unknown token
MOST_WORDS, LONGEST_WORD = 100_000, 1000  # words that are kept, and characters of one that are read
BATCH_SIZE = 65_536  # characters of the texts that a graph reads at once
DTYPES = {"F32": "<f4", "I32": "<i4"}


class Model:
    """An exported model, in `folder`, or in the folder of this file.

    With `digest`, the result of `export`, no file can have been replaced. Rows are predicted by
    `n_threads` threads, 0 for one of each core.
    """

    def __init__(self, folder=None, *, digest=None, n_threads=0):
        self.folder = Path(__file__).parent if folder is None else Path(folder)
        self.n_threads, self._graphs, self._vectorizer = n_threads, {}, None
        self.config = {"digests": {"model.json": digest}}
        content = self._read("model.json")
        if b'"sk_ctxmem export 1"' not in content:
            raise ValueError(f"{self.folder}/model.json is not that of an export of this version.")
        self.digest, self.config = hashlib.sha256(content).hexdigest(), json.loads(content)
        self.classes = np.array(self.config["classes"])
        self.speakers = dict(self.config["speakers"])

    def predict(self, X, **inputs):
        """Return the class of each row, see `predict_proba`; or 0 and 1 for each of several."""
        return self._decide(self.predict_proba(X, **inputs))

    def predict_proba(self, X, *, groups=None, speakers=None, columns=None, embeddings=None):
        """Return probabilities, (n_rows, n_classes).

        `X` is a list of texts, or of features: arrays, or if they are sparse, pairs (ids, values).
        Rows of a group are in order; sequences are groups, and have one result. `columns` is a dict
        of lists, or the output of a transformer.
        """
        if isinstance(X, str) or self.config["groups"] and groups is None:
            raise ValueError(f"X={X!r:.60} must be a list, and a model of context needs groups.")
        if any(of is not None and len(of) != len(X) for of in (groups, speakers, embeddings)):
            raise ValueError(f"groups, speakers, embeddings: pass {len(X)} values, as of X.")
        codes, numbers = np.arange(len(X)), {}
        if self.config["groups"]:
            codes = np.array([numbers.setdefault(group, len(numbers)) for group in groups], int)
        results = codes if self.config["sequences"] else np.arange(len(X))
        found = np.zeros((results.max(initial=-1) + 1, len(self.classes)), np.float32)
        for part in _batches(codes, [len(x) if self.config["vectorizer"] else 64 for x in X]):
            feed = self._feed(X, part, speakers, columns, embeddings)
            ends = np.flatnonzero(np.diff(codes[part], append=-1)) + 1
            if self.config["groups"]:
                feed["groups"] = np.append(0, ends)
            which = part[ends - 1] if self.config["sequences"] else part
            found[results[which]] = self._run("rows.onnx", ["probabilities"], feed)[0]
        return found

    def session(self, state=None):
        """Begin a conversation, or go on from the result of `Session.state`."""
        if "step.onnx" not in self.config["digests"]:
            raise ValueError("The model does not read conversations turn by turn; use predict.")
        return Session(self, state)

    def _decide(self, probabilities):
        is_several = self.config["multilabel"]
        return (probabilities > 0.5) * 1 if is_several else self.classes[probabilities.argmax(-1)]

    def _read(self, name):
        content, expected = (self.folder / name).read_bytes(), self.config["digests"][name]
        if expected not in (None, hashlib.sha256(content).hexdigest()):
            raise ValueError(f"{self.folder / name} was changed; export the model again.")
        return content

    def _run(self, name, outputs, feed):
        if name not in self._graphs:
            if b"location" in self._read(name):  # of weights in other files, which no export has
                raise ValueError(f"{self.folder / name} reads other files; export it again.")
            options, path = onnxruntime.SessionOptions(), str(self.folder / name)
            options.intra_op_num_threads = 1 if name == "step.onnx" else self.n_threads
            graph = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
            self._graphs[name] = graph
        found = self._graphs[name].run(outputs, feed)
        if not np.isfinite(found[0]).all():
            raise ValueError("A row has numbers that overflow single precision; scale them.")
        return found

    def _feed(self, X, part, speakers, columns, embeddings):
        rows = [X[row] for row in part]
        said = [None if speakers is None else speakers[row] for row in part]
        feed = {"features": rows, "speaker_codes": [_code(each) for each in said]}
        feed["speakers"] = [self.speakers.get(each, 0) for each in said]
        if self.config["vectorizer"] is not None:
            self._vectorizer = self._vectorizer or Vectorizer(self._read, self.config["vectorizer"])
            feed["ids"], feed["values"], feed["offsets"] = self._vectorizer.transform(rows)
        elif "ids" in self.config["inputs"]:
            feed["ids"], feed["values"] = map(np.concatenate, zip(*rows, strict=True))
            feed["offsets"] = np.append(0, np.cumsum([len(row[0]) for row in rows]))
        if self.config["columns"] is not None and isinstance(columns, dict):
            named = [(column, columns[column["name"]]) for column in self.config["columns"]]
            columns = {row: [_to_number(each[row], of) for of, each in named] for row in part}
        for name, of in (("columns", columns), ("embeddings", embeddings)):
            if name in self.config["inputs"]:
                if of is None or of[part[0]] is None:
                    raise ValueError(f"{name}=None, but the model reads them; pass {name}.")
                feed[name] = [of[row] for row in part]
        return {name: np.array(feed[name], dtype) for name, dtype in self.config["inputs"].items()}


class Session:
    """A conversation, each turn of which is a call of a ``predict`` method. Begun by a Model."""

    def __init__(self, model, state=None):
        self.model, self.arrays = model, {}
        if state is not None and bytes(state["model"]).hex() != model.digest:
            raise ValueError("state is that of a session of another model.")
        for name, (shape, dtype, first) in model.config["state"].items():
            empty = np.zeros([1, *shape], dtype)
            empty.flat[0] = first
            array = empty if state is None else np.asarray(state[name])[np.newaxis]
            if array.shape != empty.shape or array.dtype != dtype or not np.isfinite(array).all():
                raise ValueError(f"state[{name!r}] is none that a session can have.")
            self.arrays[name] = array

    def predict_one(self, text, speaker=None, columns=None, embedding=None):
        """Add a turn and return its class; of several labels, 0 and 1 for each."""
        return self.model._decide(self.predict_proba_one(text, speaker, columns, embedding))

    def predict_proba_one(self, text, speaker=None, columns=None, embedding=None):
        """Add a turn and return its probabilities; of a sequence, the forecast so far.

        The arguments are those of `Model.predict_proba`, for one row: `columns` is a dict.
        """
        is_dict = isinstance(columns, dict)
        columns = {name: [columns[name]] for name in columns} if is_dict else [columns]
        feed = self.model._feed([text], [0], [speaker], columns, [embedding])
        feed |= {f"state.{name}": array for name, array in self.arrays.items()}
        outputs = ["probabilities", *(f"next.{name}" for name in self.arrays)]
        probabilities, *arrays = self.model._run("step.onnx", outputs, feed)
        self.arrays = dict(zip(self.arrays, arrays, strict=True))
        return probabilities[0]

    def state(self):
        """Return the arrays of the conversation, for example for `numpy.savez`."""
        digest = np.frombuffer(bytes.fromhex(self.model.digest), np.uint8)
        return {name: array[0] for name, array in self.arrays.items()} | {"model": digest}


class Vectorizer:
    """Texts to ids and values: n-grams with TF-IDF weights."""

    def __init__(self, read, config):
        self.config, self.words, sizes = config, {}, config["ngram_ranges"]
        source = json.loads(read("vocabulary.json")), read("vectorizer.safetensors")
        self.word = NGrams("word", "tokens", sizes["word"], *source)
        self.char = "char" in sizes and NGrams("char", "characters", sizes["char"], *source)
        self.is_word, self.stop_words = config["analyzer"] == "word", set(config["stop_words"])
        self.pattern = re.compile(config["token_pattern"] or "(?s).")
        self.ends = re.compile(r"\w+|[^\w\s]" if self.is_word else r"\S")

    def transform(self, texts):
        """Return the ids and values of all texts, and where those of each text begin."""
        texts = [self._clean(text) for text in texts]
        columns, owners = self.word.find([self._tokens(text) for text in texts])
        parts = [self.word.weigh(owners, columns, len(texts))]
        if self.char:
            words = [self._cut(text).split() for text in texts]
            found = self._columns_inside(list(chain(*words)))
            owners = np.repeat(np.arange(len(texts)), list(map(len, words)))
            owners = np.repeat(owners, list(map(len, found)))
            columns = np.concatenate(found) if found else owners
            rows, columns, values = self.char.weigh(owners, columns, len(texts))
            parts.append((rows, columns + len(self.word.idf), values))
        rows, ids, values = (np.concatenate(each) for each in zip(*parts, strict=True))
        order = rows.argsort(kind="stable")
        offsets = np.append(0, np.bincount(rows, minlength=len(texts)).cumsum())
        return ids[order], values[order], offsets

    def _clean(self, text):
        if not isinstance(text, str):
            raise TypeError(f"text={text!r:.60} is of type {type(text).__name__}; pass str.")
        text = text.lower() if self.config["lowercase"] else text
        if self.config["strip_accents"] is not None:
            drops = bool if self.config["strip_accents"] == "ascii" else unicodedata.combining
            plain = unicodedata.normalize("NFKD", text)
            text = "".join(each for each in plain if each.isascii() or not drops(each))
        return text if self.is_word else self._cut(re.sub(r"\s\s+", " ", text))

    def _cut(self, text):
        if len(text) <= self.config["max_length"]:
            return text
        ends = [each.end() for each in islice(self.ends.finditer(text), self.config["max_length"])]
        return text[: ends[-1] if ends else 0]

    def _tokens(self, text):
        found = self.pattern.findall(text)[: self.config["max_length"]] if self.is_word else text
        if self.stop_words:
            found = [each for each in found if each not in self.stop_words]
        return [*map(self.word.numbers.get, found, repeat(-1)), END]

    def _columns_inside(self, words):
        """Return the columns of the n-grams in each word, which has a space on both sides."""
        known = self.words = {} if len(self.words) > MOST_WORDS else self.words
        new, get = list(set(words).difference(known)), self.char.numbers.get
        if new:
            padded = [f" {word[:LONGEST_WORD]} " for word in new]
            columns, owners = self.char.find(
                [[*map(get, word, repeat(-1)), END] for word in padded]
            )
            ends = np.bincount(owners, minlength=len(new)).cumsum()[:-1]
            known |= zip(new, np.split(columns[owners.argsort(kind="stable")], ends), strict=True)
        return list(map(known.get, words))


class NGrams:
    """The n-grams of one kind: their numbers, columns and weights."""

    def __init__(self, kind, tokens, sizes, vocabularies, content):
        self.numbers = {name: number for number, name in enumerate(vocabularies[tokens])}
        self.idf, columns = _array(content, f"{kind}.idf"), _array(content, f"{kind}.columns")
        self.levels, keys = [], np.arange(len(self.numbers))
        for n in range(1, sizes[1] + 1):
            if n > 1:  # an n-gram is the number of its beginning and that of its last token
                counts = np.diff(_array(content, f"{kind}.starts.{n}"))
                begins = np.repeat(np.arange(len(keys)), counts)
                keys = begins * len(self.numbers) + _array(content, f"{kind}.lasts.{n}")
            here, columns = np.split(columns, [len(keys) if n >= sizes[0] else 0])
            self.levels.append((keys, here if n >= sizes[0] else np.full(len(keys), -1)))

    def find(self, texts):
        """Return the column and the text of each n-gram in the tokens of texts."""
        tokens = np.array(list(chain(*texts)), np.int64)
        owners = np.repeat(np.arange(len(texts)), list(map(len, texts)))
        begins = np.flatnonzero(tokens >= 0)
        found, places, columns = tokens[begins], [], []
        for n, (keys, of_level) in enumerate(self.levels):
            if n:
                lasts = tokens[begins + n]
                begins, found, lasts = (each[lasts >= 0] for each in (begins, found, lasts))
                wanted = found * len(self.numbers) + lasts
                found = keys.searchsorted(wanted)
                known = keys.take(found, mode="clip") == wanted if len(keys) else wanted < 0
                begins, found = begins[known], found[known]
            places.append(begins)
            columns.append(of_level[found])
        columns, owners = np.concatenate(columns), owners[np.concatenate(places)]
        return columns[columns >= 0], owners[columns >= 0]

    def weigh(self, rows, columns, n_rows):
        """Return rows, columns and weights of n-grams, given a row and a column each time."""
        keys = np.sort(rows * len(self.idf) + columns)
        firsts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
        rows, columns = np.divmod(keys[firsts], len(self.idf))
        counts = np.diff(firsts, append=len(keys)).astype(np.float32)
        values = (np.log(counts) + 1) * self.idf[columns]
        norms = np.sqrt(np.bincount(rows, np.square(values, dtype=np.float64), n_rows))
        return rows, columns, values / norms[rows].astype(np.float32)


def _batches(codes, sizes):
    """Return rows of whole groups, those of about the same length together."""
    order = np.lexsort((codes, np.bincount(codes)[codes]))  # which leaves the order in a group
    ends = np.flatnonzero(np.diff(codes[order], append=-1)) + 1
    number = np.array(sizes, int)[order].cumsum()[ends - 1] // BATCH_SIZE
    return [part for part in np.split(order, ends[:-1][np.diff(number) > 0]) if len(part)]


def _to_number(value, column):
    """Return a number, the place of a category, or the seconds of a duration or a date."""
    value = None if value is None or value != value else value
    if column["categories"] is not None:
        return [*column["categories"], value].index(value)  # unknown ones come last
    if isinstance(value, date):
        value = datetime(*value.timetuple()[:6]) - datetime(1970, 1, 1)
    value = value.total_seconds() if isinstance(value, timedelta) else value
    return np.nan if value is None else float(value)


def _code(speaker):
    """Return a number that tells speakers apart, 0 for an unknown one."""
    if speaker is None or speaker != speaker:
        return 0
    name = f"str:{speaker}" if isinstance(speaker, str) else repr(float(speaker))
    digest = hashlib.blake2b(name.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _array(content, name):
    start = 8 + int.from_bytes(content[:8], "little")
    each = json.loads(content[8:start])[name]
    first, end = each["data_offsets"]
    return np.frombuffer(memoryview(content)[start + first : start + end], DTYPES[each["dtype"]])
