"""Tests of the random numbers of fits, which run side by side in threads."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from skorch.callbacks import Callback, Initializer

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._network._random import OwnDefaults, cpu_generator, drawing_from

X = np.random.RandomState(0).normal(size=(200, 8)).astype(np.float32)
Y, GROUPS = X[:, 0] > 0, np.arange(200) // 5


def fit(seed=0, **params):
    """Return the probabilities of a fit whose rows have context."""
    classifier = ContextMemoryClassifier(random_state=seed, max_epochs=2, hidden_size=8, **params)
    return classifier.fit(X, Y, groups=GROUPS).predict_proba(X, groups=GROUPS)


class Meet(Callback):
    """Wait at the beginning of each epoch until the other fit is there too."""

    barrier = Barrier(2, timeout=60)

    def on_epoch_begin(self, net, **kwargs):
        """Wait."""
        self.barrier.wait()


class Noise(Callback):
    """Add random numbers to weights."""

    def on_batch_end(self, net, training=False, **kwargs):
        """Draw by several functions of torch."""
        with torch.no_grad():
            weight = net.module_.decoder.weight
            for noise in (torch.randn(weight.shape), torch.rand_like(weight)):
                weight.add_(noise, alpha=0.01)


def test_fits_in_threads_run_at_the_same_time():
    """Check that no fit waits for another, and that both give the bits of a single fit."""
    before = torch.get_rng_state()
    expected = [fit(seed) for seed in range(2)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda seed: fit(seed, callbacks=[Meet()]), range(2)))
    assert_array_equal(found, expected)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "callback", [Noise(), Initializer("decoder.*", fn=torch.nn.init.normal_)], ids=["own", "skorch"]
)
def test_random_numbers_of_callbacks_depend_on_the_seed(callback):
    """Check that callbacks draw from the generator of the fit, whatever the user has drawn."""
    first = fit(callbacks=[callback])
    torch.rand(5)
    before = torch.get_rng_state()
    assert_array_equal(fit(callbacks=[callback]), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert np.abs(first - fit()).max() > 1e-4


def test_a_generator_draws_what_the_default_one_would():
    """Check that modules and functions of torch draw the same numbers from another generator."""
    found = []
    for generator in (None, torch.Generator()):
        if generator is None:
            torch.manual_seed(3)
            found.append([torch.nn.GRU(3, 4).weight_hh_l0, torch.randn(3), torch.randperm(9)])
            continue
        with drawing_from(generator.manual_seed(3)), OwnDefaults():
            found.append([torch.nn.GRU(3, 4).weight_hh_l0, torch.randn(3), torch.randperm(9)])
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_generators_are_nested():
    """Check that the generator of the outer fit comes back, also after an error."""
    outer, inner = torch.Generator(), torch.Generator()
    with drawing_from(outer):
        with pytest.raises(KeyError, match="inside"), drawing_from(inner):
            raise KeyError("inside")
        assert cpu_generator() is outer
    assert cpu_generator() is torch.default_generator


def test_new_numbers_are_of_single_precision():
    """Check that a default dtype of the user has no effect inside."""
    torch.set_default_dtype(torch.float64)
    try:
        with OwnDefaults():
            assert torch.nn.Linear(2, 2).weight.dtype == torch.float32
            assert torch.zeros(2, dtype=torch.float64).dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
