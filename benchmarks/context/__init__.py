"""Accuracy by the length of the context."""
