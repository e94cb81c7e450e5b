"""Tests of the counts of n-grams over chunks of texts."""

from collections import Counter

import numpy as np
import pytest

from sk_ctxmem import TextSequenceVectorizer
from sk_ctxmem._features._text_counts import TextCounts

VECTORIZERS = [
    {},
    {"char_ngram_range": None},
    {"char_ngram_range": (2, 4)},
    {"analyzer": "char", "ngram_range": (1, 3)},
    {"ngram_range": (2, 3), "char_ngram_range": None},
    {"ngram_range": (3, 3), "char_ngram_range": None},
    {"lowercase": False, "ngram_range": (1, 4)},
    {"min_df": 3},
    {"min_df": 2, "max_features": 40},
    {"max_features": 25, "ngram_range": (2, 3)},
    {"max_length": 3},
    {"analyzer": "char", "max_length": 9, "ngram_range": (1, 3)},
]


def make_texts(n_texts=300, n_words=60, seed=0):
    """Texts of words as frequent as in language, some of them empty or with a capital letter."""
    random = np.random.default_rng(seed)
    words = np.array([f"w{chr(97 + n % 26)}{n}" for n in range(n_words)], dtype=object)
    shares = 1 / np.arange(1, n_words + 1)
    lengths = random.integers(0, 9, n_texts)
    draws = [random.choice(words, length, p=shares / shares.sum()) for length in lengths]
    return ["No  way ! " * (n % 50 == 0) + " ".join(row) for n, row in enumerate(draws)]


def count(texts, chunk, most_counted=10**6, **parameters):
    """Count texts in chunks of so many."""
    counts = TextCounts(TextSequenceVectorizer(**parameters), most_counted)
    for first in range(0, len(texts), chunk):
        counts.add(texts[first : first + chunk])
    return counts


def assert_same(vectorizer, expected, texts):
    """Check that two fitted vectorizers are one."""
    vectorizer._check_learned()
    assert list(vectorizer.vocabulary_.items()) == list(expected.vocabulary_.items())
    assert vectorizer.char_ngram_range_ == expected.char_ngram_range_
    names = vectorizer.get_feature_names_out()
    np.testing.assert_array_equal(names, expected.get_feature_names_out())
    np.testing.assert_allclose(vectorizer.idf_, expected.idf_, rtol=1e-6)
    ours, theirs = vectorizer.transform(texts), expected.transform(texts)
    np.testing.assert_allclose(ours.features.toarray(), theirs.features.toarray(), atol=1e-6)
    np.testing.assert_array_equal(ours.words, theirs.words)


@pytest.mark.parametrize("parameters", VECTORIZERS, ids=str)
def test_counts_of_chunks_make_the_vectorizer_of_all_texts(parameters):
    """Check that chunks give what a fit in memory learns: words, weights, names, features."""
    texts = make_texts()
    expected = TextSequenceVectorizer(**parameters).fit(texts)
    vectorizer = count(texts, 37, **parameters).make_vectorizer()
    assert_same(vectorizer, expected, [*texts, "never seen wa0 wb1", "wa0"])


@pytest.mark.parametrize("parameters", VECTORIZERS, ids=str)
def test_counts_that_were_sent_merge_into_those_of_both(parameters):
    """Check that counts of two parts of the texts, made plain, give the vectorizer of all."""
    texts = make_texts()
    both = TextCounts(TextSequenceVectorizer(**parameters))
    for part in (texts[:120], texts[120:]):
        both.merge_plain(count(part, 50, **parameters).as_plain())
    expected = TextSequenceVectorizer(**parameters).fit(texts)
    assert_same(both.make_vectorizer(), expected, texts)


def test_plain_counts_are_numbers_arrays_and_strings():
    """Check that what is sent to another process needs no class of ours."""
    plain = count(make_texts(50), 20).as_plain()
    tokens, levels, smallest, forgotten = plain["char_ngrams"]
    assert {type(token) for token in tokens} == {str}
    assert all(type(level) is np.ndarray and level.dtype == np.int64 for level in levels)
    assert [type(plain["n_texts"]), type(plain["n_tokens"]), smallest, forgotten] == [
        int,
        int,
        3,
        0,
    ]


