"""Displays and tables that explain predictions, training, forecasts, context, and labels."""

from ._comparison import ComparisonDisplay
from ._context_ablation import ContextAblationDisplay
from ._context_attribution import ContextAttributionDisplay
from ._conversation import ConversationDisplay
from ._forecast import ForecastDisplay
from ._labels import suspect_labels
from ._token_attribution import TokenAttributionDisplay
from ._training_history import TrainingHistoryDisplay
from ._tuning import TuningDisplay
from ._words import WordContribution, word_contributions

__all__ = [
    "ComparisonDisplay",
    "ContextAblationDisplay",
    "ContextAttributionDisplay",
    "ConversationDisplay",
    "ForecastDisplay",
    "TokenAttributionDisplay",
    "TrainingHistoryDisplay",
    "TuningDisplay",
    "WordContribution",
    "suspect_labels",
    "word_contributions",
]
