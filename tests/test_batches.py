"""Tests of the order in which rows reach the network."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch.nn.utils.rnn import pack_sequence

from sk_ctxmem._network._attention import ATTENTION_WINDOW, N_TURNS
from sk_ctxmem._rows._packing import concatenated_ranges, cut_into_pieces, pack
from sk_ctxmem._rows._positions import (
    describe_places,
    describe_speaker_changes,
    find_next_turns,
    find_turns,
)
from sk_ctxmem._rows._row_set import ColumnSorter, RowSet


def _rows(lengths, *, both=False):
    """Make a RowSet whose single feature is the number of the row."""
    n_rows = int(np.sum(lengths))
    return RowSet(
        features=np.arange(n_rows, dtype=np.float32)[:, np.newaxis],
        extras=describe_places(np.asarray(lengths), both),
        speakers=np.zeros(n_rows, dtype=np.int64),
        rows=np.arange(n_rows),
        lengths=np.asarray(lengths),
        words=None,
        word_offsets=None,
        context="both" if both else "past",
    )


def test_packed_order_is_that_of_torch():
    """Check that elements lie where torch's own packing puts them."""
    lengths = np.array([2, 5, 1, 5, 3])
    order = pack(lengths)
    sequences = [torch.tensor([[i, t] for t in range(n)]) for i, n in enumerate(lengths)]
    expected = pack_sequence([sequences[i] for i in (1, 3, 4, 0, 2)])
    assert order.sizes.tolist() == expected.batch_sizes.tolist()
    assert np.c_[order.sequences, order.steps].tolist() == expected.data.tolist()


def test_mirror_runs_backwards_in_each_sequence():
    """Check that indexing with the mirror reverses each sequence, and twice changes nothing."""
    order = pack(np.array([3, 1, 4]))
    mirror = order.packing().reverse.numpy()
    assert (order.sequences[mirror] == order.sequences).all()
    assert (order.steps[mirror] == order.lengths - 1 - order.steps).all()
    assert (mirror[mirror] == np.arange(8)).all()


def test_empty_sequences_take_no_place():
    """Check that packing leaves out sequences of length 0."""
    order = pack(np.array([0, 2, 0, 1]))
    assert order.sequences.tolist() == [1, 3, 1]
    assert pack(np.array([0, 0])).sequences.tolist() == []


@pytest.mark.parametrize("both", [False, True])
def test_blocks_hold_each_row_once_beside_its_neighbours(both):
    """Check that blocks divide each group, and that their neighbours are of the same group."""
    long = 2 * ATTENTION_WINDOW + 5
    lengths = [3, long, 1]
    (places, batch), *_ = _rows(lengths, both=both).batches(1000)
    blocks = batch.blocks
    assert blocks.places.flatten()[blocks.slots].tolist() == list(range(len(places)))
    assert (blocks.places < len(places)).sum() == len(places)
    rows = np.r_[places, -1][blocks.places.numpy()]  # -1 where there is none
    shown = [[[-1], [0, 1, 2], [-1]], [[-1], [long + 3], [-1]]]  # neighbours of the short groups
    starts = [3, 3 + ATTENTION_WINDOW, 3 + 2 * ATTENTION_WINDOW, long + 3]
    parts = [[-1], *(list(range(a, b)) for a, b in zip(starts[:-1], starts[1:], strict=True)), [-1]]
    shown += [parts[i : i + 3] for i in range(3)]
    for block, neighbours in zip(rows, blocks.neighbours.numpy(), strict=True):
        around = [
            sorted(set(np.vstack([rows, [-1] * rows.shape[1]])[n]) - {-1}) for n in neighbours
        ]
        (expected,) = (e for e in shown if e[1][0] == block[0])
        assert [part or [-1] for part in around] == (expected if both else expected[:2])


def test_blocks_of_short_groups_are_no_longer_than_those():
    """Check that short groups are not filled up to the whole window."""
    (_, batch), *_ = _rows([3, 2, 2]).batches(100)
    assert batch.blocks.places.shape == (3, 3)
    assert batch.blocks.neighbours.tolist() == [[0], [1], [2]]


