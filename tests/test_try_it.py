"""Tests of the page "Try it in the browser": its JavaScript against Python, and its figures."""

import json
import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from benchmarks.browser.model import describe_model, encode_array, make_small, round_table
from benchmarks.browser.texts import EDGES, make_conversations, make_texts
from benchmarks.browser.vectors import make_vectors
from sk_ctxmem.datasets import make_conversations as draw_conversations

DOCS = Path(__file__).parents[1] / "docs"
STATIC = DOCS / "_static"
NODE = shutil.which("node")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
needs_node = pytest.mark.skipif(NODE is None, reason="there is no Node to run JavaScript")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to load a page")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--no-first-run", "--disable-sync"),
)
CLASSES_OF_POINTS = r"""
require(process.argv[1]);
const { isWordPart, isSpace } = SkCtxmem;
const found = { word: [], space: [], lower: {} };
for (let point = 0; point < 0x110000; point++) {
  const character = String.fromCodePoint(point);
  if (isWordPart(character)) found.word.push(point);
  if (isSpace(character)) found.space.push(point);
  if (character.toLowerCase() !== character) found.lower[point] = character.toLowerCase();
}
console.log(JSON.stringify(found));
"""


def _run_node(*arguments):
    run = subprocess.run([NODE, *arguments], capture_output=True, timeout=120, check=True)
    return run.stdout.decode("utf-8")


def _check_report(report):
    """Check that a report says what the page promises: the same ids, values and probabilities."""
    texts, turns, times = report.strip().splitlines()
    assert re.match(r"1000 texts, \d+ features: same ids and values", texts)
    assert float(re.search(r"difference ([\d.e+-]+)", texts)[1]) < 1e-6
    assert turns.startswith("40 conversations, 885 turns")
    assert float(turns.split()[-1]) < 2e-6
    assert re.fullmatch(r"a turn takes [\d.]+ ms \(median of 100\), [\d.]+ ms \(worst\)", times)


@needs_node
def test_javascript_computes_what_python_computes():
    """Check the features of 1,000 texts and the probabilities of 885 turns, in Node."""
    _check_report(_run_node(STATIC / "try_it_check.js"))


@needs_node
@pytest.mark.filterwarnings("ignore::sk_ctxmem.exceptions.UnknownSpeakersWarning")
def test_a_model_that_was_just_fitted_is_the_same_in_javascript(tmp_path):
    """Check the way from a fit to the scripts, with other weights than those of the page."""
    data = draw_conversations(n_conversations=60, random_state=0).frame
    data["order"], data["speaker"] = range(len(data)), np.resize(["user", "system"], len(data))
    small = make_small().fit(data[["text", "group", "order", "speaker"]], data["target"])
    longest = int(data.groupby("group").size().max())
    values = {
        "SK_CTXMEM_MODEL": describe_model(small, *round_table(small), longest),
        "SK_CTXMEM_VECTORS": make_vectors(small),
    }
    scripts = [f"globalThis.{name} = {json.dumps(value)};" for name, value in values.items()]
    for name, script in zip(("weights", "vectors"), scripts, strict=True):
        (tmp_path / f"try_it_{name}.js").write_text(script, "utf-8")
    for name in ("model", "check"):
        shutil.copy(STATIC / f"try_it_{name}.js", tmp_path)
    _check_report(_run_node(tmp_path / "try_it_check.js"))


@needs_node
def test_characters_are_of_the_same_kinds():
    """Check all code points: only those that this Python does not know may differ."""
    found = json.loads(_run_node("-e", CLASSES_OF_POINTS, STATIC / "try_it_model.js"))
    characters = [chr(point) for point in range(0x110000)]
    word = {point for point, one in enumerate(characters) if re.match(r"\w", one)}
    space = {point for point, one in enumerate(characters) if one.isspace()}
    lower = {point: one.lower() for point, one in enumerate(characters) if one.lower() != one}
    found_lower = {int(point): text for point, text in found["lower"].items()}
    differ = word ^ set(found["word"]) | space ^ set(found["space"])
    differ |= {p for p in lower | found_lower if lower.get(p) != found_lower.get(p)}
    unknown = {point for point in differ if unicodedata.category(chr(point)) == "Cn"}
    # a letter that this Python knows may have got a small letter since, which it does not know
    got = {p for p in differ - unknown if unicodedata.category(found_lower.get(p, "a")[0]) == "Cn"}
    assert differ - unknown - got == set()


