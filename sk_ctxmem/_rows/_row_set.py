"""Rows sorted by group, and their iteration in packed batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy import sparse

from .._network._attention import ATTENTION_WINDOW
from .._network._batch import Columns, Packing, RowBatch, SparseFeatures, Words
from ._packing import concatenated_ranges, cut_into_blocks, cut_into_pieces, find_runs, pack

# In training, groups are split into pieces of at most this many rows, so that more pieces run in
# parallel. On long conversations this is more than twice as fast and no less accurate.
TRAINING_PIECE = 32
# Pieces that follow one another in a group come into one batch: memory starts anew in each, but
# attention sees the rows of all. With four of them, half of the rows see a whole window before
# them, and dialogue acts are as accurate as with single pieces and a window of 16.
TRAINING_RUN = 4
LEAST_RUNS = 3  # of a batch: rows of one group are like one another


@dataclass
class RowSet:
    """Features of all rows in the order of X, and the indices of the rows of each group.

    Parameters
    ----------
    features : CSR array or ndarray of shape (n_rows, n_features), float32
        Scaled features of each row.
    extras : ndarray of shape (n_rows, n_extras), float32, or None
        Position in the group and change of speaker. None with ``context="none"``.
    speakers : ndarray of shape (n_rows,), int64
        Speaker id of each row, 0 for unknown speakers.
    rows : ndarray of shape (n_rows,), int64
        Indices of the rows sorted by group and, within a group, by order.
    lengths : ndarray of shape (n_groups,), int64
        Number of rows of each group, in the order of ``rows``.
    words : ndarray of shape (n_words,) or None
        Word ids of all rows, row after row.
    word_offsets : ndarray of shape (n_rows + 1,) or None
        Index of the first word of each row.
    context : {"past", "both", "none"}
        Which other rows of its group a row sees.
    dense : ndarray of shape (n_rows, n_dense), float32, or None, default=None
        Scaled dense features beside sparse ones.
    n_embedded : int, default=0
        Number of dense features that are the embedding of the text, the last ones.
    turns : ndarray of shape (n_rows, n_turns), int16, or None, default=None
        Distances to rows of the same speaker, see `find_turns`. None without speakers.
    packed_words : bool, default=True
        Whether the network reads words in packed order. If not, it reads them row after row.
    pools : bool, default=False
        Whether a label belongs to a whole group, which is a sequence.
    """

    features: sparse.csr_array | np.ndarray
    extras: np.ndarray | None
    speakers: np.ndarray
    rows: np.ndarray
    lengths: np.ndarray
    words: np.ndarray | None
    word_offsets: np.ndarray | None
    context: str
    dense: np.ndarray | None = None
    turns: np.ndarray | None = None
    packed_words: bool = True
    n_embedded: int = 0
    pools: bool = False

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def all_dense(self) -> bool:
        """Whether a row has nothing but dense features, neither context nor words."""
        is_alone = self.words is None and self.context == "none" and not self.pools
        return self.are_dense and is_alone and not self.n_embedded

    @property
    def are_dense(self) -> bool:
        """Whether the rows have no sparse features."""
        return isinstance(self.features, np.ndarray) or self.features.shape[1] == 0

    @property
    def embedded(self) -> np.ndarray | None:
        """The embeddings, (n_rows, n_embedded), or None."""
        if not self.n_embedded or self.dense is None:
            return None
        return self.dense[:, -self.n_embedded :]

    def take_linear(self, rows: np.ndarray) -> sparse.csr_array:
        """Return the features of some rows that plain SGD learns from: sparse ones, embeddings."""
        is_sparse, embedded = sparse.issparse(self.features), self.embedded
        parts = [sparse.csr_array(self.features[rows])] if is_sparse else []
        if embedded is not None:
            parts.append(sparse.csr_array(embedded[rows]))
        return parts[0] if len(parts) == 1 else sparse.csr_array(sparse.hstack(parts))

    @property
    def ends(self) -> np.ndarray:
        """Index in X of the last row of each group."""
        return self.rows[np.cumsum(self.lengths) - 1]

    @property
    def samples(self) -> np.ndarray:
        """Index in X of one row of each sample: of the last row of a sequence, or of each row."""
        return self.ends if self.pools else self.rows

    @property
    def starts(self) -> np.ndarray:
        """Index of the first row of each group in ``rows``."""
        return np.cumsum(self.lengths) - self.lengths

    def take_groups(self, groups: np.ndarray) -> RowSet:
        """Return a RowSet of some of the groups that shares the features."""
        starts, lengths = self.starts[groups], self.lengths[groups]
        rows = self.rows[concatenated_ranges(starts, lengths)]
        return replace(self, rows=rows, lengths=lengths)

    def cut(self, longest: float) -> tuple[np.ndarray, np.ndarray]:
        """Split the groups into pieces of at most `longest` and TRAINING_PIECE rows.

        Sequences are not split: their label needs all rows.

        Returns
        -------
        starts, lengths : ndarray of shape (n_pieces,), int64
            Start of each piece in ``rows``, and its length.
        """
        if self.pools:
            return self.starts, self.lengths
        return cut_into_pieces(self.starts, self.lengths, min(TRAINING_PIECE, int(longest)))

    def batches(
        self,
        n_rows: float,
        random: np.random.RandomState | None = None,
        sorter: Any = None,
        pieces: tuple[np.ndarray, np.ndarray] | None = None,
        window: int = ATTENTION_WINDOW,
        every_row: bool = False,
    ) -> Iterator[tuple[np.ndarray, RowBatch]]:
        """Yield batches of `n_rows` rows on average, with the indices of their rows in X.

        If `random` is None, groups are not split and keep their order. Otherwise `pieces`, by
        default ``cut(n_rows)``, are shuffled, except that pieces which follow one another stay
        together, and `sorter`, an object with the method of ColumnSorter, sorts the features by
        column. Attention sees `window` rows. Of sequences, the indices are those of the last rows,
        unless `every_row` is true: then those of all, which have the logits of the rows so far.
        """
        starts, lengths, follows = self.starts, self.lengths, None
        if random is not None:
            pieces = self.cut(n_rows) if pieces is None else pieces
            starts, lengths, follows = self._shuffle(*pieces, n_rows, random)
        if random is not None and sorter is None:
            sorter = ColumnSorter(self.features.shape[1])
        sizes = lengths
        if self.pools and random is not None:  # else one long sequence would be a step alone
            sizes = np.full(len(lengths), lengths.mean())
        number = (np.cumsum(sizes) - 1) // n_rows
        firsts = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
        for first, end in zip(firsts, [*firsts[1:], None], strict=True):
            piece = slice(first, end)
            joined = None if follows is None else follows[piece]
            yield self._batch(starts[piece], lengths[piece], sorter, window, joined, every_row)

    def _shuffle(
        self,
        starts: np.ndarray,
        lengths: np.ndarray,
        n_rows: float,
        random: np.random.RandomState,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Shuffle runs of pieces, and return for each piece whether it follows the one before."""
        longest = int(np.clip(n_rows // (LEAST_RUNS * TRAINING_PIECE), 1, TRAINING_RUN))
        is_first = find_runs(starts, lengths, self.starts, longest)
        firsts = np.flatnonzero(is_first)
        sizes = np.diff(np.r_[firsts, len(starts)])
        shuffled = random.permutation(len(firsts))
        order = concatenated_ranges(firsts[shuffled], sizes[shuffled])
        return starts[order], lengths[order], ~is_first[order]

    def one_batch(self) -> RowBatch:
        """Return all rows as one batch."""
        return self._batch(self.starts, self.lengths, None, ATTENTION_WINDOW, None, True)[1]

    def _batch(
        self,
        starts: np.ndarray,
        lengths: np.ndarray,
        sorter: Any,
        window: int,
        follows: np.ndarray | None,
        every_row: bool,
    ) -> tuple[np.ndarray, RowBatch]:
        places, order, blocks, ends = starts, None, None, None
        if self.context != "none" or self.pools:
            order = pack(lengths)
            places = starts[order.sequences] + order.steps
        if order is not None and self.pools and not every_row:
            ends = np.flatnonzero(order.steps == order.lengths - 1)
        if order is not None and not self.pools:
            if follows is not None:
                follows = np.r_[False, follows[1:]]  # the first piece has none before it here
            blocks = cut_into_blocks(order, self.context == "both", window, follows)
        rows = self.rows[places]
        return rows if ends is None else rows[ends], RowBatch(
            features=take_features(self.features, rows, sorter),
            extras=None if self.extras is None else torch.from_numpy(self.extras[rows]),
            speakers=torch.from_numpy(self.speakers[rows]),
            packing=None if order is None else order.packing(),
            blocks=blocks,
            words=self.take_words(rows),
            dense=None if self.dense is None else torch.from_numpy(self.dense[rows]),
            turns=None if self.turns is None else torch.from_numpy(self.turns[rows]),
            ends=None if ends is None else torch.from_numpy(ends),
        )

    def take_words(self, rows: np.ndarray) -> Words | None:
        """Return the words of some rows, or None if the network reads no words."""
        if self.words is None or self.word_offsets is None:
            return None
        starts = self.word_offsets[rows]
        lengths = self.word_offsets[rows + 1] - starts
        if not self.packed_words:
            ids = self.words[concatenated_ranges(starts, lengths)]
            return _words_of(ids, np.repeat(np.arange(len(rows)), lengths))
        order = pack(lengths)
        ids = self.words[starts[order.sequences] + order.steps]
        return _words_of(ids, order.sequences, order.packing())


def pool_sequences(rows: RowSet) -> RowSet:
    """Return one row for each sequence, with the features that its wide path has.

    They are the means of those of its rows.
    """
    n_sequences = len(rows.lengths)
    scales = np.repeat(1 / rows.lengths, rows.lengths).astype(np.float32)
    of_sequences = sparse.csr_array(
        (scales, rows.rows, np.concatenate([[0], np.cumsum(rows.lengths)])),
        shape=(n_sequences, rows.features.shape[0]),
    )
    return replace(
        rows,
        features=of_sequences @ rows.features,
        dense=None if rows.dense is None else of_sequences @ rows.dense,
        extras=None,
        speakers=np.zeros(n_sequences, dtype=np.int64),
        rows=np.arange(n_sequences),
        lengths=np.ones(n_sequences, dtype=np.int64),
        words=None,
        word_offsets=None,
        context="none",
        turns=None,
        pools=False,
    )


def packs_words(word_memory: bool | str) -> bool:
    """Return whether a network reads words in packed order, which a convolution does not."""
    return word_memory != "convolution"


def words_of_one_row(ids: np.ndarray, packed: bool) -> Words:
    """Return the words of a single row, in an order that a network reads."""
    packing = pack(np.array([len(ids)])).packing() if packed else None
    return _words_of(ids, np.zeros(len(ids), dtype=np.int64), packing)


def _words_of(ids: np.ndarray, rows: np.ndarray, packing: Packing | None = None) -> Words:
    return Words(torch.from_numpy(ids.astype(np.int64)), torch.from_numpy(rows), packing)


class ColumnSorter:
    """Sorts the stored values of sparse rows by column.

    Only the distinct columns are sorted. Looking up the rank of each column is faster than
    sorting the values.

    Parameters
    ----------
    n_columns : int
        Number of columns of the matrices.
    """

    def __init__(self, n_columns: int) -> None:
        self._rank_of = np.empty(
            n_columns, dtype=np.int32
        )  # set only for the columns of the current matrix

    def sort(self, X: sparse.csr_array) -> Columns:
        """Return the stored values of CSR rows, sorted by column."""
        numbers = np.arange(len(X.indices), dtype=np.int32)
        self._rank_of[X.indices] = numbers
        ids = np.sort(X.indices[self._rank_of[X.indices] == numbers])  # each column once
        self._rank_of[ids] = numbers[: len(ids)]
        by_row = (numbers, self._rank_of[X.indices], X.indptr)
        by_column = sparse.csr_array(by_row, shape=(X.shape[0], len(ids))).tocsc()
        parts = (by_column.indptr[:-1], by_column.indices, by_column.data)
        return Columns(torch.from_numpy(ids.astype(np.int64)), *map(torch.from_numpy, parts))


def take_features(
    X: sparse.csr_array | np.ndarray, rows: np.ndarray, sorter: Any
) -> SparseFeatures | torch.Tensor:
    """Return the features of some rows as tensors; with a sorter, also sorted by column."""
    in_order = len(rows) == X.shape[0] and bool((rows[1:] > rows[:-1]).all())
    taken = X if in_order else X[rows]
    if isinstance(taken, np.ndarray):
        return torch.from_numpy(taken)
    return SparseFeatures(
        ids=torch.from_numpy(taken.indices),
        values=torch.from_numpy(taken.data),
        offsets=torch.from_numpy(taken.indptr[:-1]),
        columns=None if sorter is None else sorter.sort(taken),
    )
