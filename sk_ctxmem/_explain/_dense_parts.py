"""Parts of the dense features beside those of texts: the embedding, and what a word changes in it.

Shape letters: N parts, F dense features beside those of texts, D width, C classes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch

from .._rows._reader import RowReader
from .._rows._row_set import RowSet
from ._scorer import Scorer, TextInputs

WORDS = re.compile(r"\w+")
MAX_WORDS = 128  # of a text, each of which is left out in a text that has to be embedded


@dataclass
class DenseParts:
    """Parts of the dense features of explained rows, each of which gets a line.

    Parameters
    ----------
    rows : ndarray of shape (N,), int64
        Row that has the part, as an index into `ContextWindows.own`.
    names : list of N str or None
        Column of X, or word of the text. None for the whole embedding.
    values : ndarray of shape (N, F), float32
        Scaled features, minus those without the part.
    are_columns : ndarray of shape (N,), bool
        Whether the parts are columns of X.
    """

    rows: np.ndarray
    names: list[str | None]
    values: np.ndarray
    are_columns: np.ndarray

    def read(self, scorer: Scorer) -> TextInputs:
        """Return the inputs of the network from each part."""
        table = scorer.network.table
        assert scorer.rows.dense is not None
        n_rows = scorer.rows.features.shape[1] + scorer.rows.dense.shape[1]
        numbers = torch.arange(n_rows - self.values.shape[1], n_rows)  # they are the last
        with torch.no_grad():
            rows = scorer.network.take_table_rows(numbers).double()
            inputs = torch.from_numpy(self.values).double() @ rows  # (N, D + C)
        return TextInputs(*inputs.split(table.widths, dim=1))


def find_dense_parts(
    reader: RowReader, rows: RowSet, texts: list[str], explained: np.ndarray, *, with_words: bool
) -> DenseParts | None:
    """Return the parts of the dense features of explained rows, or None if there are none.

    Parameters
    ----------
    reader : RowReader
        Reader of the rows.
    rows : RowSet
        All rows, with scaled dense features.
    texts : list of str
        Texts of all rows.
    explained : ndarray of shape (n_explained,)
        Positions in X of the rows to explain.
    with_words : bool
        Whether the embeddings of the texts without each of their words are compared too.
    """
    if reader.dense is None or rows.dense is None:
        return None
    values = rows.dense[explained, -reader.dense.n_features :]  # of the mean, they are 0
    parts = _take_parts(values, [*reader.dense.owners, *[None] * reader.dense.n_embedded])
    if not with_words or reader.dense.embedder is None:
        return parts
    return _add_words(parts, reader, [texts[row] for row in explained])


def _take_parts(values: np.ndarray, owners: list[str | None]) -> DenseParts:
    """Return the features of each column of X, and the embedding, given the owner of each."""
    different = list(dict.fromkeys(owners))
    are_of = np.array([[owner == name for owner in owners] for name in different])
    each = np.arange(len(values))
    return DenseParts(
        np.tile(each, len(different)),
        [name for name in different for _ in each],
        (are_of[:, np.newaxis] * values).reshape(-1, values.shape[1]),
        np.repeat([name is not None for name in different], len(each)),
    )


def _add_words(parts: DenseParts, reader: RowReader, texts: list[str]) -> DenseParts:
    """Add what each word of the texts changes in their embeddings."""
    assert reader.dense is not None
    words = [list(dict.fromkeys(WORDS.findall(text)))[:MAX_WORDS] for text in texts]
    rows = np.repeat(np.arange(len(texts)), list(map(len, words)))
    names = [word for of_text in words for word in of_text]
    if not names:
        return parts
    without = [_leave_out(word, texts[row]) for word, row in zip(names, rows, strict=True)]
    changes = reader.dense.read_embeddings([texts[row] for row in rows])
    changes -= reader.dense.read_embeddings(without)
    return DenseParts(
        np.concatenate([parts.rows, rows]),
        parts.names + names,
        np.concatenate([parts.values, changes]),
        np.append(parts.are_columns, np.zeros(len(names), dtype=bool)),
    )


def _leave_out(word: str, text: str) -> str:
    """Return a text without a word, wherever it is in it."""
    return WORDS.sub(lambda found: "" if found[0] == word else found[0], text)
