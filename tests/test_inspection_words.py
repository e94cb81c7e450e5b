"""Tests of the contributions of words."""

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import make_union

from sk_ctxmem import TextSequenceVectorizer
from sk_ctxmem.inspection import word_contributions


def _lines(contributions, source="ngram"):
    """Return the lines of an explanation, from features and their contributions."""
    lines = {"row": 3, "source": source, "feature": list(contributions)}
    return pd.DataFrame(lines | {"contribution": list(contributions.values())})


def _by_word(text, contributions, vectorizer=None, source="ngram"):
    words, rest = word_contributions(text, _lines(contributions, source), vectorizer)
    assert all(text[word.start : word.end] == word.word for word in words)
    return {word.word: round(word.contribution, 6) for word in words}, rest


def test_an_ngram_is_split_over_its_places_and_its_words():
    """Check that a word pair that occurs twice gives a quarter to each of its four words."""
    vectorizer = TextSequenceVectorizer(char_ngram_range=None).fit(["so good , so good", "x"])
    words, rest = word_contributions("So good, so good", _lines({"so good": 4.0}), vectorizer)
    assert [(word.word, word.contribution) for word in words] == [
        ("So", 1.0),
        ("good", 1.0),
        (",", 0.0),
        ("so", 1.0),
        ("good", 1.0),
    ]
    assert rest == 0


def test_ngrams_inside_words_count_for_their_words():
    """Check n-grams that include the space around a word, and punctuation beside it."""
    vectorizer = TextSequenceVectorizer().fit(["well, no", "well"])
    contributions = {"char__ we": 1.0, "char__ll,": 3.0, "char__no ": 5.0, "word__no": 7.0}
    by_word, rest = _by_word("Well, NO", contributions, vectorizer)
    assert by_word == {"Well": 2.5, ",": 1.5, "NO": 12.0}
    assert rest == 0


def test_every_ngram_that_the_vectorizer_reads_is_found():
    """Check that the rest is zero for many vectorizers, with mixed case and spaces."""
    text = "Don't  STOP, 123 ΟΔΟΣ İzmir\tfoo_bar ... ok?"
    for vectorizer in (
        TextSequenceVectorizer(),
        TextSequenceVectorizer(ngram_range=(1, 3), char_ngram_range=None, lowercase=False),
        TextSequenceVectorizer(analyzer="char", ngram_range=(1, 3)),
        TextSequenceVectorizer(analyzer="char", char_ngram_range=(2, 4)),
        TfidfVectorizer(ngram_range=(1, 2), stop_words=["123"]),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), strip_accents="unicode"),
        TfidfVectorizer(analyzer="char", ngram_range=(2, 3)),
        CountVectorizer(token_pattern=r"(?u)\S+", lowercase=False),
        make_union(CountVectorizer(), TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3))),
    ):
        vectorizer.fit([text, "another text"])
        features = vectorizer.transform([text])
        columns = getattr(features, "features", features).nonzero()[1]
        names = [str(name) for name in vectorizer.get_feature_names_out()[columns]]
        names = [name for name in names if not name.split("__")[-1].isspace()]
        _, rest = word_contributions(text, _lines(dict.fromkeys(names, 1.0)), vectorizer)
        assert len(names) > 3
        assert rest == pytest.approx(0, abs=1e-9), vectorizer


def test_only_the_part_of_a_long_word_that_is_read_has_ngrams():
    """Check that a character n-gram does not occur beyond 1,000 characters of a word."""
    vectorizer = TextSequenceVectorizer().fit(["abc", "abc"])
    text = "." * 990 + "abc" + "." * 20 + "abc abc"
    words, rest = word_contributions(text, _lines({"char__abc": 2.0}), vectorizer)
    found = [word.contribution for word in words if word.word == "abc"]
    assert found == [1.0, 0.0, 1.0]
    assert rest == 0


def test_ngrams_are_found_in_columns_that_were_selected():
    """Check that min_df, which renumbers columns, changes no position."""
    texts = ["good day", "good night", "bad day"]
    vectorizer = TextSequenceVectorizer(min_df=2, char_ngram_range=(2, 2)).fit(texts)
    contributions = {"word__day": 1.0, "char__oo": 2.0, "word__bad": 4.0}
    by_word, rest = _by_word("Bad good day", contributions, vectorizer)
    assert by_word == {"Bad": 0.0, "good": 2.0, "day": 1.0}
    assert rest == 4


def test_chinese_characters_are_words_of_their_own():
    """Check that the contribution of two Chinese characters is split between them."""
    vectorizer = TextSequenceVectorizer(analyzer="char", ngram_range=(1, 3)).fit(["房间很好", "房"])
    by_word, rest = _by_word("房间很好 OK", {"房间": 2.0, "好": 3.0}, vectorizer)
    assert by_word == {"房": 1.0, "间": 1.0, "很": 0.0, "好": 3.0, "OK": 0.0}
    assert rest == 0


def test_ngrams_that_are_not_found_are_the_rest():
    """Check that contributions of n-grams that are not in the text are the rest."""
    lines = pd.concat([_lines({"yes": 1.0, "no": 2.0}), _lines({None: 4.0}, "structure")])
    words, rest = word_contributions("yes", lines)
    assert words == [(0, 3, "yes", 1.0)]
    assert rest == 6


def test_words_that_the_vectorizer_does_not_read_get_nothing():
    """Check that words after `max_length` have no contribution."""
    vectorizer = TextSequenceVectorizer(max_length=2).fit(["a b", "a b"])
    words, _ = word_contributions("a b a", _lines({"word__a": 1.0, "char__ a ": 1.0}), vectorizer)
    assert [word.contribution for word in words] == [2, 0, 0]


def test_words_of_the_word_memory_are_found():
    """Check that lines of the word memory are words, even if n-grams have prefixes."""
    vectorizer = TextSequenceVectorizer().fit(["word for word", "word"])
    by_word, rest = _by_word("For WORD", {"word": 1.0, "for": 2.0}, vectorizer, "word")
    assert by_word == {"For": 2.0, "WORD": 1.0}
    assert rest == 0


def test_names_may_have_lone_surrogates():
    """Check an n-gram with a lone surrogate."""
    feature = pd.Series(["a \ud800"], dtype=object)
    lines = pd.DataFrame({"row": 0, "source": "wide", "feature": feature, "contribution": [2.0]})
    words, rest = word_contributions("a \ud800 b", lines)
    assert [word.contribution for word in words] == [1.0, 1.0, 0.0]
    assert rest == 0


def test_an_empty_text_has_no_words():
    """Check that all contributions of an empty text are the rest."""
    lines = _lines({None: 0.5}, "structure")
    assert word_contributions("", lines) == ([], 0.5)
    assert word_contributions("", lines[:0]) == ([], 0.0)


def test_words_need_one_row_and_a_text():
    """Check the errors for an explanation of several rows and for a text that is not a str."""
    lines = pd.concat([_lines({"a": 1.0}), _lines({"a": 1.0}).assign(row=4)])
    with pytest.raises(ValueError, match=r"has 2 rows, \[3, 4\] first, but must have one"):
        word_contributions("a", lines)
    with pytest.raises(TypeError, match="must be a str: the text of the explained row"):
        word_contributions(np.array(["a"]), lines)
