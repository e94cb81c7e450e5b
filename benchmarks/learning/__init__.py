"""Accuracy by the number of training rows."""
