"""Links to the documentation, and the message for an optional package that is missing."""

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
