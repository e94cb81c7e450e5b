"""Names of the models of a comparison."""

NEEDS_GROUPS = "lr-window"
BASELINES = ("lr", NEEDS_GROUPS, "svm")
OURS = "context-memory"
CONTEXTS = ("past", "both", "none")
TUNED = "context-memory (tuned)"
MODELS = (*BASELINES, OURS, TUNED)


def is_ours(name: str) -> bool:
    """Tell whether a model of the table is context memory."""
    return name == OURS or name.startswith(f"{OURS} (")
