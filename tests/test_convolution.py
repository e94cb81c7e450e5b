"""Tests of word_memory="convolution": the module, and a classifier with it."""

import io
import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem._model._file import model_state
from sk_ctxmem._network._batch import Words
from sk_ctxmem._network._convolution import WORD_WIDTH, ConvolutionReader
from sk_ctxmem.distributed import fit_parquet

SMALL = {"hidden_size": 8, "max_epochs": 2, "random_state": 0}
COLUMNS = {"text_column": "text", "group_column": "group"}
TEXTS = ["red and blue", "", "red", "blue red zzz", "xxx yyy", "and"]
LENGTHS = {
    "an empty row between others": [3, 0, 4, 1],
    "empty rows at the ends": [0, 2, 2, 0],
    "one word in each row": [1, 1, 1],
    "one row": [5],
    "one row of one word": [1],
}


def make_reader():
    """Return a reader of ten words whose weights are all random."""
    reader = ConvolutionReader(n_words=10, width=4)
    for weight in reader.parameters():
        torch.nn.init.normal_(weight, std=0.5, generator=torch.Generator().manual_seed(0))
    return reader


def make_words(lengths):
    """Return the words of rows, some of them several times."""
    rows = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths))
    return Words(torch.arange(len(rows)) ** 2 % 7, rows)


def read_alone(reader, ids):
    """Return the vector of one row, with the convolution of torch over dense embeddings."""
    embeddings = reader.table.weight[ids].T  # (K, V)
    states = torch.conv1d(embeddings, *reader.convolution.parameters(), padding=1).T.tanh()
    weights = reader.attention(states).tanh().softmax(dim=0)
    return (weights * states).sum(dim=0)


def make_talks(n_groups=60):
    """Return turns whose class is told by the order of their words, not by the words."""
    random = np.random.RandomState(0)
    target = random.randint(2, size=4 * n_groups)
    texts = [("so a b", "so b a")[label] + random.choice([" x", " y", ""]) for label in target]
    group = np.arange(len(target)) // 4
    return pd.DataFrame({"text": texts, "group": group, "target": target})


def fit(talks, **changes):
    """Return a small classifier with a convolution."""
    params = SMALL | COLUMNS | {"word_memory": "convolution"} | changes
    return ContextMemoryClassifier(**params).fit(talks[["text", "group"]], talks["target"])


@pytest.fixture(scope="module")
def talks():
    """Return some talks."""
    return make_talks()


@pytest.fixture(scope="module")
def classifier(talks):
    """Return a classifier of these talks."""
    return fit(talks)


@pytest.fixture
def strange():
    """Return a talk with texts without words, of one word, and of unknown words."""
    return pd.DataFrame({"text": TEXTS, "group": 0})


# --- module


@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_the_reader_is_a_convolution_of_torch_in_each_row(lengths):
    """Check that no word sees one of another row, and that rows without words are zeros."""
    reader, words = make_reader(), make_words(lengths)
    found = reader(words, len(lengths))
    for row, vector in enumerate(found):
        ids = words.ids[words.rows == row]
        expected = read_alone(reader, ids) if len(ids) else torch.zeros(4)
        assert_allclose(vector.detach(), expected.detach(), rtol=1e-5, atol=1e-6)


def test_rows_without_any_word_are_zeros():
    """Check a batch without words."""
    assert make_reader()(make_words([0, 0]), 2).tolist() == [[0.0] * 4] * 2


def test_gradients_are_those_of_a_convolution_of_torch():
    """Check all gradients, and that the table has a row for each different word."""
    lengths = LENGTHS["an empty row between others"]
    words, reader, expected = make_words(lengths), make_reader(), make_reader()
    reader(words, len(lengths)).pow(2).sum().backward()
    rows = [read_alone(expected, words.ids[words.rows == row]) for row in (0, 2, 3)]
    torch.stack(rows).pow(2).sum().backward()
    assert len(reader.table.weight.grad._values()) == len(set(words.ids.tolist()))
    for left, right in zip(reader.parameters(), expected.parameters(), strict=True):
        gradient = left.grad.to_dense() if left.grad.is_sparse else left.grad
        assert right.grad.abs().max() > 0
        assert_allclose(gradient, right.grad, rtol=1e-4, atol=1e-6)


# --- classifier


@pytest.mark.parametrize("context", ["none", pytest.param("both", marks=pytest.mark.slow)])
def test_the_order_of_words_is_learned(context, talks):
    """Check classes that the words of a text do not tell."""
    single_words = {"vectorizer": TextSequenceVectorizer(ngram_range=(1, 1))}
    options = single_words | {"context": context, "max_epochs": 6, "hidden_size": 16}
    train, test = talks[:180], talks[180:]
    without = fit(train, word_memory=False, **options)
    assert without.score(test[["text", "group"]], test["target"]) < 0.75
    clf = fit(train, **options)
    assert clf.score(test[["text", "group"]], test["target"]) > 0.95


def test_the_kind_is_a_size_of_the_network(classifier, talks):
    """Check which networks have a width of words, and what files of others say of it."""
    width = classifier.net_.module_.reader.table.weight.shape[1]
    assert width == WORD_WIDTH
    assert model_state(classifier._model)["_sizes"]["word_width"] == WORD_WIDTH
    assert model_state(classifier._model)["_reading"]["word_memory"] == "convolution"
    for other in (False, True):
        assert "word_width" not in model_state(fit(talks, word_memory=other)._model)["_sizes"]


