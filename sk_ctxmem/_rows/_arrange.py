"""Conversion of validated input to a RowSet: groups, order, speakers and positions."""

from collections.abc import Set

import numpy as np
import pandas as pd

from .._features._featurize import features_of, join_dense, scale, scale_heavy_columns
from .._features._sequences import TextSequences
from .._messages import doc_link
from ._positions import describe_places, describe_speaker_changes, find_turns
from ._row_set import RowSet, packs_words

UNKNOWN_SPEAKER = 0


def encode_groups(inputs):
    """Encode groups as integers in order of appearance; without groups, each row is a group."""
    if inputs.groups is None:
        return np.arange(inputs.n_rows)
    return pd.factorize(inputs.groups)[0].astype(np.int64)


def build_row_set(
    inputs,
    values,
    scaler,
    speakers,
    *,
    context,
    word_memory,
    beside=None,
    n_embedded=0,
    longest=None,
    group_codes=None,
    pools=False,
):
    """Build a RowSet: rows sorted by group, with positions and speakers.

    Parameters
    ----------
    inputs : InputRows
        Validated rows.
    values : TextSequences, csr_array or ndarray of n_rows
        Features of the rows.
    scaler : transformer
        Fitted scaler.
    speakers : dict
        Id of each known speaker.
    context : {"past", "both", "none"}
        Which other rows of its group a row sees.
    word_memory : bool or "convolution"
        Whether the network reads the words of the texts, and if not with a memory, how.
    beside : ndarray of shape (n_rows, n_beside), float32, or None, default=None
        Scaled dense features beside `values`.
    n_embedded : int, default=0
        Number of these that are the embedding of the text, the last ones.
    longest : int or None, default=None
        Number of rows of the longest group of the fit, see `describe_places`.
    group_codes : ndarray of shape (n_rows,), int64, or None, default=None
        Result of `encode_groups`. If None, it is computed.
    pools : bool, default=False
        Whether a label belongs to a whole group.

    Returns
    -------
    rows : RowSet
        The rows in the form that the network reads.

    Raises
    ------
    ValueError
        If the network reads words and `values` has none.
    """
    if word_memory and not isinstance(values, TextSequences):
        raise ValueError(
            f"word_memory={word_memory!r} requires the words of the texts, but X contains only "
            "features; pass texts or the output of TextSequenceVectorizer, or set "
            "word_memory=False."
        )
    if context == "none" and not pools:
        group_codes = np.arange(inputs.n_rows)
    elif group_codes is None:
        group_codes = encode_groups(inputs)
    rows = np.lexsort((order_numbers(inputs), group_codes))
    lengths = np.bincount(group_codes)
    codes, speaker_ids = _encode_speakers(inputs, speakers)
    extras = turns = None
    if context != "none":
        extras = _describe(codes, rows, lengths, longest, both=context == "both")
        turns = None if pools else _find_turns(codes, rows, lengths, both=context == "both")
    return RowSet(
        pools=pools,
        n_embedded=n_embedded,
        features=scale(features_of(values), scaler),
        dense=join_dense(scale_heavy_columns(features_of(values), scaler), beside),
        extras=extras,
        speakers=speaker_ids,
        rows=rows,
        lengths=lengths,
        words=values.words if word_memory else None,
        word_offsets=values.offsets if word_memory else None,
        packed_words=packs_words(word_memory),
        context=context,
        turns=turns,
    )


def order_numbers(inputs):
    """Return sort keys of the rows: ranks of the order column, else zeros."""
    if inputs.order is None:
        return np.zeros(inputs.n_rows)
    return rank(inputs.order)


def rank(order):
    """Return the ranks of the values of an order column."""
    _check_order_kinds(order)
    try:
        return np.unique(order, return_inverse=True)[1]
    except (TypeError, ValueError) as error:
        of_types = {type(value).__name__: value for value in reversed(order.tolist())}
        examples = ", ".join(f"{value!r} ({name})" for name, value in of_types.items())
        raise TypeError(
            "The order column contains values that cannot be compared with each other, such as "
            f"{examples}; convert them to one type." + doc_link("order")
        ) from error


def _check_order_kinds(order):
    """Raise for types that can be compared but have no total order: complex numbers and sets."""
    kinds = set(map(type, order)) if order.dtype == object else {order.dtype.type}
    for kind in kinds:
        if issubclass(kind, complex | np.complexfloating | Set):
            raise TypeError(
                f"The order column has values of type {kind.__name__}, which have no order; "
                "convert them to numbers, dates or str." + doc_link("order")
            )


def _encode_speakers(inputs, speakers):
    """Return two codes of each speaker: among those of X, and among the known speakers.

    The first is None if there is no speaker column.
    """
    if inputs.speakers is None:
        return None, np.full(inputs.n_rows, UNKNOWN_SPEAKER, dtype=np.int64)
    codes, names = pd.factorize(inputs.speakers)
    ids = np.array([speakers.get(name, UNKNOWN_SPEAKER) for name in names] + [UNKNOWN_SPEAKER])
    return codes, ids[codes]  # code -1, a missing speaker, is the last element


def _describe(codes, rows, lengths, longest, *, both):
    """Return position and speaker-change features of each row, in the order of X."""
    sorted_extras = describe_places(lengths, both, longest)
    if codes is not None:
        changes = describe_speaker_changes(codes[rows], lengths)
        sorted_extras = np.concatenate([sorted_extras, changes], axis=1)
    extras = np.empty_like(sorted_extras)
    extras[rows] = sorted_extras
    return extras


def _find_turns(codes, rows, lengths, *, both):
    """Return the distances to rows of the same speaker, in the order of X; None without one."""
    if codes is None:
        return None
    sorted_turns = find_turns(codes[rows], lengths, both=both)
    turns = np.empty_like(sorted_turns)
    turns[rows] = sorted_turns
    return turns
