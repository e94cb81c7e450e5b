"""Fits in one process and in two, and a model of fits in more."""
