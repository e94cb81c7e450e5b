"""Tests of how the rows of a fit are shared out among processes."""

import numpy as np
import pytest

from sk_ctxmem._rows._row_set import RowSet
from sk_ctxmem._training._dataset import TrainingRows
from sk_ctxmem.distributed._shares import SharedRows, assign_groups, find_owners, take_share


def make_rows(lengths, random=None):
    """Return rows in groups of these lengths, with one feature: the number of the row."""
    lengths = np.asarray(lengths)
    n_rows = lengths.sum()
    rows = RowSet(
        features=np.arange(n_rows, dtype=np.float32)[:, None],
        extras=None,
        speakers=np.zeros(n_rows, dtype=np.int64),
        rows=np.arange(n_rows),
        lengths=lengths,
        words=None,
        word_offsets=None,
        context="past",
    )
    return TrainingRows(rows, np.zeros(n_rows, dtype=np.int64), np.ones(n_rows), random)


@pytest.mark.parametrize("n_processes", [1, 2, 3, 8])
def test_shares_are_of_about_the_same_length(n_processes):
    """Check the bound of longest-first assignment, and that no process is left out."""
    lengths = np.random.RandomState(0).geometric(0.02, size=200)
    owners = assign_groups(lengths, n_processes)
    shares = np.bincount(owners, lengths, minlength=n_processes)
    assert shares.sum() == lengths.sum()
    assert shares.max() <= 4 / 3 * max(lengths.sum() / n_processes, lengths.max())
    assert shares.max() - shares.min() <= lengths.max()


def test_the_longest_group_has_a_process_for_itself():
    """Check a group of as many rows as all others."""
    assert assign_groups(np.array([5, 100, 5, 90]), 2).tolist() == [1, 0, 1, 1]


def test_groups_are_whole_in_one_process_each():
    """Check that each row has one owner, the same as the others of its group."""
    rows = make_rows([7, 1, 30, 4, 4])
    owners = find_owners(rows.rows, 2)
    parts = [take_share(rows, owners, rank).rows for rank in (0, 1)]
    assert sorted(np.concatenate([part.rows for part in parts])) == list(range(46))
    assert sorted(np.concatenate([part.lengths for part in parts])) == [1, 4, 4, 7, 30]
    for part in parts:
        assert np.diff(part.rows).tolist().count(1) >= len(part) - len(part.lengths)


@pytest.mark.parametrize("batch_size", [10, 37, 64, 1000])
def test_all_processes_have_the_same_number_of_batches(batch_size):
    """Check early epochs and the last one, with shares of unlike lengths."""
    rows = make_rows([50, 20, 3, 1, 1, 90, 40, 5, 5, 8, 30], np.random.RandomState(0))
    late = np.zeros(len(rows), dtype=bool)
    late[:50] = True
    rows.hold_back(late)
    owners = find_owners(rows.rows, 3)
    shared = [SharedRows(rows, owners, rank, 3, None) for rank in range(3)]
    assert {part.n_early for part in shared} == {203}
    for n_rows in (203, 253):
        counts = [[len(targets) for _, (targets, _) in part.batches(batch_size)] for part in shared]
        assert {len(part) for part in counts} == {-(-n_rows // batch_size)}
        assert sum(map(sum, counts)) == n_rows
        assert min(map(min, counts)) > 0
        for part in shared:
            part.release()


def test_too_small_a_share_is_an_error_for_all():
    """Check that the process with many rows raises too."""
    rows = make_rows([100, 2], np.random.RandomState(0))
    owners = find_owners(rows.rows, 2)
    for rank in (0, 1):
        with pytest.raises(ValueError, match="would have 2 of the 102 rows"):
            next(SharedRows(rows, owners, rank, 2, None).batches(10))
