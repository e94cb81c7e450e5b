"""A directive that shows examples as cards, in the order in which they are named.

The index.rst beside the examples is the one place that groups and orders them.
"""

import re
from pathlib import Path

from sphinx.directives.other import TocTree


def read_order(folder):
    """Return the names of the examples that the index of a folder has, in their order."""
    text = (Path(folder) / "index.rst").read_text(encoding="utf-8")
    return re.findall(r"^   (plot_\w+)$", text, re.MULTILINE)


def by_task(path):
    """Return the sort key of an example: its place in the index, those of tutorials first."""
    path = Path(path)
    return path.parent.name != "tutorials", read_order(path.parent).index(path.stem)


class Gallery(TocTree):
    """Cards of the examples that are named, which are pages of the navigation too."""

    def run(self):
        """Return a hidden table of contents and the cards."""
        self.options["hidden"] = None
        folder = Path(self.env.docname).parent.name.removeprefix("auto_")
        files = [f"   {folder}/{name}.py" for name in self.content]
        cards = "\n".join([".. minigallery::", "", *files])
        return super().run() + self.parse_text_to_nodes(cards)


def setup(app):
    """Offer the directive."""
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
