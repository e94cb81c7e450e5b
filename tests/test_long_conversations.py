"""Tests of conversations that are longer than those of the fit."""

import numpy as np
import pytest
import torch

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem._network._batch import RowBatch
from sk_ctxmem._rows._packing import pack
from sk_ctxmem._rows._positions import describe_next_rows, describe_places
from sk_ctxmem._training._far_places import FAR_SHARE, FarPlaces, choose_far_places
from sk_ctxmem.datasets import make_conversations

COLUMNS = {"text_column": "text", "group_column": "group"}
MEMORIES = ["elman", "gru", "lstm", "mingru"]


def fit(memory, talks, **parameters):
    """Fit a classifier with this memory to conversations."""
    clf = ContextMemoryClassifier(**COLUMNS, memory=memory, random_state=0, **parameters)
    return clf.fit(talks.data, talks.target)


def late_accuracy(clf, n_turns, n_talks):
    """Return the accuracy in the last third of talks of `n_turns` turns."""
    talks = make_conversations(n_talks, n_turns=(n_turns, n_turns), random_state=100)
    is_right = np.reshape(clf.predict(talks.data) == talks.target, (n_talks, n_turns))
    return is_right[:, -n_turns // 3 :].mean()


@pytest.mark.slow
@pytest.mark.parametrize("memory", MEMORIES)
def test_longer_conversations_are_predicted_as_well(memory):
    """Check 10 and 100 times the trained length, in predict and in a session."""
    clf = fit(memory, make_conversations(200, n_turns=(8, 15), random_state=0))
    at_end = late_accuracy(clf, 15, 100)
    assert at_end > 0.95
    assert late_accuracy(clf, 150, 10) > at_end - 0.01
    assert late_accuracy(clf, 1500, 2) > at_end - 0.01
    texts = make_conversations(1, n_turns=(150, 150), random_state=5).data["text"]
    session = clf.session()
    one_by_one = np.concatenate([session.predict_proba_one(text)[np.newaxis] for text in texts])
    expected = clf.predict_proba(texts.to_frame().assign(group=0))
    np.testing.assert_allclose(one_by_one, expected, atol=3e-6)  # after 150 turns in float32


@pytest.mark.parametrize("both", [False, True])
def test_positions_beyond_the_longest_group_are_those_of_its_end(both):
    """Check the features of a group of 50 rows where the longest of the fit had 8."""
    longest = 8
    free, bound = (describe_places(np.array([50]), both, bound) for bound in (None, longest))
    np.testing.assert_array_equal(bound[:longest, :2], free[:longest, :2])
    assert (bound[longest:, 0] == free[longest - 1, 0]).all()
    np.testing.assert_array_equal(bound[:, 1], free[:, 1])
    if both:
        np.testing.assert_array_equal(bound[:, 2:4], bound[::-1, :2])
        np.testing.assert_array_equal(bound[:, 4], free[:, 4])
    else:
        np.testing.assert_array_equal(describe_next_rows(np.arange(50), None, longest), bound)
    alone = describe_places(np.array([3]), both, 1)
    assert alone[:, 0].tolist() == [0, 0, 0]
    assert alone[:, 1].tolist() == [1, 0, 0]


def test_the_longest_group_is_kept(tmp_path):
    """Check files, chunks, warm starts, and that files of older versions are not bounded."""
    talks = make_conversations(20, n_turns=(5, 9), random_state=0)
    more = make_conversations(20, n_turns=(14, 14), random_state=0)
    small = {"hidden_size": 8, "max_epochs": 1}
    clf = fit("gru", talks, **small)
    longest = talks.data["group"].value_counts().max()
    assert clf._model.reader.longest_group == longest
    clf.save(tmp_path / "model.ctxmem")
    loaded = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    assert loaded._model.reader.longest_group == longest
    assert not hasattr(loaded, "_longest_group")
    clf.set_params(warm_start=True).fit(more.data, more.target)
    assert clf._model.reader.longest_group == 14
    clf.fit(talks.data, talks.target)
    assert clf._model.reader.longest_group == 14
    in_chunks = ContextMemoryClassifier(**COLUMNS, hidden_size=8, random_state=0)
    in_chunks.partial_fit(talks.data, talks.target, classes=np.unique(talks.target))
    assert in_chunks._model.reader.longest_group == longest
    in_chunks.partial_fit(more.data, more.target)
    assert in_chunks._model.reader.longest_group == 14
    alone = ContextMemoryClassifier(random_state=0, **small).fit(talks.data["text"], talks.target)
    assert alone._model.reader.longest_group is None


@pytest.mark.parametrize("both", [False, True])
def test_a_share_of_the_pieces_is_placed_far_from_the_beginning(both):
    """Check that whole pieces are moved, to where rows of a long group are, and no other column."""
    lengths = np.random.RandomState(0).randint(1, 9, size=400)
    order = pack(lengths)
    firsts = np.cumsum(lengths) - lengths
    extras = np.c_[describe_places(lengths, both), np.arange(lengths.sum())].astype(np.float32)
    batch = RowBatch(None, torch.from_numpy(extras[firsts[order.sequences] + order.steps]), None)
    batch.packing = order.packing()
    moved = FarPlaces(20, both).move(batch, np.random.RandomState(1)).extras.numpy()
    is_moved = (moved != batch.extras.numpy()).any(axis=1)
    of_piece = np.bincount(order.sequences, is_moved) / lengths
    assert set(of_piece) <= {0.0, 1.0}
    assert of_piece.mean() == pytest.approx(FAR_SHARE, abs=0.06)
    middle = describe_places(np.array([101]), both, 20)[50]
    np.testing.assert_array_equal(moved[is_moved, :2], np.tile(middle[:2], (is_moved.sum(), 1)))
    np.testing.assert_array_equal(moved[:, -1], batch.extras[:, -1])


@pytest.mark.parametrize(
    ("memory", "n_turns", "expected"),
    [("mingru", (5, 9), True), ("mingru", (40, 90), False), ("gru", (5, 9), False)],
)
def test_only_short_groups_of_mingru_are_moved(memory, n_turns, expected):
    """Check that long groups, whose pieces are far anyway, and other memories are left alone."""
    talks = make_conversations(20, n_turns=n_turns, random_state=0)
    clf = fit(memory, talks, max_epochs=1, hidden_size=8)
    rows = clf._model.reader.read(talks.data)
    found = choose_far_places(rows, memory, clf._model.reader.longest_group)
    assert (found is not None) == expected


@pytest.mark.parametrize(("longest", "expected"), [(2, 2), (9, 9), (16, 17), (40, 40), (90, 64)])
def test_attention_sees_no_further_than_the_longest_group(longest, expected, tmp_path):
    """Check the window of a fit, of its file and session, and that chunks have all of 64 rows."""
    talks = make_conversations(12, n_turns=(longest, longest), random_state=0)
    clf = fit("gru", talks, max_epochs=1, hidden_size=8)
    assert clf._model.network.window == expected
    clf.save(tmp_path / "model.ctxmem")
    clf = ContextMemoryClassifier.load(tmp_path / "model.ctxmem")
    long = make_conversations(1, n_turns=(100, 100), random_state=1).data
    session = clf.session()
    one_by_one = [session.predict_proba_one(text) for text in long["text"]]
    np.testing.assert_allclose(one_by_one, clf.predict_proba(long), atol=1e-5)
    in_chunks = ContextMemoryClassifier(**COLUMNS, hidden_size=8, random_state=0)
    in_chunks.partial_fit(talks.data, talks.target, classes=np.unique(talks.target))
    assert in_chunks._model.network.window == 64
