"""Speed and memory against TF-IDF with logistic regression: ``python -m benchmarks.speed``."""
