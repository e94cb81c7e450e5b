"""Tests of the parameters that TextSequenceVectorizer shares with CountVectorizer."""

import pickle

import numpy as np
import pandas as pd
import pytest
from _hostile import small
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem._features._text_counts import TextCounts
from sk_ctxmem.inspection import word_contributions

TEXTS = [
    "The café is not the same as the cafe, is it?",
    "So it IS, naïvely speaking: not the same!",
    "well-known words, or the unknown; 1 2 3",
    "",
    "Über-cool naïve words ... the the the",
    "cafe\u0301 e\u0301clair, İstanbul ΟΔΟΣ \u00bd ﬁne",
    "same same but different",
]
LABELS = ["a", "b", "a", "b", "a", "b", "a"]


def split(text):
    """Split a text at spaces."""
    return text.split(" ")


def stem(text):
    """Return the first three letters of each word, backwards: not in the text at all."""
    return [word[:3][::-1] + "*" for word in text.split()]


SETTINGS = {
    "pattern": {"token_pattern": r"(?u)\b\w\w+\b"},
    "pattern with a group": {"token_pattern": r"\b(\w)\w*"},
    "pattern whose group may take no part": {"token_pattern": r"(\d)|\w+"},
    "pattern that looks ahead": {"token_pattern": r"\w+(?=,)"},
    "tokenizer": {"tokenizer": split},
    "tokenizer of stems": {"tokenizer": stem},
    "tokenizer without a pattern": {"tokenizer": split, "token_pattern": None},
    "stop words": {"stop_words": ["the", "is", ","]},
    "English stop words": {"stop_words": "english"},
    "stop words of a tokenizer": {"tokenizer": split, "stop_words": ["the", "same"]},
    "max_df": {"max_df": 2},
    "share of max_df": {"max_df": 0.4},
    "min_df and max_df": {"max_df": 0.5, "min_df": 2},
    "max_df and max_features": {"max_df": 3, "max_features": 7},
    "unicode": {"strip_accents": "unicode"},
    "ascii": {"strip_accents": "ascii"},
    "function of accents": {"strip_accents": str.swapcase},
    "accents in cases": {"strip_accents": "unicode", "lowercase": False},
    "characters": {"analyzer": "char", "strip_accents": "unicode", "max_df": 0.6},
    "all": {
        "token_pattern": r"(?u)\b\w+\b",
        "stop_words": ["the", "cafe"],
        "strip_accents": "unicode",
        "max_df": 0.9,
        "ngram_range": (1, 3),
    },
}


def plain(**settings):
    """Return a vectorizer without n-grams inside words, which returns a matrix."""
    defaults = {"char_ngram_range": None, "output": "sparse"}
    return TextSequenceVectorizer(**(defaults | settings))


def reference(**settings):
    """Return the vectorizer of scikit-learn with the same parameters."""
    defaults = {"ngram_range": (1, 2), "sublinear_tf": True, "token_pattern": r"\w+|[^\w\s]"}
    if "tokenizer" in settings or settings.get("analyzer") == "char":
        defaults["token_pattern"] = None
    return TfidfVectorizer(**(defaults | settings))


@pytest.mark.parametrize("name", SETTINGS)
def test_features_are_those_of_scikit_learn(name):
    """Check names and weights, of texts of fit and of others."""
    ours, theirs = plain(**SETTINGS[name]), reference(**SETTINGS[name])
    found, expected = ours.fit_transform(TEXTS), theirs.fit_transform(TEXTS).toarray()
    names, their_names = ours.get_feature_names_out(), theirs.get_feature_names_out()
    if name != "max_df and max_features":  # equally frequent n-grams are chosen by their order
        assert sorted(names) == sorted(their_names)
        order = [list(their_names).index(each) for each in names]
        assert_allclose(found.toarray(), expected[:, order], rtol=1e-5, atol=1e-7)
        others = ["the cafe, ", "never heard the same", "", "ÉCLAIR 1"]
        expected = theirs.transform(others).toarray()[:, order]
        assert_allclose(ours.transform(others).toarray(), expected, rtol=1e-5, atol=1e-7)
    assert len(names) == len(their_names) == len(ours.idf_)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("char_ngram_range", [None, (2, 4)])
