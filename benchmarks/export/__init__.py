"""Exported models against the classifiers that they were exported from."""
