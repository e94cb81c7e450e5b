"""What is to be explained, and the answer: scores of rows and what they are shared out among.

Shape letters: V windows (explained rows), P rows of all windows, E values of features, D width,
C classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ._scorer import ContextWindows, Scorer, Texts, log_odds


@dataclass
class Entries:
    """The values of the features of explained rows.

    Parameters
    ----------
    windows : ndarray of shape (E,), int64
        The window whose own text has the value.
    columns : ndarray of shape (E,), int64
        Column of the features as they came.
    places : ndarray of shape (E,), int64
        Row of the table of the network.
    values : ndarray of shape (E,), float32
        What the text has there, scaled.
    """

    windows: np.ndarray
    columns: np.ndarray
    places: np.ndarray
    values: np.ndarray


@dataclass
class ScoredRows:
    """What is to be explained: a score for each window, by the texts of its rows.

    Parameters
    ----------
    windows : ContextWindows
        What the explained rows see.
    targets : ndarray of shape (V,), int64
        The class whose score is explained.
    texts : Texts of P rows
        What is read of the texts of all windows.
    entry_windows : ndarray of shape (E,), int64
        The window of each value of a feature.
    parts : Texts of E rows
        What is read of each value.
    whole, empty, alone : ndarray of shape (V,)
        Scores of the texts as they are, of empty texts in their places, and of one empty text
        alone.
    """

    windows: ContextWindows
    targets: np.ndarray
    texts: Texts
    entry_windows: np.ndarray
    parts: Texts
    whole: np.ndarray
    empty: np.ndarray
    alone: np.ndarray

    @property
    def owns(self) -> np.ndarray:
        """Where the explained rows are among the rows of all windows."""
        return self.windows.firsts + self.windows.owns


@dataclass
class Shares:
    """Contributions to the scores of explained rows.

    Parameters
    ----------
    rows : ndarray of shape (P,)
        Contribution of the text of each row; that of the explained rows themselves is not read.
    ngrams, wide : ndarray of shape (E,)
        Contributions of the values of features, by the encoder and by the wide path.
    words : list of V ndarrays, or of none
        Contributions of the words of explained rows, by the word memory.
    """

    rows: np.ndarray
    ngrams: np.ndarray
    wide: np.ndarray
    words: list[np.ndarray]


def score_rows(
    scorer: Scorer, windows: ContextWindows, targets: np.ndarray | None, entries: Entries
) -> ScoredRows:
    """Read texts, and score them; without targets, the predicted classes are explained."""
    places, inverse = np.unique(windows.places, return_inverse=True)
    with torch.no_grad():
        texts = scorer.read(places)[inverse]
        logits = scorer.logits(windows, texts)
        if targets is None:
            targets = logits.argmax(dim=1).numpy()
        classes = torch.from_numpy(targets)
        empty = scorer.scores(windows, scorer.empty_texts(len(texts.read)), targets)
        alone = log_odds(scorer.lone_logits().expand(len(windows), -1), classes)
    return ScoredRows(
        windows=windows,
        targets=targets,
        texts=texts,
        entry_windows=entries.windows,
        parts=_read_entries(scorer, entries),
        whole=log_odds(logits, classes).numpy(),
        empty=empty.numpy(),
        alone=alone.numpy(),
    )


def _read_entries(scorer: Scorer, entries: Entries) -> Texts:
    """Return what is read of each value of a feature."""
    table = scorer.network.table
    with torch.no_grad():
        rows = table.weight[torch.from_numpy(entries.places)].double()
        drives = rows * torch.from_numpy(entries.values).unsqueeze(1)  # (E, D + C)
    return Texts(*drives.split(table.widths, dim=1))
