"""From the contributions of n-grams to those of the words of a text."""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from itertools import islice
from typing import NamedTuple

from sklearn.feature_extraction.text import strip_accents_ascii, strip_accents_unicode

from .._features._vectorizer import (
    CHARACTER_PATTERN,
    WHITE_SPACE,
    WORD_PATTERN,
    TextSequenceVectorizer,
)

# Chinese characters and Japanese syllables: there are no spaces that would tell words apart.
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
SHOWN_WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s]")
ACCENTS = {"ascii": strip_accents_ascii, "unicode": strip_accents_unicode}


class WordContribution(NamedTuple):
    """What one word of a text contributed: ``text[start:end]`` is the word.

    Parameters
    ----------
    start : int
        Where the word begins in the text.

    end : int
        Where it has ended.

    word : str
        The word.

    contribution : float
        What it contributed, in log-odds.
    """

    start: int
    end: int
    word: str
    contribution: float


def word_contributions(text, explanation, vectorizer=None):
    """Share the contributions of n-grams out among the words of a text.

    The contribution of an n-gram is split evenly over the places in the text where it stands
    and, at each place, evenly over the words that it is part of: a pair of words counts half
    for each of them, and some characters of a word for that word.

    Parameters
    ----------
    text : str
        The text of the row that was explained.

    explanation : DataFrame
        Lines of :meth:`~sk_ctxmem.ContextMemoryClassifier.explain` of this row alone.

    vectorizer : transformer or None, default=None
        The fitted vectorizer, `vectorizer_` of the classifier. It says how texts are split into
        n-grams; without it, and for vectorizers that are not known, their names are looked for
        in the text.

    Returns
    -------
    words : list of WordContribution
        Each word and punctuation mark in the order of the text, with (start, end, word,
        contribution). Each Chinese or Japanese character is one.

    rest : float
        What no word has: contributions of n-grams that are not found in the text, and of
        lines that have no `feature`. All contributions and the rest add up to the sum of
        `explanation`.

    Raises
    ------
    TypeError, ValueError
        If `text` is no str, or `explanation` holds more than one row.

    Examples
    --------
    >>> import pandas as pd
    >>> from sk_ctxmem.inspection import word_contributions
    >>> lines = pd.DataFrame({"row": 0, "source": "wide", "feature": ["not good", "not", None],
    ...                       "contribution": [-1.0, -0.5, 0.25]})
    >>> word_contributions("Not good!", lines)[0][0]
    WordContribution(start=0, end=3, word='Not', contribution=-1.0)
    """
    if not isinstance(text, str):
        raise TypeError(f"text={text!r:.100} must be a str: the text of the explained row.")
    rows = explanation["row"].unique()
    if len(rows) > 1:
        raise ValueError(
            f"explanation holds {len(rows)} rows, {rows[:3].tolist()} first, but must hold one; "
            "choose it as in explanation[explanation['row'] == row]."
        )
    words = [(match.start(), match.end()) for match in SHOWN_WORD.finditer(text)]
    starts, ends = [start for start, _ in words], [end for _, end in words]
    totals = [0.0] * len(words)
    named = explanation[explanation["feature"].notna()]
    is_word = named["source"] == "word"
    for lines, find in ((named[is_word], _find_tokens), (named[~is_word], _find_ngrams)):
        sums: dict = defaultdict(float)  # a groupby would refuse names with lone surrogates
        for name, contribution in zip(lines["feature"], lines["contribution"], strict=True):
            sums[name] += contribution
        found = find(text, vectorizer, set(sums))
        for name, contribution in sums.items():
            _share(float(contribution), found.get(name, []), starts, ends, totals)
    shown = zip(words, totals, strict=True)
    listed = [WordContribution(*span, text[slice(*span)], total) for span, total in shown]
    return listed, float(explanation["contribution"].sum()) - sum(totals)


def _share(contribution, spans, starts, ends, totals):
    """Add a contribution to the words that spans overlap, even over spans and over words."""
    touched = [range(bisect_right(ends, first), bisect_left(starts, end)) for first, end in spans]
    touched = [words for words in touched if len(words)]
    for words in touched:
        for word in words:
            totals[word] += contribution / len(touched) / len(words)


def _find_tokens(text, vectorizer, names):
    """Return where the words of the word memory stand: {name: list of (start, end)}."""
    clean, origins = _clean(text, vectorizer)
    if getattr(vectorizer, "analyzer", None) == "char":
        return _in_text(_character_ngrams(clean, {1}), names, origins)
    return _in_text(_token_ngrams(clean, _token_spans(clean, vectorizer), 1), names, origins)


