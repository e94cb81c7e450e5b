"""Tests of texts as the world has them: each is read as it should be, or refused by name."""

import collections
import decimal
import pathlib
import unicodedata

import numpy as np
import pandas as pd
import pytest
import torch
from _hostile import assert_probabilities, refused, small, string_dtype
from numpy.testing import assert_allclose, assert_array_equal

from sk_ctxmem import TextSequenceVectorizer

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

TEXTS = ["yes we do", "no thanks", "maybe so", "yes please", "no no no", "so what ?"] * 3
CLASSES = ["a", "b", "c", "a", "b", "c"] * 3
WHITE_SPACE = "".join(c for c in map(chr, range(0x110000)) if c.isspace())


class Shouting(str):
    """A str that says wrong things of itself."""

    def lower(self):
        """Fail."""
        raise RuntimeError("not to be called")

    def __len__(self):
        """Return a wrong length."""
        return 3


# One text in each of many scripts; signs that combine with others among them.
SCRIPTS = {
    "Greek": "Καλημέρα κόσμε",
    "Cyrillic": "Доброе утро, мир",
    "Armenian": "Բարեւ աշխարհ",
    "Hebrew": "שָׁלוֹם עולם",
    "Arabic": "مَرْحَبًا يا عالم",
    "Syriac": "ܫܠܡܐ ܥܠܡܐ",
    "Thaana": "އައްސަލާމް",
    "Devanagari": "नमस्ते दुनिया",
    "Bengali": "ওহে বিশ্ব",
    "Gurmukhi": "ਸਤਿ ਸ੍ਰੀ ਅਕਾਲ",
    "Gujarati": "કેમ છો",
    "Oriya": "ନମସ୍କାର",
    "Tamil": "வணக்கம் உலகம்",
    "Telugu": "నమస్కారం",
    "Kannada": "ನಮಸ್ಕಾರ",
    "Malayalam": "നമസ്കാരം",
    "Sinhala": "ආයුබෝවන්",
    "Thai": "สวัสดีชาวโลก",
    "Lao": "ສະບາຍດີ",
    "Tibetan": "བཀྲ་ཤིས་བདེ་ལེགས",
    "Myanmar": "မင်္ဂလာပါ",
    "Georgian": "გამარჯობა მსოფლიო",
    "Hangul": "안녕 세상",
    "Hangul in parts": unicodedata.normalize("NFD", "안녕 세상"),
    "Ethiopic": "ሰላም ልዑል",
    "Cherokee": "ᎣᏏᏲ ᎡᎶᎯ",
    "Khmer": "សួស្តី​ពិភពលោក",
    "Mongolian": "ᠰᠠᠢᠨ ᠪᠠᠢᠨᠠ",
    "Hiragana": "こんにちは、世界",
    "Katakana": "ｺﾝﾆﾁﾊ ハロー",
    "Han": "你好，世界。",
    "Gothic": "𐌷𐌰𐌹𐌻𐍃",
    "cuneiform": "𒀭𒈹 𒂗",
    "hieroglyphs": "𓀀𓁐 𓂀",
    "mathematics": "𝔥𝔢𝔩𝔩𝔬 ∀x∈ℝ: ⌈x⌉",
}

