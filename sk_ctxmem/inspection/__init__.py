"""Looking at data and models: which labels may be wrong."""

from ._labels import suspect_labels

__all__ = ["suspect_labels"]
