"""Tests of functions that the page of recipes gives away: they keep what the page promises."""

import re
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "recipes.rst"


def read_function(name):
    """Return a function that a block of the page defines."""
    text = PAGE.read_text(encoding="utf-8")
    block = next(part for part in text.split(".. code-block:: python\n") if f"def {name}(" in part)
    lines = re.search(rf"^( *)def {name}\(.*?(?=\n\n\n|\Z)", block, re.DOTALL | re.MULTILINE)[0]
    names = {"np": np, "pd": pd}
    exec(textwrap.dedent(lines), names)
    return names[name]


def draw_conversations(rng, n_groups):
    """Return probabilities, classes and groups, with lower probabilities in long conversations."""
    sizes = rng.randint(1, 30, n_groups)
    groups = np.repeat(np.arange(n_groups), sizes)
    own = rng.rand(len(groups)) ** np.where(sizes > 20, 3, 1)[groups]
    y = rng.randint(0, 2, len(groups))
    probabilities = np.empty((len(groups), 2))
    probabilities[np.arange(len(y)), y] = own
    probabilities[np.arange(len(y)), 1 - y] = 1 - own
    return probabilities, y, groups


@pytest.mark.parametrize(("n_groups", "alpha", "highest"), [(40, 0.1, 0.925), (19, 0.1, 0.952)])
def test_conformal_sets_cover_what_they_promise(n_groups, alpha, highest):
    """Check the coverage of a row of a new conversation, over 500 draws of the calibration."""
    conformal_threshold = read_function("conformal_threshold")
    rng = np.random.RandomState(0)
    covered = []
    for _ in range(500):
        threshold = conformal_threshold(
            *draw_conversations(rng, n_groups), classes=np.array([0, 1]), alpha=alpha
        )
        probabilities, y, groups = draw_conversations(rng, 50)
        is_covered = probabilities[np.arange(len(y)), y] >= threshold
        covered.append(pd.Series(is_covered).groupby(groups).mean().mean())
    assert 1 - alpha - 0.005 < np.mean(covered) < highest


def test_too_few_conversations_give_sets_of_all_classes():
    """Check that eight conversations promise nothing for one in ten."""
    conformal_threshold = read_function("conformal_threshold")
    calibration = draw_conversations(np.random.RandomState(0), 8)
    assert conformal_threshold(*calibration, classes=np.array([0, 1]), alpha=0.1) == 0
