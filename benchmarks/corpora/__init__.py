"""Corpora to compare on, in one form: the embedded docstring sections and the user's files."""
