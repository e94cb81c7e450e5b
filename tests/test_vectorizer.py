"""Tests of TextSequenceVectorizer and of the container that it returns."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from _polars import polars_frame, polars_series
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier, TextSequences, TextSequenceVectorizer

TEXTS = ["Yes, we do.", "Do you?", "", "we do not know", "   ", "unheard-of words", "Do we know ?"]


@pytest.fixture(scope="module")
def texts(docstrings):
    """Lines of real docstrings."""
    return docstrings["text"].tolist()[:200]


def assert_same_sequences(left, right):
    """Raise unless two containers have the same rows."""
    assert left.shape == right.shape
    assert_array_equal(left.features.toarray(), right.features.toarray())
    assert_array_equal(left.words, right.words)
    assert_array_equal(left.offsets, right.offsets)
    assert left.vocabulary_size == right.vocabulary_size


def words_of(vectorizer, sequences, row):
    """Return the words of a row as strings, "?" for unknown ones."""
    names = {number: word for word, number in vectorizer.vocabulary_.items()}
    ids = sequences.words[sequences.offsets[row] : sequences.offsets[row + 1]]
    return [names.get(number, "?") for number in ids.tolist()]


INPUT_FORMS = {
    "tuple": tuple,
    "ndarray of objects": lambda texts: np.array(texts, dtype=object),
    "ndarray of str": np.array,
    "column of an ndarray": lambda texts: np.array(texts, dtype=object)[:, np.newaxis],
    "column of an ndarray of str": lambda texts: np.array(texts)[:, np.newaxis],
    "Series": pd.Series,
    "Series of objects": lambda texts: pd.Series(texts, dtype=object),
    "Series of str": lambda texts: pd.Series(texts, dtype="string"),
    "Series with an odd index": lambda texts: pd.Series(texts, index=range(9, 9 - len(texts), -1)),
    "Categorical": pd.Categorical,
    "Series of categories": lambda texts: pd.Series(texts, dtype="category"),
    "Index": pd.Index,
    "polars Series": polars_series,
    "frame": lambda texts: pd.DataFrame({"said": texts}),
    "frame with a number as name": lambda texts: pd.DataFrame({0: texts}),
    "polars frame": polars_frame,
    "list of numpy str": lambda texts: [np.str_(text) for text in texts],
}
if np.lib.NumpyVersion(np.__version__) >= "2.0.0":
    StringDType = np.dtypes.StringDType
    INPUT_FORMS["ndarray of StringDType"] = lambda texts: np.array(texts, dtype=StringDType())


@pytest.mark.parametrize("form", INPUT_FORMS.values(), ids=INPUT_FORMS)
def test_all_input_forms_give_the_same_result(form):
    """Check that fit, fit_transform and transform read any form of texts as they read a list."""
    expected = TextSequenceVectorizer().fit_transform(TEXTS)
    vectorizer = TextSequenceVectorizer()
    assert_same_sequences(vectorizer.fit_transform(form(TEXTS)), expected)
    assert_same_sequences(vectorizer.transform(form(TEXTS)), expected)
    assert_same_sequences(vectorizer.fit(form(TEXTS)).transform(TEXTS), expected)


def first_clear_cut(counts, at_least):
    """Find the first number of features, at least this one, with a rarer one behind the last."""
    falling = np.sort(counts)[::-1]
    return at_least + int(np.argmax(falling[at_least - 1 : -1] > falling[at_least:]))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ngram_range": (1, 3), "min_df": 2},
        {"ngram_range": (2, 2)},
        {"ngram_range": (3, 4), "min_df": 2},
        {"lowercase": False, "max_features": 50},
        {"analyzer": "char", "ngram_range": (1, 3), "max_features": 500},
    ],
    ids=str,
)
def test_features_are_those_of_tfidf_vectorizer(texts, settings):
    """Check that features and their names equal those of scikit-learn's TfidfVectorizer."""
    token_pattern = None if "analyzer" in settings else r"\w+|[^\w\s]"
    defaults = {"ngram_range": (1, 2), "token_pattern": token_pattern}
    if "max_features" in settings:
        # Each version of numpy has other docstrings, and with them other ties.
        unlimited = CountVectorizer(**(defaults | settings | {"max_features": None}))
        counts = np.asarray(unlimited.fit_transform(texts[:150]).sum(axis=0)).ravel()
        settings = settings | {"max_features": first_clear_cut(counts, settings["max_features"])}
    ours = TextSequenceVectorizer(char_ngram_range=None, **settings)
    theirs = TfidfVectorizer(sublinear_tf=True, **(defaults | settings))
    features = ours.fit_transform(texts[:150]).features
    expected = theirs.fit_transform(texts[:150])
    order = [theirs.vocabulary_[name] for name in ours.get_feature_names_out()]
    assert sorted(order) == list(range(expected.shape[1]))
    assert features.dtype == np.float32
    assert_allclose(features.toarray(), expected[:, order].toarray(), rtol=1e-5)
    assert_allclose(ours.idf_, theirs.idf_[order], rtol=1e-5)
    unseen = ours.transform(texts[150:]).features
    assert_allclose(unseen.toarray(), theirs.transform(texts[150:])[:, order].toarray(), rtol=1e-5)


