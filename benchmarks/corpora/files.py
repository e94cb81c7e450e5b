"""Corpora from the user's files: CSV, TSV or Parquet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from benchmarks.corpora.cells import read_order
from benchmarks.corpora.corpus import OPTIONAL_COLUMNS, SPLITS, Corpus, split_by_group
from benchmarks.corpora.embedded import (
    load_docstring_sections_corpus,
    load_service_dialogues_corpus,
)
from benchmarks.corpora.labels import drop_constant_labels, join_groups, split_labels
from sk_ctxmem.comparison import SUFFIXES, check_no_gaps, read_table

EMBEDDED = "docstrings"  # the default
WITHOUT_FILE = {
    EMBEDDED: load_docstring_sections_corpus,
    "dialogues": load_service_dialogues_corpus,
}


@dataclass(frozen=True)
class Columns:
    """Column names in the user's file; None stands for the default name, if that column exists.

    `labels` is the column of several labels, with `separator` between them, and takes the place
    of `label`. If `per_group` is true, each group has one label, and becomes one row.
    """

    text: str = "text"
    label: str = "label"
    group: str | None = None
    order: str | None = None
    speaker: str | None = None
    labels: str | None = None
    separator: str = ";"
    per_group: bool = False

    @property
    def as_written(self) -> list[str]:
        """Names of the columns of texts and ids: "007" and "7" are two of them."""
        return [self.text, self.group or "group", self.speaker or "speaker"]


def load_files(sources: Iterable[str | Path], columns: Columns) -> list[Corpus]:
    """Load each file, and each supported file of each folder, as a corpus named after the file.

    Parameters
    ----------
    sources : iterable of str or Path
        Files with one of the `SUFFIXES`, folders of such files, or names of `WITHOUT_FILE`.

    columns : Columns
        Names of the columns in the files.

    Returns
    -------
    list of Corpus
        In the order of `sources`, but with embedded corpora last; files of a folder are sorted
        by name.
    """
    sources = list(sources)
    files = [source for source in sources if source not in WITHOUT_FILE]
    paths = [path for source in files for path in find_files(Path(source))]
    stems = Counter(path.stem for path in paths)
    names = [path.stem if stems[path.stem] == 1 else str(path) for path in paths]
    if columns.per_group:
        names = [f"{name} (per group)" for name in names]  # other results than those of its rows
    corpora = [
        Corpus(name, prepare_frame(read_table(path, columns.as_written), columns, path))
        for name, path in zip(names, paths, strict=True)
    ]
    return corpora + [load() for name, load in WITHOUT_FILE.items() if name in sources]


def find_files(source: Path) -> list[Path]:
    """Return the file itself, or the supported files of a folder."""
    if source.is_dir():
        paths = sorted(path for path in source.iterdir() if path.suffix.lower() in SUFFIXES)
        if not paths:
            raise ValueError(f"{source} holds no file that ends in {', '.join(SUFFIXES)}.")
        return paths
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist; pass a file or a folder to --data.")
    if source.suffix.lower() not in SUFFIXES:
        raise ValueError(f"{source} must end in one of {', '.join(SUFFIXES)}.")
    return [source]


def prepare_frame(table: pd.DataFrame, columns: Columns, source: str | Path) -> pd.DataFrame:
    """Convert a table to the frame of a corpus, and raise clear errors for invalid content.

    Parameters
    ----------
    table : DataFrame
        Rows of the user's file.

    columns : Columns
        Names of the columns in `table`.

    source : str or Path
        File of the table, for the messages.

    Returns
    -------
    DataFrame
        The columns in use, with the column names of `Corpus`.
    """
    names = resolve_columns(table, columns, source)
    frame = pd.DataFrame({ours: table[theirs] for ours, theirs in names.items()})
    frame = frame.reset_index(drop=True)
    may_be_empty = {"text", "label"} if columns.labels else {"text"}
    check_no_gaps(frame, {k: v for k, v in names.items() if k not in may_be_empty}, source)
    frame["text"] = frame["text"].fillna("").astype(str)  # an empty turn is a turn
    if "order" in frame:
        frame["order"] = read_order(frame["order"], names["order"], source)
    if columns.labels:
        frame["label"] = frame["label"].fillna("").astype(str)  # an empty cell has no label
    if columns.per_group:
        frame = join_groups(frame, source)
    if columns.labels:
        frame = split_labels(frame, columns.separator, source)
    elif frame["label"].nunique() < 2:
        label = frame["label"].iloc[0] if len(frame) else "none, as there are no rows"
        raise ValueError(f"{source} has one class only ({label}); at least two are needed.")
    if "split" not in frame:
        frame = add_split(frame)
    check_split(frame, source)
    return drop_constant_labels(frame, source) if columns.labels else frame


def resolve_columns(table: pd.DataFrame, columns: Columns, source: str | Path) -> dict[str, str]:
    """Map our column names to the user's; optional columns need not exist unless named."""
    names = {"text": columns.text, "label": columns.labels or columns.label}
    for optional in OPTIONAL_COLUMNS:
        asked = getattr(columns, optional)
        is_needed = optional == "group" and columns.per_group
        if asked is not None or is_needed or optional in table:
            names[optional] = asked or optional
    if "split" in table:
        names["split"] = "split"
    for ours, theirs in names.items():
        if theirs not in table:
            known = ", ".join(map(str, table.columns))
            raise ValueError(f"{source} has no {ours} column {theirs!r}; its columns are: {known}.")
    return names


def add_split(frame: pd.DataFrame, test_size: float = 0.2) -> pd.DataFrame:
    """Add a split column: a fifth of the groups for test, or of each class without groups."""
    if "group" in frame:
        if frame["group"].nunique() < 2:
            raise ValueError("A split by group needs two groups or more; add a split column.")
        test = split_by_group(frame, test_size)[1].index
    else:
        labels = _to_stratify(frame, test_size)
        options = {"test_size": test_size, "random_state": 0}
        test = train_test_split(frame.index, stratify=labels, **options)[1]
    return frame.assign(split=np.where(frame.index.isin(test), "test", "train"))


def _to_stratify(frame: pd.DataFrame, test_size: float) -> pd.Series | None:
    """Return the classes, unless one is too rare or rows have several labels."""
    if "label" not in frame:
        return None
    counts = frame["label"].value_counts()
    can_stratify = counts.min() > 1 and len(frame) * test_size >= len(counts)
    return frame["label"] if can_stratify else None


def check_split(frame: pd.DataFrame, source: str | Path) -> None:
    """Raise an error unless there are test rows and training rows of two classes."""
    unknown = sorted(set(frame["split"]) - set(SPLITS), key=str)
    if unknown:
        expected = ", ".join(SPLITS)
        raise ValueError(f"The split column of {source} holds {unknown}; it must hold {expected}.")
    for needed in ("train", "test"):
        if needed not in set(frame["split"]):
            raise ValueError(f"The split column of {source} has no {needed} rows.")
    if "label" in frame and frame.loc[frame["split"] == "train", "label"].nunique() < 2:
        raise ValueError(f"The training rows of {source} have one class only; two are needed.")