def test_rows_that_stand_alone_are_in_no_order_of_groups():
    """Check that without context a batch has neither packed order nor blocks."""
    rows = _rows([1] * 5)
    rows.context = "none"
    (places, batch), *_ = rows.batches(100)
    assert places.tolist() == [0, 1, 2, 3, 4]
    assert (batch.packing, batch.blocks) == (None, None)


def test_values_by_column_are_those_of_scipy():
    """Check the order by column, on which the gradient of the tables rests, against CSC."""
    X = sparse.random_array((9, 30), density=0.3, format="csr", random_state=0)
    sorter = ColumnSorter(30)
    for rows in (X[:4], X[4:], X[:0], X):  # what one batch leaves behind does not matter to others
        columns, expected = sorter.sort(rows), rows.tocsc()
        assert columns.ids.tolist() == np.flatnonzero(np.diff(expected.indptr)).tolist()
        assert columns.rows.tolist() == expected.indices.tolist()
        assert rows.data[columns.places].tolist() == expected.data.tolist()
        assert columns.offsets.tolist() == expected.indptr[:-1][columns.ids].tolist()


@pytest.mark.parametrize("n_rows", [1, 7, 1000])
def test_batches_hold_each_row_once_and_no_group_in_two(n_rows):
    """Check that batches divide the rows by whole groups."""
    lengths = np.array([4, 1, 9, 2, 2, 30])
    groups = np.repeat(np.arange(6), lengths)
    batches = [places for places, _ in _rows(lengths).batches(n_rows)]
    assert sorted(np.concatenate(batches)) == list(range(48))
    found = [group for places in batches for group in set(groups[places])]
    assert sorted(found) == list(range(6))


def test_training_batches_are_shuffled_and_bounded():
    """Check that a random order changes with its seed and cuts long groups into pieces."""
    rows = _rows([500, 10, 10])
    first = [places for places, _ in rows.batches(100, np.random.RandomState(0))]
    again = [places for places, _ in rows.batches(100, np.random.RandomState(0))]
    other = [places for places, _ in rows.batches(100, np.random.RandomState(1))]
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert sorted(np.concatenate(first)) == list(range(520))
    assert max(map(len, first)) < 200
    assert np.concatenate(first).tolist() != np.concatenate(other).tolist()


def test_pieces_are_of_nearly_equal_length():
    """Check that a range is cut into the fewest pieces, whose lengths differ by one at most."""
    starts, lengths = cut_into_pieces(np.array([0, 10]), np.array([10, 3]), 4)
    assert starts.tolist() == [0, 4, 7, 10]
    assert lengths.tolist() == [4, 3, 3, 3]


def test_concatenated_ranges_skip_empty_ones():
    """Check the numbers of ranges of which one is empty."""
    ranges = concatenated_ranges(np.array([5, 0, 2]), np.array([2, 0, 3]))
    assert ranges.tolist() == [5, 6, 2, 3, 4]


def test_places_before_do_not_tell_what_follows():
    """Check that in context="past" a row is described the same in a longer group."""
    short, long = describe_places(np.array([3]), False), describe_places(np.array([300]), False)
    assert (short == long[:3]).all()
    assert describe_places(np.array([5000]), True).max() < 2


def test_speaker_changes_stop_at_the_group():
    """Check that the first row of a group neither changes nor keeps the speaker."""
    changes = describe_speaker_changes(np.array([0, 0, 1, 1, 0]), np.array([3, 2]))
    assert changes.tolist() == [[0, 0], [0, 1], [1, 0], [0, 0], [1, 0]]


def test_some_groups_can_be_taken():
    """Check that taken groups keep the rows of the whole."""
    taken = _rows([2, 3, 4]).take_groups(np.array([2, 0]))
    assert taken.rows.tolist() == [5, 6, 7, 8, 0, 1]
    assert len(taken) == 6