def test_features_inside_words_stand_beside_those_of_words(texts):
    """Check that char_ngram_range appends scikit-learn's char_wb features, in names and values."""
    ours = TextSequenceVectorizer(ngram_range=(1, 1), char_ngram_range=(2, 3))
    features = ours.fit_transform(texts).features
    words = TextSequenceVectorizer(ngram_range=(1, 1), char_ngram_range=None).fit(texts)
    inside = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3), sublinear_tf=True)
    right = inside.fit_transform(texts)
    n_words = words.transform(texts).shape[1]
    assert features.shape == (len(texts), n_words + right.shape[1])
    assert_array_equal(features[:, :n_words].toarray(), words.transform(texts).features.toarray())
    found = [name.removeprefix("char__") for name in ours.get_feature_names_out()[n_words:]]
    theirs = [inside.vocabulary_[name] for name in found]
    assert len(set(theirs)) == right.shape[1]
    assert_allclose(features[:, n_words:].toarray(), right[:, theirs].toarray(), rtol=1e-5)
    expected = [f"word__{name}" for name in words.get_feature_names_out()]
    expected += [f"char__{name}" for name in sorted(found, key=lambda name: (len(name), name))]
    assert ours.get_feature_names_out().tolist() == expected


@pytest.mark.parametrize(
    ("settings", "most_tokens", "expected"),
    [
        ({}, 20, (3, 5)),
        ({}, 19, None),
        ({"analyzer": "char"}, 10**6, None),
        ({"char_ngram_range": None}, 20, None),
        ({"char_ngram_range": [2, 3]}, 19, (2, 3)),
    ],
)
def test_inner_ngrams_are_added_where_texts_are_few(settings, most_tokens, expected, monkeypatch):
    """Check that "auto" depends on the number of words of fit, here 20, and on the analyzer."""
    monkeypatch.setattr("sk_ctxmem._features._vectorizer.MOST_TOKENS_OF_AUTO", most_tokens)
    vectorizer = TextSequenceVectorizer(**settings).fit(TEXTS)
    assert vectorizer.char_ngram_range_ == expected
    has_both = any(name.startswith("char__") for name in vectorizer.get_feature_names_out())
    assert has_both == (expected is not None)
    explicit = TextSequenceVectorizer(**{**settings, "char_ngram_range": expected}).fit(TEXTS)
    assert_same_sequences(vectorizer.transform(TEXTS), explicit.transform(TEXTS))


def test_words_keep_their_order_and_those_of_one_text_are_unknown():
    """Check that words come in the order of the text, and that words of one text alone are 0."""
    vectorizer = TextSequenceVectorizer()
    sequences = vectorizer.fit_transform(["b a , c", "a b b", "only , c"])
    assert vectorizer.vocabulary_ == {",": 1, "a": 2, "b": 3, "c": 4}
    assert sequences.words.tolist() == [3, 2, 1, 4, 2, 3, 3, 0, 1, 4]
    assert sequences.offsets.tolist() == [0, 4, 7, 10]
    assert sequences.vocabulary_size == 5
    assert (sequences.words.dtype, sequences.offsets.dtype) == (np.int32, np.int64)


