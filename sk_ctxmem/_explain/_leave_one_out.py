"""Scores without a part of the texts: a feature, some words, or another row.

Shape letters: V windows, P rows of all windows, D width.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from ._scorer import MAX_BATCH_ROWS, ContextWindows, Scorer, TextInputs
from ._scores import Contributions, ScoredRows

MAX_PIECES = 128  # of a text; longer texts are split into pieces of several words


@dataclass
class WordsLeftOut:
    """Inputs of the encoder from the words of a text, with and without pieces of the text.

    Parameters
    ----------
    whole : Tensor of shape (D,)
        Input from all words.
    without : Tensor of shape (n_pieces, D)
        Input without each piece.
    sizes : ndarray of shape (n_pieces,), int64
        Number of words of each piece; 1 unless the text is long.
    """

    whole: Tensor
    without: Tensor
    sizes: np.ndarray


def words_left_out(scorer: Scorer, windows: ContextWindows) -> Iterator[WordsLeftOut]:
    """Yield the WordsLeftOut of each row in `ContextWindows.own`, if there is a word memory."""
    rows = scorer.rows
    if scorer.reader is None or rows.words is None or rows.word_offsets is None:
        return
    for row in rows.rows[windows.indices[windows.own]]:
        words = rows.words[rows.word_offsets[row] : rows.word_offsets[row + 1]]
        pieces = np.array_split(words, min(len(words), MAX_PIECES)) if len(words) else []
        texts = [words] + [
            np.concatenate([words[:0], *pieces[:number], *pieces[number + 1 :]])
            for number in range(len(pieces))
        ]
        inputs = _read_in_batches(scorer, texts)
        sizes = np.array([len(piece) for piece in pieces], dtype=np.int64)
        yield WordsLeftOut(inputs[0], inputs[1:], sizes)


def _read_in_batches(scorer: Scorer, texts: list[np.ndarray]) -> Tensor:
    """Return the inputs of the encoder from the words of texts, given as word ids."""
    offsets = np.cumsum([0, *map(len, texts)])
    rows = replace(scorer.rows, words=np.concatenate(texts), word_offsets=offsets)
    at_once = max(1, MAX_BATCH_ROWS // max(1, len(texts[0])))
    numbers = np.array_split(np.arange(len(texts)), -(-len(texts) // at_once))
    return torch.cat([scorer.read_words(rows, some) for some in numbers])


def leave_one_out(scorer: Scorer, scored: ScoredRows) -> Contributions:
    """Return the decrease of the scores if a single part is left out.

    A feature is left out for the encoder first, and then also for the wide path: its two
    contributions add up to the decrease of the score without the feature.
    """
    contributions = Contributions(
        rows=np.zeros(len(scored.texts.encoder)),
        ngrams=np.zeros(len(scored.entry_rows)),
        wide=np.zeros(len(scored.entry_rows)),
        words=[],
    )
    words = words_left_out(scorer, scored.windows)
    for number in range(len(scored.windows)):
        _leave_out_of_window(scorer, scored, number, words, contributions)
    return contributions


def _leave_out_of_window(
    scorer: Scorer,
    scored: ScoredRows,
    number: int,
    words: Iterator[WordsLeftOut],
    contributions: Contributions,
) -> None:
    """Fill in the contributions of one window."""
    window = scored.windows[np.array([number])]
    length, first = int(window.lengths[0]), scored.windows.offsets[number]
    texts = scored.texts[np.arange(first, first + length)]
    entries = np.flatnonzero(scored.windows.owners[scored.entry_rows] == number)
    of_entries = scored.windows.own[scored.entry_rows[entries]] - first
    parts = scored.parts[entries]
    others = np.setdiff1d(np.arange(length), window.own)
    removed = [texts[others], TextInputs(parts.encoder, torch.zeros_like(parts.wide)), parts]
    edited_rows = [others, of_entries, of_entries]
    left_out = list(islice(words, len(window.own)))
    if left_out:
        changes = torch.cat([each.whole - each.without for each in left_out])
        removed.append(TextInputs(changes, texts.wide.new_zeros(len(changes), texts.wide.shape[1])))
        edited_rows.append(np.repeat(window.own, [len(each.sizes) for each in left_out]))
    target = scored.targets[number]
    scores = [
        scores_without(scorer, window, texts, target, *edit)
        for edit in zip(edited_rows, removed, strict=True)
    ]
    with torch.no_grad():
        whole = scorer.scores(window, texts, scored.targets[[number]]).numpy()
    contributions.rows[first + others] = whole - scores[0]
    contributions.ngrams[entries] = whole - scores[1]
    contributions.wide[entries] = scores[1] - scores[2]
    ends = np.cumsum([len(each.sizes) for each in left_out])
    for each, without in zip(left_out, np.split(scores[-1], ends[:-1]), strict=False):
        contributions.words.append(np.repeat((whole - without) / each.sizes, each.sizes))


def scores_without(
    scorer: Scorer,
    window: ContextWindows,
    texts: TextInputs,
    target: int,
    edited_rows: np.ndarray,
    removed: TextInputs,
) -> np.ndarray:
    """Return the score of one window without each of several parts of its texts.

    Parameters
    ----------
    scorer : Scorer
        Scores rows.
    window : ContextWindows
        One window.
    texts : TextInputs of P rows
        Inputs from its texts.
    target : int
        Class index.
    edited_rows : ndarray of shape (n_edits,), int64
        Index in the window of the row of each part.
    removed : TextInputs of n_edits rows
        Inputs from each part, which are subtracted.

    Returns
    -------
    scores : ndarray of shape (n_edits,)
        Score without each part.
    """
    n_rows, found = len(texts.encoder), []
    at_once = max(1, MAX_BATCH_ROWS // n_rows)
    for first in range(0, len(edited_rows), at_once):
        some = np.arange(first, min(first + at_once, len(edited_rows)))
        copies = texts.scaled(torch.ones(len(some), dtype=torch.float64))
        edited = torch.from_numpy(np.arange(len(some)) * n_rows + edited_rows[some])
        copies.encoder[edited] -= removed.encoder[some]
        copies.wide[edited] -= removed.wide[some]
        with torch.no_grad():
            targets = np.full(len(some), target)
            found.append(scorer.scores(window.repeat(len(some)), copies, targets).numpy())
    return np.concatenate(found) if found else np.zeros(0)
