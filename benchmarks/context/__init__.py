"""Accuracy by the number of rows of a group that are seen together."""
