"""How Sphinx builds these pages: `make docs`. Nothing here needs the network."""

import os
import sys
from pathlib import Path

try:
    import tomllib
except ImportError:  # Python 3.10, for which Sphinx brings its forerunner
    import tomli as tomllib

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]  # this checkout, wherever it is installed

os.environ.setdefault("MPLBACKEND", "Agg")

from sk_ctxmem import __version__  # noqa: E402

project = "sk_ctxmem"
author = "the sk_ctxmem developers"
version = release = __version__
copyright = f"{author}. Version {version}"

PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DOCUMENTATION, REPOSITORY = (PROJECT["urls"][name] for name in ("Documentation", "Repository"))

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "elsewhere",
    "gallery_order",
    "mathml",
    "number_columns",
    "page_parts",
    "search_words",
]
templates_path = ["_templates"]
exclude_patterns = [
    "_build",
    "_templates",
    "examples",
    "tutorials",
    "sg_execution_times.rst",
    "**/sg_execution_times.rst",
]
default_role = "literal"
highlight_language = "text"  # blocks of Python say that they are

# API pages: docs/api.rst names all that is public; the pages are made from the docstrings.
autosummary_generate = True
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # numpydoc has them in words
numpydoc_show_class_members = False  # the template of classes lists them
numpydoc_validation_checks = set()  # tests/test_docstrings.py checks more

extlinks = {"issue": (f"{PROJECT['urls']['Issues']}/%s", "#%s")}  # as towncrier writes them

# Links to other projects are off where there is no network.
if os.environ.get("SK_CTXMEM_INTERSPHINX"):
    extensions.append("sphinx.ext.intersphinx")
intersphinx_mapping = {
    "numpy": ("https://numpy.org/doc/stable", None),
    "pandas": ("https://pandas.pydata.org/docs", None),
    "python": ("https://docs.python.org/3", None),
    "scipy": ("https://docs.scipy.org/doc/scipy", None),
    "sklearn": ("https://scikit-learn.org/stable", None),
}
nitpicky = True
nitpick_ignore_regex = [
    # Base classes and types of other projects, where no intersphinx is at hand.
    ("py:(class|obj)", r"(numpy|pandas|scipy|sklearn|skorch|torch)\..*"),
]

html_math_renderer = "mathml"  # read by browsers themselves: no script of somebody else's
html_theme = "pydata_sphinx_theme"
html_title = f"{project} {version}"
html_static_path = ["_static"]
html_css_files = ["sk_ctxmem.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": project},
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navbar_end": ["version-switcher", "theme-switcher", "navbar-icon-links"],
    "icon_links": [{"name": "GitHub", "url": REPOSITORY, "icon": "fa-brands fa-github"}],
    "secondary_sidebar_items": ["page-toc", "edit-this-page"],
    "use_edit_page_button": True,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
    "switcher": {
        # the newest list, for pages of old versions too
        "json_url": DOCUMENTATION + "_static/switcher.json",
        "version_match": "dev" if os.environ.get("READTHEDOCS_VERSION") == "latest" else version,
    },
    "check_switcher": False,  # it would ask the network
}
html_context = {
    "edit_page_provider_name": "GitHub",
    "edit_page_url_template": REPOSITORY + "/edit/main/docs/{{ edit_path }}{# file_name #}",
}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

ORGANISATION, REPOSITORY_NAME = REPOSITORY.split("/")[-2:]

sphinx_gallery_conf = {
    "binder": {  # notebooks are made there by .binder/postBuild
        "org": ORGANISATION,
        "repo": REPOSITORY_NAME,
        "branch": "main",
        "binderhub_url": "https://mybinder.org",
        "dependencies": "../.binder/requirements.txt",
        "use_jupyter_lab": True,
    },
    "examples_dirs": ["examples", "tutorials"],
    "gallery_dirs": ["auto_examples", "auto_tutorials"],
    "filename_pattern": r"plot_",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sk_ctxmem",),
    "copyfile_regex": r"index\.rst",  # of each gallery
    "minigallery_sort_order": "gallery_order.by_task",
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "remove_config_comments": True,
    "plot_gallery": "True",
    "abort_on_example_error": False,
    "min_reported_time": 0,
}
