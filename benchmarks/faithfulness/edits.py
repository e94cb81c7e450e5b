"""Rows with their conversations, and predictions after some texts are changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import sequences

ROWS_AT_ONCE = 20_000  # rows of edited conversations in one call of predict


@dataclass(frozen=True)
class Views:
    """Conversations up to their explained rows, one after the other.

    Parameters
    ----------
    frame : DataFrame
        Rows of all views; each view is a group of its own, if rows have groups.
    lengths : ndarray of shape (n_views,)
        Number of rows of each view; the last row is the explained one.
    """

    frame: pd.DataFrame
    lengths: np.ndarray

    @property
    def lasts(self) -> np.ndarray:
        """Positions of the explained rows."""
        return np.cumsum(self.lengths) - 1

    @property
    def texts(self) -> list[str]:
        """Texts of the explained rows."""
        return self.frame["text"].iloc[self.lasts].tolist()

    def alone(self) -> Views:
        """Return the explained rows without their earlier rows."""
        return Views(self.frame.iloc[self.lasts], np.ones_like(self.lengths))


def draw_views(
    frame: pd.DataFrame,
    n_views: int,
    seed: int,
    *,
    n_before: tuple[int, int],
    is_long_enough: Callable[[str], bool],
) -> Views:
    """Draw random rows, among those with enough earlier rows and a long enough text.

    Parameters
    ----------
    frame : DataFrame
        Rows of a corpus.

    n_views : int
        Maximum number of rows to draw.

    seed : int
        Random seed.

    n_before : tuple of (int, int)
        Smallest and largest number of earlier rows in the group.

    is_long_enough : callable
        Whether a text is long enough.

    Returns
    -------
    Views
        The rows with their conversations.

    Raises
    ------
    ValueError
        If no row qualifies.
    """
    text = frame["text"].to_numpy(dtype=object)
    least, most = n_before if "group" in frame else (0, 0)
    found = [
        rows[: number + 1]
        for rows in sequences(frame)
        for number in range(least, min(most + 1, len(rows)))
        if is_long_enough(text[rows[number]])
    ]
    if not found:
        raise ValueError("no row has a text that is long enough, and rows before it.")
    drawn = np.random.default_rng(seed).permutation(len(found))[:n_views]
    chosen = [found[number] for number in np.sort(drawn)]
    lengths = np.array([len(rows) for rows in chosen])
    rows = frame.iloc[np.concatenate(chosen)].reset_index(drop=True)
    if "group" in frame:
        rows["group"] = np.repeat(np.arange(len(chosen)), lengths)
    return Views(rows, lengths)


@dataclass(frozen=True)
class Edit:
    """Changed texts of a view: {position of the row in the view: text}."""

    view: int
    texts: dict[int, str]


def predict_edits(
    model: Any, views: Views, edits: Sequence[Edit], targets: np.ndarray
) -> np.ndarray:
    """Return the probability of a class for the last row of each edited view.

    Parameters
    ----------
    model : Model
        A fitted model.

    views : Views
        The views.

    edits : sequence of Edit
        The changes, each in one view.

    targets : ndarray of shape (n_views,)
        Number of a class for each view.

    Returns
    -------
    ndarray of shape (n_edits,)
        The probabilities.
    """
    numbers = np.array([edit.view for edit in edits])
    batch = (np.cumsum(views.lengths[numbers]) - 1) // ROWS_AT_ONCE
    found = []
    for some in np.split(np.arange(len(edits)), np.flatnonzero(np.diff(batch)) + 1):
        frame, lasts = _edited(views, [edits[number] for number in some])
        probabilities = np.asarray(model.predict_proba(frame))
        found.append(probabilities[lasts, targets[numbers[some]]])
    return np.concatenate(found)


def _edited(views: Views, edits: Sequence[Edit]) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the rows of edited views, and the position of the last row of each."""
    firsts = views.lasts - views.lengths + 1
    parts, text = [], views.frame["text"].to_numpy(dtype=object)
    texts = []
    for edit in edits:
        rows = firsts[edit.view] + np.arange(views.lengths[edit.view])
        changed = text[rows]
        changed[list(edit.texts)] = list(edit.texts.values())
        parts.append(rows)
        texts.append(changed)
    lengths = np.array([len(rows) for rows in parts])
    frame = views.frame.iloc[np.concatenate(parts)].assign(text=np.concatenate(texts))
    if "group" in frame:
        frame["group"] = np.repeat(np.arange(len(edits)), lengths)
    return frame.reset_index(drop=True), np.cumsum(lengths) - 1


def keep_words(text: str, spans: Sequence[tuple[int, int]], kept: np.ndarray) -> str:
    """Replace each word of a text that is not kept by a space."""
    pieces, end = [], 0
    for (start, stop), keep in zip(spans, kept, strict=True):
        pieces += [text[end:start], text[start:stop] if keep else " "]
        end = stop
    return "".join([*pieces, text[end:]])
