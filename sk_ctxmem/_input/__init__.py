"""Input validation: X, y, groups, weights and parameters. Imports no room and no torch."""
