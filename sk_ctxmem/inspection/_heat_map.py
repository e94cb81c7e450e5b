"""Parts of a heat map in which rows explain rows: diagonal, cells, and columns of numbers."""

import numpy as np
import pandas as pd

from ._colors import write_number

NUMBER_WIDTH = 0.5  # inches of a column of numbers
LABELS_WIDTH = 4.0  # inches of the labels of the rows, the colorbar and margins
NUMBER_SIZE = 7  # points
MAX_LABELS = 40  # of rows; of more rows, some are labelled
BRIGHTNESS = (0.299, 0.587, 0.114)  # of red, green and blue


def hatch_diagonal(ax, n_rows):
    """Hatch the cells on the diagonal."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    cells = [Rectangle((row - 0.5, row - 0.5), 1, 1) for row in range(n_rows)]
    hatched = PatchCollection(cells, facecolor="0.88", edgecolor="0.65", linewidth=0, hatch="////")
    ax.add_collection(hatched)


def write_cells(ax, im, values, write):
    """Write values into their cells, in black or white, whichever is readable.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes of the heat map.
    im : AxesImage
        The heat map.
    values : ndarray of shape (n_rows, n_rows)
        Its values; nothing is written for NaN.
    write : callable
        Returns the text of a value.

    Returns
    -------
    texts : ndarray of shape (n_rows, n_rows), object
        The texts; None for NaN.
    """
    texts = np.full(values.shape, None, dtype=object)
    for row, column in np.argwhere(~np.isnan(values)):
        value = values[row, column]
        is_dark = np.dot(im.cmap(im.norm(value))[:3], BRIGHTNESS) < 0.55
        color = "white" if is_dark else "black"
        texts[row, column] = _write(ax, column, row, write(value), color, NUMBER_SIZE)
    return texts


def write_columns(ax, numbers, start, step):
    """Write columns of numbers to the right of the cells, which end at `start`.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes of the heat map.
    numbers : DataFrame of shape (n_rows, n_columns)
        The numbers; nothing is written for NaN.
    start : float
        Where the cells end.
    step : float
        Width of a column, in cells.

    Returns
    -------
    texts : DataFrame of shape (n_rows, n_columns), object
        The texts; None for NaN.
    """
    end = start + step * numbers.shape[1]
    ax.set_xlim(-0.5, end)
    ax.axvspan(start, end, color="white", zorder=0.5)
    ax.axvline(start, color="black", linewidth=1)
    size = min(font_size(ax, len(numbers)), NUMBER_SIZE)
    texts = pd.DataFrame(None, index=numbers.index, columns=numbers.columns, dtype=object)
    for row, column in np.argwhere(numbers.notna().to_numpy()):
        place, written = start + step * (column + 0.5), write_number(numbers.iat[row, column])
        texts.iat[row, column] = _write(ax, place, row, written, "black", size)
    return texts


def _write(ax, x, y, text, color, size):
    """Write a text into the middle of a cell."""
    return ax.text(x, y, text, ha="center", va="center", fontsize=size, color=color)


def column_width(ax, n_rows, n_columns):
    """Return the width of a column of numbers in cells, from what the layout will leave."""
    width = ax.get_window_extent().width / ax.figure.dpi
    cells = max(1.25 * width - LABELS_WIDTH - n_columns * NUMBER_WIDTH, 1.0)
    return max(1.0, NUMBER_WIDTH * n_rows / cells)


def font_size(ax, n_rows):
    """Return the size of numbers and labels of rows that fits the height of their cells."""
    height = 72 * ax.get_window_extent().height / ax.figure.dpi
    return float(np.clip(0.8 * height / min(n_rows, MAX_LABELS), 4, 8))


def labelled(n_rows, most=MAX_LABELS):
    """Return the rows that are labelled, evenly spaced."""
    return np.arange(0, n_rows, -(-n_rows // most))
