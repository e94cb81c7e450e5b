"""Tests of what a model file may set its objects to: patterns, parameters and vocabularies."""

import re

import numpy as np
import pytest
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import StandardScaler

from sk_ctxmem import TextSequenceVectorizer
from sk_ctxmem._model._trusted_classes import check_safe_params, is_bounded_regex

QUICK = [
    *("", "a", "a*", "a+b?", "a{2,3}b*", r"(?u)\b\w\w+\b", r"\w+|\S"),
    *(r"\(+\)+", r"\*\+\?\{a+b*", r"[(*+?{]+", r"[^(*+?{]+", r"[](*]+", r"[^](*]+", r"[\]+*?]a+"),
    *("(?u)" + "a" * 196, "a" * 200, "\\\n+"),
]
SLOW = [
    *("(a)", "(a+)+b", "(?:a|a)*", "(?i)a", "a(?u)", "(?u)(?u)a", r"\\(a", "[a](b)", "[]a](b)"),
    *("a*b*c*", "a+b+c+", "a?b?c?", "a{2}b{3}c{4}", "a*?b+", "a*[b]+c{2}", r"\\*\\*\\*"),
    *("a" * 201, b"a", None, 1, re.compile("a")),
]


@pytest.mark.parametrize("pattern", QUICK)
def test_patterns_of_two_repetitions_are_quick(pattern):
    """Check that nothing but repetitions counts: no escapes, no letters of a set."""
    assert is_bounded_regex(pattern) is True


@pytest.mark.parametrize("pattern", SLOW, ids=repr)
def test_groups_and_more_repetitions_are_not_seen_to_be_quick(pattern):
    """Check that groups, a third repetition, long patterns and other things are refused."""
    assert is_bounded_regex(pattern) is False


def numbered(*numbers, cls=CountVectorizer):
    """Return a vectorizer whose words have these numbers."""
    vectorizer = cls()
    vectorizer.vocabulary_ = {f"word{place}": number for place, number in enumerate(numbers)}
    return vectorizer


HARMLESS = {
    "no estimator": object(),
    "defaults": CountVectorizer(),
    "hashing": HashingVectorizer(),
    "scaler": StandardScaler(),
    "sequences": TextSequenceVectorizer(),
    "union": FeatureUnion([("words", TfidfVectorizer())]),
    "pipeline": Pipeline([("words", TfidfTransformer())]),
    "longest n-gram": CountVectorizer(ngram_range=(100, 100)),
    "shortest n-gram": CountVectorizer(ngram_range=(1, 1)),
    "numbers of numpy": CountVectorizer(ngram_range=(np.int64(1), np.int64(2))),
    "characters": CountVectorizer(analyzer="char"),
    "characters of words": TfidfVectorizer(analyzer="char_wb"),
    "no pattern": CountVectorizer(token_pattern=None),
    "one column": HashingVectorizer(n_features=1),
    "most columns": HashingVectorizer(n_features=2**31 - 1),
    "vocabulary": numbered(1, 0, 2),
    "empty vocabulary": numbered(),
}
FILES = ": other values are not allowed in model files."
PATTERN = (
    " must be a pattern without groups and of at most 2 repetitions: other patterns may not "
    "terminate on some texts."
)
GAPS = "The words of vocabulary_ are not numbered from 0 without gaps."
HARMFUL = {
    "file names": (
        CountVectorizer(input="filename"),
        f"input='filename' must be 'content'{FILES}",
    ),
    "files": (HashingVectorizer(input="file"), f"input='file' must be 'content'{FILES}"),
    "cache": (Pipeline([("a", None)], memory="x"), f"memory='x' must be None{FILES}"),
    "processes": (FeatureUnion([], n_jobs=2), f"n_jobs=2 must be None{FILES}"),
    "one process": (FeatureUnion([], n_jobs=1), f"n_jobs=1 must be None{FILES}"),
    "long value": (
        Pipeline([("a", None)], memory="x" * 99),
        f"memory='{'x' * 59} must be None{FILES}",
    ),
    **{
        f"n-grams {pair}": (
            cls(ngram_range=pair),
            f"ngram_range={pair!r} must be a pair from 1 to 100.",
        )
        for cls, pair in [
            (CountVectorizer, (0, 1)),
            (CountVectorizer, (2, 1)),
            (TfidfVectorizer, (1, 101)),
            (HashingVectorizer, (1.0, 2)),
            (CountVectorizer, (1, 2.0)),
        ]
    },
    "analyzer": (
        CountVectorizer(analyzer=len),
        "analyzer=<built-in function len> must be one of ('word', 'char', 'char_wb').",
    ),
    "pattern": (CountVectorizer(token_pattern="(a+)+b"), f"token_pattern='(a+)+b'{PATTERN}"),
    "pattern of hashing": (HashingVectorizer(token_pattern="(a)"), f"token_pattern='(a)'{PATTERN}"),
    "no columns": (HashingVectorizer(n_features=0), "n_features=0 must be from 1 to 2147483647."),
    "many columns": (
        HashingVectorizer(n_features=2**31),
        "n_features=2147483648 must be from 1 to 2147483647.",
    ),
    "gap": (numbered(0, 2), GAPS),
    "negative": (numbered(-1, 0), GAPS),
    "twice": (numbered(0, 0, cls=TfidfVectorizer), GAPS),
    "from one": (numbered(1, 2), GAPS),
}


@pytest.mark.parametrize("value", HARMLESS.values(), ids=HARMLESS)
def test_harmless_parameters_are_accepted(value):
    """Check the limits themselves, and that only what is there is checked."""
    assert check_safe_params(value) is None


@pytest.mark.parametrize(("value", "message"), HARMFUL.values(), ids=HARMFUL)
def test_harmful_parameters_are_named(value, message):
    """Check that each is refused, with its name, its value and what may be there."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        check_safe_params(value)
