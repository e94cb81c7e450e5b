"""Explanations of predictions: the mathematics and the table of explain."""

from ._explanation import explain

__all__ = ["explain"]
