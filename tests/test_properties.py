"""Properties that hold for any rows: what may be done to an input without changing predictions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations

pl = pytest.importorskip("polars")

COLUMNS = {
    "text_column": "text",
    "group_column": "group",
    "order_column": "order",
    "speaker_column": "speaker",
}
FRAME = make_conversations(12, n_turns=(2, 6), random_state=0).frame
GROUPS = FRAME["group"].unique()
N_ROWS = len(FRAME)
ROUNDING = 1e-6  # of a memory in single precision
SEED = st.integers(0, 2**32 - 1)
CONTEXTS = pytest.mark.parametrize("context", ["past", "both"])

property_settings = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,  # the same examples in each run: a failure is never a matter of luck
    database=None,  # no folder of examples beside the tests
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def small(**params):
    """Return a classifier that fits at once."""
    defaults = {"hidden_size": 8, "max_epochs": 1, "random_state": 0}
    return ContextMemoryClassifier(**(defaults | params))


def as_objects(values, n):
    """Return the first values as a column of objects."""
    return pd.Series(np.fromiter(list(values)[:n], dtype=object, count=n), dtype=object)


@pytest.fixture(scope="module")
def fitted():
    """Return a classifier for each context, and what it says of all rows."""
    result = {}
    for context in ("past", "both", "none"):
        classifier = small(context=context, **COLUMNS).fit(FRAME, FRAME["target"])
        result[context] = classifier, classifier.predict_proba(FRAME)
    return result


@pytest.fixture(scope="module")
def texts_alone():
    """Return a classifier of texts without groups."""
    return small().fit(FRAME["text"].tolist(), FRAME["target"])


@pytest.fixture(scope="module")
def sparse_rows():
    """Return sparse features, and a classifier of them."""
    rows = sparse.random_array((40, 12), density=0.4, format="csr", random_state=0)
    rows.data[: len(rows.data) // 9] *= 10  # rows so long that their norm is read, to cap it
    return rows, small().fit(rows, [0, 1] * 20)


@CONTEXTS
@property_settings
@given(seed=SEED)
def test_rows_may_be_shuffled(fitted, context, seed):
    """Check that a row with a place in an order column gets the same prediction anywhere."""
    classifier, expected = fitted[context]
    shuffled = np.random.RandomState(seed).permutation(N_ROWS)
    found = classifier.predict_proba(FRAME.iloc[shuffled])
    assert_allclose(found, expected[shuffled], atol=ROUNDING)


@CONTEXTS
@property_settings
@given(groups=st.lists(st.sampled_from(GROUPS.tolist()), min_size=1, unique=True))
def test_other_groups_do_not_matter(fitted, context, groups):
    """Check that groups are predicted alone as among all others."""
    classifier, expected = fitted[context]
    chosen = FRAME["group"].isin(groups).to_numpy()
    assert_allclose(classifier.predict_proba(FRAME[chosen]), expected[chosen], atol=ROUNDING)


@CONTEXTS
@property_settings
@given(cuts=st.sets(st.integers(1, len(GROUPS) - 1)))
def test_rows_may_come_in_chunks_of_whole_groups(fitted, context, cuts):
    """Check that chunks of any sizes are predicted as all rows at once."""
    classifier, expected = fitted[context]
    chunks = [chunk for chunk in np.split(GROUPS, sorted(cuts)) if len(chunk)]
    found = [classifier.predict_proba(FRAME[FRAME["group"].isin(chunk)]) for chunk in chunks]
    assert_allclose(np.concatenate(found), expected, atol=ROUNDING)


@property_settings
@given(last=st.integers(0, 5))
def test_later_rows_do_not_change_earlier_ones(fitted, last):
    """Check that with context="past" a conversation may be cut after any row."""
    classifier, expected = fitted["past"]
    early = (FRAME["order"] <= last).to_numpy()
    assert_allclose(classifier.predict_proba(FRAME[early]), expected[early], atol=ROUNDING)


@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")
@property_settings
@given(
    text=st.text(max_size=20),
    speaker=st.sampled_from(["A", "B", None, "?"]),
    group=st.sampled_from(GROUPS.tolist()),
)
def test_a_later_row_of_any_content_does_not_change_earlier_ones(fitted, text, speaker, group):
    """Check that with context="past" what is said next does not matter."""
    classifier, expected = fitted["past"]
    row = {"text": text, "group": group, "order": 99, "speaker": speaker}
    X = pd.DataFrame({name: as_objects([*FRAME[name], row[name]], N_ROWS + 1) for name in row})
    assert_allclose(classifier.predict_proba(X)[:-1], expected, atol=ROUNDING)


IDS = st.one_of(
    st.integers(),
    st.text(),
    st.binary(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.tuples(st.integers(), st.text()),
    st.dates(),
    st.frozensets(st.integers()),
)


@pytest.mark.filterwarnings("ignore::sk_ctxmem.MergedGroupsWarning")
@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")
@CONTEXTS
@property_settings
@given(ids=st.lists(IDS, min_size=len(GROUPS), max_size=len(GROUPS), unique=True))
def test_groups_may_have_any_names(fitted, context, ids):
    """Check that no injective map of the ids, to any types, changes a prediction."""
    classifier, expected = fitted[context]
    names = dict(zip(GROUPS.tolist(), ids, strict=True))
    X = FRAME.assign(group=as_objects(map(names.get, FRAME["group"]), N_ROWS))
    assert_allclose(classifier.predict_proba(X), expected, atol=ROUNDING)


@CONTEXTS
@property_settings
@given(step=st.floats(1e-3, 1e3), start=st.floats(-1e6, 1e6))
def test_places_may_be_any_growing_numbers(fitted, context, step, start):
    """Check that only the ranks of an order column count."""
    classifier, expected = fitted[context]
    X = FRAME.assign(order=start + step * FRAME["order"])
    assert_allclose(classifier.predict_proba(X), expected, atol=ROUNDING)


INDEX_LABELS = st.one_of(st.integers(-5, 5), st.text(max_size=3), st.none())


@property_settings
@given(labels=st.lists(INDEX_LABELS, min_size=N_ROWS, max_size=N_ROWS))
def test_the_index_does_not_matter(fitted, labels):
    """Check that the labels of rows, repeated or missing, are not read."""
    classifier, expected = fitted["past"]
    X = FRAME.set_axis(pd.Index(labels, dtype=object))
    assert_array_equal(classifier.predict_proba(X), expected)


CONTAINERS = st.sampled_from(
    [
        pl.from_pandas,
        lambda X: X.astype(object),
        lambda X: X.convert_dtypes(),
        lambda X: X.convert_dtypes(dtype_backend="pyarrow"),
        lambda X: X.astype({"group": "category", "speaker": "category"}),
        lambda X: X.astype({"group": float, "order": "int8"}),
        lambda X: X.assign(more=[[1]] * len(X)),
    ]
)


@CONTEXTS
@property_settings
@given(container=CONTAINERS, columns=st.permutations(FRAME.columns.tolist()))
def test_the_container_does_not_matter(fitted, context, container, columns):
    """Check that the library, the dtypes and the order of columns are not read."""
    classifier, expected = fitted[context]
    assert_array_equal(classifier.predict_proba(container(FRAME[columns])), expected)


LABEL_FORMS = [
    lambda y: y,
    lambda y: y.astype(str),
    lambda y: y == 1,
    lambda y: y.astype(float),
    lambda y: y.astype(np.int8),
    lambda y: np.array(["no", "yes"], dtype=object)[y],
    lambda y: pd.Series(y).astype("category"),
    lambda y: pd.Series(y, dtype="Int64"),
    lambda y: y.astype(str).tolist(),
    lambda y: pl.Series(y == 1),
]


@settings(property_settings, max_examples=4)
@given(seed=SEED)
def test_the_type_of_labels_does_not_matter(seed):
    """Check that classes of any type are predicted in the same places."""
    random = np.random.RandomState(seed)
    X, y = random.normal(size=(12, 3)), np.arange(12) % 2
    fits = [small().fit(X, form(y)) for form in LABEL_FORMS]
    places = [np.searchsorted(fit.classes_, fit.predict(X)) for fit in fits]
    assert_array_equal(places, [places[0]] * len(places))


@property_settings
@given(seed=SEED, n_copies=st.integers(1, 3), int64=st.booleans())
def test_the_storage_of_csr_does_not_matter(sparse_rows, seed, n_copies, int64):
    """Check that the order of entries, duplicates and stored zeros change nothing."""
    X, classifier = sparse_rows
    random = np.random.RandomState(seed)
    coordinates = X.tocoo()
    zeros = random.randint(X.shape, size=(10, 2)).T
    rows, columns = np.concatenate(
        [np.tile([coordinates.row, coordinates.col], n_copies), zeros], axis=1
    )
    values = np.concatenate([np.tile(coordinates.data / n_copies, n_copies), np.zeros(10)])
    order = random.permutation(len(rows))
    order = order[np.argsort(rows[order], kind="stable")]
    ends = np.r_[0, np.bincount(rows, minlength=len(X.indptr) - 1).cumsum()]
    dtype = np.int64 if int64 else np.int32
    parts = (values[order], columns[order].astype(dtype), ends.astype(dtype))
    stored = sparse.csr_array(parts, shape=X.shape)
    expected = classifier.predict_proba(X)
    assert_allclose(classifier.predict_proba(stored), expected, rtol=1e-6)


ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)


@settings(property_settings, max_examples=100)
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=8))
def test_texts_of_any_characters_are_predicted(texts_alone, texts):
    """Check that predict never fails on str, that rows sum to 1 and do not depend on others."""
    found = texts_alone.predict_proba(texts)
    assert found.shape == (len(texts), len(texts_alone.classes_))
    assert_allclose(found.sum(axis=1), 1)
    assert_allclose(texts_alone.predict_proba(texts[::-1])[::-1], found, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::sk_ctxmem.MergedGroupsWarning")
@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")
@CONTEXTS
@property_settings
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=8), ids=st.lists(IDS, min_size=8, max_size=8))
def test_conversations_of_any_characters_are_predicted(fitted, context, texts, ids):
    """Check that texts, groups and speakers of any content give probabilities."""
    classifier, _ = fitted[context]
    columns = {"text": texts, "group": ids, "order": range(8), "speaker": ids}
    X = pd.DataFrame({name: as_objects(values, len(texts)) for name, values in columns.items()})
    found = classifier.predict_proba(X)
    assert np.isfinite(found).all()
    assert_allclose(found.sum(axis=1), 1)


@property_settings
@given(seed=SEED)
def test_context_none_knows_no_groups(fitted, seed):
    """Check that with context="none" ids and places do not matter at all."""
    classifier, expected = fitted["none"]
    random = np.random.RandomState(seed)
    X = FRAME.assign(group=random.randint(5, size=N_ROWS), order=random.permutation(N_ROWS))
    assert_allclose(classifier.predict_proba(X), expected, rtol=1e-10)
