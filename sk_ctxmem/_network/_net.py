"""The network, in plain torch: encoder, context memory, attention, decoder and wide path.

Shape letters: N rows of a batch, D width, M width of the memory, A width of the attention,
C classes. Rows are in packed order, see `_batch`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor, nn

from ._attention import ATTENTION_WIDTH, ATTENTION_WINDOW, Attention
from ._batch import RowBatch, SparseFeatures
from ._convolution import ConvolutionReader
from ._encoder import INITIAL_TABLE_SCALE, Encoder, FeatureTable, SpeakerTable, TextReader
from ._kernels import draw_normal_, drop
from ._label_chain import LabelChain
from ._label_transitions import LabelTransitions
from ._memories import ContextMemory, logistic_centre_
from ._pooling import SequencePooling, with_whole_future


class ContextMemoryNet(nn.Module):
    """Encoder, context memory over the rows of a group, attention and decoder, and a wide path.

    ::

        words -> encoder -> memory -> attention ─┐
                                                 ├─ encoder -> memory ─┬─ decoder ───┐
        features, position, speaker ─────────────┘      └─ attention ──┘             + -> logits
        features -> wide path (a logistic regression of the row alone) ──────────────┘

    With ``memory="elman"``, encoder, memory and decoder are the three formulas
    e_i = σ(W1 x_i + b1), m_i = σ(W2 e_i + W3 m_{i-1} + b2), d_i = W4 m_i + b3; the outputs of
    attention and of the wide path are added to d_i, and the softmax of the sum is the prediction.
    σ is the logistic function for ``memory="elman"``, and the hyperbolic tangent in the encoder
    for other memories. With ``context="none"`` there is no memory and no attention over rows: the
    decoder reads the encodings. Otherwise the class of the previous row is also used, see
    `LabelTransitions`, or its labels, see `LabelChain`.

    Parameters
    ----------
    n_features, n_classes, n_extras, n_speakers : int
        Sizes of the inputs and of the output.
    sparse : bool
        Whether the features are SparseFeatures.
    memory : {"elman", "gru", "lstm", "mingru"}
        Kind of the memory.
    context : {"past", "both", "none"}
        Which other rows of its group a row can see.
    width : int
        Width of encodings and memories.
    n_words : int
        Number of words that the text reader knows. If 0, there is no text reader.
    dropout_rate : float
        Fraction of encodings, memories, attended values and, in context, dense features that
        training drops, except for those of `n_kept`.
    n_dense : int, default=0
        Number of dense features beside sparse ones.
    n_embedded : int, default=0
        Number of dense features that are the embedding of the text, the last ones. They have
        weights of their own, which are trained as those of n-grams are.
    n_kept : int, default=0
        Number of the dense features before these, columns of the user, that training does not drop.
    window : int, default=ATTENTION_WINDOW
        Number of rows that attention can see, the row itself included.
    n_turns : int, default=0
        Number of rows of the same speaker that attention knows, if rows have speakers.
    word_width : int, default=0
        Width of the convolution that reads words. If 0, a memory of the width of the network
        reads them.
    pools : bool, default=False
        Whether a label belongs to a whole sequence. Then the states of all rows so far are pooled,
        in the place of attention and class transitions.
    multilabel : bool, default=False
        Whether a row has any number of labels, each with a logit of its own.

    Shape
    -----
    Input: a RowBatch of N rows. Output: three times (N, C): logits of the prediction, of the wide
    path alone, and of all other parts. With several labels, the wide path has the biases of the
    decoder too.

    Examples
    --------
    Rows without context:

    >>> import torch
    >>> from sk_ctxmem._network._batch import RowBatch
    >>> from sk_ctxmem._network._net import ContextMemoryNet
    >>> network = ContextMemoryNet(
    ...     n_features=7, n_classes=3, n_extras=0, n_speakers=1, sparse=False, memory="gru",
    ...     context="none", width=5, n_words=0, dropout_rate=0.0,
    ... )
    >>> batch = RowBatch(torch.ones(4, 7), extras=None, speakers=torch.zeros(4, dtype=torch.long))
    >>> [tuple(logits.shape) for logits in network(batch)]
    [(4, 3), (4, 3), (4, 3)]
    """

    def __init__(
        self,
        *,
        n_features: int,
        n_classes: int,
        n_extras: int,
        n_speakers: int,
        sparse: bool,
        memory: str,
        context: str,
        width: int,
        n_words: int,
        dropout_rate: float,
        n_dense: int = 0,
        n_kept: int = 0,
        window: int = ATTENTION_WINDOW,
        n_turns: int = 0,
        word_width: int = 0,
        n_embedded: int = 0,
        pools: bool = False,
        multilabel: bool = False,
    ) -> None:
        super().__init__()
        logistic = memory == "elman"
        # the logistic function is four times flatter than tanh, and its range half as large
        scale = INITIAL_TABLE_SCALE * (2 if logistic else 1)
        # so that all dense features together weigh as much as the n-grams of a row
        n_dense -= n_embedded
        dense_scale = scale / max(1, n_dense) ** 0.5
        both, remembers = context == "both", context != "none"
        attends = remembers and not pools
        memory_width = width * (2 if both else 1)
        self.sparse = sparse
        self.multilabel = multilabel
        self.dropout_rate = dropout_rate
        self.n_kept = n_kept
        self.table = FeatureTable(n_features, width, n_classes, scale)
        self.dense = FeatureTable(n_dense, width, n_classes, dense_scale) if n_dense else None
        self.embedded = FeatureTable(n_embedded, width, n_classes, scale) if n_embedded else None
        self.encoder = Encoder(width, logistic=logistic)
        self.extras = nn.Linear(n_extras, width, bias=False) if n_extras else None
        self.speakers = SpeakerTable(n_speakers, width) if n_speakers > 1 else None
        self.reader = _make_reader(n_words, word_width, width, memory) if n_words else None
        self.read_text = nn.Linear(word_width or width, width, bias=False) if n_words else None
        self.memory = ContextMemory(memory, width, both=both) if remembers else None
        self.window = window
        self.attention = (
            Attention(memory_width + width, both=both, window=window, n_turns=n_turns)
            if attends
            else None
        )
        self.attended = nn.Linear(ATTENTION_WIDTH, n_classes, bias=False) if attends else None
        states_width = memory_width + width if remembers else width
        self.pooling = SequencePooling(states_width) if pools else None
        has_last = pools and remembers
        self.pooled = nn.Linear(states_width, n_classes, bias=False) if has_last else None
        self.decoder = nn.Linear(memory_width, n_classes)
        chain = LabelChain if multilabel else LabelTransitions
        self.labels = chain(n_classes) if attends else None
        self._scale_initial_weights(scale, logistic)

    def _scale_initial_weights(self, scale: float, logistic: bool) -> None:
        """Adapt the initial weights to the activation function of the encoder."""
        if self.speakers is not None:  # a second draw, which the results of a seed depend on
            draw_normal_(self.speakers.weight, scale)
        if logistic:
            with torch.no_grad():
                self.decoder.weight.mul_(2)
            logistic_centre_(self.decoder.weight, self.decoder.bias)

    @property
    def has_memory(self) -> bool:
        """Whether the network has a memory, over rows or over words."""
        return self.memory is not None or self.reader is not None

    @property
    def tables(self) -> list[Any]:
        """Weights of which a batch reads some rows only. Their gradients are sparse."""
        found = [self.table.weight] if self.sparse else []
        return found + ([] if self.reader is None else [self.reader.table.weight])

    @property
    def lone_table(self) -> Any:
        """Table of the dense features of rows that have nothing else, sparse or dense."""
        return self.table if self.dense is None else self.dense

    @property
    def plain_weights(self) -> list[Any]:
        """Weights that are trained by plain SGD: the tables, and those of embeddings."""
        return self.tables + ([] if self.embedded is None else [self.embedded.weight])

    def set_dense_dtype(self, dtype: torch.dtype) -> None:
        """Change the dtype of all weights except the tables, which are large."""
        tables = {id(table) for table in self.tables}
        for parameter in self.parameters():
            if id(parameter) not in tables:
                parameter.data = parameter.data.to(dtype)

    def forward(self, batch: RowBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits of the prediction, of the wide path and of all other parts."""
        whole, wide, deep = self.decide(*self.read(batch.features, batch.dense), batch)
        if self.multilabel:  # else weights of n-grams would learn that most labels are rare
            wide = wide + self.decoder.bias
        return whole, wide, deep  # (N, C) each

    def read(
        self, features: SparseFeatures | Tensor, dense: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return the inputs of the encoder and the logits of the wide path."""
        read, wide = self.table(self._drop_dense(features))  # (N, D), (N, C)
        if dense is None:
            return read, wide
        for table, part in self._dense_parts(dense):
            more_read, more_wide = table(part)  # (N, D), (N, C)
            read, wide = read + more_read, wide + more_wide
        return read, wide

    def _dense_parts(self, dense: Any) -> Iterator[tuple[FeatureTable, Any]]:
        """Yield each table of dense features, with its columns.

        In context, training drops heavy columns and embeddings, but no columns of the user. One
        number that tells much would be lost with it: on 2,000 rows in groups, a column of numbers
        was 3.8 points behind logistic regression, one of categories 2.0, and without dropout 1.4
        and 1.0.
        """
        n_embedded = 0 if self.embedded is None else len(self.embedded.weight)
        n_heavy = dense.shape[1] - self.n_kept - n_embedded
        heavy, kept, embedded = dense.split([n_heavy, self.n_kept, n_embedded], dim=1)
        if self.dense is not None:
            heavy = cast(Tensor, self._drop_dense(heavy))
            yield self.dense, torch.cat([heavy, kept], dim=1)
        if self.embedded is not None:
            yield self.embedded, self._drop_dense(embedded)

    def take_table_rows(self, numbers: Tensor) -> Tensor:
        """Return rows of the feature table; those of dense features follow those of sparse ones."""
        parts = (self.table, self.dense, self.embedded)
        tables = [table.weight for table in parts if table is not None]
        if len(tables) == 1:
            return tables[0][numbers]  # (N, D + C)
        rows = tables[0].new_empty(len(numbers), tables[0].shape[1])
        for table in tables:
            is_here = (numbers >= 0) & (numbers < len(table))
            rows[is_here] = table[numbers[is_here]].to(rows.dtype)
            numbers = numbers - len(table)
        return rows  # (N, D + C)

    def decide(self, read: Tensor, wide: Tensor, batch: RowBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return what `forward` returns, given the outputs of `read`."""
        encodings = self._drop(self.encode(read, batch))  # (N, D)
        if self.pooling is not None:
            return self._decide_of_sequences(encodings, wide, batch)
        deep = self._decode(encodings, batch)  # (N, C)
        wide = wide.to(deep.dtype)
        return self._add_transitions(wide + deep, batch), wide, deep  # (N, C) each

    def expect_odds(self, odds: Tensor) -> None:
        """Start from these odds of the labels, (C,)."""
        with torch.no_grad():
            self.decoder.bias.add_(odds.log())

    def _decide_of_sequences(
        self, encodings: Tensor, wide: Tensor, batch: RowBatch
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits of sequences, of the rows so far of each."""
        assert self.pooling is not None
        assert batch.packing is not None
        last, states = None, encodings
        if self.memory is not None:
            last = self.memory(encodings, batch.packing)  # (N, M)
            states = torch.cat([last, encodings], dim=1)  # (N, M + D)
            last = with_whole_future(last, encodings.shape[1], batch.packing)
        pooled, wide = self.pooling(states, wide.to(states.dtype), batch.packing)
        if batch.ends is not None:
            pooled, wide = pooled[batch.ends], wide[batch.ends]
            last = None if last is None else last[batch.ends]
        deep = self.decode_sequences(last, pooled)
        return wide + deep, wide, deep

    def decode_sequences(self, last: Tensor | None, pooled: Tensor) -> Tensor:
        """Return the logits of sequences from their last memories and their pooled states."""
        if self.pooled is None or last is None:
            return self.decoder(pooled)
        return self.decoder(self._drop(last)) + self.pooled(self._drop(pooled))

    def encode(self, read: Tensor, batch: RowBatch) -> Tensor:
        """Encode each row by itself: its features, position, speaker and words."""
        added = []
        if self.extras is not None and batch.extras is not None:
            added.append(self.extras(batch.extras.to(self.extras.weight.dtype)))
        if self.speakers is not None:
            added.append(self.speakers(batch.speakers))
        if self.reader is not None and self.read_text is not None:
            added.append(self.read_text(self._drop(self.reader(batch.words, len(batch)))))
        return self.encoder(read, *added)  # (N, D)

    def _decode(self, encodings: Tensor, batch: RowBatch) -> Tensor:
        """Return the logits of memory and attention, or of the encodings without context."""
        if self.memory is None or self.attention is None or self.attended is None:
            return self.decoder(encodings)  # (N, C)
        memories = self.memory(encodings, batch.packing)  # (N, M)
        states = torch.cat([memories, encodings], dim=1)  # (N, M + D)
        found = self.attention(states, batch.blocks, batch.turns)  # (N, A)
        return self.decoder(self._drop(memories)) + self.attended(self._drop(found))  # (N, C)

    def _add_transitions(self, logits: Tensor, batch: RowBatch) -> Tensor:
        """Add the term of the previous row's class, whether that class is known or not."""
        if self.labels is None or batch.packing is None:
            return logits
        if batch.labels_before is not None:
            return self.labels.condition(logits, batch.labels_before)  # (N, C)
        return self.labels.expect(logits, batch.packing)  # (N, C)

    def _drop(self, values: Tensor) -> Tensor:
        return drop(values, self.dropout_rate) if self.training else values

    def _drop_dense(self, features: SparseFeatures | Tensor) -> SparseFeatures | Tensor:
        """Drop dense features in context only.

        Without dropout of sparse features, texts alone gain .2 points (16 fits on eight corpora),
        single words of 50 classes 5 points, and texts in context .05 points (9 fits on four).

        The class of a row alone may be told by the difference of two correlated dense columns,
        which is lost with one of them: without dropout, twenty such columns gain 15 points. In
        context, columns of embeddings lose half a point to two points without dropout.
        """
        if self.memory is None or not isinstance(features, Tensor):
            return features
        return self._drop(features)


def _make_reader(n_words: int, word_width: int, width: int, memory: str) -> Any:
    """Return the reader of words: a convolution, or a memory."""
    if word_width:
        return ConvolutionReader(n_words, word_width)
    return TextReader(n_words, width, memory)
