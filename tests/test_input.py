"""Tests of what ContextMemoryClassifier accepts as input, and of what it says to the rest."""

import re

import numpy as np
import pandas as pd
import pytest
from _polars import polars_frame, polars_from_pandas, polars_series
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer, TrainingDivergedError

N_ROWS = 150
COLUMNS = {
    "text_column": "text",
    "group_column": "group",
    "order_column": "order",
    "speaker_column": "speaker",
}


def small(**params):
    """Return a classifier that fits in no time."""
    settings = {"hidden_size": 16, "max_epochs": 2, "random_state": 0}
    return ContextMemoryClassifier(**(settings | params))


@pytest.fixture(scope="module")
def frame(docstrings):
    """Rows of real text with all four roles."""
    rows = docstrings.iloc[:N_ROWS].copy()
    rows["speaker"] = np.where(rows["text"].str.len() > 40, "long", "short")
    return rows[["text", "group", "order", "speaker"]]


@pytest.fixture(scope="module")
def texts(frame):
    """Return the texts as a list."""
    return frame["text"].tolist()


@pytest.fixture(scope="module")
def y(docstrings):
    """Return their classes."""
    return docstrings["target"].to_numpy(dtype=object)[:N_ROWS]


@pytest.fixture(scope="module")
def numbers():
    """Return numeric features of as many rows."""
    return np.random.RandomState(0).normal(size=(N_ROWS, 6))


@pytest.fixture
def no_training(monkeypatch):
    """Fail a test in which the training begins."""

    def train(*args, **kwargs):
        raise AssertionError("the training began")

    monkeypatch.setattr("sk_ctxmem._training._fit.train", train)


def raises(error, *parts):
    """Expect an error with a message that holds these parts in this order."""
    return pytest.raises(error, match="(?s)" + ".*".join(map(re.escape, parts)))


# --- parameters


# Name, what is expected, and values of a wrong size; values of a wrong kind are the same for all.
NUMERIC = [
    ("hidden_size", "an integer of at least 1", [0, -3]),
    ("max_epochs", "an integer of at least 1", [0, -3]),
    ("batch_size", "an integer of at least 1", [0, -3]),
    ("n_iter_no_change", "an integer of at least 1 or None", [0, -3]),
    ("dropout", "a number from 0 to 0.95", [-0.1, 0.96, 1, np.nan]),
    ("learning_rate", "a number above 0", [0, -0.1, np.inf, np.nan]),
    ("validation_fraction", "a number above 0, below 1", [0, 1, -0.1, np.nan]),
    ("verbose", "a number of at least 0", [-1, np.nan]),
]


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(("name", "expected", "values"), NUMERIC)
def test_a_bad_number_is_named_with_a_legal_one(texts, y, name, expected, values):
    """Check that sizes and rates of a wrong value or kind are refused, with the default."""
    default = ContextMemoryClassifier().get_params()[name]
    wrong_kinds = ["1", 16.0 if "integer" in expected else None]
    wrong_kinds += [] if name == "verbose" else [True]  # verbose=True is scikit-learn's habit
    cases = [(ValueError, value) for value in values] + [(TypeError, kind) for kind in wrong_kinds]
    for error, value in cases:
        with raises(error, f"{name}={value!r} must be {expected}", f"; use {default} if unsure"):
            small(**{name: value}).fit(texts, y)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("name", "value", "error", "remedy"),
    [
        ("memory", "rnn", ValueError, "must be 'gru' or 'elman' or 'lstm' or 'mingru'; use 'gru'"),
        ("memory", None, TypeError, "must be 'gru' or 'elman' or 'lstm' or 'mingru'; use 'gru'"),
        ("context", "future", ValueError, "must be 'past' or 'both' or 'none'; use 'past'"),
        ("context", None, TypeError, "must be 'past' or 'both' or 'none'; use 'past'"),
        ("word_memory", "conv", ValueError, "must be True, False or 'convolution'; use False"),
        ("word_memory", 1, TypeError, "must be True, False or 'convolution'; use False"),
        ("warm_start", 1, TypeError, "must be True or False"),
        ("device", "gpu", ValueError, "use device='auto'"),
        ("device", None, TypeError, "must be a string such as 'cpu'; use 'auto' if unsure"),
        ("device", 0, TypeError, "must be a string such as 'cpu'; use 'auto' if unsure"),
    ],
)
def test_an_unknown_choice_is_named_with_the_known_ones(texts, y, name, value, error, remedy):
    """Check that a value which is none of the choices is refused, and that they are listed."""
    with raises(error, f"{name}={value!r}", remedy):
        small(**{name: value}).fit(texts, y)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    "vectorizer", ["tfidf", TextSequenceVectorizer, str.lower], ids=["str", "class", "function"]
)
def test_a_vectorizer_must_be_a_transformer(texts, y, vectorizer):
    """Check that a name, class or function in the place of a vectorizer is refused."""
    with raises(TypeError, f"vectorizer={vectorizer!r} must be a transformer of texts, such as"):
        small(vectorizer=vectorizer).fit(texts, y)


