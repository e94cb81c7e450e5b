"""Sequences of vectors: the user's files, and the digits of scikit-learn as rows of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

DIGITS = "digits"
ARRAYS = ("frames", "lengths", "label", "split")


@dataclass(frozen=True)
class SequenceData:
    """Sequences for training and for testing, each an array of shape (n_steps, n_features)."""

    name: str
    X: list[np.ndarray]
    y: np.ndarray
    X_test: list[np.ndarray]
    y_test: np.ndarray

    @property
    def n_steps(self) -> int:
        """Number of steps of the longest training sequence."""
        return max(map(len, self.X))


def load_data(sources: Sequence[str]) -> list[SequenceData]:
    """Load files, or the digits of scikit-learn by their name."""
    return [load_rows_of_digits() if name == DIGITS else read_file(Path(name)) for name in sources]


def load_rows_of_digits() -> SequenceData:
    """Return images of digits as 8 rows of 8 pixels, of which three tenths are for testing."""
    images, y = load_digits(return_X_y=True)
    rows = list(images.reshape(-1, 8, 8))
    X, X_test, y, y_test = train_test_split(rows, y, test_size=0.3, random_state=0, stratify=y)
    return SequenceData(DIGITS, X, y, X_test, y_test)


def read_file(path: Path) -> SequenceData:
    """Read sequences from an NPZ file.

    Parameters
    ----------
    path : Path
        File with the arrays "frames" of shape (n_steps of all sequences, n_features), in which
        they stand one below another, and "lengths", "label" and "split" of shape (n_sequences,).
        Sequences of other splits than "train" and "test" are left out.

    Returns
    -------
    SequenceData
        Named after the file.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; pass an NPZ file, or {DIGITS}.")
    with np.load(path, allow_pickle=False) as arrays:
        missing = [name for name in ARRAYS if name not in arrays]
        if missing:
            raise ValueError(f"{path} has no array {missing[0]!r}; it needs {', '.join(ARRAYS)}.")
        frames, lengths, label, split = (arrays[name] for name in ARRAYS)
    if lengths.sum() != len(frames) or not len(lengths) == len(label) == len(split):
        raise ValueError(
            f"{path} has {len(frames)} frames for lengths of {lengths.sum()} in all, and "
            f"{len(lengths)} lengths, {len(label)} labels and {len(split)} splits."
        )
    sequences = np.split(frames.astype(np.float32), np.cumsum(lengths)[:-1])
    parts = {}
    for name in ("train", "test"):
        chosen = np.flatnonzero(split == name)
        if not len(chosen):
            raise ValueError(f"The array 'split' of {path} has no {name!r}.")
        parts[name] = [sequences[number] for number in chosen], label[chosen]
    return SequenceData(path.stem, *parts["train"], *parts["test"])


def pad(sequences: Sequence[np.ndarray], n_steps: int) -> np.ndarray:
    """Return an array of shape (n_sequences, n_steps, n_features): zeros after the last step.

    Steps after `n_steps` are cut.
    """
    padded = np.zeros((len(sequences), n_steps, sequences[0].shape[1]), dtype=np.float32)
    for row, sequence in zip(padded, sequences, strict=True):
        row[: len(sequence)] = sequence[:n_steps]
    return padded


def mean_and_deviation(sequences: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean and the standard deviation of each feature over the steps."""
    return np.array([np.r_[steps.mean(axis=0), steps.std(axis=0)] for steps in sequences])
