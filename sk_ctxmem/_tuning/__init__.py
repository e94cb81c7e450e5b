"""ContextMemoryClassifierCV: search for parameters within a budget."""

from ._classifier_cv import ContextMemoryClassifierCV

__all__ = ["ContextMemoryClassifierCV"]
