"""Comparison of ContextMemoryClassifier with tuned baselines: ``python -m benchmarks``."""
