"""Errors and warnings of this package that scikit-learn has no name for."""


class TrainingDivergedError(RuntimeError):
    """The training loss is no longer a finite number."""


class MissingGroupsWarning(UserWarning):
    """A classifier that was fitted with groups is asked about rows without."""


class ModelFileError(ValueError):
    """A file does not hold what this package wrote, or not what this version can read."""


class ProcessLostError(RuntimeError):
    """One of the processes of a fit ended, or did not answer in time."""


class TrainingInterruptedWarning(UserWarning):
    """Ctrl-C ended training: the classifier is fitted with what it had learned until then."""