def test_one_text_and_counts_have_the_bits_of_many(name, char_ngram_range):
    """Check the way of a single text, counts of chunks, a clone and a pickle."""
    settings = SETTINGS[name] | {"char_ngram_range": char_ngram_range, "output": "sequences"}
    vectorizer = TextSequenceVectorizer(**settings).fit(TEXTS)
    expected = vectorizer.transform(TEXTS)
    counts = TextCounts(clone(vectorizer))
    for start in range(0, len(TEXTS), 3):
        counts.add(TEXTS[start : start + 3])
    for other in (pickle.loads(pickle.dumps(vectorizer)), counts.make_vectorizer()):
        assert_array_equal(other.transform(TEXTS).features.toarray(), expected.features.toarray())
        assert_array_equal(other.transform(TEXTS).words, expected.words)
        assert other.get_params() == vectorizer.get_params()
    for row, text in enumerate(TEXTS):
        one = vectorizer.transform([text])
        assert_array_equal(one.features.toarray(), expected.features[[row]].toarray())
        assert_array_equal(one.words, expected[[row]].words)


@pytest.mark.parametrize("name", SETTINGS)
def test_ngrams_and_words_are_found_in_the_text(name):
    """Check that each n-gram that a text has is found, and stands for what its name says."""
    settings = SETTINGS[name] | {"char_ngram_range": (3, 4)}
    vectorizer = TextSequenceVectorizer(**settings).fit(TEXTS)
    names = vectorizer.get_feature_names_out()
    for row, features in enumerate(vectorizer.transform(TEXTS).features.toarray()):
        columns, starts, ends = vectorizer._locate_ngrams(TEXTS[row])
        assert set(columns) == set(np.flatnonzero(features))
        (clean,) = vectorizer._clean([TEXTS[row]])
        tokens = vectorizer._locate_tokens(clean)
        shown = [token for token, _, _ in tokens if not token.isspace()]
        assert shown == vectorizer._words_of(TEXTS[row])
        for token, start, end in tokens:
            assert clean[start:end] == token or (name == "tokenizer of stems" and start == end)
        explanation = pd.DataFrame(
            {"row": 0, "source": "ngram", "feature": names[features > 0], "contribution": 1.0}
        )
        words, rest = word_contributions(TEXTS[row], explanation, vectorizer)
        total = sum(word.contribution for word in words)
        assert total + rest == pytest.approx(len(explanation))
        is_exact = name not in ("tokenizer of stems", "pattern whose group may take no part")
        if is_exact and TEXTS[row]:  # split finds one empty word in the empty text
            assert abs(rest) < 1e-6


def test_a_word_of_a_stop_word_pair_gets_half_of_it():
    """Check that a pair over a stop word is located at both its words."""
    vectorizer = TextSequenceVectorizer(stop_words=["the"], char_ngram_range=None)
    vectorizer.fit(["not the same", "the same not"])
    explanation = pd.DataFrame(
        {"row": 0, "source": ["wide", "word"], "feature": ["not same", "same"]}
    ).assign(contribution=[2.0, 1.0])
    words, rest = word_contributions("Not the SAME", explanation, vectorizer)
    shares = {word.word: word.contribution for word in words}
    assert shares["SAME"] == pytest.approx(1 + 2 / 3)  # a pair is split over what it spans
    assert rest == pytest.approx(0)


def test_accents_that_cannot_be_located_go_to_the_rest():
    """Check that a function that needs the whole text neither fails nor misplaces words."""
    vectorizer = TextSequenceVectorizer(strip_accents=lambda text: "start " + text)
    vectorizer.fit(["one two", "two three"])
    explanation = pd.DataFrame(
        {"row": 0, "source": ["wide", "word"], "feature": "word__one", "contribution": 2.0}
    )
    words, rest = word_contributions("one two", explanation, vectorizer)
    assert [word.contribution for word in words] == [0, 0]
    assert rest == 4.0


