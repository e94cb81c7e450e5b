"""Tests of the pages under docs: their code runs, and what they refer to is there."""

import ast
import doctest
import json
import pkgutil
import re
import runpy
import textwrap
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from unittest import SkipTest

import numpy as np
import pytest

import sk_ctxmem
from sk_ctxmem import ContextMemoryClassifier, MissingGroupsWarning, TextSequenceVectorizer
from sk_ctxmem._messages import DOCUMENTATION, TROUBLESHOOTING, doc_link

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
NOT_WRITTEN = {
    "_build",
    "_templates",
    "auto_examples",
    "auto_tutorials",
    "examples",
    "generated",
    "tutorials",
}
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
    from sybil.parsers.rest import DocTestParser, PythonCodeBlockParser, SkipParser

    parsers = [PythonCodeBlockParser(), DocTestParser(OPTIONS), SkipParser()]
    if path.suffix == ".md":
        parsers = [MarkdownBlocks(doctest_optionflags=OPTIONS), DocTestDirectiveParser(OPTIONS)]
    return list(Document.parse(str(path), *parsers))


PAGES = _pages(".rst", ".md")
WITH_CODE = [page for page in PAGES if re.search(CODE, page.read_text(encoding="utf-8"), re.M)]


@pytest.mark.slow  # `make docs` runs these, before it builds the pages
@pytest.mark.parametrize("path", WITH_CODE, ids=_ids)
def test_code_runs(path, tmp_path, monkeypatch):
    """Check that the code of a page runs, one block after another, and says what it says there."""
    examples = _read_examples(path)
    assert examples
    monkeypatch.chdir(tmp_path)  # files are written
    monkeypatch.setenv("MPLBACKEND", "Agg")
    for example in examples:
        with suppress(SkipTest):  # of the next block alone, with its reason in the page
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


def test_the_picture_has_the_numbers_of_the_quick_start(tmp_path, monkeypatch):
    """Check that the models of that page say what the first page draws, to five points."""
    pictures = [DOCS / "_static" / name for name in ("memory.svg", "memory_narrow.svg")]
    wide, narrow = (re.findall(r"(\d+) %</text>", path.read_text("utf-8")) for path in pictures)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    tutorial = DOCS / "tutorials" / "plot_quick_start.py"
    for cell in tutorial.read_text(encoding="utf-8").split("# %%\n"):
        if "talk" in names:
            break
        exec(compile(cell, tutorial, "exec"), names)
    alone = names["lr"].predict_proba(["Yes."])[[0, 0], :2]
    in_context = names["clf"].predict_proba(names["talk"])[[1, 3], :2]
    assert names["clf"].classes_[:2].tolist() == ["answer", "decision"]
    found = [*alone[0], *in_context[0], *alone[1], *in_context[1]]
    assert wide == narrow
    assert [float(share) for share in wide] == pytest.approx(100 * np.array(found), abs=5)


@pytest.mark.parametrize("gallery", ["examples", "tutorials"])
def test_each_example_has_its_place_in_the_gallery(gallery):
    """Check that the index names the examples that are there, once each, in the order of cards."""
    pytest.importorskip("sphinx")
    order = runpy.run_path(str(DOCS / "_ext" / "gallery_order.py"))
    names = order["read_order"](DOCS / gallery)
    paths = list(DOCS.glob(f"{gallery}/plot_*.py"))
    assert sorted(names) == sorted(path.stem for path in paths)
    assert [path.stem for path in sorted(paths, key=order["by_task"])] == names


def test_the_first_page_quotes_the_accuracies():
    """Check that its figures are those of the sentences which the benchmarks write."""
    page = " ".join((DOCS / "index.rst").read_text("utf-8").split())
    figures = r"(\d+ %) fewer errors .*? (\d+ %) fewer than the best of them, and (\d+ %) with"
    (quoted,) = re.findall(figures, page)
    sentence = r"Ours, {}, errors fewer than {}: .*where rows have groups, (\d+ %) on the mean"
    accuracy = (DOCS / "accuracy.rst").read_text("utf-8")
    asked = [("past", "``lr``"), ("past", "the best baseline"), ("both", "the best baseline")]
    assert quoted == tuple(re.search(sentence.format(*pair), accuracy)[1] for pair in asked)


def test_the_version_can_be_chosen():
    """Check that the list of versions has this one, below the address of the documentation."""
    versions = json.loads((DOCS / "_static" / "switcher.json").read_text("utf-8"))
    assert sk_ctxmem.__version__ in [entry["version"] for entry in versions]
    root = DOCUMENTATION.removesuffix("stable/")
    assert all(entry["url"].startswith(root) for entry in versions)


@pytest.mark.parametrize(
    ("page", "suffix", "source"),
    [
        ("scaling", ".md", "scaling.md"),
        ("auto_examples/plot_forecast", ".rst", "examples/plot_forecast.py"),
        ("auto_tutorials/index", ".rst", "tutorials/index.rst"),
        ("generated/sk_ctxmem.ContextSession", ".rst", None),
        ("search", None, None),
    ],
)
def test_a_page_can_be_edited_where_it_was_written(page, suffix, source):
    """Check the file that the link of a page leads to, and that made pages have none."""
    found = runpy.run_path(str(DOCS / "_ext" / "page_parts.py"))["find_source"](page, suffix)
    assert found == source
    assert source is None or (DOCS / source).exists()


