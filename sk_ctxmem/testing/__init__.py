"""Checks for classifiers of texts in context, with any implementation."""

from ._battery import CONTEXT_CHECKS, check_context_classifier, parametrize_with_context_checks
from ._promises import ContextPromises

__all__ = [
    "CONTEXT_CHECKS",
    "ContextPromises",
    "check_context_classifier",
    "parametrize_with_context_checks",
]
