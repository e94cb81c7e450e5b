"""Live sessions: agreement with `predict_proba`, and the time and memory of a turn."""
