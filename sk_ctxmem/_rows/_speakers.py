"""Speakers that a fit knows, and warnings about speakers that it does not know."""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .._input._arrays import is_missing
from .._messages import doc_link, warn_caller
from ..exceptions import UnknownSpeakersWarning

MAX_SPEAKERS = 1000  # speakers with an embedding of their own
HELD_OUT = 0.2  # fraction of the conversations that a fold holds out
N_EXAMPLES = 5  # names in a message
N_SIGMAS = 3  # standard deviations above the expected number of unknown speakers
IGNORED = ("P", "S", "Z", "C")  # Unicode categories: punctuation, symbols, separators, controls
# the value without "+" and zeros of a fraction; "-1" is not 1
NUMBER = re.compile(r"\+?(-?\d+(?:\.\d*[1-9])?)\.?0*")


@dataclass(frozen=True)
class ExpectedSpeakers:
    """Speakers to expect in new conversations, from those of the training rows.

    Parameters
    ----------
    known : float
        Probability that a speaker of a conversation is known, if a fifth of the training
        conversations had been held out. 1 if speakers are roles, such as "agent" and "caller",
        which occur in most conversations. 0 if each conversation has new names.
    missing : bool
        Whether training rows lacked a speaker.
    """

    known: float
    missing: bool

    def is_exceeded(self, n_unknown, n_speakers):
        """Return whether more speakers are unknown than chance explains."""
        rate = 1 - self.known
        spread = np.sqrt(rate * (1 - rate) * n_speakers)
        return n_unknown > rate * n_speakers + N_SIGMAS * spread


# of files and pickles of older versions, which do not say what to expect
EXPECT_KNOWN = ExpectedSpeakers(known=1.0, missing=True)


def learn_speakers(inputs, group_codes):
    """Assign ids to the speakers that occur in at least two groups, and say what to expect.

    Returns
    -------
    ids : dict
        Id of each known speaker, starting at 1.
    expected : ExpectedSpeakers or None
        None without a speaker column.
    """
    if inputs.speakers is None:
        return {}, None
    codes, names = pd.factorize(inputs.speakers)
    pairs = _pair_with_groups(codes, group_codes)
    n_groups = np.bincount(pairs[:, 0], minlength=len(names))
    ids = number_shared(names, n_groups)
    return ids, expect_speakers(
        names, n_groups, ids, missing=bool((codes < 0).any()), n_all_groups=group_codes.max() + 1
    )


def _pair_with_groups(codes, group_codes):
    """Return the pairs of a speaker and a group that occur, (n_pairs, 2); -1 is no speaker."""
    return np.unique(np.stack([codes, group_codes], axis=1)[codes >= 0], axis=0)


def number_shared(names, n_groups):
    """Assign ids, starting at 1, to the speakers that occur in at least two groups.

    Parameters
    ----------
    names : ndarray of shape (n_speakers,), object
        All speakers.
    n_groups : ndarray of shape (n_speakers,)
        Number of groups of each speaker.

    Returns
    -------
    ids : dict
        Id of each speaker. If there are more than MAX_SPEAKERS, the most frequent ones.
    """
    most_first = np.argsort(-n_groups, kind="stable")
    shared = most_first[n_groups[most_first] > 1][:MAX_SPEAKERS]
    return {speaker: n for n, speaker in enumerate(sorted(names[shared], key=str), start=1)}


def expect_speakers(names, n_groups, ids, *, missing, n_all_groups=np.inf):
    """Return the speakers to expect in new conversations.

    A speaker is known if two of its other conversations are not held out. One that occurs in more
    than half of all conversations is a role, and is known in any case.

    Parameters
    ----------
    names : ndarray of shape (n_speakers,), object
        All speakers.
    n_groups : ndarray of shape (n_speakers,)
        Number of groups of each speaker.
    ids : dict
        Id of each known speaker.
    missing : bool
        Whether rows lack a speaker.
    n_all_groups : int, default=inf
        Number of groups.
    """
    if not ids:
        return ExpectedSpeakers(0.0, missing)
    others = n_groups - 1.0
    at_most_one = HELD_OUT**others + others * (1 - HELD_OUT) * HELD_OUT ** (others - 1)
    known = np.where(2 * n_groups > n_all_groups, 1, 1 - at_most_one)
    has_id = np.array([name in ids for name in names])
    return ExpectedSpeakers(float(np.average(known * has_id, weights=n_groups)), missing)


