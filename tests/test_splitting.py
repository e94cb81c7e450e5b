"""Tests of the choice of held-out groups."""

import numpy as np
import pytest

from sk_ctxmem._rows._held_out import hold_out_groups


def _hold_out(units, targets, fraction=0.2, seed=0, weights=None):
    random = np.random.RandomState(seed)
    weights = np.ones(len(targets)) if weights is None else weights
    return hold_out_groups(units, targets, weights, fraction, random, grouped=True)


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_never_cut_and_classes_never_lost(seed):
    """Check that groups are held out whole and that each class stays in the rest."""
    random = np.random.RandomState(seed)
    units = random.randint(0, 40, 400)
    units = np.unique(units, return_inverse=True)[1]
    targets = np.r_[random.randint(0, 3, 397), 3, 3, 4]
    held_out = _hold_out(units, targets, seed=seed)
    assert all(len(set(held_out[units == unit])) == 1 for unit in set(units))
    assert set(targets[~held_out]) == {0, 1, 2, 3, 4}
    assert 60 <= held_out.sum() <= 120


def test_one_group_cannot_be_split():
    """Check that a single group asks for early stopping to be switched off."""
    with pytest.raises(ValueError, match="at least 2 groups.*n_iter_no_change=None"):
        _hold_out(np.zeros(100, dtype=int), np.arange(100) % 2)


def test_groups_that_are_all_too_long_or_needed():
    """Check the error where every group is too long to spare, or has a class of its own."""
    with pytest.raises(ValueError, match="each of the 2 groups has at least a third of the rows"):
        _hold_out(np.repeat([0, 1], 50), np.arange(100) % 2, fraction=0.1)
    with pytest.raises(ValueError, match="the only one with some class"):
        _hold_out(np.repeat([0, 1], 50), np.repeat([0, 1], 50), fraction=0.4)


def test_few_rows_are_all_kept():
    """Check that no row is held out where the part would be fewer than 10."""
    assert not _hold_out(np.repeat(np.arange(10), 4), np.arange(40) % 2).any()


def test_one_of_a_few_long_groups_is_held_out():
    """Check that a group longer than the part is taken where all are, if it is not too long."""
    held_out = _hold_out(np.repeat(np.arange(4), 100), np.arange(400) % 2, fraction=0.1)
    assert held_out.sum() == 100


def test_rows_without_weight_do_not_count():
    """Check that the last row of a class that has weight stays in the rest."""
    targets = np.arange(400) % 2
    weights = np.zeros(400)
    weights[:150] = 1 - targets[:150]
    weights[7] = 1
    for seed in range(5):
        held_out = _hold_out(np.arange(400), targets, seed=seed, weights=weights)
        assert not held_out[7]
        assert (held_out & (weights > 0)).sum() == held_out.sum() == 15
