"""Validation of the turns and speakers of live conversations."""

from collections.abc import Mapping, Set
from hashlib import blake2b
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import check_array

from .._features._sequences import TextSequences
from .._input._arrays import (
    as_array,
    as_column,
    as_numbers,
    check_float32_range,
    check_storage,
    is_missing,
)
from .._input._frames import as_table, column_names, is_frame, take_columns
from .._input._rows import check_texts
from .._rows._speakers import find_alike, warn_of_missing, warn_of_unknown

SPEAKER_SIZE = 16  # bytes of the digest of a speaker, which does not reveal the name
BOTH_WARNINGS = frozenset({"missing", "unknown"})
NO_SPEAKER = bytes(SPEAKER_SIZE)
KINDS = {
    "text": "one text, a str",
    "features": "one row of features, a 1-D array or a sparse matrix of shape (1, n_features)",
    "sequences": "TextSequences of one row",
}


def read_turn(kind, content, n_features):
    """Validate one turn, and return it as a batch of one.

    Parameters
    ----------
    kind : {"text", "features", "sequences"}
        Kind of the X of the fit.
    content : str, array-like of shape (n_features,), sparse of shape (1, n_features), or container
        User input.
    n_features : int or None
        Number of features that the classifier reads. None for texts.

    Returns
    -------
    turns : list of str, ndarray or csr_array of shape (1, n_features), or TextSequences of one row
        Validated turn.

    Raises
    ------
    TypeError, ValueError
        If the turn has another kind or number of features.
    """
    if kind == "text":
        if not isinstance(content, str):
            raise TypeError(
                f"text={content!r:.60} is of type {type(content).__name__}, but {KINDS[kind]}, was "
                "expected; pass one turn per call."
            )
        return [content]
    if isinstance(content, str):
        raise TypeError(
            f"text={content!r:.60} is a str, but the classifier was fitted on {kind}; pass "
            f"{KINDS[kind]}."
        )
    if kind == "features" and not sparse.issparse(content):
        content = as_array(as_table(content, "text"), "text")
        if content.ndim == 1:
            content = content[np.newaxis]
    return read_turns(kind, content, 1, n_features)


def read_turns(kind, contents, n_turns, n_features):
    """Validate the turns of several conversations, as `read_turn` does for one.

    Parameters
    ----------
    kind : {"text", "features", "sequences"}
        Kind of the X of the fit.
    contents : list of str, array-like or sparse of shape (n_turns, n_features), or container
        User input.
    n_turns : int
        Expected number of turns.
    n_features : int or None
        Number of features that the classifier reads. None for texts.
    """
    if kind == "text":
        turns = check_texts(contents, "texts")
    elif kind == "sequences":
        turns = _check_container(contents)
    else:
        turns = as_numbers(as_array(as_table(contents, "text"), "text"), "text")
        check_storage(turns)
        turns = check_float32_range(check_array(turns, accept_sparse="csr", input_name="text"))
    n_found = len(turns) if kind == "text" else turns.shape[0]
    if n_found != n_turns:
        raise ValueError(
            f"{n_found} turns were passed, but {n_turns} are needed; pass one for each "
            "conversation."
        )
    if kind != "text" and turns.shape[1] != n_features:
        raise ValueError(
            f"text has {turns.shape[1]} features, but {n_features} were expected; compute the "
            "features as in fit."
        )
    return turns


def _check_container(contents):
    if not isinstance(contents, TextSequences):
        raise TypeError(
            f"text is of type {type(contents).__name__}, but the classifier was fitted on "
            "TextSequences; pass the result of vectorizer.transform([text])."
        )
    return contents


def read_features(names, features, n_turns):
    """Validate the values of columns beside the texts, and convert them to a DataFrame.

    Parameters
    ----------
    names : list or None
        Columns of features beside the texts of the fit. None if it had none.
    features : dict, list of n_turns dicts, DataFrame of n_turns rows, or None
        User input.
    n_turns : int
        Number of turns.

    Returns
    -------
    columns : DataFrame of n_turns rows or None
        The columns. None if the fit had none.

    Raises
    ------
    TypeError, ValueError
        If values are missing, or were passed although the fit had no such columns.
    """
    if names is None:
        if features is not None:
            raise ValueError(
                "features were passed, but the classifier was fitted without feature_columns; "
                "omit them."
            )
        return None
    wanted = f"the values of {names!r:.200}, which the classifier reads beside the text"
    if features is None:
        raise ValueError(f"features=None, but a turn needs {wanted}; pass a dict of them.")
    rows = [features] if isinstance(features, Mapping) else features
    are_dicts = isinstance(rows, list | tuple) and all(isinstance(row, Mapping) for row in rows)
    frame = rows if are_dicts else as_table(features, "features")
    if not are_dicts and not is_frame(frame):
        raise TypeError(
            f"features={features!r:.100} must be a dict, or for several turns a list of dicts or a "
            f"DataFrame, with {wanted}."
        )
    if len(frame) != n_turns:
        raise ValueError(
            f"features has {len(frame)} rows, but there are {n_turns} turns; pass one for each."
        )
    parts = frame if are_dicts else [column_names(frame)]
    missing = [name for name in names if not all(name in part for part in parts)]
    if missing:
        raise ValueError(f"features has no {missing}, but a turn needs {wanted}; add them.")
    if not are_dicts:
        return take_columns(frame, names)
    return pd.DataFrame({name: as_column([row[name] for row in rows]) for name in names})


