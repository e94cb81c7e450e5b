"""Tests that what parses texts takes time in proportion to them, whatever they hold.

Times of a process are compared with one another, with a factor of three to spare, and the best of
several tries counts: a parser that is quadratic takes sixteen times as long on four times the text.
"""

import ast
import time

import numpy as np
import pytest

from sk_ctxmem import TextSequenceVectorizer
from sk_ctxmem.datasets import _docstring_sections
from sk_ctxmem.datasets._corpus import read_csv, read_labelled_lines

MEGABYTE = 1_000_000
LONGEST = 0.05  # seconds of process time for a megabyte that are too few to be compared
TRIES = 3


def fill(pattern, n):
    """Return `n` characters of a pattern."""
    return (pattern * (n // len(pattern) + 1))[:n]


PATTERNS = {
    "spaces": " ",
    "line breaks": "\n",
    "carriage returns": "\r\n",
    "one word": "x",
    "digits": "1",
    "marks": "'",
    "quotes of both kinds": "\"'",
    "words of one letter": "a ",
    "words and marks": "a'",
    "spaces and marks": " .",
    "two spaces": "a  ",
    "combining marks": "\u0301",
    "zero width joiners": "\u200d",
    "emoji joined": "\U0001f469\u200d",
    "surrogates": "\ud800",
    "NUL": "\0",
    "capitals that grow": "İ",
    "brackets": "([{<",
    "underscores": "_",
    "underlines": "---\n",
    "headings": "Notes\n-----\n",
    "colons": "Notes:",
    "commas and quotes": '","',
    "tabs": "\t",
}


def seconds(work, data):
    """Return the process time of some work."""
    start = time.process_time()
    work(data)
    return time.process_time() - start


def assert_linear(work, make):
    """Raise if four megabytes take more than twelve times as long as one, in each of some tries."""
    limit = 12 * max(seconds(work, make(MEGABYTE)), LONGEST)
    data = make(4 * MEGABYTE)
    assert any(seconds(work, data) < limit for _ in range(TRIES))


@pytest.mark.parametrize("analyzer", ["word", "char"])
@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_texts_are_read_in_linear_time(pattern, analyzer):
    """Check that fit and transform take time in proportion to a text."""

    def read(text):
        vectorizer = TextSequenceVectorizer(analyzer=analyzer).fit(["a b", text])
        vectorizer.transform([text])

    assert_linear(read, lambda n: fill(pattern, n))


@pytest.mark.parametrize("analyzer", ["word", "char"])
def test_a_word_of_ever_other_characters_is_read_in_linear_time(analyzer):
    """Check that a word without a repetition is no worse than others: its beginning counts."""
    letters = np.random.RandomState(0).randint(0x4E00, 0x9FFF, 4 * MEGABYTE)
    word = "".join(map(chr, letters.tolist()))
    vectorizer = TextSequenceVectorizer(analyzer=analyzer)
    assert vectorizer.fit_transform([word]).shape[1] < 10_000
    assert_linear(vectorizer.fit, lambda n: [word[:n], "a b"])


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_many_short_texts_are_read_in_linear_time(pattern):
    """Check that the number of texts does not matter either."""
    fit = TextSequenceVectorizer().fit
    assert_linear(fit, lambda n: ["a b", *[fill(pattern, 10)] * (n // 100)])


@pytest.mark.slow
@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_docstrings_are_cut_in_linear_time(pattern):
    """Check that a docstring of any content is cut into lines."""
    assert_linear(_docstring_sections._label_lines, lambda n: fill(pattern, n))


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_labelled_lines_are_read_in_linear_time(tmp_path, pattern):
    """Check that a file of any content is cut into labels and texts, and loses no character."""

    def write(n):
        path = tmp_path / str(n)
        path.write_bytes(fill(pattern, n).encode("utf-8", "replace"))
        return path

    def read(path):
        return read_labelled_lines(path, separator="\t", encoding="utf-8")

    assert_linear(read, write)
    frame = read(write(1000))
    lines = [line.rstrip("\r") for line in write(1000).read_bytes().decode().split("\n")]
    whole = [
        "\t".join(row).rstrip("\t") for row in zip(frame["target"], frame["text"], strict=True)
    ]
    assert whole == [line.rstrip("\t") for line in lines if line.strip()]


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_tables_are_read_in_linear_time(tmp_path, pattern):
    """Check that a field of any content is read, and comes back as it was."""

    def write(n):
        path = tmp_path / str(n)
        field = fill(pattern, n).encode("utf-8", "replace").replace(b"\0", b"")
        path.write_bytes(b'label,words\na,"' + field.replace(b'"', b'""') + b'"\n')
        return path

    def read(path):
        return read_csv(path, {"words": "text", "label": "target"})

    assert_linear(read, write)
    field = fill(pattern, 1000).encode("utf-8", "replace").replace(b"\0", b"").decode()
    assert read(write(1000)).to_numpy().tolist() == [[field, "a"]]


SOURCES = {
    "brackets": "(" * 10_000,
    "signs": "x = " + "-" * 100_000 + "1",
    "sums": "x = " + "1 + " * 100_000 + "1",
    "NUL": "x = 1\0",
    "no UTF-8": b"x = '\xff\xfe'",
    "another encoding": "# coding: latin-1\nx = '\xff'".encode("latin-1"),
    "an unknown encoding": "# coding: nothing\nx = 1",
    "indentation": "\n".join(" " * depth + "if x:" for depth in range(200)),
    "half a string": "'''---",
    "nothing": "",
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_source_files_that_cannot_be_read_are_empty(tmp_path, source):
    """Check that a file in an installed package may hold anything."""
    path = tmp_path / "module.py"
    source = source if isinstance(source, bytes) else source.encode("utf-8")
    path.write_bytes(source + b"\n# ---")
    tree = _docstring_sections._parse(path)
    assert list(_docstring_sections._walk_docstrings(tree, "module")) == []


def test_functions_are_found_however_deep_they_stand():
    """Check that a chain of conditions is walked without recursion, and in order."""
    tree = ast.Module(body=[], type_ignores=[])
    body = tree.body
    for n in range(2000):
        condition = ast.parse(f"if x == {n}:\n    def f{n}():\n        'Tell {n}.'\n").body[0]
        body.append(condition)
        body = condition.orelse
    found = list(_docstring_sections._walk_docstrings(tree, "module"))
    assert found == [(f"module.f{n}", f"Tell {n}.") for n in range(2000)]
