"""Benchmarks of ContextMemoryClassifier: ``python -m benchmarks``, and one folder per study."""
