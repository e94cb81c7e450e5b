"""Comparison of ContextMemoryClassifier with logistic regression: ``python -m benchmarks``."""
