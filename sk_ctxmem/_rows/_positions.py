"""Features of the position of a row in its group, and of changes of speaker."""

from __future__ import annotations

import numpy as np

from .._network._attention import ATTENTION_WINDOW, N_TURNS
from ._packing import concatenated_ranges


def describe_places(lengths: np.ndarray, both: bool, longest: int | None = None) -> np.ndarray:
    """Return features of the position of each row in its group, for rows sorted by group.

    All features are at most about 2, for groups of any length. With ``both=False`` they do not
    depend on the rows that follow.

    Parameters
    ----------
    lengths : ndarray of shape (n_groups,), int64
        Number of rows of each group.
    both : bool
        Whether later rows count too.
    longest : int or None, default=None
        Number of rows of the longest group of the fit. Rows that are farther from the first or
        last row of their group are described as the farthest of the fit: what a network computes
        for positions that it was not trained on is arbitrary.

    Returns
    -------
    places : ndarray of shape (n_rows, 2) or (n_rows, 5), float32
        Logarithm of the number of earlier rows, and whether the row is the first. With
        ``both=True``, also the same of later rows, and the relative position in the group.
    """
    before = concatenated_ranges(np.zeros_like(lengths), lengths)
    columns = _describe_distances(before, longest)
    if both:
        total = np.repeat(lengths, lengths)
        after = total - 1 - before
        columns += [*_describe_distances(after, longest), (before + 0.5) / total]
    return np.stack(columns, axis=1).astype(np.float32)


def _describe_distances(distances: np.ndarray, longest: int | None) -> list[np.ndarray]:
    known = distances if longest is None else np.minimum(distances, longest - 1)
    return [np.log1p(known) / 5, distances == 0]


def describe_far_places(n_rows: int, longest: int, relative: np.ndarray | None) -> np.ndarray:
    """Return position features of rows far from the beginning, and from the end with `relative`.

    They are those of `describe_places` for rows in the middle of a group of more than `longest`
    rows. `relative` is their relative position in the group.
    """
    far = np.full(n_rows, longest)
    columns = _describe_distances(far, longest)
    if relative is not None:
        columns += [*_describe_distances(far, longest), relative]
    return np.stack(columns, axis=1).astype(np.float32)


def describe_next_rows(
    before: np.ndarray, changed: np.ndarray | None, longest: int | None
) -> np.ndarray:
    """Return position and speaker-change features of the next row of each session.

    They equal those of `describe_places` and `describe_speaker_changes`.

    Parameters
    ----------
    before : ndarray of shape (n_rows,), int64
        Number of earlier rows of each session.
    changed : ndarray of shape (n_rows,), bool, or None
        Whether the speaker differs from that of the previous row. None without speakers.
    longest : int or None
        As in `describe_places`.
    """
    columns = _describe_distances(before, longest)
    if changed is not None:
        follows = before > 0
        columns += [follows & changed, follows & ~changed]
    return np.stack(columns, axis=1).astype(np.float32)


def describe_speaker_changes(speakers: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return features of changes of speaker, for rows sorted by group.

    Returns
    -------
    changes : ndarray of shape (n_rows, 2), float32
        Whether the speaker differs from that of the previous row, and whether it is the same.
        Both are 0 in the first row of a group.
    """
    follows = concatenated_ranges(np.zeros_like(lengths), lengths) > 0
    changed = np.r_[False, speakers[1:] != speakers[:-1]]
    return np.stack([follows & changed, follows & ~changed], axis=1).astype(np.float32)


def find_turns(speakers: np.ndarray, lengths: np.ndarray, *, both: bool) -> np.ndarray:
    """Return how many rows before are the last rows of the same speaker, for rows sorted by group.

    Speakers are told apart within the group, whether or not the fit knows them.

    Returns
    -------
    turns : ndarray of shape (n_rows, N_TURNS) or (n_rows, 2 N_TURNS), int16
        Number of rows back to the last row of the speaker, to the last but one, and so on; 0 where
        there is none in the window of attention. With ``both=True``, then those of the next rows,
        as negative numbers.
    """
    groups = np.repeat(np.arange(len(lengths)), lengths)
    by_speaker = np.lexsort((speakers, groups))  # stable: rows of a speaker stay in order
    groups, speakers = groups[by_speaker], speakers[by_speaker]
    turns = np.zeros((len(groups), N_TURNS * (2 if both else 1)), dtype=np.int16)
    for number in range(min(N_TURNS, len(groups) - 1)):
        later, earlier = by_speaker[number + 1 :], by_speaker[: -number - 1]
        is_same = (groups[number + 1 :] == groups[: -number - 1]) & (
            speakers[number + 1 :] == speakers[: -number - 1]
        )
        is_near = is_same & (later - earlier < ATTENTION_WINDOW)
        later, earlier = later[is_near], earlier[is_near]
        turns[later, number] = later - earlier
        if both:
            turns[earlier, N_TURNS + number] = earlier - later
    return turns


def find_next_turns(are_same: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the result of `find_turns` for the next row of each session.

    Parameters
    ----------
    are_same : ndarray of shape (n_rows, n_kept), bool
        Whether previous rows, the latest last, have the same speaker.
    before : ndarray of shape (n_rows,), int64
        Number of earlier rows of each session.
    """
    rows, back = np.nonzero(are_same[:, ::-1])
    number = np.arange(len(rows)) - np.searchsorted(rows, rows)  # of the turn, the latest first
    is_kept = (number < N_TURNS) & (back < before[rows])
    rows, back, number = rows[is_kept], back[is_kept], number[is_kept]
    turns = np.zeros((len(are_same), N_TURNS), dtype=np.int64)  # as the step of the network indexes
    turns[rows, number] = back + 1
    return turns