def _load(page, *options):
    command = [CHROMIUM, *OPTIONS, *options, "--dump-dom", page]
    return subprocess.run(command, capture_output=True, timeout=120, check=True).stdout.decode()


@pytest.fixture
def page(tmp_path):
    """Return the address of the page without its theme, and the options to load it."""
    shutil.copytree(STATIC, tmp_path / "_static")
    body = (STATIC / "try_it.html").read_text("utf-8")
    path = tmp_path / "try_it.html"
    path.write_text(f"<!DOCTYPE html><meta charset='utf-8'><body>{body}", encoding="utf-8")
    return path.as_uri(), f"--user-data-dir={tmp_path / 'profile'}"


@needs_chromium
@pytest.mark.slow
def test_the_page_checks_itself_in_a_browser(page):
    """Check the report of the page, opened as a file."""
    address, profile = page
    dom = _load(f"{address}#check", profile, "--window-size=390,844")
    _check_report(re.search(r'<pre class="tryit-report"[^>]*>([^<]*)<', dom)[1])


@needs_chromium
def test_the_page_shows_one_text_with_three_meanings(page):
    """Check the first example: its labels, bars, the turns that counted, and what is read out."""
    dom = _load(*page)
    labels = re.findall(r'tryit-meaning">([^<]*)<', dom)
    assert labels == ["takes the offer", "agrees to the action", "confirms the details"]
    assert dom.count('<li class="tryit-bar">') == 5
    assert re.search(r'tryit-number">\+\d', dom)
    assert "Predicted: confirms the details" in re.search(r'role="status"[^>]*>([^<]*)<', dom)[1]


def test_the_page_has_the_figures_of_the_model():
    """Check accuracies, sizes and counts of the page against those that the benchmark wrote."""
    figures = json.loads((STATIC / "try_it_figures.json").read_text())
    text = (DOCS / "try_it.rst").read_text("utf-8")
    assert figures["part"] == "test"
    for name in ("rows", "turns", "conversations", "small_weights", "past_weights", "none_weights"):
        assert f"{figures[name]:,}" in text, name
    found = re.findall(r"([\d.]+) %$", text, re.MULTILINE)
    assert [float(share) for share in found] == [figures[k] for k in ("small", "past", "none")]
    assert f"there are {figures['classes']}." in text
    weights = STATIC / "try_it_weights.js"
    assert weights.stat().st_size == figures["bytes"] < 2e6
    assert f"{figures['bytes'] / 1e6:.1f} MB" in text
    assert "CC BY-SA 4.0" in weights.read_text("ascii")[:400]


def test_the_scripts_are_short_and_load_nothing():
    """Check the lines of the vectorizer and the step, and that no script has an address outside."""
    model = (STATIC / "try_it_model.js").read_text("utf-8")
    assert len(model.splitlines()) < 300
    for name in ("try_it_model.js", "try_it.js", "try_it_check.js", "try_it.css", "try_it.html"):
        text = (STATIC / name).read_text("utf-8")
        assert not re.search(r"https?:|fetch\(|innerHTML|import\(|eval\(", text), name


def test_texts_are_the_same_each_time():
    """Check that texts and conversations depend on the words alone, and have the edge cases."""
    words = ["yes", "please", "no"]
    texts = make_texts(words)
    assert texts == make_texts(words)
    assert len(texts) == 1000
    assert set(EDGES) <= set(texts)
    assert make_conversations(texts) == make_conversations(texts)


def test_arrays_are_written_as_little_endian_bytes():
    """Check an array of two numbers, which JavaScript reads as they are."""
    assert encode_array(np.array([1, 256], dtype=">u2")) == {"dtype": "uint16", "data": "AQAAAQ=="}
    table = np.arange(6, dtype=np.float32).reshape(2, 3).T
    assert encode_array(table) == encode_array(np.array([[0, 3], [1, 4], [2, 5]], np.float32))
