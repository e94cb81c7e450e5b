"""Checks of the built pages: `python docs/_ext/check_links.py docs/_build/html`.

Sphinx knows of links that it made itself. This one reads what came out, pictures and raw HTML
included: every address inside must be there, and nothing may be loaded from outside.
"""

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}


class Page(HTMLParser):
    """The names and the addresses of a page."""

    def __init__(self, text):
        super().__init__()
        self.names, self.links, self.loaded = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note what the page offers, where it leads, and what it loads."""
        attributes = dict(attrs)
        self.names |= {attributes.get("id"), attributes.get("name")}
        for name in ("href", "src"):
            address = attributes.get(name)
            if address is not None:
                self.links.append(address)
            if (tag, name) in LOADED and attributes.get("rel") not in {"canonical", "next", "prev"}:
                self.loaded.append(address or "")


def read_pages(root):
    """Return the pages below a folder by their paths, without templates of the theme."""
    paths = [path for path in sorted(root.rglob("*.html")) if "_static" not in path.parts]
    return {path: Page(path.read_text(encoding="utf-8")) for path in paths}


def find_problems(root):
    """List the addresses that lead nowhere, and those that are loaded from outside."""
    pages = read_pages(root)
    problems = []
    for path, page in pages.items():
        outside = [url for url in page.loaded if urlsplit(url).scheme in {"http", "https"}]
        problems += [f"{path.relative_to(root)} loads {url}" for url in outside]
        broken = [url for url in page.links if not _is_there(url, path, pages)]
        problems += [
            f"{path.relative_to(root)} leads to {url}, which is not there" for url in broken
        ]
    return problems


def _is_there(url, path, pages):
    """Tell whether an address leads outside, or to a file and a name that exist."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return True
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
    if target.is_dir():
        target = target / "index.html"
    if not parts.fragment or target not in pages:
        return target.is_file()
    return unquote(parts.fragment) in pages[target].names


if __name__ == "__main__":
    found = find_problems(Path(sys.argv[1]).resolve())
    sys.exit("\n".join(found) or 0)
