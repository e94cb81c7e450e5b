"""Text classification with memory across the rows of a conversation or document."""

from ._classifier import ContextMemoryClassifier
from ._sequences import TextSequences
from ._vectorizer import TextSequenceVectorizer
from .exceptions import MissingGroupsWarning, TrainingDivergedError

__version__ = "0.1.0"

__all__ = [
    "ContextMemoryClassifier",
    "MissingGroupsWarning",
    "TextSequenceVectorizer",
    "TextSequences",
    "TrainingDivergedError",
]
