"""Steps of live conversations: states, a turn, and its probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .._features._featurize import features_of, read_one_text, scale
from .._model._fitted_model import FittedModel
from .._network._batch import RowBatch, SparseFeatures
from .._network._step import initial_states, step
from .._rows._positions import describe_next_rows
from .._rows._reader import RowReader
from .._rows._row_set import RowSet
from .._runtime import one_thread
from ._turns import SPEAKER_SIZE, read_speakers

MOST_TURNS = 2048  # of different conversations in a step, so that memory is bounded


@dataclass(frozen=True)
class SessionStates:
    """All that is kept of conversations between their turns.

    Parameters
    ----------
    vectors : ndarray of shape (n_conversations, n_numbers), float32
        The states of the network.
    n_turns : ndarray of shape (n_conversations,), int64
        Number of turns so far.
    speakers : ndarray of shape (n_conversations, SPEAKER_SIZE), uint8
        The mark of who spoke last.
    """

    vectors: np.ndarray
    n_turns: np.ndarray
    speakers: np.ndarray

    def __len__(self) -> int:
        return len(self.n_turns)

    def take(self, which: Any) -> SessionStates:
        """Return those of some conversations."""
        return SessionStates(self.vectors[which], self.n_turns[which], self.speakers[which])

    def put(self, which: Any, states: SessionStates) -> None:
        """Replace those of some conversations, in place."""
        for name, array in vars(self).items():
            array[which] = getattr(states, name)


def begin(model: FittedModel, n_conversations: int) -> SessionStates:
    """Return the states before the first turn."""
    return SessionStates(
        initial_states(model.network, n_conversations).cpu().numpy(),
        np.zeros(n_conversations, dtype=np.int64),
        np.zeros((n_conversations, SPEAKER_SIZE), dtype=np.uint8),
    )


def advance(
    model: FittedModel, states: SessionStates, turns: Any, speakers: list | None
) -> tuple[SessionStates, np.ndarray]:
    """Read one turn of each conversation.

    Parameters
    ----------
    model : FittedModel
        The model, whose rows see those before them, and those alone.
    states : SessionStates
        The conversations so far.
    turns : list of str, ndarray, csr_array or TextSequences, one for each
        The turns, checked.
    speakers : list or None
        Speaker of each turn.

    Returns
    -------
    states : SessionStates
        The conversations with these turns.
    probabilities : ndarray of shape (n_conversations, n_classes)
        Probabilities of the classes of the turns.
    """
    n_before = states.n_turns
    numbers, marks = read_speakers(speakers, len(states), model.speakers)
    changed = None if model.speakers is None else (marks != states.speakers).any(axis=1)
    batch = _read_batch(model, turns, describe_next_rows(n_before, changed), numbers)
    with one_thread(), torch.inference_mode():
        vectors, logits = step(
            model.network,
            torch.from_numpy(states.vectors).to(model.device),
            torch.from_numpy(n_before).to(model.device),
            batch.to(model.device),
        )
        kept = vectors.cpu().numpy().copy()  # and nothing of torch's beside it
        after = SessionStates(kept, n_before + 1, marks)
        scores = logits.cpu().double().numpy() / model.temperature
    return after, _softmax(scores)


def advance_all(
    model: FittedModel, states: SessionStates, turns: Any, speakers: list | None
) -> tuple[SessionStates, np.ndarray]:
    """Read one turn of each of many conversations, in steps whose memory is bounded."""
    parts = []
    for start in range(0, len(states), MOST_TURNS):
        part = slice(start, start + MOST_TURNS)
        who = None if speakers is None else speakers[part]
        parts.append(advance(model, states.take(part), turns[part], who))
    after = [list(vars(part).values()) for part, _ in parts]
    joined = SessionStates(*map(np.concatenate, zip(*after, strict=True)))
    return joined, np.concatenate([probabilities for _, probabilities in parts])


def _read_batch(
    model: FittedModel, turns: Any, extras: np.ndarray, speakers: np.ndarray
) -> RowBatch:
    """Return turns as the network reads them."""
    if len(speakers) == 1 and model.reads_one_text:
        features = _read_one_text(model.reader, turns[0])
        return RowBatch(features, torch.from_numpy(extras), torch.from_numpy(speakers))
    reader = model.reader
    values = reader.vectorizer.transform(turns) if model.input_kind == "text" else turns
    return RowSet(
        features=scale(features_of(values), reader.scaler),
        extras=extras,
        speakers=speakers,
        rows=np.arange(len(speakers)),
        lengths=np.ones(len(speakers), dtype=np.int64),
        words=values.words if reader.word_memory else None,
        word_offsets=values.offsets if reader.word_memory else None,
        context="none",
    ).one_batch()


def _read_one_text(reader: RowReader, text: str) -> SparseFeatures:
    """Return the features of one text: most of a turn's time would go into sparse matrices."""
    places, values = read_one_text(text, reader.vectorizer, reader.scaler)
    ids, offsets = torch.from_numpy(places), torch.zeros(1, dtype=torch.int32)
    return SparseFeatures(ids, torch.from_numpy(values), offsets)


def _softmax(scores: np.ndarray) -> np.ndarray:
    """Return probabilities as scipy's softmax, which takes several times as long on one row."""
    if not np.isfinite(scores).all():
        raise ValueError(
            "the turn has numbers that are too far from those of fit for single precision; scale "
            "them as those of fit, or leave it out."
        )
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
