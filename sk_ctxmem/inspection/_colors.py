"""Colours of contributions: blue is for the class, orange against it, for all eyes.

Each is told apart by more than its colour too: what speaks against a class is underlined or
framed by dashes. The text keeps a contrast of 4.5 and more on all of them (a test).
"""

import numpy as np

N_LEVELS = 5  # of shading, beside none
LEAST_SHADED = 0.05  # of the largest contribution: what is less is not shaded
SHARES = (0.0, 0.12, 0.22, 0.32, 0.42, 0.52)  # of the colour in the ground, by level

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
    """Return how strongly to shade a contribution, from 0 to N_LEVELS.

    Parameters
    ----------
    contribution : float
        The contribution.
    largest : float
        The largest one in size of all that are shown.

    Returns
    -------
    level : int
        0 for no shade.
    """
    if not largest > 0 or not abs(contribution) >= LEAST_SHADED * largest:
        return 0
    return min(N_LEVELS, int(np.ceil(N_LEVELS * abs(contribution) / largest)))


def sign_of(contribution):
    """Return the name of the colour of a contribution."""
    return "positive" if contribution >= 0 else "negative"


def largest_of(values):
    """Return the largest value in size, NaN left out; 0 if there is none."""
    sizes = np.abs(np.asarray(values, dtype=float)).ravel()
    return float(np.max(sizes, initial=0.0, where=~np.isnan(sizes)))


def write_number(value):
    """Return a contribution with its sign, as it is shown everywhere."""
    return "unknown" if np.isnan(value) else f"{value:+.2f}".replace("-", "−")
