"""Colours of contributions: blue for the class, orange against it.

Colour-blind readers can tell them apart, and the sign is never shown by colour alone: contributions
against a class are hatched or have a dashed underline. Text has a contrast of at least 4.5 on every
shade; a test checks it.
"""

import numpy as np

N_LEVELS = 5  # of shading, besides no shading
MIN_SHADED = 0.05  # fraction of the largest contribution; smaller ones are not shaded
OPACITY = (0.0, 0.12, 0.22, 0.32, 0.42, 0.52)  # of the colour over the background, by level

LIGHT = {
    "ground": (255, 255, 255),
    "ink": (27, 27, 27),
    "faint": (89, 89, 89),
    "line": (208, 208, 208),
    "positive": (33, 102, 172),
    "negative": (217, 95, 2),
}
DARK = {
    "ground": (22, 24, 29),
    "ink": (236, 239, 244),
    "faint": (170, 176, 186),
    "line": (70, 74, 82),
    "positive": (88, 160, 240),
    "negative": (232, 134, 40),
}


def level_of(contribution, largest):
    """Return the level of shading of a contribution, from 0 to N_LEVELS.

    Parameters
    ----------
    contribution : float
        The contribution.
    largest : float
        The largest absolute contribution shown.

    Returns
    -------
    level : int
        0 for no shading.
    """
    if not largest > 0 or not abs(contribution) >= MIN_SHADED * largest:
        return 0
    return min(N_LEVELS, int(np.ceil(N_LEVELS * abs(contribution) / largest)))


def sign_of(contribution):
    """Return the name of the colour of a contribution."""
    return "positive" if contribution >= 0 else "negative"


def largest_of(values):
    """Return the largest absolute value, ignoring NaN; 0 if there is none."""
    sizes = np.abs(np.asarray(values, dtype=float)).ravel()
    return float(np.max(sizes, initial=0.0, where=~np.isnan(sizes)))


def write_number(value):
    """Return a contribution with its sign, as all Displays show it."""
    return "unknown" if np.isnan(value) else f"{value:+.2f}".replace("-", "−")
