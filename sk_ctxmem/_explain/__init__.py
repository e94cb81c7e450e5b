"""Explanations of predictions."""

from ._explanation import explain

__all__ = ["explain"]