def test_a_parameter_that_the_default_vectorizer_lacks_is_refused():
    """Check that vectorizer__x of the default vectorizer is checked like any other."""
    with raises(ValueError, "Invalid parameter 'ngrams' for estimator TextSequenceVectorizer()"):
        small().set_params(vectorizer__ngrams=2)


# --- texts and features


BAD_TEXTS = {
    "str": ("yes", TypeError, ["X is one string, 'yes'", "pass [X] for a single text"]),
    "bytes": (b"yes", TypeError, ["X is one string, b'yes'", "pass [X] for a single text"]),
    "None": (["a", "b", None], ValueError, ["X has no text in row 2: None; drop the row, or"]),
    "NaN": (
        ["a", np.nan],
        ValueError,
        ["X has no text in row 1: nan; drop the row, or replace the value by ''"],
    ),
    "NaN first": ([np.nan, "a"], ValueError, ["X has no text in row 0: nan; drop the row"]),
    "Series": (
        pd.Series(["a", None], index=[7, 7], dtype=object),
        ValueError,
        ["X has no text in row 1: None; drop the row"],
    ),
    "ndarray": (np.array(["a", None]), ValueError, ["X has no text in row 1: None; drop"]),
    "frame": (
        pd.DataFrame({"said": ["a", pd.NA]}, dtype=object),
        ValueError,
        ["column 'said' has no text in row 1: <NA>; drop the row"],
    ),
    "number": (["a", 2], TypeError, ["X has 2 of type int in row 1", "str()"]),
    "bytes in a list": ([b"a", "b"], TypeError, ["X has b'a' of type bytes in row 0", ".decode()"]),
    "no words": (["", " "], ValueError, ["X has no word in any of its texts; at least one"]),
    "empty": ([], ValueError, ["X is empty: found 0 sample(s)"]),
    "None in each row": ([None, None], ValueError, ["X has no text in row 0: None; drop"]),
    "set": ({"a", "b"}, TypeError, ["X is a set, whose rows cannot be indexed; pass a list"]),
    "mapping": ({"a": "b"}, TypeError, ["X is a dict, whose rows cannot be indexed; pass a list"]),
    "None alone": (None, ValueError, ["Expected 2D array, got scalar array"]),
    "two text columns": (
        pd.DataFrame({"a": ["x", "y"], "b": ["x", "y"]}),
        ValueError,
        ["X has the columns ['a', 'b'], of which ['a', 'b'] contain text; set text_column"],
    ),
    "text and numbers": (
        pd.DataFrame({"a": ["x", "y"], "b": [1, 2]}),
        ValueError,
        ["X has the columns ['a', 'b'], of which ['a'] contain text; set text_column to"],
    ),
    "no columns": (pd.DataFrame(index=[0, 1]), ValueError, ["no column left", "text_column"]),
    "NaN in features": (np.array([[1.0], [np.nan]]), ValueError, ["Input X contains NaN"]),
    "infinite features": (np.array([[1.0], [np.inf]]), ValueError, ["Input X contains infinity"]),
    "one dimension": (
        np.ones(2),
        ValueError,
        ["Expected 2D array, got 1D array", "reshape(-1, 1)"],
    ),
}


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(("X", "error", "parts"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_bad_input_is_named_by_fit(X, error, parts):
    """Check that fit names what is wrong with X, where, and what to do."""
    with raises(error, *parts):
        small().fit(X, ["p", "q", "p"][: 2 if X is None else len(X)])


@pytest.mark.parametrize("name", ["str", "None", "NaN", "Series", "frame", "number"])
def test_bad_texts_are_named_by_predict(texts, y, name):
    """Check that predict names a bad text as fit does."""
    X, error, parts = BAD_TEXTS[name]
    classifier = small(max_epochs=1).fit(texts, y)
    with raises(error, *parts):
        classifier.predict(X)


def test_a_missing_text_of_polars_is_named_by_its_row(texts, y):
    """Check that fit and predict name a null of polars as they name a None."""
    X = polars_series(["a", None])
    with raises(ValueError, "X has no text in row 1: None; drop"):
        small().fit(X, ["p", "q"])
    classifier = small(max_epochs=1).fit(texts, y)
    with raises(ValueError, "X has no text in row 1: None; drop"):
        classifier.predict(X)


@pytest.mark.usefixtures("no_training")
def test_a_missing_text_is_named_by_its_column(frame, y):
    """Check that the message for a missing text names text_column and the row."""
    broken = frame.assign(text=frame["text"].where(np.arange(N_ROWS) != 9))
    with raises(ValueError, "column 'text' has no text in row 9: nan; drop the row"):
        small(text_column="text").fit(broken, y)


def test_texts_and_features_do_not_replace_one_another(texts, numbers, y):
    """Check that predict wants the kind of input that fit was given."""
    sequences = TextSequenceVectorizer().fit_transform(texts)
    kinds = {"texts": texts, "features": numbers, "TextSequences": sequences}
    for fitted in kinds:
        classifier = small(max_epochs=1).fit(kinds[fitted], y)
        for passed in kinds.keys() - {fitted}:
            expected = [f"X contains {passed}, but the classifier was fitted on {fitted}; pass the"]
            if {fitted, passed} == {"features", "TextSequences"}:
                expected = ["features"]  # their number differs too, which is seen first
            with raises(ValueError, *expected):
                classifier.predict(kinds[passed])


def test_another_number_of_features_is_refused(texts, numbers, y):
    """Check that predict names both numbers, for arrays, CSR and TextSequences."""
    for X in (numbers, sparse.csr_array(numbers)):
        with raises(ValueError, "X has 4 features", "expecting 6 features"):
            small(max_epochs=1).fit(X, y).predict(X[:, :4])
    sequences = TextSequenceVectorizer().fit_transform(texts)
    classifier = small(max_epochs=1).fit(sequences, y)
    fewer = TextSequenceVectorizer(max_features=5, char_ngram_range=None).fit_transform(texts)
    with raises(
        ValueError, "X has 5 features", f"{sequences.shape[1]} features", "use the vectorizer"
    ):
        classifier.predict(fewer)


def test_other_feature_names_are_refused(numbers, y):
    """Check that features in another order are not taken for those of fit."""
    X = pd.DataFrame(numbers, columns=list("abcdef"))
    classifier = small(max_epochs=1).fit(X, y)
    with raises(ValueError, "feature names should match", "same order"):
        classifier.predict(X[list("fedcba")])


@pytest.mark.usefixtures("no_training")
def test_word_memory_needs_words(numbers, y):
    """Check that word_memory=True with features alone is refused, with what to do."""
    with raises(
        ValueError, "word_memory=True requires the words", "pass texts or", "word_memory=False"
    ):
        small(word_memory=True).fit(numbers, y)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function", "score"])
def test_an_unfitted_classifier_says_so(texts, y, method):
    """Check that nothing can be predicted before fit."""
    arguments = (texts, y) if method == "score" else (texts,)
    with pytest.raises(NotFittedError, match="ContextMemoryClassifier instance is not fitted"):
        getattr(small(), method)(*arguments)


# --- columns and groups


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("form", [pd.DataFrame, polars_from_pandas])
def test_an_unknown_column_is_named_with_those_there_are(frame, y, column, form):
    """Check that each of the four columns must be one of X."""
    present = "X, which has ['text', 'group', 'order', 'speaker']; give the name of one of them"
    with raises(ValueError, f"{column}='nothing' is not a column of {present}"):
        small(**(COLUMNS | {column: "nothing"})).fit(form(frame), y)


@pytest.mark.parametrize("column", COLUMNS)
def test_predict_needs_the_columns_of_fit(frame, y, column):
    """Check that a column that fit had and predict lacks is named."""
    classifier = small(max_epochs=1, **COLUMNS).fit(frame, y)
    name = COLUMNS[column]
    with raises(ValueError, f"{column}={name!r} is not a column of X, which has ["):
        classifier.predict(frame.drop(columns=name))


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_needs_an_input_with_columns(texts, numbers, y, column):
    """Check that a column is refused where X has none, with groups= as the remedy."""
    sequences = TextSequenceVectorizer().fit_transform(texts)
    for X in (texts, numbers, sparse.csr_array(numbers), pd.Series(texts), sequences):
        name = type(X).__name__
        with raises(
            ValueError, f"{column}='who' needs X to be a DataFrame, but X is a {name}", "groups="
        ):
            small(**{column: "who"}).fit(X, y)


@pytest.mark.usefixtures("no_training")
def test_a_name_that_two_columns_share_is_refused(frame, y):
    """Check that a column must have its name alone."""
    twice = pd.concat([frame[["text"]], frame[["text"]], frame[["group"]]], axis=1)
    with raises(ValueError, "X has 2 columns named 'text'; give each its own name"):
        small(text_column="text", group_column="group").fit(twice, y)


@pytest.mark.usefixtures("no_training")
def test_groups_are_said_once(frame, y):
    """Check that groups as a column and as an argument are refused."""
    with raises(
        ValueError, "groups= and group_column='group' both define", "pass only one of them"
    ):
        small(**COLUMNS).fit(frame, y, groups=frame["group"])


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("groups", "shape"),
    [([1, 2], "(2,)"), (np.ones((N_ROWS, 1)), f"({N_ROWS}, 1)"), ("ab", "()")],
    ids=["shorter", "two dimensions", "str"],
)
def test_groups_of_another_length_are_refused(texts, y, groups, shape):
    """Check that there must be one id for each row."""
    with raises(ValueError, f"groups has shape {shape}, but X has {N_ROWS} rows; pass one value"):
        small().fit(texts, y, groups=groups)


def test_groups_of_another_length_are_refused_by_predict(texts, y):
    """Check that predict wants one id for each row, too."""
    classifier = small(max_epochs=1).fit(texts, y, groups=np.arange(N_ROWS) // 5)
    with raises(ValueError, f"groups has shape (3,), but X has {N_ROWS} rows; pass one value"):
        classifier.predict(texts, groups=[1, 2, 3])


MISSING_IDS = {
    "list of numbers": lambda ids: [None if i == 8 else i for i in ids],
    "NaN": lambda ids: np.where(ids == 8, np.nan, ids),
    "objects": lambda ids: np.array([None if i == 8 else "a" for i in ids], dtype=object),
    "Series": lambda ids: pd.Series(ids).where(ids != 8).astype("Int64"),
    "dates": lambda ids: pd.to_datetime(pd.Series(ids).where(ids != 8), unit="D"),
    "polars": lambda ids: polars_series([None if i == 8 else "a" for i in ids]),
    "list of str and None": lambda ids: [None if i == 8 else "a" for i in ids],
    "list of str and NaN": lambda ids: [float("nan") if i == 8 else "ab"[i % 2] for i in ids],
}


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    "make",
    [pytest.param(make, id=name) for name, make in MISSING_IDS.items()],
)
def test_a_missing_group_is_named_by_its_row(texts, y, make):
    """Check that each row must have an id, in whatever form ids come."""
    ids = make(np.arange(N_ROWS))
    with raises(ValueError, "groups has no value in row 8: ", "give each row a value"):
        small().fit(texts, y, groups=ids)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("column", ["group", "order"])
def test_a_missing_value_in_a_column_is_named_by_its_row(frame, y, column):
    """Check that group and order columns must be complete."""
    broken = frame.assign(**{column: frame[column].where(np.arange(N_ROWS) != 4)})
    with raises(ValueError, f"column '{column}' has no value in row 4: "):
        small(**COLUMNS).fit(broken, y)


@pytest.mark.usefixtures("no_training")
def test_an_order_that_cannot_be_compared_is_refused(frame, y):
    """Check that an order column of numbers and strings is refused."""
    mixed = frame["order"].astype(object).where(np.arange(N_ROWS) != 4, "last")
    with raises(TypeError, "order column contains values that cannot be compared", "one type"):
        small(**COLUMNS).fit(frame.assign(order=mixed), y)


@pytest.mark.usefixtures("no_training")
def test_one_group_cannot_be_split_for_early_stopping(frame, y):
    """Check that one group is refused while rows are to be held out, with the remedy."""
    message = "needs at least 2 groups, because a group is never split, but there is 1"
    with raises(ValueError, "validation_fraction=0.1", message, "n_iter_no_change=None"):
        small(n_iter_no_change=2).fit(frame["text"], y, groups=np.zeros(N_ROWS))
    with raises(ValueError, "validation_fraction=0.1", message, "n_iter_no_change=None"):
        small(n_iter_no_change=2, **COLUMNS).fit(frame.assign(group="one", order=range(N_ROWS)), y)


def test_one_group_is_legal_without_early_stopping(frame, y):
    """Check that the remedy for one group alone, which is the default, is one."""
    one = frame.assign(group="one", order=range(N_ROWS))
    classifier = small(**COLUMNS).fit(one, y)
    assert classifier.n_iter_ == 2
    assert classifier.history_["valid_score"].isna().tolist() == [True, True]


# --- classes and weights


BAD_TARGETS = {
    "None": (
        lambda y: None,
        ["requires y to be passed", "y is None; pass the class label of each"],
    ),
    "shorter": (
        lambda y: y[:-1],
        [f"X has {N_ROWS} rows, y has {N_ROWS - 1}; pass one class label for each row"],
    ),
    "one class": (
        lambda y: ["same"] * len(y),
        ["y has only one class, ", "same", f"in {N_ROWS} row(s); a classifier needs at least two"],
    ),
    "numbers": (lambda y: np.linspace(0, 1, len(y)), ["Unknown label type: continuous"]),
    "two columns": (lambda y: np.full((len(y), 2), 2), ["multiclass-multioutput"]),
    "NaN": (lambda y: np.where(np.arange(len(y)) == 3, np.nan, 1.0), ["y contains NaN"]),
    "NaN in objects": (lambda y: pd.Series(y).where(np.arange(len(y)) != 3), ["contains NaN"]),
}


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(("make", "parts"), BAD_TARGETS.values(), ids=BAD_TARGETS)
def test_bad_targets_are_refused(texts, y, make, parts):
    """Check that y must hold one of several classes for each row."""
    with raises(ValueError, *parts):
        small().fit(texts, make(y))


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("class_weight", "error", "parts"),
    [
        (
            {"Sumary": 2},
            ValueError,
            ["class_weight has the key 'Sumary', which is not a class of y"],
        ),
        ({0: 2}, ValueError, ["class_weight has the key 0, which is not a class", "['"]),
        ({"Summary": -1}, ValueError, ["class_weight has -1 for class 'Summary'", "at least 0"]),
        ({"Summary": np.nan}, ValueError, ["class_weight has nan for class 'Summary'"]),
        ({"Summary": "2"}, ValueError, ["class_weight has '2' for class 'Summary'"]),
        ("auto", (TypeError, ValueError), ["class_weight='auto' must be", "'balanced' or None"]),
        (2, TypeError, ["class_weight=2 must be a dict, 'balanced' or None; use None if unsure"]),
    ],
    ids=str,
)
def test_bad_class_weights_are_named(texts, y, class_weight, error, parts):
    """Check that class_weight must have classes as keys, and numbers of at least 0."""
    with raises(error, *parts):
        small(class_weight=class_weight).fit(texts, y)


