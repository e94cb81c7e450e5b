"""Parts of a page that depend on it: the section navigation, and the link to its source."""


def find_source(pagename, suffix):
    """Return the file below docs that a page is written in, or None where it is made."""
    if pagename.startswith("auto_"):  # by sphinx-gallery, from a program or beside it
        suffix = ".rst" if pagename.endswith("/index") else ".py"
        return pagename.removeprefix("auto_") + suffix
    if pagename.startswith("generated/") or not suffix:
        return None
    return pagename + suffix


def adapt(app, pagename, templatename, context, doctree):
    """Leave out an empty section navigation, and link to the file that can be edited."""
    includes = app.env.toctree_includes
    if pagename in includes[app.config.root_doc] and not includes.get(pagename):
        context["sidebars"] = []
    source = find_source(pagename, context.get("page_source_suffix"))
    context["page_source_suffix"] = source and source[source.rindex(".") :]
    context["edit_path"] = source


def setup(app):
    """Run before the theme lays out the page."""
    app.connect("html-page-context", adapt)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
