"""Lines of the docstrings of installed packages, labelled with their numpydoc section."""

import ast
import gc
import warnings
from contextlib import contextmanager
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from sklearn.utils import Bunch

DISTRIBUTIONS = {"numpy": "numpy", "scipy": "scipy", "sklearn": "scikit-learn"}
SUBSETS = ("all", "train", "test")

# Every heading that is recognised, in lower case, and the label of the lines below it.
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
# Sections too rare to learn: the empty label leaves their lines out.
SECTIONS |= dict.fromkeys(
    ("yields", "receives", "warns", "warnings", "warning", "options", "usage", "authors"), ""
)

DESCR = """\
Docstring sections
==================

Each row is one line of a docstring, and its label is the numpydoc section that the line
stands in. A group is one docstring.

    packages     {packages}
    subset       {subset}
    rows         {n_rows}
    docstrings   {n_groups}
    sections     {sections}

The lines are read from the installed source files, so another version of a package gives
other rows. Train and test share no docstring: the sha256 of a docstring's name sends one in
five to the test part.

Licence: NumPy, SciPy and scikit-learn are each distributed under the BSD-3-Clause licence;
files that they include from other projects keep the licence stated there. Nothing is copied
or downloaded by this loader.
"""


def _heading(line):
    """Give a line in the form in which `SECTIONS` lists headings."""
    return line.strip().rstrip(":").lower()


def _is_underline(line):
    line = line.strip()
    return len(line) >= 3 and set(line) in ({"-"}, {"="})


def _label_lines(docstring):
    """Return the `(text, section)` pairs of a docstring, headings left out."""
    lines = docstring.splitlines()
    rows = []
    section = "Summary"
    below_heading = False
    for line, next_line in zip(lines, [*lines[1:], ""], strict=True):
        text = line.strip()
        if below_heading:
            below_heading = False
        elif _heading(line) in SECTIONS:
            # A bare "Notes:" without an underline starts no section, but would tell its own name.
            if _is_underline(next_line):
                section = SECTIONS[_heading(line)]
                below_heading = True
        elif text and section:
            rows.append((text, section))
    return tuple(rows)


def _walk_docstrings(node, name):
    """Yield `(dotted name, docstring)` of the classes and functions below a node."""
    waiting = [(node, name)]  # no recursion: a chain of elif is as deep as it is long
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
    """Pause the cyclic garbage collector, which would double the time of reading."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parse(path):
    """Parse a source file, or return an empty module where it is not valid Python."""
    source = path.read_bytes()
    if b"---" not in source:  # no underline, so no section: parsing is what takes the time
        return ast.Module(body=[], type_ignores=[])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in other people's files
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):  # or nested too deeply
            return ast.Module(body=[], type_ignores=[])


def _package_docstrings(package):
    """Yield `(dotted name, docstring)` of all source files of a package, without importing it."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"The source files of {package!r} are not found; install it anew.")
    root = Path(spec.origin).parent
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root.parent)
        if "tests" not in relative.parts:
            parts = relative.with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            yield from _walk_docstrings(_parse(path), ".".join(parts))


def _in_test(group):
    """Send one docstring in five to the test part, whatever the order of the files."""
    return int(sha256(group.encode()).hexdigest(), 16) % 5 == 0


@_collector_paused()
def _build_frame(packages):
    """Return one row per line, in the order of packages, files and lines."""
    seen_names, seen_texts = set(), set()
    records: list[tuple] = []
    for package in packages:
        for group, docstring in _package_docstrings(package):
            rows = _label_lines(docstring)
            # Copies of a docstring, as inheritance and vendoring make them, would leak into test.
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
    if subset not in SUBSETS:
        raise ValueError(f"subset={subset!r} must be one of {SUBSETS}; use 'all' if unsure.")
    if isinstance(packages, str):
        raise TypeError(
            f"packages={packages!r} must be a tuple of names, not one string; "
            f"use packages=({packages!r},)."
        )
    unknown = [package for package in packages if package not in DISTRIBUTIONS]
    if unknown or not packages:
        raise ValueError(
            f"packages={packages!r} must name one or more of {tuple(DISTRIBUTIONS)}; "
            "leave it out to read all three."
        )


def load_docstring_sections(*, subset="all", packages=("numpy", "scipy", "sklearn")):
    """Load the lines of numpydoc docstrings, labelled with the section that they stand in.

    The docstrings are those of the classes, methods and functions of the installed NumPy,
    SciPy and scikit-learn. They are read from the source files: nothing is downloaded and
    nothing is imported. What a line is often shows only in the lines before it.

    Parameters
    ----------
    subset : {"all", "train", "test"}, default="all"
        The part to return. Whole docstrings are in one part or the other: about 80 % in
        train, 20 % in test, by a hash of the docstring's name.

    packages : tuple of {"numpy", "scipy", "sklearn"}, default=("numpy", "scipy", "sklearn")
        The packages whose docstrings are read.

    Returns
    -------
    sections : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes.

        frame : DataFrame of shape (n_lines, 6)
            The columns text, group, order, package, split and target.
        data : DataFrame of shape (n_lines, 3)
            The columns text, group (the dotted name of the docstring's owner) and order
            (0, 1, ... within the group).
        target : Series of shape (n_lines,)
            The section of each line.
        target_names : list of str
            The sections that occur, sorted: Attributes, Examples, Methods, Notes,
            Parameters, Raises, References, Returns, See Also and Summary.
        groups : Series of shape (n_lines,)
            The column group.
        DESCR : str
            Description with sizes, versions and licence.

    Notes
    -----
    The text is stripped of surrounding white space, because the indentation of a line would
    give away its section. Headings and their underlines are not rows, nor is any line that
    consists of a section's name alone; `order` counts the remaining lines, so that a gap does
    not show where a heading stood.

    Summary includes the extended summary. Other Parameters counts as Parameters; the lines of
    Yields, Receives, Warns, Warnings, Options, Usage and Authors are left out. A docstring
    with fewer than two sections is left out, and one that occurs several times is kept once.

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
    target_names = sorted(frame["target"].unique())
    descr = DESCR.format(
        packages=", ".join(f"{DISTRIBUTIONS[p]} {version(DISTRIBUTIONS[p])}" for p in packages),
        subset=subset,
        n_rows=len(frame),
        n_groups=frame["group"].nunique(),
        sections=", ".join(target_names),
    )
    return Bunch(
        frame=frame,
        data=frame[["text", "group", "order"]],
        target=frame["target"],
        target_names=target_names,
        groups=frame["group"],
        DESCR=descr,
    )
