"""What any classifier of texts in their context can be held to."""

from ._battery import CONTEXT_CHECKS, check_context_classifier, parametrize_with_context_checks
from ._promises import ContextPromises

__all__ = [
    "CONTEXT_CHECKS",
    "ContextPromises",
    "check_context_classifier",
    "parametrize_with_context_checks",
]
