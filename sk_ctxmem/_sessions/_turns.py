"""The next turns of live conversations, checked: what is said, and who speaks."""

from collections.abc import Mapping, Set
from hashlib import blake2b
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from .._features._sequences import TextSequences
from .._input._arrays import as_array, as_numbers, check_float32_range, check_storage
from .._input._rows import check_texts, is_missing

SPEAKER_SIZE = 16  # bytes that stand for a speaker, from which the name cannot be read
NO_SPEAKER = bytes(SPEAKER_SIZE)
KINDS = {
    "text": "one text, a str",
    "features": "one row of features, a 1-D array or a sparse matrix of shape (1, n_features)",
    "sequences": "TextSequences of one row",
}


def read_turn(kind, content, n_features):
    """Return one turn in the form of many.

    Parameters
    ----------
    kind : {"text", "features", "sequences"}
        What the classifier was fitted on.
    content : str, array-like of shape (n_features,), sparse of shape (1, n_features), or container
        What the user passed.
    n_features : int or None
        Number of features that the classifier reads; None for texts.

    Returns
    -------
    turns : list of str, ndarray or csr_array of shape (1, n_features), or TextSequences of one row
        The turn.

    Raises
    ------
    TypeError, ValueError
        If it is of another kind or size.
    """
    if kind == "text":
        if not isinstance(content, str):
            raise TypeError(
                f"text={content!r:.60} is of type {type(content).__name__}, but {KINDS[kind]}, was "
                "expected; pass the turns of a conversation one after the other."
            )
        return [content]
    if isinstance(content, str):
        raise TypeError(
            f"text={content!r:.60} is a str, but the classifier was fitted on {kind}: pass "
            f"{KINDS[kind]}."
        )
    if kind == "features" and not sparse.issparse(content):
        content = as_array(content, "text")
        if content.ndim == 1:
            content = content[np.newaxis]
    return read_turns(kind, content, 1, n_features)


def read_turns(kind, contents, n_turns, n_features):
    """Return turns of several conversations, as `read_turn` does for one.

    Parameters
    ----------
    kind : {"text", "features", "sequences"}
        What the classifier was fitted on.
    contents : list of str, array-like or sparse of shape (n_turns, n_features), or container
        What the user passed.
    n_turns : int
        Number of turns that are expected.
    n_features : int or None
        Number of features that the classifier reads; None for texts.
    """
    if kind == "text":
        turns = check_texts(contents, "texts")
    elif kind == "sequences":
        turns = _check_container(contents)
    else:
        turns = as_numbers(as_array(contents, "text"), "text")
        check_storage(turns)
        turns = check_float32_range(check_array(turns, accept_sparse="csr", input_name="text"))
    n_found = len(turns) if kind == "text" else turns.shape[0]
    if n_found != n_turns:
        raise ValueError(f"{n_found} turns were passed, but {n_turns} are needed: one for each.")
    if kind != "text" and turns.shape[1] != n_features:
        raise ValueError(
            f"text has {turns.shape[1]} features, but {n_features} were expected; make it as the "
            "X of fit was made."
        )
    return turns


def _check_container(contents):
    if not isinstance(contents, TextSequences):
        raise TypeError(
            f"text is of type {type(contents).__name__}, but the classifier was fitted on "
            "TextSequences; pass what vectorizer.transform([text]) returns."
        )
    return contents


def check_speakers(speakers, n_turns):
    """Return the speakers of turns as a list of this length, or None for nobody known.

    Raises
    ------
    TypeError, ValueError
        If they are no sequence, or not one for each turn.
    """
    if speakers is None:
        return None
    is_ordered = hasattr(type(speakers), "__len__") and getattr(speakers, "shape", (0,)) != ()
    if isinstance(speakers, str | bytes | Set | Mapping) or not is_ordered:
        raise TypeError(
            f"speakers={speakers!r:.60} must be a list of one speaker for each turn; None stands "
            "for nobody known."
        )
    if len(speakers) != n_turns:
        raise ValueError(
            f"speakers has {len(speakers)} values, but there are {n_turns} turns; pass one for "
            "each, None where nobody is known."
        )
    return list(speakers)


def read_speakers(speakers, n_turns, numbers):
    """Return who speaks in each turn, as the network and the turn after need it.

    Parameters
    ----------
    speakers : list of n_turns objects, or None
        Who speaks; None for nobody known, in one turn or in all.
    n_turns : int
        Number of turns.
    numbers : dict or None
        Number of each speaker that the classifier knows; None if it was fitted without.

    Returns
    -------
    numbers : ndarray of shape (n_turns,), int64
        Number of each speaker, 0 for an unknown one.
    marks : ndarray of shape (n_turns, SPEAKER_SIZE), uint8
        What is equal where the same one speaks.
    """
    if speakers is None:
        speakers = [None] * n_turns
    if numbers is None:
        _refuse_speakers(speakers)
        speakers, numbers = [None] * n_turns, {}
    marks = b"".join(map(_mark, speakers))
    found = [0 if is_missing(speaker) else numbers.get(speaker, 0) for speaker in speakers]
    return (
        np.array(found, dtype=np.int64),
        np.frombuffer(marks, dtype=np.uint8).reshape(n_turns, SPEAKER_SIZE),
    )


def _refuse_speakers(speakers):
    for speaker in speakers:
        if speaker is not None:
            raise ValueError(
                f"speaker={speaker!r:.60} was passed, but the classifier was fitted without "
                "speaker_column; leave it out, or fit with the speakers in a column."
            )


def _mark(speaker: Any) -> bytes:
    """Return bytes that tell speakers apart as their names do."""
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
    """Return a number as text: 1.0 is the same one as 1."""
    try:
        value = float(number)
    except OverflowError:  # a fraction, which is exact
        return repr(number)
    return str(int(value) if value.is_integer() else value)
