"""Comparison with tuned linear baselines. May import all rooms that `_tuning` may, and it."""