def test_a_word_repeated_in_one_text_alone_is_unknown():
    """Check that texts, not occurrences, decide whether a word gets a number."""
    vectorizer = TextSequenceVectorizer().fit(["again again again", "once", "once more"])
    assert vectorizer.vocabulary_ == {"once": 1}


def test_never_seen_words_are_unknown_and_have_no_features():
    """Check that transform gives a new word the number 0 and no feature."""
    vectorizer = TextSequenceVectorizer(char_ngram_range=None).fit(TEXTS)
    sequences = vectorizer.transform(["zebra do xylophone"])
    assert words_of(vectorizer, sequences, 0) == ["?", "do", "?"]
    assert sequences.words[[0, 2]].tolist() == [0, 0]
    present = vectorizer.get_feature_names_out()[sequences.features.indices]
    assert present.tolist() == ["do"]


def test_an_empty_text_has_no_words_and_no_features():
    """Check that empty and blank texts are legal, in fit and in transform."""
    vectorizer = TextSequenceVectorizer()
    fitted = vectorizer.fit_transform(TEXTS)
    alone = vectorizer.transform(["", " \n\t"])
    assert np.diff(fitted.offsets)[[2, 4]].tolist() == [0, 0]
    assert np.diff(fitted.features.indptr)[[2, 4]].tolist() == [0, 0]
    assert (alone.shape, alone.features.nnz) == ((2, fitted.shape[1]), 0)
    assert alone.offsets.tolist() == [0, 0, 0]
    assert len(alone.words) == 0


@pytest.mark.parametrize(
    ("settings", "first_ten"),
    [
        ({}, "one two three , four one two three , four"),
        ({"char_ngram_range": (2, 3)}, "one two three , four one two three , four"),
        ({"analyzer": "char", "ngram_range": (1, 2)}, "one two thre"),
    ],
    ids=str,
)
def test_max_length_bounds_features_and_words(settings, first_ten):
    """Check that a text of 100,000 words is read as its first max_length words alone."""
    vectorizer = TextSequenceVectorizer(max_length=10, **settings)
    vectorizer.fit(["one two three , four", "four , three two one"])
    sequences = vectorizer.transform(["one two three , four " * 20_000, first_ten])
    assert np.diff(sequences.offsets).tolist() == [10, 10]
    assert sequences[0].words.any()  # not all of them unknown
    assert_same_sequences(sequences[0], sequences[1])


def test_max_length_also_bounds_what_fit_learns():
    """Check that words after the first max_length neither get a number nor a feature."""
    vectorizer = TextSequenceVectorizer(max_length=2, ngram_range=(1, 1), char_ngram_range=None)
    vectorizer.fit(["one two three four", "one two three five"])
    assert vectorizer.vocabulary_ == {"one": 1, "two": 2}
    assert vectorizer.get_feature_names_out().tolist() == ["one", "two"]


def test_chinese_is_read_by_characters():
    """Check that analyzer="char" makes each Chinese character a word, in order."""
    texts = ["我不知道。", "你知道吗？", "我 知道。"]
    vectorizer = TextSequenceVectorizer(analyzer="char", ngram_range=(1, 3))
    sequences = vectorizer.fit_transform(texts)
    assert set(vectorizer.vocabulary_) == set("我知道。")
    assert words_of(vectorizer, sequences, 0) == ["我", "?", "知", "道", "。"]
    assert words_of(vectorizer, sequences, 2) == ["我", "知", "道", "。"]
    assert "不知道" in vectorizer.get_feature_names_out()


def test_lowercase_makes_cases_equal_in_words_and_features():
    """Check that lowercase=True, and only that, reads YES as yes."""
    cased = ["YES we do", "yes WE do"]
    lower = TextSequenceVectorizer().fit_transform(cased)
    assert lower.words.tolist() == [3, 2, 1, 3, 2, 1]
    assert_same_sequences(lower[0], lower[1])
    kept = TextSequenceVectorizer(lowercase=False).fit_transform(cased)
    assert kept.words.tolist() == [0, 0, 1, 0, 0, 1]


