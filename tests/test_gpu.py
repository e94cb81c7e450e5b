"""Tests on a GPU: that everything runs there, and says what the CPU says.

`SK_CTXMEM_TEST_DEVICE=cpu` runs them without a GPU, to try the tests themselves.
"""

import os
import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback

from sk_ctxmem import CachedEmbedder, ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem.datasets import make_conversations

DEVICE = os.environ.get("SK_CTXMEM_TEST_DEVICE", "cuda")
ROLES = {"text_column": "text", "group_column": "group", "speaker_column": "speaker"}
SMALL = {"hidden_size": 32, "random_state": 0, "device": DEVICE}
MEMORIES = ["gru", "elman", "lstm", "mingru"]
CONTEXTS = ["past", "both", "none"]
# Products of another order are others in the last bits of single precision. Sums on a GPU have no
# fixed order, so that two fits differ by what these bits become in some hundred steps.
SAME_WEIGHTS = {"rtol": 0, "atol": 1e-5}
SAME_FIT = {"rtol": 0, "atol": 0.02}

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        DEVICE.startswith("cuda") and not torch.cuda.is_available(), reason="no CUDA device"
    ),
]


def fit(frame, **parameters):
    """Return a small classifier fitted on conversations, on the device."""
    classifier = ContextMemoryClassifier(**(SMALL | ROLES | parameters))
    return classifier.fit(frame[list(ROLES.values())], frame["target"])


def on_cpu(classifier):
    """Return a copy on the CPU: what is fitted moves where it is read, to the device of then."""
    moved = pickle.loads(pickle.dumps(classifier)).set_params(device="cpu")
    return pickle.loads(pickle.dumps(moved))


def device_of(classifier):
    """Return the kind of the device on which a classifier has its weights."""
    (kind,) = {parameter.device.type for parameter in classifier._model.network.parameters()}
    return kind


def embed(texts):
    """Stand for an embedder: two numbers of each text."""
    return np.array([[len(text), text.count("e")] for text in texts], dtype=float)


class KilledError(Exception):
    """Stands for the end of a process."""


class KillAfterTwo(Callback):
    """Kills the fit after its second epoch, before the checkpoint of the third."""

    def on_epoch_begin(self, net, **kwargs):
        """Raise an error in the third epoch."""
        if len(net.history) > 2:
            raise KilledError("killed in the third epoch")


@pytest.fixture(scope="module")
def frame():
    """Return conversations of which only the turn before tells the class of a turn."""
    return make_conversations(200, random_state=0).frame


@pytest.fixture(scope="module")
def new():
    """Return other conversations."""
    return make_conversations(40, random_state=1).frame


@pytest.fixture(scope="module")
def fitted(frame):
    """Return a classifier with its default memory."""
    return fit(frame)


def test_weights_are_on_the_device(fitted):
    """Check that a fit leaves no weight behind on another device, and that copies move."""
    assert device_of(fitted) == torch.device(DEVICE).type
    assert device_of(on_cpu(fitted)) == "cpu"


@pytest.mark.parametrize("memory", MEMORIES)
def test_each_memory_learns_and_predicts(memory, frame, new):
    """Check the accuracy of each memory, and that the CPU predicts the same with its weights."""
    classifier = fit(frame, memory=memory, max_epochs=8)
    assert classifier.score(new, new["target"]) > 0.9
    expected = classifier.predict_proba(new)
    assert_allclose(on_cpu(classifier).predict_proba(new), expected, **SAME_WEIGHTS)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("word_memory", [False, True, "convolution"])
def test_each_context_and_memory_of_words_runs(context, word_memory, frame, new):
    """Check that the CPU predicts the same as the device with its weights."""
    classifier = fit(frame, context=context, word_memory=word_memory, max_epochs=2)
    expected = classifier.predict_proba(new)
    assert_allclose(on_cpu(classifier).predict_proba(new), expected, **SAME_WEIGHTS)


def test_a_fit_says_what_that_of_the_cpu_says(frame, new, fitted):
    """Check accuracy against a fit on the CPU, whose random numbers are others."""
    accuracy = fit(frame, device="cpu").score(new, new["target"])
    assert fitted.score(new, new["target"]) == pytest.approx(accuracy, abs=0.05)


def test_a_session_says_what_predict_says(fitted, new):
    """Check turns one by one, on the device."""
    of_group = new[new["group"] == new["group"].iloc[0]]
    session = fitted.session()
    turns = zip(of_group["text"], of_group["speaker"], strict=True)
    live = [session.predict_proba_one(text, speaker) for text, speaker in turns]
    assert_allclose(live, fitted.predict_proba(of_group), rtol=0, atol=1e-5)


def test_files_go_to_the_cpu_and_back(fitted, new, tmp_path):
    """Check that a file of the device predicts on the CPU, and one of the CPU on the device."""
    fitted.save(tmp_path / "model")
    expected = fitted.predict_proba(new)
    classifier = ContextMemoryClassifier.load(tmp_path / "model")
    for device in ("cpu", DEVICE):
        classifier.set_params(device=device).save(tmp_path / "model")
        classifier = ContextMemoryClassifier.load(tmp_path / "model")
        assert device_of(classifier) == torch.device(device).type
        assert_allclose(classifier.predict_proba(new), expected, **SAME_WEIGHTS)
    assert_array_equal(classifier.predict(new), fitted.predict(new))


def test_partial_fit_learns_in_chunks(frame, new):
    """Check the accuracy after some passes over two chunks of whole conversations."""
    classifier = ContextMemoryClassifier(**(SMALL | ROLES))
    is_first = frame["group"] < 100
    for _ in range(6):
        for chunk in (frame[is_first], frame[~is_first]):
            classifier.partial_fit(chunk, chunk["target"], np.unique(frame["target"]))
    assert classifier.score(new, new["target"]) > 0.9


