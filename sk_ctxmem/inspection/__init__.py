"""What counted for a prediction, how training went, and what context is worth, to be looked at."""

from ._context_ablation import ContextAblationDisplay
from ._training_history import TrainingHistoryDisplay
from ._words import WordContribution, word_contributions

__all__ = [
    "ContextAblationDisplay",
    "TrainingHistoryDisplay",
    "WordContribution",
    "word_contributions",
]
