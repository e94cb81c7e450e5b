"""Rows in their conversations, and what a model says when some of their texts are changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import sequences

ROWS_AT_ONCE = 20_000  # of edited conversations that are predicted in one call


@dataclass(frozen=True)
class Views:
    """Conversations up to rows that are looked at, one after the other.

    Parameters
    ----------
    frame : DataFrame
        The rows of all of them; each is a group of its own, where rows have groups.
    lengths : ndarray of shape (n_views,)
        Number of rows of each; the last is the one that is looked at.
    """

    frame: pd.DataFrame
    lengths: np.ndarray

    @property
    def lasts(self) -> np.ndarray:
        """Places of the rows that are looked at."""
        return np.cumsum(self.lengths) - 1

    @property
    def texts(self) -> list[str]:
        """Texts of the rows that are looked at."""
        return self.frame["text"].iloc[self.lasts].tolist()

    def alone(self) -> Views:
        """Return the rows that are looked at without the others."""
        return Views(self.frame.iloc[self.lasts], np.ones_like(self.lengths))


def draw_views(
    frame: pd.DataFrame,
    n_views: int,
    seed: int,
    *,
    n_before: tuple[int, int],
    is_long_enough: Callable[[str], bool],
) -> Views:
    """Draw rows at random, of those with so many rows before them and a text that is long enough.

    Parameters
    ----------
    frame : DataFrame
        Rows of a corpus.

    n_views : int
        Number of rows to draw, fewer if there are not as many.

    seed : int
        Seed of the draw.

    n_before : tuple of (int, int)
        Smallest and largest number of rows before a row in its group.

    is_long_enough : callable
        Tells whether a text is.

    Returns
    -------
    Views
        The rows in their conversations.

    Raises
    ------
    ValueError
        If there is no such row.
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
    """Texts of the rows of a view that are changed: {place in the view: text}."""

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
        What is changed, each time in one view.

    targets : ndarray of shape (n_views,)
        Number of the class, for each view.

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
    """Return the rows of edited views, and where the last one of each is."""
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
