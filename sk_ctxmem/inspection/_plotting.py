"""Helpers of the Displays that draw with matplotlib, which is imported only then."""

from .._messages import import_optional
from ._colors import LIGHT


def get_axes(name, ax, figsize):
    """Return the axes of the user, or the axes of a new figure.

    Parameters
    ----------
    name : str
        Name of the Display that draws.
    ax : matplotlib Axes or None
        Axes of the user.
    figsize : tuple of (float, float)
        Width and height of a new figure in inches.

    Returns
    -------
    ax : matplotlib Axes
        The axes.
    """
    pyplot = import_optional("matplotlib.pyplot", "inspection", f"{name}.plot")
    if ax is None:
        _, ax = pyplot.subplots(figsize=figsize, layout="constrained")
    return ax


def to_matplotlib(name, opacity=1.0):
    """Return a colour of the light palette as red, green, blue and opacity from 0 to 1."""
    return (*(part / 255 for part in LIGHT[name]), opacity)


def diverging_colors():
    """Return the colormap from orange (against the class) over white to blue (for it)."""
    from matplotlib.colors import LinearSegmentedColormap

    colors = [to_matplotlib(name) for name in ("negative", "ground", "positive")]
    return LinearSegmentedColormap.from_list("sk_ctxmem", colors)
