"""Links to the documentation, warnings that point to the caller, and optional imports."""

import sys
import warnings
from importlib import import_module

DOCUMENTATION = "https://sk-ctxmem.readthedocs.io/en/stable/"
API_PAGE = DOCUMENTATION + "generated/{estimator_module}.{estimator_name}.html"  # scikit-learn's
TROUBLESHOOTING = DOCUMENTATION + "user_guide/troubleshooting.html"


def doc_link(section):
    """Return the end of a message: where to read more.

    Parameters
    ----------
    section : str
        Label of a section of docs/user_guide/troubleshooting.rst.

    Returns
    -------
    sentence : str
        With a space before it.
    """
    return f" See {TROUBLESHOOTING}#{section}"


def warn_caller(message, category):
    """Warn with the line of code, outside this package, that called it.

    Parameters
    ----------
    message : str
        The message.
    category : type
        The category of the warning.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("sk_ctxmem"):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def import_optional(module, extra, needed_by):
    """Import a module of an optional dependency, or say how to install it.

    Parameters
    ----------
    module : str
        Dotted name of the module.
    extra : str
        The extra of this package that installs it.
    needed_by : str
        The function or program that needs it, as the message names it.

    Returns
    -------
    module : module
        The module.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{needed_by} needs {module.partition('.')[0]}, which cannot be imported ({error}); "
            f'run: pip install "sk-ctxmem[{extra}]"'
        ) from error
