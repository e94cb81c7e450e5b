"""The network, in plain torch: encoder, context memory, attention, decoder.

Shape letters: N rows of a batch, F features of a row, D width, M width of the memory, A width of
the attention, K blocks of rows, L rows of a block, C classes, V words of the batch. Rows and
words lie in packed order, see `_tensors`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ._attention import ATTENTION_WIDTH, Attention
from ._batch import RowBatch, SparseFeatures
from ._encoder import INITIAL_TABLE_SCALE, Encoder, FeatureTable, SpeakerTable, TextReader
from ._kernels import draw_normal_, drop
from ._label_transitions import LabelTransitions
from ._memories import ContextMemory, logistic_centre_


class ContextMemoryNet(nn.Module):
    """Encoder, context memory over the rows of a group, attention and decoder, and a wide path.

    ::

        words -> encoder -> memory -> attention ─┐
                                                 ├─ encoder -> memory ─┬─ decoder ───┐
        features, place, speaker ────────────────┘      └─ attention ──┘             + -> logits
        features -> wide path (what logistic regression would say) ──────────────────┘

    With ``memory="elman"`` the encoder, the memory and the decoder are the three formulas
    e_i = σ(W1 x_i + b1), m_i = σ(W2 e_i + W3 m_{i-1} + b2), d_i = W4 m_i + b3, whose softmax is
    the prediction; attention and the wide path are added to d_i. σ is the logistic function
    there, and the hyperbolic tangent in the encoder of the other kinds. Where rows stand alone
    there is nothing to remember: the decoder reads the encodings, without memory and attention.
    Where they do not, the class of the row before has its say too (`LabelTransitions`).

    Parameters
    ----------
    n_features, n_classes, n_extras, n_speakers : int
        Sizes of the inputs and of the output.
    sparse : bool
        Whether the features come as SparseFeatures.
    memory : {"elman", "gru", "lstm", "mingru"}
        Kind of the memory.
    context : {"past", "both", "none"}
        Which other rows of its group a row sees.
    width : int
        Width of encodings and memories.
    n_words : int
        Number of words that the text level knows; 0 for no text level.
    dropout_rate : float
        Share of features, encodings, memories and attended values that training hides.

    Shape
    -----
    Input: a RowBatch of N rows. Output: three times (N, C), the logits of the prediction, of the
    wide path alone and of the rest alone.
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
    ) -> None:
        super().__init__()
        logistic = memory == "elman"
        # The logistic function is four times flatter than tanh at two times its scale.
        scale = INITIAL_TABLE_SCALE * (2 if logistic else 1)
        both, remembers = context == "both", context != "none"
        memory_width = width * (2 if both else 1)
        self.sparse = sparse
        self.dropout_rate = dropout_rate
        self.table = FeatureTable(n_features, width, n_classes, scale)
        self.encoder = Encoder(width, logistic=logistic)
        self.extras = nn.Linear(n_extras, width, bias=False) if n_extras else None
        self.speakers = SpeakerTable(n_speakers, width) if n_speakers > 1 else None
        self.reader = TextReader(n_words, width, memory) if n_words else None
        self.read_text = nn.Linear(width, width, bias=False) if n_words else None
        self.memory = ContextMemory(memory, width, both=both) if remembers else None
        self.attention = Attention(memory_width + width, both=both) if remembers else None
        self.attended = nn.Linear(ATTENTION_WIDTH, n_classes, bias=False) if remembers else None
        self.decoder = nn.Linear(memory_width, n_classes)
        self.labels = LabelTransitions(n_classes) if remembers else None
        if self.speakers is not None:
            draw_normal_(self.speakers.weight, scale)
        if logistic:
            with torch.no_grad():
                self.decoder.weight.mul_(2)
            logistic_centre_(self.decoder.weight, self.decoder.bias)

    @property
    def has_memory(self) -> bool:
        """Whether there is a memory, over rows or over words."""
        return self.memory is not None or self.reader is not None

    @property
    def tables(self) -> list[Any]:
        """Weights that a batch reads in part, hence with sparse gradients."""
        found = [self.table.weight] if self.sparse else []
        return found + ([] if self.reader is None else [self.reader.table.weight])

    def set_dense_dtype(self, dtype: torch.dtype) -> None:
        """Change the precision of all weights but the tables: those are large, and only read."""
        tables = {id(table) for table in self.tables}
        for parameter in self.parameters():
            if id(parameter) not in tables:
                parameter.data = parameter.data.to(dtype)

    def _drop(self, values: Tensor) -> Tensor:
        return drop(values, self.dropout_rate) if self.training else values

    def _drop_features(self, features: SparseFeatures | Tensor) -> SparseFeatures | Tensor:
        if isinstance(features, Tensor):
            return self._drop(features)
        return replace(features, values=self._drop(features.values))

    def encode(self, read: Tensor, batch: RowBatch) -> Tensor:
        """Encode each row by itself: features, place, speaker and words."""
        added = []
        if self.extras is not None and batch.extras is not None:
            added.append(self.extras(batch.extras.to(self.extras.weight.dtype)))
        if self.speakers is not None:
            added.append(self.speakers(batch.speakers))
        if self.reader is not None and self.read_text is not None:
            added.append(self.read_text(self._drop(self.reader(batch.words, len(batch)))))
        return self.encoder(read, *added)  # (N, D)

    def forward(self, batch: RowBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the logits of the prediction, of the wide path, and of memory and attention."""
        read, wide = self.table(self._drop_features(batch.features))  # (N, D), (N, C)
        return self.decide(read, wide, batch)

    def decide(self, read: Tensor, wide: Tensor, batch: RowBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Go on from what the encoder and the wide path have read of the features."""
        deep = self._decode(self._drop(self.encode(read, batch)), batch)
        wide = wide.to(deep.dtype)
        return self._join(wide + deep, batch), wide, deep  # (N, C) each

    def _join(self, logits: Tensor, batch: RowBatch) -> Tensor:
        """Add what the class of the row before says, known or not."""
        if self.labels is None or batch.packing is None:
            return logits
        if batch.labels_before is not None:
            return self.labels.follow(logits, batch.labels_before)
        return self.labels.expect(logits, batch.packing)

    def _decode(self, encodings: Tensor, batch: RowBatch) -> Tensor:
        """Return what memory and attention say of each row, or the encodings alone."""
        if self.memory is None or self.attention is None or self.attended is None:
            return self.decoder(encodings)
        memories = self.memory(encodings, batch.packing)  # (N, M)
        states = torch.cat([memories, encodings], dim=1)  # (N, M + D)
        found = self.attention(states, batch.blocks)  # (N, A)
        return self.decoder(self._drop(memories)) + self.attended(self._drop(found))
