"""Tests of forecasts: live sessions of sequences, and the forecasts after all rows at once."""

import numpy as np
import pandas as pd
import pytest
from _forecasts import fit, make_frames, make_steps, make_talks, prefixes
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import MultiLabelBinarizer

from sk_ctxmem._model._fitted_model import fitted_model
from sk_ctxmem._network._memories import MEMORIES

pytestmark = pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")
TOLERANCE = 1e-6
COLUMNS = {"text_column": "said", "speaker_column": "who"}


class Letters:
    """Embeds a text by counts of its letters."""

    def encode(self, texts):
        """Return the vectors of texts."""
        return np.array([[text.count(letter) for letter in "aeionr"] for text in texts], float)


def turns_of(sequence):
    """Yield the arguments of the turns of a session for a sequence."""
    if not isinstance(sequence, pd.DataFrame):
        yield from ((row, None, None) for row in sequence)
        return
    for row in sequence.to_dict("records"):
        yield row["said"], row["who"], {"price": row["price"]}


def check_sessions(classifier, sequences, *, speakers=False, features=False):
    """Check that sessions forecast what predict_proba says of each prefix."""
    for sequence in sequences:
        expected = classifier.predict_proba(prefixes(sequence))
        session = classifier.session()
        for forecast, (row, speaker, columns) in zip(expected, turns_of(sequence), strict=True):
            options = {"speaker": speaker if speakers else None}
            found = session.predict_proba_one(
                row, **options, features=columns if features else None
            )
            assert_allclose(found, forecast, atol=TOLERANCE, rtol=0)
        (whole,) = fitted_model(classifier).forecasts([sequence])
        assert_allclose(whole, expected, atol=TOLERANCE, rtol=0)
        assert np.ptp(whole[:, 0]) > 1e-4 or len(whole) == 1  # forecasts do change


@pytest.mark.parametrize("word_memory", [False, True, "convolution"])
@pytest.mark.parametrize("memory", MEMORIES)
def test_a_session_forecasts_the_label_of_texts(memory, word_memory):
    """Check that each turn says what predict_proba says of the texts so far."""
    talks, labels = make_talks()
    check_sessions(fit(talks, labels, memory=memory, word_memory=word_memory), talks[:4])


@pytest.mark.parametrize("memory", MEMORIES)
def test_a_session_forecasts_the_label_of_steps(memory):
    """Check that a turn is one step, an array of features."""
    steps, labels = make_steps()
    check_sessions(fit(steps, labels, memory=memory), steps[:4])
    steps = np.random.RandomState(0).randn(30, 5, 2)
    labels = (steps[:, :, 0].mean(axis=1) > 0).astype(int)
    check_sessions(fit(steps, labels, memory=memory), steps[:2])


def test_a_session_forecasts_the_label_of_frames():
    """Check that speakers and columns of features are read turn by turn."""
    frames, labels = make_frames()
    speaks = fit(frames, labels, **COLUMNS, max_epochs=3)
    check_sessions(speaks, frames[:4], speakers=True)
    reads = fit(frames, labels, **COLUMNS, feature_columns=["price"])
    check_sessions(reads, frames[:4], speakers=True, features=True)


def test_a_session_forecasts_with_vectors():
    """Check that the vectors of an embedder are read turn by turn."""
    talks, labels = make_talks()
    check_sessions(fit(talks, labels, embedder=Letters(), memory="lstm"), talks[:4])


def test_a_session_forecasts_several_labels():
    """Check that a turn gives the probability of each label of the whole sequence."""
    talks, _ = make_talks(60)
    words = [{w for w in ("yes", "red", "one") if any(w in t for t in talk)} for talk in talks]
    classifier = fit(talks, MultiLabelBinarizer().fit_transform(words))
    check_sessions(classifier, talks[:3])
    whole = classifier.predict(talks[:1])[0]
    session = classifier.session()
    said = [session.predict_one(text) for text in talks[0]]
    assert_array_equal(said[-1], whole)


