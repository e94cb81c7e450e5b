"""Searches for parameters, against one another in the same time."""
