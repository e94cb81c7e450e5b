"""Tests of the network: its formulas in plain NumPy, and which rows depend on which."""

import itertools

import numpy as np
import pytest
import torch
from scipy import sparse
from scipy.special import expit, softmax
from torch.nn.utils.rnn import PackedSequence

from sk_ctxmem._network._attention import (
    ATTENTION_WINDOW,
    KEY_WIDTH,
    N_TURNS,
    WEIGHT_SCALES,
    Attention,
)
from sk_ctxmem._network._batch import SparseFeatures
from sk_ctxmem._network._label_transitions import HIDDEN_LABELS, NO_LABEL, TRANSITION_SCALE
from sk_ctxmem._network._memories import MEMORIES
from sk_ctxmem._network._net import ContextMemoryNet
from sk_ctxmem._rows._packing import cut_into_blocks, pack
from sk_ctxmem._rows._positions import describe_places, find_turns
from sk_ctxmem._rows._row_set import RowSet

LENGTHS = np.array([4, 1, 7])
N_FEATURES, N_CLASSES, WIDTH = 6, 3, 5


def _rows(*, both=False, dense=False, words=False, seed=0):
    random = np.random.RandomState(seed)
    n_rows = LENGTHS.sum()
    features = sparse.random_array(
        (n_rows, N_FEATURES), density=0.5, format="csr", dtype=np.float32, random_state=random
    )
    offsets = np.r_[0, np.cumsum(random.randint(0, 5, n_rows))]
    speakers = random.randint(0, 2, n_rows)
    return RowSet(
        features=features.toarray() if dense else features,
        extras=describe_places(LENGTHS, both),
        speakers=speakers,
        rows=np.arange(n_rows),
        lengths=LENGTHS,
        words=random.randint(0, 4, offsets[-1]) if words else None,
        word_offsets=offsets if words else None,
        context="both" if both else "past",
        turns=find_turns(speakers, LENGTHS, both=both),
    )


def _network(memory="gru", *, both=False, dense=False, words=False, context=None):
    torch.manual_seed(0)
    context = context or ("both" if both else "past")
    network = ContextMemoryNet(
        n_features=N_FEATURES,
        n_classes=N_CLASSES,
        n_extras=0 if context == "none" else 5 if both else 2,
        n_speakers=2,
        sparse=not dense,
        memory=memory,
        context=context,
        width=WIDTH,
        n_words=4 if words else 0,
        dropout_rate=0.0,
        n_turns=N_TURNS,
    )
    torch.nn.init.normal_(network.table.weight)
    if context != "none":
        torch.nn.init.normal_(network.attention.distance_weight, std=0.1)
        torch.nn.init.normal_(network.attention.turn_weight, std=0.1)
        torch.nn.init.normal_(network.labels.transitions, std=0.1)
    return network.double()


@pytest.fixture(autouse=True)
def _keep_random_state():
    with torch.random.fork_rng():
        yield


def _logits(network, rows):
    """Run the network on all rows, and return the logits of both paths in the order of the rows."""
    return _outputs(network, rows)[1:]


def _outputs(network, rows):
    """Run the network on all rows, and return all outputs in the order of the rows."""
    outputs = np.empty((3, len(rows), N_CLASSES))
    with torch.no_grad():
        for places, batch in rows.batches(1000):
            _make_double(batch)
            outputs[:, places] = [output.numpy() for output in network(batch)]
    return outputs


def _make_double(batch):
    """Convert sparse features to double precision, like the network."""
    if isinstance(batch.features, SparseFeatures):
        batch.features.values = batch.features.values.double()


def _numpy_encodings(weights, rows, sigma):
    """Compute the encodings by their formula."""
    read = rows.features.toarray().astype(float) @ weights["table.weight"][:, :-N_CLASSES]
    driven = read + weights["encoder.bias"] + weights["speakers.weight"][rows.speakers]
    if "extras.weight" in weights:
        driven += rows.extras @ weights["extras.weight"].T
    return sigma(driven)


def _numpy_memories(weights, e):
    """Compute Elman memories row by row, by their formula."""
    W2, b2 = weights["memory.forwards.input.weight"], weights["memory.forwards.input.bias"]
    W3 = weights["memory.forwards.recurrent.weight"]
    m = np.zeros_like(e)
    row = 0
    for length in LENGTHS:
        before = np.zeros(WIDTH)
        for _ in range(length):
            before = m[row] = expit(W2 @ e[row] + W3 @ before + b2)
            row += 1
    return m