def test_many_sessions_forecast_what_one_does():
    """Check that conversations at different turns are advanced together."""
    talks, labels = make_talks()
    classifier = fit(talks, labels)
    some = [talk for talk in talks if len(talk) > 2][:3]
    sessions = classifier.sessions(3)
    first = sessions.predict_proba([talk[0] for talk in some])
    assert_allclose(first, classifier.predict_proba([talk[:1] for talk in some]), atol=TOLERANCE)
    sessions.predict([some[2][1]], which=[2])
    last = sessions.predict_proba([some[0][1], some[2][2]], which=[0, 2])
    expected = classifier.predict_proba([some[0][:2], some[2][:3]])
    assert_allclose(last, expected, atol=TOLERANCE, rtol=0)


def test_forecasts_follow_the_order_column():
    """Check that the forecasts of a frame that is not sorted are in its order column's order."""
    frames, labels = make_frames()
    frames = [frame.assign(at=np.arange(len(frame))) for frame in frames]
    classifier = fit(frames, labels, **COLUMNS, order_column="at")
    model = fitted_model(classifier)
    turned = [frame.iloc[::-1] for frame in frames]
    for found, expected in zip(model.forecasts(turned), model.forecasts(frames), strict=True):
        assert_allclose(found, expected, atol=TOLERANCE, rtol=0)


def test_a_long_conversation_is_summed_as_precisely_as_a_batch():
    """Check that sums over a thousand turns lose no digits that predictions show."""
    talks, labels = make_talks()
    classifier = fit(talks, labels)
    long = [text for talk in talks * 7 for text in talk]
    session = classifier.session()
    said = np.array([session.predict_proba_one(text) for text in long])
    assert len(long) > 1000
    (expected,) = fitted_model(classifier).forecasts([long])
    assert_allclose(said, expected, atol=TOLERANCE, rtol=0)


def test_a_stored_forecast_goes_on(tmp_path):
    """Check that a state is small, has the sums, and goes on with the model out of a file."""
    talks, labels = make_talks()
    classifier = fit(talks, labels, memory="lstm")
    session = classifier.session(keep_texts=True)
    for text in talks[0][:2] + talks[1][:2]:
        session.predict_one(text)
    state = session.state()
    assert [name for name in state if "history" not in name] == [
        *("memory", "sums", "n_turns", "speaker", "model")
    ]
    assert sum(array.nbytes for array in state.values()) < 1000
    classifier.save(tmp_path / "model")
    for clf in (classifier, type(classifier).load(tmp_path / "model")):
        restored = clf.session(state, keep_texts=True)
        assert restored.history_.equals(session.history_)
        expected = session.fork().predict_proba_one("yes")
        assert_array_equal(restored.predict_proba_one("yes"), expected)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("sums", np.nan, r"state\['sums'\] has values that are not finite"),
        ("sums", 0.0, r"state\['sums'\] cannot be those of 2 turns"),
        ("n_turns", 900, r"state\['sums'\] cannot be those of 900 turns"),
    ],
)
def test_a_damaged_state_is_refused(name, value, message):
    """Check that sums which a session cannot have are refused, with a remedy."""
    talks, labels = make_talks()
    classifier = fit(talks, labels)
    session = classifier.session()
    for text in ("yes", "no"):
        session.predict_one(text)
    state = session.state()
    state[name] = np.full_like(state[name], value)
    with pytest.raises(ValueError, match=message):
        classifier.session(state)


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ("both", r"fitted with context='both'.*fit with context='past'\.$"),
        (
            "none",
            r"context='none', and knows no order of turns; fit with context='past', or use",
        ),
    ],
)
def test_forecasts_need_a_context_of_the_past(context, message):
    """Check that sessions name the context that they need."""
    talks, labels = make_talks()
    with pytest.raises(ValueError, match=message):
        fit(talks, labels, context=context).session()
