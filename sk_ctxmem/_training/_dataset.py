"""Rows with their classes and weights, in batches for training."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import skorch.dataset
import torch
from scipy import sparse
from torch import Tensor

from .._model._predict import PREDICTION_BATCH_SIZE
from .._network._label_transitions import NO_LABEL
from .._rows._row_set import RowSet, pool_sequences
from ._calibration import as_new_rows
from ._draws import Draws, plan_draws
from ._far_places import FarPlaces

Batches = Iterator[tuple[Any, tuple[Tensor, Tensor]]]  # with targets and weights

# Share of the loss of a sequence that its prefixes have, so that forecasts are calibrated. After a
# fifth of a negotiation the log loss is .38, without them .51, which is more than that of the share
# of the classes; at the end it is .316 and .309. Film reviews gain .6 points.
PREFIX_SHARE = 0.3


class EpochRows(Protocol):
    """Rows to train on, in memory or not: the interface that training needs.

    Attributes
    ----------
    sample : TrainingRows
        Some rows in memory, from which the learning rate of the tables is computed.
    """

    @property
    def sample(self) -> TrainingRows: ...  # noqa: D102

    @property
    def n_samples(self) -> int:
        """Number of sequences, or of rows."""

    def __len__(self) -> int: ...

    def count_draws(self, batch_size: int) -> tuple[int, int]:
        """Return how many rows an epoch draws before `release` is called, and after it."""

    def release(self) -> None:
        """Include all rows in the next batches, as the last epoch begins."""

    def batches(self, batch_size: int) -> Batches:
        """Yield the batches of an epoch."""


class TrainingRows(torch.utils.data.Dataset):
    """Rows in memory with their class numbers and weights, as a data set for skorch.

    Parameters
    ----------
    rows : RowSet
        The rows.
    targets : ndarray of shape (n_rows,), int64, or (n_rows, n_labels), uint8
        Class numbers, or indicators of labels, in the order of the caller, as the features of
        `rows`.
    weights : ndarray of shape (n_rows,), float32
        Weights, in the same order.
    random : RandomState or None
        Random state that shuffles the groups for training. If None, they keep their order.

    Attributes
    ----------
    far_places : FarPlaces or None
        Moves some pieces of groups away from the beginning, in training.
    n_passes : int
        Number of times that an epoch draws each row, see `count_passes`.
    """

    far_places: FarPlaces | None = None
    n_passes = 1

    def __init__(
        self,
        rows: RowSet,
        targets: np.ndarray,
        weights: np.ndarray,
        random: np.random.RandomState | None,
    ) -> None:
        self.rows = self.current = rows
        self.targets = torch.from_numpy(targets)
        self.weights = torch.from_numpy(weights)
        self.random = random
        self.sorter: Any = None  # sorts the features of batches, see RowSet.batches
        self.labels_before = None
        self.loss_factors = None
        if random is not None and rows.pools:
            self.loss_factors = torch.from_numpy(weigh_prefixes(rows))
        elif random is not None:
            self.labels_before = torch.from_numpy(find_labels_before(rows, targets, weights))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def n_early(self) -> int:
        """Number of rows in the batches of an epoch until `release` is called."""
        return len(self.current)

    def plan(self, longest: float) -> Draws:
        """Return the pieces of the current rows, of at most `longest` rows."""
        return plan_draws(self.current, self.weights.numpy(), longest, self.n_passes)

    def count_draws(self, batch_size: int) -> tuple[int, int]:
        """Return how many rows an epoch draws before `release` is called, and after it."""
        every = plan_draws(self.rows, self.weights.numpy(), batch_size, self.n_passes)
        return len(self.plan(batch_size)), len(every)

    @property
    def sample(self) -> TrainingRows:
        """All rows, as they are in memory."""
        return self

    def as_samples(self) -> TrainingRows:
        """Return one row for each sample: a sequence as the wide path sees it, or each row."""
        if not self.rows.pools:
            return self
        ends = self.rows.ends
        return TrainingRows(
            pool_sequences(self.rows), self.targets.numpy()[ends], self.weights.numpy()[ends], None
        )

    @property
    def n_samples(self) -> int:
        """Number of sequences, or of rows."""
        return len(self.rows.lengths) if self.rows.pools else len(self)

    def hold_back(self, late: np.ndarray) -> TrainingRows | None:
        """Exclude rows from the batches until `release` is called; return them, if any."""
        early_groups, late_groups = _split_groups(self.rows, late)
        if not len(late_groups):
            return None
        self.current = self.rows.take_groups(early_groups)
        return TrainingRows(
            _as_new(self.rows.take_groups(late_groups), late),
            self.targets.numpy(),
            self.weights.numpy(),
            None,
        )

    def release(self) -> None:
        """Include all rows in the next batches."""
        self.current = self.rows

    def batches(self, batch_size: float) -> Batches:
        """Yield batches of whole groups or, for training, of pieces of groups."""
        if self.random is not None:
            return self._draw(self.plan(batch_size), batch_size)
        return (
            (batch, (self.targets[rows], self.weights[rows]))
            for rows, batch in self.current.batches(batch_size)
        )

    def batches_in(self, n_batches: int) -> Batches:
        """Yield `n_batches` batches of pieces of groups."""
        draws = self.plan(self.n_early * self.n_passes / n_batches)
        return self._draw(draws, len(draws) / n_batches)

    def _draw(self, draws: Draws, batch_size: float) -> Batches:
        pieces, weights = (draws.starts, draws.lengths), torch.from_numpy(draws.weights)
        found = self.current.batches(
            batch_size, self.random, self.sorter, pieces, every_row=self.current.context == "past"
        )
        for rows, batch in found:
            if self.far_places is not None and self.random is not None:
                batch = self.far_places.move(batch, self.random)
            if self.labels_before is not None:
                batch.labels_before = self.labels_before[rows]
            of_rows = weights[rows]
            if self.loss_factors is not None:
                of_rows = of_rows * self.loss_factors[rows]
            yield batch, (self.targets[rows], of_rows)


class BatchIterator:
    """Iterates over the batches of an epoch, as a DataLoader of torch does."""

    def __init__(self, dataset: EpochRows, batch_size: int) -> None:
        self.dataset = dataset
        self.batch_size = batch_size

    def __iter__(self) -> Batches:
        return self.dataset.batches(self.batch_size)


class ScoredRows(skorch.dataset.Dataset):
    """Rows and class numbers in the form in which skorch's scoring callbacks read them.

    Parameters
    ----------
    rows : TrainingRows
        The rows, in a fixed order.
    """

    def __init__(self, rows: TrainingRows) -> None:
        self.X = rows

    def __len__(self) -> int:
        return len(self.X)

    @property
    def y(self) -> Tensor:
        """Class numbers, in the order in which skorch predicts the rows."""
        batches = self.X.batches(PREDICTION_BATCH_SIZE)
        return torch.cat([targets for _, (targets, _) in batches])


def as_scored_rows(rows: TrainingRows) -> ScoredRows:
    """Return rows for scoring: neither shuffled nor with the true class of the row before."""
    fixed = copy.copy(rows)
    fixed.random = fixed.labels_before = None
    return ScoredRows(fixed)


def find_labels_before(rows: RowSet, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return, for each row, the class number plus 1 of the row before it in its group.

    The first row of a group, and a row that follows a row of weight 0, has NO_LABEL: rows of
    weight 0 are context for others, but their class is unknown. Of several labels, it is (n_rows,
    n_labels + 1): 1 in column NO_LABEL, or the indicators of the row before in the others.
    """
    if targets.ndim == 2:
        return _find_sets_before(rows, targets, weights)
    labels = np.where(weights > 0, targets + 1, NO_LABEL)
    before = np.full(len(targets), NO_LABEL)
    before[rows.rows[1:]] = labels[rows.rows[:-1]]
    before[rows.rows[rows.starts]] = NO_LABEL
    return before


