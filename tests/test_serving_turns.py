"""Tests of the records of the service: turns are counted once, and damage is named."""

import json
import pickle

import numpy as np
import pytest
from _serving import SERVING  # noqa: F401  # so that the next line finds it
from _sessions import TOLERANCE, fit
from conversations import KEPT_ANSWERS, Refusal, name_models, take_turn

from sk_ctxmem import ContextMemoryClassifier


@pytest.fixture(scope="module")
def model(talks):
    """Fit a classifier on conversations without speakers."""
    return fit(talks)


@pytest.fixture(scope="module")
def models(model):
    """Return the models of a worker."""
    return name_models([model])


def talk(models, texts, conversation="a"):
    """Return the answers to turns of a new conversation, and its record."""
    record, answers = None, []
    for turn, text in enumerate(texts):
        answer, record = take_turn(models, record, conversation, turn, text)
        answers.append(answer)
    return answers, record


def test_two_workers_answer_a_conversation_as_the_batch(model, models, talks, tmp_path):
    """Check label and probability of each turn, answered in turn by two processes' models."""
    model.save(tmp_path / "model")
    workers = [models, name_models([ContextMemoryClassifier.load(tmp_path / "model")])]
    rows = talks[talks["group"] == 0]
    record, probabilities, labels = None, [], []
    for turn, text in enumerate(rows["text"]):
        answer, record = take_turn(workers[turn % 2], record, "a", turn, text)
        assert answer["turn"] == turn
        assert answer["model"] == next(iter(models))
        labels.append(answer["label"])
        probabilities.append(answer["probability"])
    assert labels == model.predict(rows).tolist()
    np.testing.assert_allclose(probabilities, model.predict_proba(rows).max(axis=1), atol=TOLERANCE)


def test_a_repeated_turn_has_the_same_answer_and_changes_nothing(models):
    """Check each turn so far, and that nothing is to be stored."""
    answers, record = talk(models, ["red", "so ?", "blue"])
    for turn, text in enumerate(["red", "so ?", "blue"]):
        assert take_turn(models, record, "a", turn, text) == (answers[turn], None)


def test_a_repeated_turn_needs_no_model(models):
    """Check that a worker with another model answers what was answered."""
    answers, record = talk(models, ["red", "so ?"])
    assert take_turn({"other": None}, record, "a", 1, "so ?") == (answers[1], None)


@pytest.mark.parametrize(
    ("turn", "text", "reason", "message"),
    [
        (3, "so ?", "turn", "turn 3 cannot be added: turns are missing before it; send turn 2"),
        (2**31, "so ?", "turn", "send turn 2"),
        (1, "blue", "text", "turn 1 was answered, with another text or speaker; send turn 2"),
        (0, "blue", "text", "turn 0 was answered, with another text or speaker; send turn 2"),
    ],
)
def test_a_turn_out_of_order_is_refused(turn, text, reason, message, models):
    """Check reason, message and the number that is expected."""
    _, record = talk(models, ["red", "so ?"])
    with pytest.raises(Refusal, match=message.replace("?", r"\?")) as found:
        take_turn(models, record, "a", turn, text)
    assert (found.value.reason, found.value.expected) == (reason, 2)


def test_a_conversation_that_is_not_known_begins_with_turn_0(models):
    """Check a turn of a conversation that was forgotten, as after its time to live."""
    with pytest.raises(Refusal, match="send turn 0"):
        take_turn(models, None, "a", 1, "red")


def test_the_last_answers_are_kept(models):
    """Check that a record does not grow without end, and that old turns are refused by name."""
    texts = [f"red {turn}" for turn in range(KEPT_ANSWERS + 5)]
    answers, record = talk(models, texts)
    assert take_turn(models, record, "a", 5, "red 5") == (answers[5], None)
    with pytest.raises(Refusal, match="it was answered too long ago; send turn 55"):
        take_turn(models, record, "a", 4, "red 4")
    _, longer = talk(models, texts + ["blue"] * 40)
    assert len(longer) < len(record) + 200


def cut(record):
    """Return the head of JSON and the state of a record."""
    about, _, state = record[32:].partition(b"\n")
    return json.loads(about), state


