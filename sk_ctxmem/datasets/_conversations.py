"""Synthetic conversations in which each label depends on an earlier turn."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import pandas as pd
from sklearn.utils import Bunch, check_random_state

from ._bunch import make_bunch

KEYWORDS = (
    "red", "blue", "green", "yellow", "black", "white",
    "pink", "brown", "orange", "purple", "grey", "gold",
)  # fmt: skip
FILLERS = (
    "well", "so", "then", "yes", "no", "maybe", "I", "you", "we", "think", "see", "know",
    "like", "want", "that", "this", "really", "again", "now", "today", "and", "but", "please",
)  # fmt: skip
MIN_FILLERS, MAX_FILLERS = 3, 8

DESCR = """\
Synthetic conversations
=======================

Each turn contains one colour among filler words. Its label is the colour {lag} turn(s) earlier in
the same conversation, or {first_label!r} if there is no such turn.

    conversations   {n_groups}
    turns           {n_rows}
    classes         {n_classes}
    chance          {chance:.3f}, the proportion of the most frequent label

Unless lag is 0, a turn is independent of its own label, so a classifier that sees single turns
cannot beat chance. The data are synthetic, and no licence applies.
"""


def _check_integer(name, value, minimum, maximum, default):
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r} must be an integer; use {default} if unsure.")
    if value < minimum or (maximum is not None and value > maximum):
        bounds = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise ValueError(f"{name}={value!r} must be {bounds}; use {default} if unsure.")


def _check_n_turns(n_turns, lag):
    try:
        fewest, most = n_turns
    except (TypeError, ValueError):
        raise TypeError(
            f"n_turns={n_turns!r} must be a pair (fewest, most); use (5, 12) if unsure."
        ) from None
    _check_integer("n_turns[0]", fewest, 1, None, 5)
    _check_integer("n_turns[1]", most, 1, None, 12)
    if not lag < fewest <= most:
        raise ValueError(
            f"n_turns={n_turns!r} must be a pair (fewest, most) with lag < fewest <= most, "
            f"where lag={lag}; use ({lag + 4}, {lag + 11}) if unsure."
        )


def _make_text(keyword, rng):
    """Insert a keyword at a random position among filler words."""
    words = rng.choice(FILLERS, size=rng.randint(MIN_FILLERS, MAX_FILLERS + 1)).tolist()
    words.insert(rng.randint(len(words) + 1), keyword)
    return " ".join(words)


def _make_conversation(group, n_turns, lag, keywords, rng):
    """Return the `(text, group, order, speaker, target)` rows of one conversation."""
    named = rng.choice(keywords, size=n_turns).tolist()
    labels = [keywords[0]] * lag + named[: n_turns - lag]
    first_speaker = rng.randint(2)  # random: a fixed one would identify the first turn
    return [
        (_make_text(keyword, rng), group, order, "AB"[(first_speaker + order) % 2], label)
        for order, (keyword, label) in enumerate(zip(named, labels, strict=True))
    ]


def make_conversations(
    n_conversations: Any = 100,
    *,
    n_turns: Any = (5, 12),
    lag: Any = 1,
    n_classes: Any = 3,
    random_state: Any = None,
) -> Bunch:
    """Make synthetic conversations in which the label of a turn depends on an earlier turn.

    Each turn consists of filler words and a random keyword, the name of a colour. The label of a
    turn is the keyword of the turn `lag` turns before it.

    Parameters
    ----------
    n_conversations : int, default=100
        Number of conversations.

    n_turns : tuple of (int, int), default=(5, 12)
        Minimum and maximum number of turns of a conversation, drawn uniformly.

    lag : int, default=1
        How many turns before a turn its label is the keyword; less than the minimum of
        `n_turns`. If 0, the label is the keyword of the turn itself, and no memory is needed.

    n_classes : int, default=3
        Number of keywords and hence of labels, from 2 to 12.

    random_state : int, RandomState instance or None, default=None
        Random number generator. Pass an int for the same conversations in each call.

    Returns
    -------
    conversations : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes.

        frame : DataFrame of shape (n_rows, 5)
            The columns text, group, order, speaker and target.
        data : DataFrame of shape (n_rows, 4)
            The columns text, group (number of the conversation), order (0, 1, ... within the
            group) and speaker ("A" and "B" alternately).
        target : Series of shape (n_rows,)
            The label of each turn, a colour.
        target_names : list of str
            The labels in the returned rows, sorted.
        groups : Series of shape (n_rows,)
            The column group.
        DESCR : str
            Description with sizes and the accuracy of chance.

    Notes
    -----
    The first `lag` turns of a conversation have no turn that sets their label; it is "red". A
    model with memory can therefore classify all turns correctly. A model that sees only single
    turns, whose text and speaker are independent of the label, can do no better than to predict
    "red" for all of them. In conversations of `T` turns with `C` classes, its expected accuracy
    is `(lag + (T - lag) / C) / T`.

    Examples
    --------
    >>> from sk_ctxmem.datasets import make_conversations
    >>> conversations = make_conversations(2, n_turns=(3, 3), random_state=0)
    >>> conversations.data.columns.tolist()
    ['text', 'group', 'order', 'speaker']
    >>> conversations.target.shape
    (6,)
    """
    _check_integer("n_conversations", n_conversations, 1, None, 100)
    _check_integer("lag", lag, 0, None, 1)
    _check_integer("n_classes", n_classes, 2, len(KEYWORDS), 3)
    _check_n_turns(n_turns, lag)
    rng = check_random_state(random_state)
    keywords = KEYWORDS[:n_classes]
    rows = []
    for group in range(n_conversations):
        length = rng.randint(n_turns[0], n_turns[1] + 1)
        rows += _make_conversation(group, length, lag, keywords, rng)
    frame = pd.DataFrame(rows, columns=["text", "group", "order", "speaker", "target"])
    return make_bunch(
        frame,
        DESCR,
        lag=lag,
        first_label=keywords[0],
        n_classes=n_classes,
        chance=frame["target"].value_counts(normalize=True).iloc[0],
    )