def weigh_prefixes(rows: RowSet) -> np.ndarray:
    """Return the factor of the loss of each row of sequences, in the order of X.

    The factors of a sequence add up to the mean number of rows, however many it has. Prefixes
    together have PREFIX_SHARE of it, if rows see the past alone; the whole sequence has the rest.
    """
    total = len(rows) / len(rows.lengths)
    share = PREFIX_SHARE if rows.context == "past" else 0.0
    factors = np.zeros(rows.features.shape[0])
    factors[rows.rows] = np.repeat(total * share / rows.lengths, rows.lengths)
    factors[rows.ends] += total * (1 - share)
    return factors.astype(np.float32)


def _find_sets_before(rows: RowSet, targets: np.ndarray, weights: np.ndarray) -> np.ndarray:
    is_known = weights[rows.rows[:-1]] > 0
    is_known[rows.starts[1:] - 1] = False
    known = np.flatnonzero(is_known)
    before = np.zeros((len(targets), targets.shape[1] + 1), dtype=np.uint8)
    before[:, NO_LABEL] = 1
    before[rows.rows[known + 1], NO_LABEL] = 0
    before[rows.rows[known + 1], NO_LABEL + 1 :] = targets[rows.rows[known]]
    return before


def list_arrays(rows: RowSet, targets: np.ndarray, weights: np.ndarray) -> list[np.ndarray | None]:
    """Return all arrays that determine the result of training on rows."""
    features: Any = rows.features
    parts = [targets, weights, rows.rows, rows.lengths, rows.speakers, rows.extras]
    parts += [rows.words, rows.word_offsets, rows.dense, rows.turns]
    if sparse.issparse(features):
        return [*parts, features.data, features.indices, features.indptr]
    return [*parts, features]


def split_rows(
    rows: RowSet,
    held_out: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    random: np.random.RandomState,
) -> tuple[TrainingRows, TrainingRows | None]:
    """Return the rows to train on and the held-out rows, if there are any."""
    train_groups, valid_groups = _split_groups(rows, held_out)
    train_rows = TrainingRows(rows.take_groups(train_groups), targets, weights, random)
    if not len(valid_groups):
        return train_rows, None
    valid_rows = _as_new(rows.take_groups(valid_groups), held_out)
    return train_rows, TrainingRows(valid_rows, targets, weights, None)


def _as_new(rows: RowSet, kept_out: np.ndarray) -> RowSet:
    """Return held-out rows with the features that new rows would have."""
    return replace(rows, features=as_new_rows(rows.features, kept_out))


def _split_groups(rows: RowSet, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the groups that are not chosen, and of those that are."""
    of_group = chosen[rows.rows[rows.starts]]
    return np.flatnonzero(~of_group), np.flatnonzero(of_group)
