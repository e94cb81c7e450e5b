"""HTML of conversations, safe for any text, class or name.

Every string of the user is escaped. The HTML has no scripts, links or external resources, and the
policy of a complete page makes the browser refuse them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

import numpy as np

from .._input._arrays import is_missing
from ._colors import level_of, sign_of, write_number
from ._rows import clean, shorten
from ._styles import BLOCK, PAGE, style_sheet

LABEL_WIDTH = 40  # characters of an earlier text beside its bar
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


@dataclass
class Turn:
    """Values that the HTML shows of one row.

    Parameters
    ----------
    number : int
        Number of the turn.
    text : str
        Text of the turn.
    words : list of WordContribution
        Words to shade.
    speaker : object or None
        The speaker.
    target : object
        The explained class; None for a turn that is only context.
    probability : float
        Probability of that class; NaN if not known.
    prediction : object or None
        The predicted class; None if not known.
    truth : object or None
        The true class, which may be None; see `has_truth`.
    has_truth : bool
        Whether to show the true class.
    earlier : list of (int, str, float)
        Number, text and contribution of other turns.
    sums : dict of str to float
        Sums of contributions by where they come from.
    """

    number: int
    text: str
    words: list = field(default_factory=list)
    speaker: object = None
    target: object = None
    probability: float = np.nan
    prediction: object = None
    truth: object = None
    has_truth: bool = False
    earlier: list[tuple[int, str, float]] = field(default_factory=list)
    sums: dict = field(default_factory=dict)


class HTMLDisplay:
    """Mixin of the Displays that notebooks show as HTML."""

    def to_html(self, title: str = "Explanation") -> str:
        """Return a complete HTML page.

        Parameters
        ----------
        title : str, default="Explanation"
            Title of the page.

        Returns
        -------
        html : str
            The page; write it to a file as UTF-8. It loads nothing from elsewhere.
        """
        return render_page(self._repr_html_(), title)

    def _repr_html_(self):
        raise NotImplementedError


def render_block(turns, largest_word, largest_turn):
    """Return the HTML block of a conversation, for a notebook or a page.

    Parameters
    ----------
    turns : list of Turn
        The turns to show.
    largest_word, largest_turn : float
        The largest absolute contributions, which scale the shades and the bars.

    Returns
    -------
    html : str
        One div with its style sheet.
    """
    parts = [_render_turn(turn, largest_word, largest_turn) for turn in turns]
    return "\n".join(
        [
            f'<div class="{BLOCK}">',
            f"<style>\n{style_sheet()}\n</style>",
            _render_legend(largest_word),
            '<div role="list">',
            *parts,
            "</div>\n</div>",
        ]
    )


def render_page(block, title):
    """Return a complete page around a block.

    Parameters
    ----------
    block : str
        HTML of the block.
    title : str
        Title of the page, not yet escaped.

    Returns
    -------
    html : str
        The page.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_show(title)}</title>\n<style>{PAGE}</style>\n</head>\n<body>\n{block}\n"
        "</body>\n</html>\n"
    )


def shade_text(text, words, largest):
    """Return the HTML of a text with shaded words.

    Parameters
    ----------
    text : str
        The text.
    words : list of WordContribution
        The words to shade, in the order of the text.
    largest : float
        The contribution with the strongest shade.

    Returns
    -------
    html : str
        The escaped text, with spans around words.
    """
    parts, end = [], 0
    for word in words:
        level = level_of(word.contribution, largest)
        if level and word.start >= end:
            parts.append(_show(text[end : word.start]))
            shown = _show(text[word.start : word.end])
            name, amount = sign_of(word.contribution), write_number(word.contribution)
            parts.append(f'<span class="{name} l{level}" title="{amount}">{shown}</span>')
            end = word.end
    return "".join([*parts, _show(text[end:])])


def _show(value):
    """Return a value as escaped HTML, with characters that are not valid in a page replaced."""
    return escape(clean(value))


def _isolate(value):
    """Return a value whose writing direction does not affect its neighbours."""
    return f'<bdi dir="auto">{_show(value)}</bdi>'


def _render_legend(largest):
    amount = f"up to {write_number(largest)[1:]}" if largest else "none here"
    return (
        '<p class="legend"><span><span class="positive l4">&nbsp;blue&nbsp;</span> for the class,'
        '</span> <span><span class="negative l4">&nbsp;orange, dashed&nbsp;</span> against it:'
        f"</span> contributions to the log-odds, {amount}.</p>"
    )


def _render_turn(turn, largest_word, largest_turn):
    text = shade_text(turn.text, turn.words, largest_word)
    text = text if turn.text.strip() else '<span class="empty">no text</span>'
    parts = [_render_head(turn), f'<div class="text" dir="auto" lang="">{text}</div>']
    if turn.earlier:
        bars = "".join(_render_bar(*one, largest=largest_turn) for one in turn.earlier)
        parts.append(f'<div class="earlier">{bars}</div>')
    if turn.sums:
        named = turn.sums.items()  # names of columns are of the user
        sums = " · ".join(f"{_show(name)} {write_number(value)}" for name, value in named)
        parts.append(f'<p class="sums">{sums}</p>')
    return f'<div class="turn" role="listitem">{"".join(parts)}</div>'


def _render_head(turn):
    parts = [f'<span class="number">{turn.number}</span>']
    if not is_missing(turn.speaker):
        parts.append(f"<span>{_isolate(turn.speaker)}</span>")
    if turn.prediction is not None:
        parts.append(f"<span>predicted <b>{_isolate(turn.prediction)}</b></span>")
    if turn.target is not None:
        parts += _render_target(turn)
    if turn.has_truth:
        parts.append(_render_truth(turn))
    return f'<div class="head">{"".join(parts)}</div>'


def _render_truth(turn):
    """Return the true class, or a mark if the prediction is right."""
    if turn.prediction is None:
        return f"<span>true class <b>{_isolate(turn.truth)}</b></span>"
    if not is_missing(turn.truth) and turn.truth == turn.prediction:
        return "<span>✓ right</span>"
    return f"<span>✗ true class <b>{_isolate(turn.truth)}</b></span>"


def _render_target(turn):
    """Return the probability of the explained class, and its name if it is not the prediction."""
    chance = hover = ""
    if not np.isnan(turn.probability):
        chance = f"{100 * turn.probability:.0f} %"
        hover = f' title="probability {turn.probability:.4f}"'
    if turn.target != turn.prediction:
        return [f"<span{hover}>explained <b>{_isolate(turn.target)}</b> {chance}</span>"]
    return [f"<span{hover}>{chance}</span>"] * bool(chance)


def _render_bar(number, text, contribution, *, largest):
    """Return the three cells of an earlier turn: its text, its contribution and its bar."""
    share = min(100.0, 100 * abs(contribution) / largest) if largest else 0.0
    amount, label = write_number(contribution), _show(shorten(text, LABEL_WIDTH))
    hover = f' title="turn {number}: {amount}"'
    return (
        f'<span class="from"{hover}><span>turn {number}</span> '
        f'<bdi dir="auto" lang="">{label}</bdi></span>'
        f'<span class="amount">{amount}</span><span class="track"{hover}>'
        f'<span class="bar {sign_of(contribution)}" style="width: {share:.1f}%"></span></span>'
    )
