"""What scores would be without a part of the texts: a feature, some words, or another row.

Shape letters: V windows, P rows of all windows, D width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ._scorer import MOST_ROWS, ContextWindows, Scorer, Texts
from ._scores import ScoredRows, Shares

MOST_PIECES = 128  # of a text whose words are left out one after the other


@dataclass
class WordsLeftOut:
    """What the encoder reads of the words of a text when pieces of it are left out.

    Parameters
    ----------
    whole : Tensor of shape (D,)
        What it reads of all words.
    without : Tensor of shape (n_pieces, D)
        What it reads without each piece.
    sizes : ndarray of shape (n_pieces,), int64
        Number of words of each piece: 1, if the text is not long.
    """

    whole: Tensor
    without: Tensor
    sizes: np.ndarray


def words_left_out(scorer: Scorer, windows: ContextWindows) -> Iterator[WordsLeftOut]:
    """Yield what is read of the own text of each window, where there is a word memory."""
    rows = scorer.rows
    if scorer.reader is None or rows.words is None or rows.word_offsets is None:
        return
    for row in rows.rows[windows.starts + windows.owns]:
        words = rows.words[rows.word_offsets[row] : rows.word_offsets[row + 1]]
        pieces = np.array_split(words, min(len(words), MOST_PIECES)) if len(words) else []
        texts = [words] + [
            np.concatenate([words[:0], *pieces[:number], *pieces[number + 1 :]])
            for number in range(len(pieces))
        ]
        read = _read_in_batches(scorer, texts)
        sizes = np.array([len(piece) for piece in pieces], dtype=np.int64)
        yield WordsLeftOut(read[0], read[1:], sizes)


def _read_in_batches(scorer: Scorer, texts: list[np.ndarray]) -> Tensor:
    """Return what the encoder reads of texts that are given as the numbers of their words."""
    offsets = np.cumsum([0, *map(len, texts)])
    rows = replace(scorer.rows, words=np.concatenate(texts), word_offsets=offsets)
    at_once = max(1, MOST_ROWS // max(1, len(texts[0])))
    numbers = np.array_split(np.arange(len(texts)), -(-len(texts) // at_once))
    return torch.cat([scorer.read_words(rows, some) for some in numbers])


def leave_one_out(scorer: Scorer, scored: ScoredRows) -> Shares:
    """Return by how much the scores fall when one part alone is left out.

    A feature is left out for the encoder first and then, beside that, for the wide path: its two
    contributions add up to the fall of the score without it.
    """
    shares = Shares(
        rows=np.zeros(len(scored.texts.read)),
        ngrams=np.zeros(len(scored.entry_windows)),
        wide=np.zeros(len(scored.entry_windows)),
        words=[],
    )
    words = words_left_out(scorer, scored.windows)
    for number in range(len(scored.windows)):
        _leave_out_of_window(scorer, scored, number, next(words, None), shares)
    return shares


def _leave_out_of_window(
    scorer: Scorer,
    scored: ScoredRows,
    number: int,
    left_out: WordsLeftOut | None,
    shares: Shares,
) -> None:
    """Fill in the shares of one window."""
    window = scored.windows[np.array([number])]
    own, length, first = int(window.owns[0]), int(window.lengths[0]), scored.windows.firsts[number]
    texts = scored.texts[np.arange(first, first + length)]
    entries = np.flatnonzero(scored.entry_windows == number)
    parts = scored.parts[entries]
    others = np.delete(np.arange(length), own)
    taken = [texts[others], Texts(parts.read, torch.zeros_like(parts.wide)), parts]
    if left_out is not None:
        read = left_out.whole - left_out.without
        taken.append(Texts(read, texts.wide.new_zeros(len(read), texts.wide.shape[1])))
    places = [others] + [np.full(len(part.read), own) for part in taken[1:]]
    target = scored.targets[number]
    scores = [
        scores_without(scorer, window, texts, target, *edit)
        for edit in zip(places, taken, strict=True)
    ]
    with torch.no_grad():
        whole = scorer.scores(window, texts, scored.targets[[number]]).numpy()
    shares.rows[first + others] = whole - scores[0]
    shares.ngrams[entries] = whole - scores[1]
    shares.wide[entries] = scores[1] - scores[2]
    if left_out is not None:
        shares.words.append(np.repeat((whole - scores[3]) / left_out.sizes, left_out.sizes))


def scores_without(
    scorer: Scorer,
    window: ContextWindows,
    texts: Texts,
    target: int,
    places: np.ndarray,
    taken: Texts,
) -> np.ndarray:
    """Return the score of one window without each of several parts of its texts.

    Parameters
    ----------
    scorer : Scorer
        Scores rows.
    window : ContextWindows
        One window.
    texts : Texts of P rows
        What is read of its texts.
    target : int
        The class.
    places : ndarray of shape (n_edits,), int64
        The row that each part is taken from.
    taken : Texts of n_edits rows
        What is read of the part.

    Returns
    -------
    scores : ndarray of shape (n_edits,)
        The score without each part.
    """
    n_rows, found = len(texts.read), []
    at_once = max(1, MOST_ROWS // n_rows)
    for first in range(0, len(places), at_once):
        some = np.arange(first, min(first + at_once, len(places)))
        copies = texts.scaled(torch.ones(len(some), dtype=torch.float64))
        edited = torch.from_numpy(np.arange(len(some)) * n_rows + places[some])
        copies.read[edited] -= taken.read[some]
        copies.wide[edited] -= taken.wide[some]
        with torch.no_grad():
            targets = np.full(len(some), target)
            found.append(scorer.scores(window.repeat(len(some)), copies, targets).numpy())
    return np.concatenate(found) if found else np.zeros(0)
