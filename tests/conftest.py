"""Data that several test files share."""

import pytest

from sk_ctxmem.datasets import load_docstring_sections, make_conversations


@pytest.fixture(scope="session")
def docstrings():
    """Real text: the lines of the first 80 docstrings of numpy (text, group, order, target)."""
    frame = load_docstring_sections(packages=("numpy",)).frame
    first = frame["group"].drop_duplicates().iloc[:80]
    frame = frame.loc[frame["group"].isin(first), ["text", "group", "order", "target"]]
    return frame[frame.groupby("target")["group"].transform("nunique") >= 8].reset_index(drop=True)


@pytest.fixture(scope="session")
def talks():
    """Synthetic conversations: only the turn before tells the label of a turn."""
    return make_conversations(150, random_state=0).frame
