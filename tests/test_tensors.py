"""Tests of the tensors of a batch that move to a device; "meta" stands for a GPU."""

import torch

from sk_ctxmem._network._batch import Packing, Words
from sk_ctxmem._network._kernels import drop


def _words():
    ids, rows = torch.tensor([3, 1, 2]), torch.tensor([0, 1, 0])
    return Words(ids, rows, Packing(torch.tensor([2, 1]), torch.tensor([2, 1, 0])))


def test_all_but_the_sizes_of_steps_move_to_a_device():
    """Check that tensors move, nested ones too, and that the sizes of steps stay on the CPU."""
    moved = _words().to("meta")
    devices = [moved.ids.device, moved.rows.device, moved.packing.reverse.device]
    assert [device.type for device in devices] == ["meta"] * 3
    assert moved.packing.step_sizes.tolist() == [2, 1]


def test_tensors_on_the_cpu_are_not_copied():
    """Check that `to` returns the same object for the CPU, where batches are made."""
    words = _words()
    assert words.to("cpu") is words


def test_dropout_stays_on_the_device():
    """Check that dropout on a device does not draw its numbers on the CPU."""
    dropped = drop(torch.ones(4, 2, device="meta"), 0.5)
    assert (dropped.device.type, dropped.shape) == ("meta", (4, 2))
