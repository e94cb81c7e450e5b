"""Corpora to compare on."""
