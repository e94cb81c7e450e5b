"""Formulas as MathML, which browsers read themselves; docutils translates them from LaTeX."""

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml


def visit_math(translator, node):
    """Write a formula that stands in a line of text."""
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode  # or its LaTeX would follow


def visit_display_math(translator, node):
    """Write a formula that stands by itself; wide ones scroll."""
    formula = tex2mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="math">{formula}</div>')
    raise nodes.SkipNode


def setup(app):
    """Offer the renderer to html_math_renderer of conf.py."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_display_math, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
