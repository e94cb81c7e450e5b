"""Tables that commands write into pages of the documentation."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measuring.files import write_atomically

BEGIN = ".. begin {name}: made by {command}, not by hand"
END = ".. end {name}"


def update_page(page: Path, blocks: Mapping[str, str], command: str, only_check: bool) -> int:
    """Write the blocks into a page, or check them; return 1 if a check found others."""
    old = page.read_text(encoding="utf-8")
    new = replace_blocks(old, blocks, command)
    if not only_check:
        write_atomically(page, new.encode())
    elif new != old:
        print(f"{page} says something else than the results; pass --write {page}.", file=sys.stderr)
        return 1
    return 0


def replace_blocks(page: str, blocks: Mapping[str, str], command: str) -> str:
    """Return a page with these blocks between its marks.

    Parameters
    ----------
    page : str
        Text with a line `.. begin <name>: ...` and a line `.. end <name>` for each block.

    blocks : dict of str to str
        Text of each block.

    command : str
        The command that makes them, which the marks name.
    """
    for name, block in blocks.items():
        begin, end = BEGIN.format(name=name, command=command), END.format(name=name)
        between = rf"(?s)(?<={re.escape(begin)}\n\n).*?(?=\n\n{re.escape(end)}\n)"
        if not re.search(between, page):
            raise ValueError(f"the page has no lines {begin!r} and {end!r}, one below another.")
        page = re.sub(between, lambda _, block=block: block, page)
    return page


def rst_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a simple table of reStructuredText."""
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    cells = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([rule, cells[0], rule, *cells[1:], rule])