def _find_ngrams(text, vectorizer, names):
    """Return where n-grams stand in a text: {name: list of (start, end)}."""
    clean, origins = _clean(text, vectorizer)
    found = {}
    for analyzer, ngrams in _kinds_of_ngrams(vectorizer, names):
        wanted = set(ngrams.values())
        spans = _in_text(_ngrams(clean, vectorizer, analyzer, wanted), wanted, origins)
        for name, ngram in ngrams.items():
            if name not in found and ngram in spans:
                found[name] = spans[ngram]
    return found


def _kinds_of_ngrams(vectorizer, names):
    """Return pairs of an analyzer and {name of a feature: its n-gram}."""
    analyzer = getattr(vectorizer, "analyzer", None)
    if isinstance(vectorizer, TextSequenceVectorizer) and vectorizer.char_ngram_range_ is not None:
        return [(analyzer, _of_kind("word__", names)), ("char_wb", _of_kind("char__", names))]
    if analyzer in ("word", "char", "char_wb"):
        return [(analyzer, {name: name for name in names})]
    ngrams = {name: name.split("__", 1)[-1] for name in names}  # FeatureUnion has prefixes
    return [(analyzer, ngrams) for analyzer in ("word", "char_wb", "char")]


def _of_kind(prefix, names):
    return {name: name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def _ngrams(clean, vectorizer, analyzer, names):
    """Yield the n-grams of a clean text with their places, of the lengths that names have."""
    if analyzer == "word":
        longest = 1 + max((name.count(" ") for name in names), default=0)
        return _token_ngrams(clean, _token_spans(clean, vectorizer), longest)
    lengths = set(map(len, names))
    return (_inside_ngrams if analyzer == "char_wb" else _character_ngrams)(clean, lengths)


def _in_text(ngrams, names, origins):
    """Return the places in the text as it was of n-grams that have a name."""
    found = defaultdict(list)
    for name, first, end in ngrams:
        if name in names and end > first:
            found[name].append((origins[first], origins[end - 1] + 1))
    return dict(found)


def _token_ngrams(clean, spans, longest):
    for first in range(len(spans)):
        name = ""
        for start, end in spans[first : first + longest]:
            name += " " * bool(name) + clean[start:end]
            yield name, spans[first][0], end


def _character_ngrams(clean, lengths):
    for length in lengths:
        for first in range(len(clean) - length + 1):
            yield clean[first : first + length], first, first + length


def _inside_ngrams(clean, lengths):
    """Yield n-grams of characters of words, each with a space before and after it."""
    for match in re.finditer(r"\S+", clean):
        padded = f" {match.group()} "
        for name, first, end in _character_ngrams(padded, lengths):
            inside = max(first - 1, 0), min(end - 1, len(padded) - 2)
            yield name, match.start() + inside[0], match.start() + inside[1]


def _token_spans(clean, vectorizer):
    """Return where the words that a vectorizer reads stand in a clean text."""
    if hasattr(vectorizer, "build_tokenizer"):
        skipped = vectorizer.get_stop_words() or ()
        return list(_locate(vectorizer.build_tokenizer()(clean), clean, skipped))
    return [match.span() for match in re.finditer(WORD_PATTERN, clean)]


def _locate(tokens, clean, skipped):
    end = 0
    for token in tokens:
        start = clean.find(token, end)
        if start >= 0:
            end = start + len(token)
            if token not in skipped:
                yield start, end


def _clean(text, vectorizer):
    """Return a text as a vectorizer reads it, and the place in the text of each character."""
    pieces = list(text)
    if getattr(vectorizer, "lowercase", True):
        pieces = _lower(text)
    accents = ACCENTS.get(getattr(vectorizer, "strip_accents", None) or "")
    if accents is not None:
        pieces = [accents(piece) for piece in pieces]
    clean = "".join(pieces)
    origins = [place for place, piece in enumerate(pieces) for _ in piece]
    pattern = WORD_PATTERN
    if getattr(vectorizer, "analyzer", "word") != "word":
        pattern = CHARACTER_PATTERN
        clean, origins = _without_long_spaces(clean, origins)
    end = _end_of_reading(clean, pattern, getattr(vectorizer, "max_length", None))
    return clean[:end], origins[:end]


def _lower(text):
    """Return what each character becomes in lower case: one or two characters."""
    lower = iter(text.lower())  # as a whole: the last sigma of a Greek word has a form of its own
    return ["".join(islice(lower, len(character.lower()))) for character in text]


def _without_long_spaces(clean, origins):
    """Put one space in the place of several, as vectorizers of characters do."""
    dropped = {place for found in WHITE_SPACE.finditer(clean) for place in range(*found.span())[1:]}
    kept = [place for number, place in enumerate(origins) if number not in dropped]
    return WHITE_SPACE.sub(" ", clean), kept


def _end_of_reading(clean, pattern, max_length):
    """Return where a vectorizer stops reading, after its last word or character."""
    if max_length is None:
        return len(clean)
    read = list(islice(re.finditer(pattern, clean), max_length))
    return read[-1].end() if len(read) == max_length else len(clean)
