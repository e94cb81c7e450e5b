"""Tests of ComparisonDisplay."""

import numpy as np
import pandas as pd
import pytest

from sk_ctxmem.inspection import ComparisonDisplay
from sk_ctxmem.inspection._colors import DARK, LIGHT

plt = pytest.importorskip("matplotlib.pyplot")

COLUMNS = ["model", "accuracy", "difference", "low", "high"]


@pytest.fixture
def table():
    """Return a table of three models."""
    rows = [
        ("lr", 0.7, -0.1, -0.12, -0.08),
        ("context-memory (past)", 0.85, 0.05, 0.02, 0.08),
        ("lr-window", 0.8, np.nan, np.nan, np.nan),
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table.attrs = {"baseline": "lr-window", "conclusion": "Context pays."}
    return table


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_models_are_sorted_with_intervals(table):
    """Check dots, intervals, the line of the best baseline, and that ours is bold."""
    display = ComparisonDisplay.from_table(table)
    labels = display.ax_.get_yticklabels()
    assert [label.get_text() for label in labels] == ["lr", "lr-window", "context-memory (past)"]
    assert [label.get_fontweight() for label in labels] == ["normal", "normal", "bold"]
    assert [bar[0].get_xdata()[0] for bar in display.intervals_] == pytest.approx([70, 80, 85])
    ends = display.intervals_[2][2][0].get_segments()[0][:, 0]
    assert ends.tolist() == pytest.approx([82, 88])
    assert display.intervals_[1][2] == ()
    assert display.baseline_.get_xdata() == pytest.approx([80, 80])
    assert display.conclusion_.get_text().endswith("\n\nContext pays.")


def test_a_table_from_a_file_is_drawn(table, tmp_path):
    """Check that the best baseline is found without attrs, and that there is no conclusion."""
    table.to_csv(tmp_path / "table.csv", index=False)
    display = ComparisonDisplay.from_table(pd.read_csv(tmp_path / "table.csv"))
    assert display.baseline_.get_xdata() == pytest.approx([80, 80])
    assert display.conclusion_.get_text().endswith("best baseline")
    alone = table[2:].assign(difference=np.nan)
    alone.attrs = {}
    assert ComparisonDisplay.from_table(alone).baseline_ is None


def test_colours_suit_the_background(table):
    """Check the colour of our dots on a light and on a dark background, and axes of the user."""
    for style, palette in (("default", LIGHT), ("dark_background", DARK)):
        with plt.style.context(style):
            _, ax = plt.subplots()
            display = ComparisonDisplay.from_table(table, ax=ax)
        assert display.ax_ is ax
        found = np.multiply(display.intervals_[2][0].get_color(), 255)
        assert found == pytest.approx(palette["positive"])


def test_other_tables_are_refused(table):
    """Check a table of other columns, and what is no table."""
    with pytest.raises(ValueError, match="table has no columns"):
        ComparisonDisplay.from_table(table.drop(columns="low"))
    with pytest.raises(TypeError, match="must be a DataFrame such as compare_classifiers returns"):
        ComparisonDisplay.from_table([1])
