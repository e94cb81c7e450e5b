"""Tests of TokenAttributionDisplay."""

import numpy as np
import pandas as pd
import pytest
from _explained import TEXTS, fit_talks, make_explanation, talks

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.inspection import ConversationDisplay, TokenAttributionDisplay, WordContribution
from sk_ctxmem.inspection._explanations import name_columns

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def _explain(contributions, text=None, **options):
    """Return a display of words and their contributions, in a text."""
    lines = [(0, "yes", "wide", word, 0, value, np.nan) for word, value in contributions.items()]
    text = " ".join(contributions) if text is None else text
    return TokenAttributionDisplay.from_explanation(make_explanation(lines), [text], **options)


def _labels(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_words_have_the_contributions_of_their_ngrams():
    """Check words, class and sums of one row of an explanation of two rows."""
    display = TokenAttributionDisplay.from_explanation(make_explanation(), TEXTS, row=1)
    assert [(word.word, word.contribution) for word in display.words] == [("so", 0), ("bad", 2)]
    assert (display.text, display.target, display.row) == ("so bad", "no", 1)
    assert (display.other_turns, display.structure) == (-0.75, -0.2)
    sums = "own text +2.00 · other turns −0.75 · position and speaker −0.20"
    assert sums in display._repr_html_()


def test_one_row_of_a_conversation_is_explained_in_its_context():
    """Check that class, probability and sum are those of the row in its conversation."""
    clf, frame = fit_talks(), talks()
    row = int(np.flatnonzero(frame["group"] == 3)[4])
    display = TokenAttributionDisplay.from_estimator(clf, frame, row=row)
    sub = frame[frame["group"] == 3]
    assert display.text == frame["text"].iloc[row] == sub["text"].iloc[4]
    assert display.target == clf.predict(sub)[4]
    assert display.probability == pytest.approx(clf.predict_proba(sub)[4].max(), abs=1e-5)
    lines = clf.explain(sub, rows=[4])
    own = sum(word.contribution for word in display.words) + display.rest
    assert own == pytest.approx(lines.loc[lines["from_row"] == 4, "contribution"].sum(), abs=1e-3)
    assert display.row == row
    last = TokenAttributionDisplay.from_estimator(clf, frame, row=-1)
    assert last.text == frame["text"].iloc[-1]


def test_a_class_can_be_chosen():
    """Check class and probability of a target that is not the predicted class."""
    clf, frame = fit_talks(), talks().iloc[:4]
    classes = clf.classes_[clf.predict_proba(frame)[2].argsort()]
    least = TokenAttributionDisplay.from_estimator(clf, frame, row=2, target=classes[0])
    assert least.target == classes[0]
    assert least.probability == pytest.approx(clf.predict_proba(frame)[2].min(), abs=1e-5)


def test_the_strongest_words_have_bars_from_top_to_bottom():
    """Check lengths, labels and order of the bars, their numbers, and the title."""
    display = _explain({"one": 0.5, "two": -2.0, "three": 1.0, "four": 0.0}, probability=0.25)
    assert [bar.get_width() for bar in display.bars_] == [-2.0, 1.0, 0.5]
    assert _labels(display) == ["two", "three", "one"]
    heights = [bar.get_window_extent().y0 for bar in display.bars_]
    assert heights == sorted(heights, reverse=True)
    assert [text.get_text() for text in display.ax_.texts] == ["−2.00", "+1.00", "+0.50"]
    assert display.ax_.get_title() == "Strongest words for yes (25 %)"
    display = TokenAttributionDisplay.from_explanation(make_explanation(), TEXTS, row=1)
    assert "other turns −0.75, position and speaker −0.20" in display.ax_.get_xlabel()


def test_the_sign_is_shown_by_more_than_a_colour():
    """Check that bars against the class are orange and hatched, and those for it blue."""
    positive, negative = _explain({"good": 2.0, "bad": -1.0}).bars_
    assert (positive.get_hatch() or "", negative.get_hatch()) == ("", "////")
    for bar, is_blue in ((positive, True), (negative, False)):
        red, _, blue, _ = bar.get_facecolor()
        assert (blue > red) == is_blue


@pytest.mark.parametrize(("top", "n_bars", "n_shaded"), [(None, 15, 20), (2, 2, 2), (50, 20, 20)])
def test_top_chooses_the_strongest_words(top, n_bars, n_shaded):
    """Check the number of bars and of shaded words; without top, all words are shaded."""
    words = {f"w{number}": (-1) ** number * (20.0 - number / 2) for number in range(20)}
    display = _explain(words, top=top)
    assert _labels(display) == list(words)[:n_bars]
    assert display._repr_html_().count(' title="') == n_shaded


def test_a_word_that_occurs_twice_has_one_bar():
    """Check that contributions of equal words are summed, except in another case."""
    display = _explain({"good good": 3.0, "good": 1.0}, "good good Good")
    bars = dict(zip(_labels(display), [bar.get_width() for bar in display.bars_], strict=True))
    assert bars == pytest.approx({"good ×2": 2.25 + 2 / 3, "Good": 0.75 + 1 / 3})
    assert display._repr_html_().count(' title="') == 3


def test_axes_and_style_of_the_user_are_used():
    """Check that no other figure is made, and that drawing again keeps the order."""
    figure, ax = plt.subplots()
    display = _explain({"one": 0.5, "two": -2.0}, ax=ax)
    assert display.plot(ax=ax, color="red") is display
    assert display.ax_ is ax
    assert display.bars_[0].get_facecolor() == (1.0, 0.0, 0.0, 1.0)
    assert display.bars_[0].get_window_extent().y0 > display.bars_[1].get_window_extent().y0
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("n_words", [1, 3, 15])
def test_nothing_is_cut_off(n_words, sign):
    """Check that labels, title and numbers are inside the figure, even for long words."""
    words = {f"{number:02}" + "w" * 300: sign * 5.0 * number for number in range(1, n_words + 1)}
    display = _explain(words, " ".join(words).upper())
    display.figure_.draw_without_rendering()
    assert len(display.bars_) == n_words
    assert all(len(label) == 24 and label.endswith("…") for label in _labels(display))
    figure, axes = display.figure_.bbox, display.ax_.get_window_extent()
    for text in (*display.ax_.get_yticklabels(), display.ax_.title, display.ax_.xaxis.label):
        box = text.get_window_extent()
        assert figure.x0 <= box.x0 < box.x1 <= figure.x1
        assert figure.y0 <= box.y0 < box.y1 <= figure.y1
    for text in display.ax_.texts:
        box = text.get_window_extent()
        assert axes.x0 <= box.x0 < box.x1 <= axes.x1


def test_texts_are_not_parsed_as_formulas():
    """Check that dollar signs and braces in words and classes are not parsed as formulas."""
    lines = [(0, r"$\frac{1$", "wide", word, 0, 1.0, np.nan) for word in ("$", "frac", "{", "then")]
    display = TokenAttributionDisplay.from_explanation(
        make_explanation(lines), [r"then $\frac{1$ {"]
    )
    display.figure_.draw_without_rendering()
    assert _labels(display) == ["then", "$ ×2", "frac", "{ ×2"]
    assert display.ax_.get_title() == r"Strongest words for $\frac{1$"


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
def test_files_of_every_kind_can_be_written(kind, tmp_path):
    """Check vector formats too."""
    _explain({"one": 0.5, "two": -2.0}).figure_.savefig(tmp_path / f"text.{kind}")
    assert (tmp_path / f"text.{kind}").stat().st_size > 1000


@pytest.mark.parametrize("text", ["", " \n", "word"])
def test_a_text_without_contributing_words_can_be_drawn(text):
    """Check the title, the message, and that there are no bars."""
    lines = make_explanation([(0, "yes", "structure", None, -1, 0.5, np.nan)])
    display = TokenAttributionDisplay.from_explanation(lines, [text], probability=0.25)
    display.figure_.draw_without_rendering()
    assert len(display.bars_) == 0
    assert display.ax_.get_title() == "Strongest words for yes (25 %)"
    assert [text.get_text() for text in display.ax_.texts] == ["No word contributed."]
    assert ("no text" in display._repr_html_()) == (text != "word")


def test_html_needs_no_drawing():
    """Check that with plot=False no figure is made."""
    display = TokenAttributionDisplay.from_explanation(make_explanation(), TEXTS, row=0, plot=False)
    assert plt.get_fignums() == []
    assert ">good</span>" in display._repr_html_()
    assert display.to_html("<t>").count("&lt;t&gt;") == 1


def test_characters_that_no_font_can_hold_are_replaced():
    """Check that NUL and lone surrogates are replaced."""
    words = [WordContribution(0, 1, "\ud800", 2.0), WordContribution(2, 3, "\0", 1.0)]
    display = TokenAttributionDisplay(text="\ud800 \0", words=words, target="\ud800").plot()
    display.figure_.draw_without_rendering()
    assert _labels(display) == ["?", "\ufffd"]


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({}, ValueError, "row=None, but explanation has 2 rows"),
        ({"row": 2}, ValueError, "row=2 is not a row of X, which has 2"),
        ({"row": 0.5}, TypeError, "row=0.5 must be an integer"),
        ({"row": True}, TypeError, "row=True must be an integer"),
        ({"row": 0, "top": 0}, ValueError, "top=0 must be at least 1"),
        ({"row": 0, "top": "all"}, TypeError, "top='all' must be a number of words"),
    ],
)
def test_wrong_rows_and_numbers_are_named(options, error, match):
    """Check the errors for invalid rows and numbers of words."""
    with pytest.raises(error, match=match):
        TokenAttributionDisplay.from_explanation(make_explanation(), TEXTS, **options)