def test_early_stopping_keeps_the_best_epoch(frame):
    """Check that scores are measured on the device, and that the best weights are restored."""
    classifier = fit(frame, n_iter_no_change=2, max_epochs=30, validation_fraction=0.2)
    history = classifier.history_
    assert len(history) < 30
    assert history["valid_score"].notna().all()
    assert "no better valid_score" in classifier.stop_reason_


def test_a_warm_start_goes_on(frame):
    """Check that a second fit starts with the weights of the first."""
    classifier = fit(frame, warm_start=True, max_epochs=2)
    first = classifier.history_["train_loss"].tolist()
    classifier.fit(frame[list(ROLES.values())], frame["target"])
    losses = classifier.history_["train_loss"].tolist()
    assert losses[:2] == first
    assert losses[2] < first[0] / 2


def test_a_checkpoint_goes_on_after_a_kill(frame, new, tmp_path):
    """Check that the random state of the device is kept with the weights."""
    expected = fit(frame)
    with pytest.raises(KilledError, match="in the third epoch"):
        fit(frame, checkpoint=tmp_path, callbacks=[KillAfterTwo()])
    resumed = fit(frame, checkpoint=tmp_path)
    assert_allclose(resumed.predict_proba(new), expected.predict_proba(new), **SAME_FIT)


def test_a_seed_gives_the_same_fit(frame, new, fitted):
    """Check two fits with one seed; on a GPU, sums in another order change the last bits."""
    again = fit(frame)
    if DEVICE == "cpu":
        assert_array_equal(again.predict_proba(new), fitted.predict_proba(new))
    assert_allclose(again.predict_proba(new), fitted.predict_proba(new), **SAME_FIT)


def test_random_numbers_outside_stay_as_they_are(frame):
    """Check that a fit restores the generators of torch."""
    torch.rand(3, device=DEVICE)
    before = torch.get_rng_state()
    of_gpu = torch.cuda.get_rng_state() if DEVICE.startswith("cuda") else before
    fit(frame, max_epochs=1)
    assert torch.equal(torch.get_rng_state(), before)
    if DEVICE.startswith("cuda"):
        assert torch.equal(torch.cuda.get_rng_state(), of_gpu)


def test_several_labels(frame, new):
    """Check one network for two labels of a row, on the device and on the CPU."""
    labels = np.stack([frame["target"] == "red", frame["target"] != "red"], axis=1).astype(int)
    X = frame[list(ROLES.values())]
    classifier = ContextMemoryClassifier(**(SMALL | ROLES), max_epochs=8).fit(X, labels)
    expected = classifier.predict_proba(new)
    assert ((expected[:, 0] > 0.5) == (new["target"] == "red")).mean() > 0.9
    assert_allclose(on_cpu(classifier).predict_proba(new), expected, **SAME_WEIGHTS)


@pytest.mark.parametrize("memory", MEMORIES)
def test_sequences_of_vectors(memory):
    """Check sequences with one label each, of different lengths: they rise or fall."""
    random = np.random.RandomState(0)
    y = np.arange(200) % 2
    lengths = random.randint(5, 13, len(y))
    X = [random.normal(size=(length, 3)) for length in lengths]
    for steps, label in zip(X, y, strict=True):
        steps[:, 0] += (2 * label - 1) * np.linspace(-2, 2, len(steps))
    classifier = ContextMemoryClassifier(memory=memory, **SMALL).fit(X[:150], y[:150])
    assert classifier.score(X[150:], y[150:]) > 0.9
    expected = classifier.predict_proba(X)
    assert_allclose(on_cpu(classifier).predict_proba(X), expected, **SAME_WEIGHTS)


def test_embedder_and_columns_beside_texts(frame, new):
    """Check vectors of texts and columns of numbers, which go to the device beside n-grams."""
    classifier = ContextMemoryClassifier(
        **(SMALL | ROLES), embedder=CachedEmbedder(embed), feature_columns=["order"]
    ).fit(frame.drop(columns="target"), frame["target"])
    expected = classifier.predict_proba(new)
    assert_allclose(on_cpu(classifier).predict_proba(new), expected, **SAME_WEIGHTS)
    assert classifier.score(new, new["target"]) > 0.6


def test_explanations_add_up(fitted, new):
    """Check that what the device learned is explained, as on the CPU."""
    few = new.iloc[:8]
    there, here = fitted.explain(few), on_cpu(fitted).explain(few)
    numbers = there.select_dtypes("number").columns
    assert_allclose(there[numbers], here[numbers], rtol=0, atol=1e-4)


def test_class_weights_and_weights_of_rows(frame, new):
    """Check that weights go to the device: rows of weight 0 teach nothing."""
    X = frame[list(ROLES.values())]
    weight = (frame["target"] != "red").astype(float)
    classifier = ContextMemoryClassifier(**(SMALL | ROLES), class_weight="balanced")
    classifier.fit(X, frame["target"], sample_weight=weight)
    assert (classifier.predict(new) == "red").mean() < 0.05


def test_texts_that_stand_alone():
    """Check a list of texts without groups, whose label is a word in them."""
    talks, others = (make_conversations(150, lag=0, random_state=seed) for seed in (0, 1))
    classifier = ContextMemoryClassifier(TextSequenceVectorizer(char_ngram_range=None), **SMALL)
    classifier.fit(talks.frame["text"].tolist(), talks.target)
    assert classifier.score(others.frame["text"].tolist(), others.target) > 0.9
