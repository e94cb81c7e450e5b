"""What counted for a prediction: the mathematics and the table of explain."""

from ._explanation import ExplanationMixin

__all__ = ["ExplanationMixin"]
