"""Exceptions and warnings of this package."""


class TrainingDivergedError(RuntimeError):
    """Raised if the training loss is no longer finite."""


class MissingGroupsWarning(UserWarning):
    """Warns that rows without groups are predicted by a fit with groups, or have an order."""


class MergedGroupsWarning(UserWarning):
    """Warns that group ids may merge rows of different conversations, or split one."""


class UnknownSpeakersWarning(UserWarning):
    """Warns that rows have no speaker, or one that should be known from fit and is not."""


class ModelFileError(ValueError):
    """Raised if a file is not one of this package and version, or needs another embedder."""


class ProcessLostError(RuntimeError):
    """Raised if a process of a distributed fit ended or did not answer in time."""


class TrainingInterruptedWarning(UserWarning):
    """Warns that Ctrl-C ended training; the classifier is fitted with the current weights."""
