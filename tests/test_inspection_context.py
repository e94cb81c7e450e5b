"""Tests of ContextAttributionDisplay."""

import numpy as np
import pandas as pd
import pytest
from _explained import LINES, TEXTS, fit_talks, make_explanation, talks
from scipy import sparse
from sklearn.pipeline import make_pipeline

from sk_ctxmem import ContextMemoryClassifier, TextSequenceVectorizer
from sk_ctxmem.inspection import ContextAttributionDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def test_an_explanation_is_summed_by_rows():
    """Check that cells are of other rows, and that all else is beside them, by its origin."""
    display = ContextAttributionDisplay.from_explanation(make_explanation(), TEXTS)
    np.testing.assert_allclose(display.contributions, [[1.25, np.nan], [-0.75, 2.0]])
    np.testing.assert_allclose(display.structure, [0.1, -0.2])
    np.testing.assert_allclose(display.attention, [[np.nan, np.nan], [0.4, np.nan]])
    assert display.targets.tolist() == ["yes", "no"]
    assert display.sources.columns.tolist() == ["ngram", "wide", "structure"]
    np.testing.assert_allclose(display.sources, [[0.5, 0.75, 0.1], [np.nan, 2.0, -0.2]])
    drawn = display.im_.get_array()
    np.testing.assert_allclose(drawn.filled(np.nan), [[np.nan, np.nan], [-0.75, np.nan]])
    assert display.text_[1, 0].get_text() == "−0.75"
    assert display.text_[1, 1] is None
    assert _beside(display) == {
        "this row": ["+1.25", "+2.00"],
        "position, speaker": ["+0.10", "−0.20"],
    }


def _beside(display):
    """Return the numbers beside the cells, by their origin."""
    texts = display.source_text_
    return {name: [text.get_text() for text in texts[name]] for name in texts}


def test_vectors_columns_and_remainders_have_columns_of_their_own():
    """Check the columns for all sources, and their tick labels."""
    lines = [
        (0, "yes", source, None, -1 if source in ("structure", "remainder") else 0, value, np.nan)
        for source, value in zip(
            ["ngram", "wide", "embedding", "column", "word", "structure", "remainder"],
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
            strict=True,
        )
    ]
    display = ContextAttributionDisplay.from_explanation(make_explanation(lines), ["a"])
    assert _beside(display) == {
        "this row": ["+8.00"],
        "its vector": ["+3.00"],
        "its columns": ["+4.00"],
        "position, speaker": ["+6.00"],
        "rest": ["+7.00"],
    }
    labels = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert labels == ["0", *(name.replace(" ", "\n") for name in _beside(display))]


def test_a_display_without_sources_shows_the_diagonal_and_the_structure():
    """Check the columns of a display that was made from arrays alone."""
    display = ContextAttributionDisplay(
        contributions=np.array([[1.0, np.nan], [3.0, 2.0]]),
        structure=np.array([0.5, -0.5]),
        attention=np.full((2, 2), np.nan),
        targets=np.array(["yes", "no"], dtype=object),
        texts=TEXTS,
        rows=np.arange(2),
    ).plot()
    assert _beside(display) == {"this row": ["+1.00", "+2.00"], "not text": ["+0.50", "−0.50"]}


def test_the_row_itself_does_not_set_the_range_of_colours():
    """Check that a large contribution of own words changes no colour, and that others do."""
    own = [(0, "no", "wide", "a", 0, 50.0, np.nan), (1, "no", "wide", "b", 1, 90.0, np.nan)]
    lines = [*own, (1, "no", "row", None, 0, -0.25, 0.4)]
    display = ContextAttributionDisplay.from_explanation(make_explanation(lines), TEXTS)
    assert display.im_.get_clim() == (-0.25, 0.25)


