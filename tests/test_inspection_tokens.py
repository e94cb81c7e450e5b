"""Tests of TokenAttributionDisplay."""

import numpy as np
import pytest
from _explained import TEXTS, fit_talks, make_explanation, talks

from sk_ctxmem.inspection import TokenAttributionDisplay, WordContribution
from sk_ctxmem.inspection._wrapping import split_pieces, wrap_pieces

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

LONG = "Some words and then some more, " * 12 + "x" * 300 + " the end.\nA new line."


@pytest.fixture(autouse=True)
def _closed_figures():
    yield
    plt.close("all")


def _explain(text, contribution=1.0):
    """Return a display of a text in which the word "then" counts."""
    lines = [(0, "yes", "wide", "then", 0, contribution, np.nan)]
    return TokenAttributionDisplay.from_explanation(make_explanation(lines), [text])


def test_words_have_what_their_ngrams_contributed():
    """Check words, class and sums of a table of two rows."""
    display = TokenAttributionDisplay.from_explanation(make_explanation(), TEXTS, row=1)
    assert [(word.word, word.contribution) for word in display.words] == [("so", 0), ("bad", 2)]
    assert (display.text, display.target, display.row) == ("so bad", "no", 1)
    assert (display.other_turns, display.structure) == (-0.75, -0.2)
    sums = "own text +2.00 · other turns −0.75 · place, speaker and the like −0.20"
    assert sums in display._repr_html_()


def test_one_row_of_a_conversation_is_explained_in_its_context():
    """Check that class, probability and sum are those of the row among the rows before it."""
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
    """Check that another class than the predicted one is explained, with its probability."""
    clf, frame = fit_talks(), talks().iloc[:4]
    classes = clf.classes_[clf.predict_proba(frame)[2].argsort()]
    least = TokenAttributionDisplay.from_estimator(clf, frame, row=2, target=classes[0])
    assert least.target == classes[0]
    assert least.probability == pytest.approx(clf.predict_proba(frame)[2].min(), abs=1e-5)


def test_all_of_the_text_is_drawn_inside_the_axes():
    """Check that a long text is wrapped, that no word leaves the axes, and none gets lost."""
    display = _explain(LONG)
    display.figure_.draw_without_rendering()
    drawn = "".join(text.get_text() for text in display.text_)
    assert drawn == "".join(LONG.split())
    axes = display.ax_.get_window_extent()
    assert all(text.get_window_extent().x1 <= axes.x1 for text in display.ax_.texts)
    assert all(text.get_window_extent().y0 >= axes.y0 for text in display.ax_.texts)
    heights = {round(text.get_position()[1], 6) for text in display.text_}
    assert len(heights) > 8


def test_words_of_a_line_do_not_overlap():
    """Check that each word begins where the one before has ended, or after it."""
    display = _explain(LONG)
    display.figure_.draw_without_rendering()
    boxes = [(text.get_position()[1], text.get_window_extent()) for text in display.text_]
    for (line, box), (next_line, next_box) in zip(boxes, boxes[1:], strict=False):
        assert next_line < line or next_box.x0 >= box.x1 - 2.5  # the ink of a letter may lean over


def test_what_does_not_fit_into_given_axes_is_cut_with_a_mark():
    """Check that a long text in small axes ends in an ellipsis, inside the axes."""
    _, ax = plt.subplots(figsize=(4, 3))
    lines = make_explanation([(0, "yes", "wide", "then", 0, 1.0, np.nan)])
    display = TokenAttributionDisplay.from_explanation(lines, [LONG], ax=ax)
    assert display.ax_ is ax
    assert display.text_[-1].get_text() == "…"
    box = ax.get_window_extent()
    assert all(text.get_window_extent().y0 >= box.y0 for text in ax.texts)


@pytest.mark.parametrize(("contribution", "style"), [(1.0, "-"), (-1.0, "--")])
def test_the_sign_is_told_by_more_than_a_colour(contribution, style):
    """Check that words against the class have a dashed frame, and those for it none."""
    display = _explain("and then", contribution)
    plain, counted = (text.get_bbox_patch() for text in display.text_)
    assert plain is None
    assert counted.get_linestyle() == style
    red, _, blue, _ = counted.get_facecolor()
    assert (blue > red) == (contribution > 0)


