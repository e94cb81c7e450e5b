"""Text classification with memory across the rows of a conversation or document."""

from ._classifier import ContextMemoryClassifier
from ._compare._compare_classifiers import compare_classifiers
from ._compare._window import WindowTfidfVectorizer
from ._dense._cached import CachedEmbedder
from ._features._sequences import TextSequences
from ._features._vectorizer import TextSequenceVectorizer
from ._rows._to_sequences import to_sequences
from ._rows._whole_groups import whole_groups
from ._sessions import ContextSession, ContextSessions
from ._tuning import ContextMemoryClassifierCV
from ._version import __version__
from .exceptions import (
    MergedGroupsWarning,
    MissingGroupsWarning,
    ModelFileError,
    ProcessLostError,
    TrainingDivergedError,
    TrainingInterruptedWarning,
    UnknownSpeakersWarning,
)

# Classes of this package in a skops file, to pass as `trusted` when loading it.
TRUSTED_TYPES = [
    "sk_ctxmem._classifier.ContextMemoryClassifier",
    "sk_ctxmem._features._vectorizer.TextSequenceVectorizer",
]

__all__ = [
    "TRUSTED_TYPES",
    "CachedEmbedder",
    "ContextMemoryClassifier",
    "ContextMemoryClassifierCV",
    "ContextSession",
    "ContextSessions",
    "MergedGroupsWarning",
    "MissingGroupsWarning",
    "ModelFileError",
    "ProcessLostError",
    "TextSequenceVectorizer",
    "TextSequences",
    "TrainingDivergedError",
    "TrainingInterruptedWarning",
    "UnknownSpeakersWarning",
    "WindowTfidfVectorizer",
    "__version__",
    "compare_classifiers",
    "to_sequences",
    "whole_groups",
]
