"""Texts and conversations on which JavaScript has to agree with Python."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

N_TEXTS = 1000
N_CONVERSATIONS = 40
LENGTHS = (
    1,
    2,
    3,
    5,
    8,
    13,
    45,
    100,
)  # turns; attention sees 38, as many as the longest of the fit
SPEAKERS = ("user", "system", "somebody else", None)
SCRIPTS = (  # first and last code points of letters, marks, digits and signs
    *((0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x58A)),
    *((0x590, 0x5F4), (0x600, 0x6FF), (0x700, 0x74F), (0x900, 0x97F), (0x980, 0x9FF)),
    *((0xB80, 0xBFF), (0xE00, 0xE5B), (0xF00, 0xFFF), (0x10A0, 0x10FF), (0x1100, 0x11FF)),
    *((0x1200, 0x137F), (0x13A0, 0x13FF), (0x1780, 0x17FF), (0x1E00, 0x1FFF), (0x2000, 0x206F)),
    *((0x2070, 0x20BF), (0x2100, 0x218F), (0x2460, 0x24FF), (0x2C00, 0x2C5F), (0x3000, 0x30FF)),
    *((0x4E00, 0x4E80), (0xA640, 0xA69F), (0xAC00, 0xAC80), (0xFB00, 0xFB4F), (0xFE00, 0xFEFF)),
    *((0xFF00, 0xFFEF), (0x10400, 0x1044F), (0x1D400, 0x1D7FF), (0x1F300, 0x1F64F)),
)
WHITE_SPACE = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
NO_WHITE_SPACE = "\ufeff\u200b\u200c\u200d\u2060\x00\x1b\x7f\u180e"
EDGES = (
    *(
        "",
        " ",
        WHITE_SPACE,
        NO_WHITE_SPACE,
        ".",
        "a",
        "?!",
        "___",
        "_ _",
        "don't",
        "a-b",
        "1,234.5",
    ),
    *("ΟΔΥΣΣΕΥΣ", "Σ", "ΑΣ.", "ΑΣ Σ", "Α\u0301Σ\u0301", "İstanbul", "IıİI", "STRASSE ẞ ß", "ŉ ǰ ﬁ"),
    *(
        "Ⅷ ½ ² ① ٣ 四",
        "é e\u0301",
        "👍🏽 👨‍👩‍👧 🇩🇪",
        "𝐘𝐞𝐬 𝟙",
        "𐐀𐐨",
        "\ud800",
        "yes \udc00 please",
        "\udfffno",
    ),
    *("yes\x1cplease", "yes\x85please", "yes\ufeffplease", "yes\u200bplease", "\u3000yes\u3000"),
    *("<b>yes</b> &amp; 'no'", "</script><!--", '"\\n" \\ `${1}`', "yes " * 3000, "y" * 3000),
    *("no, " * 1100, "a" * 999 + "yes", "a" * 1000 + "yes", "👍" * 1200, "yes." * 2047 + "no"),
    *(
        "Ja, bitte.",
        "はい、お願いします。",
        "نعم من فضلك",
        "כן, בבקשה",
        "हाँ, कृपया",
        "예, 부탁합니다",
        "ใช่ค่ะ",
    ),
)


def make_texts(words: Sequence[str]) -> list[str]:
    """Return texts in many scripts: edge cases, known words, and characters at random."""
    random = np.random.RandomState(0)
    makers = (_join_words, _draw_letters, _mix)
    n_made = N_TEXTS - len(EDGES)
    return [*EDGES, *(makers[number % len(makers)](random, words) for number in range(n_made))]


def make_conversations(texts: Sequence[str]) -> list[list[tuple[str, str | None]]]:
    """Return conversations of some of the texts, by known, unknown and missing speakers."""
    random = np.random.RandomState(0)
    short = [text for text in texts if len(text) < 100]
    talks = []
    for number in range(N_CONVERSATIONS):
        n_turns = LENGTHS[number % len(LENGTHS)]
        speakers = random.choice(len(SPEAKERS), n_turns, p=[0.4, 0.4, 0.1, 0.1])
        chosen = random.choice(len(short), n_turns)
        talks.append([(short[i], SPEAKERS[s]) for i, s in zip(chosen, speakers, strict=True)])
    return talks


def _join_words(random: np.random.RandomState, words: Sequence[str]) -> str:
    """Return known words in a random case, with white space or signs between them."""
    chosen = random.choice(len(words), random.randint(1, 7))
    cases = (str, str.upper, str.title)
    gaps = (" ", " ", " ", ", ", ". ", "-", *WHITE_SPACE)
    parts = [
        cases[random.randint(3)](words[word]) + gaps[random.randint(len(gaps))] for word in chosen
    ]
    return "".join(parts)


def _draw_letters(random: np.random.RandomState, words: Sequence[str]) -> str:
    """Return characters of one script, with some spaces."""
    first, last = SCRIPTS[random.randint(len(SCRIPTS))]
    points = random.randint(first, last + 1, random.randint(1, 40))
    points[random.rand(len(points)) < 0.15] = ord(" ")
    return "".join(map(chr, points))


def _mix(random: np.random.RandomState, words: Sequence[str]) -> str:
    """Return known words and characters of a script, one after the other."""
    return _join_words(random, words) + _draw_letters(random, words) + _join_words(random, words)