@pytest.mark.usefixtures("no_training")
def test_class_weights_that_are_all_zero_are_refused(texts, y):
    """Check that weights of 0 for all classes are refused by name."""
    with raises(ValueError, "class_weight"):
        small(class_weight=dict.fromkeys(y, 0)).fit(texts, y)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda weights: weights[:-1], ["sample_weight has shape (149,), but X has 150 samples"]),
        (
            lambda weights: weights[:, np.newaxis],
            ["sample_weight has shape (150, 1)", "one weight"],
        ),
        (lambda weights: -weights, ["sample_weight has -149.0 in row 149", "not be negative"]),
        (lambda weights: weights / 0 * 0, ["sample_weight contains NaN"]),
        (lambda weights: np.full(len(weights), np.inf), ["sample_weight contains infinity"]),
        (lambda weights: 0 * weights, ["sample_weight is zero for all rows, or for all"]),
    ],
)
def test_bad_sample_weights_are_named(texts, y, make, parts):
    """Check that sample_weight must hold a number of at least 0 for each row."""
    with np.errstate(all="ignore"):
        weights = make(np.arange(float(N_ROWS)))
    with raises(ValueError, *parts):
        small().fit(texts, y, sample_weight=weights)


@pytest.mark.usefixtures("no_training")
def test_weights_of_one_class_alone_are_refused(texts, y):
    """Check that rows of two classes must count."""
    with raises(
        ValueError, "sample_weight is zero for all", "rows of positive weight in at least two"
    ):
        small().fit(texts, y, sample_weight=(y == "Summary").astype(float))


