"""Tests of the HTML in a browser: its text, its colours, and that no script of a text runs."""

import re
import shutil
import subprocess
from urllib.parse import unquote

import pytest
from _explained import make_explanation

from sk_ctxmem.inspection import ConversationDisplay
from sk_ctxmem.inspection._colors import DARK, LIGHT

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to load a page")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--no-first-run", "--disable-sync", "--window-size=390,800"),
)
ATTACK = "<script>document.body.dataset.attacked = 'yes'</script><img src=x onerror=\"{0}\"> end"
PROBE = """<script>
const block = document.querySelector(".sk-ctxmem-conversation");
const word = block.querySelector("span.negative[title]");
document.body.dataset.ground = getComputedStyle(block).backgroundColor;
document.body.dataset.ink = getComputedStyle(block.querySelector(".text")).color;
document.body.dataset.dashes = getComputedStyle(word).borderBottomStyle;
document.body.dataset.shown = encodeURIComponent(block.querySelector(".text").innerText);
document.body.dataset.width = document.documentElement.scrollWidth - window.innerWidth;
document.body.dataset.paragraph = getComputedStyle(document.querySelector("#other")).color;
</script>"""


def _display(text):
    lines = [(0, text, "wide", "end", 0, -1.0, float("nan"))]
    return ConversationDisplay.from_explanation(make_explanation(lines), [text], speakers=[text])


def _load(page, folder, *options):
    """Return the DOM of the page after the browser ran its scripts."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [CHROMIUM, *OPTIONS, profile, *options, "--dump-dom", path.as_uri()]
    run = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return run.stdout.decode("utf-8")


def _probe(text, folder, *options, theme=""):
    """Return the measurements of PROBE in a page with the block of a text."""
    body = f"<p id='other'>other</p>{_display(text)._repr_html_()}{PROBE}"
    dom = _load(f"<!DOCTYPE html><html {theme}><meta charset='utf-8'>{body}", folder, *options)
    (found,) = re.findall(r"<body([^>]*)>", dom)
    return dict(re.findall(r'data-(\w+)="([^"]*)"', found))


def _rgb(color):
    return f"rgb({', '.join(map(str, color))})"


@needs_chromium
def test_a_script_in_a_text_does_not_run(tmp_path):
    """Check that a script in a text does not run, and that it would run without escaping."""
    text = ATTACK.format("document.body.dataset.attacked = 'yes'")
    found = _probe(text, tmp_path)
    assert unquote(found["shown"]) == text
    assert "attacked" not in found
    without_escape = f"<!DOCTYPE html><body><div>{text}</div>"
    assert 'data-attacked="yes"' in _load(without_escape, tmp_path)


@needs_chromium
def test_a_whole_page_runs_no_script_at_all(tmp_path):
    """Check that the policy of a complete page blocks even a script that is not escaped."""
    page = _display("the end").to_html()
    assert "data-attacked" not in _load(page, tmp_path)
    attack = "<script>document.body.dataset.attacked = 'yes'</script></body>"
    assert "<body>" in _load(page.replace("</body>", attack), tmp_path)


@needs_chromium
@pytest.mark.parametrize(("scheme", "palette"), [(1, LIGHT), (0, DARK)], ids=["light", "dark"])
def test_the_theme_of_the_system_is_followed(scheme, palette, tmp_path):
    """Check the colours in light and dark, the dashes, and that the page itself is unchanged."""
    found = _probe("the end", tmp_path, f"--blink-settings=preferredColorScheme={scheme}")
    assert found["ground"] == _rgb(palette["ground"])
    assert found["ink"] == _rgb(palette["ink"])
    assert found["dashes"] == "dashed"
    assert found["paragraph"] == "rgb(0, 0, 0)"


@needs_chromium
def test_the_theme_of_the_page_overrides_the_system(tmp_path):
    """Check that the theme of the page overrides the theme of the system."""
    light = "--blink-settings=preferredColorScheme=1"
    found = _probe("the end", tmp_path, light, theme="data-theme='dark'")
    assert found["ground"] == _rgb(DARK["ground"])


@needs_chromium
def test_a_phone_needs_no_scrolling_sideways(tmp_path):
    """Check that very long words are wrapped."""
    assert int(_probe("x" * 500 + " the end", tmp_path)["width"]) <= 0
