"""Settings and tasks of all tables, and samples of a corpus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from benchmarks.corpora.corpus import SPLITS, Corpus, group_keys
from sk_ctxmem.comparison import take_whole_groups

QUICK_ROWS = 300

Value = TypeVar("Value")
Row = dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """Settings from the command line.

    Parameters
    ----------
    output : Path
        Folder of the results.

    repeats : int, default=5
        Number of measurements per median.

    limit : float, default=300.0
        Seconds after which a fit of LogisticRegression is stopped.

    quick : bool, default=False
        Whether to use tiny sizes.
    """

    output: Path
    repeats: int = 5
    limit: float = 300.0
    quick: bool = False

    def choose(self, full: Value, quick: Value) -> Value:
        """Return the sizes to measure."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Task:
    """A step of the progress bar: its name, and a function that returns rows of a table."""

    name: str
    run: Callable[[], list[Row]]


def first_with_groups(corpora: Sequence[Corpus]) -> Corpus:
    """Return the first corpus with groups, or the first one if none has groups."""
    return next((corpus for corpus in corpora if corpus.has_groups), corpora[0])


def shorten(corpus: Corpus) -> Corpus:
    """Corpus with about `QUICK_ROWS` rows of each split, in whole groups."""
    parts = [take_whole_groups(corpus.part(split), QUICK_ROWS) for split in SPLITS]
    return replace(corpus, name=f"{corpus.name} (part)", frame=pd.concat(parts))


def resample_groups(frame: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    """Draw whole groups with replacement up to `n_rows` rows; each becomes a new group."""
    keys = group_keys(frame)
    sizes = np.bincount(keys)
    starts = np.cumsum(sizes) - sizes
    drawn = np.random.default_rng(0).integers(len(sizes), size=n_rows)  # at least one row each
    drawn = drawn[: np.searchsorted(np.cumsum(sizes[drawn]), n_rows) + 1]
    lengths = sizes[drawn]
    firsts = np.cumsum(lengths) - lengths
    places = np.arange(lengths.sum()) + np.repeat(starts[drawn] - firsts, lengths)
    resampled = frame.iloc[np.argsort(keys, kind="stable")[places]].reset_index(drop=True)
    if "group" in frame:
        resampled["group"] = np.repeat(np.arange(len(drawn)), lengths)
    return resampled


def resample_rows(frame: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    """Draw rows with replacement; the first two have different classes.

    Rows of a group that are drawn several times keep their order in it.
    """
    drawn = frame.sample(n_rows - 2, replace=True, random_state=0)
    rows = pd.concat([frame.drop_duplicates("label").head(2), drawn], ignore_index=True)
    return rows.assign(order=range(len(rows))) if "order" in rows else rows
