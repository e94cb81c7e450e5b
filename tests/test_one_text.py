"""Tests of features of a single text: they equal those of many texts, to the last bit."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sk_ctxmem import TextSequenceVectorizer
from sk_ctxmem._features import _tfidf
from sk_ctxmem._features._csr import squared_norms

ODD_TEXTS = [
    "",
    " \n\t",
    "\0\0 a\0b",
    "é É ß İ",
    "the cat " * 3000,
    "x" * 5000 + " y",
    "日本語 テキスト",
    "a a a b b",
    "?!",
    "xyzzyx qqqqq",
]
SETTINGS = {
    "default": {},
    "words alone": {"char_ngram_range": None},
    "few features": {"min_df": 3, "max_features": 100},
    "characters": {"analyzer": "char", "ngram_range": (1, 3)},
    "long n-grams": {"ngram_range": (2, 3)},
    "few long n-grams": {"ngram_range": (3, 4), "max_features": 50},
    "single characters": {"ngram_range": (1, 1), "char_ngram_range": (1, 2), "lowercase": False},
    "short texts": {"max_length": 3},
    "longer than any text": {"ngram_range": (1, 400), "char_ngram_range": (2, 40)},
}


def assert_same_bits(one, many):
    """Raise unless two matrices are stored in the same way, to the bit."""
    assert one.shape == many.shape
    assert one.has_canonical_format
    for name in ("indptr", "indices", "data"):
        left, right = getattr(one, name), getattr(many, name)
        assert left.dtype == right.dtype
        assert_array_equal(left.view(np.int32), right.view(np.int32))


@pytest.mark.parametrize("name", SETTINGS)
def test_a_single_text_has_the_bits_that_it_has_among_others(name, docstrings):
    """Check that features and words of each text are the same alone and among others."""
    texts = docstrings["text"].tolist()
    vectorizer = TextSequenceVectorizer(**SETTINGS[name]).fit(texts[:300])
    texts = texts[250:450] + ODD_TEXTS
    together = vectorizer.transform(texts)
    for row, text in enumerate(texts):
        alone = vectorizer.transform([text])
        among = together[[row]]
        assert_same_bits(alone.features, among.features)
        assert_array_equal(alone.words, among.words)
        assert alone.words.dtype == among.words.dtype
        assert_array_equal(alone.offsets, among.offsets)


def test_a_single_text_counts_repeated_words_and_ngrams():
    """Check that an n-gram that stands in two words, or twice in one, counts each time."""
    vectorizer = TextSequenceVectorizer(ngram_range=(1, 1), char_ngram_range=(2, 2))
    vectorizer.fit(["banana bandana", "an", "na"])
    features = vectorizer.transform(["banana an banana"]).features
    by_name = dict(zip(vectorizer.get_feature_names_out(), features.toarray()[0], strict=True))
    ratio = by_name["char__an"] / by_name["char__na"]
    # "an" stands five times in these words, "na" four times
    idf = dict(zip(vectorizer.get_feature_names_out(), vectorizer.idf_, strict=True))
    weights = (np.log(5) + 1) * idf["char__an"], (np.log(4) + 1) * idf["char__na"]
    assert ratio == pytest.approx(weights[0] / weights[1])


@pytest.mark.parametrize("max_features", [None, 300])
def test_a_single_text_is_summed_up_in_the_order_of_many(max_features, docstrings, monkeypatch):
    """Check the order of the sum in the norm, which decides its last bit too seldom to be seen."""
    texts = docstrings["text"].tolist()[:200]
    vectorizer = TextSequenceVectorizer(max_features=max_features).fit(texts)
    orders, n_compared = [], 0

    def note(values, ends):
        orders.append(np.round(values, 6))
        return squared_norms(values, ends)

    monkeypatch.setattr(_tfidf, "squared_norms", note)
    for text in texts[:50]:
        orders.clear()
        vectorizer.transform([text])
        inside = vectorizer._char_ngrams
        counts = inside.counter.counts([text.lower()])
        counts = counts if inside.columns is None else counts[:, inside.columns]
        expected = (np.log(counts.data) + 1) * inside.idf[counts.indices]
        if counts.nnz:
            n_compared += 1
            assert_array_equal(orders[1], np.round(expected, 6))
    assert n_compared > 25
