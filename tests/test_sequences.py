"""One label for a whole sequence: fit, predict and scikit-learn's tools."""

import pickle
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_ctxmem import ContextMemoryClassifier, to_sequences

WORDS = ["yes", "no", "well", "parcel", "price", "when", "thanks", "hello", "sorry", "fine"]
CONTEXTS = ["past", "both", "none"]


def make_talks(n_talks=200, seed=0):
    """Return talks of 2 to 7 turns, lost if one of the turns says so."""
    random = np.random.RandomState(seed)
    talks, labels = [], []
    for number in range(n_talks):
        talk = [" ".join(random.choice(WORDS, 4)) for _ in range(random.randint(2, 8))]
        if number % 2:
            talk[random.randint(len(talk))] += " refund"
        talks.append(talk)
        labels.append("lost" if number % 2 else "kept")
    return talks, np.array(labels)


def make_waves(n_waves=120, seed=0):
    """Return series of 5 to 12 steps of three numbers, which rise or fall."""
    random = np.random.RandomState(seed)
    waves, labels = [], np.arange(n_waves) % 2
    for label in labels:
        steps = random.normal(size=(random.randint(5, 13), 3))
        steps[:, 0] += (2 * label - 1) * np.linspace(-2, 2, len(steps))
        waves.append(steps)
    return waves, labels


