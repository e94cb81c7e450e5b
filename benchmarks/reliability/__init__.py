"""What holds under attack, under load and after a kill: python -m benchmarks.reliability."""
