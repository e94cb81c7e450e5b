"""Benchmarks of ContextMemoryClassifier: ``python -m benchmarks`` and a study a folder."""
