"""Accuracy beside logistic regression on small tasks of every kind of features."""
