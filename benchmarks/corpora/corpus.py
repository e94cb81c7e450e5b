"""A corpus: a frame with the columns ``text``, ``label`` and ``split``, and functions on its rows.

The columns ``group``, ``order`` and ``speaker`` are optional. If a row is a whole group, ``text``
has the texts of all its turns, and ``turns`` has them one by one. If rows have several labels,
there is a column of zeros and ones for each of them in the place of ``label``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit

from sk_ctxmem.comparison import take_whole_groups

SPLITS = ("train", "valid", "test")
OPTIONAL_COLUMNS = ("group", "order", "speaker")
INDICATOR = "label: "  # how the names of columns of several labels begin


@dataclass(frozen=True)
class Corpus:
    """A named frame with the columns ``text``, ``label``, ``split`` and the optional ones."""

    name: str
    frame: pd.DataFrame

    @property
    def has_groups(self) -> bool:
        """Whether rows belong to conversations or documents."""
        return "group" in self.frame

    @property
    def is_of_sequences(self) -> bool:
        """Whether a row is a whole conversation or document, with one label."""
        return "turns" in self.frame

    @property
    def is_multilabel(self) -> bool:
        """Whether rows have several labels."""
        return any(name.startswith(INDICATOR) for name in self.frame)

    @cached_property
    def fingerprint(self) -> str:
        """Short hash of all rows and of the column names."""
        rows = pd.util.hash_pandas_object(self.frame, index=False).to_numpy()
        names = ",".join(self.frame.columns)
        return hashlib.sha256(names.encode() + rows.tobytes()).hexdigest()[:8]

    def part(self, split: str) -> pd.DataFrame:
        """Rows of one split, with a new index."""
        return self.frame[self.frame["split"] == split].reset_index(drop=True)

    def first_train_rows(self, n_rows: int) -> Corpus:
        """Corpus with about `n_rows` of the training rows, in whole groups."""
        train = take_whole_groups(self.part("train"), n_rows)
        return replace(self, frame=pd.concat([train, self.part("valid"), self.part("test")]))


def targets(frame: pd.DataFrame) -> pd.Series | pd.DataFrame:
    """Return the class of each row or, if rows have several labels, a column for each of these."""
    if "label" in frame:
        return frame["label"]
    columns = [name for name in frame if name.startswith(INDICATOR)]
    return frame[columns].rename(columns=lambda name: name.removeprefix(INDICATOR))


def group_keys(frame: pd.DataFrame) -> np.ndarray:
    """One integer per row, equal within a group; without groups, each row is its own group."""
    if "group" not in frame:
        return np.arange(len(frame))
    return pd.factorize(frame["group"])[0]


def order_keys(frame: pd.DataFrame) -> np.ndarray:
    """One integer per row that sorts the rows within their group."""
    if "order" not in frame:
        return np.arange(len(frame))
    return pd.factorize(frame["order"], sort=True)[0]


def sequences(frame: pd.DataFrame) -> list[np.ndarray]:
    """Positions of the rows of each group, sorted by their order."""
    groups = group_keys(frame)
    in_order = np.lexsort((order_keys(frame), groups))
    return np.split(in_order, np.flatnonzero(np.diff(groups[in_order])) + 1)


def split_by_group(frame: pd.DataFrame, test_size: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split rows into two parts without a common group, with seed 0."""
    splitter = GroupShuffleSplit(n_splits=1, test_size=test_size, random_state=0)
    first, second = next(splitter.split(frame, groups=group_keys(frame)))
    return frame.iloc[first], frame.iloc[second]


def feature_columns(frame: pd.DataFrame) -> Sequence[str]:
    """Columns that a model may use: all but labels and the split."""
    return [name for name in ("text", *OPTIONAL_COLUMNS) if name in frame]