def as_frames(talks):
    """Return the talks as frames of texts and speakers."""
    return [
        pd.DataFrame(
            {"text": talk, "speaker": ["a", "b"] * (len(talk) // 2) + ["a"] * (len(talk) % 2)}
        )
        for talk in talks
    ]


@pytest.fixture(scope="module")
def talks():
    """Talks, their labels and a classifier."""
    X, y = make_talks()
    return X, y, ContextMemoryClassifier(random_state=0).fit(X, y)


@pytest.mark.parametrize("context", CONTEXTS)
def test_one_word_of_a_talk_tells_its_label(context):
    """Check that a word in any turn is enough, whatever a row sees."""
    X, y = make_talks(400)
    X_new, y_new = make_talks(200, seed=1)
    clf = ContextMemoryClassifier(context=context, random_state=0).fit(X, y)
    assert clf.score(X_new, y_new) > 0.95


@pytest.mark.parametrize("memory", ["gru", "elman", "lstm", "mingru"])
def test_each_memory_finds_the_order_of_steps(memory):
    """Check that what rises is told from what falls, which the mean of the steps does not tell."""
    X, y = make_waves(200)
    X_new, y_new = make_waves(100, seed=1)
    clf = ContextMemoryClassifier(memory=memory, max_epochs=3, random_state=0).fit(X, y)
    assert clf.score(X_new, y_new) > 0.9


def test_shapes_are_those_of_sequences(talks):
    """Check the number of rows of all predictions."""
    X, y, clf = talks
    assert clf.predict(X).shape == (200,)
    assert clf.predict_proba(X).shape == (200, 2)
    assert clf.decision_function(X).shape == (200,)
    assert clf.classes_.tolist() == ["kept", "lost"]
    assert not hasattr(clf, "n_features_in_")


def test_a_sequence_does_not_depend_on_others(talks):
    """Check that order and company change nothing."""
    X, _, clf = talks
    whole = clf.predict_proba(X)
    order = np.random.RandomState(0).permutation(len(X))
    np.testing.assert_allclose(clf.predict_proba([X[i] for i in order]), whole[order], atol=1e-6)
    np.testing.assert_allclose(clf.predict_proba(X[7:8]), whole[7:8], atol=1e-6)


def test_frames_and_lists_of_texts_say_the_same(talks):
    """Check that frames of one column give the bits of lists."""
    X, y, clf = talks
    frames = [pd.DataFrame({"text": talk}) for talk in X]
    other = ContextMemoryClassifier(random_state=0).fit(frames, y)
    assert np.array_equal(other.predict_proba(frames), clf.predict_proba(X))


def test_arrays_of_three_dimensions_and_lists_say_the_same():
    """Check that sequences of one length may be one array."""
    X, y = np.random.RandomState(0).normal(size=(30, 4, 3)), np.arange(30) % 3
    of_array = ContextMemoryClassifier(random_state=0).fit(X, y)
    of_list = ContextMemoryClassifier(random_state=0).fit(list(X), y)
    assert np.array_equal(of_array.predict_proba(X), of_list.predict_proba(list(X)))
    assert of_array.n_features_in_ == 3


def test_order_column_sorts_the_rows_of_each_sequence():
    """Check that shuffled rows with their places say the same as rows in order."""
    X, y = make_talks(60)
    frames = [frame.assign(place=np.arange(len(frame))) for frame in as_frames(X)]
    params = {"text_column": "text", "speaker_column": "speaker", "order_column": "place"}
    clf = ContextMemoryClassifier(**params, random_state=0).fit(frames, y)
    shuffled = [frame.sample(frac=1, random_state=1) for frame in frames]
    np.testing.assert_allclose(clf.predict_proba(shuffled), clf.predict_proba(frames), atol=1e-6)


def test_to_sequences_feeds_fit():
    """Check that a frame of rows becomes sequences whose keys find their labels."""
    X, y = make_talks(100)
    rows = pd.DataFrame(
        [(f"talk {i}", place, text) for i, talk in enumerate(X) for place, text in enumerate(talk)],
        columns=["talk", "place", "text"],
    )
    labels = dict(zip([f"talk {i}" for i in range(100)], y, strict=True))
    sequences, keys = to_sequences(rows.sample(frac=1, random_state=0), "talk", "place")
    clf = ContextMemoryClassifier(random_state=0).fit(sequences, [labels[key] for key in keys])
    of_lists = ContextMemoryClassifier(random_state=0).fit(X, y)
    order = [int(key.split()[1]) for key in keys]
    expected = of_lists.predict_proba(X)[order]
    assert np.abs(clf.predict_proba(sequences) - expected).mean() < 0.1  # another order of rows


@pytest.mark.slow
def test_scikit_learn_splits_whole_sequences():
    """Check train_test_split, cross_val_score, GridSearchCV, Pipeline and calibration."""
    X, y = make_talks(160)
    train, new, y_train, y_new = train_test_split(X, y, random_state=0)
    clf = ContextMemoryClassifier(random_state=0)
    assert clone(clf).fit(train, y_train).score(new, y_new) > 0.9
    assert cross_val_score(clf, X, y, cv=3).mean() > 0.9
    search = GridSearchCV(clf, {"hidden_size": [16, 32]}, cv=2).fit(X, y)
    assert search.best_score_ > 0.9
    calibrated = CalibratedClassifierCV(clf, cv=2).fit(X, y)
    assert (calibrated.predict(new) == y_new).mean() > 0.9
    shorter = FunctionTransformer(lambda talks: [talk[-8:] for talk in talks])
    assert make_pipeline(shorter, clone(clf)).fit(X, y).score(X, y) > 0.9


@pytest.mark.parametrize("form", ["file", "pickle"])
def test_files_and_pickles_keep_the_bits(talks, form):
    """Check that a restored classifier predicts the same sequences alike, and still no rows."""
    X, _, clf = talks
    file = BytesIO()
    if form == "file":
        clf.save(file)
        file.seek(0)
        restored = ContextMemoryClassifier.load(file)
    else:
        restored = pickle.loads(pickle.dumps(clf))
    assert np.array_equal(restored.predict_proba(X), clf.predict_proba(X))
    with pytest.raises(ValueError, match="fitted on sequences"):
        restored.predict(["a text", "another"])


def test_weights_of_sequences_count():
    """Check that sequences of weight 0 do not count."""
    X, y = make_talks(200)
    wrong = np.where(y == "kept", "lost", "kept")
    weights = np.r_[np.ones(200), np.zeros(200)]
    clf = ContextMemoryClassifier(random_state=0)
    clf.fit(X + X, np.r_[y, wrong], sample_weight=weights)
    assert clf.score(X, y) > 0.95


def test_long_sequences_count_as_much_as_short_ones():
    """Check that the label of a long sequence does not outvote those of short ones."""
    short, long = [["yes please"]] * 180, [["yes please"] * 50] * 20
    y = np.r_[np.zeros(180), np.ones(20)].astype(int)
    clf = ContextMemoryClassifier(context="none", max_epochs=8, random_state=0).fit(short + long, y)
    assert clf.predict_proba([["yes please"]])[0, 0] > 0.8  # by rows, it would be .15


@pytest.mark.parametrize("n_iter_no_change", [None, 2])
def test_held_out_rows_are_whole_sequences(n_iter_no_change):
    """Check early stopping, and the temperature of many sequences."""
    X, y = make_talks(2100)
    clf = ContextMemoryClassifier(n_iter_no_change=n_iter_no_change, random_state=0).fit(X, y)
    assert clf.temperature_ != 1
    if n_iter_no_change:
        assert clf.history_["valid_score"].max() > 0.9
        n_held_out = 210
        scores = clf.history_["valid_score"] * n_held_out  # of sequences, not of rows
        np.testing.assert_allclose(scores, scores.round(), atol=1e-2)


@pytest.mark.slow
def test_partial_fit_and_warm_start_go_on_with_sequences():
    """Check that chunks and a second fit learn from sequences, and refuse rows."""
    X, y = make_talks(400)
    clf = ContextMemoryClassifier(random_state=0)
    for _ in range(4):
        for start in (0, 200):
            part = slice(start, start + 200)
            clf.partial_fit(X[part], y[part], classes=["kept", "lost"])
    assert clf.score(X, y) > 0.9
    with pytest.raises(ValueError, match="fitted on sequences"):
        clf.partial_fit(["a text", "another"], ["kept", "lost"])
    again = ContextMemoryClassifier(warm_start=True, random_state=0).fit(X, y)
    before = again.score(X, y)
    assert again.fit(X, y).score(X, y) >= before - 0.02
    with pytest.raises(ValueError, match="fitted on sequences"):
        again.fit(["a text", "another"], ["kept", "lost"])


@pytest.mark.slow
def test_same_seed_gives_the_same_bits_and_checkpoints_resume(tmp_path):
    """Check that a fit is determined by its seed, with and without a checkpoint."""
    X, y = make_waves(20)
    probabilities = [
        ContextMemoryClassifier(random_state=0, **params).fit(X, y).predict_proba(X)
        for params in ({}, {}, {"checkpoint": tmp_path})
    ]
    assert np.array_equal(probabilities[0], probabilities[1])
    assert np.array_equal(probabilities[0], probabilities[2])


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_sequence_may_have_several_labels(context):
    """Check indicators of labels for each sequence."""
    X, _ = make_talks(400)
    y = np.array([["refund" in " ".join(talk), "price" in " ".join(talk)] for talk in X]).astype(
        int
    )
    clf = ContextMemoryClassifier(context=context, max_epochs=8, random_state=0).fit(X, y)
    assert clf.predict(X).shape == y.shape
    assert (clf.predict(X)[:, 0] == y[:, 0]).mean() > 0.9


def test_labels_of_steps_are_refused():
    """Check that the error says what X has to be for a label for each turn."""
    X, _ = make_talks(10)
    with pytest.raises(ValueError, match="group_column"):
        ContextMemoryClassifier().fit(X, [["kept"] * len(talk) for talk in X])
    with pytest.raises(ValueError, match="10 sequences"):
        ContextMemoryClassifier().fit(X, ["kept"] * 3 + ["lost"] * 4)


def test_every_parameter_of_the_pooling_has_a_gradient():
    """Check that no weight of the network keeps its initial value."""
    X, y = make_talks(60)
    for context in CONTEXTS:
        clf = ContextMemoryClassifier(context=context, max_epochs=1, random_state=0).fit(X, y)
        longer = ContextMemoryClassifier(context=context, max_epochs=3, random_state=0).fit(X, y)
        pairs = zip(
            clf.net_.module_.named_parameters(), longer.net_.module_.parameters(), strict=True
        )
        same = [
            name for (name, one), other in pairs if np.array_equal(one.detach(), other.detach())
        ]
        assert same == []


def test_warm_start_counts_the_features_of_steps():
    """Check that another number of features is told without the names that arrays lack."""
    X, y = make_waves(12)
    clf = ContextMemoryClassifier(warm_start=True, max_epochs=1, random_state=0).fit(X, y)
    message = r"of the last fit, \(3 columns\), but X has \(2 columns\); pass"
    with pytest.raises(ValueError, match=message):
        clf.fit([steps[:, :2] for steps in X], y)