@pytest.mark.parametrize("settings", [{"token_pattern": r"\w+"}, {"tokenizer": split}])
def test_max_length_counts_words_of_any_kind(settings):
    """Check that so many tokens are read, where there are more marks than words."""
    text = " ".join(f"word{number} ! ! !" for number in range(9))
    vectorizer = TextSequenceVectorizer(max_length=5, **settings).fit([text, text])
    n_words = 5 if "token_pattern" in settings else 2
    numbers = [f"word{number}" for number in range(n_words)]
    assert [word for word in vectorizer._words_of(text) if word != "!"] == numbers
    assert len(vectorizer.transform([text]).words) == 5
    explanation = pd.DataFrame({"row": 0, "source": "word", "feature": numbers, "contribution": 1})
    words, rest = word_contributions(text, explanation, vectorizer)
    assert sum(word.contribution for word in words) == n_words
    assert rest == 0


def test_words_of_the_memory_are_without_stop_words():
    """Check that the sequences skip stop words, and explanations too."""
    texts = ["not the same", "the same not", "same the same", "not not"] * 4
    vectorizer = TextSequenceVectorizer(stop_words=["the"])
    clf = small(vectorizer=vectorizer, word_memory=True).fit(texts, ["a", "b"] * 8)
    assert set(clf.vectorizer_.vocabulary_) == {"not", "same"}
    explanation = clf.explain(texts, rows=[0])
    is_word = explanation["source"] == "word"
    assert set(explanation.loc[is_word, "feature"]) == {"not", "same"}


# --- values


def fit_counts(**settings):
    """Return a vectorizer that was fitted from counts."""
    counts = TextCounts(TextSequenceVectorizer(**settings))
    counts.add(TEXTS)
    return counts.make_vectorizer()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"output": "csr"}, ValueError, "output='csr' must be 'sequences' or 'sparse'; use"),
        ({"output": None}, TypeError, "output=None must be 'sequences' or 'sparse'; use"),
        ({"max_df": 1.5}, ValueError, "max_df=1.5 must be a share of the texts"),
        ({"max_df": 0}, ValueError, "max_df=0 must be .* an integer of at least 1; use 1.0"),
        ({"max_df": -0.1}, ValueError, "max_df=-0.1 must be"),
        ({"max_df": np.nan}, ValueError, "max_df=nan must be"),
        ({"max_df": True}, TypeError, "max_df=True must be"),
        ({"max_df": "1"}, TypeError, "max_df='1' must be"),
        ({"token_pattern": "("}, ValueError, r"token_pattern='\(' must be a regular expression"),
        ({"token_pattern": "(a)(b)"}, ValueError, r"token_pattern='\(a\)\(b\)' has 2 groups"),
        ({"token_pattern": b"a"}, TypeError, "token_pattern=b'a' must be a regular expression"),
        ({"token_pattern": None}, ValueError, "token_pattern=None needs a tokenizer"),
        ({"tokenizer": "split"}, TypeError, "tokenizer='split' must be a function or None"),
        ({"stop_words": "german"}, ValueError, "stop_words='german' must be 'english', a list"),
        ({"stop_words": ["a", 1]}, TypeError, r"stop_words=\['a', 1\] must be"),
        ({"stop_words": {"a": 1}}, TypeError, "stop_words={'a': 1} must be"),
        ({"strip_accents": "utf8"}, ValueError, "strip_accents='utf8' must be 'ascii', 'unicode'"),
        ({"strip_accents": True}, TypeError, "strip_accents=True must be"),
        ({"max_df": 1, "min_df": 2}, ValueError, "max_df=1 and min_df=2 leave no n-gram"),
        ({"max_df": 0.0}, ValueError, "max_df=0.0 and min_df=1 leave no n-gram: none occurs in"),
        ({"tokenizer": lambda text: None}, TypeError, "tokenizer=.* returned None, not a list"),
        ({"tokenizer": str.upper}, TypeError, "tokenizer=.* returned 'THE .*, not a list of str"),
        ({"tokenizer": lambda text: [1]}, TypeError, "returned 1 of type int in a list of tokens"),
        ({"strip_accents": len}, TypeError, "strip_accents returned 44, not a str"),
        ({"token_pattern": "@"}, ValueError, "X has no word in any .* change token_pattern"),
        ({"tokenizer": lambda text: []}, ValueError, "X has no word .* change tokenizer"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_bad_values_are_named(settings, error, message):
    """Check that fit, and a fit of counts, name the parameter, its value and what is expected."""
    with pytest.raises(error, match=message):
        TextSequenceVectorizer(**settings).fit(TEXTS)
    with pytest.raises(error, match=message):
        fit_counts(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tokenizer": split, "token_pattern": "a"}, "token_pattern is not used, since tokenizer"),
        ({"analyzer": "char", "tokenizer": split}, "tokenizer is not used, since analyzer='char'"),
        ({"analyzer": "char", "stop_words": "english"}, "stop_words is not used, since analyzer"),
        ({"analyzer": "char", "token_pattern": "a"}, "token_pattern is not used, since analyzer"),
        ({"stop_words": ["The", "isn't"]}, r"stop_words are split into \[\"'\", 'isn', 't', 'the'"),
    ],
)
def test_parameters_without_effect_are_told(settings, message):
    """Check that fit warns, and that a copy out of a pickle does not."""
    with pytest.warns(UserWarning, match=message):
        vectorizer = TextSequenceVectorizer(**settings).fit(TEXTS)
    pickle.loads(pickle.dumps(vectorizer)).transform(TEXTS)


