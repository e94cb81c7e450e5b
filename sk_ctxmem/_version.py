"""The version of the package, on its own so that all parts may import it."""

__version__ = "0.1.0"
