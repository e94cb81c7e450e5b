"""Tests of the choice of a device, and of the random state of torch."""

import pytest
import torch

from sk_ctxmem._runtime import (
    _find_changes,
    choose_device,
    one_thread,
    seeded_gpu,
    torch_defaults,
)


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
        with seeded_gpu(0, "cuda"):
            drawn.append(torch.rand(5, device="cuda"))
    assert torch.equal(*drawn)
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_one_thread_limits_the_library_of_matrices_too():
    """Check that products are those of one thread after torch.set_num_threads."""
    left, right = torch.rand(2, 700, 700, generator=torch.Generator().manual_seed(0))
    with one_thread():
        expected = left @ right
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with one_thread():
            assert torch.equal(left @ right, expected)
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_nothing_changes_where_the_settings_are_the_defaults():
    """Check that the guard sets only what differs."""
    assert _find_changes() == []
    with torch.inference_mode(), torch.autocast("cpu"):
        assert len(_find_changes()) == 3
        with torch_defaults():
            assert torch.is_grad_enabled()
            assert _find_changes() == []