def test_the_title_says_which_rows_and_which_class():
    """Check earlier and other rows, predicted and chosen classes, and several labels."""
    clf, frame = fit_talks(), talks()
    draw = ContextAttributionDisplay.from_estimator
    title = "Contribution of earlier rows to the predicted class, in log-odds"
    assert draw(clf, frame, group=3).ax_.get_title() == title
    target = clf.classes_[0]
    title = "Contribution of earlier rows to the explained class, in log-odds"
    assert draw(clf, frame, group=3, target=target).ax_.get_title() == title
    lines = [*LINES, (0, "yes", "row", None, 1, 0.5, 0.1)]
    display = ContextAttributionDisplay.from_explanation(make_explanation(lines), TEXTS)
    assert display.ax_.get_title().startswith("Contribution of other rows")
    few = frame[frame["group"] < 4]
    labels = (
        (few[["target"]] == clf.classes_[0]).assign(long=few["text"].str.len() > 20).astype(int)
    )
    columns = {"text_column": "text", "group_column": "group"}
    several = ContextMemoryClassifier(**columns, max_epochs=1, random_state=0).fit(few, labels)
    assert "explained class" in draw(several, few, group=3).ax_.get_title()


def test_the_colours_have_zero_in_their_middle():
    """Check that the range is symmetric around zero, and that its ends are orange and blue."""
    display = ContextAttributionDisplay.from_explanation(make_explanation(), TEXTS)
    lowest, largest = display.im_.get_clim()
    assert lowest == -largest == -0.75
    red, _, blue, _ = display.im_.cmap(display.im_.norm(largest))
    assert blue > red
    red, _, blue, _ = display.im_.cmap(display.im_.norm(lowest))
    assert red > blue


@pytest.mark.filterwarnings("ignore::sk_ctxmem.UnknownSpeakersWarning")  # an empty text has none
def test_the_cells_of_a_conversation_add_up_to_the_decision():
    """Check that a line sums to the log-odds of its class minus those of an empty text."""
    clf, frame = fit_talks(), talks()
    display = ContextAttributionDisplay.from_estimator(clf, frame, group=3)
    sub = frame[frame["group"] == 3]
    assert display.rows.tolist() == np.flatnonzero(frame["group"] == 3).tolist()
    assert display.texts == sub["text"].tolist()
    assert display.targets.tolist() == clf.predict(sub).tolist()
    columns = [clf.classes_.tolist().index(target) for target in display.targets]
    chosen = clf.predict_proba(sub)[np.arange(len(sub)), columns]
    nothing = clf.predict_proba(sub.iloc[:1].assign(text="", speaker=None))[0, columns]
    expected = np.log(chosen / (1 - chosen)) - np.log(nothing / (1 - nothing))
    sums = np.nansum(display.contributions, axis=1) + display.structure
    np.testing.assert_allclose(sums, expected, atol=2e-3)
    later = np.triu_indices(len(sub), 1)
    assert np.isnan(display.contributions[later]).all()


def test_the_turn_that_determines_the_class_contributes_most():
    """Check that the previous turn contributes most in data in which it determines the class."""
    display = ContextAttributionDisplay.from_estimator(fit_talks(), talks(), group=3)
    lines = np.nan_to_num(display.contributions)[1:]
    before = np.arange(len(lines))
    assert np.mean(lines.argmax(axis=1) == before) > 0.8


@pytest.mark.parametrize("n_rows", [3, 20, 40, 60])
def test_nothing_is_cut_off_or_overlaps(n_rows):
    """Check that the tick labels are inside the figure and do not overlap."""
    texts = [f"text number {row} of a long conversation about everything" for row in range(n_rows)]
    lines = [
        (row, "a class with a name", "wide", "text", row, 1.0, np.nan) for row in range(n_rows)
    ]
    display = ContextAttributionDisplay.from_explanation(make_explanation(lines), texts)
    display.figure_.draw_without_rendering()
    boxes = [label.get_window_extent() for label in display.ax_.get_yticklabels()]
    assert len(boxes) == (n_rows if n_rows <= 40 else n_rows / 2)
    ticks = [label.get_window_extent() for label in display.ax_.get_xticklabels()]
    assert all(left.x1 <= right.x0 + 0.5 for left, right in zip(ticks, ticks[1:], strict=False))
    assert all(box.x0 >= 0 for box in boxes)
    assert all(below.y1 <= above.y0 + 0.5 for above, below in zip(boxes, boxes[1:], strict=False))
    assert (display.text_ is None) == (n_rows > 12)


def test_axes_of_a_subfigure_can_be_drawn_on():
    """Check that a display draws on axes that are in a part of a figure."""
    ax = plt.figure().subfigures(1, 2)[0].subplots()
    display = ContextAttributionDisplay.from_explanation(make_explanation(), TEXTS, ax=ax)
    display.figure_.figure.draw_without_rendering()
    assert display.ax_ is ax