def test_only_the_strongest_words_are_coloured():
    """Check top: the largest in size, of either sign."""
    lines = [
        (0, "yes", "wide", word, 0, contribution, np.nan)
        for word, contribution in {"one": 0.5, "two": -2.0, "three": 1.0}.items()
    ]
    display = TokenAttributionDisplay.from_explanation(
        make_explanation(lines), ["one two three"], top=2
    )
    coloured = [text.get_text() for text in display.text_ if text.get_bbox_patch()]
    assert coloured == ["two", "three"]
    assert display._repr_html_().count(' title="') == 2


def test_texts_are_no_formulas():
    """Check that dollar signs and braces are drawn as they are."""
    display = _explain(r"then $\frac{1$ {")
    display.figure_.draw_without_rendering()
    assert "".join(text.get_text() for text in display.text_) == r"then$\frac{1${"
    assert not any(text.get_parse_math() for text in display.ax_.texts)


@pytest.mark.parametrize("kind", ["pdf", "svg", "png"])
def test_files_of_every_kind_can_be_written(kind, tmp_path, monkeypatch):
    """Check backends that draw no pixels, whose canvas cannot measure."""
    backend = {"png": "agg"}.get(kind, kind)
    monkeypatch.setitem(matplotlib.rcParams, "backend", backend)
    plt.switch_backend(backend)
    display = _explain(LONG)
    display.figure_.savefig(tmp_path / f"text.{kind}")
    assert (tmp_path / f"text.{kind}").stat().st_size > 1000
    plt.switch_backend("agg")


def test_an_empty_text_can_be_drawn():
    """Check that there is a title and a legend, and no word."""
    lines = make_explanation([(0, "yes", "structure", None, -1, 0.5, np.nan)])
    display = TokenAttributionDisplay.from_explanation(lines, [""], probability=0.25)
    assert display.text_ == []
    assert display.ax_.texts[0].get_text() == "yes: 25 %"
    assert "no text" in display._repr_html_()


def test_html_needs_no_drawing():
    """Check that with plot=False no figure is made."""
    display = TokenAttributionDisplay.from_explanation(make_explanation(), TEXTS, row=0, plot=False)
    assert plt.get_fignums() == []
    assert ">good</span>" in display._repr_html_()
    assert display.to_html("<t>").count("&lt;t&gt;") == 1


def test_pieces_are_the_text():
    """Check that cutting loses nothing, and that words that overlap are cut once."""
    words = [WordContribution(2, 4, "bc", 1.0), WordContribution(3, 5, "cd", 1.0)]
    pieces = split_pieces("a bcd\n\n e", words)
    assert "".join(piece for piece, _ in pieces) == "a bcd\n\n e"
    assert [piece for piece, value in pieces if value] == ["bc"]


def test_lines_are_no_longer_than_they_may_be():
    """Check wrapping by a measure of a tenth for each character."""
    pieces = [("abcdef", 1.0), (" ", 0.0), ("gh", 0.0), (" ", 0.0), ("x" * 25, 2.0)]
    lines = wrap_pieces(pieces, lambda piece: len(piece) / 10)
    assert [[piece for _, piece, _ in line] for line in lines] == [
        ["abcdef", "gh"],
        ["x" * 9],
        ["x" * 9],
        ["x" * 7],
    ]
    assert lines[0][1][0] == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({}, ValueError, "row=None, but explanation is about 2 rows"),
        ({"row": 2}, ValueError, "row=2 is not a row of X, which has 2"),
        ({"row": 0.5}, TypeError, "row=0.5 must be an integer"),
        ({"row": True}, TypeError, "row=True must be an integer"),
        ({"row": 0, "top": 0}, ValueError, "top=0 must be at least 1"),
        ({"row": 0, "top": "all"}, TypeError, "top='all' must be a number of words"),
    ],
)
def test_wrong_rows_and_numbers_are_named(options, error, match):
    """Check the errors for rows that are not there, and for what is no number of words."""
    with pytest.raises(error, match=match):
        TokenAttributionDisplay.from_explanation(make_explanation(), TEXTS, **options)


def test_a_row_that_is_context_only_cannot_be_drawn():
    """Check the error for a row of X that the table does not explain."""
    table = make_explanation()
    with pytest.raises(ValueError, match=r"row=0 is not explained; these are: \[1\]"):
        TokenAttributionDisplay.from_explanation(table[table["row"] == 1], TEXTS, row=0)