def test_the_search_leads_to_pages_that_are_there():
    """Check the pages that words of the search lead to, and that no word has two."""
    pages = runpy.run_path(str(DOCS / "_ext" / "search_words.py"))["PAGES"]
    words = [word for found in pages.values() for word in found]
    assert len(words) == len(set(words))
    for page in pages:
        source = page.removeprefix("auto_")  # a page of the gallery is a program
        assert any((DOCS / f"{source}{suffix}").exists() for suffix in (".rst", ".md", ".py"))


@pytest.mark.parametrize(
    ("cells", "is_number"),
    [
        (["89.3", "–", "> 60"], True),
        (["35.7 ± 0.9", "78.0 (9.8; 9)", "1,330"], True),
        (["11175 / 2026 / 1349", "7 or 3"], True),
        (["0.1.0", "3 rows"], False),
        (["–", ""], False),
        (["76.9", "not run"], True),
    ],
)
def test_columns_of_numbers_are_found(cells, is_number):
    """Check what the style sheet aligns to the right."""
    pytest.importorskip("sphinx")
    pages = runpy.run_path(str(DOCS / "_ext" / "number_columns.py"))
    rows = [["name", cell] for cell in cells]
    assert pages["find_columns"](rows) == ([1] if is_number else [])


def _public_modules():
    """List the package, and the modules of it that have public names."""
    found = ["sk_ctxmem"]
    for module in pkgutil.iter_modules(sk_ctxmem.__path__, "sk_ctxmem."):
        is_private = module.name.rpartition(".")[2].startswith("_")
        if not is_private and hasattr(import_module(module.name), "__all__"):
            found.append(module.name)
    return found


def _names_of_the_reference():
    """Return the dotted names that docs/api.rst has a page for, or describes itself."""
    names, module = [], ""
    for line in (DOCS / "api.rst").read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule:: "):
            module = line.split()[-1]
        elif match := re.match(r"(?: {3}|\.\. data:: )(\w+)$", line):
            names.append(f"{module}.{match[1]}")
    return names


def test_the_reference_has_every_public_name():
    """Check that docs/api.rst names what the modules offer, once each, and nothing else."""
    offered = [
        f"{name}.{item}" for name in _public_modules() for item in import_module(name).__all__
    ]
    assert sorted(_names_of_the_reference()) == sorted(offered)


def _labels(page):
    """Return the names by which sections of a page can be linked to."""
    return re.findall(r"^\.\. _([\w-]+):$", page.read_text(encoding="utf-8"), re.MULTILINE)


def _sections_that_messages_name():
    """Return each word that a module of the package passes to `doc_link`."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "sk_ctxmem").rglob("*.py")]
    return sorted(
        {name for text in sources for name in re.findall(r"\bdoc_link\([\"'](.*?)[\"']\)", text)}
    )


@pytest.mark.parametrize("section", _sections_that_messages_name())
def test_messages_lead_to_a_section_that_is_there(section):
    """Check that the address in a message has its page and its section."""
    address, _, anchor = doc_link(section).removeprefix(" See ").partition("#")
    page = DOCS / address.removeprefix(DOCUMENTATION).replace(".html", ".rst")
    assert anchor in _labels(page)


def test_the_most_common_errors_have_a_section():
    """Check that the list is not empty because it is not found any more."""
    assert {"missing-groups", "columns", "training-diverged"} < set(_sections_that_messages_name())


def test_a_warning_ends_with_its_address():
    """Check that a user reads where to read more."""
    X = ["yes", "no"] * 20
    clf = ContextMemoryClassifier(max_epochs=1, hidden_size=4).fit(X, X, groups=[1, 2] * 20)
    with pytest.warns(
        MissingGroupsWarning, match=f" See {re.escape(TROUBLESHOOTING)}#missing-groups$"
    ):
        clf.predict(X)


@pytest.mark.parametrize("estimator", [ContextMemoryClassifier(), TextSequenceVectorizer()])
def test_a_notebook_links_to_the_page_of_the_estimator(estimator):
    """Check that the HTML of an estimator leads to a page that docs/api.rst asks for."""
    name = f"sk_ctxmem.{type(estimator).__name__}"
    address = f"{DOCUMENTATION}generated/{name}.html"
    assert f'href="{address}"' in estimator._repr_html_()
    assert name in _names_of_the_reference()


def test_a_class_of_somebody_else_has_no_link_to_ours():
    """Check that a subclass in another module is not looked for in our reference."""

    class Derived(ContextMemoryClassifier):
        pass

    assert DOCUMENTATION not in Derived()._repr_html_()


def test_the_address_is_that_of_the_project():
    """Check that what the index of packages shows is what messages name."""
    tomllib = pytest.importorskip("tomllib", reason="in Python since 3.11")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Documentation"] == DOCUMENTATION


def test_the_request_of_the_page_is_accepted_by_the_service():
    """Check that the id of its conversation fits the pattern of the application."""
    page = (DOCS / "user_guide" / "serving.rst").read_text("utf-8")
    (body,) = re.findall(r"--json '(.*)'", page)
    (pattern,) = re.findall(
        r'conversation: .*pattern=r"(.*)"', (DOCS / "serving" / "app.py").read_text("utf-8")
    )
    assert re.search(pattern, json.loads(body)["conversation"])