# --- forms of input that are the same


TEXT_FORMS = {
    "tuple": tuple,
    "Series with an odd index": lambda texts: pd.Series(texts, index=[7] * len(texts)),
    "Series of objects": lambda texts: pd.Series(texts, dtype=object),
    "ndarray of objects": lambda texts: np.array(texts, dtype=object),
    "ndarray of str": np.array,
    "column of an ndarray": lambda texts: np.array(texts, dtype=object)[:, np.newaxis],
    "polars Series": polars_series,
    "frame": lambda texts: pd.DataFrame({"said": texts}),
    "polars frame": polars_frame,
}


@pytest.fixture(scope="module")
def text_probabilities(texts, y):
    """Return the probabilities of a fit on a list."""
    return small().fit(texts, y).predict_proba(texts)


@pytest.mark.parametrize("form", TEXT_FORMS.values(), ids=TEXT_FORMS)
def test_all_forms_of_texts_give_equal_probabilities(texts, y, text_probabilities, form):
    """Check that fit and predict_proba read any form of texts as they read a list."""
    X = form(texts)
    assert_array_equal(small().fit(X, y).predict_proba(X), text_probabilities)


FEATURE_FORMS = {
    "csr_array": sparse.csr_array,
    "csc_matrix": sparse.csc_matrix,
    "csc_array": sparse.csc_array,
    "coo_array": sparse.coo_array,
    "lil_matrix": sparse.lil_matrix,
}


