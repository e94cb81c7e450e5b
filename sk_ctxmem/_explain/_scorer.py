"""What explained rows see, and the network's scores of rows as they are and as they might be.

The network is linear in what is read of a text: all that follows starts from what the encoder and
the wide path read of each row. Shape letters: V windows, P rows of all windows, D width, C classes.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from .._network._attention import ATTENTION_WINDOW
from .._network._batch import RowBatch
from .._network._net import ContextMemoryNet
from .._rows._packing import PackedOrder, concatenated_ranges, cut_into_blocks, pack
from .._rows._positions import describe_places
from .._rows._row_set import RowSet, take_features

MOST_ROWS = 8192  # in a batch of copies of windows: each takes about 20 KB


@dataclass
class ContextWindows:
    """The rows that explained rows see, in their order, themselves included.

    Parameters
    ----------
    starts, lengths : ndarray of shape (n_views,), int64
        Where the rows of each window lie in ``RowSet.rows``.
    owns : ndarray of shape (n_views,), int64
        Which of its rows is the explained one.
    """

    starts: np.ndarray
    lengths: np.ndarray
    owns: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, windows: np.ndarray) -> ContextWindows:
        return ContextWindows(self.starts[windows], self.lengths[windows], self.owns[windows])

    @property
    def places(self) -> np.ndarray:
        """Places in ``RowSet.rows`` of the rows of all windows, window after window."""
        return concatenated_ranges(self.starts, self.lengths)

    @property
    def firsts(self) -> np.ndarray:
        """Where each window begins among the rows of all windows."""
        return np.cumsum(self.lengths) - self.lengths

    def repeat(self, times: int) -> ContextWindows:
        """Return all windows several times over."""
        return self[np.tile(np.arange(len(self)), times)]


def find_context_windows(rows: RowSet, explained: np.ndarray) -> ContextWindows:
    """Find what explained rows, positions in X, see."""
    places = np.empty(len(rows), dtype=np.int64)
    places[rows.rows] = np.arange(len(rows))
    owns = places[explained]
    if rows.context == "none":
        return ContextWindows(owns, np.ones_like(owns), np.zeros_like(owns))
    groups = np.searchsorted(rows.starts, owns, side="right") - 1
    starts = rows.starts[groups]
    lengths = rows.lengths[groups] if rows.context == "both" else owns - starts + 1
    return ContextWindows(starts, lengths, owns - starts)


@dataclass
class Texts:
    """What the texts of the rows of windows add to empty ones.

    Parameters
    ----------
    read : Tensor of shape (P, D), float64
        To what the encoder reads, words of the word memory included.
    wide : Tensor of shape (P, C), float64
        To what the wide path says.
    """

    read: Tensor
    wide: Tensor

    def __getitem__(self, rows: np.ndarray) -> Texts:
        return Texts(self.read[rows], self.wide[rows])

    def scaled(self, factors: Tensor) -> Texts:
        """Return these texts once for each factor, multiplied by it."""
        parts = (factors[:, None, None] * part for part in (self.read, self.wide))
        return Texts(*(part.flatten(0, 1) for part in parts))


class Scorer:
    """Scores rows by a copy of a network in double precision, on the CPU.

    Parameters
    ----------
    network : ContextMemoryNet
        The trained network, which stays as it is.
    rows : RowSet
        All rows.
    empty : csr_array or ndarray of shape (1, n_features), float32
        Scaled features of an empty text.
    temperature : float
        What logits are divided by.
    """

    def __init__(
        self,
        network: ContextMemoryNet,
        rows: RowSet,
        empty: sparse.csr_array | np.ndarray,
        temperature: float,
    ) -> None:
        self.rows = rows
        self.temperature = temperature
        self.network = _copy_in_double_precision(network)
        self.reader, self.network.reader = self.network.reader, None  # words are read beforehand
        self.read_text = self.network.read_text
        self.empty = self._read_features(empty, np.zeros(1, dtype=np.int64))

    def read(self, places: np.ndarray) -> Texts:
        """Return what the texts at some places of ``rows.rows`` add to an empty one."""
        rows = self.rows.rows[places]
        texts = self._read_features(self.rows.features, rows)
        read, wide = texts.read - self.empty.read, texts.wide - self.empty.wide
        if self.reader is not None:
            read = read + self.read_words(self.rows, rows)
        return Texts(read, wide)

    def _read_features(self, features: sparse.csr_array | np.ndarray, rows: np.ndarray) -> Texts:
        with torch.no_grad():
            read, wide = self.network.table(take_features(features, rows, None))
        return Texts(read.double(), wide.double())

    def read_words(self, rows: RowSet, numbers: np.ndarray) -> Tensor:
        """Return what the encoder reads of the words of some rows, (n_numbers, D)."""
        assert self.reader is not None
        assert self.read_text is not None
        with torch.no_grad():
            return self.read_text(self.reader(rows.take_words(numbers), len(numbers)))

    def logits(self, windows: ContextWindows, texts: Texts) -> Tensor:
        """Return the logits of the explained row of each window, (V, C), after the temperature."""
        order = self._pack(windows)
        batch = self._batch(windows, order)
        element = torch.from_numpy(windows.firsts[order.sequences] + order.steps)
        read, wide = texts.read[element] + self.empty.read, texts.wide[element] + self.empty.wide
        logits = self.network.decide(read, wide, batch)[0]
        is_own = order.steps == windows.owns[order.sequences]
        own = np.empty(len(windows), dtype=np.int64)
        own[order.sequences[is_own]] = np.flatnonzero(is_own)
        return logits[torch.from_numpy(own)] / self.temperature

    def scores(self, windows: ContextWindows, texts: Texts, targets: np.ndarray) -> Tensor:
        """Return the log-odds of one class for the explained row of each window, (V,)."""
        return log_odds(self.logits(windows, texts), torch.from_numpy(targets))

    def lone_logits(self) -> Tensor:
        """Return the logits of an empty text of an unknown speaker alone, (1, C)."""
        extras = None
        if self.rows.extras is not None:
            extras = np.zeros_like(self.rows.extras[:1])
            places = describe_places(np.ones(1, dtype=np.int64), self.rows.context == "both")
            extras[:, : places.shape[1]] = places
        one = np.zeros(1, dtype=np.int64)
        rows = replace(self.rows, extras=extras, speakers=one, rows=one, lengths=one + 1)
        lone = copy.copy(self)
        lone.rows = rows
        with torch.no_grad():
            return lone.logits(ContextWindows(one, one + 1, one), self.empty_texts(1))

    def empty_texts(self, n_rows: int) -> Texts:
        """Return what empty texts add: nothing."""
        width, n_classes = self.network.table.widths
        shapes = (n_rows, width), (n_rows, n_classes)
        return Texts(*(torch.zeros(shape, dtype=torch.float64) for shape in shapes))

    def attention(self, windows: ContextWindows, texts: Texts) -> np.ndarray:
        """Return how much attention each explained row gives to each row of its window, (P,)."""
        order = self._pack(windows)
        batch = self._batch(windows, order)
        element = windows.firsts[order.sequences] + order.steps
        memory, attention = self.network.memory, self.network.attention
        assert memory is not None
        assert attention is not None
        found = np.zeros(len(element))
        with torch.no_grad():
            read = texts.read[torch.from_numpy(element)] + self.empty.read
            encodings = self.network.encode(read, batch)
            packed = torch.cat([memory(encodings, batch.packing), encodings], dim=1)
            states = torch.empty_like(packed)
            states[torch.from_numpy(element)] = packed
            for first, length, own in zip(
                windows.firsts, windows.lengths, windows.owns, strict=True
            ):
                begin, end = max(0, own + 1 - ATTENTION_WINDOW), min(length, own + ATTENTION_WINDOW)
                blocks = cut_into_blocks(pack(np.array([end - begin])), attention.both)
                weights = attention.weights(states[first + begin : first + end], blocks)
                found[first + begin : first + end] = weights[own - begin].numpy()
        return found

    def _pack(self, windows: ContextWindows) -> PackedOrder:
        """Lay windows out side by side; rows that stand alone keep their order."""
        return pack(windows.lengths)

    def _batch(self, windows: ContextWindows, order: PackedOrder) -> RowBatch:
        """Return all that is not text of the rows of windows."""
        rows = self.rows.rows[windows.starts[order.sequences] + order.steps]
        extras, alone = self.rows.extras, self.rows.context == "none"
        return RowBatch(
            features=None,
            extras=None if extras is None else torch.from_numpy(extras[rows]),
            speakers=torch.from_numpy(self.rows.speakers[rows]),
            packing=None if alone else order.packing(),
            blocks=None if alone else cut_into_blocks(order, self.rows.context == "both"),
        )


def log_odds(logits: Tensor, targets: Tensor) -> Tensor:
    """Return ln(p / (1 - p)) of the probability of one class of each row."""
    column = targets.unsqueeze(1)
    others = logits.scatter(1, column, -torch.inf)
    return logits.gather(1, column).squeeze(1) - others.logsumexp(dim=1)


def _copy_in_double_precision(network: ContextMemoryNet) -> ContextMemoryNet:
    """Copy all of a network but its tables, which may be large and are only read."""
    on_cpu = {id(table): table for table in network.tables if table.device.type == "cpu"}
    copied = copy.deepcopy(network, dict(on_cpu))
    for parameter in copied.parameters():
        if id(parameter) not in on_cpu:
            is_table = any(parameter is table for table in copied.tables)
            data = parameter.data.cpu()
            parameter.data = data if is_table else data.double()
            parameter.requires_grad_(False)
    return copied