def _numpy_attention(weights, states, speakers, row, start):
    """Compute the output of attention for one row, over its group's rows up to itself."""
    projected = states @ weights["attention.project.weight"].T + weights["attention.project.bias"]
    queries, keys, values = np.split(projected, [KEY_WIDTH, 2 * KEY_WIDTH], axis=1)
    seen, found = slice(start, row + 1), []
    of_same = np.flatnonzero(speakers[start:row] == speakers[row])[::-1]
    for head, scale in enumerate(WEIGHT_SCALES):
        query, key, value = (np.split(part, 2, axis=1)[head] for part in (queries, keys, values))
        scores = key[seen] @ query[row] / np.sqrt(KEY_WIDTH / 2)
        scores += scale * weights["attention.distance_weight"][head, start - row - 1 :]
        scores[of_same] += scale * weights["attention.turn_weight"][head, : len(of_same)]
        found.append(softmax(scores) @ value[seen])
    return np.concatenate(found)


def test_elman_equals_the_formulas_in_numpy():
    """Check the whole network with memory="elman" against a loop over the three formulas."""
    network, rows = _network("elman"), _rows()
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    e = _numpy_encodings(weights, rows, expit)
    m = _numpy_memories(weights, e)
    states = np.c_[m, e]
    starts = np.repeat(np.cumsum(LENGTHS) - LENGTHS, LENGTHS)
    attended = [
        _numpy_attention(weights, states, rows.speakers, row, start)
        for row, start in enumerate(starts)
    ]
    decoded = m @ weights["decoder.weight"].T + weights["decoder.bias"]
    wide, deep = _logits(network, rows)
    np.testing.assert_allclose(
        deep, decoded + attended @ weights["attended.weight"].T, rtol=1e-6, atol=1e-7
    )
    expected = rows.features.toarray() @ weights["table.weight"][:, -N_CLASSES:]
    np.testing.assert_allclose(wide, expected, rtol=1e-6)


def test_mingru_scan_equals_the_recurrence():
    """Check that the scan is equal to a loop over the gated recurrence."""
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
    """Check that all parts of the network are trained."""
    network = _network(memory, both=both, words=words).float()
    (_, batch), *_ = _rows(both=both, words=words).batches(1000)
    batch.labels_before = torch.arange(len(batch)) % (N_CLASSES + 1)
    network(batch)[0].square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        gradient = weight.grad.to_dense() if weight.grad.is_sparse else weight.grad
        assert gradient.abs().sum() > 0, name


def test_the_class_before_counts_with_its_probability():
    """Check the prediction against the sum over all sequences of classes, one by one."""
    network, rows = _network(), _rows()
    prediction, wide, deep = _outputs(network, rows)
    weights = TRANSITION_SCALE * network.labels.transitions.detach().numpy()
    start = 0
    for length in LENGTHS:
        logits = (wide + deep)[start : start + length]
        expected = np.zeros((length, N_CLASSES))
        for classes in itertools.product(range(N_CLASSES), repeat=length):
            before = [NO_LABEL, *(c + 1 for c in classes[:-1])]
            each = softmax(logits + weights[before], axis=1)[range(length), classes]
            expected[range(length), classes] += each.prod()
        found = np.exp(prediction[start : start + length])
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        start += length


def test_the_class_before_is_used_where_it_is_known():
    """Check that training adds the weights of the previous class, and hides some of them."""
    network = _network()
    (_, batch), *_ = _rows().batches(1000)
    _make_double(batch)
    batch.labels_before = torch.arange(len(batch)) % (N_CLASSES + 1)
    with torch.no_grad():
        prediction, wide, deep = network.eval()(batch)
        added = TRANSITION_SCALE * network.labels.transitions[batch.labels_before]
        torch.testing.assert_close(prediction, wide + deep + added)
        many = torch.ones(10_000, dtype=torch.int64)
        followed = network.labels.train().condition(torch.zeros(10_000, N_CLASSES), many)
    is_hidden = (followed == TRANSITION_SCALE * network.labels.transitions[NO_LABEL]).all(dim=1)
    assert is_hidden.double().mean() == pytest.approx(HIDDEN_LABELS, abs=0.03)


@pytest.mark.parametrize("memory", ["elman", "gru", "lstm", "mingru"])
def test_past_never_sees_later_rows(memory):
    """Check that a changed row changes only itself and later rows of its group."""
    network, rows = _network(memory), _rows()
    before = _outputs(network, rows)[0]
    changed = rows.features.toarray()
    changed[6] += 1  # the second row of the last group
    rows.features = sparse.csr_array(changed)
    differs = (_outputs(network, rows)[0] != before).any(axis=1)
    assert differs.tolist() == [False] * 6 + [True] * 6


