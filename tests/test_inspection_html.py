"""Tests of ConversationDisplay and of the HTML that the Displays share."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from _explained import TEXTS, fit_talks, make_explanation, talks

from sk_ctxmem import ContextMemoryClassifier
from sk_ctxmem.inspection import (
    ConversationDisplay,
    TokenAttributionDisplay,
    WordContribution,
)
from sk_ctxmem.inspection._colors import DARK, LIGHT, N_LEVELS, OPACITY, level_of, write_number
from sk_ctxmem.inspection._html import shade_text
from sk_ctxmem.inspection._styles import BLOCK, style_sheet

HOSTILE = (
    "<script>document.title='run'</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "<!-- a & b &lt; c -->",
)


class _Reader(HTMLParser):
    """Collect tags, attributes and text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = set(), set(), [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text += data


def _show(texts=TEXTS, lines=None, **options):
    table = make_explanation() if lines is None else make_explanation(lines)
    return ConversationDisplay.from_explanation(table, texts, **options)


def _hostile_display():
    lines = [
        (row, HOSTILE[row - 1], source, feature, from_row, 1.0, np.nan)
        for row in range(len(HOSTILE))
        for source, feature, from_row in (
            ("wide", "script", row),
            ("wide", "onerror", row),
            ("row", None, 0),
        )
    ]
    names = [*HOSTILE[1:], HOSTILE[0]]
    return _show(HOSTILE, lines, predictions=HOSTILE, speakers=HOSTILE[::-1], y_true=names)


def test_a_conversation_is_shown_with_classes_words_and_turns():
    """Check the text of the block: order of turns, classes, probabilities and sums."""
    clf, frame = fit_talks(), talks()
    sub = frame[frame["group"] == 3]
    display = ConversationDisplay.from_estimator(clf, frame, frame["target"], group=3)
    text = _Reader(display._repr_html_()).text
    heads = [f"{number}{speaker}predicted" for number, speaker in enumerate(sub["speaker"][:3])]
    positions = [text.index(head) for head in heads]
    assert positions == sorted(positions)
    assert sub["text"].iloc[2] in text
    probabilities = clf.predict_proba(sub)
    assert f"predicted {clf.predict(sub)[1]}{100 * probabilities[1].max():.0f} %" in text
    assert text.count("own text") == len(sub)
    assert text.count("other turns") == len(sub) - 1
    assert text.count("✓ right") == (clf.predict(sub) == sub["target"]).sum()


def test_the_bars_are_the_turns_that_contributed_most():
    """Check that the largest contributions have bars, scaled and in the order of the turns."""
    turns = {0: 1.0, 1: -4.0, 2: 0.001, 3: 2.0}
    lines = [(4, "yes", "row", None, turn, value, np.nan) for turn, value in turns.items()]
    html = _show(list("abcde"), lines, n_earlier=2)._repr_html_()
    assert re.findall(r'title="turn (\d): ([+−.\d]+)"><span class="bar (\w+)', html) == [
        ("1", "−4.00", "negative"),
        ("3", "+2.00", "positive"),
    ]
    assert re.findall(r"width: ([\d.]+)%", html) == ["100.0", "50.0"]
    html = _show(list("abcde"), lines, n_earlier=4)._repr_html_()
    assert re.findall(r'title="turn (\d): [+−.\d]+"><span class="bar', html) == ["0", "1", "3"]


def test_a_wrong_class_is_marked():
    """Check that the true class is shown if the prediction is wrong, and only if y is given."""
    predictions = ["yes", "no"]
    text = _Reader(_show(y_true=["yes", "yes"], predictions=predictions)._repr_html_()).text
    assert text.count("✓ right") == 1
    assert "predicted no✗ true class yes" in text
    assert "true class" not in _Reader(_show(predictions=predictions)._repr_html_()).text


def test_a_target_is_not_taken_for_a_prediction():
    """Check that an explanation alone, which may be of any class, is not marked right or wrong."""
    text = _Reader(_show(y_true=["yes", "yes"])._repr_html_()).text
    assert "explained yes" in text
    assert text.count("true class yes") == 2
    assert not re.search("predicted|✓|✗", text)


def test_a_class_that_is_not_the_predicted_one_is_named():
    """Check that with a target, the predicted and the explained class are shown."""
    clf, frame = fit_talks(), talks()
    display = ConversationDisplay.from_estimator(clf, frame, group=3, target="red")
    other = int(np.flatnonzero(clf.predict(frame[frame["group"] == 3]) != "red")[0])
    head = _Reader(display._repr_html_()).text
    assert f"predicted {display.predictions[other]}explained red" in head
    assert set(display.targets) == {"red"}


def test_html_of_the_user_is_escaped():
    """Check that HTML in texts, speakers and classes adds no tag or attribute to the page."""
    reader = _Reader(_hostile_display().to_html(title=HOSTILE[3]))
    assert reader.tags == {
        *("html", "head", "meta", "title", "style", "body", "div", "p", "span", "b", "bdi"),
    }
    assert reader.attributes == {
        *("lang", "charset", "http-equiv", "content", "name", "class", "dir", "role", "title"),
        "style",
    }
    assert reader.open == []
    assert all(reader.text.count(text) >= 3 for text in HOSTILE)  # as text, speaker and class


def test_nothing_is_loaded_from_elsewhere():
    """Check that the page has no URL, and a policy that blocks scripts and resources."""
    page = _show().to_html()
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert not re.search(r"https?:|//|url\(|@import|<script|<link|src=", page)


def test_characters_that_are_not_valid_in_a_page_are_replaced():
    """Check that lone surrogates and NUL are replaced, so that the page can be encoded."""
    page = _show(["good \ud800 film", "a \0 b"]).to_html()
    page.encode("utf-8")
    assert "good</span> ? <span" in page
    assert "a \ufffd b" in page


def test_the_same_input_gives_the_same_page():
    """Check that a page has no random id and no time."""
    assert _hostile_display().to_html() == _hostile_display().to_html()


def test_rules_apply_to_the_block_alone():
    """Check that each selector starts with the class of the block."""
    rules = re.sub(r"@media [^{]+\{", "", style_sheet())
    selectors = re.findall(r"([^{}]+)\{[^{}]*\}", rules)
    assert len(selectors) > 20
    ours = re.compile(rf'(\[data-[\w-]+="[\w-]+"\] )?\.{BLOCK}( |$)')
    for selector in ", ".join(selectors).split(","):
        assert ours.match(selector.strip()), selector
    assert style_sheet().count("{") == style_sheet().count("}")


def _luminance(color):
    parts = np.array(color) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def _contrast(first, second):
    darker, lighter = sorted([_luminance(first), _luminance(second)])
    return (lighter + 0.05) / (darker + 0.05)


def _shade(palette, name, level):
    """Return the background of a word: the colour of a sign over the background of the page."""
    ground, color = np.array(palette["ground"]), np.array(palette[name])
    return (1 - OPACITY[level]) * ground + OPACITY[level] * color


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_shade(palette):
    """Check the contrast of WCAG AA: 4.5 for text, 3 for bars and dashes."""
    for name in ("positive", "negative"):
        for level in range(N_LEVELS + 1):
            assert _contrast(palette["ink"], _shade(palette, name, level)) >= 4.5
        assert _contrast(palette[name], palette["ground"]) >= 3
    assert _contrast(palette["faint"], palette["ground"]) >= 4.5


# Machado, Oliveira and Fernandes (2009), severity 1: red and green that cannot be told apart.
DEUTERANOPIA = [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
PROTANOPIA = [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]


@pytest.mark.parametrize("matrix", [DEUTERANOPIA, PROTANOPIA])
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_blue_and_orange_differ_for_colour_blind_eyes(matrix, palette):
    """Check that blue stays more blue than yellow, and orange more yellow than blue."""
    for name, is_blue in (("positive", True), ("negative", False)):
        red, green, blue = np.array(matrix) @ ((np.array(palette[name]) / 255) ** 2.2)
        assert (blue > (red + green) / 2) == is_blue


def test_shades_follow_the_size():
    """Check the levels of small, medium and large contributions."""
    assert [level_of(value, 1.0) for value in (0, 0.04, 0.05, -0.2, 0.21, -0.99, 1, 3)] == [
        *(0, 0, 1, 1, 2, 5, 5, 5),
    ]
    assert level_of(1.0, 0.0) == 0
    assert level_of(np.nan, 1.0) == 0
    assert [write_number(value) for value in (-0.5, 0.0, np.nan)] == ["−0.50", "+0.00", "unknown"]


def test_words_are_shaded_in_place():
    """Check that the text is complete, and that the sign is in the CSS class and the title."""
    words = [WordContribution(0, 2, "a<", -1.0), WordContribution(3, 4, "b", 0.5)]
    assert shade_text("a< b &", words, 1.0) == (
        '<span class="negative l5" title="−1.00">a&lt;</span> '
        '<span class="positive l3" title="+0.50">b</span> &amp;'
    )


def test_rows_can_be_chosen_and_put_in_order():
    """Check that some rows of an explanation can be shown, in any order."""
    display = _show(rows=[1])
    assert display.texts == ["so bad"]
    assert display.contributions.shape == (1, 1)
    reversed_display = _show(rows=[1, 0])
    assert reversed_display.texts == ["so bad", "good film"]
    np.testing.assert_allclose(reversed_display.contributions, [[2.0, -0.75], [np.nan, 1.25]])


def test_a_turn_that_is_context_only_has_no_class():
    """Check that rows that are not explained have no class and no sums."""
    table = make_explanation()
    text = _Reader(
        ConversationDisplay.from_explanation(table[table["row"] == 1], TEXTS)._repr_html_()
    ).text
    assert text.count("explained") == 1
    assert text.count("own text") == 1
    assert "good film" in text


def test_texts_without_groups_are_shown_one_by_one():
    """Check that rows without groups are listed without bars."""
    texts = ["good film", "bad film"] * 10
    clf = ContextMemoryClassifier(random_state=0).fit(texts, [1, 0] * 10)
    html = ConversationDisplay.from_estimator(clf, ["good", "bad"], [1, 1])._repr_html_()
    text = _Reader(html).text
    assert "predicted 1" in text
    assert "predicted 0" in text
    assert "bar " not in html.split("</style>")[1]


def test_wrong_input_is_named():
    """Check the errors for y of the wrong length and for unknown groups."""
    clf, frame = fit_talks(), talks()
    with pytest.raises(ValueError, match="y has 3 values, but there are"):
        ConversationDisplay.from_estimator(clf, frame, [1, 2, 3], group=3)
    with pytest.raises(ValueError, match="group='none' is not a group of X"):
        ConversationDisplay.from_estimator(clf, frame, group="none")
    with pytest.raises(ValueError, match="y_true has 1 values, but there are 2"):
        _show(y_true=[1])


def test_missing_speakers_and_classes_are_not_shown():
    """Check that missing speakers and true classes are not shown as names or right."""
    html = _show(speakers=[pd.NA, np.nan], y_true=[pd.NA, pd.NA])._repr_html_()
    assert "nan" not in _Reader(html).text
    assert "right" not in _Reader(html).text


@pytest.mark.parametrize(
    ("n_earlier", "error", "match"),
    [
        (True, TypeError, "n_earlier=True must be a number of turns"),
        (2.5, TypeError, "n_earlier=2.5 must be"),
        ("3", TypeError, "n_earlier='3' must be"),
        (None, TypeError, "n_earlier=None must be"),
        (-1, ValueError, "n_earlier=-1 must be at least 0"),
    ],
)
def test_wrong_numbers_of_earlier_turns_are_named(n_earlier, error, match):
    """Check that both ways to make the display refuse them, and an attribute set later."""
    with pytest.raises(error, match=match):
        _show(n_earlier=n_earlier)
    with pytest.raises(error, match=match):
        ConversationDisplay.from_estimator(fit_talks(), talks(), group=3, n_earlier=n_earlier)
    display = _show()
    display.n_earlier = n_earlier
    with pytest.raises(error, match=match):
        display.to_html()


@pytest.mark.parametrize(("n_earlier", "n_bars"), [(0, 0), (np.int64(1), 1), (10**30, 1)])
def test_any_number_of_earlier_turns_is_shown(n_earlier, n_bars):
    """Check none, integers of numpy, and more than there are."""
    assert _show(n_earlier=n_earlier)._repr_html_().count('<span class="bar ') == n_bars


def test_class_names_with_lone_surrogates_are_explained():
    """Check explain, the pages, sessions and their history: str of pandas cannot hold the names."""
    names = ["a\ud800", "b"]
    texts, groups = ["good film", "bad film"] * 10, np.repeat(np.arange(5), 4)
    options = {"max_epochs": 1, "hidden_size": 8, "random_state": 0}
    clf = ContextMemoryClassifier(**options).fit(texts, names * 10, groups=groups)
    lines = clf.explain(texts[:2], groups=[0, 0], target=names[0])
    assert set(lines["target"]) == {names[0]}
    display = ConversationDisplay.from_estimator(clf, texts[:2], groups=[0, 0], target=names[0])
    assert "explained <b>" in display._repr_html_()
    assert display.probabilities == pytest.approx(clf.predict_proba(texts[:2], [0, 0])[:, 0])
    TokenAttributionDisplay.from_estimator(clf, texts[:1], groups=[0], plot=False).to_html()
    session = clf.session()
    assert set(session.top_k_one("good", k=2)["class"]) == set(names)
    assert session.history_["prediction"][0] in names