def warn_of_speakers(speakers, group_codes, ids, expected):
    """Warn if X lacks speakers, or has speakers that should be known and are not.

    Parameters
    ----------
    speakers : ndarray of shape (n_rows,)
        Speaker of each row.
    group_codes : ndarray of shape (n_rows,), int64
        Group index of each row.
    ids : dict
        Id of each known speaker.
    expected : ExpectedSpeakers
        Speakers to expect.
    """
    codes, names = pd.factorize(speakers)
    n_missing = int((codes < 0).sum())
    if n_missing and not expected.missing:
        warn_of_missing(ids, f"{n_missing} of the {len(codes)} rows of X have")
    is_unknown = np.array([name not in ids for name in names], dtype=bool)
    if not ids or not is_unknown.any():
        return
    unknown = list(names[is_unknown])
    pairs = _pair_with_groups(codes, group_codes)
    n_unknown = int(is_unknown[pairs[:, 0]].sum())
    alike = find_alike(unknown, ids)
    if alike or expected.is_exceeded(n_unknown, len(pairs)):
        n_rows = int(is_unknown[codes[codes >= 0]].sum())
        where = f"X has {len(unknown)} unknown speaker(s) in {n_rows} of {len(codes)} rows"
        warn_of_unknown(unknown, ids, alike, where)


def warn_of_unknown(unknown, ids, alike, where):
    """Warn of unknown speakers.

    Parameters
    ----------
    unknown : list
        The unknown speakers.
    ids : dict
        Id of each known speaker.
    alike : dict
        Known speaker that an unknown one looks like.
    where : str
        Beginning of the message.
    """
    unknown = [*alike, *(speaker for speaker in unknown if speaker not in alike)]
    shown = list(alike.items())[:N_EXAMPLES]
    hint = "".join(f" {_show([one])} looks like {_show([known])}." for one, known in shown)
    warn_caller(
        f"{where}: {_show(unknown)}. The classifier knows {len(ids)}: {_show(ids)}.{hint} Unknown "
        "speakers are predicted without what was learned of any speaker; write them as in fit, or "
        "fit with conversations of theirs." + doc_link("unknown-speakers"),
        UnknownSpeakersWarning,
    )


def warn_of_missing(ids, where):
    """Warn that the speaker of rows is missing."""
    knows = f" The classifier knows {len(ids)}: {_show(ids)}." if ids else ""
    warn_caller(
        f"{where} no speaker, but all rows of fit had one; pass the speaker of each.{knows} "
        "Without it, rows are predicted as those of an unknown speaker."
        + doc_link("unknown-speakers"),
        UnknownSpeakersWarning,
    )


def find_alike(unknown, ids):
    """Return the known speaker that each unknown one looks like, for those that do."""
    known = {_normal_form(speaker): speaker for speaker in ids}
    known.pop("", None)
    forms = ((speaker, _normal_form(speaker)) for speaker in unknown)
    return {speaker: known[form] for speaker, form in forms if form in known}


def _normal_form(speaker):
    """Return a speaker without case, white space, punctuation and type: 1, 1.0 and "1 " are one."""
    if is_missing(speaker):
        return ""
    if isinstance(speaker, bytes):
        speaker = speaker.decode(errors="replace")
    text = unicodedata.normalize("NFKC", str(speaker)).strip().casefold()
    if number := NUMBER.fullmatch(text):
        return number[1]
    text = "".join(" " if unicodedata.category(char)[0] in IGNORED else char for char in text)
    return re.sub(r"(?<!\d) | (?!\d)", "", " ".join(text.split()))  # "1-11" is not "11-1"


def _show(speakers):
    """Return a few speakers for a message."""
    speakers = list(speakers)
    shown = ", ".join(
        f"{getattr(speaker, 'item', lambda s=speaker: s)()!r:.40}"
        for speaker in speakers[:N_EXAMPLES]
    )
    return shown + (", ..." if len(speakers) > N_EXAMPLES else "")
