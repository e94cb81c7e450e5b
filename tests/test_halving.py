"""Tests of what HalvingGridSearchCV does to conversations when it takes fewer rows."""

import pytest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GroupKFold, HalvingGridSearchCV

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.datasets import make_conversations


class SeenRows(ContextMemoryClassifier):
    """Keeps the numbers of the rows that each fit was given."""

    seen = []

    def fit(self, X, y):
        """Note the rows, which are the index of the frame."""
        self.seen.append(X.index.tolist())
        return super().fit(X, y)


@pytest.fixture
def seen(monkeypatch):
    """Return the list of the rows of each fit, empty."""
    monkeypatch.setattr(SeenRows, "seen", [])
    return SeenRows.seen


def search(talks, **settings):
    """Fit a search over two candidates."""
    classifier = SeenRows(
        text_column="text", group_column="group", hidden_size=8, max_epochs=1, random_state=0
    )
    search = HalvingGridSearchCV(
        classifier,
        {"dropout": [0.1, 0.2]},
        cv=GroupKFold(2),
        factor=2,
        refit=False,
        random_state=0,
        error_score="raise",
        **settings,
    )
    return search.fit(talks.data, talks.target, groups=talks.groups)


def count_rows(rows, groups):
    """Return how many rows of each group there are."""
    return groups.loc[rows].value_counts()


def test_fewer_rows_cut_conversations_and_shuffle_their_rows(seen):
    """Check what the guide warns of: scikit-learn takes rows at random, in random order."""
    talks = make_conversations(30, random_state=0)
    groups, half = talks.data["group"], len(talks.data) // 2
    search(talks, resource="n_samples", min_resources=half, max_resources=half)
    cut = count_rows(seen[0], groups)
    assert (cut < groups.value_counts()[cut.index]).any()
    assert seen[0] != sorted(seen[0])


def test_more_epochs_leave_conversations_whole(seen):
    """Check that with resource="max_epochs" each fit has whole conversations, in their order."""
    talks = make_conversations(20, random_state=0)
    groups = talks.data["group"]
    search(talks, resource="max_epochs", min_resources=1, max_resources=2)
    assert len(seen) == 2 * 2 + 2
    for rows in seen:
        whole = count_rows(rows, groups)
        assert (whole == groups.value_counts()[whole.index]).all()
        assert rows == sorted(rows)
