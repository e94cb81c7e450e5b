"""Position of each row in its group, and changes of speaker."""

from __future__ import annotations

import numpy as np

from ._packing import concatenated_ranges


def describe_places(lengths: np.ndarray, both: bool) -> np.ndarray:
    """Describe where in its group each row stands, for rows sorted by group.

    All numbers are bounded by about 2, however long a group is. With ``both=False`` they do not
    tell how many rows follow.

    Returns
    -------
    places : ndarray of shape (n_rows, 2) or (n_rows, 5), float32
        Logarithm of the rows before, first or not; of the rows after, last or not; share of
        the group that is over.
    """
    before = concatenated_ranges(np.zeros_like(lengths), lengths)
    columns = _describe_beginnings(before)
    if both:
        total = np.repeat(lengths, lengths)
        after = total - 1 - before
        columns += [np.log1p(after) / 5, after == 0, (before + 0.5) / total]
    return np.stack(columns, axis=1).astype(np.float32)


def _describe_beginnings(before: np.ndarray) -> list[np.ndarray]:
    return [np.log1p(before) / 5, before == 0]


def describe_next_rows(before: np.ndarray, changed: np.ndarray | None) -> np.ndarray:
    """Say of rows with so many rows before them what `describe_places` and the next say of all.

    Parameters
    ----------
    before : ndarray of shape (n_rows,), int64
        Number of rows before each.
    changed : ndarray of shape (n_rows,), bool, or None
        Whether another one speaks than in the row before; None where speakers do not count.
    """
    columns = _describe_beginnings(before)
    if changed is not None:
        follows = before > 0
        columns += [follows & changed, follows & ~changed]
    return np.stack(columns, axis=1).astype(np.float32)


def describe_speaker_changes(speakers: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Say of each row, sorted by group, whether the speaker of the row before goes on.

    Returns
    -------
    changes : ndarray of shape (n_rows, 2), float32
        Another speaker than before, the same one; both 0 in the first row of a group.
    """
    follows = concatenated_ranges(np.zeros_like(lengths), lengths) > 0
    changed = np.r_[False, speakers[1:] != speakers[:-1]]
    return np.stack([follows & changed, follows & ~changed], axis=1).astype(np.float32)
