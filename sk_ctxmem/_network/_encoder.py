"""The parts that read a row by itself: tables of weights, the encoder and the text reader.

Shape letters: N rows of a batch, F features of a row, D width, C classes, V words of the batch.
Rows and words are in packed order, see `_batch`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from ._batch import SparseFeatures, Words
from ._kernels import draw_normal_, draw_uniform_, fast_tanh, table_product
from ._memories import ContextMemory

INITIAL_TABLE_SCALE = 0.1
NO_FACTORS = (1.0, 1.0)


class FeatureTable(nn.Module):
    """Two linear maps of the features without bias: for the encoder and for the wide path.

    Both are in one matrix ``weight``, side by side, so that a training step reads and updates
    the rows of both at once. For sparse features, only the rows of the features in the batch are
    read, and the gradient is sparse: the cost of a step does not depend on the number of features.

    Parameters
    ----------
    n_features : int
        Number of features.
    width : int
        Number of outputs for the encoder.
    n_classes : int
        Number of outputs for the wide path.
    initial_scale : float
        Standard deviation of the initial weights for the encoder. Those for the wide path are 0.

    Attributes
    ----------
    factors : tuple of two float
        The outputs for the encoder and for the wide path are those of ``weight`` times these. They
        differ from 1 only while training shrinks all weights at each step; see `fold`.

    Shape
    -----
    Input: SparseFeatures of N rows, or (N, F). Output: (N, D) and (N, C).

    Examples
    --------
    >>> import torch
    >>> from sk_ctxmem._network._encoder import FeatureTable
    >>> table = FeatureTable(n_features=7, width=5, n_classes=3, initial_scale=0.1)
    >>> read, wide = table(torch.ones(2, 7))
    >>> read.shape, wide.shape
    (torch.Size([2, 5]), torch.Size([2, 3]))
    """

    factors: tuple[float, float] = NO_FACTORS

    def __init__(self, n_features: int, width: int, n_classes: int, initial_scale: float) -> None:
        super().__init__()
        self.widths = [width, n_classes]
        self.initial_scale = initial_scale
        self.weight = nn.Parameter(torch.empty(n_features, width + n_classes))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw initial weights."""
        with torch.no_grad():
            for_encoder, for_wide_path = self.weight.split(self.widths, dim=1)  # (F, D), (F, C)
            draw_uniform_(for_encoder, self.initial_scale)
            for_wide_path.zero_()

    def forward(self, features: SparseFeatures | Tensor) -> tuple[Tensor, ...]:
        """Map the features of each row."""
        if isinstance(features, Tensor):
            mapped = features.to(self.weight.dtype) @ self.weight  # (N, F) x (F, D + C)
        else:
            mapped = table_product(self.weight, features)  # (N, D + C)
        parts = mapped.split(self.widths, dim=1)  # (N, D), (N, C)
        if self.factors == NO_FACTORS:
            return parts
        return tuple(part * factor for part, factor in zip(parts, self.factors, strict=True))

    def fold(self) -> None:
        """Multiply the weights by the factors, which are 1 afterwards."""
        if self.factors != NO_FACTORS:
            with torch.no_grad():
                for part, factor in zip(
                    self.weight.split(self.widths, dim=1), self.factors, strict=True
                ):
                    part.mul_(factor)
        self.factors = NO_FACTORS


