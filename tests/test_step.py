"""Tests of the network row by row: logits must be those of one pass over the conversation."""

import numpy as np
import pytest
import torch
from _networks import make_network, numbers
from numpy.testing import assert_allclose, assert_array_equal

from sk_ctxmem._network._attention import N_TURNS
from sk_ctxmem._network._batch import RowBatch, Words
from sk_ctxmem._network._memories import MEMORIES
from sk_ctxmem._network._step import initial_states, step
from sk_ctxmem._rows._packing import cut_into_blocks, pack
from sk_ctxmem._rows._positions import find_next_turns, find_turns

LONG = 140  # more than two windows of the attention


def make_rows(n_rows, with_words):
    """Return the rows of a conversation as the network reads them one by one."""
    rows = []
    for _ in range(n_rows):
        words = None
        if with_words:
            order = pack(np.array([torch.randint(4, (1,)).item()]))
            ids = torch.randint(6, (len(order.steps),))
            words = Words(ids, torch.from_numpy(order.sequences), order.packing())
        rows.append(RowBatch(torch.randn(1, 7), torch.randn(1, 2), torch.randint(4, (1,)), None))
        rows[-1].words = words
    return rows


def add_turns(rows):
    """Add to each row how far back the rows of its speaker are; return the same for all rows."""
    speakers = np.random.RandomState(0).randint(3, size=len(rows))
    for number, row in enumerate(rows):
        are_same = speakers[max(0, number - 63) : number] == speakers[number]
        kept = np.r_[np.ones(63 - len(are_same), dtype=bool), are_same]
        row.turns = torch.from_numpy(find_next_turns(kept[np.newaxis], np.array([number])))
    return torch.from_numpy(find_turns(speakers, np.array([len(rows)]), both=False))


def join(rows):
    """Return rows of one conversation as one batch."""
    order = pack(np.array([len(rows)]))
    words = None
    if rows[0].words is not None:
        lengths = np.array([len(row.words.ids) for row in rows])
        of_words = pack(lengths)
        firsts = np.cumsum(lengths) - lengths
        places = firsts[of_words.sequences] + of_words.steps
        ids = torch.cat([row.words.ids for row in rows])[places]
        words = Words(ids, torch.from_numpy(of_words.sequences), of_words.packing())
    return RowBatch(
        features=torch.cat([row.features for row in rows]),
        extras=torch.cat([row.extras for row in rows]),
        speakers=torch.cat([row.speakers for row in rows]),
        packing=order.packing(),
        blocks=cut_into_blocks(order, False),
        words=words,
    )


def step_through(network, rows):
    """Run the network row by row, and return the logits and the last state."""
    states, said = initial_states(network, 1), []
    for number, row in enumerate(rows):
        states, logits = step(network, states, torch.tensor([number]), row)
        said.append(logits)
    return torch.cat(said), states


@pytest.mark.parametrize("sizes", [{}, {"n_turns": N_TURNS}, {"window": 16}], ids=str)
@pytest.mark.parametrize("n_words", [0, 6])
@pytest.mark.parametrize("memory", MEMORIES)
def test_row_by_row_is_the_whole_conversation(memory, n_words, sizes):
    """Check that the logits are those of one pass over the conversation, for every memory."""
    torch.manual_seed(0)
    network = make_network(memory=memory, n_words=n_words, **sizes).eval()
    with torch.no_grad():
        network.attention.distance_weight.div_(network.attention.scales[0].item())
    rows = make_rows(LONG, with_words=n_words > 0)
    whole = join(rows)
    whole.turns = add_turns(rows)
    with torch.no_grad():
        whole = network(whole)[0]
        said, _ = step_through(network, rows)
    assert_allclose(numbers(said), numbers(whole), atol=2e-5)
    assert np.ptp(numbers(whole), axis=0).min() > 0.1  # rows do differ


def test_a_step_changes_neither_the_state_before_nor_the_network():
    """Check that a step is a pure function: equal inputs give equal outputs."""
    torch.manual_seed(0)
    network = make_network(n_words=0).eval()
    rows = make_rows(3, with_words=False)
    with torch.no_grad():
        _, states = step_through(network, rows[:2])
        before = states.clone()
        weights = {name: value.clone() for name, value in network.state_dict().items()}
        first = step(network, states, torch.tensor([2]), rows[2])
        second = step(network, states, torch.tensor([2]), rows[2])
    assert_array_equal(numbers(states), numbers(before))
    for left, right in zip(first, second, strict=True):
        assert_array_equal(numbers(left), numbers(right))
    for name, value in network.state_dict().items():
        assert_array_equal(numbers(value), numbers(weights[name]))


def test_conversations_at_different_turns_are_advanced_together():
    """Check that one step of a new and a long conversation is equal to a step of each alone."""
    torch.manual_seed(0)
    network = make_network(n_words=0, memory="lstm").eval()
    rows = make_rows(20, with_words=False)
    new = make_rows(1, with_words=False)[0]
    with torch.no_grad():
        _, late = step_through(network, rows[:-1])
        early = initial_states(network, 1)
        expected = [
            step(network, late, torch.tensor([19]), rows[-1]),
            step(network, early, torch.tensor([0]), new),
        ]
        both = RowBatch(
            torch.cat([rows[-1].features, new.features]),
            torch.cat([rows[-1].extras, new.extras]),
            torch.cat([rows[-1].speakers, new.speakers]),
        )
        states, logits = step(network, torch.cat([late, early]), torch.tensor([19, 0]), both)
    assert_allclose(numbers(states), numbers(torch.cat([e[0] for e in expected])), atol=1e-5)
    assert_allclose(numbers(logits), numbers(torch.cat([e[1] for e in expected])), atol=1e-5)