ODD_TEXTS = {
    "lone surrogates": "\ud800 yes \udfff\udc00",
    "surrogates in the wrong order": "\udc00\ud800",
    "NUL": "yes\0no \0",
    "NUL alone": "\0",
    "right-to-left marks": "\u200fyes\u200e no",
    "bidi overrides": "\u202eon\u202c \u2066seye\u2069",
    "one long word": "x" * 5000,
    "emoji joined": "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 yes",
    "skin tones": "\U0001f44d\U0001f3ff\U0001f44d\U0001f3fb",
    "flags": "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7\U0001f1ea",
    "tag flag": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e007f",
    "keycap": "1\ufe0f\u20e3",
    "variation selectors": "\u2764\ufe0f \u2764\ufe0e",
    "stacks of combining marks": "z" + "\u0300\u0301\u0315\u031b" * 100 + "a" + "\u0489" * 50,
    "combining mark first": "\u0301yes",
    "control characters": "".join(map(chr, range(32))) + "\x7f",
    "C1 control characters": "".join(map(chr, range(0x80, 0xA0))),
    "zero width": "y\u200be\u200cs\u200d \ufeffno\u2060",
    "byte order mark": "\ufeffyes we do",
    "soft hyphens": "may\u00adbe",
    "private use": "\ue000\uf8ff\U000f0000",
    "no characters": "\uffff\ufffe\U0010ffff",
    "replacement": "\ufffd\ufffd",
    "line separators": "yes\u2028no\u2029maybe\x85so",
    "numbers": "0 00 1e300 -1 +1 0x1F 1,000.00",
    "digits of many scripts": "٣ ३ ๓ 三 ③ ³ Ⅲ \U0001d7db",
    "HTML": "<b class='x'>yes</b>&nbsp;<br/><!-- no -->",
    "script": "<script>alert('yes')</script>",
    "SQL": "'; DROP TABLE texts; --",
    "format strings": "%s %n {0} {x!r} ${y} {{}}",
    "path": "../../../etc/passwd C:\\Windows\\..\\x",
    "shell": "$(rm -rf ~) `id` | cat && true",
    "regular expression": "(a+)+$ [^\\w\\s] .*? \\1 (?P<n>",
    "JSON": '{"__class__": [null, NaN, 1e999]}',
    "pickle": "cos\nsystem\n(S'id'\ntR.",
    "escape codes": "\x1b[31myes\x1b[0m\x07\x08",
    "deep brackets": "(" * 600 + ")" * 600,
    "repetition": "yes " * 2000,
    "underscores": "_ __ ___ a_b",
    "quotes": "'\"`´‘’“”«»",
    "ligatures": "ﬁ ﬀ ﷺ ꟸ",
    "lower case that is longer": "İİİ İ",
    "title case": "ǅ ǈ ᾈ",
    "sharp s": "ß ẞ STRASSE",
    "final sigma": "ΟΔΟΣ Σ",
    "decomposed": unicodedata.normalize("NFD", "très déjà Ångström"),
    "composed": "très déjà Ångström",
    "a word that is nan": "nan None NaN null NA",
    "one letter": "y",
    "one mark": "?",
    "the largest character": "\U0010ffff",
} | {f"in {name}": text for name, text in SCRIPTS.items()}

# Texts, and others that must be read in just the same way.
EQUAL_TEXTS = {
    "empty": ("", ""),
    "spaces": (" " * 1000, ""),
    "all white space": (WHITE_SPACE * 20, ""),
    "line breaks": ("\r\n\r\n", ""),
    "odd spaces": ("yes\u3000we\u2003do\x1c", "yes we do"),
    "tabs": ("\tyes\twe\vdo\f", "yes we do"),
    "surrounded": ("\n\n yes we do \n", "yes we do"),
    "capitals": ("YES We dO", "yes we do"),
    "capitals with a dot": ("İ", "i\u0307"),
    "str subclass": (Shouting("yes we do"), "yes we do"),
    "numpy str": (np.str_("yes we do"), "yes we do"),
    "unknown words alone": ("\U0001f600", "\U0001f601"),
    "more words than are read": ("yes " * 2048 + "no", "yes " * 2048),
    "a word of any length": ("x" * 10_000_000, "x" * 1000),
    "10 MB of spaces": (" " * 10_000_000, ""),
    "10 MB of line breaks": ("yes we do" + "\n" * 10_000_000, "yes we do"),
}

FORMS = {
    "Series of str": lambda texts: pd.Series(texts, dtype="str"),
    "Series of string": lambda texts: pd.Series(texts, dtype="string"),
    "Series of pyarrow strings": lambda texts: pd.Series(texts, dtype="string[pyarrow]"),
    "Series of large pyarrow strings": lambda texts: pd.Series(
        texts, dtype=pd.ArrowDtype(pa.large_string())
    ),
    "Series of categories": lambda texts: pd.Series(texts, dtype="category"),
    "Series of objects": lambda texts: pd.Series(texts, dtype=object),
    "pandas array": pd.array,
    "deque": collections.deque,
    "UserList": collections.UserList,
    "str subclasses": lambda texts: list(map(Shouting, texts)),
    "polars categories": lambda texts: pl.Series(texts, dtype=pl.Categorical),
    "pyarrow array": pa.array,
    "pyarrow chunks": lambda texts: pa.chunked_array([texts[:1], texts[1:]]),
    "pyarrow table": lambda texts: pa.table({"t": texts}),
    "polars enumeration": lambda texts: pl.Series(texts, dtype=pl.Enum(sorted(set(texts)))),
    "every other element": lambda texts: np.repeat(np.array(texts), 2)[::2],
    "array that is read only": lambda texts: np.broadcast_to(np.array(texts), len(texts)),
    "masked array without a mask": np.ma.array,
    "frame with an index of two levels": lambda texts: pd.DataFrame({"said": texts}).set_index(
        pd.MultiIndex.from_arrays([[0] * len(texts), [1] * len(texts)])
    ),
    "frame with columns of two levels": lambda texts: pd.DataFrame({("a", "b"): texts}),
}

