"""Formulas as MathML, which browsers read themselves; docutils translates them from LaTeX."""

from docutils.utils.math import pick_math_environment
from docutils.utils.math.latex2mathml import tex2mathml


def visit_math(translator, node):
    """Write a formula that stands in a line of text."""
    translator.body.append(tex2mathml(node.astext()))


def depart_math(translator, node):
    """Write nothing more: the formula is whole."""


def visit_display_math(translator, node):
    """Write a formula that stands by itself; wide ones scroll."""
    formula = node.astext()
    environment = pick_math_environment(formula)
    code = rf"\begin{{{environment}}}{formula}\end{{{environment}}}"
    translator.body.append(f'<div class="math">{tex2mathml(code, as_block=True)}</div>')


def setup(app):
    """Offer the renderer to html_math_renderer of conf.py."""
    app.add_html_math_renderer(
        "mathml", (visit_math, depart_math), (visit_display_math, depart_math)
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