def test_both_sees_the_whole_group():
    """Check that a changed row changes all rows of its group and no others."""
    network, rows = _network(both=True), _rows(both=True)
    before = _outputs(network, rows)[0]
    changed = rows.features.toarray()
    changed[2] += 1
    rows.features = sparse.csr_array(changed)
    differs = (_outputs(network, rows)[0] != before).any(axis=1)
    assert differs.tolist() == [True] * 4 + [False] * 8


def test_dense_and_sparse_features_give_the_same():
    """Check that dense and sparse features give the same logits."""
    sparse_logits = _logits(_network(), _rows())
    network, rows = _network(dense=True), _rows(dense=True)
    weights = _network().state_dict()
    network.load_state_dict(weights)
    dense_logits = _logits(network, rows)
    np.testing.assert_allclose(sparse_logits, dense_logits, rtol=1e-6, atol=1e-7)


def test_words_are_read_in_order():
    """Check that swapping two different words of a row changes its logits."""
    network, rows = _network(words=True), _rows(words=True)
    before = _outputs(network, rows)[0]
    row = next(
        r for r in range(12) if len(set(rows.words[slice(*rows.word_offsets[[r, r + 1]])])) > 1
    )
    words = rows.words[slice(*rows.word_offsets[[row, row + 1]])]
    first = int(np.flatnonzero(np.diff(words))[0])
    words[[first, first + 1]] = words[[first + 1, first]]
    differs = (_outputs(network, rows)[0] != before).any(axis=1)
    assert differs[row]


def test_rows_without_words_are_legal():
    """Check that a batch in which no row has a word gives finite logits."""
    rows = _rows(words=True)
    rows.words, rows.word_offsets = rows.words[:0], np.zeros(13, dtype=np.int64)
    assert np.isfinite(_logits(_network(words=True), rows)).all()


@pytest.mark.parametrize("both", [False, True])
def test_attention_goes_to_the_rows_around_and_no_others(both):
    """Check which rows each row attends to, against a plain loop over its group."""
    lengths = np.array([3, 2 * ATTENTION_WINDOW + 5, 1])
    groups = np.repeat([0, 1, 2], lengths)
    order = pack(lengths)
    rows = np.r_[0, np.cumsum(lengths)][order.sequences] + order.steps  # by place in the batch
    attention = Attention(WIDTH, both=both).double()
    states = torch.randn(len(rows), WIDTH, dtype=torch.float64)
    with torch.no_grad():
        weights = attention.weights(states, cut_into_blocks(order, both))
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(len(rows), dtype=torch.float64))
    for row, given in zip(rows, weights.numpy(), strict=True):
        last = row + ATTENTION_WINDOW - 1 if both else row
        near = range(row - ATTENTION_WINDOW + 1, last + 1)
        expected = {r for r in near if 0 <= r < len(groups) and groups[r] == groups[row]}
        assert set(rows[given > 0].tolist()) == expected


def test_rows_that_stand_alone_are_decoded_from_their_encodings():
    """Check that there is no memory and no attention without context, and no weights of them."""
    rows = _rows()
    rows.context, rows.lengths, rows.extras = "none", np.ones(12, dtype=int), None
    network = _network(context="none")
    assert not any(name.startswith(("memory", "att")) for name, _ in network.named_parameters())
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    encodings = _numpy_encodings(weights, rows, np.tanh)
    expected = encodings @ weights["decoder.weight"].T + weights["decoder.bias"]
    np.testing.assert_allclose(_logits(network, rows)[1], expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("lengths", [[4, 4, 3, 1], [1, 1], [9]], ids=str)
def test_gru_equals_that_of_torch(lengths):
    """Check memories and all gradients against torch's own GRU."""
    memory = MEMORIES["gru"](WIDTH).double()
    packing = pack(np.array(lengths)).packing()
    start = torch.randn(sum(lengths), WIDTH, dtype=torch.float64)
    weight = torch.randn_like(start)
    found = []
    for run in (memory, lambda x, p: memory.cell(PackedSequence(x, p.step_sizes))[0].data):
        memory.zero_grad()
        encodings = start.clone().requires_grad_()
        memories = run(encodings, packing)
        (memories * weight).sum().backward()
        found.append([memories, encodings.grad, *(p.grad for p in memory.parameters())])
    torch.testing.assert_close(*found)
