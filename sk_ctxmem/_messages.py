"""Links to the documentation, warnings that point to the caller, and optional imports."""

import os
import re
import sys
import warnings
from importlib import import_module

DOCUMENTATION = "https://sk-ctxmem.readthedocs.io/en/stable/"
# the placeholders are those of scikit-learn
API_PAGE = DOCUMENTATION + "generated/{estimator_module}.{estimator_name}.html"
TROUBLESHOOTING = DOCUMENTATION + "user_guide/troubleshooting.html"


def doc_link(section):
    """Return a sentence that links to a section of the troubleshooting page.

    Parameters
    ----------
    section : str
        Label of a section of docs/user_guide/troubleshooting.rst.

    Returns
    -------
    sentence : str
        The sentence, with a leading space.
    """
    return f" See {TROUBLESHOOTING}#{section}"


def _is_skipped(frame):
    """Return whether a frame is of this package, or of a decorator of its functions."""
    name = frame.f_globals.get("__name__", "")
    is_decorator = name == "contextlib" or name.startswith("sklearn.callback.")
    return name.partition(".")[0] == "sk_ctxmem" or is_decorator


def warn_caller(message, category):
    """Issue a warning that points to the calling line outside this package.

    Parameters
    ----------
    message : str
        Message of the warning.
    category : type
        Category of the warning.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and _is_skipped(frame):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def refuse_url(path, name, remedy):
    """Raise ValueError if a path is a URL, which the operating system takes for a folder.

    Parameters
    ----------
    path : str or path-like
        Path that should be local.
    name : str
        Name of the argument for the error message.
    remedy : str
        What to do instead.
    """
    # pathlib.Path makes one slash of two; drives of Windows have one letter
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.-]+:(?=/)", os.fspath(path))
    if scheme and not os.path.isdir(scheme.group()):
        raise ValueError(
            f"{name}={os.fspath(path)!r} is a URL, but a local path was expected; {remedy}."
        )


def import_optional(module, extra, needed_by):
    """Import a module of an optional dependency, or raise with the install command.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        Extra of this package that installs it.
    needed_by : str
        Function or program that needs it, for the error message.

    Returns
    -------
    module : module
        Imported module.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{needed_by} needs {module.partition('.')[0]}, which cannot be imported ({error}); "
            f'run: pip install "sk-ctxmem[{extra}]"'
        ) from error
