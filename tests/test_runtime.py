"""Tests of the choice of a device, and of the random state of torch."""

import pytest
import torch

from sk_ctxmem._runtime import choose_device, forked_random_state


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_a_device_that_is_there_is_taken(device):
    """Check that an available device is returned, given by a string or an object of torch."""
    assert choose_device(device) == "cpu"


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, False, "cuda"), (True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_fastest_device_there_is(monkeypatch, cuda, mps, expected):
    """Check the device for "auto" on machines with a GPU of either kind, and without a GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto") == expected


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_generator_of_a_gpu_is_seeded_and_restored():
    """Check that random numbers of a GPU depend on the seed, and that its state is restored."""
    torch.cuda.manual_seed(7)
    before = torch.cuda.get_rng_state()
    drawn = []
    for _ in range(2):
        with forked_random_state(0, "cuda"):
            drawn.append(torch.rand(5, device="cuda"))
    assert torch.equal(*drawn)
    assert torch.equal(torch.cuda.get_rng_state(), before)
