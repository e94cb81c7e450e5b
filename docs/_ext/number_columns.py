"""Mark the columns of numbers in tables, which the style sheet aligns to the right."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

NUMBER = r"[<>~±+−-]? ?[$]?[.]?\d[\d,.]*( ?([×x]|ms|us|s|min|h|[kMG]?B|[MG]iB)\b)?( ?%)?"
NUMBERS = re.compile(rf"[(]?{NUMBER}(( |±|/|–|-|to|or|[(;)])+{NUMBER})*[)]?")
MISSING = {"", "–", "-", "—", "not run"}


def find_columns(rows):
    """Return the places of the columns whose cells are numbers, but for a few, or missing."""
    if len({len(row) for row in rows}) != 1:  # cells that span others
        return []
    found = []
    for i, column in enumerate(zip(*rows, strict=True)):
        there = [text for text in column if text not in MISSING]
        n_numbers = sum(NUMBERS.fullmatch(text) is not None for text in there)
        if n_numbers > 0.7 * len(there):
            found.append(i)
    return found


class NumberColumns(SphinxPostTransform):
    """Give the cells of such columns, and their heads, the class ``number``."""

    default_priority = 900

    def run(self):
        """Mark all tables of a page."""
        for group in self.document.findall(nodes.tgroup):
            bodies = list(group.findall(nodes.tbody))
            rows = [row.children for body in bodies for row in body.children]
            heads = [row.children for head in group.findall(nodes.thead) for row in head.children]
            numbers = find_columns([[cell.astext().strip() for cell in row] for row in rows])
            if numbers and 0 not in numbers:
                group.parent["classes"].append("numbers")  # the first column names the row
            for i in numbers:
                for row in [*heads, *rows]:
                    if i < len(row):
                        row[i]["classes"].append("number")


def setup(app):
    """Mark them when a page is written."""
    app.add_post_transform(NumberColumns)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
