"""One step of live conversations: from states and turns to states and probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from .._features._featurize import (
    features_of,
    join_dense,
    read_one_text,
    scale,
    scale_heavy_columns,
)
from .._model._fitted_model import FittedModel
from .._network._batch import RowBatch, SparseFeatures, Words
from .._network._step import initial_states, step
from .._rows._positions import describe_next_rows, find_next_turns
from .._rows._reader import RowReader
from .._rows._row_set import RowSet, packs_words, words_of_one_row
from .._runtime import torch_defaults
from ._turns import SPEAKER_SIZE, read_speakers

MAX_BATCH_SIZE = 2048  # turns, which limits the use of memory


@dataclass(frozen=True)
class SessionStates:
    """State of conversations between turns.

    Parameters
    ----------
    vectors : ndarray of shape (n_conversations, n_numbers), float32
        States of the network.
    n_turns : ndarray of shape (n_conversations,), int64
        Number of turns so far.
    speakers : ndarray of shape (n_conversations, n_kept, SPEAKER_SIZE), uint8
        Digests of the speakers of the previous turns, the latest last; zeros where there is none.
    """

    vectors: np.ndarray
    n_turns: np.ndarray
    speakers: np.ndarray

    def __len__(self) -> int:
        return len(self.n_turns)

    def take(self, which: Any) -> SessionStates:
        """Return the states of some conversations."""
        return SessionStates(self.vectors[which], self.n_turns[which], self.speakers[which])

    def put(self, which: Any, states: SessionStates) -> None:
        """Replace the states of some conversations, in place."""
        for name, array in vars(self).items():
            array[which] = getattr(states, name)


@torch_defaults()
def begin(model: FittedModel, n_conversations: int) -> SessionStates:
    """Return the states before the first turn."""
    return SessionStates(
        initial_states(model.network, n_conversations).cpu().numpy(),
        np.zeros(n_conversations, dtype=np.int64),
        np.zeros((n_conversations, model.n_kept_speakers, SPEAKER_SIZE), dtype=np.uint8),
    )


def advance(
    model: FittedModel,
    states: SessionStates,
    turns: Any,
    speakers: list | None,
    columns: pd.DataFrame | None = None,
) -> tuple[SessionStates, np.ndarray]:
    """Process one turn of each conversation.

    Parameters
    ----------
    model : FittedModel
        Model fitted with groups and ``context="past"``.
    states : SessionStates
        States before the turns.
    turns : list of str, ndarray, csr_array or TextSequences, one for each conversation
        Validated turns.
    speakers : list or None
        Speaker of each turn.
    columns : DataFrame or None, default=None
        Columns of features beside the texts. None if the classifier was fitted without.

    Returns
    -------
    states : SessionStates
        States after the turns.
    probabilities : ndarray of shape (n_conversations, n_classes)
        Probabilities of the classes, or of several labels, of the turns.
    """
    n_before = states.n_turns
    ids, digests = read_speakers(speakers, len(states), model.speakers)
    are_same = (states.speakers == digests[:, np.newaxis]).all(axis=2)
    changed = None if model.speakers is None else ~are_same[:, -1]
    places = describe_next_rows(n_before, changed, model.reader.longest_group)
    beside = model.reader.read_beside(turns, columns)
    batch = _read_batch(model, turns, places, ids, beside)
    if are_same.shape[1] > 1:
        batch.turns = torch.from_numpy(find_next_turns(are_same, n_before))
    with torch_defaults(), torch.inference_mode():
        vectors, logits = step(
            model.network,
            torch.from_numpy(states.vectors).to(model.device),
            torch.from_numpy(n_before).to(model.device),
            batch.to(model.device),
        )
        kept = vectors.cpu().numpy().copy()  # a view would keep more memory of torch alive
        speakers_after = np.concatenate([states.speakers[:, 1:], digests[:, np.newaxis]], axis=1)
        after = SessionStates(kept, n_before + 1, speakers_after)
        scaled_logits = logits.cpu().double().numpy() / model.temperature
    _check_finite(scaled_logits)
    if model.multilabel:
        return after, model.outputs.probabilities(scaled_logits)
    return after, _softmax(scaled_logits)


def advance_all(
    model: FittedModel,
    states: SessionStates,
    turns: Any,
    speakers: list | None,
    columns: pd.DataFrame | None = None,
) -> tuple[SessionStates, np.ndarray]:
    """Process one turn of each conversation, in batches that limit the use of memory."""
    parts = []
    for start in range(0, len(states), MAX_BATCH_SIZE):
        part = slice(start, start + MAX_BATCH_SIZE)
        some_speakers = None if speakers is None else speakers[part]
        some_columns = None if columns is None else columns[part]
        parts.append(advance(model, states.take(part), turns[part], some_speakers, some_columns))
    after = [list(vars(part).values()) for part, _ in parts]
    joined = SessionStates(*map(np.concatenate, zip(*after, strict=True)))
    return joined, np.concatenate([probabilities for _, probabilities in parts])


def _read_batch(
    model: FittedModel,
    turns: Any,
    extras: np.ndarray,
    speakers: np.ndarray,
    beside: np.ndarray | None,
) -> RowBatch:
    """Convert turns to a batch of rows."""
    reader = model.reader
    if len(speakers) == 1 and model.reads_one_text:
        features, words = _read_one_text(reader, turns[0])
        dense = None if beside is None else torch.from_numpy(beside)
        places, speaker = torch.from_numpy(extras), torch.from_numpy(speakers)
        return RowBatch(features, places, speaker, words=words, dense=dense)
    values = reader.vectorize_values(turns)
    return RowSet(
        features=scale(features_of(values), reader.scaler),
        dense=join_dense(scale_heavy_columns(features_of(values), reader.scaler), beside),
        extras=extras,
        speakers=speakers,
        rows=np.arange(len(speakers)),
        lengths=np.ones(len(speakers), dtype=np.int64),
        words=values.words if reader.word_memory else None,
        word_offsets=values.offsets if reader.word_memory else None,
        packed_words=packs_words(reader.word_memory),
        context="none",
    ).one_batch()


def _read_one_text(reader: RowReader, text: str) -> tuple[SparseFeatures, Words | None]:
    """Return the features of one text, and its words if the network reads words.

    The sparse matrices of scipy, which take most of the time of a turn, are not used.
    """
    columns, values, numbers = read_one_text(
        text, reader.vectorizer, reader.scaler, with_words=bool(reader.word_memory)
    )
    ids, offsets = torch.from_numpy(columns), torch.from_numpy(np.zeros(1, dtype=np.int32))
    features = SparseFeatures(ids, torch.from_numpy(values), offsets)
    if numbers is None:
        return features, None
    return features, words_of_one_row(numbers, packed=packs_words(reader.word_memory))


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Return softmax probabilities; on one row, several times faster than scipy's softmax."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _check_finite(logits: np.ndarray) -> None:
    """Raise unless all logits are finite."""
    if not np.isfinite(logits).all():
        raise ValueError(
            "The turn has values whose logits overflow single precision; scale the features as in "
            "fit, or omit the turn."
        )
