"""The state of a session as plain arrays and back, checked: it may come from anywhere."""

from collections.abc import Mapping

import numpy as np

from .._network._step import CACHED_ROW_SIZE, N_CACHED_ROWS, state_sizes
from ._advance import SessionStates
from ._history import NAMES, SessionHistory
from ._turns import SPEAKER_SIZE

MOST_TURNS = 2**53  # in a conversation; what is said to have more is made up
REMEDY = "pass what state() returned in a session of this classifier"


def write_state(model, states, history):
    """Return all that a conversation needs to go on, as arrays.

    Parameters
    ----------
    model : FittedModel
        What the session runs on.
    states : SessionStates of one conversation
        What is kept of it.
    history : SessionHistory
        Written too, if it has the texts.
    """
    ends = np.cumsum(list(state_sizes(model.network).values()))[:-1]
    memory, attention, classes = np.split(states.vectors[0].copy(), ends)
    arrays = {
        "memory": memory,
        "attention": attention.reshape(N_CACHED_ROWS, CACHED_ROW_SIZE),
        "classes": classes,
        "n_turns": states.n_turns.copy(),
        "speaker": states.speakers[0].copy(),
        "model": np.frombuffer(model.fingerprint, dtype=np.uint8),
    }
    return arrays | (history.write() if history.texts is not None else {})


def read_state(model, state):
    """Return what `write_state` was given, but for the model.

    Returns
    -------
    states : SessionStates of one conversation
        What is kept of it.
    history : SessionHistory or None
        What was predicted and said, if the state has it.

    Raises
    ------
    TypeError, ValueError
        If the state is none, is damaged, or is one of another model.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"state is a {type(state).__name__}, where a dict was expected; {REMEDY}.")
    shapes = _expected(model)
    arrays = _read_arrays(state, [*shapes, "model"])
    if arrays["model"].tobytes() != model.fingerprint:
        raise ValueError(
            "state is of a session of another model, whose vectors mean something else here; load "
            "the model that it was made with, or begin a new session."
        )
    for name, (shape, dtype) in shapes.items():
        found = arrays[name]
        if found.shape != shape or found.dtype != dtype:
            raise ValueError(
                f"state[{name!r}] has the shape {found.shape} and the type {found.dtype}, where "
                f"{shape} and {np.dtype(dtype)} were expected; {REMEDY}."
            )
    _check_values(arrays)
    vectors = np.concatenate([arrays[name].ravel() for name in ("memory", "attention", "classes")])
    states = SessionStates(
        vectors[np.newaxis], arrays["n_turns"].copy(), arrays["speaker"][np.newaxis].copy()
    )
    if not all(name in state for name in NAMES):
        return states, None
    history = SessionHistory.read(state, len(model.classes))
    if len(history.predictions) > states.n_turns[0]:
        raise ValueError(f"state has a history of more turns than it has; {REMEDY}.")
    return states, history


def _expected(model):
    """Return the shape and the type of each array."""
    sizes = state_sizes(model.network)
    return {
        "memory": ((sizes["memory"],), np.float32),
        "attention": ((N_CACHED_ROWS, CACHED_ROW_SIZE), np.float32),
        "classes": ((sizes["classes"],), np.float32),
        "n_turns": ((1,), np.int64),
        "speaker": ((SPEAKER_SIZE,), np.uint8),
    }


def _read_arrays(state, names):
    missing = [name for name in names if name not in state]
    if missing:
        raise ValueError(f"state lacks {missing}; {REMEDY}.")
    try:
        return {name: np.asarray(state[name]) for name in names}
    except ValueError as error:
        raise ValueError(f"state holds what is no array ({error}); {REMEDY}.") from error


def _check_values(arrays):
    """Raise unless the numbers are such as a session can have come to."""
    for name in ("memory", "attention", "classes"):
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"state[{name!r}] has numbers that are not finite; {REMEDY}.")
    classes, n_turns = arrays["classes"], int(arrays["n_turns"][0])
    if classes.min() < 0 or abs(float(classes.sum(dtype=np.float64)) - 1) > 1e-3:
        raise ValueError(f"state['classes'] are no probabilities; {REMEDY}.")
    if not 0 <= n_turns <= MOST_TURNS:
        raise ValueError(f"state['n_turns'] is {n_turns}, which is no number of turns; {REMEDY}.")
