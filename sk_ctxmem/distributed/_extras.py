"""Imports of packages that only some users have."""

from importlib import import_module


def import_extra(module, extra, function):
    """Import a module of an optional package, or say how to install it.

    Parameters
    ----------
    module : str
        The module.
    extra : str
        The extra of this package that brings it.
    function : str
        Name of the function that needs it.

    Returns
    -------
    module : module
        The module.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{function} needs {module.partition('.')[0]}, which cannot be imported ({error}); "
            f'run: pip install "sk-ctxmem[{extra}]"'
        ) from error