@pytest.mark.parametrize("form", FEATURE_FORMS.values(), ids=FEATURE_FORMS)
def test_all_forms_of_sparse_features_give_equal_probabilities(numbers, y, form):
    """Check that other sparse features are read as a csr_matrix is."""
    thin = np.where(numbers > 0, numbers, 0)
    X, csr = form(thin), sparse.csr_matrix(thin)
    expected = small().fit(csr, y).predict_proba(csr)
    assert_array_equal(small().fit(X, y).predict_proba(X), expected)


DENSE_FORMS = {
    "list of lists": np.ndarray.tolist,
    "Fortran order": np.asfortranarray,
    "objects": lambda numbers: numbers.astype(object),
    "frame": lambda numbers: pd.DataFrame(numbers, columns=list("abcdef")),
    "polars frame": lambda numbers: polars_from_pandas(
        pd.DataFrame(numbers, columns=list("abcdef"))
    ),
}


@pytest.mark.parametrize("form", DENSE_FORMS.values(), ids=DENSE_FORMS)
def test_all_forms_of_dense_features_give_equal_probabilities(numbers, y, form):
    """Check that other dense features are read as an array is."""
    X = form(numbers)
    expected = small().fit(numbers, y).predict_proba(numbers)
    assert_array_equal(small().fit(X, y).predict_proba(X), expected)