def _seen_rows(batch):
    """Return the places in the batch of the rows in the blocks that each row can see."""
    places = np.vstack([batch.blocks.places.numpy(), np.full(batch.blocks.places.shape[1], -1)])
    around = places[batch.blocks.neighbours.numpy()].reshape(len(places) - 1, -1)
    return around[batch.blocks.slots.numpy() // places.shape[1]]


@pytest.mark.parametrize("both", [False, True])
def test_in_training_attention_sees_the_pieces_before(both):
    """Check that memory starts anew every 32 rows, and that attention looks back over 128."""
    rows = _rows([128, 130, 20, 7, 99], both=both)
    n_runs = 0
    for places, batch in rows.batches(384, np.random.RandomState(0)):
        assert len(batch.packing.step_sizes) <= 32
        seen = np.r_[places, -1, -1][np.minimum(_seen_rows(batch), len(places))]
        for place, around in zip(places, seen, strict=True):
            group = np.searchsorted([128, 258, 278, 285], place, side="right")
            near = around[around >= 0]
            assert (np.searchsorted([128, 258, 278, 285], near, side="right") == group).all()
            n_runs += place in (127, 64, 350) and place - 60 in near
    assert n_runs == 3  # in one run with the row 60 rows before


def test_in_small_batches_pieces_are_on_their_own():
    """Check that a batch of three pieces has those of three runs, and no longer ones."""
    for _, batch in _rows([128, 128, 128]).batches(96, np.random.RandomState(0)):
        assert batch.blocks.places.shape == (3, 32)
        assert batch.blocks.neighbours.tolist() == [[0], [1], [2]]


def test_predictions_see_whole_groups():
    """Check that memory and attention do not start anew within a group in prediction."""
    (_, batch), *_ = _rows([128, 70]).batches(384)
    assert len(batch.packing.step_sizes) == 128
    assert batch.blocks.neighbours.tolist() == [[4, 0], [0, 1], [4, 2], [2, 3]]


@pytest.mark.parametrize("both", [False, True])
def test_turns_are_those_of_the_same_speaker_in_the_group(both):
    """Check the distances against a loop; a missing speaker, code -1, is a speaker like others."""
    lengths = np.array([90, 1, 3, 40])
    speakers = np.random.RandomState(0).randint(-1, 3, size=lengths.sum())
    speakers[[2, 80]] = 7  # one who is silent for longer than the window
    found = find_turns(speakers, lengths, both=both)
    groups = np.repeat([0, 1, 2, 3], lengths)
    for row, turns in enumerate(found):
        same = np.flatnonzero((groups == groups[row]) & (speakers == speakers[row]))
        distances = row - same
        before = distances[(distances > 0) & (distances < ATTENTION_WINDOW)][::-1][:N_TURNS]
        assert turns[:N_TURNS].tolist() == [*before, *[0] * (N_TURNS - len(before))]
        after = distances[(distances < 0) & (distances > -ATTENTION_WINDOW)][:N_TURNS]
        if both:
            assert turns[N_TURNS:].tolist() == [*after, *[0] * (N_TURNS - len(after))]
    assert found.dtype == np.int16


def test_turns_of_sessions_are_those_of_whole_conversations():
    """Check the distances of next rows, of which two sessions have few rows before."""
    speakers = np.random.RandomState(0).randint(3, size=100)
    expected = find_turns(speakers, np.array([100]), both=False)
    for row in (0, 1, 5, 63, 64, 99):
        kept = np.zeros((1, ATTENTION_WINDOW - 1), dtype=bool)
        before = speakers[max(0, row - ATTENTION_WINDOW + 1) : row] == speakers[row]
        kept[0, len(kept[0]) - len(before) :] = before
        kept[0, : len(kept[0]) - len(before)] = True  # rows that do not exist do not count
        assert find_next_turns(kept, np.array([row]))[0].tolist() == expected[row].tolist()
