"""Docstring sections: lines of docstrings, labelled with their numpydoc section."""

from __future__ import annotations

import ast
import gc
import warnings
from contextlib import contextmanager
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.utils import Bunch

from ._bunch import check_choice, make_bunch

DISTRIBUTIONS = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn"}
SUBSETS = ("all", "train", "test")

# Maps each known heading, in lower case, to the label of the lines below it.
SECTIONS = {
    name.lower(): name
    for name in (
        "Parameters",
        "Returns",
        "Notes",
        "Examples",
        "See Also",
        "References",
        "Raises",
        "Attributes",
        "Methods",
    )
} | {
    "parameter": "Parameters",
    "params": "Parameters",
    "arguments": "Parameters",
    "other parameters": "Parameters",
    "class attributes": "Attributes",
    "additional attributes": "Attributes",
    "return": "Returns",
    "note": "Notes",
    "example": "Examples",
    "reference": "References",
}
# Sections too rare to learn: lines with an empty label are dropped.
SECTIONS |= dict.fromkeys(
    ("yields", "receives", "warns", "warnings", "warning", "options", "usage", "authors"), ""
)

DESCR = """\
Docstring sections
==================

Each row is a line of a docstring, and its label is the numpydoc section that contains the line.
Each group is a docstring.

    packages     {packages}
    subset       {subset}
    rows         {n_rows}
    docstrings   {n_groups}
    sections     {target_names}

The lines are read from the installed source files, so other versions of the packages give other
rows. Train and test split share no docstring: one docstring in five is in the test split,
selected by the sha256 of its name.

Licence: NumPy, SciPy and scikit-learn are each distributed under the BSD-3-Clause licence; files
that they include from other projects keep their own licence. This loader copies and downloads
nothing.
"""


def _heading(line):
    """Convert a line to the form of the keys of `SECTIONS`."""
    return line.strip().rstrip(":").lower()


def _is_underline(line):
    line = line.strip()
    return len(line) >= 3 and set(line) in ({"-"}, {"="})


def _label_lines(docstring):
    """Return the `(text, section)` pairs of a docstring, without headings."""
    lines = docstring.splitlines()
    rows = []
    section = "Summary"
    below_heading = False
    for line, next_line in zip(lines, [*lines[1:], ""], strict=True):
        text = line.strip()
        if below_heading:
            below_heading = False
        elif _heading(line) in SECTIONS:
            # "Notes:" without an underline starts no section, but its text could leak a label.
            if _is_underline(next_line):
                section = SECTIONS[_heading(line)]
                below_heading = True
        elif text and section:
            rows.append((text, section))
    return tuple(rows)


def _walk_docstrings(node, name):
    """Yield `(dotted name, docstring)` of the classes and functions below a node."""
    waiting = [(node, name)]  # no recursion: each elif is nested in the one before
    while waiting:
        parent, name = waiting.pop()
        if isinstance(parent, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{name}.{parent.name}"
            docstring = ast.get_docstring(parent)
            if docstring:
                yield name, docstring
        children = list(ast.iter_child_nodes(parent))
        statements = [c for c in children if isinstance(c, ast.stmt | ast.ExceptHandler)]
        waiting += [(child, name) for child in reversed(statements)]


@contextmanager
def _collector_paused():
    """Pause the cyclic garbage collector, which would double the loading time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parse(path):
    """Parse a source file; return an empty module if it is not valid Python."""
    source = path.read_bytes()
    if b"---" not in source:  # no underline, so no section: skip the slow parser
        return ast.Module(body=[], type_ignores=[])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the files of the packages
        try:
            return ast.parse(source)
        # Code that is nested too deeply raises RecursionError or MemoryError.
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ast.Module(body=[], type_ignores=[])


def _package_docstrings(package):
    """Yield `(dotted name, docstring)` from the source files of a package, without import."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"The source files of {package!r} are not found; reinstall it.")
    root = Path(spec.origin).parent
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root.parent)
        if "tests" not in relative.parts:
            parts = relative.with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            yield from _walk_docstrings(_parse(path), ".".join(parts))


