"""Tests of each part of the network: initial weights, and formulas in NumPy."""

import numpy as np
import pytest
import torch
from _networks import WORD_COUNTS, make_words, numbers
from numpy.testing import assert_allclose
from scipy.special import expit, softmax

from sk_ctxmem._network._attention import FORMER_WINDOW, N_TURNS, Attention
from sk_ctxmem._network._batch import SparseFeatures, Words
from sk_ctxmem._network._encoder import (
    INITIAL_TABLE_SCALE,
    Encoder,
    FeatureTable,
    TextReader,
    WordTable,
)
from sk_ctxmem._rows._packing import cut_into_blocks, pack
from sk_ctxmem._rows._positions import find_turns


@pytest.fixture(autouse=True)
def _keep_random_state():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


# --- tables and encoder


def test_a_feature_table_starts_with_a_silent_wide_path():
    """Check the scale of the encoder's initial weights, and that those of the classes are 0."""
    table = FeatureTable(4000, 3, 2, 0.7)
    assert table.weight.shape == (4000, 5)
    assert table.weight[:, :3].std().item() == pytest.approx(0.7, rel=0.05)
    assert table.weight[:, :3].mean().item() == pytest.approx(0, abs=0.03)
    assert (table.weight[:, 3:] == 0).all()
    with torch.no_grad():
        table.weight.fill_(9)
    table.reset_parameters()
    assert table.weight[:, :3].std().item() == pytest.approx(0.7, rel=0.05)
    assert (table.weight[:, 3:] == 0).all()


