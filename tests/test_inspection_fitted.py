"""Tests that the Displays read the fitted classifier, not its constructor parameters."""

from copy import deepcopy

import numpy as np
import pytest
from _explained import talks

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.inspection import (
    ContextAblationDisplay,
    ContextAttributionDisplay,
    ConversationDisplay,
    TokenAttributionDisplay,
    TrainingHistoryDisplay,
)

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

CHANGES = [
    {"text_column": "speaker"},
    {"text_column": None},
    {"group_column": "speaker"},
    {"group_column": None},
    {"order_column": None},
    {"order_column": "missing"},
    {"speaker_column": None},
    {"speaker_column": "text"},
    {"context": "none"},
    {"context": "both"},
]


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    """Return a classifier fitted with all four column parameters, on shuffled rows."""
    frame = talks().sample(frac=1, random_state=0)
    roles = {f"{role}_column": role for role in ("text", "group", "order", "speaker")}
    clf = ContextMemoryClassifier(**roles, max_epochs=2, hidden_size=8, random_state=0)
    return clf.fit(frame.drop(columns="target"), frame["target"])


def _draw_all(clf):
    """Return numbers and HTML of each Display, for shuffled rows."""
    frame = talks()[talks()["group"] < 4].sample(frac=1, random_state=1)
    X, y = frame.drop(columns="target"), frame["target"]
    rows = ContextAttributionDisplay.from_estimator(clf, X, group=2)
    words = TokenAttributionDisplay.from_estimator(clf, X, row=5)
    page = ConversationDisplay.from_estimator(clf, X, y, group=2)
    scores = ContextAblationDisplay.from_estimator(clf, X, y, scoring="neg_log_loss").scores
    losses = TrainingHistoryDisplay.from_estimator(clf).history["train_loss"]
    numbers = [rows.contributions, rows.structure, rows.rows, scores, losses]
    return numbers, words.to_html(), page.to_html()


@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_set_params_after_fit_changes_no_display(fitted, changes):
    """Check that every Display is the same after a parameter of the columns or context is set."""
    numbers, words, page = _draw_all(fitted)
    changed_numbers, changed_words, changed_page = _draw_all(deepcopy(fitted).set_params(**changes))
    for before, after in zip(numbers, changed_numbers, strict=True):
        np.testing.assert_array_equal(after, before)
    assert changed_words == words
    assert changed_page == page


def test_set_params_cannot_switch_on_context_that_was_not_fitted():
    """Check that the ablation asks for the context of fit, not for the parameter."""
    frame = talks()[talks()["group"] < 20]
    clf = ContextMemoryClassifier(
        text_column="text", group_column="group", context="none", max_epochs=1, random_state=0
    ).fit(frame, frame["target"])
    with pytest.raises(ValueError, match="fitted without groups or with context='none'"):
        ContextAblationDisplay.from_estimator(
            clf.set_params(context="past"), frame, frame["target"]
        )