def test_a_file_is_read_and_written_again_byte_for_byte(classifier, strange):
    """Check save and load; a loaded classifier has its attributes in another order."""
    files = [io.BytesIO() for _ in range(3)]
    classifier.save(files[0])
    for before, after in itertools.pairwise(files):
        before.seek(0)
        loaded = ContextMemoryClassifier.load(before)
        loaded.save(after)
    assert files[1].getvalue() == files[2].getvalue()
    assert loaded.word_memory == "convolution"
    assert_array_equal(loaded.predict_proba(strange), classifier.predict_proba(strange))


@pytest.mark.parametrize("options", [{}, {"vectorizer": TextSequenceVectorizer(analyzer="char")}])
@pytest.mark.parametrize("word_memory", [True, "convolution"])
def test_turns_are_the_rows(word_memory, options, talks, strange):
    """Check a session, which reads one text, and several, which read a batch."""
    clf = fit(talks, word_memory=word_memory, **options)
    assert clf._model.reads_one_text
    expected, session, sessions = clf.predict_proba(strange), clf.session(), clf.sessions(2)
    for text, row in zip(TEXTS, expected, strict=True):
        assert_allclose(session.predict_proba_one(text), row, atol=1e-6)
        assert_allclose(sessions.predict_proba([text, text]), [row, row], atol=1e-6)


def test_the_words_change_what_a_session_says(classifier):
    """Check that the test of turns can fail: the network of a session reads words."""
    features = classifier.session()
    expected = features.predict_proba_one("so a b")
    with torch.no_grad():
        table = classifier._model.network.reader.table.weight
        before = table.clone()
        table.zero_()
        found = classifier.session().predict_proba_one("so a b")
        table.copy_(before)
    assert np.abs(found - expected).max() > 1e-4


def test_a_row_does_not_depend_on_its_batch(classifier, talks):
    """Check that texts are predicted alone as among others."""
    whole = classifier.predict_proba(talks[["text", "group"]])
    alone = classifier.predict_proba(talks[["text", "group"]][8:12])
    assert_allclose(alone, whole[8:12], atol=1e-6)


def test_partial_fit_goes_on(talks):
    """Check that a second part is read as the first, and changes the words' embeddings."""
    clf = ContextMemoryClassifier(**SMALL, **COLUMNS, word_memory="convolution")
    X, y = talks[["text", "group"]], talks["target"]
    clf.partial_fit(X[:120], y[:120], classes=[0, 1])
    before = clf._model.network.reader.table.weight.clone()
    clf.partial_fit(X[120:], y[120:])
    assert not torch.equal(before, clf._model.network.reader.table.weight)
    assert clf._model.network.reader.table.weight.shape == before.shape


def test_fits_of_files_read_words(talks, tmp_path):
    """Check that rows are read out of a file too."""
    talks.to_parquet(tmp_path / "talks.parquet")
    clf = ContextMemoryClassifier(**SMALL, **COLUMNS, word_memory="convolution")
    fitted = fit_parquet(clf, tmp_path, target="target")
    assert fitted._model.network_params["word_width"] == WORD_WIDTH
    assert np.isfinite(fitted.predict_proba(talks[["text", "group"]])).all()


@pytest.mark.parametrize("former", [False, True])
def test_a_warm_start_keeps_the_kind(former, talks):
    """Check that a changed kind is refused as other changed sizes, and the same kind goes on."""
    clf = fit(talks, word_memory=former, warm_start=True)
    clf.set_params(word_memory="convolution")
    with pytest.raises(ValueError, match=f"network .*word_width from 0 to {WORD_WIDTH}"):
        clf.fit(talks[["text", "group"]], talks["target"])
    clf = fit(talks, warm_start=True)
    clf.fit(talks[["text", "group"]], talks["target"])
    assert len(clf.history_) == 2 * SMALL["max_epochs"]


def test_a_search_tries_all_three(talks):
    """Check a list of bools and a string, and what `clone` and `get_params` say."""
    clf = ContextMemoryClassifier(**SMALL, **COLUMNS)
    grid = {"word_memory": [False, True, "convolution"]}
    search = GridSearchCV(clf, grid, cv=GroupKFold(2), refit=False)
    search.fit(talks[["text", "group"]], talks["target"], groups=talks["group"])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    copied = clone(clf.set_params(word_memory="convolution"))
    assert copied.get_params()["word_memory"] == "convolution"


def test_a_string_of_numpy_is_as_good(classifier, talks, strange):
    """Check that what a file holds is a plain string."""
    clf = fit(talks, word_memory=np.str_("convolution"))
    assert_array_equal(clf.predict_proba(strange), classifier.predict_proba(strange))
    assert type(clf._model.reader.word_memory) is str


def test_features_have_no_words():
    """Check the error for features alone, which names the value."""
    clf = ContextMemoryClassifier(**SMALL, word_memory="convolution")
    with pytest.raises(ValueError, match="word_memory='convolution' requires the words"):
        clf.fit(np.eye(6), [0, 1] * 3)
