"""Pages whose tables are written by a command, and tables of reStructuredText."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measuring.files import write_atomically

BEGIN = ".. begin {name}: made by python -m benchmarks.{study}, not by hand"
END = ".. end {name}"


def add_page_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--write`` and ``--check``, each with a page."""
    pages = parser.add_mutually_exclusive_group()
    pages.add_argument("--write", type=Path, metavar="PAGE", help="replace the tables of a page")
    pages.add_argument(
        "--check", type=Path, metavar="PAGE", help="end with status 1 if its tables are others"
    )


def update(page: Path, blocks: dict[str, str], study: str, only_check: bool) -> int:
    """Write the blocks into a page, or check them; return 1 if a check found others."""
    old = page.read_text(encoding="utf-8")
    new = replace_blocks(old, blocks, study)
    if not only_check:
        write_atomically(page, new.encode())
    elif new != old:
        print(f"{page} says something else than the results; pass --write {page}.", file=sys.stderr)
        return 1
    return 0


def replace_blocks(page: str, blocks: dict[str, str], study: str) -> str:
    """Return a page with these blocks between its marks.

    Parameters
    ----------
    page : str
        Text with a line `.. begin <name>: ...` and a line `.. end <name>` for each block.

    blocks : dict of str to str
        Text of each block.

    study : str
        Name of the study whose command writes them.
    """
    for name, block in blocks.items():
        begin, end = BEGIN.format(name=name, study=study), END.format(name=name)
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
