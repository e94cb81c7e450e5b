"""Tests of the network: its formulas in plain NumPy, and what reaches what."""

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import expit

from sk_ctxmem._batches import RowSet, describe_places
from sk_ctxmem._modules import ContextMemoryNet

LENGTHS = np.array([4, 1, 7])
N_FEATURES, N_CLASSES, WIDTH = 6, 3, 5


def _rows(*, both=False, dense=False, words=False, seed=0):
    random = np.random.RandomState(seed)
    n_rows = LENGTHS.sum()
    features = sparse.random_array(
        (n_rows, N_FEATURES), density=0.5, format="csr", dtype=np.float32, rng=random
    )
    offsets = np.r_[0, np.cumsum(random.randint(0, 5, n_rows))]
    return RowSet(
        features=features.toarray() if dense else features,
        extras=describe_places(LENGTHS, both),
        speakers=random.randint(0, 2, n_rows),
        rows=np.arange(n_rows),
        lengths=LENGTHS,
        words=random.randint(0, 4, offsets[-1]) if words else None,
        word_offsets=offsets if words else None,
        both=both,
    )


def _network(memory="gru", *, both=False, dense=False, words=False):
    torch.manual_seed(0)
    network = ContextMemoryNet(
        n_features=N_FEATURES,
        n_classes=N_CLASSES,
        n_extras=5 if both else 2,
        n_speakers=2,
        sparse=not dense,
        memory=memory,
        both=both,
        width=WIDTH,
        n_words=4 if words else 0,
        dropout_rate=0.0,
    )
    torch.nn.init.normal_(network.wide.weight)
    torch.nn.init.normal_(network.attention.distance_weight)
    return network.double()


@pytest.fixture(autouse=True)
def _keep_random_state():
    with torch.random.fork_rng():
        yield


def _logits(network, rows):
    """Run the network on all rows, and return the logits of both paths in the rows' order."""
    wide, deep = np.empty((2, len(rows), N_CLASSES))
    with torch.no_grad():
        for places, batch in rows.batches(1000):
            if rows.features.__class__.__name__ == "csr_array":
                batch.features.values = batch.features.values.double()
            wide[places], deep[places] = (path.numpy() for path in network(batch))
    return wide, deep


def _numpy_states(weights, rows, sigma):
    """Compute encodings and Elman memories row by row, from the design's formulas."""
    x = rows.features.toarray().astype(float)
    w_extra = weights["extras.weight"].T
    driven = x @ weights["encoder.table.weight"] + weights["encoder.bias"]
    driven += rows.extras @ w_extra + weights["speakers.weight"][rows.speakers]
    e = sigma(driven)
    W2, b2 = weights["memory.forwards.input.weight"], weights["memory.forwards.input.bias"]
    W3 = weights["memory.forwards.recurrent.weight"]
    m = np.zeros_like(e)
    row = 0
    for length in LENGTHS:
        before = np.zeros(WIDTH)
        for _ in range(length):
            before = m[row] = expit(W2 @ e[row] + W3 @ before + b2)
            row += 1
    return e, m


def _numpy_attention(weights, states, row, start):
    """Compute what one row finds among the rows of its group up to itself."""

    def linear(name, value):
        return value @ weights[f"attention.{name}.weight"].T + weights[f"attention.{name}.bias"]

    seen = states[start : row + 1]
    scores = linear("key", seen) @ linear("query", states[row]) / np.sqrt(64)
    scores += weights["attention.distance_weight"][-len(seen) :]
    share = np.exp(scores) / np.exp(scores).sum()
    return share @ linear("value", seen)


def test_elman_equals_the_formulas_in_numpy():
    """Check the whole network with memory="elman" against a loop over the three formulas."""
    network, rows = _network("elman"), _rows()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    e, m = _numpy_states(weights, rows, expit)
    states = np.c_[m, e]
    starts = np.repeat(np.cumsum(LENGTHS) - LENGTHS, LENGTHS)
    attended = [_numpy_attention(weights, states, i, start) for i, start in enumerate(starts)]
    decoded = m @ weights["decoder.weight"].T + weights["decoder.bias"]
    wide, deep = _logits(network, rows)
    np.testing.assert_allclose(
        deep, decoded + attended @ weights["attended.weight"].T, rtol=1e-6, atol=1e-7
    )
    np.testing.assert_allclose(wide, rows.features.toarray() @ weights["wide.weight"], rtol=1e-6)


