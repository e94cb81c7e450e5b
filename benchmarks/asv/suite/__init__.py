"""Benchmarks of asv: time, memory and accuracy over the history of the repository."""
