"""A text reader without a memory: a convolution over the words of each row.

Shape letters: N rows of a batch, V words of the batch, U different words among them, K width of
the convolution.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, pad

from ._batch import Words
from ._encoder import WordTable, pool_words
from ._kernels import fast_tanh

# Width of embeddings and convolution. The width of the network, 128, would double their cost.
WORD_WIDTH = 64
SPAN = 3  # a word and its two neighbours


class ConvolutionReader(nn.Module):
    """The text level: a convolution of three words, and attention over the words of each row.

    Parameters
    ----------
    n_words : int
        Number of words, the unknown word included.
    width : int
        Width of the embeddings and of the convolution.

    Shape
    -----
    Input: Words of N rows, row after row. Output: (N, K); zeros for rows without words.

    References
    ----------
    Kim, Y. (2014). Convolutional neural networks for sentence classification. EMNLP 2014.

    Examples
    --------
    >>> import torch
    >>> from sk_ctxmem._network._batch import Words
    >>> from sk_ctxmem._network._convolution import ConvolutionReader
    >>> words = Words(torch.tensor([4, 5, 7]), rows=torch.tensor([0, 0, 1]))
    >>> ConvolutionReader(n_words=10, width=5)(words, n_rows=2).shape
    torch.Size([2, 5])
    """

    def __init__(self, n_words: int, width: int) -> None:
        super().__init__()
        self.table = WordTable(n_words, width)
        self.convolution = nn.Conv1d(width, width, SPAN)
        self.attention = nn.Linear(width, 1)

    def forward(self, words: Words, n_rows: int) -> Tensor:
        """Return the mean of the convolution over each row's words, weighted by attention."""
        if len(words.ids) == 0:
            return self.attention.weight.new_zeros(n_rows, self.attention.in_features)
        states = fast_tanh(self._convolve(words))  # (V, K)
        return pool_words(states, self.attention(states), words.rows, n_rows)  # (N, K)

    def _convolve(self, words: Words) -> Tensor:
        """Return the convolution at each word, where rows end with zeros.

        The weights of the convolution are three matrices. The products of a word with each of
        them are computed once, wherever it occurs, and looked up: as words repeat, this takes a
        third of the time of a convolution over all words, and gives the table a gradient of one
        row a word.
        """
        ids, places = torch.unique(words.ids, return_inverse=True)  # (U,), (V,)
        weight, width = self.convolution.weight, self.table.weight.shape[1]  # (K, K, 3)
        # nothing has an embedding too, of zeros
        embeddings = pad(self.table(ids), (0, 0, 0, 1)).to(weight.dtype)  # (U + 1, K)
        products = embeddings @ weight.permute(1, 2, 0).reshape(width, -1)  # (U + 1, 3 K)
        entries = SPAN * _with_neighbours(places, words.rows, len(ids))  # (V, 3)
        entries += torch.arange(SPAN, device=entries.device)
        convolved = embedding_bag(entries, products.view(-1, width), mode="sum")  # (V, K)
        bias: Any = self.convolution.bias  # torch says that it may be None
        return convolved + bias


def _with_neighbours(places: Tensor, rows: Tensor, nothing: int) -> Tensor:
    """Return the word before, the word and the word after, or `nothing` beyond its row, (V, 3)."""
    is_first = rows != rows.roll(1)
    is_first[0] = True  # also if there is one row
    before = places.roll(1).masked_fill(is_first, nothing)
    after = places.roll(-1).masked_fill(is_first.roll(-1), nothing)
    return torch.stack([before, places, after], dim=1)
