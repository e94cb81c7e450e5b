"""Measuring: fits and their measures, the versions and files of their results, and processes."""
