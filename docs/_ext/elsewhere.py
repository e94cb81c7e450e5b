"""Links to scikit-learn and NumPy, made by rule, so that no build asks the network for lists."""

from docutils import nodes

SKLEARN = "https://scikit-learn.org/stable/"
NUMPY = "https://numpy.org/doc/stable/"
SET_OUTPUT = "auto_examples/miscellaneous/plot_set_output.html"
LABELS = {  # what docstrings of methods that come from scikit-learn refer to
    "metadata_routing": "metadata_routing.html",
    "df_output_transform": SET_OUTPUT,
    "sphx_glr_auto_examples_miscellaneous_plot_set_output.py": SET_OUTPUT,
}


def find_address(node):
    """Return where a reference to something of these projects leads, or None."""
    target = node["reftarget"]
    if node.get("refdomain") == "std" and node["reftype"] == "term":
        return f"{SKLEARN}glossary.html#term-{target}"
    if node.get("refdomain") == "std" and target in LABELS:
        return SKLEARN + LABELS[target]
    if target.startswith("sklearn."):
        return f"{SKLEARN}modules/generated/{target}.html"
    if target.startswith("numpy."):
        return f"{NUMPY}reference/generated/{target}.html"
    return None


def resolve(app, env, node, text):
    """Make a link of a reference that no page of ours answers."""
    address = find_address(node)
    if address is None:
        return None
    if text.astext() == node["reftarget"] and node["reftarget"] in LABELS:
        text = nodes.inline("", "its guide")
    return nodes.reference("", "", text, internal=False, refuri=address)


def setup(app):
    """Answer what Sphinx cannot."""
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
