"""Corpora to compare on: the embedded docstring sections, or any CSV or Parquet files.

Whatever the source, a corpus leaves this module as one frame with the columns ``text``,
``label``, ``split`` and, where there are any, ``group``, ``order`` and ``speaker``.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, train_test_split

SPLITS = ("train", "valid", "test")
OPTIONAL_COLUMNS = ("group", "order", "speaker")
SEPARATORS = {".csv": ",", ".tsv": "\t"}
ENDINGS = (*SEPARATORS, ".parquet")
EMBEDDED = "docstrings"  # in the place of a file: the corpus that needs none
SOURCES = f"CSV, TSV or Parquet, or {EMBEDDED} for the embedded corpus"

# A size at which the four models of the demonstration take two minutes or less on two cores.
DEMO_TRAIN_ROWS = 8_000
DEMO_TEST_ROWS = 4_000


@dataclass(frozen=True)
class Columns:
    """Names of the columns in the user's file; None means the default name, where it exists."""

    text: str = "text"
    label: str = "label"
    group: str | None = None
    order: str | None = None
    speaker: str | None = None


@dataclass(frozen=True)
class Corpus:
    """A named frame with the columns ``text``, ``label``, ``split`` and the optional ones."""

    name: str
    frame: pd.DataFrame

    @property
    def has_groups(self) -> bool:
        """Whether rows belong to conversations or documents."""
        return "group" in self.frame

    @cached_property
    def fingerprint(self) -> str:
        """Short hash of all rows and of the names of the columns."""
        rows = pd.util.hash_pandas_object(self.frame, index=False).to_numpy()
        names = ",".join(self.frame.columns)
        return hashlib.sha256(names.encode() + rows.tobytes()).hexdigest()[:8]

    def part(self, split: str) -> pd.DataFrame:
        """Rows of one split, renumbered."""
        return self.frame[self.frame["split"] == split].reset_index(drop=True)

    def first_train_rows(self, n_rows: int) -> Corpus:
        """Corpus with about `n_rows` of the training rows, in whole groups."""
        train = take_whole_groups(self.part("train"), n_rows)
        return replace(self, frame=pd.concat([train, self.part("valid"), self.part("test")]))