def test_a_row_that_is_context_only_cannot_be_drawn():
    """Check the error for a row of X that is not explained."""
    table = make_explanation()
    with pytest.raises(ValueError, match=r"row=0 is not explained; these are: \[1\]"):
        TokenAttributionDisplay.from_explanation(table[table["row"] == 1], TEXTS, row=0)


def test_a_picture_has_at_most_60_bars():
    """Check that more words than fit into a picture are cut, and that the title says so."""
    words = {f"word{number}": 1.0 + number for number in range(100)}
    display = _explain(words, " ".join(words), top=99)
    assert len(display.bars_) == 60
    assert display.ax_.get_title().endswith("60 of 99 words shown")
    assert display.figure_.get_size_inches()[1] < 18


@pytest.mark.parametrize(
    ("probability", "error", "match"),
    [
        ("0.5", TypeError, "probability='0.5' must be a number from 0 to 1"),
        (True, TypeError, "probability=True must be"),
        (1.5, ValueError, "probability=1.5 must be from 0 to 1"),
    ],
)
def test_wrong_probabilities_are_named(probability, error, match):
    """Check that they are refused before anything is drawn."""
    with pytest.raises(error, match=match):
        _explain({"one": 0.5}, probability=probability)


def _fit_columns():
    """Return a classifier of texts, numbers and categories, and its rows."""
    random = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "text": random.choice(["all is fine", "it is broken"], 120),
            "talk": np.arange(120) // 4,
            "price": random.rand(120),
            "<b>tier": random.choice(["gold", "basic"], 120),
        }
    )
    y = np.where((frame["price"] > 0.5) ^ (frame["text"] == "all is fine"), "yes", "no")
    clf = ContextMemoryClassifier(
        text_column="text", group_column="talk", feature_columns=["price", "<b>tier"],
        random_state=0, max_epochs=2,
    )  # fmt: skip
    return clf.fit(frame, y), frame