NO_ROW = "row {}; drop the row, or replace the value by ''"
BAD_TEXTS = {
    "NaT": (["a", pd.NaT], ValueError, ["X has no text in row 1: NaT; drop the row"]),
    "NaT first": ([pd.NaT, "a"], ValueError, ["X has no text in row 0: NaT; drop the row"]),
    "NA": (["a", pd.NA], ValueError, ["X has no text in row 1: <NA>; drop the row"]),
    "NaN of numpy": (["a", np.float32("nan")], ValueError, ["X has no text in row 1: ", "nan"]),
    "missing pyarrow string": (
        pd.Series(["a", None], dtype="string[pyarrow]"),
        ValueError,
        ["X has no text in row 1: <NA>"],
    ),
    "missing category": (
        pd.Series(["a", None], dtype="category"),
        ValueError,
        ["X has no text in row 1: nan"],
    ),
    "missing StringDType": (
        np.array(["a", None], dtype=string_dtype(na_object=None)),
        ValueError,
        ["X has no text in row 1: None"],
    ),
    "NaN of StringDType": (
        np.array(["a", np.nan], dtype=string_dtype(na_object=np.nan)),
        ValueError,
        ["X has no text in row 1: nan"],
    ),
    "masked": (
        np.ma.array(["a", "b"], mask=[0, 1]),
        ValueError,
        ["X has no text in row 1: masked"],
    ),
    "path": (["a", pathlib.PurePosixPath("b")], TypeError, ["X has PurePosixPath('b') of type"]),
    "Decimal": (["a", decimal.Decimal(1)], TypeError, ["of type Decimal in row 1", "str()"]),
    "list among texts": (["a", ["b"]], TypeError, ["X has ['b'] of type list in row 1"]),
    "number first": ([1, "a"], TypeError, ["X has 1 of type int in row 0", "a str was expected"]),
    "bytes": (np.array([b"a", b"b"]), TypeError, ["of type bytes_ in row 0", ".decode()"]),
    "bytearrays": ([bytearray(b"a")] * 2, TypeError, ["of type bytearray in row 0", ".decode()"]),
    "polars bytes": (pl.Series([b"a", b"b"]), TypeError, ["X has b'a' of type bytes in row 0"]),
    "one bytearray": (bytearray(b"abc"), TypeError, ["X is one string, bytearray(b'abc')"]),
    "no rows": (np.array([], dtype=str), ValueError, ["X is empty: found 0 sample(s)"]),
    "Series without rows": (pd.Series([], dtype="str"), ValueError, ["X is empty: found 0"]),
    "polars query": (
        pl.LazyFrame({"t": ["a"]}),
        TypeError,
        ["X is a polars LazyFrame", "collect()"],
    ),
}

# These are refused as features, which the vectorizer does not take at all.
NO_TEXTS = {
    "frame without rows": (pd.DataFrame({"t": []}, dtype="str"), ValueError, ["'t' is empty"]),
    "path first": (
        [pathlib.PurePosixPath("a")] * 2,
        TypeError,
        ["X contains values that are not numbers"],
    ),
    "two columns of texts": (np.array([["a", "b"]] * 2), TypeError, ["X has dtype <U1"]),
    "three dimensions": (
        np.array([[["a"]], [["b"]]]),
        TypeError,
        ["X is an array of shape (2, 1, 1)"],
    ),
    "no dimension": (np.array("abc"), TypeError, ["X has dtype <U3"]),
    "numbers": ([1, 2], ValueError, ["Expected 2D array, got 1D array"]),
    "range": (range(2), ValueError, ["Expected 2D array, got 1D array"]),
    "number": (3, ValueError, ["Expected 2D array, got scalar array"]),
    "NaN": (float("nan"), ValueError, ["Expected 2D array, got scalar array"]),
    "object": (
        object(),
        TypeError,
        ["X contains values that are not numbers", "one str for each row"],
    ),
    "class": (str, TypeError, ["X contains values that are not numbers", "one str for each row"]),
    "function": (
        len,
        TypeError,
        ["X contains values that are not numbers", "one str for each row"],
    ),
    "values of a dict": ({0: "a"}.values(), TypeError, ["X is a dict_values", "such as list(X)"]),
    "keys of a dict": ({"a": 0}.keys(), TypeError, ["X is a dict_keys", "such as list(X)"]),
    "frozenset": (frozenset("ab"), TypeError, ["X is a frozenset", "such as list(X)"]),
    "map": (map(str, [1, 2]), TypeError, ["X is a map", "such as list(X)"]),
    "records": (np.array([("a", 1)], dtype=[("t", "U1"), ("n", int)]), TypeError, ["has dtype"]),
    "index of two levels": (
        pd.MultiIndex.from_tuples([("a", "b")] * 2),
        ValueError,
        ["X contains values that are not numbers"],
    ),
    "dates": (pd.date_range("2020", periods=2), TypeError, ["X has dtype datetime64"]),
    "complex": ([1j, 2j], ValueError, ["Complex data not supported"]),
    "huge integers": (
        [10**400, 3],
        ValueError,
        ["X contains values that are not numbers", "too large"],
    ),
    "tensor": (torch.ones(2), ValueError, ["Expected 2D array, got 1D array"]),
    "one memoryview": (memoryview(b"abc"), TypeError, ["X is one string, "]),
}


