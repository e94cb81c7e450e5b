"""Accuracy by how far back the word lies that decides."""
