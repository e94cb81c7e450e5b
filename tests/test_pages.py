"""Tests of the pages under docs: their code runs, and what they refer to is there."""

import ast
import doctest
import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NOT_WRITTEN = {"_build", "_templates", "auto_examples", "examples", "generated"}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
CODE = r"^ *(\.\. code-block:: python|```python|>>> )"
BLOCK = r"^( *)(?:\.\. code-block:: (?!python|pycon)\w+|(?!\.\.).*::)\n\n((?:\1 +\S.*\n|\n)+)"


def _pages(*suffixes):
    """List the pages that people wrote, not those that Sphinx made of something else."""
    paths = sorted(path for suffix in suffixes for path in DOCS.rglob(f"*{suffix}"))
    return [path for path in paths if path.relative_to(DOCS).parts[0] not in NOT_WRITTEN]


def _ids(path):
    return str(path.relative_to(DOCS))


def _read_examples(path):
    """Return the blocks of Python and the doctests of a page, in one namespace."""
    pytest.importorskip("sybil")
    from sybil.document import Document
    from sybil.parsers.myst import DocTestDirectiveParser
    from sybil.parsers.myst import PythonCodeBlockParser as MarkdownBlocks
    from sybil.parsers.rest import DocTestParser, PythonCodeBlockParser

    parsers = [PythonCodeBlockParser(), DocTestParser(OPTIONS)]
    if path.suffix == ".md":
        parsers = [MarkdownBlocks(doctest_optionflags=OPTIONS), DocTestDirectiveParser(OPTIONS)]
    return list(Document.parse(str(path), *parsers))


PAGES = _pages(".rst", ".md")
WITH_CODE = [page for page in PAGES if re.search(CODE, page.read_text(encoding="utf-8"), re.M)]


@pytest.mark.parametrize("path", WITH_CODE, ids=_ids)
def test_code_runs(path, tmp_path, monkeypatch):
    """Check that the code of a page runs, one block after another, and says what it says there."""
    examples = _read_examples(path)
    assert examples
    monkeypatch.chdir(tmp_path)  # files are written
    monkeypatch.setenv("MPLBACKEND", "Agg")
    for example in examples:
        example.evaluate()


def _looks_like_python(block):
    """Tell whether a block is code that could be run."""
    try:
        nodes = list(ast.walk(ast.parse(textwrap.dedent(block))))
    except SyntaxError:
        return False
    return any(isinstance(node, ast.Call | ast.Import | ast.ImportFrom) for node in nodes)


@pytest.mark.parametrize("path", PAGES, ids=_ids)
def test_blocks_of_python_say_that_they_are(path):
    """Check that no code is kept from the test by standing in a block without its language."""
    text = path.read_text(encoding="utf-8")
    blocks = [block for _, block in re.findall(BLOCK, text, re.MULTILINE)]
    if path.suffix == ".md":
        blocks = re.findall(r"^```(?!python)\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        blocks += re.findall(r"(?:^    .*\n)+", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    assert [block for block in blocks if _looks_like_python(block)] == []