@pytest.fixture(scope="module")
def classifier():
    """Return a classifier of texts."""
    return small().fit(TEXTS, CLASSES)


@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_an_odd_text_is_read_whole_and_by_itself(classifier, text):
    """Check that no character is lost, that fit takes the text, and that others do not matter."""
    reader = TextSequenceVectorizer(ngram_range=(1, 1), char_ngram_range=None, max_length=10_000)
    sequences = reader.fit_transform([text, text])
    names = {number: word for word, number in reader.vocabulary_.items()}
    words = [names[number] for number in sequences.words.tolist()]
    assert "".join(words) == 2 * "".join(text.lower().split())
    assert_probabilities(small().fit([text, *TEXTS], ["a", *CLASSES]).predict_proba([text]), 1, 3)
    among = classifier.predict_proba(["yes", text, "", text])
    assert_probabilities(among, 4, 3)
    assert_allclose(among[[1, 3]], classifier.predict_proba([text] * 2), rtol=1e-12)


@pytest.mark.parametrize("analyzer", ["word", "char"])
@pytest.mark.parametrize("text", ODD_TEXTS.values(), ids=ODD_TEXTS)
def test_names_of_features_hold_what_was_written(text, analyzer):
    """Check that the names of the features of an odd text are pieces of it."""
    vectorizer = TextSequenceVectorizer(
        ngram_range=(1, 1), char_ngram_range=None, analyzer=analyzer, max_length=10_000
    )
    features = vectorizer.fit_transform([text]).features
    names = vectorizer.get_feature_names_out()
    assert features.shape == (1, len(names))
    assert all(name in text.lower() or name == " " for name in names)
    assert_allclose((features.toarray() ** 2).sum(), 1, rtol=1e-5)


@pytest.mark.parametrize(("text", "clean"), EQUAL_TEXTS.values(), ids=EQUAL_TEXTS)
def test_a_text_is_read_as_the_clean_one(classifier, text, clean):
    """Check that white space, case and the class of a str do not matter, nor what is too long."""
    expected = classifier.predict_proba([clean, "yes"])
    assert_array_equal(classifier.predict_proba([text, "yes"]), expected)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_form_of_texts_is_read_as_a_list(classifier, form):
    """Check that fit and predict read an unusual container as they read a list."""
    expected = classifier.predict_proba(TEXTS)
    assert_array_equal(classifier.predict_proba(form(TEXTS)), expected)
    assert_array_equal(small().fit(form(TEXTS), CLASSES).predict_proba(TEXTS), expected)


@pytest.mark.parametrize(("X", "error", "parts"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_bad_texts_are_named(classifier, X, error, parts):
    """Check that fit, predict and the vectorizer name what is wrong, where, and the remedy."""
    for method in (
        classifier.predict,
        lambda X: small().fit(X, ["a", "b"]),
        TextSequenceVectorizer().fit,
    ):
        with refused(error, *parts):
            method(X)


@pytest.mark.parametrize(("X", "error", "parts"), NO_TEXTS.values(), ids=NO_TEXTS)
def test_what_holds_no_texts_is_named(classifier, X, error, parts):
    """Check that fit and predict say what they expect, and that the vectorizer refuses too."""
    with refused(error, *parts):
        classifier.predict(X)
    with refused(error, *parts):
        small().fit(X, ["a", "b"])
    with refused((TypeError, ValueError), ""):
        TextSequenceVectorizer().fit(X)