def test_a_fit_on_dense_features_reads_sparse_ones(numbers, y):
    """Check that predict takes the other kind of the same features."""
    classifier = small().fit(numbers, y)
    found = classifier.predict_proba(sparse.csr_array(numbers))
    assert_array_equal(found, classifier.predict_proba(numbers))


def test_refit_on_columns_without_names_forgets_the_names(frame, y):
    """Check that feature_names_in_ is that of the last fit, or not there."""
    classifier = small(**COLUMNS).fit(frame, y)
    assert classifier.feature_names_in_.tolist() == list(frame.columns)
    roles = dict(zip(COLUMNS, range(4), strict=True))
    classifier.set_params(**roles).fit(frame.set_axis(range(4), axis=1), y)
    assert not hasattr(classifier, "feature_names_in_")


@pytest.fixture(scope="module")
def frame_probabilities(frame, y):
    """Return the probabilities of a fit on a frame with all four roles."""
    return small(**COLUMNS).fit(frame, y).predict_proba(frame)


FRAMES = {
    "polars": polars_from_pandas,
    "odd index": lambda frame: frame.set_axis([3] * len(frame)),
    "other order of columns": lambda frame: frame[["speaker", "order", "text", "group"]],
    "more columns": lambda frame: frame.assign(mood="good", size=1.5),
    "objects": lambda frame: frame.astype(object),
    "categories": lambda frame: frame.astype({"group": "category", "speaker": "category"}),
    "other ids": lambda frame: frame.assign(group=pd.factorize(frame["group"])[0] + 70),
    "dates": lambda frame: frame.assign(order=pd.to_datetime(frame["order"], unit="D")),
}


