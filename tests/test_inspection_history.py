"""Tests of TrainingHistoryDisplay."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem.inspection import TrainingHistoryDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

TEXTS, CLASSES = ["a b", "c d", "b a"] * 20, [0, 1, 0] * 20
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "train_loss": [0.9, 0.5, 0.4],
        "valid_loss": [0.8, 0.6, 0.7],
        "valid_score": [0.6, 0.8, 0.8],
    }
)


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def test_the_curves_are_those_of_the_fit():
    """Check that the only curve is the training loss of history_."""
    clf = ContextMemoryClassifier(random_state=0).fit(TEXTS, CLASSES)
    display = TrainingHistoryDisplay.from_estimator(clf)
    (line,) = display.lines_
    np.testing.assert_array_equal(line.get_ydata(), clf.history_["train_loss"])
    np.testing.assert_array_equal(line.get_xdata(), clf.history_["epoch"])
    assert display.score_ax_ is None
    assert display.best_epoch is None


def test_rows_held_out_have_their_curves_and_their_best_epoch():
    """Check that early stopping adds two curves and marks the best epoch."""
    clf = ContextMemoryClassifier(n_iter_no_change=2, validation_fraction=0.3, random_state=0)
    display = TrainingHistoryDisplay.from_estimator(clf.fit(TEXTS, CLASSES))
    labels = [line.get_label() for line in display.lines_]
    assert labels == ["training loss", "validation loss", "validation accuracy"]
    scores = clf.history_["valid_score"]
    assert display.best_epoch == clf.history_["epoch"][scores.idxmax()]
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert f"weights kept: epoch {display.best_epoch}" in legend


def test_the_first_of_equal_epochs_is_the_best():
    """Check that the first of two epochs with the best score is marked, as in early stopping."""
    frame = HISTORY.assign(epoch=[4, 5, 6])
    clf = ContextMemoryClassifier(random_state=0).fit(TEXTS, CLASSES)
    clf.history_ = frame
    assert TrainingHistoryDisplay.from_estimator(clf).best_epoch == 5


def test_axes_of_the_user_are_drawn_on():
    """Check that no other figure is made, and that plot returns the display."""
    figure, ax = plt.subplots()
    display = TrainingHistoryDisplay.from_history(HISTORY, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert display.plot(ax=ax) is display
    assert plt.get_fignums() == [figure.number]


def test_the_classifier_of_a_pipeline_or_search_is_drawn():
    """Check that the history of the best pipeline of a search is drawn."""
    pipeline = make_pipeline(TextSequenceVectorizer(), ContextMemoryClassifier(random_state=0))
    search = GridSearchCV(pipeline, {"contextmemoryclassifier__max_epochs": [2, 3]}, cv=2)
    search.fit(TEXTS, CLASSES)
    display = TrainingHistoryDisplay.from_estimator(search)
    assert len(display.history) == search.best_params_["contextmemoryclassifier__max_epochs"]


def test_wrong_estimators_and_histories_are_named():
    """Check the errors for unfitted or other estimators, and for wrong histories."""
    draw = TrainingHistoryDisplay.from_estimator
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        draw(ContextMemoryClassifier())
    with pytest.raises(TypeError, match="has no 'history_': a LogisticRegression was passed"):
        draw(LogisticRegression().fit([[0], [1]], [0, 1]))
    with pytest.raises(TypeError, match="is the class ContextMemoryClassifier; pass a fitted"):
        draw(ContextMemoryClassifier)
    with pytest.raises(ValueError, match=r"no columns \['valid_score'\]"):
        TrainingHistoryDisplay.from_history(HISTORY.drop(columns="valid_score"))
    with pytest.raises(TypeError, match="history is a list"):
        TrainingHistoryDisplay.from_history([1, 2])


def test_without_matplotlib_the_message_names_the_extra(monkeypatch):
    """Check that the error of plot says how to install matplotlib."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(
        ImportError, match=r'Display.plot needs matplotlib.*: pip install "sk-ctxmem\[inspection\]"'
    ):
        TrainingHistoryDisplay(history=HISTORY).plot()