def test_attention_weights_are_marked():
    """Check that the title says that attention weights are not an explanation."""
    display = ContextAttributionDisplay.from_explanation(
        make_explanation(), TEXTS, kind="attention"
    )
    assert "not an explanation" in display.ax_.get_title()
    assert display.source_text_.empty
    assert display.im_.get_array().shape == (2, 2)
    assert display.im_.get_clim()[0] == 0


def test_a_turn_alone_can_be_drawn():
    """Check that one turn without attention weights and with a contribution of zero is drawn."""
    lines = [(0, "yes", "wide", "good", 0, 0.0, np.nan)]
    for kind in ("contribution", "attention"):
        display = ContextAttributionDisplay.from_explanation(
            make_explanation(lines), ["good"], kind=kind
        )
        display.figure_.draw_without_rendering()
        assert display.im_.get_clim()[1] == 1


def test_conversations_may_have_dates_as_ids():
    """Check that a date can be the id of a group."""
    frame = talks()[talks()["group"] < 2]
    dates = pd.to_datetime(frame["group"], unit="D")
    display = ContextAttributionDisplay.from_estimator(
        fit_talks(), frame.assign(group=dates), group=dates.iloc[-1]
    )
    assert display.texts == frame.loc[frame["group"] == 1, "text"].tolist()


@pytest.mark.parametrize("kind", ["coo", "csr", "list"])
def test_features_are_shown_by_their_rows(kind):
    """Check that rows of features, in any format, are labelled by their position."""
    X = np.eye(3)[[0, 1, 2, 0, 1, 2] * 4]
    groups = np.repeat(np.arange(8), 3)
    table = X.tolist() if kind == "list" else sparse.csr_array(X).asformat(kind)
    clf = ContextMemoryClassifier(random_state=0).fit(table, groups % 2, groups=groups)
    display = ContextAttributionDisplay.from_estimator(clf, table, groups=groups, group=1)
    assert display.texts == ["row 3", "row 4", "row 5"]


def test_texts_are_not_parsed_as_formulas():
    """Check that dollar signs and line ends in texts and classes are not parsed as formulas."""
    lines = [(0, r"$\nope{$", *LINES[0][2:]), *[line for line in LINES if line[0] == 1]]
    display = ContextAttributionDisplay.from_explanation(
        make_explanation(lines), [r"a $\frac{1$ b" + "\n c", "d"]
    )
    display.figure_.draw_without_rendering()
    label = display.ax_.get_yticklabels()[0].get_text()
    assert label == r"[$\nope{$]  a $\frac{1$ b c  0"


def test_rows_are_in_the_order_of_the_order_column():
    """Check that shuffled rows give the same heat map, with their positions in X."""
    pl = pytest.importorskip("polars")
    frame = talks()[talks()["group"] == 5]
    clf = ContextMemoryClassifier(
        text_column="text", group_column="group", order_column="order", random_state=0
    ).fit(talks(), talks()["target"])
    shuffled = frame.sample(frac=1, random_state=0)
    display = ContextAttributionDisplay.from_estimator(clf, shuffled)
    assert display.texts == frame["text"].tolist()
    assert shuffled["text"].iloc[display.rows].tolist() == frame["text"].tolist()
    again = ContextAttributionDisplay.from_estimator(clf, pl.from_pandas(shuffled))
    np.testing.assert_allclose(again.contributions, display.contributions, atol=1e-4)


def test_a_pipeline_shows_the_texts_that_came_in():
    """Check a pipeline whose first step vectorizes, with groups as an argument."""
    frame = talks()
    pipeline = make_pipeline(TextSequenceVectorizer(), ContextMemoryClassifier(random_state=0))
    texts, groups = frame["text"].tolist(), frame["group"].to_numpy()
    pipeline.fit(texts, frame["target"], contextmemoryclassifier__groups=groups)
    display = ContextAttributionDisplay.from_estimator(pipeline, texts, group=2, groups=groups)
    assert display.texts == frame.loc[frame["group"] == 2, "text"].tolist()
    assert np.isfinite(display.contributions[np.tril_indices(len(display.texts))]).all()


