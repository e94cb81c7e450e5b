"""Reliability under hostile files, load and kills: ``python -m benchmarks.reliability``."""
