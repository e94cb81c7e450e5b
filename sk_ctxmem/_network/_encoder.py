"""The parts that read a row by itself: tables of weights, the encoder, and the text level.

Shape letters: N rows of a batch, F features of a row, D width, C classes, V words of the batch.
Rows and words lie in packed order, see `_batch`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from ._batch import SparseFeatures, Words
from ._kernels import draw_normal_, draw_uniform_, fast_tanh, table_product
from ._memories import ContextMemory

INITIAL_TABLE_SCALE = 0.1


class FeatureTable(nn.Module):
    """Two linear maps without bias of sparse or dense features: the encoder's and the wide path's.

    They lie side by side in ``weight``, so that a step reads and changes the rows of both at
    once. Sparse input reads the rows that a batch touches and gives a sparse gradient: the cost
    of a step does not depend on the number of features.

    Parameters
    ----------
    n_features : int
        Size of the input.
    width : int
        Size of what the encoder reads.
    n_classes : int
        Size of what the wide path says.
    initial_scale : float
        Standard deviation of the first weights of the encoder; those of the wide path are 0.

    Shape
    -----
    Input: SparseFeatures of N rows, or (N, F). Output: (N, width) and (N, C).
    """

    def __init__(self, n_features: int, width: int, n_classes: int, initial_scale: float) -> None:
        super().__init__()
        self.widths = [width, n_classes]
        self.initial_scale = initial_scale
        self.weight = nn.Parameter(torch.empty(n_features, width + n_classes))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        with torch.no_grad():
            for_encoder, for_wide_path = self.weight.split(self.widths, dim=1)
            draw_uniform_(for_encoder, self.initial_scale)
            for_wide_path.zero_()

    def forward(self, features: SparseFeatures | Tensor) -> tuple[Tensor, ...]:
        """Map the features of each row."""
        if isinstance(features, Tensor):
            mapped = features.to(self.weight.dtype) @ self.weight  # (N, F) x (F, width + C)
        else:
            mapped = table_product(self.weight, features)
        return mapped.split(self.widths, dim=1)


class WordTable(nn.Module):
    """One row of weights a word: ``W1 x`` where x is all 0 but for a 1 at the word.

    Shape
    -----
    Input: (V,) word ids. Output: (V, D).
    """

    def __init__(self, n_words: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_words, width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights."""
        draw_uniform_(self.weight, INITIAL_TABLE_SCALE)

    def forward(self, ids: Tensor) -> Tensor:
        """Look the words up."""
        return embedding(ids, self.weight, sparse=True)


class SpeakerTable(nn.Embedding):
    """One row of weights a speaker.

    Shape
    -----
    Input: (N,) numbers of speakers. Output: (N, D).
    """

    def reset_parameters(self) -> None:
        """Draw new weights."""
        draw_normal_(self.weight)


class Encoder(nn.Module):
    """e_i = σ(W1 x_i + b1), where W1 x_i comes from a table; more terms are added before σ.

    Parameters
    ----------
    width : int
        Width of the encodings.
    logistic : bool
        Whether σ is the logistic function, else the hyperbolic tangent.

    Shape
    -----
    Input: (N, D), and more of them to be added. Output: (N, D).
    """

    def __init__(self, width: int, *, logistic: bool) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))
        self.activation = torch.sigmoid if logistic else fast_tanh

    def forward(self, read: Tensor, *added: Tensor) -> Tensor:
        """Encode each element."""
        driven = read.to(self.bias.dtype) + self.bias
        for term in added:
            driven = driven + term
        return self.activation(driven)


class TextReader(nn.Module):
    """The text level: encoder, memory and attention over the words of each row.

    Shape
    -----
    Input: Words of N rows. Output: (N, D); zeros for a row without words.
    """

    def __init__(self, n_words: int, width: int, memory: str) -> None:
        super().__init__()
        self.table = WordTable(n_words, width)
        self.encoder = Encoder(width, logistic=memory == "elman")
        self.memory = ContextMemory(memory, width, both=False)
        self.attention = nn.Linear(width, 1)

    def forward(self, words: Words, n_rows: int) -> Tensor:
        """Pool the memories of the words of each row by their attention."""
        encodings = self.encoder(self.table(words.ids))  # (V, D)
        if len(encodings) == 0:
            return encodings.new_zeros(n_rows, encodings.shape[1])
        memories = self.memory(encodings, words.packing)  # (V, D)
        scores = self.attention(memories).squeeze(1).tanh().exp()  # (V,), at most e
        totals = scores.new_zeros(n_rows).index_add(0, words.rows, scores)  # (N,)
        weights = scores / totals[words.rows]
        pooled = memories.new_zeros(n_rows, memories.shape[1])
        return pooled.index_add(0, words.rows, weights.unsqueeze(1) * memories)  # (N, D)
