"""word_contributions: from contributions of n-grams to contributions of words."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from .._features._text_reader import unfrozen
from .._features._tokenizers import ACCENTS
from .._features._vectorizer import (
    CHARACTER_PATTERN,
    WHITE_SPACE,
    WORD_PATTERN,
    TextSequenceVectorizer,
)

# Chinese characters and Japanese syllables, which no spaces separate into words.
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
SHOWN_WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s]")


# of FeatureUnion, and of a TextSequenceVectorizer in it
PREFIXES = re.compile(r"^.*?__(?:(?:word|char)__(?=.))?", re.DOTALL)


class WordContribution(NamedTuple):
    """Contribution of one word of a text; the word is ``text[start:end]``.

    Parameters
    ----------
    start : int
        Position of its first character in the text.

    end : int
        Position after its last character.

    word : str
        The word.

    contribution : float
        Contribution of the word, in log-odds.
    """

    start: int
    end: int
    word: str
    contribution: float


def word_contributions(
    text: Any, explanation: Any, vectorizer: Any = None
) -> tuple[list[WordContribution], float]:
    """Split the contributions of n-grams among the words of a text.

    The contribution of an n-gram is split evenly over its occurrences in the text and, at each
    occurrence, evenly over the words that it overlaps: half of the contribution of a word pair
    goes to each of its words, and that of a character n-gram to the word around it.

    Parameters
    ----------
    text : str
        The text of the explained row.

    explanation : DataFrame
        Lines of :meth:`~sk_ctxmem.ContextMemoryClassifier.explain` for this row only.

    vectorizer : transformer or None, default=None
        The fitted vectorizer, `vectorizer_` of the classifier, which defines how a text is split
        into n-grams. If None, or for vectorizers of other classes, the names of the n-grams are
        searched in the text.

    Returns
    -------
    words : list of WordContribution
        Each word and punctuation mark, in the order of the text, as (start, end, word,
        contribution). Each Chinese or Japanese character is a word.

    rest : float
        Contributions that belong to no word: of n-grams that are not found in the text, and of
        lines without a `feature`. The contributions of the words and the rest add up to the sum
        of `explanation`.

    Raises
    ------
    TypeError, ValueError
        If `text` is not a str, or `explanation` has more than one row.

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
            f"explanation has {len(rows)} rows, {rows[:3].tolist()} first, but must have one; "
            "select it with explanation[explanation['row'] == row]."
        )
    words = [(match.start(), match.end()) for match in SHOWN_WORD.finditer(text)]
    starts, ends = [start for start, _ in words], [end for _, end in words]
    totals = [0.0] * len(words)
    is_column = explanation["source"] == "column"  # whose name may be a word of the text
    named = explanation[explanation["feature"].notna() & ~is_column]
    is_word = named["source"] == "word"
    for lines, find in ((named[is_word], _find_tokens), (named[~is_word], _find_ngrams)):
        sums: dict = defaultdict(float)  # groupby fails on names with lone surrogates
        for name, contribution in zip(lines["feature"], lines["contribution"], strict=True):
            sums[name] += contribution
        found = find(text, unfrozen(vectorizer), set(sums))
        for name, contribution in sums.items():
            _share(float(contribution), found.get(name, []), starts, ends, totals)
    shown = zip(words, totals, strict=True)
    listed = [WordContribution(*span, text[slice(*span)], total) for span, total in shown]
    return listed, float(explanation["contribution"].sum()) - sum(totals)


def _share(contribution, spans, starts, ends, totals):
    """Add a contribution to the words that spans overlap, split evenly over spans and words."""
    touched = [range(bisect_right(ends, first), bisect_left(starts, end)) for first, end in spans]
    touched = [words for words in touched if len(words)]
    for words in touched:
        for word in words:
            totals[word] += contribution / len(touched) / len(words)


def _find_tokens(text, vectorizer, names):
    """Return the positions of words of the word memory: {name: list of (start, end)}."""
    clean, origins = _clean(text, vectorizer)
    if getattr(vectorizer, "analyzer", None) == "char":
        return _in_text(_character_ngrams(clean, {1}), names, origins)
    if isinstance(vectorizer, TextSequenceVectorizer):
        return _in_text(_own_tokens(text, clean, vectorizer), names, origins)
    return _in_text(_token_ngrams(clean, _token_spans(clean, vectorizer), 1), names, origins)