def test_columns_have_bars_of_their_own():
    """Check the bars, the sums and the HTML of a row with columns beside its text."""
    clf, frame = _fit_columns()
    row = frame[frame["talk"] == 0]
    explanation = clf.explain(row)
    display = TokenAttributionDisplay.from_estimator(clf, row, row=1)
    lines = explanation[explanation["row"] == 1]
    expected = lines[lines["source"] == "column"].groupby("feature")["contribution"].sum()
    assert display.columns == pytest.approx(expected.to_dict())
    assert set(display.columns) == {"price", "<b>tier"}
    labels = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert {"price (column)", "<b>tier (column)"} < set(labels)
    total = sum(word.contribution for word in display.words) + sum(display.columns.values())
    total += display.rest + display.other_turns + display.structure
    assert total == pytest.approx(lines["contribution"].sum(), abs=1e-5)
    assert "price (column)" in display.to_html()
    assert "&lt;b&gt;tier (column)" in display.to_html()
    again = TokenAttributionDisplay.from_explanation(explanation, row["text"], row=1, plot=False)
    assert again.columns == pytest.approx(display.columns)


def test_a_conversation_names_the_strongest_columns():
    """Check the sums below each turn: of the text, of five columns, and of the others."""
    clf, frame = _fit_columns()
    display = ConversationDisplay.from_estimator(clf, frame[frame["talk"] == 0])
    assert display.to_html().count("price (column)") == 4
    sums = display._sums(2)
    own = display.contributions[2, 2]
    of_columns = display.columns[2]
    assert sums["own text"] + sum(of_columns.values()) == pytest.approx(own)
    display.columns = [{f"c{number}": 1.0 for number in range(8)}] * 4
    assert display._sums(0)["3 other columns"] == 3
    assert "c4 (column)" in display._sums(0)
    display.columns = None
    assert list(display._sums(0))[:1] == ["own text"]


def test_columns_that_differ_in_the_end_of_their_names_stay_apart():
    """Check that each of two columns whose shortened names are equal has its contribution."""
    columns = {
        "amount_of_the_last_order_in_euros": 2.0,
        "amount_of_the_last_order_in_dollars": -1.0,
    }
    named = name_columns(columns)
    assert list(named.values()) == [2.0, -1.0]
    assert "amount_of_the_last_order_in_dollars (column)" in named