INDICES = {
    "int": (3, [3]),
    "negative int": (-1, [6]),
    "numpy int": (np.int64(2), [2]),
    "slice": (slice(1, 6, 2), [1, 3, 5]),
    "backward slice": (slice(None, None, -1), [6, 5, 4, 3, 2, 1, 0]),
    "mask": (np.arange(7) % 3 == 0, [0, 3, 6]),
    "list of bools": ([True] + [False] * 5 + [True], [0, 6]),
    "array": (np.array([5, 2, 2, -7]), [5, 2, 2, 0]),
    "list": ([6, 0], [6, 0]),
    "rows of scikit-learn": ((np.array([4, 1]), ...), [4, 1]),
    "rows and all columns": ((slice(2, 4), slice(None)), [2, 3]),
    "nothing": (slice(0, 0), []),
}


@pytest.mark.parametrize(("index", "rows"), INDICES.values(), ids=INDICES)
def test_taking_rows_equals_vectorizing_those_rows(index, rows):
    """Check that rows taken from a container are those of the texts taken alike."""
    vectorizer = TextSequenceVectorizer().fit(TEXTS)
    taken = vectorizer.transform(TEXTS)[index]
    assert isinstance(taken, TextSequences)
    assert len(taken) == len(rows)
    if rows:
        assert_same_sequences(taken, vectorizer.transform([TEXTS[row] for row in rows]))
    else:
        assert (taken.shape[1], len(taken.words), taken.offsets.tolist()) == (
            vectorizer.transform(["x"]).shape[1],
            0,
            [0],
        )


def test_taking_rows_leaves_the_container_as_it_was():
    """Check that indexing copies nothing back into the whole."""
    vectorizer = TextSequenceVectorizer().fit(TEXTS)
    sequences = vectorizer.transform(TEXTS)
    sequences[[5, 0]]
    assert_same_sequences(sequences, vectorizer.transform(TEXTS))


@pytest.mark.parametrize("index", [(slice(None), 0), (0, [1, 2])], ids=str)
def test_columns_cannot_be_taken(index):
    """Check that an index of columns is refused, with the place of the features."""
    sequences = TextSequenceVectorizer().fit_transform(TEXTS)
    with pytest.raises(IndexError, match=r"Only rows of TextSequences .* see \.features"):
        sequences[index]


def test_a_row_that_is_not_there_cannot_be_taken():
    """Check that a number past the last row is refused."""
    with pytest.raises(IndexError, match="7 is out of bounds"):
        TextSequenceVectorizer().fit_transform(TEXTS)[7]


@pytest.mark.parametrize("convert", [np.asarray, np.array, np.sum], ids=["asarray", "array", "sum"])
def test_the_container_does_not_become_an_array(convert):
    """Check that words are not lost silently by a conversion to an array."""
    sequences = TextSequenceVectorizer().fit_transform(TEXTS)
    with pytest.raises(TypeError, match=r"cannot become an array.*sequences\.features"):
        convert(sequences)


def test_the_container_tells_its_sizes():
    """Check what the container shows of itself."""
    vectorizer = TextSequenceVectorizer(ngram_range=(1, 1), char_ngram_range=None)
    sequences = vectorizer.fit_transform(["yes , yes", "no"])
    assert repr(sequences) == "TextSequences(n_rows=2, n_features=3, n_words=4)"
    assert (len(sequences), sequences.shape) == (2, (2, 3))


class CountingVectorizer(TextSequenceVectorizer):
    calls = 0

    def fit_transform(self, X, y=None):
        type(self).calls += 1
        return super().fit_transform(X, y)