def test_a_feature_table_multiplies_and_splits():
    """Check dense and sparse features against a product of matrices, in single precision."""
    table = FeatureTable(4, 3, 2, 1.0)
    with torch.no_grad():
        table.weight.normal_()
    dense = torch.tensor([[0.0, 2.0, 0.0, 1.0], [3.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
    ids, offsets = torch.tensor([1, 3, 0]), torch.tensor([0, 2])
    sparse = SparseFeatures(ids, torch.tensor([2.0, 1.0, 3.0]), offsets)
    expected = numbers(dense) @ numbers(table.weight)
    for features in (dense, sparse):
        read, wide = table(features)
        assert read.dtype == wide.dtype == torch.float32
        assert_allclose(numbers(read), expected[:, :3], rtol=1e-6)
        assert_allclose(numbers(wide), expected[:, 3:], rtol=1e-6)


def test_a_word_table_looks_words_up():
    """Check the scale, the rows, and that the gradient has only rows of words in the batch."""
    table = WordTable(4000, 3)
    assert table.weight.shape == (4000, 3)
    assert table.weight.std().item() == pytest.approx(INITIAL_TABLE_SCALE, rel=0.05)
    found = table(torch.tensor([5, 2, 5]))
    assert torch.equal(found, table.weight[[5, 2, 5]])
    found.sum().backward()
    assert table.weight.grad.is_sparse
    gradient = table.weight.grad.coalesce()
    assert gradient.indices().tolist() == [[2, 5]]
    assert gradient.values().tolist() == [[1.0] * 3, [2.0] * 3]


@pytest.mark.parametrize(("logistic", "sigma"), [(True, expit), (False, np.tanh)])
def test_an_encoder_adds_up_before_sigma(logistic, sigma):
    """Check the formula, the initial bias, and that the precision is that of the bias."""
    encoder = Encoder(3, logistic=logistic)
    assert encoder.bias.tolist() == [0, 0, 0]
    encoder = encoder.double()
    with torch.no_grad():
        encoder.bias.normal_()
    read, *added = torch.randn(3, 2, 3)
    assert encoder(read).dtype == torch.float64
    driven = numbers(read) + numbers(encoder.bias)
    assert_allclose(numbers(encoder(read)), sigma(driven), rtol=1e-6)
    both = driven + numbers(added[0]) + numbers(added[1])
    assert_allclose(numbers(encoder(read, *added)), sigma(both), rtol=1e-6)


# --- attention


def numpy_attention(attention, states, lengths, both, speakers):
    """Return attention weights and outputs, group by group, rows in the order of the groups."""
    project, window = attention.project, attention.window
    width, scales = (32, (1,)) if window == FORMER_WINDOW else (16, (32, 8))
    projected = states @ numbers(project.weight).T + numbers(project.bias)
    parts = np.split(projected, [width, 2 * width], axis=1)
    heads = zip(*(np.split(part, len(scales), axis=1) for part in parts), strict=True)
    shares, found = np.zeros((len(scales), len(states), len(states))), []
    for head, (queries, keys, values) in enumerate(heads):
        by_distance = scales[head] * numbers(attention.distance_weight).reshape(len(scales), -1)
        by_turn = np.zeros((len(scales), 0))
        if attention.turn_weight is not None:
            by_turn = scales[head] * numbers(attention.turn_weight)
        starts = np.cumsum(lengths) - lengths
        for start, length in zip(starts, lengths, strict=True):
            for row in range(start, start + length):
                first = max(start, row - window + 1)
                end = min(start + length, row + window) if both else row + 1
                seen = np.arange(first, end)
                scores = keys[seen] @ queries[row] / np.sqrt(queries.shape[1])
                scores += by_distance[head, seen - row + window - 1]
                is_same = speakers[seen] == speakers[row]
                of_same = [seen[is_same & (seen < row)][::-1], seen[is_same & (seen > row)]]
                for number, places in enumerate(of_same):
                    weights = by_turn[head, number * N_TURNS :][: min(len(places), N_TURNS)]
                    scores[places[: len(weights)] - first] += weights
                shares[head, row, seen] = softmax(scores)
        found.append(shares[head] @ values)
    return shares.mean(axis=0), np.concatenate(found, axis=1)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("lengths", [[1], [5, 2], [16, 3], [17, 16, 40], [150, 3, 66]], ids=str)
@pytest.mark.parametrize("window", [16, 64])
def test_attention_equals_a_loop(window, lengths, both):
    """Check weights and values against a plain loop, in this version and in earlier ones."""
    lengths = np.array(lengths)
    n_turns = 0 if window == FORMER_WINDOW else N_TURNS
    attention = Attention(6, both=both, window=window, n_turns=n_turns).double()
    n_distances = 2 * window - 1 if both else window
    assert attention.distance_weight.shape[-1] == n_distances
    assert not attention.distance_weight.any()
    with torch.no_grad():
        for weight in attention.parameters():
            weight.normal_(std=0.2)
    order = pack(lengths)
    rows = (np.cumsum(lengths) - lengths)[order.sequences] + order.steps  # by place in the batch
    speakers = np.random.RandomState(0).randint(3, size=lengths.sum())
    turns = torch.from_numpy(find_turns(speakers, lengths, both=both)[rows])
    blocks = cut_into_blocks(order, both, window)
    states = torch.randn(len(rows), 6, dtype=torch.float64)
    by_group = np.empty((len(rows), 6))
    by_group[rows] = numbers(states)
    shares, found = numpy_attention(attention, by_group, lengths, both, speakers)
    weights = numbers(attention.weights(states, blocks, turns))
    assert_allclose(weights, shares[rows][:, rows], rtol=1e-9, atol=1e-12)
    assert_allclose(numbers(attention(states, blocks, turns)), found[rows], rtol=1e-9)


# --- words


@pytest.mark.parametrize(("memory", "sigma"), [("elman", expit), ("gru", np.tanh)])
def test_a_text_is_the_weighted_mean_of_its_memories(memory, sigma):
    """Check the pooling against NumPy, and the zeros for rows without words."""
    reader = TextReader(6, 5, memory)
    assert reader.memory.backwards is None
    words = make_words()
    encodings = sigma(numbers(reader.table.weight)[words.ids] + numbers(reader.encoder.bias))
    encodings = torch.from_numpy(encodings.astype(np.float32))
    memories = numbers(reader.memory(encodings, words.packing))
    scores = np.tanh(
        memories @ numbers(reader.attention.weight)[0] + numbers(reader.attention.bias)
    )
    expected = np.zeros((8, 5))
    for row in np.flatnonzero(WORD_COUNTS):
        of_row = words.rows.numpy() == row
        expected[row] = softmax(scores[of_row]) @ memories[of_row]
    found = reader(words, 8)
    assert_allclose(numbers(found), expected, rtol=1e-4, atol=1e-6)
    assert (found[WORD_COUNTS == 0] == 0).all()


def test_a_batch_without_words_reads_zeros():
    """Check that each row gets zeros."""
    none = torch.zeros(0, dtype=torch.int64)
    words = Words(none, none, pack(np.array([0, 0])).packing())
    found = TextReader(6, 5, "gru")(words, 2)
    assert found.tolist() == [[0.0] * 5] * 2
