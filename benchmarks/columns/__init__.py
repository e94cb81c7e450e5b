"""Accuracy with columns beside TF-IDF."""