def test_a_pipeline_takes_the_container_from_its_cache(tmp_path, texts):
    """Check that the second fit reads the vectorized texts from joblib.Memory."""
    targets = np.arange(len(texts)) % 2
    network = ContextMemoryClassifier(hidden_size=16, max_epochs=1, random_state=0)
    cache = joblib.Memory(tmp_path, verbose=0)
    CountingVectorizer.calls = 0
    results = []
    for _ in range(2):
        pipeline = make_pipeline(CountingVectorizer(), clone(network), memory=cache)
        results.append(pipeline.fit(texts, targets).predict_proba(texts))
    assert CountingVectorizer.calls == 1
    uncached = make_pipeline(TextSequenceVectorizer(), network).fit(texts, targets)
    assert_array_equal(results[1], results[0])
    assert_array_equal(results[1], uncached.predict_proba(texts))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"analyzer": "words"}, ValueError, "analyzer='words' must be 'word' or 'char'; use"),
        ({"analyzer": str.split}, TypeError, "analyzer=<.*> must be 'word' or 'char'; use"),
        ({"ngram_range": (2, 1)}, ValueError, r"ngram_range=\(2, 1\) must be a pair with 1 <="),
        ({"ngram_range": (0, 1)}, ValueError, r"ngram_range=\(0, 1\) .*use \(1, 2\)"),
        ({"ngram_range": 2}, TypeError, "ngram_range=2 must be a pair of integers; use"),
        ({"ngram_range": "12"}, TypeError, "ngram_range='12' must be a pair of integers"),
        ({"ngram_range": (1, 2.0)}, TypeError, r"ngram_range=\(1, 2.0\) must be a pair of int"),
        ({"char_ngram_range": (3, 2)}, ValueError, r"char_ngram_range=\(3, 2\) must be a pair"),
        ({"char_ngram_range": True}, TypeError, "char_ngram_range=True must be a pair of int"),
        ({"char_ngram_range": "on"}, ValueError, "char_ngram_range='on' must be 'auto'"),
        ({"lowercase": 1}, TypeError, "lowercase=1 must be True or False"),
        ({"min_df": 0}, ValueError, "min_df=0 must be an integer of at least 1; use 1"),
        ({"min_df": 0.5}, TypeError, "min_df=0.5 must be an integer of at least 1; use 1"),
        ({"max_features": 0}, ValueError, "max_features=0 must be an integer .* or None"),
        ({"max_features": True}, TypeError, "max_features=True must be an integer .* or None"),
        ({"max_length": -1}, ValueError, "max_length=-1 must be an integer .*; use 2048"),
        ({"max_length": None}, TypeError, "max_length=None must be an integer .*; use 2048"),
    ],
    ids=str,
)
def test_bad_parameters_are_named_when_fit_starts(settings, error, message):
    """Check that a parameter that is not legal is refused with its value and a legal one."""
    with pytest.raises(error, match=message):
        TextSequenceVectorizer(**settings).fit(TEXTS)


BAD_INPUT = {
    "bare str": ("yes", TypeError, r"X is one string, 'yes', .*; pass \[X\] for a single text"),
    "bare bytes": (b"yes", TypeError, r"X is one string, b'yes', .*; pass \[X\]"),
    "bytes": (["yes", b"no"], TypeError, r"X has b'no' of type bytes in row 1, .*\.decode\(\)"),
    "None": (["yes", "no", None], ValueError, "X has no text in row 2: None; drop the row, or"),
    "NaN": (
        ["yes", np.nan],
        ValueError,
        "X has no text in row 1: nan; drop the row, or replace the value by ''",
    ),
    "NA": (["yes", pd.NA], ValueError, "X has no text in row 1: <NA>; drop the row"),
    "NaT": (["yes", pd.NaT], ValueError, "X has no text in row 1: NaT; drop the row"),
    "NaN in a Series": (
        pd.Series(["yes", "no", None], index=[9, 8, 7]),
        ValueError,
        "X has no text in row 2: (nan|None); drop the row, or replace the value by ''",
    ),
    "ints": ([1, 2], TypeError, r"X has 1 of type int in row 0, .* convert it with str\(\)"),
    "array of numbers": (np.ones(3), TypeError, r"X has .*1\.0.* of type float64 in row 0"),
    "lists": ([["yes"], ["no"]], TypeError, r"X has \['yes'\] of type list in row 0"),
    "nothing": ([], ValueError, "X is empty: found 0 sample"),
    "None alone": (None, TypeError, "X must be a list, array or Series of texts, not NoneType"),
    "generator": (iter(["yes"]), TypeError, r"X is a list_iterator, .* such as list\(X\)"),
    "matrix": (np.array([["a", "b"]]), TypeError, "X must be a list, array or Series of texts"),
    "sparse": (sparse.eye_array(2), TypeError, "X must be a list, array or Series of texts"),
    "two columns": (
        pd.DataFrame({"a": ["yes"], "b": ["no"]}),
        ValueError,
        r"X has the columns \['a', 'b'\], but one column of texts was expected; pass that",
    ),
}


