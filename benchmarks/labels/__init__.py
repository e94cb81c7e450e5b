"""Wrong labels that `suspect_labels` finds."""
