"""Windows of explained rows: a long conversation is cropped to the rows that change a score.

The influence of a row fades with its distance. The time to explain a row then depends on how far
the network reads, not on the length of the conversation: all rows cost in proportion to their
number, not to its square.

Shape letters: V windows, C classes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from .._messages import warn_caller
from ._scorer import MAX_BATCH_ROWS, ContextWindows, Scorer, find_context_windows

FIRST_REACH = 256  # rows on each side of an explained row; doubled where that is not enough
SAME_SCORE = 1e-6  # difference from the score in the whole conversation, in log-odds
PATH_POINTS = (0.0, 0.5, 1.0)  # factors of the texts at which the scores are compared
EDITS_OF_A_ROW = 50  # parts of a row that leave_one_out leaves out, in two steps each
MAX_SILENT_WORK = 60_000  # rows read in contexts, about a minute of one core; more is warned of
# Rows read for each row of a context, in the units of integrated gradients.
RELATIVE_WORK = {"integrated_gradients": 1.0, "gradient_times_input": 0.15}


def choose_windows(
    scorer: Scorer, explained: np.ndarray, targets: np.ndarray | None
) -> ContextWindows:
    """Return the rows that the scores of explained rows depend on.

    A window of a long conversation has the nearest rows with which the score is that of the whole
    conversation, for the texts, for empty texts and halfway between.

    Parameters
    ----------
    scorer : Scorer
        Scores rows.
    explained : ndarray of shape (V,)
        Positions in X of the rows to explain.
    targets : ndarray of shape (V,) or None
        Class indices whose scores are explained. If None, the predicted classes.

    Returns
    -------
    windows : ContextWindows
        A window for each explained row.
    """
    windows = find_context_windows(scorer.rows, explained)
    pending = np.flatnonzero(windows.crop(FIRST_REACH).lengths < windows.lengths)
    if not len(pending):
        return windows
    known, classes = _score_whole(scorer, windows[pending], targets, pending)
    reach = FIRST_REACH
    while len(pending):
        cropped = windows[pending].crop(reach)
        is_done = cropped.lengths == windows[pending].lengths
        some = np.flatnonzero(~is_done)
        if len(some):
            is_done[some] = _have_scores(scorer, cropped[some], classes[some], known[:, some])
        windows.replace(pending[is_done], cropped[is_done])
        pending, classes, known = pending[~is_done], classes[~is_done], known[:, ~is_done]
        reach *= 2
    return windows


def warn_of_long_work(windows: ContextWindows, method: str) -> None:
    """Warn before an explanation that takes minutes.

    Parameters
    ----------
    windows : ContextWindows
        Whole contexts of the rows to explain.
    method : str
        One of METHODS.
    """
    lengths = windows.crop(FIRST_REACH).lengths
    # leave_one_out reads the whole window once for each row in it, or for each part of a sequence
    n_edits = lengths * (EDITS_OF_A_ROW if windows.pools else 1)
    work = (lengths * RELATIVE_WORK.get(method, n_edits / 20)).sum()
    if work > MAX_SILENT_WORK:
        warn_caller(
            f"explain reads {lengths.sum():,} rows of context to explain {len(lengths):,} rows by "
            f"{method!r}, which takes minutes (about {work / 60_000:.0f} on one core); pass rows= "
            "to explain some rows only, or method='gradient_times_input' for a quick look.",
            UserWarning,
        )


def _score_whole(
    scorer: Scorer, windows: ContextWindows, targets: np.ndarray | None, which: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of rows in whole conversations at each point of the path, and classes."""
    own = windows.starts + windows.explained
    logits = torch.empty(len(PATH_POINTS), len(windows), scorer.network.decoder.out_features)
    logits = logits.double()
    for start in np.unique(windows.starts):
        members = np.flatnonzero(windows.starts == start)
        longest = members[[windows.lengths[members].argmax()]]
        logits[:, members] = _logits_on_path(scorer, windows[longest], own[members] - start)
    classes = logits[-1].argmax(dim=1).numpy() if targets is None else targets[which]
    return _log_odds_of(scorer, logits, classes), classes


def _have_scores(
    scorer: Scorer, windows: ContextWindows, classes: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """Return whether the scores in windows are the known ones, (V,)."""
    found = np.empty_like(known)
    for some in cut_into_chunks(windows, MAX_BATCH_ROWS):
        part = windows[some]
        logits = _logits_on_path(scorer, part, part.offsets + part.explained)
        found[:, some] = _log_odds_of(scorer, logits, classes[some])
    return (np.abs(found - known) <= SAME_SCORE).all(axis=0)


def _logits_on_path(scorer: Scorer, windows: ContextWindows, which: np.ndarray) -> torch.Tensor:
    """Return the logits of some rows of the windows at each point, (points, n_which, C)."""
    indices, inverse = np.unique(windows.indices, return_inverse=True)
    with torch.no_grad():
        texts = scorer.text_inputs(indices)[inverse]
        factors = torch.tensor(PATH_POINTS, dtype=torch.float64)
        scaled = [texts.scaled(factor[None]) for factor in factors]
        return torch.stack([scorer.logits_of(windows, part, which) for part in scaled])


def _log_odds_of(scorer: Scorer, logits: torch.Tensor, classes: np.ndarray) -> np.ndarray:
    columns = torch.from_numpy(classes)
    return torch.stack([scorer.log_odds(part, columns) for part in logits]).numpy()


def cut_into_chunks(windows: ContextWindows, n_rows: int) -> Iterator[np.ndarray]:
    """Yield the indices of windows that are close to one another, with about `n_rows` rows."""
    order = np.argsort(windows.starts + windows.explained, kind="stable")
    chunk = (np.cumsum(windows.lengths[order]) - 1) // n_rows
    yield from np.split(order, np.flatnonzero(np.diff(chunk)) + 1)
