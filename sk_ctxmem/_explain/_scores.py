"""Scores to explain, and their contributions.

Shape letters: V windows (explained rows), P rows of all windows, E values of features, D width,
C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ._dense_parts import DenseParts
from ._scorer import ContextWindows, Scorer, TextInputs


@dataclass
class Entries:
    """Values of the features of explained rows, or of all rows of explained sequences.

    Parameters
    ----------
    rows : ndarray of shape (E,), int64
        Row that has the value, as an index into `ContextWindows.own`.
    columns : ndarray of shape (E,), int64
        Column of the unscaled features.
    table_rows : ndarray of shape (E,), int64
        Row of the table of the network; those of dense features beside sparse ones follow.
    values : ndarray of shape (E,), float32
        Scaled value.
    """

    rows: np.ndarray
    columns: np.ndarray
    table_rows: np.ndarray
    values: np.ndarray

    def join(self, others: Entries) -> Entries:
        """Return these and other values, by row."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        joined = [np.concatenate(pair) for pair in pairs]
        order = np.argsort(joined[0], kind="stable")
        return Entries(*(array[order] for array in joined))


@dataclass
class ScoredRows:
    """Scores to explain, and the inputs from the texts of all windows.

    Parameters
    ----------
    windows : ContextWindows
        Windows of the explained rows.
    targets : ndarray of shape (V,), int64
        Class index whose score is explained.
    texts : TextInputs of P rows
        Inputs from the texts of all windows.
    entry_rows : ndarray of shape (E,), int64
        Row of each value of a feature, and of each part of dense features after them, as an index
        into `ContextWindows.own`.
    parts : TextInputs of E rows
        Inputs from each value, and from each part.
    whole, empty, alone : ndarray of shape (V,)
        Scores of the texts, of empty texts in the same windows (the baseline), and of a single
        empty text.
    """

    windows: ContextWindows
    targets: np.ndarray
    texts: TextInputs
    entry_rows: np.ndarray
    parts: TextInputs
    whole: np.ndarray
    empty: np.ndarray
    alone: np.ndarray


@dataclass
class Contributions:
    """Contributions to the scores of explained rows.

    Parameters
    ----------
    rows : ndarray of shape (P,)
        Contribution of the text of each row. Values of rows whose parts have contributions are not
        used.
    ngrams, wide : ndarray of shape (E,)
        Contributions of the values of features, through the encoder and through the wide path.
    words : list of ndarray, or empty list
        Contributions of the words of each row in `ContextWindows.own`, through the word memory.
    """

    rows: np.ndarray
    ngrams: np.ndarray
    wide: np.ndarray
    words: list[np.ndarray]


def score_rows(
    scorer: Scorer,
    windows: ContextWindows,
    targets: np.ndarray | None,
    entries: Entries,
    dense: DenseParts | None = None,
) -> ScoredRows:
    """Score the explained rows; if `targets` is None, the predicted classes are explained."""
    indices, inverse = np.unique(windows.indices, return_inverse=True)
    with torch.no_grad():
        texts = scorer.text_inputs(indices)[inverse]
        logits = scorer.logits(windows, texts)
        if targets is None:
            targets = logits.argmax(dim=1).numpy()
        classes = torch.from_numpy(targets)
        empty = scorer.scores(windows, scorer.empty_texts(len(texts.encoder)), targets)
        alone = scorer.log_odds(scorer.lone_logits().expand(len(windows), -1), classes)
    parts, of_parts = _read_entries(scorer, entries), entries.rows
    if dense is not None:
        parts = parts.join(dense.read(scorer))
        of_parts = np.concatenate([of_parts, dense.rows])
    return ScoredRows(
        windows=windows,
        targets=targets,
        texts=texts,
        entry_rows=of_parts,
        parts=parts,
        whole=scorer.log_odds(logits, classes).numpy(),
        empty=empty.numpy(),
        alone=alone.numpy(),
    )


def _read_entries(scorer: Scorer, entries: Entries) -> TextInputs:
    """Return the inputs from each value of a feature."""
    table = scorer.network.table
    numbers = torch.from_numpy(entries.table_rows)
    with torch.no_grad():
        rows = scorer.network.take_table_rows(numbers).double()
        inputs = rows * torch.from_numpy(entries.values).unsqueeze(1)  # (E, D + C)
    return TextInputs(*inputs.split(table.widths, dim=1))