def take_whole_groups(frame: pd.DataFrame, n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Whole groups drawn at random until `n_rows` rows are reached; rows keep their order."""
    keys = group_keys(frame)
    groups, sizes = np.unique(keys, return_counts=True)
    drawn = np.random.default_rng(seed).permutation(len(groups))
    rows_before = np.cumsum(sizes[drawn]) - sizes[drawn]
    return frame[np.isin(keys, groups[drawn[rows_before < n_rows]])]


def group_keys(frame: pd.DataFrame) -> np.ndarray:
    """One integer per row, equal within a group; without groups each row is its own."""
    if "group" not in frame:
        return np.arange(len(frame))
    return pd.factorize(frame["group"])[0]


def split_by_group(frame: pd.DataFrame, test_size: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two parts, drawn with seed 0, that have no group in common."""
    splitter = GroupShuffleSplit(n_splits=1, test_size=test_size, random_state=0)
    first, second = next(splitter.split(frame, groups=group_keys(frame)))
    return frame.iloc[first], frame.iloc[second]


def load_docstring_sections_corpus(demo: bool = False) -> Corpus:
    """Load the docstrings of installed packages, or the fixed part of them for the demonstration.

    Parameters
    ----------
    demo : bool, default=False
        Whether to keep about `DEMO_TRAIN_ROWS` and `DEMO_TEST_ROWS` rows only.

    Returns
    -------
    Corpus
        A group is a docstring and a label is the section that a line stands in.
    """
    from sk_ctxmem.datasets import load_docstring_sections

    frame = load_docstring_sections().frame.rename(columns={"target": "label"})
    corpus = Corpus("docstring sections", frame.drop(columns="package"))
    if not demo:
        return corpus
    train = take_whole_groups(corpus.part("train"), DEMO_TRAIN_ROWS)
    test = take_whole_groups(corpus.part("test"), DEMO_TEST_ROWS)
    return Corpus("docstring sections (part)", pd.concat([train, test]))


def load_files(sources: Iterable[str | Path], columns: Columns) -> list[Corpus]:
    """Load each file, and each supported file of each folder, as a corpus named after it.

    Parameters
    ----------
    sources : iterable of str or Path
        Files, or folders of files, ending in one of `ENDINGS`; "docstrings" for the embedded
        corpus.

    columns : Columns
        Names of the columns in the files.

    Returns
    -------
    list of Corpus
        In the order of `sources`, but the embedded one last; files of a folder in the order of
        their names.
    """
    sources = list(sources)
    files = [source for source in sources if source != EMBEDDED]
    paths = [path for source in files for path in find_files(Path(source))]
    stems = Counter(path.stem for path in paths)
    names = [path.stem if stems[path.stem] == 1 else str(path) for path in paths]
    corpora = [
        Corpus(name, prepare_frame(read_table(path, columns.text), columns, path))
        for name, path in zip(names, paths, strict=True)
    ]
    return corpora + [load_docstring_sections_corpus()] * (EMBEDDED in sources)


def add_data_option(parser: argparse.ArgumentParser, remark: str = "") -> None:
    """Add the option ``--data`` for `load_files`, with the embedded corpus as its default."""
    parser.add_argument(
        "--data",
        nargs="+",
        metavar="FILE_OR_FOLDER",
        default=[EMBEDDED],
        help=f"{SOURCES}{remark} (default: {EMBEDDED})",
    )


def find_files(source: Path) -> list[Path]:
    """Return the file itself, or the supported files of a folder."""
    if source.is_dir():
        paths = sorted(path for path in source.iterdir() if path.suffix.lower() in ENDINGS)
        if not paths:
            raise ValueError(f"{source} holds no file that ends in {', '.join(ENDINGS)}.")
        return paths
    if not source.exists():
        raise FileNotFoundError(f"{source} does not exist; pass a file or a folder to --data.")
    if source.suffix.lower() not in ENDINGS:
        raise ValueError(f"{source} must end in one of {', '.join(ENDINGS)}.")
    return [source]


def read_table(path: Path, text: str) -> pd.DataFrame:
    """Read a file; in CSV and TSV, texts such as "NA", "null" and "007" stay as they are."""
    if path.suffix.lower() == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(
        path,
        sep=SEPARATORS[path.suffix.lower()],
        dtype={text: str},
        keep_default_na=False,
        na_values=[""],
        low_memory=False,
    )


def prepare_frame(table: pd.DataFrame, columns: Columns, source: str | Path) -> pd.DataFrame:
    """Bring a table into the form of a corpus, with clear errors where that cannot be done.

    Parameters
    ----------
    table : DataFrame
        The rows as the user has them.

    columns : Columns
        Names of the columns in `table`.

    source : str or Path
        Where the table comes from, for the messages.

    Returns
    -------
    DataFrame
        The columns that are used, under the names that this package gives them.
    """
    names = resolve_columns(table, columns, source)
    frame = pd.DataFrame({ours: table[theirs] for ours, theirs in names.items()})
    frame = frame.reset_index(drop=True)
    check_no_missing(frame, names, source)
    frame["text"] = frame["text"].astype(str)
    if frame["label"].nunique() < 2:
        label = frame["label"].iloc[0] if len(frame) else "none, as there are no rows"
        raise ValueError(f"{source} has one class only ({label}); at least two are needed.")
    if "split" not in frame:
        frame = add_split(frame)
    check_split(frame, source)
    return frame


def resolve_columns(table: pd.DataFrame, columns: Columns, source: str | Path) -> dict[str, str]:
    """Map our names to the user's; columns that were not asked for are used where they exist."""
    names = {"text": columns.text, "label": columns.label}
    for optional in OPTIONAL_COLUMNS:
        asked = getattr(columns, optional)
        if asked is not None or optional in table:
            names[optional] = asked or optional
    if "split" in table:
        names["split"] = "split"
    for ours, theirs in names.items():
        if theirs not in table:
            known = ", ".join(map(str, table.columns))
            raise ValueError(f"{source} has no {ours} column {theirs!r}; its columns are: {known}.")
    return names


def check_no_missing(frame: pd.DataFrame, names: dict[str, str], source: str | Path) -> None:
    """Raise an error when a column that is used has missing values."""
    for ours, theirs in names.items():
        missing = np.flatnonzero(frame[ours].isna())
        if len(missing):
            raise ValueError(
                f"{source} has {len(missing)} missing value(s) in the {ours} column {theirs!r}, "
                f"the first in data row {missing[0] + 1}; fill or drop these rows."
            )


def add_split(frame: pd.DataFrame, test_size: float = 0.2) -> pd.DataFrame:
    """Add a split column: a fifth for test, by group, or by class where there are no groups."""
    if "group" in frame:
        if frame["group"].nunique() < 2:
            raise ValueError("A split by group needs two groups or more; add a split column.")
        test = split_by_group(frame, test_size)[1].index
    else:
        counts = frame["label"].value_counts()
        can_stratify = counts.min() > 1 and len(frame) * test_size >= len(counts)
        labels = frame["label"] if can_stratify else None
        options = {"test_size": test_size, "random_state": 0}
        test = train_test_split(frame.index, stratify=labels, **options)[1]
    return frame.assign(split=np.where(frame.index.isin(test), "test", "train"))


def check_split(frame: pd.DataFrame, source: str | Path) -> None:
    """Raise an error unless there are training rows of two classes, and test rows."""
    unknown = sorted(set(frame["split"]) - set(SPLITS), key=str)
    if unknown:
        expected = ", ".join(SPLITS)
        raise ValueError(f"The split column of {source} holds {unknown}; it must hold {expected}.")
    for needed in ("train", "test"):
        if needed not in set(frame["split"]):
            raise ValueError(f"The split column of {source} has no {needed} rows.")
    if frame.loc[frame["split"] == "train", "label"].nunique() < 2:
        raise ValueError(f"The training rows of {source} have one class only; two are needed.")


def feature_columns(frame: pd.DataFrame) -> Sequence[str]:
    """Columns that a model may see: all but the label and the split."""
    return [name for name in ("text", *OPTIONAL_COLUMNS) if name in frame]