@pytest.mark.parametrize("form", FRAMES.values(), ids=FRAMES)
def test_all_forms_of_frames_give_equal_probabilities(frame, y, frame_probabilities, form):
    """Check that neither the library nor the order, dtypes or index of a frame matter."""
    X = form(frame)
    assert_array_equal(small(**COLUMNS).fit(X, y).predict_proba(X), frame_probabilities)


def test_order_column_puts_the_rows_of_a_group_in_order(frame, y, frame_probabilities):
    """Check that shuffled rows are predicted as sorted ones are, if a column orders them."""
    shuffled = np.random.RandomState(0).permutation(N_ROWS)
    ordered = small(**COLUMNS).fit(frame, y)
    as_they_come = small(**(COLUMNS | {"order_column": None})).fit(frame.drop(columns="order"), y)
    X = frame.iloc[shuffled]
    assert_array_equal(ordered.predict_proba(X), frame_probabilities[shuffled])
    differs = as_they_come.predict_proba(X) != as_they_come.predict_proba(frame)[shuffled]
    assert differs.any(axis=1).mean() > 0.5


@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")
def test_a_change_of_speaker_is_seen(frame, frame_probabilities, y):
    """Check that another speaker in a row changes this row and later ones of its group alone."""
    row = 20
    changed = frame["speaker"].where(np.arange(N_ROWS) != row, "somebody else")
    after = small(**COLUMNS).fit(frame, y).predict_proba(frame.assign(speaker=changed))
    differs = (after != frame_probabilities).any(axis=1)
    later = (frame["group"] == frame["group"].iloc[row]) & (np.arange(N_ROWS) >= row)
    assert_array_equal(differs, later)


def test_columns_may_have_any_names(frame, y, frame_probabilities):
    """Check that the names of columns, numbers included, do not matter."""
    X = frame.set_axis([0, 1, 2, 3], axis=1)
    numbered = small(text_column=0, group_column=1, order_column=2, speaker_column=3).fit(X, y)
    assert_array_equal(numbered.predict_proba(X), frame_probabilities)


@pytest.mark.parametrize("form", [np.asarray, list, pd.Series, polars_series, pd.Categorical])
def test_groups_as_argument_are_those_of_a_column(frame, y, form):
    """Check that groups= in any form equals group_column."""
    text_and_group = frame[["text", "group"]]
    by_column = small(text_column="text", group_column="group").fit(text_and_group, y)
    groups = form(frame["group"].tolist())
    by_argument = small().fit(frame["text"], y, groups=groups)
    expected = by_column.predict_proba(text_and_group)
    assert_array_equal(by_argument.predict_proba(frame["text"], groups=groups), expected)


def test_groups_beside_features_come_as_column_or_argument(numbers, frame, y):
    """Check that a group column beside numeric columns is not a feature."""
    X = pd.DataFrame(numbers, columns=list("abcdef"))
    with_group = X.assign(group=frame["group"].to_numpy())
    by_column = small(group_column="group").fit(with_group, y)
    by_argument = small().fit(X, y, groups=frame["group"])
    expected = by_argument.predict_proba(X, groups=frame["group"])
    assert_array_equal(by_column.predict_proba(with_group), expected)


@pytest.mark.parametrize(
    "form", [list, pd.Series, polars_series, lambda y: pd.Series(y, dtype="category"), np.array]
)
def test_all_forms_of_targets_give_equal_predictions(texts, y, text_probabilities, form):
    """Check that classes may come in any container."""
    classifier = small().fit(texts, form(y.tolist()))
    assert classifier.classes_.tolist() == sorted(set(y))
    assert_array_equal(classifier.predict_proba(texts), text_probabilities)
    assert_array_equal(classifier.predict(texts), np.unique(y)[text_probabilities.argmax(axis=1)])


