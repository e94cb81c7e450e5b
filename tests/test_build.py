"""Tests of networks that are built from given weights."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from _networks import SIZES, make_batch, make_network
from numpy.testing import assert_array_equal

from sk_ctxmem._model._build import build_network
from sk_ctxmem._network._memories import MEMORIES

LARGEST = 2**31 - 1


def weights_of(network):
    """Return copies of the weights of a network as arrays."""
    return {name: value.numpy().copy() for name, value in network.state_dict().items()}


def build(weights=None, **params):
    """Build a network, with weights of the usual sizes where none are given."""
    params = SIZES | params
    return build_network(params, weights_of(make_network()) if weights is None else weights)


@pytest.mark.parametrize(("n_words", "word_width"), [(0, 0), (6, 0), (6, 4)])
@pytest.mark.parametrize("context", ["past", "both", "none"])
@pytest.mark.parametrize("memory", MEMORIES)
def test_a_built_network_computes_the_same(memory, context, n_words, word_width):
    """Check the logits to the last bit, and that all weights are on the CPU and can be trained."""
    n_extras = 5 if context == "both" else 2
    params = {"memory": memory, "context": context, "n_words": n_words, "n_extras": n_extras}
    params["word_width"] = word_width
    network = make_network(**params).eval()
    built = build(weights_of(network), **params).eval()
    batch = make_batch(both=context == "both")
    with torch.no_grad():
        for found, expected in zip(built(batch), network(batch), strict=True):
            assert torch.equal(found, expected)
    for weight in (*built.parameters(), *built.buffers()):
        assert (weight.device.type, weight.dtype) == ("cpu", torch.float32)
        assert type(weight) is torch.nn.Parameter
        assert weight.requires_grad
        assert weight.is_leaf
    built.train()(batch)[0].sum().backward()
    assert built.decoder.weight.grad is not None


def test_a_built_network_has_its_own_memory():
    """Check that a change of the network does not reach the arrays, which may be read-only."""
    weights = weights_of(make_network())
    before = {name: array.copy() for name, array in weights.items()}
    for array in weights.values():
        array.flags.writeable = False
    with torch.no_grad():
        for weight in build(weights).parameters():
            weight.add_(1)
    for name, array in weights.items():
        assert_array_equal(array, before[name])


@pytest.mark.parametrize("memory", MEMORIES)
def test_no_random_number_is_drawn(memory):
    """Check that the generator of torch is as before."""
    weights = weights_of(make_network(memory=memory))
    before = torch.random.get_rng_state()
    build(weights, memory=memory)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_defaults_of_torch_do_not_matter():
    """Check that other defaults of precision and device change nothing, and stay."""
    weights = weights_of(make_network())
    try:
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        built = build(weights)
        assert torch.get_default_dtype() is torch.float64
        assert torch.get_default_device().type == "meta"
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
    for name, value in built.state_dict().items():
        assert value.dtype is torch.float32
        assert_array_equal(value.numpy(), weights[name])


CODE = """
import sys
from sk_ctxmem._model._build import build_network
from sk_ctxmem._network._memories import MEMORIES
from sk_ctxmem._network._net import ContextMemoryNet

for memory in MEMORIES:
    for width in (0, 4):
        params = {params} | {{"memory": memory, "context": "both", "word_width": width}}
        network = ContextMemoryNet(**params)
        build_network(params, {{name: w.numpy() for name, w in network.state_dict().items()}})
