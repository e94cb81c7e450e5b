"""Small networks and a batch for the tests of the network."""

import numpy as np
import torch

from sk_ctxmem._network._batch import RowBatch, Words
from sk_ctxmem._network._net import ContextMemoryNet
from sk_ctxmem._rows._packing import cut_into_blocks, pack

SIZES = {
    "n_features": 7,
    "n_classes": 3,
    "n_extras": 2,
    "n_speakers": 4,
    "sparse": False,
    "memory": "gru",
    "context": "past",
    "width": 5,
    "n_words": 6,
    "n_dense": 0,
    "n_kept": 0,
    "n_embedded": 0,
    "word_width": 0,
    "multilabel": False,
    "pools": False,
    "window": 64,
    "n_turns": 0,
    "dropout_rate": 0.5,
}
LENGTHS = np.array([4, 3, 1])  # of groups
WORD_COUNTS = np.array([2, 0, 3, 1, 1, 0, 2, 1])  # of rows


def make_network(**sizes):
    """Return a network whose weights are all random."""
    network = ContextMemoryNet(**(SIZES | sizes))
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(std=0.5)
    return network


def make_words():
    """Return words of eight rows, two of which have none."""
    order = pack(WORD_COUNTS)
    ids = torch.arange(len(order.steps)) % 6
    return Words(ids, torch.from_numpy(order.sequences), order.packing())


def make_batch(both=False, **changes):
    """Return eight rows of three groups, with dense features, places, speakers and words."""
    order = pack(LENGTHS)
    parts = {
        "features": torch.randn(8, 7),
        "extras": torch.randn(8, 5 if both else 2),
        "speakers": torch.arange(8) % 4,
        "packing": order.packing(),
        "blocks": cut_into_blocks(order, both),
        "words": make_words(),
    }
    return RowBatch(**(parts | changes))


def numbers(tensor):
    """Return a tensor as an array."""
    return tensor.detach().numpy()