# --- a fit that fails


FAILURES = {
    "y": {},
    "memory": {"memory": "rnn"},
    "class_weight": {"class_weight": {"none": 1}},
    "device": {"device": "gpu"},
    "learning_rate": {"learning_rate": 1e30},
}


@pytest.mark.parametrize("kind", ["texts", "features"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_fit_leaves_a_fitted_classifier_as_it_was(texts, numbers, y, failure, kind):
    """Check that a classifier predicts as before when a second fit on other data fails."""
    X = {"texts": texts, "features": numbers}[kind]
    other = [f"{text} {text[:9]} more" for text in texts] if kind == "texts" else numbers[:, :4]
    classifier = small(max_epochs=1).fit(X, y)
    before = classifier.predict_proba(X)
    with pytest.raises((ValueError, TrainingDivergedError), match=failure):
        classifier.set_params(**FAILURES[failure]).fit(other, y[:-1] if failure == "y" else y)
    assert_array_equal(classifier.predict_proba(X), before)


@pytest.mark.usefixtures("no_training")
def test_missing_labels_in_a_list_of_strings_are_named_by_their_row(texts, y):
    """Check that NaN among strings does not become a class of its own."""
    with raises(ValueError, "Input y contains NaN", "row 3"):
        small().fit(texts, [*y[:3], float("nan"), *y[4:]])


@pytest.mark.usefixtures("no_training")
def test_class_weights_that_leave_one_class_are_refused(texts, y):
    """Check that class_weight is held to what sample_weight is."""
    with raises(ValueError, "fewer than two classes"):
        small(class_weight=dict.fromkeys(sorted(set(y))[1:], 0)).fit(texts, y)


def test_storage_of_sparse_features_does_not_matter():
    """Check that unsorted and duplicate entries of CSR train the same model, and stay as given."""
    X = sparse.random_array((100, 30), density=0.3, format="csr", random_state=0)
    y = np.arange(100) % 2
    halves = sparse.csr_array(
        (np.repeat(X.data / 2, 2), np.repeat(X.indices, 2), X.indptr * 2), shape=X.shape
    )
    expected = small().fit(X, y).predict_proba(X)
    assert (small().fit(halves, y).predict_proba(X) == expected).all()
    assert halves.nnz == 2 * X.nnz


def test_ordered_categories_sort_as_they_are_given():
    """Check that an ordered categorical column orders rows as its numbers would."""
    names = ["first", "second", "third", "fourth"]
    order = np.tile(np.arange(4), 40)
    frame = pd.DataFrame(
        {"text": np.where(order % 3, "a", "b"), "talk": np.repeat(np.arange(40), 4), "turn": order}
    )
    named = frame.assign(turn=pd.Categorical.from_codes(order, names, ordered=True))
    clf = small(text_column="text", group_column="talk", order_column="turn")
    shuffled = np.random.RandomState(0).permutation(160)
    expected = clf.fit(frame.iloc[shuffled], order[shuffled] % 2).predict_proba(frame)
    found = clf.fit(named.iloc[shuffled], order[shuffled] % 2).predict_proba(named)
    assert (found == expected).all()


@pytest.mark.usefixtures("no_training")
def test_a_column_has_one_role(frame, y):
    """Check that two roles for one column are refused."""
    with raises(ValueError, "one role only", "group_column='text'", "name each column once"):
        small(text_column="text", group_column="text").fit(frame, y)


def test_polars_enumerations_sort_as_they_are_given():
    """Check that a column of type Enum orders rows by its categories."""
    pl = pytest.importorskip("polars")
    turns = np.tile([2, 0, 1], 40)
    frame = pl.DataFrame(
        {"text": ["a", "b", "c"] * 40, "talk": np.repeat(np.arange(40), 3), "turn": turns}
    )
    names = pl.Series(
        np.array(["low", "mid", "high"])[turns], dtype=pl.Enum(["low", "mid", "high"])
    )
    clf = small(text_column="text", group_column="talk", order_column="turn")
    expected = clf.fit(frame, turns).predict_proba(frame)
    found = clf.fit(frame.with_columns(names.alias("turn")), turns).predict_proba(frame)
    assert_array_equal(found, expected)