# --- output="sparse"


FRAME = pd.DataFrame({"text": TEXTS, "color": ["red", "blue"] * 3 + ["red"], "other": TEXTS[::-1]})


def test_a_sparse_output_is_the_features_of_the_sequences():
    """Check bits, type and index of the matrix."""
    sequences = TextSequenceVectorizer().fit_transform(TEXTS)
    vectorizer = TextSequenceVectorizer(output="sparse")
    found = vectorizer.fit_transform(TEXTS)
    assert type(found) is sparse.csr_array
    assert found.indices.dtype == np.int32
    assert (found != sequences.features).nnz == 0
    assert (vectorizer.transform(TEXTS) != sequences.features).nnz == 0
    assert type(vectorizer.transform(TEXTS[:1])) is sparse.csr_array
    with pytest.raises(TypeError, match=r"output='sparse'"):
        np.asarray(sequences)


def test_a_column_transformer_and_a_union_take_it():
    """Check shapes and names, and a classifier of scikit-learn after them."""
    text = TextSequenceVectorizer(output="sparse")
    columns = ColumnTransformer(
        [("text", text, "text"), ("other", text, ["other"]), ("color", OneHotEncoder(), ["color"])]
    )
    found = columns.fit_transform(FRAME)
    n_columns = text.fit_transform(TEXTS).shape[1]
    assert found.shape == (7, 2 * n_columns + 2)
    names = columns.get_feature_names_out()
    assert (len(names), names[-1]) == (found.shape[1], "color__color_red")
    assert names[0].startswith("text__word__")
    union = make_union(text, TfidfVectorizer())
    assert union.fit_transform(TEXTS).shape[1] == len(union.get_feature_names_out())
    for solver in ("lbfgs", "liblinear", "saga"):
        regression = LogisticRegression(solver=solver, max_iter=5000, C=100)
        for before, X in ((columns, FRAME), (union, TEXTS), (text, TEXTS)):
            assert make_pipeline(before, regression).fit(X, LABELS).predict(X).shape == (7,)


@pytest.mark.parametrize("other", ["drop", StandardScaler(), OneHotEncoder()], ids=str)
def test_a_column_transformer_of_sequences_names_the_parameter(other):
    """Check that the error says how to get n-grams, with any columns beside the texts."""
    number = FRAME.assign(number=range(7))
    columns = ColumnTransformer([("a", TextSequenceVectorizer(), "text"), ("b", other, ["number"])])
    with pytest.raises(TypeError, match=r"or TextSequenceVectorizer\(output='sparse'\)"):
        columns.fit_transform(number)


def test_it_has_no_set_output_as_count_vectorizer_has_none():
    """Check that a frame of texts cannot be asked for."""
    columns = ColumnTransformer([("text", TextSequenceVectorizer(output="sparse"), "text")])
    assert not hasattr(TextSequenceVectorizer(), "set_output")
    with pytest.raises(ValueError, match="`set_output` is not available"):
        columns.set_output(transform="pandas")


