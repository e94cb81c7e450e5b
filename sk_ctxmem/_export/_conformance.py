"""Texts of many scripts with their ids and values, to check another reader of texts with."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._features._vectorizer import TextSequenceVectorizer

N_TEXTS = 1000
# Pairs of the first and last code point of alphabets, or of parts of large ones.
SCRIPTS = {
    "Latin": [0x41, 0x5A, 0x61, 0x7A],
    "Latin with accents": [0xC0, 0xD6, 0xD8, 0x17F],
    "Vietnamese": [0x1EA0, 0x1EF9],
    "Greek": [0x391, 0x3A1, 0x3A3, 0x3C9],
    "Cyrillic": [0x400, 0x45F],
    "Armenian": [0x531, 0x556, 0x561, 0x586],
    "Georgian": [0x10D0, 0x10F0, 0x1C90, 0x1CB0],
    "Hebrew": [0x5D0, 0x5EA, 0x5B0, 0x5BD],
    "Arabic": [0x621, 0x63A, 0x641, 0x652, 0x660, 0x669],
    "Devanagari": [0x904, 0x939, 0x93E, 0x94D, 0x966, 0x96F],
    "Bengali": [0x995, 0x9A8, 0x9BE, 0x9C4],
    "Tamil": [0xB95, 0xB95, 0xBAE, 0xBB9, 0xBBE, 0xBC2],
    "Thai": [0xE01, 0xE3A, 0xE40, 0xE4E],
    "Tibetan": [0xF40, 0xF47, 0xF49, 0xF6A],
    "Myanmar": [0x1000, 0x102A],
    "Khmer": [0x1780, 0x17B3, 0x17B6, 0x17D3],
    "Ethiopic": [0x1200, 0x1248],
    "Cherokee": [0x13A0, 0x13F5, 0xAB70, 0xABBF],
    "Mongolian": [0x1820, 0x1842],
    "Japanese": [0x3041, 0x3096, 0x30A1, 0x30FA],
    "Chinese": [0x4E00, 0x9FA5],
    "Hangul": [0xAC00, 0xD7A3, 0x1100, 0x1112],
    "Deseret": [0x10400, 0x1044F],
    "Adlam": [0x1E900, 0x1E943],
    "Mathematical letters": [0x1D400, 0x1D454, 0x1D7CE, 0x1D7FF],
    "Emoji": [0x1F600, 0x1F64F, 0x1F680, 0x1F6C5, 0x1F3FB, 0x1F3FF],
    "Punctuation": [0x21, 0x2F, 0x3A, 0x40, 0x5B, 0x60, 0x7B, 0x7E, 0x2010, 0x2027, 0x3001, 0x3011],
    "Numbers": [0x30, 0x39, 0xBC, 0xBE, 0x2150, 0x218B, 0x2460, 0x2473, 0x3220, 0x3229],
    "Full width": [0xFF01, 0xFF5E],
    "White space": [0x9, 0xD, 0x1C, 0x20, 0x85, 0x85, 0xA0, 0xA0, 0x2000, 0x200A, 0x2028, 0x2029],
    "Invisible": [0x200B, 0x200F, 0xFEFF, 0xFEFF, 0x2060, 0x2064, 0xAD, 0xAD],
    "Combining marks": [0x300, 0x36F, 0x20D0, 0x20F0],
}
CASES = [
    "",
    " ",
    "a",
    "ΟΔΟΣ ΟΔΟΣ. Σ ΑΣΑ ΣΑΣ'Σ",
    "İstanbul ISPARTA ıi İ",
    "STRASSE straße ẞ ŉ ǰ ﬁ ﬃ",
    "e\u0301 é Å Å ½ ² ① ﷺ",
    "👩‍👩‍👧 👍🏽 🇩🇪 1️⃣ ❤️",
    "a\u200bb a\ufeffb a\u00adb a\u2060b",
    "one\x1ctwo\x1dthree\x1efour\x1ffive\x85six\xa0seven",
    "_under_score __ _ a_b",
    "don't it's 3.14 1,000 a-b x@y.z #tag $5 50%",
    "\ud800 lone \udfff surrogates",
    "\x00 zero \x7f delete",
    "a" * 1200 + " long word",
    "x " * 3000,
    "!?" * 2500,
    "   leading and   trailing   ",
]


def conformance_of(vectorizer: TextSequenceVectorizer) -> tuple[list[str], dict[str, Any]]:
    """Return texts, and the arrays of their ids, values and offsets.

    A third of the texts is of one script. In a third, characters of many scripts stand between
    tokens of the vocabulary, and a third is made of tokens in lower, upper or mixed case.
    """
    texts = make_texts(list(vectorizer._token_numbers))
    found = vectorizer.transform(texts)
    features = getattr(found, "features", found)
    arrays = {
        "ids": features.indices.astype(np.int32),
        "values": features.data.astype(np.float32),
        "offsets": features.indptr.astype(np.int32),
    }
    return texts, arrays


def make_texts(tokens: list[str]) -> list[str]:
    """Return N_TEXTS texts, the same for the same tokens."""
    generator = np.random.default_rng(0)
    alphabets = [_characters(ranges) for ranges in SCRIPTS.values()]
    makers = (_in_one_script, _between_tokens, _in_any_case) if tokens else (_in_one_script,)
    texts = list(CASES)
    while len(texts) < N_TEXTS:
        make = makers[len(texts) % len(makers)]
        texts.append(make(generator, alphabets, tokens))
    return texts


def _in_one_script(
    generator: np.random.Generator, alphabets: list[list[str]], tokens: list[str]
) -> str:
    alphabet = _choose(generator, alphabets)
    return " ".join(_word(generator, alphabet, 8) for _ in range(6))


def _between_tokens(
    generator: np.random.Generator, alphabets: list[list[str]], tokens: list[str]
) -> str:
    words = [_choose(generator, tokens) for _ in range(6)]
    return "".join(word + _word(generator, _choose(generator, alphabets), 2) for word in words)


def _in_any_case(
    generator: np.random.Generator, alphabets: list[list[str]], tokens: list[str]
) -> str:
    words = [_choose(generator, tokens) for _ in range(8)]
    return " ".join(_choose(generator, [word, word.upper(), word.title()]) for word in words)


def _choose(generator: np.random.Generator, of: list[Any]) -> Any:
    return of[generator.integers(len(of))]


def _characters(ranges: list[int]) -> list[str]:
    """Return the characters of ranges of code points."""
    pairs = zip(ranges[::2], ranges[1::2], strict=True)
    return [chr(code) for first, last in pairs for code in range(first, last + 1)]


def _word(generator: np.random.Generator, alphabet: list[str], longest: int) -> str:
    """Return a word of characters of an alphabet."""
    return "".join(_choose(generator, alphabet) for _ in range(generator.integers(1, longest + 1)))
