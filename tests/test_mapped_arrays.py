"""Tests of arrays that lie in a mapped file, are read-only, or are of a subclass of ndarray."""

import pickle
import re

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV

from benchmarks.reliability.models import MODELS, ROLES, SMALL, fit_models, make_rows
from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem._files._codec import PlainWriter, from_state, to_state
from sk_ctxmem.distributed import FramePredictor


@pytest.fixture(scope="module")
def models():
    """Fitted classifiers of every kind, each with rows to predict."""
    return fit_models()


@pytest.fixture(scope="module")
def rows():
    """Conversations and their classes."""
    return make_rows()


def mapped(value, path, mode="r"):
    """Write a value with joblib, and load it with its arrays mapped from the file."""
    joblib.dump(value, path)
    return joblib.load(path, mmap_mode=mode)


@pytest.mark.parametrize("name", MODELS)
def test_a_mapped_classifier_is_saved_to_the_same_bytes(models, name, tmp_path):
    """Check predictions and the file of a classifier whose pickle was mapped by joblib."""
    classifier, X = models[name]
    loaded = mapped(classifier, tmp_path / "pickle")
    pickle.loads(pickle.dumps(classifier)).save(tmp_path / "expected")
    loaded.save(tmp_path / "found")
    assert (tmp_path / "found").read_bytes() == (tmp_path / "expected").read_bytes()
    assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_a_mapped_classifier_learns_on_and_leaves_its_file_alone(models, rows, mode, tmp_path):
    """Check partial_fit and a warm start, each to the same bits as without a mapped file."""
    frame, target = rows
    classifier = pickle.loads(pickle.dumps(models["frame"][0])).partial_fit(frame, target)
    loaded = mapped(classifier, tmp_path / "pickle", mode)
    before = (tmp_path / "pickle").read_bytes()
    for one in (classifier, loaded):
        one.partial_fit(frame, target).set_params(warm_start=True).fit(frame, target)
    assert_array_equal(loaded.predict_proba(frame), classifier.predict_proba(frame))
    assert (tmp_path / "pickle").read_bytes() == before


def test_a_mapped_classifier_may_replace_its_own_pickle(models, tmp_path):
    """Check that no array is read from the file after the load."""
    classifier, X = models["limited"]
    loaded = mapped(classifier, tmp_path / "pickle")
    joblib.dump(loaded, tmp_path / "pickle")
    again = joblib.load(tmp_path / "pickle")
    assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))


def test_read_only_buffers_of_a_pickle_are_copied(models, rows):
    """Check a pickle whose arrays came apart from it, as Dask and Ray send them."""
    buffers = []
    classifier = pickle.loads(pickle.dumps(models["frame"][0])).partial_fit(*rows)
    content = pickle.dumps(classifier, protocol=5, buffer_callback=buffers.append)
    sent = [bytes(buffer.raw()) for buffer in buffers]
    again = pickle.loads(content, buffers=sent).partial_fit(*rows)
    expected = classifier.partial_fit(*rows).predict_proba(rows[0])
    assert_array_equal(again.predict_proba(rows[0]), expected)


def predict_in_worker(classifier, frame):
    """Predict with a FramePredictor that is made in the worker."""
    return FramePredictor(classifier)(frame)


@pytest.mark.slow
def test_workers_of_joblib_make_frame_predictors(models, rows):
    """Check workers that map every argument, and a search in them."""
    classifier, (frame, target) = models["frame"][0], rows
    with parallel_config("loky", n_jobs=2, max_nbytes=1):
        found = Parallel()(delayed(predict_in_worker)(classifier, frame) for _ in range(2))
        search = GridSearchCV(
            ContextMemoryClassifier(**ROLES, **SMALL, warm_start=True),
            {"dropout": [0.0, 0.1]},
            error_score="raise",
            cv=2,
        ).fit(frame, target)
    for table in found:
        assert table.equals(FramePredictor(classifier)(frame))
    FramePredictor(search.best_estimator_)


def test_the_state_of_a_session_may_be_mapped(models, tmp_path):
    """Check that a conversation resumes from mapped arrays, and does not change them."""
    classifier, _ = models["frame"]
    session = classifier.session(keep_texts=True)
    session.predict_one("red")
    resumed = classifier.session(mapped(session.state(), tmp_path / "state"), keep_texts=True)
    before = (tmp_path / "state").read_bytes()
    assert_array_equal(resumed.predict_proba_one("blue"), session.predict_proba_one("blue"))
    assert (tmp_path / "state").read_bytes() == before


def test_a_mapped_vectorizer_gives_the_same_features(tmp_path):
    """Check a TextSequenceVectorizer, and its result as X of a fit."""
    frame, target = make_rows(10)
    texts = frame["text"].tolist()
    vectorizer = TextSequenceVectorizer(max_features=20).fit(texts)
    loaded = mapped(vectorizer, tmp_path / "vectorizer")
    assert type(loaded._word_numbers) is np.ndarray
    X = vectorizer.transform(texts)
    expected = ContextMemoryClassifier(**SMALL).fit(X, target).predict_proba(X)
    sequences = mapped(loaded.transform(texts), tmp_path / "sequences")
    found = ContextMemoryClassifier(**SMALL).fit(sequences, target).predict_proba(sequences)
    assert_array_equal(found, expected)


def test_mapped_arrays_are_plain_data_and_others_are_named(tmp_path):
    """Check memmaps of numbers, dates and str, and that a mask or units are not dropped."""
    for array in (np.arange(3), np.array(["2020-01-01"], "M8[D]"), np.array(["a", "ü"])):
        writer = PlainWriter({})
        plain = writer.write(mapped(array, tmp_path / "array"), "x")
        expected = PlainWriter({})
        assert plain == expected.write(array, "x")
        assert {type(kept) for kept in writer.arrays.values()} <= {np.ndarray}
    for array in (np.ma.masked_array([1, 2], [True, False]), np.arange(3).view(np.recarray)):
        message = re.escape("convert it to a plain array of numbers or str")
        with pytest.raises(TypeError, match=message):
            PlainWriter({}).write(array, "x")
        assert type(from_state(to_state(array, "x", {}), {})) is type(array)


def test_masked_texts_in_a_column_are_refused():
    """Check that the text below a mask is not read."""
    texts = np.ma.masked_array([["a"], ["b"], ["c"]], mask=[[False], [True], [False]])
    with pytest.raises(ValueError, match="X has a masked value in row 1; fill it with .filled()"):
        ContextMemoryClassifier(**SMALL).fit(texts, [0, 1, 0])


def test_arrays_of_the_other_byte_order_are_read(rows):
    """Check groups, order and classes with big-endian numbers, as files of other machines have."""
    frame, target = rows
    texts, groups = frame["text"].tolist(), frame["group"].to_numpy().astype("i8")
    codes = np.unique(target, return_inverse=True)[1]
    expected = ContextMemoryClassifier(**SMALL).fit(texts, codes, groups=groups)
    found = ContextMemoryClassifier(**SMALL).fit(
        texts, codes.astype(">i4"), groups=groups.astype(">i8")
    )
    assert_array_equal(
        found.predict_proba(texts, groups=groups.astype(">i8")),
        expected.predict_proba(texts, groups=groups),
    )
    swapped = frame.assign(group=groups.astype(">i8"))
    classifier = ContextMemoryClassifier(**ROLES, **SMALL)
    assert_array_equal(
        classifier.fit(swapped, target).predict_proba(swapped),
        classifier.fit(frame.assign(group=groups), target).predict_proba(frame),
    )
