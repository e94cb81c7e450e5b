"""Exceptions and warnings of this package."""


class TrainingDivergedError(RuntimeError):
    """Raised if the training loss is no longer finite."""


class MissingGroupsWarning(UserWarning):
    """Warns that a classifier fitted with groups predicts rows without groups."""


class ModelFileError(ValueError):
    """Raised if a file was not written by this package, or has an unsupported format version."""


class ProcessLostError(RuntimeError):
    """Raised if a process of a distributed fit ended or did not answer in time."""


class TrainingInterruptedWarning(UserWarning):
    """Warns that Ctrl-C ended training; the classifier is fitted with the current weights."""
