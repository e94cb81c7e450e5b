"""Errors of this package that scikit-learn has no name for."""


class TrainingDivergedError(RuntimeError):
    """The training loss is no longer a finite number."""
