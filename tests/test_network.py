"""Tests of the network as a whole: its weights, and how its parts are connected."""

import numpy as np
import pytest
import torch
from _networks import SIZES, make_batch, make_network, numbers
from numpy.testing import assert_allclose
from scipy.special import expit

from sk_ctxmem._network._batch import SparseFeatures
from sk_ctxmem._network._net import ContextMemoryNet


@pytest.fixture(autouse=True)
def _keep_random_state():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


CELL = {"weight_ih_l0": (15, 5), "weight_hh_l0": (15, 5), "bias_ih_l0": (15,), "bias_hh_l0": (15,)}
ALONE = {
    "table.weight": (7, 8),
    "encoder.bias": (5,),
    "extras.weight": (5, 2),
    "speakers.weight": (4, 5),
    "decoder.weight": (3, 5),
    "decoder.bias": (3,),
}
WORDS = {
    "reader.table.weight": (6, 5),
    "reader.encoder.bias": (5,),
    "reader.attention.weight": (1, 5),
    "reader.attention.bias": (1,),
    "read_text.weight": (5, 5),
    **{f"reader.memory.forwards.cell.{name}": shape for name, shape in CELL.items()},
}
CONVOLUTION = {
    "reader.table.weight": (6, 4),
    "reader.convolution.weight": (4, 4, 3),
    "reader.convolution.bias": (4,),
    "reader.attention.weight": (1, 4),
    "reader.attention.bias": (1,),
    "read_text.weight": (5, 4),
}
PAST = {
    **{f"memory.forwards.cell.{name}": shape for name, shape in CELL.items()},
    "attention.distance_weight": (2, 64),
    "attention.project.weight": (64, 10),
    "attention.project.bias": (64,),
    "attended.weight": (3, 32),
    "labels.transitions": (4, 3),
}
BOTH = {
    **{f"memory.backwards.cell.{name}": shape for name, shape in CELL.items()},
    "attention.distance_weight": (2, 127),
    "attention.project.weight": (64, 15),
    "decoder.weight": (3, 10),
}
SIX_TURNS = {"attention.turn_weight": (2, 6)}
FORMER = {  # of earlier versions
    "attention.distance_weight": (16,),
    "attention.project.weight": (96, 10),
    "attention.project.bias": (96,),
}


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({}, ALONE | WORDS | PAST),
        ({"context": "both"}, ALONE | WORDS | PAST | BOTH),
        ({"n_words": 0}, ALONE | PAST),
        ({"n_words": 0, "n_turns": 3}, ALONE | PAST | {"attention.turn_weight": (2, 3)}),
        ({"n_turns": 3, "context": "both"}, ALONE | WORDS | PAST | BOTH | SIX_TURNS),
        ({"n_words": 0, "window": 16}, ALONE | PAST | FORMER),
        ({"context": "none", "n_words": 0}, ALONE),
        ({"context": "none"}, ALONE | WORDS),
        ({"context": "none", "word_width": 4}, ALONE | CONVOLUTION),
        ({"word_width": 4}, ALONE | CONVOLUTION | PAST),
    ],
    ids=str,
)
def test_a_network_has_the_weights_that_it_needs(sizes, expected):
    """Check names and shapes of all weights, and `has_memory`."""
    network = ContextMemoryNet(**(SIZES | sizes))
    assert {name: tuple(w.shape) for name, w in network.named_parameters()} == expected
    assert network.has_memory is (sizes != {"context": "none", "n_words": 0})


def test_a_network_without_places_and_speakers_has_no_weights_for_them():
    """Check that one speaker needs no weights, and two speakers do."""
    names = dict(make_network(n_extras=0, n_speakers=1).named_parameters())
    assert not {"extras.weight", "speakers.weight"} & names.keys()
    assert make_network(n_speakers=2).speakers.weight.shape == (2, 5)
    assert make_network(n_extras=1).extras.weight.shape == (5, 1)


@pytest.mark.parametrize(("memory", "scale"), [("gru", 0.1), ("lstm", 0.1), ("elman", 0.2)])
def test_first_weights_have_their_scale(memory, scale):
    """Check that tables of logistic units start twice as large, and the decoder centred."""
    sizes = {"n_features": 3000, "n_speakers": 3000, "n_words": 0, "context": "none"}
    network = ContextMemoryNet(**(SIZES | sizes | {"memory": memory, "n_classes": 400}))
    assert network.table.weight[:, :5].std().item() == pytest.approx(scale, rel=0.05)
    assert network.speakers.weight.std().item() == pytest.approx(scale, rel=0.05)
    factor = 2 if memory == "elman" else 1
    bound = 5**-0.5  # of nn.Linear
    weight, bias = network.decoder.weight, network.decoder.bias
    assert weight.abs().max().item() == pytest.approx(factor * bound, rel=0.02)
    if memory == "elman":
        bias = bias + 0.5 * weight.sum(dim=1)
    assert bias.abs().max().item() == pytest.approx(bound, rel=0.05)