def test_the_wrong_conversation_is_named():
    """Check the errors for missing groups, an unknown group, and several groups."""
    clf, frame = fit_talks(), talks()
    draw = ContextAttributionDisplay.from_estimator
    with pytest.raises(ValueError, match="group='x' is not a group of X, which has 0, 1, 2, 3, 4"):
        draw(clf, frame, group="x")
    with pytest.raises(ValueError, match="group=None, but X has 150 groups: 0, 1, 2, 3, 4 and"):
        draw(clf, frame)
    alone = ContextMemoryClassifier(random_state=0).fit(["a", "b"] * 9, [0, 1] * 9)
    with pytest.raises(ValueError, match="group=1 was passed, but X comes without groups"):
        draw(alone, ["a", "b"], group=1)
    with pytest.raises(ValueError, match="no row has other rows as context"):
        draw(alone, ["a", "b"])


def test_wrong_tables_are_named():
    """Check the errors for missing columns, no lines, and too few texts."""
    draw, table = ContextAttributionDisplay.from_explanation, make_explanation()
    with pytest.raises(TypeError, match="explanation is a list"):
        draw([1], TEXTS)
    with pytest.raises(ValueError, match=r"no columns \['from_row'\], only \['row', 'target'"):
        draw(table.drop(columns="from_row"), TEXTS)
    with pytest.raises(ValueError, match="explanation has no lines"):
        draw(table.iloc[:0], TEXTS)
    with pytest.raises(ValueError, match="rows 0 to 1, but there are 1 texts"):
        draw(table, TEXTS[:1])
    with pytest.raises(ValueError, match="rows=5 is not a row of X, which has 2"):
        draw(table, TEXTS, rows=[5])
    with pytest.raises(ValueError, match="kind='heat' must be 'contribution' or 'attention'"):
        draw(table, TEXTS, kind="heat")


def _long_lines(n_turns):
    own = [(turn, "yes", "wide", "w", turn, 1.0, np.nan) for turn in range(n_turns)]
    return [
        *own,
        *((n_turns - 1, "yes", "row", None, turn, turn / 1000, 0.0) for turn in range(99)),
    ]


def test_long_conversations_are_cropped_to_the_turns_that_counted():
    """Check size and title of the picture, its turns and cells, and that no value is lost."""
    n_turns = 1000
    display = ContextAttributionDisplay.from_explanation(
        make_explanation(_long_lines(n_turns)), ["text"] * n_turns
    )
    assert display.turns_.tolist() == [*range(40, 99), 999]
    assert display.ax_.get_title().endswith("60 of 1000 rows: those with the largest values")
    assert (display.figure_.get_size_inches() < 16).all()
    cells = display.im_.get_array()
    assert cells.shape == (60, 60)
    assert cells[59, 58] == 0.098
    assert display.contributions.shape == (n_turns, n_turns)
    assert display.ax_.get_yticklabels()[29].get_text().endswith("98")
    assert display.ax_.get_xticklabels()[1].get_text() == "42"


@pytest.mark.parametrize("n_turns", [60, 61])
def test_only_conversations_of_more_than_60_turns_are_cropped(n_turns):
    """Check both sides of the limit; without other contributions, own texts decide."""
    lines = [(turn, "yes", "wide", "w", turn, float(turn), np.nan) for turn in range(n_turns)]
    display = ContextAttributionDisplay.from_explanation(make_explanation(lines), ["a"] * n_turns)
    assert display.turns_.tolist() == list(range(n_turns))[-60:]
    assert ("rows:" in display.ax_.get_title()) == (n_turns > 60)


def test_wrong_options_of_the_picture_are_named():
    """Check the errors for kinds and flags of other types, and for rows that are no list."""
    draw, table = ContextAttributionDisplay.from_explanation, make_explanation()
    with pytest.raises(TypeError, match="include_values='yes' must be True, False, or None"):
        draw(table, TEXTS, include_values="yes")
    with pytest.raises(ValueError, match=r"kind=\['heat'\] must be"):
        draw(table, TEXTS, kind=["heat"])
    with pytest.raises(TypeError, match="rows=1 must be a list of integers"):
        draw(table, TEXTS, rows=1)
    with pytest.raises(ValueError, match="rows is empty"):
        draw(table, TEXTS, rows=[])