DAMAGE = {
    "empty": lambda record: b"",
    "cut": lambda record: record[:-1],
    "cut in the seal": lambda record: record[:20],
    "longer": lambda record: record + b"\0",
    "another bit in the seal": lambda record: bytes([record[0] ^ 1]) + record[1:],
    "another bit in the answers": lambda record: record.replace(b"label", b"labem"),
    "another bit in the state": lambda record: record[:-9] + bytes([record[-9] ^ 1]) + record[-8:],
    "text": lambda record: b"what is this",
    "a pickle": lambda record: pickle.dumps(print),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_record_is_refused_by_name_and_begins_anew(name, models):
    """Check that no turn is answered from it, and that turn 0 begins the conversation again."""
    first, record = talk(models, ["red", "so ?"])
    damaged = DAMAGE[name](record)
    for turn in (1, 2):
        with pytest.raises(Refusal, match="is damaged .*begin it anew with turn 0") as found:
            take_turn(models, damaged, "a", turn, "so ?")
        assert (found.value.reason, found.value.expected) == ("damaged", 0)
    answer, record = take_turn(models, damaged, "a", 0, "red")
    assert answer == first[0]
    assert take_turn(models, record, "a", 1, "so ?")[0] == first[1]


def test_the_record_of_another_conversation_is_damage(models):
    """Check that records which were exchanged are not answered from."""
    _, record = talk(models, ["red", "so ?"], "a")
    with pytest.raises(Refusal, match="its seal is not that of the content"):
        take_turn(models, record, "b", 2, "red")


@pytest.mark.parametrize("change", ["state", "turns"])
def test_a_sealed_record_that_does_not_agree_is_damage(change, models):
    """Check the state of another version, and one of another number of turns."""
    import conversations

    about, state = cut(talk(models, ["red", "so ?"])[1])
    if change == "state":
        state = state.replace(b"session 1", b"session 9")
    else:
        state = cut(talk(models, ["red"])[1])[1]
    content = json.dumps(about).encode() + b"\n" + state
    record = conversations._seal("a", content) + content
    with pytest.raises(Refusal, match=r"damaged \((state is not the bytes|its state has 1 turns)"):
        take_turn(models, record, "a", 2, "red")


def test_models_side_by_side_end_their_own_conversations(models, talks):
    """Check that an old conversation keeps its model, a new one has the first, others refuse."""
    newer = fit(talks, random_state=1)
    old, (new,) = next(iter(models)), name_models([newer])
    both = name_models([newer, *models.values()])
    assert list(both) == [new, old]
    answers, record = talk(models, ["red", "so ?"])
    answer, after = take_turn(both, record, "a", 2, "blue")
    assert answer["model"] == old
    assert answer == take_turn(models, record, "a", 2, "blue")[0]
    assert take_turn(both, None, "b", 0, "red")[0]["model"] == new
    with pytest.raises(Refusal, match=f"began with the model {old}, which is not loaded") as found:
        take_turn({new: newer}, after, "a", 3, "blue")
    assert (found.value.reason, found.value.expected) == ("model", 3)
    # nor does it begin anew by a repeated first turn, as another worker may go on with it
    assert take_turn({new: newer}, after, "a", 0, "red") == (answers[0], None)


@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")  # as the app does
def test_speakers_are_asked_for_where_the_model_has_them(talks, models):
    """Check that a missing speaker, and one too many, are refused, and that others count."""
    speaker = np.where(np.arange(len(talks)) % 3, "client", "agent")
    spoken = name_models([fit(talks.assign(speaker=speaker), speaker_column="speaker")])
    with pytest.raises(Refusal, match="speaker is missing, but the model was fitted with speakers"):
        take_turn(spoken, None, "a", 0, "red")
    answer, record = take_turn(spoken, None, "a", 0, "red", "client")
    assert take_turn(spoken, record, "a", 0, "red", "client") == (answer, None)
    with pytest.raises(Refusal, match="with another text or speaker"):
        take_turn(spoken, record, "a", 0, "red", "agent")
    with pytest.raises(Refusal, match="was sent, but the model was fitted without speakers"):
        take_turn(models, None, "a", 0, "red", "client")


def test_classes_of_numbers_and_bools_can_be_stored(talks):
    """Check labels that are no str, and a conversation that goes on after them."""
    for target in (talks["target"].eq("green"), talks["target"].astype("category").cat.codes):
        models = name_models([fit(talks, target.to_numpy())])
        answers, record = talk(models, ["red", "so ?"])
        assert type(answers[0]["label"]) in (bool, int)
        assert take_turn(models, record, "a", 1, "so ?") == (answers[1], None)


def test_a_model_of_several_labels_is_refused(talks):
    """Check that a service does not start with a model that it cannot answer from."""
    y = np.column_stack([talks["target"].eq(name) for name in ("green", "red")]).astype(int)
    with pytest.raises(
        ValueError, match="gives several labels to a turn; this service answers one"
    ):
        name_models([fit(talks, y)])