def _in_test(group):
    """Return whether a docstring is in the test split; one in five is, by a hash of its name."""
    return int(sha256(group.encode()).hexdigest(), 16) % 5 == 0


@_collector_paused()
def _build_frame(packages):
    """Return one row per line, in the order of packages, files and lines."""
    seen_names, seen_texts = set(), set()
    records: list[tuple] = []
    for package in packages:
        for group, docstring in _package_docstrings(package):
            rows = _label_lines(docstring)
            # Inheritance and vendoring copy docstrings; copies would leak into the test split.
            is_copy = rows in seen_texts or group in seen_names
            if is_copy or len({section for _, section in rows}) < 2:
                continue
            seen_names.add(group)
            seen_texts.add(rows)
            split = "test" if _in_test(group) else "train"
            records.extend(
                (text, group, order, package, split, section)
                for order, (text, section) in enumerate(rows)
            )
    columns = ["text", "group", "order", "package", "split", "target"]
    return pd.DataFrame.from_records(records, columns=columns)


def _check_arguments(subset, packages):
    check_choice("subset", subset, SUBSETS)
    if isinstance(packages, str):
        raise TypeError(
            f"packages={packages!r} must be a tuple of names, not a string; "
            f"use packages=({packages!r},)."
        )
    unknown = [package for package in packages if package not in DISTRIBUTIONS]
    if unknown or not packages:
        raise ValueError(
            f"packages={packages!r} must contain one or more of {tuple(DISTRIBUTIONS)}; "
            "omit it to read all three."
        )


def load_docstring_sections(
    *, subset: str = "all", packages: Any = ("numpy", "scipy", "sklearn")
) -> Bunch:
    """Load lines of numpydoc docstrings, labelled with their section.

    The docstrings are those of the classes, methods and functions of the installed NumPy, SciPy
    and scikit-learn. They are read from the source files; nothing is downloaded or imported. The
    section of a line often depends on the lines before it.

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        The split to return. A hash of its name assigns each docstring as a whole, about 80 % of
        them to train and 20 % to test.

    packages : tuple of {"numpy", "scipy", "sklearn"}, default=("numpy", "scipy", "sklearn")
        The packages to read docstrings from.

    Returns
    -------
    sections : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes.

        frame : DataFrame of shape (n_lines, 6)
            The columns text, group, order, package, split and target.
        data : DataFrame of shape (n_lines, 3)
            The columns text, group (dotted name of the class, method or function) and order (0,
            1, ... within the group).
        target : Series of shape (n_lines,)
            The section of each line.
        target_names : list of str
            The sections in the returned rows, sorted: Attributes, Examples, Methods, Notes,
            Parameters, Raises, References, Returns, See Also and Summary.
        groups : Series of shape (n_lines,)
            The column group.
        DESCR : str
            Description with sizes, versions and licence.

    Notes
    -----
    Surrounding white space is removed, because the indentation of a line would leak its section.
    Headings, their underlines and lines that contain only the name of a section are not rows.
    `order` counts the remaining lines, so that it has no gaps where the headings were.

    Summary includes the extended summary, and Parameters includes Other Parameters. The sections
    Yields, Receives, Warns, Warnings, Options, Usage and Authors are dropped, as are docstrings
    with fewer than two sections. A docstring that occurs several times is kept once.

    Examples
    --------
    >>> from sk_ctxmem.datasets import load_docstring_sections
    >>> sections = load_docstring_sections(packages=("numpy",))
    >>> sections.data.columns.tolist()
    ['text', 'group', 'order']
    >>> sections.target[0]
    'Summary'
    """
    _check_arguments(subset, packages)
    frame = _build_frame(dict.fromkeys(packages))
    if subset != "all":
        frame = frame[frame["split"] == subset].reset_index(drop=True)
    return make_bunch(
        frame,
        DESCR,
        packages=", ".join(f"{DISTRIBUTIONS[p]} {version(DISTRIBUTIONS[p])}" for p in packages),
        subset=subset,
    )
