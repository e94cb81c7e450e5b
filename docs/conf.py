"""How Sphinx builds these pages: `make docs`. Nothing here needs the network."""

import os
import sys
from pathlib import Path

import tomllib

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]  # this checkout, wherever it is installed

os.environ.setdefault("MPLBACKEND", "Agg")

from sk_ctxmem import __version__  # noqa: E402

project = "sk_ctxmem"
author = "the sk_ctxmem developers"
copyright = author
version = release = __version__

PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REPOSITORY = PROJECT["urls"]["Repository"]

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
    "mathml",
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
suppress_warnings = ["config.cache"]  # the order of the gallery is a class, which has no pickle

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
html_sidebars = {"try_it": []}  # it has no pages below it, and needs the room
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "header_links_before_dropdown": 5,
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
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
    "within_subsection_order": "gallery_order.QuestionOrder",
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "remove_config_comments": True,
    "plot_gallery": "True",
    "abort_on_example_error": False,
    "min_reported_time": 0,
}