def test_mingru_scan_equals_the_recurrence():
    """Check that the scan gives what a loop over the gated recurrence gives."""
    memory = _network("mingru").memory.forwards
    rows = _rows()
    (_, batch), *_ = rows.batches(1000)
    encodings = torch.randn(len(rows), WIDTH, dtype=torch.float64)
    with torch.no_grad():
        scanned = memory(encodings, batch.packing)
        gate, candidate = memory.gate(encodings).sigmoid(), memory.candidate(encodings)
    expected, start, before = [], 0, torch.zeros(len(LENGTHS), WIDTH)
    for size in batch.packing.step_sizes.tolist():
        z, c = gate[start : start + size], candidate[start : start + size]
        before = (1 - z) * before[:size] + z * c
        expected.append(before)
        start += size
    torch.testing.assert_close(scanned, torch.cat(expected))


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("memory", ["elman", "gru", "lstm", "mingru"])
def test_every_weight_gets_a_gradient(memory, both, words):
    """Check that no part of the network is left out of training."""
    network = _network(memory, both=both, words=words).float()
    (_, batch), *_ = _rows(both=both, words=words).batches(1000)
    wide, deep = network(batch)
    (wide + deep).square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        # all keys are shifted alike by their bias, which the softmax cancels
        if name != "attention.key.bias":
            gradient = weight.grad.to_dense() if weight.grad.is_sparse else weight.grad
            assert gradient.abs().sum() > 0, name


@pytest.mark.parametrize("memory", ["elman", "gru", "lstm", "mingru"])
def test_past_never_sees_later_rows(memory):
    """Check that changing a row changes itself and later rows of its group alone."""
    network, rows = _network(memory), _rows()
    before = sum(_logits(network, rows))
    changed = rows.features.toarray()
    changed[6] += 1  # the second row of the last group
    rows.features = sparse.csr_array(changed)
    differs = (sum(_logits(network, rows)) != before).any(axis=1)
    assert differs.tolist() == [False] * 6 + [True] * 6


def test_both_sees_the_whole_group():
    """Check that with both directions a change reaches all rows of the group and no others."""
    network, rows = _network(both=True), _rows(both=True)
    before = sum(_logits(network, rows))
    changed = rows.features.toarray()
    changed[2] += 1
    rows.features = sparse.csr_array(changed)
    differs = (sum(_logits(network, rows)) != before).any(axis=1)
    assert differs.tolist() == [True] * 4 + [False] * 8


def test_dense_and_sparse_features_give_the_same():
    """Check that the kind of the features does not change the logits."""
    sparse_logits = _logits(_network(), _rows())
    dense_logits = _logits(_network(dense=True), _rows(dense=True))
    np.testing.assert_allclose(sparse_logits, dense_logits, rtol=1e-6, atol=1e-7)


def test_words_are_read_in_order():
    """Check that swapping two different words of a row changes its logits."""
    network, rows = _network(words=True), _rows(words=True)
    before = sum(_logits(network, rows))
    row = next(
        r for r in range(12) if len(set(rows.words[slice(*rows.word_offsets[[r, r + 1]])])) > 1
    )
    words = rows.words[slice(*rows.word_offsets[[row, row + 1]])]
    first = int(np.flatnonzero(np.diff(words))[0])
    words[[first, first + 1]] = words[[first + 1, first]]
    differs = (sum(_logits(network, rows)) != before).any(axis=1)
    assert differs[row]


def test_rows_without_words_are_legal():
    """Check that a batch in which no row has a word gives finite logits."""
    rows = _rows(words=True)
    rows.words, rows.word_offsets = rows.words[:0], np.zeros(13, dtype=np.int64)
    assert np.isfinite(_logits(_network(words=True), rows)).all()


def test_attention_weights_sum_to_one_over_rows_that_exist():
    """Check that attention spends all its weight on rows of the window."""
    network, rows = _network(), _rows()
    (_, batch), *_ = rows.batches(1000)
    states = torch.randn(len(rows), 2 * WIDTH, dtype=torch.float64)
    with torch.no_grad():
        weights = network.attention.weights(states, batch)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(len(rows), dtype=torch.float64))
    assert (weights[~batch.window_mask] == 0).all()
