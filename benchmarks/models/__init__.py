"""Models to compare: the baselines and context memory."""
