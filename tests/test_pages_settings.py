"""Tests of the page of settings: what it names exists, and each row gives its figures' page."""

import re
from inspect import signature
from pathlib import Path

import sk_ctxmem
from sk_ctxmem import ContextMemoryClassifier

PAGE = Path(__file__).parents[1] / "docs" / "settings.rst"


def read_rows():
    """Return the cells of each row of the table, without its head."""
    table = PAGE.read_text(encoding="utf-8").split(".. begin settings")[1]
    rows = table.split(".. end settings")[0].split("   * - ")[2:]
    return [re.split(r"\n     - ", row) for row in rows]


def test_each_row_has_three_cells_and_a_link():
    """Check that each row says what, how and why, and links to a page that says more."""
    rows = read_rows()
    assert len(rows) >= 12
    for situation, settings, reason in rows:
        assert situation, settings
        assert re.search(r":(doc|ref):`", reason), reason


def test_parameters_of_the_settings_exist():
    """Check each `name=` against the constructor of what it is a parameter of."""
    named = set()
    for _, settings, reason in read_rows():
        for code in re.findall(r"``([^`]*)``", settings + reason):
            called = re.search(r"(\w+)\(([^()]*(?:\([^()]*\)[^()]*)*)\)", code)
            if called and hasattr(sk_ctxmem, called[1]):
                _check(getattr(sk_ctxmem, called[1]), _keywords(called[2]))
                code = code.replace(called[0], "")
            elif called:
                continue
            names = _keywords(code)
            _check(ContextMemoryClassifier, names)
            named |= names
    assert {"group_column", "context", "embedder", "class_weight", "word_memory"} <= named


def _keywords(code):
    """Return the names before an equals sign."""
    return set(re.findall(r"(\w+)=(?!=)", code))


def _check(function, names):
    """Check that a class has these parameters."""
    assert names <= set(signature(function).parameters), (function, names)