@pytest.mark.parametrize("memory", ["elman", "gru"])
def test_an_encoding_adds_places_speakers_and_words(memory):
    """Check the terms inside σ, all together and without some of them."""
    network = make_network(memory=memory, dropout_rate=0.0).eval()
    batch, read = make_batch(), torch.randn(8, 5)
    sigma = expit if memory == "elman" else np.tanh
    parts = {
        "extras": numbers(batch.extras) @ numbers(network.extras.weight).T,
        "speakers": numbers(network.speakers.weight)[batch.speakers],
        "reader": numbers(network.reader(batch.words, 8)) @ numbers(network.read_text.weight).T,
    }
    driven = numbers(read) + numbers(network.encoder.bias)
    found = numbers(network.encode(read, batch))
    assert_allclose(found, sigma(driven + sum(parts.values())), rtol=1e-4, atol=1e-6)
    batch.extras = None
    found = numbers(network.encode(read, batch))
    expected = sigma(driven + parts["speakers"] + parts["reader"])
    assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    network.speakers = network.reader = None
    assert_allclose(numbers(network.encode(read, batch)), sigma(driven), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("both", [False, True])
def test_a_network_decodes_memories_and_what_attention_finds(both):
    """Check the two terms of the decoder, and that states are memories and encodings."""
    network = make_network(context="both" if both else "past", n_extras=5 if both else 2).eval()
    batch = make_batch(both)
    with torch.no_grad():
        _, wide, deep = network(batch)
        read, silent = network.table(batch.features)
        encodings = network.encode(read, batch)
        memories = network.memory(encodings, batch.packing)
        found = network.attention(torch.cat([memories, encodings], dim=1), batch.blocks)
    decoded = numbers(memories) @ numbers(network.decoder.weight).T + numbers(network.decoder.bias)
    attended = numbers(found) @ numbers(network.attended.weight).T
    assert_allclose(numbers(deep), decoded + attended, rtol=1e-4, atol=1e-5)
    assert torch.equal(wide, silent)


def test_training_drops_the_inputs_of_each_layer(monkeypatch):
    """Check the inputs of dropout, and that there is none in prediction."""
    seen = []

    def note(values, rate):
        assert rate == 0.25
        seen.append(tuple(values.shape))
        return values

    monkeypatch.setattr("sk_ctxmem._network._net.drop", note)
    network, batch = make_network(dropout_rate=0.25), make_batch()
    network.eval()(batch)
    assert seen == []
    network.train()(batch)
    features, text, encodings, memories, attended = (8, 7), (8, 5), (8, 5), (8, 5), (8, 32)
    assert seen == [features, text, encodings, memories, attended]
    ids, offsets = torch.arange(6), torch.tensor([0, 1, 2, 3, 4, 5, 6, 6])
    batch.features = SparseFeatures(ids, torch.ones(6), offsets)
    network(batch)
    assert seen[5:] == [text, encodings, memories, attended]


def test_dropped_features_are_left_out(monkeypatch):
    """Check that the output of dropout is used, for dense features in context."""
    monkeypatch.setattr("sk_ctxmem._network._net.drop", lambda values, rate: values * 0)
    network, batch = make_network(context="past", n_words=0).train(), make_batch()
    _, wide, deep = network(batch)
    assert (wide == 0).all()
    assert_allclose(numbers(deep), np.tile(numbers(network.decoder.bias), (8, 1)), rtol=1e-6)


@pytest.mark.parametrize("context", ["past", "none"])
def test_sparse_features_are_not_dropped(context, monkeypatch):
    """Check that the wide path reads all of them in training."""
    monkeypatch.setattr("sk_ctxmem._network._net.drop", lambda values, rate: values * 0)
    network, batch = make_network(context=context, n_words=0).train(), make_batch()
    batch.features = SparseFeatures(torch.arange(7), torch.ones(7), torch.arange(8))
    wide = network(batch)[1]
    assert (wide == network.eval()(batch)[1]).all()
    assert (wide != 0).any()


def test_dense_features_of_rows_alone_are_not_dropped(monkeypatch):
    """Check the wide path, for dense features alone and beside sparse ones."""
    monkeypatch.setattr("sk_ctxmem._network._net.drop", lambda values, rate: values * 0)
    network, batch = make_network(context="none", n_words=0).train(), make_batch()
    assert (network(batch)[1] == network.eval()(batch)[1]).all()
    assert (network(batch)[1] != 0).any()


def test_the_class_before_counts_where_rows_see_one_another():
    """Check that without a packing, or without memory, the logits are the prediction."""
    network, batch = make_network(), make_batch()
    logits = torch.randn(8, 3)
    before = torch.arange(8) % 4
    expected = network.labels.expect(logits, batch.packing)
    assert torch.equal(network._add_transitions(logits, batch), expected)
    network.eval()
    batch.labels_before = before
    assert torch.equal(
        network._add_transitions(logits, batch), network.labels.condition(logits, before)
    )
    batch.packing = None
    assert network._add_transitions(logits, batch) is logits
    alone = make_network(context="none")
    assert alone._add_transitions(logits, make_batch()) is logits


def test_tables_are_those_that_a_batch_reads_in_part():
    """Check which weights have sparse gradients."""
    network = make_network(sparse=True)
    assert [id(t) for t in network.tables] == [
        id(network.table.weight),
        id(network.reader.table.weight),
    ]
    assert [id(t) for t in make_network(n_words=0, sparse=True).tables] != []
    assert make_network(n_words=0).tables == []
    dense = make_network()
    assert [id(t) for t in dense.tables] == [id(dense.reader.table.weight)]


def test_the_precision_of_all_but_the_tables_can_be_changed():
    """Check that tables stay in single precision, and that the outputs are double."""
    network = make_network(sparse=True, dropout_rate=0.0).eval()
    ids, offsets = torch.arange(7), torch.arange(8)
    batch = make_batch(features=SparseFeatures(ids, torch.ones(7), offsets))
    before = [numbers(output) for output in network(batch)]
    network.set_dense_dtype(torch.float64)
    for name, weight in network.named_parameters():
        is_table = name in ("table.weight", "reader.table.weight")
        assert weight.dtype == (torch.float32 if is_table else torch.float64), name
    outputs = network(batch)
    assert {output.dtype for output in outputs} == {torch.float64}
    for output, old in zip(outputs, before, strict=True):
        assert_allclose(numbers(output), old, rtol=1e-3, atol=1e-5)