class WordTable(nn.Module):
    """An embedding of words whose gradient is sparse.

    Parameters
    ----------
    n_words : int
        Number of words, the unknown word included.
    width : int
        Width of the embeddings.

    Shape
    -----
    Input: (V,) ids of words. Output: (V, D).

    Examples
    --------
    >>> import torch
    >>> from sk_ctxmem._network._encoder import WordTable
    >>> WordTable(n_words=10, width=5)(torch.tensor([3, 0, 3])).shape
    torch.Size([3, 5])
    """

    def __init__(self, n_words: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_words, width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw initial weights."""
        draw_uniform_(self.weight, INITIAL_TABLE_SCALE)

    def forward(self, ids: Tensor) -> Tensor:
        """Look up the embedding of each word."""
        return embedding(ids, self.weight, sparse=True)  # (V, D)


class SpeakerTable(nn.Embedding):
    """An embedding of speakers.

    Parameters
    ----------
    num_embeddings : int
        Number of speakers, the unknown speaker included.
    embedding_dim : int
        Width of the embeddings.

    Shape
    -----
    Input: (N,) ids of speakers. Output: (N, D).

    Examples
    --------
    >>> import torch
    >>> from sk_ctxmem._network._encoder import SpeakerTable
    >>> SpeakerTable(3, 5)(torch.tensor([1, 2, 1, 0])).shape
    torch.Size([4, 5])
    """

    def reset_parameters(self) -> None:
        """Draw initial weights, unless the table is built on "meta"."""
        draw_normal_(self.weight)


class Encoder(nn.Module):
    """e_i = σ(W1 x_i + b1); W1 x_i comes from a table, and more terms can be added inside σ.

    Parameters
    ----------
    width : int
        Width of the encodings.
    logistic : bool
        Whether σ is the logistic function. If False, it is the hyperbolic tangent.

    Shape
    -----
    Input: (N, D), and any number of terms (N, D). Output: (N, D).

    Examples
    --------
    >>> import torch
    >>> from sk_ctxmem._network._encoder import Encoder
    >>> Encoder(3, logistic=True)(torch.zeros(2, 3), torch.zeros(2, 3)).tolist()
    [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]
    """

    def __init__(self, width: int, *, logistic: bool) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(width))
        self.activation = torch.sigmoid if logistic else fast_tanh

    def forward(self, read: Tensor, *added: Tensor) -> Tensor:
        """Encode each element."""
        driven = read.to(self.bias.dtype) + self.bias  # (N, D)
        for term in added:
            driven = driven + term
        return self.activation(driven)


class TextReader(nn.Module):
    """The text level: encoder, memory and attention over the words of each row.

    Parameters
    ----------
    n_words : int
        Number of words, the unknown word included.
    width : int
        Width of embeddings, encodings and memories.
    memory : {"elman", "gru", "lstm", "mingru"}
        Kind of the memory.

    Shape
    -----
    Input: Words of N rows. Output: (N, D); zeros for rows without words.

    Examples
    --------
    >>> import torch
    >>> from sk_ctxmem._network._batch import Packing, Words
    >>> from sk_ctxmem._network._encoder import TextReader
    >>> packing = Packing(torch.tensor([2, 1]), reverse=torch.tensor([2, 1, 0]))
    >>> words = Words(torch.tensor([4, 7, 5]), rows=torch.tensor([0, 1, 0]), packing=packing)
    >>> TextReader(n_words=10, width=5, memory="gru")(words, n_rows=2).shape
    torch.Size([2, 5])
    """

    def __init__(self, n_words: int, width: int, memory: str) -> None:
        super().__init__()
        self.table = WordTable(n_words, width)
        self.encoder = Encoder(width, logistic=memory == "elman")
        self.memory = ContextMemory(memory, width, both=False)
        self.attention = nn.Linear(width, 1)

    def forward(self, words: Words, n_rows: int) -> Tensor:
        """Return the mean of the memories of each row's words, weighted by attention."""
        encodings = self.encoder(self.table(words.ids))  # (V, D)
        if len(encodings) == 0:
            return encodings.new_zeros(n_rows, encodings.shape[1])
        memories = self.memory(encodings, words.packing)  # (V, D)
        return pool_words(memories, self.attention(memories), words.rows, n_rows)  # (N, D)


def pool_words(states: Tensor, scores: Tensor, rows: Tensor, n_rows: int) -> Tensor:
    """Return the mean of the states of each row's words, weighted by attention.

    Parameters
    ----------
    states : Tensor of shape (V, D)
        State of each word.
    scores : Tensor of shape (V, 1)
        Scores of the attention.
    rows : Tensor of shape (V,), int64
        Row of each word.
    n_rows : int
        Number of rows.

    Returns
    -------
    pooled : Tensor of shape (N, D)
        Weighted means; zeros for rows without words.
    """
    powers = scores.squeeze(1).tanh().exp()  # (V,), at most e
    totals = powers.new_zeros(n_rows).index_add(0, rows, powers)  # (N,)
    weights = powers / totals[rows]  # (V,)
    pooled = states.new_zeros(n_rows, states.shape[1])  # (N, D)
    return pooled.index_add(0, rows, weights.unsqueeze(1) * states)  # (N, D)