def test_a_classifier_takes_it_and_is_saved_with_it(tmp_path):
    """Check that the classifier predicts what it does with sequences, and after a file."""
    settings = {"stop_words": ["the", ","], "strip_accents": "ascii", "max_df": 0.9}
    settings |= {"token_pattern": r"(?u)\b\w+\b", "output": "sparse"}
    clf = small(vectorizer=TextSequenceVectorizer(**settings))
    clf.fit(TEXTS, LABELS, groups=[0, 0, 0, 1, 1, 1, 1])
    other = small(vectorizer=TextSequenceVectorizer(**(settings | {"output": "sequences"})))
    other.fit(TEXTS, LABELS, groups=[0, 0, 0, 1, 1, 1, 1])
    expected = other.predict_proba(TEXTS, groups=np.zeros(7))
    assert_array_equal(clf.predict_proba(TEXTS, groups=np.zeros(7)), expected)
    clf.save(tmp_path / "model")
    for loaded in (
        ContextMemoryClassifier.load(tmp_path / "model"),
        pickle.loads(pickle.dumps(clf)),
    ):
        assert_array_equal(loaded.predict_proba(TEXTS, groups=np.zeros(7)), expected)
        assert loaded.vectorizer_.get_params() == clf.vectorizer_.get_params()
        session = loaded.session()
        found = [list(session.predict_proba_one(text)) for text in TEXTS]
        assert_allclose(found, expected, atol=1e-6)
        assert set(loaded.explain(TEXTS[:1], groups=[0])["feature"].dropna()) >= {"word__cafe"}
    with pytest.raises(ValueError, match="word_memory=True requires the words"):
        clf.set_params(word_memory=True).fit(TEXTS, LABELS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tokenizer": split}, "vectorizer.tokenizer=<function split.*contains no code"),
        ({"strip_accents": split}, "strip_accents=<function split"),
        (
            {"token_pattern": r"(a+)+"},
            r"token_pattern='\(a\+\)\+' must be a pattern without groups",
        ),
    ],
)
def test_functions_and_slow_patterns_are_pickled_but_not_saved(settings, message, tmp_path):
    """Check the error of save, and that a pickle keeps the classifier."""
    vectorizer = TextSequenceVectorizer(**settings)
    texts = ["a b", "aa b", "aaa", "b a"]
    if "strip_accents" in settings:
        vectorizer.set_params(strip_accents=swap)
        message = "strip_accents=<function swap"
    clf = small(vectorizer=vectorizer).fit(texts, ["a", "b"] * 2)
    with pytest.raises(TypeError, match=message):
        clf.save(tmp_path / "model")
    loaded = pickle.loads(pickle.dumps(clf))
    assert_array_equal(loaded.predict_proba(texts), clf.predict_proba(texts))


def swap(text):
    """Return a text with other cases."""
    return text.swapcase()


def test_parameters_at_their_defaults_are_not_in_files():
    """Check that files hold what older versions read, unless a parameter was changed."""
    for settings, n_found in (({}, 0), ({"max_df": 1, "stop_words": []}, 2)):
        clf = small(vectorizer=TextSequenceVectorizer(min_df=1, max_length=9)).fit(TEXTS, LABELS)
        clf.vectorizer_.set_params(**settings)
        plain_state = str(clf.__getstate__()["plain"])
        found = [f"'{name}'" in plain_state for name in TextSequenceVectorizer._added_parameters]
        assert sum(found) == n_found
        loaded = pickle.loads(pickle.dumps(clf)).vectorizer_
        assert loaded.get_params() == clf.vectorizer_.get_params()


def test_names_in_a_union_are_found_in_the_text():
    """Check that n-grams of a union with this vectorizer are located as its own."""
    union = make_union(TextSequenceVectorizer(output="sparse"), TfidfVectorizer())
    clf = small(vectorizer=union).fit(TEXTS, LABELS)
    explanation = clf.explain(TEXTS, rows=[6])
    own = explanation[explanation["source"].isin(["ngram", "wide"])]
    _, rest = word_contributions(TEXTS[6], own, clf.vectorizer_)
    assert abs(rest) < 1e-9