print(sorted({{"sympy", "torch._dynamo"}} & set(sys.modules)))
"""


def test_building_a_network_imports_no_compiler():
    """Check that none of its operations on "meta" makes torch import its compiler."""
    code = [sys.executable, "-c", CODE.format(params=SIZES)]
    assert subprocess.run(code, check=True, capture_output=True, text=True).stdout == "[]\n"


# --- parameters


@pytest.mark.parametrize("value", [-1, 1.5, True, None, "5", LARGEST + 1])
@pytest.mark.parametrize("name", [name for name in SIZES if name[:2] == "n_" or "width" in name])
def test_sizes_are_whole_numbers(name, value):
    """Check that each size is named where it is none."""
    with pytest.raises(ValueError, match=rf"^a network cannot have {name}={value!r}$"):
        build(**{name: value})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("width", [0]),
        ("n_classes", [0]),
        ("sparse", [1, None]),
        ("memory", ["gruu", None, []]),
        ("context", ["future", None, []]),
        ("dropout_rate", [1, 1.0, -0.1, np.nan, "0.5", True]),
    ],
)
def test_a_parameter_that_no_network_has_is_named(name, values):
    """Check that each other parameter has its type and its values."""
    for value in values:
        with pytest.raises(ValueError, match=r"^a network cannot have ") as info:
            build(**{name: value})
        assert str(info.value).endswith(f"{name}={value!r}")


def test_all_wrong_parameters_are_named():
    """Check that the message has each of them, cut off where it is long."""
    value = "[" + repr("x" * 100)[:59]
    with pytest.raises(ValueError) as info:  # noqa: PT011
        build(width=-1, memory=["x" * 100])
    assert str(info.value) == f"a network cannot have width=-1, memory={value}"


@pytest.mark.parametrize("rate", [0, 0.0, 0.5])
def test_legal_parameters_are_taken(rate):
    """Check the limits of the dropout rate, and that it is that of the network."""
    assert build(dropout_rate=rate).dropout_rate == rate


def test_parameters_are_those_of_a_network():
    """Check that one more and one less are refused."""
    with pytest.raises(ValueError, match=r"^a network has the parameters \['context', .*'more'"):
        build(more=1)
    params = dict(SIZES)
    del params["width"]
    with pytest.raises(ValueError, match=r"^a network has the parameters \['context', "):
        build_network(params, weights_of(make_network()))


# --- weights


@pytest.mark.parametrize(
    ("name", "weight", "shape"),
    [
        ("n_features", "table.weight", (LARGEST, 8)),
        ("n_classes", "decoder.bias", (10_000,)),
        ("n_extras", "extras.weight", (5, LARGEST)),
        ("n_speakers", "speakers.weight", (LARGEST, 5)),
        ("n_words", "reader.table.weight", (LARGEST, 5)),
        ("width", "encoder.bias", (10_000,)),
        ("word_width", "reader.table.weight", (6, 10_000)),
    ],
)
def test_sizes_are_those_of_the_weights(name, weight, shape):
    """Check that large sizes are refused, without memory for them, and the weight is named."""
    with pytest.raises(RuntimeError, match=f"size mismatch for {weight}: copying a param with"):
        build(**{name: max(shape)})


@pytest.mark.parametrize("name", ["width", "n_classes"])
def test_sizes_whose_weights_no_machine_can_hold_are_refused(name):
    """Check the error where the number of bytes is no integer of 64 bits."""
    with pytest.raises(RuntimeError, match="overflow"):
        build(**{name: LARGEST})


@pytest.mark.parametrize("name", sorted(weights_of(make_network())))
def test_each_weight_has_its_name_and_shape(name):
    """Check that each weight is named where it is missing, of another shape or too many."""
    weights = weights_of(make_network())
    array = weights.pop(name)
    with pytest.raises(RuntimeError, match=f'Missing key.*"{name}"'):
        build(weights)
    with pytest.raises(RuntimeError, match=f"size mismatch for {name}: "):
        build(weights | {name: array[None]})
    with pytest.raises(RuntimeError, match=f'Unexpected key.*"{name}s"'):
        build(weights | {name: array, f"{name}s": array})


@pytest.mark.parametrize(
    "change",
    [
        lambda array: array.astype(np.float64),
        lambda array: array.astype(np.float16),
        lambda array: array.astype(">f4"),
        lambda array: np.full_like(array, np.inf),
        lambda array: np.r_[array[:-1], np.float32(np.nan)],
    ],
)
def test_weights_are_finite_numbers_of_single_precision(change):
    """Check that another type or one number that is not finite is refused, and named."""
    weights = weights_of(make_network())
    weights["decoder.bias"] = change(weights["decoder.bias"])
    message = r"^weights\['decoder.bias'\] must be finite numbers of type float32$"
    with pytest.raises(ValueError, match=message):
        build(weights)
