"""Context windows of explained rows, and scores of the network for their texts and variations.

The inputs of the network are linear in the features of a text. All computations start from the
inputs of the encoder and of the wide path of each row.

Shape letters: V windows, P rows of all windows, D width, C classes.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from .._model._outputs import outputs_of
from .._network._batch import RowBatch
from .._network._net import ContextMemoryNet
from .._rows._packing import PackedOrder, concatenated_ranges, cut_into_blocks, pack
from .._rows._positions import describe_places
from .._rows._row_set import RowSet, take_features

MAX_BATCH_ROWS = 8192  # of copies of windows; a row takes about 20 KB


@dataclass
class ContextWindows:
    """Rows that explained rows depend on, in order, including the explained rows.

    Parameters
    ----------
    starts, lengths : ndarray of shape (n_windows,), int64
        Slice of ``RowSet.rows`` of each window.
    explained : ndarray of shape (n_windows,), int64
        Index of the explained row in each window.
    pools : bool, default=False
        Whether a window is a sequence. Its last row is explained by the parts of all rows.
    """

    starts: np.ndarray
    lengths: np.ndarray
    explained: np.ndarray
    pools: bool = False

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, windows: np.ndarray) -> ContextWindows:
        starts, lengths = self.starts[windows], self.lengths[windows]
        return ContextWindows(starts, lengths, self.explained[windows], self.pools)

    @property
    def indices(self) -> np.ndarray:
        """Indices into ``RowSet.rows`` of the rows of all windows, window after window."""
        return concatenated_ranges(self.starts, self.lengths)

    @property
    def offsets(self) -> np.ndarray:
        """Index of the first row of each window among the rows of all windows."""
        return np.cumsum(self.lengths) - self.lengths

    @property
    def own(self) -> np.ndarray:
        """Indices, among the rows of all windows, of rows whose parts have contributions."""
        return np.arange(self.lengths.sum()) if self.pools else self.offsets + self.explained

    @property
    def owners(self) -> np.ndarray:
        """Window of each row in `own`."""
        numbers = np.arange(len(self))
        return np.repeat(numbers, self.lengths) if self.pools else numbers

    def repeat(self, times: int) -> ContextWindows:
        """Return all windows repeated several times."""
        return self[np.tile(np.arange(len(self)), times)]

    def crop(self, reach: int) -> ContextWindows:
        """Return the windows without rows farther than `reach` from the explained row.

        Sequences stay whole, as their label depends on all rows alike.
        """
        if self.pools:
            return self
        dropped = np.maximum(0, self.explained - reach)
        own = self.explained - dropped
        lengths = np.minimum(self.lengths - dropped, own + reach + 1)
        return ContextWindows(self.starts + dropped, lengths, own)

    def replace(self, which: np.ndarray, others: ContextWindows) -> None:
        """Replace some windows, in place."""
        self.starts[which], self.lengths[which] = others.starts, others.lengths
        self.explained[which] = others.explained


def find_context_windows(rows: RowSet, explained: np.ndarray) -> ContextWindows:
    """Return the windows of explained rows or sequences, given as positions in X."""
    if rows.pools:
        lengths = rows.lengths[explained]
        return ContextWindows(rows.starts[explained], lengths, lengths - 1, pools=True)
    indices = np.empty(len(rows), dtype=np.int64)
    indices[rows.rows] = np.arange(len(rows))
    own = indices[explained]
    if rows.context == "none":
        return ContextWindows(own, np.ones_like(own), np.zeros_like(own))
    groups = np.searchsorted(rows.starts, own, side="right") - 1
    starts = rows.starts[groups]
    lengths = rows.lengths[groups] if rows.context == "both" else own - starts + 1
    return ContextWindows(starts, lengths, own - starts)


@dataclass
class TextInputs:
    """Inputs of the encoder and of the wide path from texts, minus those from empty texts.

    Parameters
    ----------
    encoder : Tensor of shape (P, D), float64
        Inputs of the encoder, including those from the word memory.
    wide : Tensor of shape (P, C), float64
        Logits of the wide path.
    """

    encoder: Tensor
    wide: Tensor

    def __getitem__(self, rows: np.ndarray) -> TextInputs:
        return TextInputs(self.encoder[rows], self.wide[rows])

    def join(self, others: TextInputs) -> TextInputs:
        """Return these inputs and others after them."""
        pairs = ((self.encoder, others.encoder), (self.wide, others.wide))
        return TextInputs(*(torch.cat(pair) for pair in pairs))

    def scaled(self, factors: Tensor) -> TextInputs:
        """Return a copy of the inputs for each factor, multiplied by it."""
        parts = (factors[:, None, None] * part for part in (self.encoder, self.wide))
        return TextInputs(*(part.flatten(0, 1) for part in parts))


class Scorer:
    """Computes scores with a copy of a network in double precision, on the CPU.

    Parameters
    ----------
    network : ContextMemoryNet
        Trained network, which is not modified.
    rows : RowSet
        All rows.
    empty : csr_array or ndarray of shape (1, n_features), float32
        Scaled features of an empty text.
    temperature : float
        Softmax temperature.
    empty_dense : ndarray of shape (1, n_dense), float32, or None, default=None
        Scaled heavy columns of an empty text.
    """

    def __init__(
        self,
        network: ContextMemoryNet,
        rows: RowSet,
        empty: sparse.csr_array | np.ndarray,
        temperature: float,
        empty_dense: np.ndarray | None = None,
    ) -> None:
        self.rows = rows
        self.temperature = temperature
        self.network = _copy_in_double_precision(network)
        self.reader, self.network.reader = self.network.reader, None  # words are read separately
        self.read_text = self.network.read_text
        self.empty = self._read_features(empty, empty_dense, np.zeros(1, dtype=np.int64))

    def text_inputs(self, indices: np.ndarray) -> TextInputs:
        """Return the inputs from the texts of some elements of ``rows.rows``."""
        rows = self.rows.rows[indices]
        texts = self._read_features(self.rows.features, self.rows.dense, rows)
        encoder, wide = texts.encoder - self.empty.encoder, texts.wide - self.empty.wide
        if self.reader is not None:
            encoder = encoder + self.read_words(self.rows, rows)
        return TextInputs(encoder, wide)

    def _read_features(
        self, features: sparse.csr_array | np.ndarray, dense: np.ndarray | None, rows: np.ndarray
    ) -> TextInputs:
        taken = None if dense is None else torch.from_numpy(dense[rows])
        with torch.no_grad():
            encoder, wide = self.network.read(take_features(features, rows, None), taken)
        return TextInputs(encoder.double(), wide.double())

    def read_words(self, rows: RowSet, numbers: np.ndarray) -> Tensor:
        """Return the inputs of the encoder from the words of some rows, (n_numbers, D)."""
        assert self.reader is not None
        assert self.read_text is not None
        with torch.no_grad():
            return self.read_text(self.reader(rows.take_words(numbers), len(numbers)))

    def logits(self, windows: ContextWindows, texts: TextInputs) -> Tensor:
        """Return the logits of the explained rows, divided by the temperature, (V, C)."""
        return self.logits_of(windows, texts, windows.offsets + windows.explained)

    def logits_of(self, windows: ContextWindows, texts: TextInputs, which: np.ndarray) -> Tensor:
        """Return the logits of some of the P rows, divided by the temperature, (n_which, C)."""
        order = self._pack(windows)
        batch = self._batch(windows, order)
        element = windows.offsets[order.sequences] + order.steps
        place = np.empty_like(element)
        place[element] = np.arange(len(element))
        packed = torch.from_numpy(element)
        inputs = texts.encoder[packed] + self.empty.encoder
        wide = texts.wide[packed] + self.empty.wide
        logits = self.network.decide(inputs, wide, batch)[0]
        return logits[torch.from_numpy(place[which])] / self.temperature

    def scores(self, windows: ContextWindows, texts: TextInputs, targets: np.ndarray) -> Tensor:
        """Return the log-odds of a class for the explained row of each window, (V,)."""
        return self.log_odds(self.logits(windows, texts), torch.from_numpy(targets))

    def log_odds(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the log-odds of the probability of a class, or of a label, of each row."""
        return outputs_of(self.network.multilabel).log_odds(logits, targets)

    def lone_logits(self) -> Tensor:
        """Return the logits of a single empty text of an unknown speaker, (1, C)."""
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

    def empty_texts(self, n_rows: int) -> TextInputs:
        """Return the inputs from empty texts: zeros."""
        width, n_classes = self.network.table.widths
        shapes = (n_rows, width), (n_rows, n_classes)
        return TextInputs(*(torch.zeros(shape, dtype=torch.float64) for shape in shapes))

    def attention(self, windows: ContextWindows, texts: TextInputs) -> np.ndarray:
        """Return the attention weight of each row of the windows for the explained row, (P,)."""
        states, turns = self._states(windows, texts)
        attention = self.network.attention
        assert attention is not None
        found, window = np.zeros(len(states)), attention.window
        with torch.no_grad():
            for first, length, own in zip(
                windows.offsets, windows.lengths, windows.explained, strict=True
            ):
                begin, end = max(0, own + 1 - window), min(length, own + window)
                blocks = cut_into_blocks(pack(np.array([end - begin])), attention.both, window)
                near = slice(first + begin, first + end)
                weights = attention.weights(
                    states[near], blocks, None if turns is None else turns[near]
                )
                found[first + begin : first + end] = weights[own - begin].numpy()
        return found

    def pooling_weights(self, windows: ContextWindows, texts: TextInputs) -> np.ndarray:
        """Return the weight of each row of the windows in the pooled states, (P,)."""
        assert self.network.pooling is not None
        with torch.no_grad():
            weights = self.network.pooling.weights(self._states(windows, texts)[0])[:, 0].numpy()
        return weights / np.repeat(np.add.reduceat(weights, windows.offsets), windows.lengths)

    def _states(self, windows: ContextWindows, texts: TextInputs) -> tuple[Tensor, Tensor | None]:
        """Return the states of all rows of the windows, (P, ...), and the turns of speakers."""
        order = self._pack(windows)
        batch = self._batch(windows, order)
        element = windows.offsets[order.sequences] + order.steps
        by_element = torch.from_numpy(np.argsort(element))
        with torch.no_grad():
            inputs = texts.encoder[torch.from_numpy(element)] + self.empty.encoder
            states = self.network.encode(inputs, batch)
            if self.network.memory is not None:
                states = torch.cat([self.network.memory(states, batch.packing), states], dim=1)
        return states[by_element], None if batch.turns is None else batch.turns[by_element]

    def _pack(self, windows: ContextWindows) -> PackedOrder:
        """Pack windows side by side."""
        return pack(windows.lengths)

    def _batch(self, windows: ContextWindows, order: PackedOrder) -> RowBatch:
        """Return a batch of the rows of windows, without features."""
        rows = self.rows.rows[windows.starts[order.sequences] + order.steps]
        extras, turns = self.rows.extras, self.rows.turns
        pools, both = self.rows.pools, self.rows.context == "both"
        alone = self.rows.context == "none"
        return RowBatch(
            features=None,
            extras=None if extras is None else torch.from_numpy(extras[rows]),
            speakers=torch.from_numpy(self.rows.speakers[rows]),
            packing=None if alone and not pools else order.packing(),
            blocks=(None if alone or pools else cut_into_blocks(order, both, self.network.window)),
            turns=None if turns is None else torch.from_numpy(turns[rows]),
        )


def _copy_in_double_precision(network: ContextMemoryNet) -> ContextMemoryNet:
    """Copy a network in double precision; its tables, which may be large, are shared."""
    on_cpu = {id(table): table for table in network.tables if table.device.type == "cpu"}
    copied = copy.deepcopy(network, dict(on_cpu))
    for parameter in copied.parameters():
        if id(parameter) not in on_cpu:
            is_table = any(parameter is table for table in copied.tables)
            data = parameter.data.cpu()
            parameter.data = data if is_table else data.double()
            parameter.requires_grad_(False)
    return copied