def check_speakers(speakers, n_turns):
    """Validate the speakers of turns and convert them to a list; None if all are unknown.

    Raises
    ------
    TypeError, ValueError
        If the speakers are not a sequence of `n_turns` values.
    """
    if speakers is None:
        return None
    speakers = as_table(speakers, "speakers")
    is_ordered = hasattr(type(speakers), "__len__") and getattr(speakers, "shape", (0,)) != ()
    if isinstance(speakers, str | bytes | Set | Mapping) or not is_ordered:
        raise TypeError(
            f"speakers={speakers!r:.60} must be a list of one speaker for each turn; use None for "
            "an unknown speaker."
        )
    if len(speakers) != n_turns:
        raise ValueError(
            f"speakers has {len(speakers)} values, but there are {n_turns} turns; pass one speaker "
            "for each turn, and None for an unknown speaker."
        )
    return list(speakers)


def read_speakers(speakers, n_turns, known):
    """Return an id and a digest of the speaker of each turn.

    Parameters
    ----------
    speakers : list of n_turns objects, or None
        Speaker of each turn. None, in the list or instead of it, is an unknown speaker.
    n_turns : int
        Number of turns.
    known : dict or None
        Id of each known speaker. None if the classifier was fitted without speakers.

    Returns
    -------
    ids : ndarray of shape (n_turns,), int64
        Id of each speaker, 0 if unknown.
    digests : ndarray of shape (n_turns, SPEAKER_SIZE), uint8
        Digest of each speaker, to recognize a change of speaker in the next turn.
    """
    if speakers is None:
        speakers = [None] * n_turns
    if known is None:
        _refuse_speakers(speakers)
        speakers, known = [None] * n_turns, {}
    digests = b"".join(map(_digest, speakers))
    ids = [0 if is_missing(speaker) else known.get(speaker, 0) for speaker in speakers]
    return (
        np.array(ids, dtype=np.int64),
        np.frombuffer(digests, dtype=np.uint8).reshape(n_turns, SPEAKER_SIZE),
    )


def warn_of_turns(speakers, n_turns, reader, warned):
    """Warn of missing and unknown speakers of turns, unless `warned` says that it was done.

    Parameters
    ----------
    speakers : list of n_turns objects, or None
        Speaker of each turn.
    n_turns : int
        Number of turns.
    reader : RowReader
        Reader of the fitted model.
    warned : frozenset of str
        Warnings that the session has issued: "missing" and "unknown".

    Returns
    -------
    warned : frozenset of str
        The same, with the new ones.
    """
    expected, ids = reader.expected_speakers, reader.speakers
    if expected is None or warned == BOTH_WARNINGS:
        return warned
    named = [speaker for speaker in speakers or () if not is_missing(speaker)]
    if "missing" not in warned and len(named) < n_turns and not expected.missing:
        warn_of_missing(ids, "The turn has" if n_turns == 1 else "Turns have")
        warned |= {"missing"}
    unknown = list(dict.fromkeys(speaker for speaker in named if speaker not in ids))
    if not ids or not unknown or "unknown" in warned:
        return warned
    alike = find_alike(unknown, ids)
    n_unknown = sum(speaker not in ids for speaker in named)
    if alike or expected.is_exceeded(n_unknown, len(named)):
        where = "The turn has an unknown speaker" if n_turns == 1 else "Turns have unknown speakers"
        warn_of_unknown(unknown, ids, alike, where)
        warned |= {"unknown"}
    return warned


def _refuse_speakers(speakers):
    for speaker in speakers:
        if speaker is not None:
            raise ValueError(
                f"speaker={speaker!r:.60} was passed, but the classifier was fitted without "
                "speaker_column; omit it, or fit with speaker_column."
            )


def _digest(speaker: Any) -> bytes:
    """Return a digest of a speaker; speakers that are equal as dict keys have the same digest."""
    if is_missing(speaker):
        return NO_SPEAKER
    try:
        hash(speaker)
    except TypeError as error:
        raise TypeError(
            f"speaker={speaker!r:.60} is of type {type(speaker).__name__}, which is not hashable; "
            "convert it to a str, a number or a tuple."
        ) from error
    if isinstance(speaker, str):
        name = f"str:{speaker}"
    elif isinstance(speaker, Integral):
        name = f"number:{int(speaker)}"
    elif isinstance(speaker, Real):
        name = f"number:{_write_real(speaker)}"
    else:
        name = f"{type(speaker).__qualname__}:{speaker!r}"
    return blake2b(name.encode(errors="surrogatepass"), digest_size=SPEAKER_SIZE).digest()


def _write_real(number: Any) -> str:
    """Return a number as a string; 1.0 gives the same string as 1."""
    try:
        value = float(number)
    except OverflowError:  # a Fraction that is too large for float
        return repr(number)
    return str(int(value) if value.is_integer() else value)
