"""Words of a text drawn with matplotlib: measured, wrapped over lines, and shaded."""

from functools import cache

from ._colors import LIGHT, N_LEVELS, blend, level_of, sign_of
from ._wrapping import wrap_pieces

WIDTH, LINE, MARGIN = 7.0, 0.29, 1.0  # inches: of a figure, of a line, of title and legend
TITLE, LEGEND, LEGEND_LINE = 0.45, 0.18, 0.225  # inches: of the margin, and in it
MOST_LINES = 40
MOST_PIECES = 5000  # words and spaces: more than these lines can hold


def draw_text(ax, pieces, largest, *, title, legend, fontsize, fit_figure):
    """Draw a title, words on as many lines as they need, and a legend.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw.
    pieces : list of (str, float)
        Words and what stands between them, with contributions.
    largest : float
        The contribution of the strongest shade.
    title : str
        The title.
    legend : list of (str, float)
        Words of the legend, with the contribution whose shade they have.
    fontsize : float
        Size of the letters in points.
    fit_figure : bool
        Whether the figure is ours, to be made as high as the text needs.

    Returns
    -------
    drawn : list of matplotlib Text
        The words.
    """
    ax.set_axis_off()
    if fit_figure:  # all the width, so that lines can be measured before they are placed
        ax.figure.set_layout_engine("none")
        ax.set_position((0.02, 0, 0.96, 1))
    lines = wrap_pieces(pieces[:MOST_PIECES], _measure(ax, fontsize))
    step = LINE * fontsize / 11
    if fit_figure:
        ax.figure.set_size_inches(WIDTH, MARGIN + step * min(len(lines), MOST_LINES))
    height = ax.get_window_extent().height / ax.figure.dpi
    lines = _cut_lines(lines, int((height - MARGIN) / step + 1e-6))
    _put(ax, 0, 1 - TITLE / 2 / height, title, None, fontsize=fontsize, weight="bold")
    drawn = []
    for number, line in enumerate(lines):
        y = 1 - (TITLE + (number + 0.5) * step) / height
        for x, piece, contribution in line:
            drawn.append(_put(ax, x, y, piece, _box(contribution, largest), fontsize=fontsize))
    y = 1 - (TITLE + len(lines) * step + LEGEND) / height
    _draw_legend(ax, y, LEGEND_LINE / height, legend, largest, fontsize - 2.5)
    return drawn


def _cut_lines(lines, n_lines):
    """Return the lines that there is room for, the last one an ellipsis if not all."""
    n_lines = max(1, n_lines)
    return lines if len(lines) <= n_lines else [*lines[: n_lines - 1], [(0.0, "…", 0.0)]]


def _put(ax, x, y, text, box, **style):
    """Draw text that is no formula at a place of the axes."""
    style = {"transform": ax.transAxes, "va": "center", "parse_math": False, "bbox": box} | style
    return ax.text(x, y, text, **style)


def _measure(ax, fontsize):
    """Return a function that gives the width of a piece of text as a share of the axes."""
    width = ax.get_window_extent().width

    @cache
    def measure_pixels(piece):
        sample = ax.text(0, 0, piece, fontsize=fontsize, parse_math=False)
        extent = sample.get_window_extent().width
        sample.remove()
        return extent

    # between bars, or spaces at the ends would have no width
    return lambda piece: (measure_pixels(f"|{piece}|") - measure_pixels("||")) / width


def _draw_legend(ax, y, step, legend, largest, fontsize):
    """Draw words side by side, or below where there is no room."""
    measure = _measure(ax, fontsize)
    start = x = 0.008
    for words, value in legend:
        if x > start and x + measure(words) > 1:
            x, y = start, y - step
        _put(ax, x, y, words, _box(value, largest), fontsize=fontsize, color="0.25")
        x += measure(words) + 0.02


def _box(contribution, largest):
    """Return the ground of a piece of text: shaded, and framed by dashes if it speaks against."""
    level = level_of(contribution, largest)
    if not level:
        return None
    name = sign_of(contribution)
    face = [part / 255 for part in blend(LIGHT, name, level)]
    edge = [part / 255 for part in blend(LIGHT, name, N_LEVELS)]
    return {
        "boxstyle": "square,pad=0.12",
        "facecolor": face,
        "edgecolor": face if name == "positive" else edge,
        "linewidth": 0.8,
        "linestyle": "-" if name == "positive" else "--",
    }
