"""What counted for a prediction, by word and by row."""

from ._words import WordContribution, word_contributions

__all__ = ["WordContribution", "word_contributions"]
