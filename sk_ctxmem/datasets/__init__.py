"""Data sets with context: a real one read from the installed packages, and a synthetic one."""

from ._conversations import make_conversations
from ._docstring_sections import load_docstring_sections

__all__ = ["load_docstring_sections", "make_conversations"]