def test_n_grams_of_characters_end_with_the_tokens_of_auto(monkeypatch):
    """Check that "auto" leaves n-grams of characters out as soon as there are too many tokens."""
    texts = make_texts()
    monkeypatch.setattr("sk_ctxmem._features._vectorizer.MOST_TOKENS_OF_AUTO", 500)
    early, all_of_them = count(texts[:60], 20), count(texts, 20)
    assert early.char_ngrams is not None
    assert all_of_them.char_ngrams is None
    early.merge(count(texts[60:], 20))
    assert early.char_ngrams is None
    assert_same(all_of_them.make_vectorizer(), TextSequenceVectorizer().fit(texts), texts)


def exact_counts(texts):
    """Count the texts with each word and each pair of words."""
    found = Counter()
    for text in texts:
        tokens = TextSequenceVectorizer()._words_of(text)
        found.update({*tokens, *zip(tokens, tokens[1:], strict=False)})
    return found


def counted(counts):
    """Return the number of texts of each word and pair, and what may be missing from it."""
    tokens = list(counts.tokens)
    single, double = counts.levels
    found = dict(zip(tokens, zip(single.n_texts, single.missed, strict=True), strict=True))
    for key, *numbers in zip(double.keys, double.n_texts, double.missed, strict=True):
        found[tokens[key >> 32], tokens[key & (2**32 - 1)]] = tuple(numbers)
    return found


@pytest.mark.parametrize("n_parts", [1, 3])
def test_forgetting_keeps_what_is_frequent_within_the_bounds_of_lossy_counting(n_parts):
    """Check the promise of lossy counting, also for counts that were merged."""
    texts = make_texts(2000, n_words=400)
    counts = TextCounts(TextSequenceVectorizer(char_ngram_range=None), 600)
    for part in range(n_parts):
        counts.merge(count(texts[part::n_parts], 100, 600, char_ngram_range=None))
    exact, found = exact_counts(texts), counted(counts.words)
    assert len(counts.words) <= 600 < len(exact)
    assert counts.words.forgotten > 0
    frequent = {gram for gram, number in exact.items() if number > counts.words.forgotten}
    assert frequent <= set(found)
    for gram, (n_texts, missed) in found.items():
        assert n_texts <= exact[gram] <= n_texts + missed
        assert missed <= counts.words.forgotten


def test_a_vectorizer_of_forgetful_counts_is_whole():
    """Check that a vectorizer can be made, used and checked after n-grams were forgotten."""
    texts = make_texts(2000, n_words=400)
    counts = count(texts, 100, 3000, ngram_range=(2, 3), char_ngram_range=(3, 5))
    counts.char_ngrams.forget(5)
    assert counts.words.forgotten > 0
    vectorizer = counts.make_vectorizer(most_features=100)
    vectorizer._check_learned()
    names = set(TextSequenceVectorizer(ngram_range=(2, 3)).fit(texts).get_feature_names_out())
    assert set(vectorizer.get_feature_names_out()) <= names
    assert len(vectorizer.idf_) == 200
    assert vectorizer.transform(texts).features.nnz > 1000


def test_n_grams_of_one_text_can_be_forgotten():
    """Check that forgetting those of one text leaves the rest, and the words, as they were."""
    texts = make_texts()
    counts = count(texts, 50, char_ngram_range=None)
    counts.words.forget(1)
    expected = TextSequenceVectorizer(char_ngram_range=None, min_df=2).fit(texts)
    assert_same(counts.make_vectorizer(), expected, texts)


def test_a_character_that_begins_no_n_gram_is_not_forgotten():
    """Check that what n-grams end with stays, though it is not counted for itself."""
    counts = count(["ab", "cd", "ab", "ab"], 2, char_ngram_range=(3, 3))
    counts.char_ngrams.forget(1)
    names = counts.make_vectorizer().get_feature_names_out()
    assert [name for name in names if name.startswith("char__")] == ["char__ ab", "char__ab "]


def test_no_texts_with_words_are_an_error():
    """Check that counting nothing but white space ends as a fit does."""
    with pytest.raises(ValueError, match="no word in any of its texts"):
        count(["", "  "], 1).make_vectorizer()


def test_too_large_a_min_df_is_an_error():
    """Check that a min_df above the number of texts ends as in a fit."""
    with pytest.raises(ValueError, match="min_df=9 is more than the 2 texts"):
        count(["a b", "a"], 1, min_df=9).make_vectorizer()


def test_an_illegal_parameter_is_an_error_before_counting():
    """Check that the parameters of the vectorizer are checked at once."""
    with pytest.raises(ValueError, match="min_df=0"):
        TextCounts(TextSequenceVectorizer(min_df=0))