def _find_ngrams(text, vectorizer, names):
    """Return the positions of n-grams in a text: {name: list of (start, end)}."""
    clean, origins = _clean(text, vectorizer)
    if isinstance(vectorizer, TextSequenceVectorizer):
        return _find_columns(text, clean, vectorizer, names, origins)
    found = {}
    for analyzer, ngrams in _kinds_of_ngrams(vectorizer, names):
        wanted = set(ngrams.values())
        spans = _in_text(_ngrams(clean, vectorizer, analyzer, wanted), wanted, origins)
        for name, ngram in ngrams.items():
            if name not in found and ngram in spans:
                found[name] = spans[ngram]
    return found


def _own_tokens(text, clean, vectorizer):
    """Return the tokens that the vectorizer itself finds in a text; none if `clean` differs."""
    (own,) = vectorizer._clean([text])
    return vectorizer._locate_tokens(own) if clean.startswith(own) else []


def _find_columns(text, clean, vectorizer, names, origins):
    """Return the positions of n-grams that the vectorizer itself finds in a text.

    There are none if a `strip_accents` function does not read characters one by one.
    """
    if not clean.startswith(vectorizer._clean([text])[0]):
        return {}
    columns, starts, ends = vectorizer._locate_ngrams(text)
    distinct, inverse = np.unique(columns, return_inverse=True)
    column_names = vectorizer._names_of(distinct.tolist())
    spans = zip(inverse.tolist(), starts.tolist(), ends.tolist(), strict=True)
    return _in_text(((column_names[index], *span) for index, *span in spans), names, origins)


def _kinds_of_ngrams(vectorizer, names):
    """Return pairs of an analyzer and {feature name: n-gram}."""
    analyzer = getattr(vectorizer, "analyzer", None)
    if analyzer in ("word", "char", "char_wb"):
        return [(analyzer, {name: name for name in names})]
    ngrams = {name: PREFIXES.sub("", name, count=1) for name in names}
    return [(analyzer, ngrams) for analyzer in ("word", "char_wb", "char")]


def _ngrams(clean, vectorizer, analyzer, names):
    """Yield the n-grams of a clean text with their positions, in the lengths that names have."""
    if analyzer == "word":
        longest = 1 + max((name.count(" ") for name in names), default=0)
        return _token_ngrams(clean, _token_spans(clean, vectorizer), longest)
    lengths = set(map(len, names))
    return (_inside_ngrams if analyzer == "char_wb" else _character_ngrams)(clean, lengths)


def _in_text(ngrams, names, origins):
    """Return the positions in the original text of the n-grams in names."""
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
    """Yield character n-grams of words that are padded with a space on both sides."""
    for match in re.finditer(r"\S+", clean):
        padded = f" {match.group()} "
        for name, first, end in _character_ngrams(padded, lengths):
            inside = max(first - 1, 0), min(end - 1, len(padded) - 2)
            yield name, match.start() + inside[0], match.start() + inside[1]


def _token_spans(clean, vectorizer):
    """Return the positions of the words of a vectorizer in a clean text."""
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
    """Return a text as a vectorizer reads it, and the original position of each character."""
    pieces = list(text)
    if getattr(vectorizer, "lowercase", True):
        pieces = _lower(text)
    accents = getattr(vectorizer, "strip_accents", None)
    accents = accents if callable(accents) else ACCENTS.get(accents or "")
    if accents is not None:
        pieces = [accents(piece) for piece in pieces]
    clean = "".join(pieces)
    origins = [position for position, piece in enumerate(pieces) for _ in piece]
    if getattr(vectorizer, "analyzer", "word") == "word":
        return clean, origins
    clean, origins = _without_long_spaces(clean, origins)
    end = _end_of_reading(clean, getattr(vectorizer, "max_length", None))
    return clean[:end], origins[:end]


def _lower(text):
    """Return the lower case of each character, which has one or two characters."""
    lower = iter(text.lower())  # the whole text: a final Greek sigma has its own form
    return ["".join(islice(lower, len(character.lower()))) for character in text]


def _without_long_spaces(clean, origins):
    """Replace runs of spaces with one space, as character vectorizers do."""
    runs = [range(*match.span()) for match in WHITE_SPACE.finditer(clean)]
    dropped = {position for run in runs for position in run[1:]}
    kept = [origin for position, origin in enumerate(origins) if position not in dropped]
    return WHITE_SPACE.sub(" ", clean), kept


def _end_of_reading(clean, max_length):
    """Return the position after the last character that a vectorizer reads."""
    if max_length is None:
        return len(clean)
    read = list(islice(re.finditer(CHARACTER_PATTERN, clean), max_length))
    return read[-1].end() if len(read) == max_length else len(clean)
