"""What a service stores of a conversation, and how a turn is added to it.

A record is bytes: a seal, a line of JSON and the state of a session. It knows neither HTTP nor a
database, so that `take_turn` can be tried with a dict in the place of Redis.
"""

import hashlib
import json
import logging

import numpy as np

KEPT_ANSWERS = 50  # the last ones of a conversation, which requests that are repeated get again
SEAL_SIZE = 32  # bytes


class Refusal(Exception):
    """Raised if a turn is not added.

    Parameters
    ----------
    reason : {"turn", "text", "speaker", "model", "damaged"}
        Word for programs.
    message : str
        Sentence for people.
    expected : int or None, default=None
        Number of the turn that could be added.
    """

    def __init__(self, reason, message, expected=None):
        super().__init__(message)
        self.reason, self.expected = reason, expected


def name_models(classifiers):
    """Map digests of classifiers to them; the first one is for new conversations.

    States hold the same digest. A turn is predicted here, so that workers which are forked later
    share what is made at the first prediction.
    """
    models = {}
    for classifier in classifiers:
        session = classifier.session()
        models[session.state()["model"].tobytes().hex()] = classifier
        if np.ndim(session.predict_one("a text")):
            raise ValueError("the model gives several labels to a turn; this service answers one")
    return models


def take_turn(models, record, conversation, turn, text, speaker=None):
    """Answer a turn, and return the record that has to replace the old one.

    Parameters
    ----------
    models : dict of str to ContextMemoryClassifier
        Result of `name_models`.
    record : bytes or None
        What is stored of the conversation. None if it is new.
    conversation : str
        Id of the conversation.
    turn : int
        Number of the turn, from 0.
    text : str
        Text of the turn.
    speaker : str or None, default=None
        Speaker of the turn, if the model was fitted with speakers.

    Returns
    -------
    answer : dict
        Turn, label, its probability, and the model. The stored answer if the turn is repeated.
    record : bytes or None
        The new record. None if the turn is repeated, and nothing has to be stored.
    """
    about, state = _read(models, record, conversation, restart=turn == 0)
    said = hashlib.sha256(json.dumps([text, speaker]).encode()).hexdigest()
    if turn != about["n_turns"]:
        return _find_answer(about, turn, said), None
    classifier = _find_model(models, about)
    _check_speaker(classifier, speaker)
    session = _resume(classifier, state, turn)
    probabilities = session.predict_proba_one(text, speaker)
    best = int(probabilities.argmax())
    answer = {
        "turn": turn,
        "label": classifier.classes_.tolist()[best],
        "probability": float(probabilities[best]),
        "model": about["model"],
    }
    answers = [*about["answers"], [said, answer]][-KEPT_ANSWERS:]
    about = {"model": about["model"], "n_turns": turn + 1, "answers": answers}
    content = json.dumps(about, default=str).encode() + b"\n" + session.to_bytes()
    return answer, _seal(conversation, content) + content


def _read(models, record, conversation, *, restart):
    """Return what is known of a conversation, and its state; a damaged one begins anew."""
    new = {"model": next(iter(models)), "n_turns": 0, "answers": []}, None
    if record is None:
        return new
    seal, content = record[:SEAL_SIZE], record[SEAL_SIZE:]
    if seal == _seal(conversation, content):
        about, _, state = content.partition(b"\n")
        return json.loads(about), state
    if not restart:
        raise _damaged("its seal is not that of the content")
    logging.warning("conversation %r was damaged and begins anew", conversation)
    return new


def _seal(conversation, content):
    """Return a checksum, which also tells the record of one conversation from that of another."""
    key = hashlib.sha256(b"record 1 " + conversation.encode()).digest()
    return hashlib.blake2b(content, digest_size=SEAL_SIZE, key=key).digest()


def _damaged(why):
    message = f"the stored conversation is damaged ({why}); begin it anew with turn 0"
    return Refusal("damaged", message, expected=0)


def _find_answer(about, turn, said):
    """Return the answer to a turn that was added before."""
    expected = about["n_turns"]
    first_kept = expected - len(about["answers"])
    if not first_kept <= turn < expected:
        why = "it was answered too long ago" if turn < expected else "turns are missing before it"
        raise Refusal("turn", f"turn {turn} cannot be added: {why}; send turn {expected}", expected)
    said_then, answer = about["answers"][turn - first_kept]
    if said != said_then:
        message = f"turn {turn} was answered, with another text or speaker; send turn {expected}"
        raise Refusal("text", message, expected)
    return answer


def _find_model(models, about):
    if about["model"] not in models:
        message = f"the conversation began with the model {about['model']}, which is not loaded "
        message += f"here, only {', '.join(models)}; load it too, or begin another conversation"
        raise Refusal("model", message, about["n_turns"])
    return models[about["model"]]


def _check_speaker(classifier, speaker):
    if (speaker is None) != (classifier.speaker_column is None):
        missing = "is missing, but" if speaker is None else "was sent, but"
        with_or_without = "with" if speaker is None else "without"
        message = f"the speaker {missing} the model was fitted {with_or_without} speakers"
        raise Refusal("speaker", message)


def _resume(classifier, state, n_turns):
    """Return the session of a conversation."""
    try:
        session = classifier.session(state)
    except ValueError as error:
        raise _damaged(error) from error
    if session.n_turns_ != n_turns:
        raise _damaged(f"its state has {session.n_turns_} turns, not {n_turns}")
    return session
