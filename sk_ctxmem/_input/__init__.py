"""Checks of what the user passes: X, y, groups, weights and parameters. No torch."""
