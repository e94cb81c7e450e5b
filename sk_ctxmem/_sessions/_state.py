"""Conversion of the state of a session to arrays and back, with validation."""

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
import safetensors.numpy

from .._network._pooling import MAX_WEIGHT
from .._network._step import state_shapes, state_sizes
from ._advance import SessionStates
from ._history import ARRAY_NAMES, SessionHistory
from ._turns import SPEAKER_SIZE

FORMAT = b"ctxmem session 1"  # how bytes begin; the number is the version of the format
CHECKSUM_SIZE = 32  # bytes, which follow
MAX_TURNS = 2**53  # of a conversation; no session can have more
REMEDY = "pass the result of state() of a session of this classifier"
RESTART = "start a new session, or pass the whole result of to_bytes()"


def write_state(model, states, history):
    """Convert the state of a conversation to arrays.

    Parameters
    ----------
    model : FittedModel
        Model of the session.
    states : SessionStates of one conversation
        State of the network.
    history : SessionHistory
        History, which is included if it contains texts.
    """
    ends = np.cumsum(list(state_sizes(model.network).values()))[:-1]
    parts = np.split(states.vectors[0].copy(), ends)
    shapes = state_shapes(model.network)
    arrays = {
        **{name: part.reshape(shapes[name]) for name, part in zip(shapes, parts, strict=True)},
        "n_turns": states.n_turns.copy(),
        "speaker": states.speakers[0].reshape(_speaker_shape(model)).copy(),
        "model": np.frombuffer(model.fingerprint, dtype=np.uint8),
    }
    return arrays | (history.write() if history.texts is not None else {})


def to_bytes(arrays):
    """Convert the arrays of `write_state` to bytes: format, checksum, and safetensors."""
    content = safetensors.numpy.save(arrays)
    return FORMAT + _checksum(content) + content


def from_bytes(packed):
    """Convert the result of `to_bytes` to arrays; nothing is unpickled.

    Raises
    ------
    ValueError
        If the bytes are damaged, or of another format.
    """
    start = len(FORMAT) + CHECKSUM_SIZE
    checksum, content = packed[len(FORMAT) : start], packed[start:]
    if not packed.startswith(FORMAT):
        raise ValueError(f"state is not the bytes of a session of this version; {RESTART}.")
    if checksum != _checksum(content):
        raise ValueError(f"state is damaged, as its checksum shows; {RESTART}.")
    try:
        return safetensors.numpy.load(content)
    except Exception as error:  # of safetensors, or of a type that numpy lacks
        raise ValueError(f"state is damaged ({error}); {RESTART}.") from error


def _checksum(content):
    return blake2b(content, digest_size=CHECKSUM_SIZE).digest()


def read_state(model, state):
    """Validate the result of `write_state` or `to_bytes`; return a state and a history.

    Returns
    -------
    states : SessionStates of one conversation
        State of the network.
    history : SessionHistory or None
        History, if the arrays include it.

    Raises
    ------
    TypeError, ValueError
        If the state is invalid, or belongs to another model.
    """
    if isinstance(state, bytes | bytearray | memoryview):
        state = from_bytes(bytes(state))
    if not isinstance(state, Mapping):
        name = type(state).__name__
        raise TypeError(f"state is a {name}, but a dict or bytes were expected; {REMEDY}.")
    shapes = _expected(model)
    arrays = _read_arrays(state, [*shapes, "model"])
    if arrays["model"].tobytes() != model.fingerprint:
        raise ValueError(
            "state belongs to a session of another model; load that model, or start a new session."
        )
    for name, (shape, dtype) in shapes.items():
        found = arrays[name]
        if found.shape != shape or found.dtype != dtype:
            raise ValueError(
                f"state[{name!r}] has shape {found.shape} and dtype {found.dtype}, but {shape} and "
                f"{np.dtype(dtype)} were expected; {REMEDY}."
            )
    parts = state_shapes(model.network)
    _check_values(model, arrays, parts)
    vectors = np.concatenate([arrays[name].ravel() for name in parts])
    states = SessionStates(
        vectors[np.newaxis],
        arrays["n_turns"].copy(),
        arrays["speaker"].reshape(1, -1, SPEAKER_SIZE).copy(),
    )
    if not all(name in state for name in ARRAY_NAMES):
        return states, None
    history = SessionHistory.read(state, len(model.classes))
    if len(history.predictions) > states.n_turns[0]:
        raise ValueError(f"state has a history of more turns than n_turns; {REMEDY}.")
    return states, history


def _expected(model):
    """Return the shape and dtype of each array."""
    shapes = state_shapes(model.network)
    return {
        **{name: (shape, np.float32) for name, shape in shapes.items()},
        "n_turns": ((1,), np.int64),
        "speaker": (_speaker_shape(model), np.uint8),
    }


def _speaker_shape(model):
    """Return the shape of the digests of speakers, which is without an axis for a single one."""
    n_kept = model.n_kept_speakers
    return (SPEAKER_SIZE,) if n_kept == 1 else (n_kept, SPEAKER_SIZE)


def _read_arrays(state, names):
    missing = [name for name in names if name not in state]
    if missing:
        raise ValueError(f"state lacks {missing}; {REMEDY}.")
    try:
        return {name: np.asarray(state[name]) for name in names}
    except ValueError as error:
        raise ValueError(f"state has a value that is not an array ({error}); {REMEDY}.") from error


def _check_values(model, arrays, parts):
    """Raise unless a session can have these values."""
    for name in parts:
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"state[{name!r}] has values that are not finite; {REMEDY}.")
    n_turns = int(arrays["n_turns"][0])
    if not 0 <= n_turns <= MAX_TURNS:
        raise ValueError(f"state['n_turns'] is {n_turns}, which is not a valid number; {REMEDY}.")
    if "classes" in parts:
        _check_classes(arrays["classes"], several=model.multilabel)
    if "sums" in parts:
        _check_sums(arrays["sums"], model.network.pooling.n_sums, n_turns)


def _check_classes(classes, *, several):
    """Raise unless these are probabilities of the classes of the previous row."""
    total = float(classes.sum(dtype=np.float64))
    if classes.min() < 0 or classes.max() > 1.001 or (abs(total - 1) > 1e-3 and not several):
        raise ValueError(f"state['classes'] must be probabilities; {REMEDY}.")


def _check_sums(sums, n_sums, n_turns):
    """Raise unless the sum of the weights of rows can be that of so many turns."""
    total, largest = float(sums[n_sums - 1]), MAX_WEIGHT * 1.001
    if not n_turns / largest <= total <= n_turns * largest:
        raise ValueError(f"state['sums'] cannot be those of {n_turns} turns; {REMEDY}.")