def test_a_limit_that_no_ngram_can_reach_is_named():
    """Check that min_df is compared with the number of texts."""
    with pytest.raises(ValueError, match="min_df=8 is more than the 7 texts of X; lower it"):
        TextSequenceVectorizer(min_df=8).fit(TEXTS)
    frequent = TextSequenceVectorizer(min_df=4, char_ngram_range=None).fit(TEXTS)
    assert frequent.get_feature_names_out().tolist() == ["do"]


def test_a_null_of_polars_is_refused():
    """Check that a null of polars is named by its row."""
    with pytest.raises(ValueError, match="X has no text in row 1: None; drop"):
        TextSequenceVectorizer().fit(polars_series(["yes", None]))


@pytest.mark.parametrize(("X", "error", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_what_is_not_a_list_of_texts_is_refused(X, error, message):
    """Check that fit and transform name what is wrong, its row and what to do."""
    with pytest.raises(error, match=message):
        TextSequenceVectorizer().fit(X)
    vectorizer = TextSequenceVectorizer().fit(TEXTS)
    with pytest.raises(error, match=message):
        vectorizer.transform(X)


@pytest.mark.parametrize(
    "settings",
    [
        {"min_df": 3, "ngram_range": (1, 3)},
        {"max_features": 40, "ngram_range": (2, 3)},
        {"max_features": 5, "char_ngram_range": (2, 3)},
        {"min_df": 3, "analyzer": "char", "ngram_range": (3, 5)},
    ],
    ids=str,
)
def test_limits_bound_what_is_stored(texts, settings):
    """Check that n-grams left out are forgotten, and that the others are found as before."""
    limited = TextSequenceVectorizer(**settings)
    seen, names = limited.fit_transform(texts), limited.get_feature_names_out()
    without = {name: value for name, value in settings.items() if name.endswith("range")}
    analyzer = {"analyzer": settings.get("analyzer", "word")}
    whole = TextSequenceVectorizer(**without, **analyzer).fit(texts)
    assert len(pickle.dumps(limited)) < 0.6 * len(pickle.dumps(whole))
    found = limited.transform(texts).features
    assert_allclose(found.toarray(), seen.features.toarray(), rtol=1e-6)
    place = {name: number for number, name in enumerate(whole.get_feature_names_out())}
    chosen = [place[name] for name in names]
    present = whole.transform(texts).features[:, chosen].toarray() > 0
    assert_array_equal(seen.features.toarray() > 0, present)


@pytest.mark.parametrize("ngram_range", [(2, 2), (3, 5)])
def test_ngrams_longer_than_all_texts_are_refused(ngram_range):
    """Check that the message names the parameter, and that longer n-grams do no harm."""
    message = r"ngram_range=.* leaves no n-gram: all texts .* lower it"
    with pytest.raises(ValueError, match=f"^{message}"):
        TextSequenceVectorizer(ngram_range=ngram_range).fit(["ab", "c"])
    with pytest.raises(ValueError, match=f"char_{message}"):
        TextSequenceVectorizer(char_ngram_range=(5, 6)).fit(["ab", "c"])
    vectorizer = TextSequenceVectorizer(ngram_range=(1, 300), char_ngram_range=None)
    vectorizer.fit(["a b", "c", "a b"])
    assert vectorizer.get_feature_names_out().tolist() == ["a", "b", "c", "a b"]
    assert vectorizer.transform(["b a b c", "z"]).features.toarray().astype(bool).tolist() == [
        [True, True, True, True],
        [False] * 4,
    ]


def test_a_fit_that_fails_changes_nothing():
    """Check that a vectorizer is as before when another fit of it ends in an error."""
    fresh = TextSequenceVectorizer(min_df=2)
    with pytest.raises(ValueError, match="min_df=2 leaves no n-gram: none .* 2 texts of X; lower"):
        fresh.fit(["a b", "c d"])
    with pytest.raises(NotFittedError, match="not fitted"):
        fresh.transform(TEXTS)
    expected = fresh.fit(TEXTS).transform(TEXTS)
    with pytest.raises(ValueError, match="min_df=2 leaves no n-gram"):
        fresh.fit(["a b", "c d"])
    assert_same_sequences(fresh.transform(TEXTS), expected)


def test_texts_without_any_word_are_refused_by_fit():
    """Check that there must be something to learn from."""
    with pytest.raises(ValueError, match="X has no word in any of its texts; at least one"):
        TextSequenceVectorizer().fit(["", " "])


@pytest.mark.parametrize("ask", [lambda v: v.transform(TEXTS), lambda v: v.get_feature_names_out()])
def test_an_unfitted_vectorizer_says_so(ask):
    """Check that nothing can be asked of a vectorizer before fit."""
    with pytest.raises(NotFittedError, match="TextSequenceVectorizer instance is not fitted"):
        ask(TextSequenceVectorizer())


def test_a_second_fit_forgets_the_first():
    """Check that refitting is the same as fitting a new vectorizer."""
    vectorizer = TextSequenceVectorizer(char_ngram_range=(2, 2)).fit(["other words", "words"])
    vectorizer.set_params(char_ngram_range=None).fit(TEXTS)
    fresh = TextSequenceVectorizer(char_ngram_range=None).fit(TEXTS)
    assert_same_sequences(vectorizer.transform(TEXTS), fresh.transform(TEXTS))
    assert vectorizer.vocabulary_ == fresh.vocabulary_
    assert_array_equal(vectorizer.get_feature_names_out(), fresh.get_feature_names_out())


def test_a_pickled_vectorizer_and_container_are_as_before():
    """Check that pickle keeps what was learned, and the rows."""
    vectorizer = TextSequenceVectorizer(char_ngram_range=(2, 3))
    sequences = vectorizer.fit_transform(TEXTS)
    copies = pickle.loads(pickle.dumps((vectorizer, sequences)))
    assert_same_sequences(copies[0].transform(TEXTS), sequences)
    assert_same_sequences(copies[1], sequences)


def test_a_clone_has_the_parameters_and_nothing_learned():
    """Check that clone keeps parameters alone."""
    settings = {"analyzer": "char", "ngram_range": (1, 3), "max_length": 7}
    copy = clone(TextSequenceVectorizer(**settings).fit(TEXTS))
    assert settings.items() <= copy.get_params().items()
    with pytest.raises(NotFittedError, match="not fitted"):
        copy.transform(TEXTS)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"ngram_range": (2, 3), "char_ngram_range": None},
        {"analyzer": "char", "ngram_range": (1, 3)},
        {"min_df": 2, "ngram_range": (1, 3)},
        {"max_features": 5, "char_ngram_range": (2, 4)},
    ],
    ids=str,
)
def test_names_of_some_columns_are_those_of_all(parameters):
    """Check the names of single columns, which are made without making all of them."""
    texts = ["so good, so good it is", "no, not so good 12", "房间 很好"]
    vectorizer = TextSequenceVectorizer(**parameters).fit(texts)
    names = vectorizer.get_feature_names_out().tolist()
    assert vectorizer._names_of(range(len(names))) == names


@pytest.mark.parametrize("analyzer", ["word", "char"])
def test_words_of_a_text_are_those_that_are_numbered(analyzer):
    """Check that the words of a text have the numbers that `transform` gives, 0 for unknown."""
    texts = ["So good , so  good", "so it is good"]
    vectorizer = TextSequenceVectorizer(analyzer=analyzer, max_length=4).fit(texts)
    numbers = [vectorizer.vocabulary_.get(word, 0) for word in vectorizer._words_of(texts[0])]
    assert numbers == vectorizer.transform(texts[:1]).words.tolist()
    assert max(numbers) > 0


@pytest.mark.parametrize("pairs", [[], [[0, 3], [1]]])
def test_ngrams_that_do_not_fit_their_range_are_refused(pairs):
    """Check that a state without the pairs of tokens, or with longer n-grams, is not accepted."""
    vectorizer = TextSequenceVectorizer(char_ngram_range=None).fit(["a b", "b a"])
    ngrams = vectorizer._ngrams.counter
    ngrams._check_learned()
    ngrams.pairs = [np.array(level) for level in pairs]
    with pytest.raises(ValueError, match="n-grams cannot be those of any texts"):
        ngrams._check_learned()
